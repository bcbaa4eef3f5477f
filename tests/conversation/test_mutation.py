"""The tests notice mistakes in the reader and in the red-flag screen: a sample of mutants, always the same one."""

from __future__ import annotations

from benchmarks.mutants import mutants_of
from benchmarks.mutation import measure

SAMPLE, SEED, LEAST = 40, 3, 0.75  # 87 of 100 drawn at random: a small sample may be unlucky


def test_most_mutants_of_a_sample_are_noticed() -> None:
    """All of them: `python -m benchmarks.mutation`, as `docs/understanding.md` shows it."""
    result = measure(SAMPLE, SEED)
    assert result.planted == SAMPLE
    assert result.killed >= LEAST, result.survivors


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
