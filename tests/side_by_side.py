"""All the tests in two runs side by side, for a machine with two cores: each line as it comes, then one closing line for both."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bot_service.clock import monotonic

ROOT = Path(__file__).resolve().parents[1]
FIRST_HALF = ("actions", "acceptance", "browser", "channels", "clinical", "conversation", "storage", "migrations")
"""Folders of the first half; the second takes all the rest, so that no test can be in neither."""
# The words of pytest's own closing line. Nothing is skipped by them: in CI a skip fails the run (tests/no_skips.py).
_COUNT = re.compile(r"(\d+) (failed|errors?|passed|skipped|deselected|xfailed|xpassed|warnings?)")
_ORDER = ("failed", "error", "errors", "passed", "skipped", "deselected", "xfailed", "xpassed", "warning", "warnings")


def closing_line(lines: Sequence[str], seconds: float) -> str:
    """The runner's closing line for several runs together, from theirs."""
    total: Counter[str] = Counter()
    for line in lines:
        total.update({what: int(number) for number, what in _COUNT.findall(line)})
    counts = ", ".join(f"{total[what]} {what}" for what in _ORDER if total[what]) or "no tests ran"
    return f"{f' {counts} in {seconds:.2f}s ':=^80}"


def _tell(number: int, half: subprocess.Popen[str], kept: list[str]) -> None:
    """Each line of a half as it comes, so that a long run is seen to go on."""
    assert half.stdout is not None
    with half.stdout as lines:
        for line in lines:
            kept.append(line.rstrip())
            sys.stdout.write(f"{number}| {kept[-1]}\n")
            sys.stdout.flush()


def main(options: Sequence[str], folders: Sequence[str] = FIRST_HALF) -> int:
    """Run both halves; 0 when both passed, else the exit code of one that did not."""
    first = [f"tests/{folder}" for folder in folders]
    halves = [first, ["tests", *(f"--ignore={path}" for path in first)]]
    began = monotonic()
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *paths],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        for paths in halves
    ]
    said: list[list[str]] = [[] for _ in halves]
    telling = [threading.Thread(target=_tell, args=(n, half, said[n - 1]), daemon=True) for n, half in enumerate(running, start=1)]
    for each in telling:
        each.start()
    codes = [half.wait() for half in running]
    for each in telling:
        each.join(timeout=10)  # what a test left running may keep the line open for ever
    sys.stdout.write(closing_line([lines[-1] if lines else "" for lines in said], monotonic() - began) + "\n")
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
