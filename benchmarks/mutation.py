"""Whether the tests notice mistakes in the reader of replies and in the red-flag screen: the share of mutants they fail for.

python -m benchmarks.mutation [--sample N] [--seed N] [--only WORD] [--json]

Mutants run in this process, one at a time: a mutant's code is put into the loaded modules, the checks that run it are tried until one
fails, and the code is put back.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from types import FrameType
from typing import Any, NamedTuple

from benchmarks.mutants import mutants_of
from benchmarks.planting import MODULES, plant, runs_at_loading, source_of
from tests.clinical import test_words
from tests.conversation.checks import Check, checks

_SECONDS, _SECONDS_WATCHED = 5, 60


class Survivor(NamedTuple):
    """A mistake that no test noticed."""

    where: str
    change: str


class Result(NamedTuple):
    """How many mutants there were, and which of them no test noticed."""

    planted: int
    survivors: list[Survivor]

    @property
    def killed(self) -> float:
        """The share that was noticed, 0-1."""
        return 1 - len(self.survivors) / self.planted if self.planted else 1.0


class TookTooLong(BaseException):
    """A mutant that does not come to an end, which is noticed too."""


def main() -> None:
    """Run them and print what survived."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sample", type=int, default=0, help="so many mutants, chosen by the seed (all of them)")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", default="", help="mutants of the modules whose name has this in it")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    result = measure(chosen.sample, chosen.seed, chosen.only)
    print(json.dumps(result._asdict(), indent=2) if chosen.json else table(result))


def measure(sample: int = 0, seed: int = 1, only: str = "") -> Result:
    """The mutants of the code, all or a sample of them. Raises AssertionError when a test fails without one."""
    some = sorted(_mutants(only), key=partial(_lot, seed))[: sample or None]
    tests = Tests(checks(), random.Random(seed), {function for _, (function, _), _ in some})
    return Result(len(some), [survivor for survivor, place, planted in some if not tests.notice(place, planted)])


def table(result: Result) -> str:
    """The share as a line, and the survivors below it."""
    noticed = result.planted - len(result.survivors)
    line = f"Mutants of the reader and the red-flag screen: {noticed} of {result.planted} noticed ({result.killed:.1%})."
    return "\n".join([line, *(f"- `{survivor.where}` {survivor.change}" for survivor in result.survivors)])


_Planted = Callable[[], Callable[[], None]]
_Place = tuple[str, frozenset[int]]
_Mutation = tuple[Survivor, _Place, _Planted]


def _lot(seed: int, mutation: _Mutation) -> bytes:
    """A mutant's place in the draw: its own, so that changed code changes only the mutants of that code in a sample."""
    survivor, (function, _), _ = mutation
    return sha256(f"{seed} {function} {survivor.change}".encode()).digest()


def _mutants(only: str) -> Iterator[_Mutation]:
    for name in MODULES:
        if only in name:
            for mutant in mutants_of(source_of(name)):
                where = Survivor(f"{name.rsplit('.', 1)[-1]}.py:{mutant.line}", f"{mutant.inside}: {mutant.change}")
                function = name if runs_at_loading(name, mutant) else f"{name}.{mutant.inside}"
                yield where, (function, frozenset(mutant.statement)), partial(plant, name, mutant)


class Tests:
    """Single checks with the lines that each of them runs, so that a mutant meets only those that run its statement."""

    def __init__(self, every: Sequence[Check], dice: random.Random, functions: Set[str]) -> None:
        shuffled = dice.sample(list(every), len(every))
        shuffled.sort(key=lambda check: test_words.__name__ != getattr(getattr(check, "func", None), "__module__", ""))
        self._calling: dict[str, list[tuple[Check, Set[int]]]] = {name: [(check, frozenset()) for check in shuffled] for name in MODULES}
        for check in shuffled:
            for function, lines in _lines_of(check, functions).items():
                self._calling.setdefault(function, []).append((check, lines))

    def notice(self, place: _Place, planted: _Planted) -> bool:
        """Whether some check fails; the one that did is tried first on the next mutant of the same function."""
        try:
            restore = planted()
        except Exception:  # noqa: BLE001 - whatever a mutant raises when it is loaded, it is noticed
            return True
        function, statement = place
        tried = self._calling.get(function, [])
        try:
            for at, (check, lines) in enumerate(tried):
                if (function in MODULES or lines & statement) and not _passes(check):
                    tried.insert(0, tried.pop(at))
                    return True
            return False
        finally:
            restore()


def _lines_of(check: Check, functions: Set[str]) -> dict[str, set[int]]:
    """The lines of some functions of the mutated modules that a check runs. Raises AssertionError when it fails by itself."""
    run: dict[str, set[int]] = {}

    def enter(frame: FrameType, _event: str, _argument: object) -> Any:
        name = frame.f_globals.get("__name__")
        function = f"{name}.{frame.f_code.co_qualname.split('.<locals>')[0]}" if name in MODULES else ""
        if function not in functions:
            return None
        lines = run.setdefault(function, set())

        def note(frame: FrameType, _event: str, _argument: object) -> Any:
            lines.add(frame.f_lineno)
            return note

        return note

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        passed = _passes(check, _SECONDS_WATCHED)
    finally:
        sys.settrace(before)
    if not passed:
        raise AssertionError(f"a check fails before anything is changed: {check}")
    return run


def _passes(check: Check, seconds: int = _SECONDS) -> bool:
    with _time_limit(seconds), suppress(Exception, TookTooLong):
        check()
        return True
    return False


@contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TookTooLong

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


if __name__ == "__main__":
    main()
