"""Migrations on both kinds of database: one line of them, up and down, in step with the models, and whole or not at all."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from bot_service.errors import SettingsError
from bot_service.storage import cases, episodes, migrating
from bot_service.storage.database import open_database, open_engine
from bot_service.storage.schema import metadata
from bot_service.storage.sealing import Keyring
from tests.databases import Kind
from tests.patience import PATIENT_S, wait_for
from tests.running_clinic import SECRET
from tests.source_tree import ROOT

FOLDER = ROOT / "migrations"
OURS = {"bot_service", "schedules", "plans", "tests", "benchmarks"}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, empty_database: Callable[[Kind], str]) -> str:
    kind: Kind = request.param
    return empty_database(kind)


@pytest.fixture
def empty(empty_url: str) -> Iterator[Engine]:
    engine = open_engine(empty_url)
    yield engine
    engine.dispose()


def alembic_config(engine: Engine | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    if engine is not None:
        config.set_main_option("sqlalchemy.url", engine.url.render_as_string(hide_password=False).replace("%", "%%"))
    return config


def tables_in(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def schema_of(engine: Engine) -> dict[str, list[str]]:
    """Everything that matters of each table, to compare two schemas by."""
    looked = inspect(engine)
    looks = (looked.get_columns, looked.get_foreign_keys, looked.get_unique_constraints, looked.get_indexes, looked.get_check_constraints)
    return {
        table: sorted(_plain(each) for look in (*looks, lambda name: [looked.get_pk_constraint(name)]) for each in look(table))
        for table in looked.get_table_names()
    }


def _plain(each: object) -> str:
    return json.dumps(each, default=str, sort_keys=True)


def test_there_is_one_head_and_the_files_are_numbered_without_gaps() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    assert len(script.get_heads()) == 1
    revisions = [revision.revision for revision in script.walk_revisions()][::-1]
    assert revisions == [f"{number:04d}" for number in range(1, len(revisions) + 1)]
    names = sorted(file.name for file in (FOLDER / "versions").glob("*.py"))
    assert [name[:5] for name in names] == [f"{revision}_" for revision in revisions]


def test_migrations_import_none_of_our_code() -> None:
    for file in (FOLDER / "versions").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not OURS & {name.split(".")[0] for name in names}, f"{file.name} imports our code, which will change under it"


def test_up_down_and_up_again_gives_the_same_schema(empty: Engine) -> None:
    migrating.migrate(empty)
    first = schema_of(empty)
    assert set(metadata.tables) <= set(first)
    migrating.migrate(empty, "base")
    assert tables_in(empty) <= {"alembic_version"}
    migrating.migrate(empty)
    assert schema_of(empty) == first


def test_migrating_twice_changes_nothing(empty: Engine) -> None:
    migrating.migrate(empty)
    first = schema_of(empty)
    migrating.migrate(empty)
    assert schema_of(empty) == first


def test_the_migrations_make_what_the_models_say(empty: Engine) -> None:
    migrating.migrate(empty)
    command.check(alembic_config(empty))  # raises when autogenerate finds a difference


def test_the_models_alone_make_the_same_constraints_as_the_migrations(empty_database: Callable[[Kind], str], empty: Engine) -> None:
    """Autogenerate looks at neither checks nor the names of everything; so the two schemas are compared whole."""
    migrating.migrate(empty)
    kind: Kind = "sqlite" if empty.dialect.name == "sqlite" else "postgresql"
    from_models = open_engine(empty_database(kind))
    try:
        metadata.create_all(from_models)
        made = schema_of(empty)
        assert made.pop("alembic_version")
        wanted = schema_of(from_models)
        assert {table: made.get(table) for table in wanted} == wanted
        assert set(made) == set(wanted)
    finally:
        from_models.dispose()


def test_a_database_without_schema_is_too_old(empty: Engine) -> None:
    with pytest.raises(SettingsError, match="stepwise migrate"):
        migrating.check_schema(empty)
    migrating.migrate(empty)
    migrating.check_schema(empty)


def test_a_database_from_the_future_is_refused(empty: Engine) -> None:
    migrating.migrate(empty)
    with empty.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(SettingsError, match="newer version"):
        migrating.check_schema(empty)


def broken_copy(folder: Path, after: int, trouble: str) -> Path:
    """The first migration with `trouble` written in after that many of its tables."""
    [original] = (FOLDER / "versions").glob("0001_*.py")
    lines = original.read_text(encoding="utf-8").splitlines()
    starts = [number for number, line in enumerate(lines) if line.strip().startswith("op.create_table(")]
    at = starts[after]
    versions = folder / "versions"
    versions.mkdir(parents=True)
    (versions / original.name).write_text("\n".join([*lines[:at], textwrap.indent(trouble, "    "), *lines[at:]]), encoding="utf-8")
    (folder / "env.py").write_text((FOLDER / "env.py").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "script.py.mako").write_text("", encoding="utf-8")
    return folder


MIGRATE = """
import sys
from pathlib import Path
from bot_service.storage import migrating
from bot_service.storage.database import open_engine
migrating.migrate(open_engine(sys.argv[1]), folder=Path(sys.argv[2]))
"""


@pytest.mark.parametrize("after", [1, 12, 20])
def test_a_migration_that_fails_in_the_middle_leaves_nothing_behind(empty: Engine, tmp_path: Path, after: int) -> None:
    folder = broken_copy(tmp_path / "broken", after, 'raise RuntimeError("the disk is full")')
    with pytest.raises(RuntimeError, match="the disk is full"):
        migrating.migrate(empty, folder=folder)
    assert tables_in(empty) == set()
    migrating.migrate(empty)  # and the next attempt, by a build that can, finds nothing in its way
    migrating.check_schema(empty)


def test_a_migration_killed_in_the_middle_leaves_nothing_behind(empty: Engine, empty_url: str, tmp_path: Path) -> None:
    mark = tmp_path / "reached"
    trouble = f"import pathlib, time\npathlib.Path({str(mark)!r}).touch()\ntime.sleep(3600)"
    folder = broken_copy(tmp_path / "broken", 15, trouble)
    with subprocess.Popen([sys.executable, "-c", MIGRATE, empty_url, str(folder)], cwd=ROOT) as process:
        wait_for(lambda: mark.exists() or process.poll() is not None, "the middle")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert mark.exists(), "it did not get as far as the middle"
    wait_for(lambda: not tables_in(empty), "PostgreSQL to notice the dead client")
    migrating.migrate(empty)
    migrating.check_schema(empty)


def test_two_replicas_that_start_together_migrate_once(empty_database: Callable[[Kind], str]) -> None:
    url = empty_database("postgresql")
    processes = [subprocess.Popen([sys.executable, "-c", MIGRATE, url, str(FOLDER)], cwd=ROOT) for _ in range(2)]
    assert [process.wait(timeout=5 * PATIENT_S) for process in processes] == [0, 0]
    engine = open_engine(url)
    migrating.check_schema(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from alembic_version").scalar() == 1
    engine.dispose()


WORDS = {"holds.why": "away with Tom", "cases.close_reason": "rang her, all well", "episodes.end_reason": "moved to Leeds"}
PATIENT, EPISODE, CASE, HOLD = (UUID(int=number, version=4) for number in range(1, 5))


def rows_of_the_first_schema(engine: Engine, keys: Keyring) -> None:
    """One patient with something that a clinician wrote in each plain column of 0001."""
    clinic, physio = UUID(int=9, version=4), UUID(int=8, version=4)
    at, day, zone = "2026-09-21 09:00:00.000000", "2026-09-21", "Europe/London"
    made, owned, key = {"created_at": at}, {"clinic_id": clinic.hex, "episode_id": EPISODE.hex}, bytes(keys.new_key()[1])
    member: dict[str, object] = {"email": "a@r", "name": "A", "role": "physio", "status": "active"}
    patient: dict[str, object] = {"data_key": key, "zone": zone, "language": "en", "status": "discharged", "status_at": at}
    care: dict[str, object] = {"plan_id": "p", "status": "discharged", "start_date": day, "stage": "early", "stage_start": day}
    told: dict[str, object] = {"rule": "X3", "urgency": "routine", "status": "closed", "sentence": "s", "reasons": "{}", "opened_at": at}
    ids = {"clinic_id": clinic.hex, "patient_id": PATIENT.hex, "physio_id": physio.hex}
    rows: list[tuple[str, dict[str, object]]] = [
        ("clinics", {"id": clinic.hex, "slug": "r", "name": "R", "zone": zone, "settings": "{}", **made}),
        ("staff", {"id": physio.hex, "clinic_id": clinic.hex, **member, **made}),
        ("patients", {"id": PATIENT.hex, "clinic_id": clinic.hex, "ref": "P1", **patient, **made}),
        ("episodes", {"id": EPISODE.hex, **ids, **care, "end_reason": WORDS["episodes.end_reason"]}),
        ("holds", {"id": HOLD.hex, **owned, "kind": "pause", "why": WORDS["holds.why"], "placed_by": "A", "from_day": day, **made}),
        ("cases", {"id": CASE.hex, **owned, "case_key": "X3", **told, "closed_at": at, "close_reason": WORDS["cases.close_reason"]}),
    ]
    with engine.begin() as connection:
        for table, row in rows:
            connection.execute(text("insert into {} ({}) values (:{})".format(table, ", ".join(row), ", :".join(row))), row)


def plain_in(engine: Engine) -> dict[str, str]:
    """What the plain columns of 0001 hold."""
    with engine.connect() as connection:
        return {place: connection.execute(text("select {1} from {0}".format(*place.split(".")))).scalar_one() for place in WORDS}


def downgrade(engine: Engine, revision: str) -> None:
    command.downgrade(alembic_config(engine), revision)


def test_words_that_lay_in_plain_columns_are_sealed_at_the_next_start_and_none_is_lost(empty: Engine, empty_url: str) -> None:
    migrating.migrate(empty, "0001")
    rows_of_the_first_schema(empty, Keyring([SECRET]))
    migrating.migrate(empty)
    open_database(empty_url, [SECRET]).close()
    db = open_database(empty_url, [SECRET])  # a second start finds nothing left to do
    with db.read() as tx:
        episode = episodes.load(tx, EPISODE)
        [hold] = episodes.list_holds(tx, EPISODE)
        [case] = cases.list_closed(tx, episode)
        assert tx.scalar(text("select count(*) from unsealed")) == 0
        kept = {"holds.why": episodes.why_held(tx, episode, hold), "cases.close_reason": case.close_reason}
        assert kept | {"episodes.end_reason": episode.end_reason} == WORDS
    db.close()


def test_going_back_before_a_start_brings_the_plain_words_back(empty: Engine) -> None:
    migrating.migrate(empty, "0001")
    rows_of_the_first_schema(empty, Keyring([SECRET]))
    first = schema_of(empty)
    migrating.migrate(empty)
    downgrade(empty, "0001")
    assert plain_in(empty) == WORDS
    assert schema_of(empty) == first


def test_going_back_after_a_start_says_that_the_words_were_sealed(empty: Engine, empty_url: str) -> None:
    migrating.migrate(empty, "0001")
    rows_of_the_first_schema(empty, Keyring([SECRET]))
    migrating.migrate(empty)
    open_database(empty_url, [SECRET]).close()
    downgrade(empty, "0001")
    assert set(plain_in(empty).values()) == {"written in a newer version, which sealed it"}
