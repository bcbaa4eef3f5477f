"""Two halves of the tests are told as one: counts add up, and what failed or was left out in either is said."""

from __future__ import annotations

import pytest

from tests.side_by_side import FIRST_HALF, ROOT, closing_line, main


@pytest.mark.parametrize(
    ("lines", "said"),
    [  # closing lines of runs that never were: "skipped" is a word to add up, no test is left out
        (["== 3 passed in 1.00s ==", "== 4 passed in 2.00s (0:00:02) =="], "7 passed in 3.00s"),
        (["== 1 failed, 3 passed in 1.00s ==", "== 4 passed, 2 skipped in 2.00s =="], "1 failed, 7 passed, 2 skipped in 3.00s"),
        (["== 3 passed in 1.00s ==", "Killed"], "3 passed in 3.00s"),
        (["== 2 errors in 1.00s ==", "== no tests ran in 0.01s =="], "2 errors in 3.00s"),
    ],
)
def test_the_closing_line_adds_up(lines: list[str], said: str) -> None:
    assert closing_line(lines, 3.0).strip("= ") == said


def test_the_first_half_is_folders_that_are_there() -> None:
    assert all((ROOT / "tests" / folder).is_dir() for folder in FIRST_HALF)


def test_what_cannot_run_fails_the_whole(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-such-option"]) != 0
    told = capfd.readouterr().out.splitlines()
    assert {line[:2] for line in told if "unrecognized arguments" in line} == {"1|", "2|"}, "each half tells its own"
    assert "no tests ran" in told[-1]
