"""Texts as WhatsApp takes them: free messages show no buttons, so the answers are named in words, and long texts go in parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from string import Template
from urllib.parse import quote

from bot_service.messages import Button, Outbound

Rows = Sequence[Sequence[Button]]

LONGEST_TEXT = 1600
"""Twilio's limit for a body; WhatsApp's own is higher (21617, channels.md 1B)."""
LONGEST_QUESTION, LONGEST_LABEL, MOST_BUTTONS = 1024, 20, 3
"""What a message with buttons may hold within the service window, where it needs no approval (channels.md 1B)."""
SHORTEST_VALIDITY_S, LONGEST_VALIDITY_S = 10, 36_000
_CHANGE = ":change"
_BARE = {"numbers": "${low}–${high}", "both": "${low}–${high} · ${words}", "words": "${words}", "correct": ""}
"""How the answers are named when a message came without its language's hints: without a word of any language."""


@dataclass(frozen=True)
class Step:
    """One message of WhatsApp's: its text and, when it has buttons, the content that shows them with the values it needs.

    `in_words` is the text with the answers named, for when the buttons are refused.
    """

    text: str
    content_sid: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    in_words: str = ""


def in_steps(outbound: Outbound, find_content: Callable[[str], str | None]) -> list[Step]:
    """The messages that a free message takes. `find_content` gives the content for a number of buttons (`buttons2`), or None.

    A few answers in words become buttons under the last paragraph: a variable may hold no line break. Everything else is named in words.
    A `plain` message is only the last of them, in words: those before it had been taken when its buttons were refused.
    """
    steps = _all_steps(outbound, find_content)
    return [Step(steps[-1].in_words or steps[-1].text)] if outbound.plain else steps


def _all_steps(outbound: Outbound, find_content: Callable[[str], str | None]) -> list[Step]:
    buttons = [button for row in outbound.rows for button in row]
    content_sid = find_content(f"buttons{len(buttons)}") if 1 <= len(buttons) <= MOST_BUTTONS else None
    before, _, last = sendable(outbound.text).rstrip().rpartition("\n\n")
    question = " ".join(last.split())
    too_long = _units(question) > LONGEST_QUESTION or any(_units(button.label) > LONGEST_LABEL for button in buttons)
    if content_sid is None or too_long or not question or any(_is_number(button.label) for button in buttons):
        return [Step(part) for part in split_text(with_choices(outbound.text, outbound.rows, outbound.hints))]
    cells = [cell for button in buttons for cell in (button.label, button.data)]
    values = {str(number): cell for number, cell in enumerate([question, *cells], start=1)}
    return [
        *(Step(part) for part in split_text(before) if part),
        Step(question, content_sid, values, with_choices(question, outbound.rows, outbound.hints)),
    ]


def with_choices(text: str, rows: Rows, hints: Mapping[str, str] = _BARE) -> str:
    """The text with its answers named: what the buttons would have said, ready to be typed."""
    said = hints or _BARE
    buttons = [button for row in rows for button in row]
    labels = [button.label for button in buttons if not button.data.endswith(_CHANGE)]
    numbers = [int(label) for label in labels if _is_number(label)]
    words = " · ".join(label for label in labels if not _is_number(label))
    blocks = [text]
    if numbers:
        hint = said["both" if words else "numbers"]
        blocks.append(Template(hint).substitute(low=min(numbers), high=max(numbers), words=words))
    elif words:
        blocks.append(Template(said["words"]).substitute(words=words))
    if len(labels) < len(buttons):
        blocks.append(said["correct"])
    return "\n\n".join(block for block in blocks if block)


def split_text(text: str) -> list[str]:
    """The text in parts that Twilio takes, cut between paragraphs if that is possible, else between lines, words, characters."""
    rest, parts = sendable(text), []
    while _units(rest) > LONGEST_TEXT:
        room = rest.encode("utf-16-le")[: LONGEST_TEXT * 2].decode("utf-16-le", "ignore")
        cut = next((at for border in ("\n\n", "\n", " ") if (at := room.rfind(border)) > 0), len(room))
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [part for part in [*parts, rest] if part] or [rest]


def content_fields(content_sid: str, values: Mapping[str, str]) -> dict[str, str]:
    """What names a content and fills it in."""
    return {"content_sid": content_sid} | ({"content_variables": json.dumps(dict(values))} if values else {})


def validity_s(left: timedelta) -> int:
    """For how long Twilio may keep a message waiting, in seconds, within what it takes."""
    return max(SHORTEST_VALIDITY_S, min(LONGEST_VALIDITY_S, int(left.total_seconds())))


def sendable(text: str) -> str:
    """The text without what nothing can carry: NUL and halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def invitation_link(number: str, code: str) -> str:
    """A link that opens WhatsApp with the words that enrol somebody, ready to be sent to `number` (E.164)."""
    return f"https://wa.me/{number.removeprefix('+')}?text={quote(f'Start {code}')}"


def _is_number(label: str) -> bool:
    return label.isascii() and label.isdigit()


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
