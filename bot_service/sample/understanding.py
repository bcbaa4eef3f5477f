"""What a person takes a message to ask, from nothing but its words and the labels of its buttons."""

from __future__ import annotations

from typing import Literal

Asked = Literal[
    "nothing",
    "consent",
    "usual_pain",
    "exercises",
    "nudge",
    "session_pain",
    "next_day",
    "safety",
    "what_is_wrong",
    "reason",
    "new_or_worse",
    "seen",
    "confirm",
    "next_step",
    "how_long",
    "what_time",
    "which",
    "activity",
    "another",
    "function",
    "changed",
]

_BY_WORDS: tuple[tuple[str, Asked], ...] = (
    ("do you agree", "consent"),
    ("would you like to get your exercise reminders", "consent"),
    ("were you seen", "seen"),
    ("been able to talk to somebody", "seen"),
    ("is this new", "new_or_worse"),
    ("shall we pause", "confirm"),
    ("shall we send", "confirm"),
    ("would you like to try it", "next_step"),
    ("would you like to try the next step", "next_step"),
    ("for how long", "how_long"),
    ("at what time", "what_time"),
    ("what is wrong", "what_is_wrong"),
    ("please write which one", "what_is_wrong"),
    ("any of these:", "safety"),
    ("what got in the way", "reason"),
    ("what is hard for you", "activity"),
    ("is there another thing", "another"),
    ("how well can you do", "function"),
    ("compared with the day you began", "changed"),
)


def what_is_asked(text: str, labels: tuple[str, ...]) -> Asked:
    """The one thing that a person would answer."""
    words = text.lower()
    if "is the " in words and " for:" in words and labels:
        return "which"
    for part, asked in _BY_WORDS:
        if part in words:
            return asked
    if "10" not in labels:
        return "nothing"
    if any(label.lower() == "did some" for label in labels):
        return "nudge" if words.startswith("no answer yet") else "exercises"
    if "usual pain" in words:
        return "usual_pain"
    return "session_pain" if "worst pain" in words else "next_day"


def is_asked_again(text: str) -> bool:
    """Whether the service could not read what was written."""
    return text.lower().startswith("sorry, i could not read")
