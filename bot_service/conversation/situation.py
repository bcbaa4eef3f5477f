"""What a turn of the conversation is decided from, and what it decides: values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Literal
from uuid import UUID

from bot_service.clinical.record import Record

NO_EXERCISES = frozenset({"red_flag", "physio_first", "pause", "clinic_pause"})
"""While any of these holds, no exercises follow an answer. A `clinic_pause` is a pause that staff placed."""


@dataclass(frozen=True)
class Asked:
    """A question of ours, as far as an answer needs it. `withdrawn` when the patient has taken back what led to it."""

    id: UUID
    kind: str
    day: date | None = None
    slot: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    asked_again: int = 0
    is_open: bool = True
    withdrawn: bool = False


@dataclass(frozen=True)
class Answered:
    """A value recorded earlier that a correction may replace."""

    kind: str
    day: date
    slot: int | None
    score: int | None
    question_id: UUID | None


@dataclass(frozen=True)
class Told:
    """What the patient did: words, a tap (the question and the button's answer), an edit of earlier words, or some media."""

    text: str = ""
    tapped: Asked | None = None
    answer: str | None = None
    replied_to: Asked | None = None
    edited: tuple[Answered, ...] = ()
    is_edit: bool = False
    media: str | None = None
    started: bool = False


@dataclass(frozen=True)
class Situation:
    """Everything that a turn may look at. `open` holds the open questions, the youngest first.

    `at` is when the patient wrote, `today` their day then, and `day_is_over` says that it has ended before we could answer.
    `safety_told` are the tiers whose full text was sent today; `red_flag` is the tier of the open case, or `suicide`; `last` is the
    latest value recorded in the last day; `ever_agreed` matters to somebody who stopped; `media_just_came` says that the last photo or
    the like was thanked for a moment ago; `offers` are the ids of the offers that hold at this moment; `paused_until` is the first day
    after the pauses in force, None when that is open; `planned_pause` is the next pause of the patient's own that has not begun, from its
    first day to the day on which messages start again; `changes_on` is the day of the first exercises of a plan of which the patient has
    not been told, while `record` has the one that they know; `measured` is a value of an outcome measure that was given in the last day
    and after `last`; `refused` says that somebody said no to the question whether they agree, not STOP;
    `followed` are the slots of today whose exercises were shown already after a prompt that asked something else first.
    """

    today: date
    status: str
    language: str
    open: tuple[Asked, ...] = ()
    last: Answered | None = None
    record: Record | None = None
    baseline_known: bool = True
    safety_told: frozenset[str] = frozenset()
    red_flag: str | None = None
    held: frozenset[str] = frozenset()
    day_is_over: bool = False
    ever_agreed: bool = True
    media_just_came: bool = False
    offers: frozenset[UUID] = frozenset()
    paused_until: date | None = None
    planned_pause: tuple[date, date] | None = None
    changes_on: date | None = None
    measured: Answered | None = None
    refused: bool = False
    followed: frozenset[int] = frozenset()
    at: datetime | None = None


@dataclass(frozen=True)
class Line:
    """One sentence or block of a message: a key of the catalogue and its values."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """A question that the message opens, or asks `again` without opening another."""

    kind: str
    day: date | None = None
    slot: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    again: UUID | None = None


@dataclass(frozen=True)
class Keep:
    """Record a value; a value for the same kind, day and slot is superseded."""

    kind: str
    day: date
    slot: int | None = None
    score: int | None = None
    outcome: str | None = None
    note: str | None = None
    confirmed: bool = True
    question_id: UUID | None = None


@dataclass(frozen=True)
class Close:
    """A question has its answer, or lost its point."""

    question_id: UUID
    why: str = "answered"


@dataclass(frozen=True)
class CountAgain:
    """A question was asked again."""

    question_id: UUID


@dataclass(frozen=True)
class RedFlagged:
    """Red-flag words, or *One of these*: open or add to the case, and hold prompts as the tier says."""

    tier: Literal["EMERGENCY", "URGENT", "PROMPT"]
    family: str
    words: str


@dataclass(frozen=True)
class ForPhysio:
    """Something for a person to read: X2 (unreadable) or X3 (a message to the physio).

    `tell_when_read` for what the patient was promised would be read; `same_day` for what they said is wrong, which may not wait;
    `media` is its kind when it is no words at all.
    """

    rule: Literal["X2", "X3"]
    words: str
    tell_when_read: bool = False
    same_day: bool = False
    media: str | None = None


@dataclass(frozen=True)
class AskedErasure:
    """The patient asked in these words for what is kept about them to be erased: the clinic's to answer."""

    words: str


@dataclass(frozen=True)
class OptIn:
    """The patient agreed."""


@dataclass(frozen=True)
class OptOut:
    """The patient wants no more messages; `declined` when it never began."""

    declined: bool = False


@dataclass(frozen=True)
class SetBaseline:
    """The usual pain before loading, 0-10, in the patient's own words."""

    score: int


@dataclass(frozen=True)
class PauseUntil:
    """Pause until (not including) a day, from today or from a later day `first`."""

    day: date
    first: date | None = None


@dataclass(frozen=True)
class Resume:
    """End a pause of the patient's that is in force, and those that are `planned` too."""

    planned: bool = False


@dataclass(frozen=True)
class ChangeTime:
    """Prompt at another local time: the exercises that come at `was`, or the day's first."""

    at: time
    was: time | None = None


@dataclass(frozen=True)
class Seen:
    """The patient said whether somebody saw them about the red flag; `unasked` when in their own words, which are about the latest one."""

    yes: bool
    unasked: bool = False


@dataclass(frozen=True)
class Measured:
    """A value of an outcome measure, for the day on which it was asked: `function` of the activity in that slot, or `global_change`.

    A value that the patient gave before for the same day is superseded.
    """

    kind: Literal["function", "global_change"]
    day: date
    slot: int | None
    value: int


@dataclass(frozen=True)
class Named:
    """An activity in the patient's words; no words take back the one that was named in that slot on that day."""

    day: date
    slot: int
    words: str


@dataclass(frozen=True)
class AnswerOffer:
    """The patient takes the next rung that was offered, or not yet."""

    offer_id: UUID
    accepted: bool


Effect = (
    Keep
    | Close
    | CountAgain
    | RedFlagged
    | ForPhysio
    | AskedErasure
    | OptIn
    | OptOut
    | SetBaseline
    | PauseUntil
    | Resume
    | ChangeTime
    | Seen
    | AnswerOffer
    | Measured
    | Named
)


@dataclass(frozen=True)
class Turn:
    """What to do and what to say. `change` offers to correct the answer to that question; `unread` counts as asked again."""

    effects: tuple[Effect, ...] = ()
    lines: tuple[Line, ...] = ()
    ask: Ask | None = None
    change: UUID | None = None
    read: bool = True
    safety: bool = False
