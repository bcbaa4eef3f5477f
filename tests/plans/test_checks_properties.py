"""Whatever is deleted from a plan file or written into it, the answer is a plan or a list of sentences, never a crash."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator
from datetime import date, time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plans.checks import PlanErrors, examine, examine_tables
from plans.loading import LIBRARY
from plans.model import CarePlan, prescribe

TEXT = (LIBRARY / "proximal_hamstring_tendinopathy.toml").read_text(encoding="utf-8")
RAW = tomllib.loads(TEXT)
Path = tuple[str | int, ...]


def paths_of(value: object, above: Path = ()) -> Iterator[Path]:
    entries: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        entries = list(value.items())
    elif isinstance(value, list):
        entries = list(enumerate(value))
    for name, each in entries:
        yield (*above, name)
        yield from paths_of(each, (*above, name))


PATHS = sorted(paths_of(RAW), key=str)
LEAVES = st.one_of(
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.integers(-2, 12),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["E1", "E9", "mon", "A4_1", "{x}", "{", "24:00", "08:30", "", "é" * 1000, "default", "SEED"]),
    st.dates(date(1900, 1, 1)),
    st.times(),
    st.just(time(8, 30)),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["id", "number", "dose", "x", ""]), inner, max_size=3)
    ),
    max_leaves=4,
)


def changed(path: Path, value: object, *, delete: bool) -> dict[str, Any]:
    raw = copy.deepcopy(RAW)
    table: Any = raw
    for step in path[:-1]:
        table = table[step]
    if delete:
        del table[path[-1]]
    else:
        table[path[-1]] = value
    return raw


def said_of(tables: dict[str, Any] | str) -> CarePlan | list[str]:
    try:
        return examine(tables, "plan.toml") if isinstance(tables, str) else examine_tables(tables, "plan.toml")
    except PlanErrors as raised:
        return [error.sentence for error in raised.errors if error.file == "plan.toml" and error.key]


@given(path=st.sampled_from(PATHS))
def test_deleting_anything_gives_sentences_or_a_plan_that_can_be_prescribed(path: Path) -> None:
    said = said_of(changed(path, None, delete=True))
    if isinstance(said, CarePlan):
        assert all(prescribe(said, stage.id) for stage in said.stages)
    else:
        assert said
        assert not any("does not fit" in sentence for sentence in said)


@given(path=st.sampled_from(PATHS), value=VALUES)
def test_writing_anything_anywhere_gives_sentences_or_a_plan_that_can_be_prescribed(path: Path, value: object) -> None:
    said = said_of(changed(path, value, delete=False))
    if isinstance(said, CarePlan):
        assert all(prescribe(said, stage.id, plyometrics_unlocked=True) for stage in said.stages)
    else:
        assert said
        assert not any("does not fit" in sentence for sentence in said)


@given(start=st.integers(0, len(TEXT)), length=st.integers(0, 400), put=st.text(max_size=5))
def test_cutting_and_scribbling_in_the_text_never_raises_anything_else(start: int, length: int, put: str) -> None:
    assert said_of(TEXT[:start] + put + TEXT[start + length :])


@given(text=st.text(max_size=60))
def test_any_text_at_all_is_answered_with_sentences(text: str) -> None:
    assert said_of(text)
