"""The house rules that a machine can check: sizes, names, what may be called where, and what a tracked file may say."""

from __future__ import annotations

import ast
import re
import statistics
from pathlib import Path

import pytest

from tests.source_tree import ROOT, called, functions, names_used, parsed, python_files, source_files, tracked_files

LONGEST_FILE = 320
LONGEST_FUNCTION = 40
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "lib", "services", "managers", "manager", "misc"}

CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns", "datetime.datetime.now"}
ENVIRONMENT = {"os.environ", "os.getenv", "os.environb"}
MOCKS = {"unittest.mock", "mock.patch", "monkeypatch.setattr", "monkeypatch.setitem", "mocker.patch"}
LEFT_OUT = {"pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail", "pytest.xfail", "pytest.importorskip"}  # names to forbid
CORE = ("plans/", "schedules/", "bot_service/clinical/", "bot_service/conversation/", "bot_service/messages.py", "bot_service/errors.py")

# Written in halves, so that this file does not contain what it looks for.
FOREIGN_HOSTS = [
    "pypi" + ".org",
    "python" + "hosted",
    "registry" + ".npmjs",
    "npmjs" + ".org",
    "ghcr" + ".io",
    "docker" + ".io",
    "quay" + ".io",
]
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:root|work|home/[a-z]\w*|Users/\w+|opt/[a-z]+)/\w")
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")


def test_no_source_file_is_too_long() -> None:
    lengths = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in source_files()}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_too_long_and_most_are_short() -> None:
    sizes = {f"{path}:{found.name}": (found.end_lineno or 0) - found.lineno + 1 for path in source_files() for found in functions(path)}
    assert {name: lines for name, lines in sizes.items() if lines > LONGEST_FUNCTION} == {}
    assert statistics.median(sizes.values()) <= 10


def test_no_file_or_folder_has_an_empty_name() -> None:
    named = [str(path) for path in python_files() if EMPTY_NAMES & {part.removesuffix(".py") for part in path.parts}]
    assert named == []


def test_every_module_says_what_it_is_for() -> None:
    assert [str(path) for path in python_files() if not ast.get_docstring(parsed(path))] == []


@pytest.mark.parametrize(
    ("banned", "homes"),
    [
        (CLOCK, {"bot_service/clock.py"}),
        (ENVIRONMENT, {"bot_service/settings.py", *(str(path) for path in python_files("tests", "benchmarks"))}),
        (MOCKS, set[str]()),
        (LEFT_OUT, set[str]()),
        ({"pytest.skip"}, {"tests/browser/conftest.py"}),  # without Chromium, and never in CI
    ],
    ids=["clock", "environment", "mocks", "tests left out", "skipping"],
)
def test_banned_names_appear_only_in_their_home(banned: set[str], homes: set[str]) -> None:
    found = [
        f"{path}:{line} {name}" for path in python_files() if str(path) not in homes for name, line in names_used(path) if name in banned
    ]
    assert found == []


def test_the_core_neither_prints_nor_touches_files() -> None:
    banned = {"open", "print", "input", "write_text", "write_bytes", "mkdir", "unlink", "getLogger"}
    core = [path for path in python_files() if str(path).startswith(CORE)]
    assert [f"{path}:{line} {name}" for path in core for name, line in called(path) if name in banned] == []


def test_the_core_reads_only_plan_files_and_its_own_word_lists() -> None:
    readers = [
        path for path in python_files() if str(path).startswith(CORE) and {"read_text", "read_bytes"} & {name for name, _ in called(path)}
    ]
    strangers = [str(path) for path in readers if path != Path("plans/loading.py") and not _reads_package_resources(path)]
    assert strangers == []


def _reads_package_resources(path: Path) -> bool:
    return any(name.startswith("importlib.resources") for name, _ in names_used(path))


def test_no_tracked_file_names_a_registry_or_somebodys_machine() -> None:
    found = []
    for path, line, text in _lines():
        if any(host in text for host in FOREIGN_HOSTS) or MACHINE_PATH.search(text):
            found.append(f"{path}:{line} {text.strip()[:100]}")
    assert found == []


def test_no_tracked_file_is_left_unfinished() -> None:
    assert [f"{path}:{line}" for path, line, text in _lines() if UNFINISHED.search(text)] == []


def _lines() -> list[tuple[Path, int, str]]:
    found: list[tuple[Path, int, str]] = []
    for path in tracked_files():
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        found += [(path, number, line) for number, line in enumerate(text.splitlines(), start=1)]
    return found


def test_the_locks_hold_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text, name
        entries = re.findall(r"^[a-z0-9][^=\s]*==(?:.*\\\n)+.*$", text, flags=re.MULTILINE)
        assert len(entries) == len(_pins(name)), f"{name}: an entry without hashes"


def test_the_development_lock_holds_exactly_what_the_service_runs_with() -> None:
    assert _pins("requirements.lock").items() <= _pins("requirements-dev.lock").items()


def _pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9][^=\s]*)==([^\s\\]+)", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE))
