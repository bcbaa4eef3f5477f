"""Actions and storage are tested on both databases; a file in which some tests use SQLite alone says why, and how many."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ALONE = {"sqlite_clinic", "sqlite_db", "sqlite_there", "here", "ready"}
"""Fixtures with a database of one kind."""
VARIANTS = "further words, times and orders of what tests beside them store on both, where a second database would double the time"
COPIED = "a life of two weeks, played once and copied as a file before each test"
ZONES = "hundreds of local times through the same two statements, which the prompting tests run on both"
OF_SQLITE = "what is tested is SQLite itself, or a file of it"
REASONS = {
    "actions/test_assess.py": (4, COPIED),
    "actions/test_check_ins.py": (14, VARIANTS),
    "actions/test_clock_changes.py": (1, ZONES),
    "actions/test_delivering.py": (1, VARIANTS),
    "actions/test_digests.py": (10, VARIANTS),
    "actions/test_edits.py": (2, VARIANTS),
    "actions/test_enrol.py": (6, VARIANTS),
    "actions/test_escalating.py": (4, VARIANTS),
    "actions/test_evening_sessions.py": (1, VARIANTS),
    "actions/test_importing.py": (11, VARIANTS),
    "actions/test_measures_asked.py": (11, VARIANTS),
    "actions/test_notices.py": (9, VARIANTS),
    "actions/test_outcomes.py": (3, VARIANTS),
    "actions/test_preparing_properties.py": (1, VARIANTS),
    "actions/test_prompting.py": (1, VARIANTS),
    "actions/test_read_and_media.py": (5, VARIANTS),
    "actions/test_receive.py": (21, VARIANTS),
    "actions/test_receive_safety.py": (22, VARIANTS),
    "actions/test_review.py": (19, COPIED),
    "actions/test_severe_numbers.py": (20, VARIANTS),
    "actions/test_spreading.py": (2, VARIANTS),
    "actions/test_staff_chats.py": (5, VARIANTS),
    "actions/test_stopping_properties.py": (1, VARIANTS),
    "actions/test_two_clinics.py": (2, VARIANTS),
    "actions/test_under_a_red_flag.py": (2, VARIANTS),
    "actions/test_withheld.py": (2, VARIANTS),
    "storage/test_database.py": (4, OF_SQLITE),
    "storage/test_inbox.py": (2, VARIANTS),
    "storage/test_people.py": (1, VARIANTS),
    "storage/test_prepared.py": (2, VARIANTS),
    "storage/test_rates.py": (1, VARIANTS),
    "storage/test_sealing.py": (1, VARIANTS),
}
FILES = sorted(str(path.relative_to(ROOT)) for folder in ("actions", "storage") for path in (ROOT / folder).glob("test_*.py"))


@pytest.mark.parametrize("name", FILES)
def test_a_file_uses_sqlite_alone_no_more_often_than_it_says(name: str) -> None:
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    tests = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")]
    alone = [node.name for node in tests if ALONE & {each.arg for each in node.args.args}]
    allowed, why = REASONS.get(name, (0, "every test of the file runs on both"))
    assert len(alone) <= allowed, f"{why}; a new test belongs on both: {alone}"


def test_no_reason_is_left_of_a_file_that_has_gone() -> None:
    assert set(REASONS) <= set(FILES)
