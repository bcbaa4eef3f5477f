"""No reading changes unseen: every kept sentence is read, in all its parts, as it was when it was kept."""

from __future__ import annotations

from tests.conversation.kept_readings import kept, read_now


def test_every_kept_sentence_is_read_as_it_was() -> None:
    """A change meant to be one: `python -m tests.conversation.kept_readings`, and judge each line of the diff."""
    assert [(row, now) for row in kept() if (now := read_now(row)) != row["read"]] == []
