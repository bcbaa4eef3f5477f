"""`stepwise understand` keeps its contract on whatever comes down the pipe: one object per line, and never a crash."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.running import Shell
from tests.patience import PATIENT_S
from tests.source_tree import ROOT

WORDS = {"none", "ambiguous", "skip", "yes", "partly", "no", "stop", "start", "pause", "help", "red_flag"}


def answers(shell: Shell, lines: bytes, question: str = "session_pain", *more: str) -> list[dict[str, object]]:
    result = shell.pipe(lines, "understand", "--question", question, *more)
    assert (result.code, result.err) == (0, "")
    return [json.loads(line) for line in result.out.splitlines()]


def test_one_object_per_line_empty_ones_included(shell: Shell) -> None:
    assert answers(shell, b"3\n\ndone, 4\r\nSTOP\n   \nI can't feel my legs\nno newline: 7") == [
        {"text": "3", "answer": 3},
        {"text": "", "answer": "none"},
        {"text": "done, 4", "answer": 4},
        {"text": "STOP", "answer": "stop"},
        {"text": "   ", "answer": "none"},
        {"text": "I can't feel my legs", "answer": "red_flag"},
        {"text": "no newline: 7", "answer": 7},
    ]
    assert answers(shell, b"") == []


def test_bytes_that_are_no_text_do_not_stop_the_lines_after_them(shell: Shell) -> None:
    found = answers(
        shell, b"\xff\xfe\n\xc3(\n\x00\n\x1b[31m4\nfive\n" + "٣\n".encode() + "\ud83d".encode("utf-16-le", "surrogatepass") + b"\n3\n"
    )
    assert len(found) == 8
    assert found[4] == {"text": "five", "answer": 5} and found[5] == {"text": "٣", "answer": 3} and found[7] == {"text": "3", "answer": 3}


@pytest.mark.parametrize(
    ("question", "line", "answer"),
    [
        ("did_you_exercise", "done, 4", "yes"),
        ("did_you_exercise", "did some", "partly"),
        ("did_you_exercise", "not today", "no"),
        ("session_pain", "didn't do them", "skip"),
        ("next_day_pain", "2", 2),
        ("next_day_pain", "can you change the time?", "help"),
        ("session_pain", "pause 3 days", "pause"),
        ("session_pain", "start", "start"),
    ],
)
def test_the_answer_is_one_of_the_contracts(shell: Shell, question: str, line: str, answer: object) -> None:
    assert answers(shell, line.encode(), question) == [{"text": line, "answer": answer}]


@pytest.mark.parametrize("language", ["es", "pl", "ar", "hi", "en-GB", "tlh", ""])
def test_any_language_reads_digits_and_knows_every_stop(shell: Shell, language: str) -> None:
    found = answers(shell, "4\nSTOP\nARRÊT\nwhatever\n".encode(), "session_pain", "--language", language)
    assert [each["answer"] for each in found[:2]] == [4, "stop"]
    assert all(isinstance(each["answer"], int) or each["answer"] in WORDS for each in found)


def test_a_closed_pipe_is_no_traceback() -> None:
    program = f"yes 3 | {sys.executable} -m bot_service understand --question session_pain | head -1"
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=PATIENT_S, check=False)
    assert json.loads(done.stdout) == {"text": "3", "answer": 3}
    assert "Traceback" not in done.stderr
