"""The tests notice mistakes in the reader and in the red-flag screen: a sample of mutants, always the same one."""

from __future__ import annotations

from pathlib import Path

from benchmarks.mutants import mutants_of
from benchmarks.mutation import measure
from benchmarks.planting import MODULES, source_of

SAMPLE, SEED, LEAST = 60, 3, 0.9
SURVIVORS = Path(__file__).parent.parent.parent / "docs" / "understanding-mutants.md"


def test_most_mutants_of_a_sample_are_noticed() -> None:
    """All of them: `python -m benchmarks.mutation`, as `docs/understanding.md` shows it."""
    result = measure(SAMPLE, SEED)
    assert result.planted == SAMPLE
    assert result.killed >= LEAST, result.survivors


def test_every_survivor_listed_is_still_a_mutant_of_the_code() -> None:
    listed = {
        line.removeprefix("- ``").removesuffix("``") for line in SURVIVORS.read_text(encoding="utf-8").splitlines() if line.startswith("- ")
    }
    mutants = {f"{name.rsplit('.', 1)[-1]}.py {one.inside}: {one.change}" for name in MODULES for one in mutants_of(source_of(name))}
    assert listed and listed - mutants == set()


def test_a_mutant_is_one_small_change() -> None:
    changes = {mutant.change for mutant in mutants_of("def f(a):\n    return a < 3 and not a\n")}
    assert changes == {
        "return a < 3 and (not a): None instead",
        "a < 3 and (not a): Or instead",
        "a < 3 and (not a): without 'a < 3'",
        "a < 3 and (not a): without 'not a'",
        "a < 3: LtE instead",
        "3: one more",
        "not a: without its sign",
    }
