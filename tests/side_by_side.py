"""All the tests in two runs side by side, for a machine with two cores: each half's own output, then one closing line for both."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bot_service.clock import monotonic

ROOT = Path(__file__).resolve().parents[1]
FIRST_HALF = ("actions", "acceptance", "browser", "channels", "clinical", "storage", "migrations")
"""Folders of the first half; the second takes all the rest, so that no test can be in neither."""
_COUNT = re.compile(r"(\d+) (failed|errors?|passed|skipped|deselected|xfailed|xpassed|warnings?)")
_ORDER = ("failed", "error", "errors", "passed", "skipped", "deselected", "xfailed", "xpassed", "warning", "warnings")


def closing_line(lines: Sequence[str], seconds: float) -> str:
    """The runner's closing line for several runs together, from theirs."""
    total: Counter[str] = Counter()
    for line in lines:
        total.update({what: int(number) for number, what in _COUNT.findall(line)})
    counts = ", ".join(f"{total[what]} {what}" for what in _ORDER if total[what]) or "no tests ran"
    return f"{f' {counts} in {seconds:.2f}s ':=^80}"


def main(options: Sequence[str], folders: Sequence[str] = FIRST_HALF) -> int:
    """Run both halves; 0 when both passed, else the exit code of one that did not."""
    first = [f"tests/{folder}" for folder in folders]
    halves = [first, ["tests", *(f"--ignore={path}" for path in first)]]
    began = monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Path(folder) / name for name in ("first", "second")]
        running = []
        for paths, output in zip(halves, outputs, strict=True):
            with output.open("w") as written:
                command = [sys.executable, "-m", "pytest", *options, *paths]
                running.append(subprocess.Popen(command, cwd=ROOT, stdout=written, stderr=subprocess.STDOUT))
        codes = [each.wait() for each in running]
        texts = [output.read_text(encoding="utf-8", errors="replace").rstrip() for output in outputs]
    sys.stdout.write("\n".join(texts) + "\n")
    sys.stdout.write(closing_line([text.rpartition("\n")[2] for text in texts], monotonic() - began) + "\n")
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
