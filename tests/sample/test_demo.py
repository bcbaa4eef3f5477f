"""The headless demo: the same seed gives the same numbers, and the numbers add up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

import pytest
from sqlalchemy import select

from bot_service.app import Service
from bot_service.clock import MovableClock
from bot_service.sample.demo import DemoResult, run_demo, table
from bot_service.sample.tally import CAPS, tally
from bot_service.settings import load_settings
from bot_service.storage import figures
from bot_service.storage.database import Database
from bot_service.storage.tables import cases, proposals
from plans.loading import load_library
from tests.sample.rooms import NOW, Room

KEYS: Mapping[str, tuple[str, ...]] = {
    "prompts": ("due", "sent", "expired", "in_doubt", "failed", "cancelled"),
    "replies": ("read", "asked_again"),
    "sessions": ("done", "partly", "not_done", "no_reply"),
    "progressions": ("proposed", "approved", "held"),
}


def _make(db: Database, clock: MovableClock) -> Service:
    return Service(load_settings(), db, load_library(), clock, in_threads=False)


def _numbers(result: DemoResult) -> dict[str, object]:
    return {key: value for key, value in result.as_object().items() if key != "seconds"}


@pytest.fixture(scope="module")
def played() -> DemoResult:
    return run_demo(_make, weeks=2, patients=6, seed=11)


def test_the_same_seed_gives_the_same_numbers(played: DemoResult) -> None:
    assert _numbers(run_demo(_make, weeks=2, patients=6, seed=11)) == _numbers(played)


def test_another_seed_gives_other_numbers(played: DemoResult) -> None:
    assert _numbers(run_demo(_make, weeks=1, patients=4, seed=12)) != _numbers(played)


def test_the_object_has_the_published_keys_and_no_others(played: DemoResult) -> None:
    found = played.as_object()
    assert set(found) == {"patients", "weeks", "seed", "prompts", "replies", "sessions", "flags", "progressions", "seconds"}
    assert {key: tuple(found[key]) for key in KEYS} == KEYS
    assert (found["patients"], found["weeks"], found["seed"]) == (6, 2, 11)


def test_the_sums_add_up(played: DemoResult) -> None:
    prompts = dict(played.prompts)
    due = prompts.pop("due")
    assert due == sum(prompts.values()) > 20
    assert sum(played.sessions.values()) == prompts["sent"]
    assert played.replies["read"] > played.sessions["done"]


def test_steps_that_were_proposed_count_under_their_rule(sample: Room) -> None:
    with sample.db.read() as tx:
        found = tally(tx, (), NOW.date())
        made = Counter(row.rule for row in tx.all(select(proposals)) if row.rule != "own" and "offered" not in row.detail)
        flagged = Counter(rule for row in tx.all(select(cases)) for rule in row.reasons)
    steps = made.keys() - {"C5"}
    assert {"C0", "C1", "C2"} <= steps and not steps & flagged.keys()
    assert found["flags"] == dict(sorted({**made, **flagged}.items())), "C5 is a reason on a case too, and counts once"
    assert found["progressions"]["proposed"] == made.total() >= found["progressions"]["approved"] > 0


def test_the_outage_shows_as_expired(played: DemoResult) -> None:
    assert played.prompts["expired"] > 0


def test_the_table_is_plain_text_of_eighty_columns(played: DemoResult) -> None:
    lines = table(played).splitlines()
    assert max(len(line) for line in lines) <= 80
    costs = table(played).partition("Messages a week")[2].partition("\n\n")[0]
    shown = {stage: (float(number), int(cap)) for stage, number, cap in re.findall(r"([a-z ]+?) ([\d.]+) of (\d+)", costs)}
    assert {stage.strip() for stage in shown} == set(played.messages_per_week)
    assert all(abs(found - played.messages_per_week[stage.strip()]) < 0.051 for stage, (found, _) in shown.items())
    assert all(cap == CAPS[stage.strip()] for stage, (_, cap) in shown.items()) and len(shown) > 1


def test_a_patient_with_the_faster_block_is_counted_apart(sample: Room) -> None:
    with sample.db.read() as tx:
        found = figures.list_stage_starts(tx)[sample.episode("Hannah").id]
        sent = figures.count_messages_by_stage(tx)
    assert found[-1][1] == figures.WITH_PLYOMETRICS and sent[figures.WITH_PLYOMETRICS] > 0 < sent["advanced"]


def test_the_numbers_of_the_prompts_are_in_the_table(played: DemoResult) -> None:
    assert all(str(number) in table(played) for number in played.prompts.values())


def test_progress_goes_from_nothing_to_all() -> None:
    told: list[float] = []
    run_demo(_make, weeks=1, patients=1, seed=3, progress=lambda fraction, _label: told.append(fraction))
    assert told == sorted(told)
    assert told[0] > 0
    assert told[-1] == pytest.approx(1, abs=0.02)
