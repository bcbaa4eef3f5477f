"""`stepwise understand`: the reader of replies on its own."""

from __future__ import annotations

import json
import sys

import click

from bot_service.conversation.parsing import Question, read


@click.command()
@click.option("--question", type=click.Choice(["did_you_exercise", "session_pain", "next_day_pain"]), required=True)
@click.option("--language", default="en", show_default=True)
def understand(question: Question, language: str) -> None:
    """Read one reply a line from standard input; print what was understood, one JSON object a line."""
    # Bytes, not text: whatever the terminal's encoding is, and a byte that is no UTF-8 must not stop the lines after it.
    for line in sys.stdin.buffer:
        text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "replace")
        click.echo(json.dumps({"text": text, "answer": read(text, question, language).answer}, ensure_ascii=False).encode())
