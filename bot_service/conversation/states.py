"""The questions we ask, as data: how each is answered by button and by word, and how long it stays open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from bot_service.conversation.parsing import Question as ReadAs

SCORES = tuple(str(score) for score in range(11))
WRONG = "wrong"
CHANGE = "change"


@dataclass(frozen=True)
class Kind:
    """One kind of question. `rows` are the answers that its buttons send; `read_as` tells the reader what was asked."""

    name: str
    rows: tuple[tuple[str, ...], ...]
    read_as: ReadAs | None
    open_for: timedelta
    scored: bool = False


_SCALE = (SCORES[:6], SCORES[6:])
_DAY_AND_A_BIT = timedelta(hours=30)
_A_WEEK = timedelta(days=7)
_WEEKS = timedelta(days=60)
CHANGES = MappingProxyType({"much_better": 3, "better": 2, "bit_better": 1, "same": 0, "bit_worse": -1, "worse": -2, "much_worse": -3})
"""What each answer to "how has it changed since you began" counts."""
_BETTER_TO_WORSE = (("much_better", "better"), ("bit_better", "same", "bit_worse"), ("worse", "much_worse"))
MEASURED = ("activity", "another", "function", "global_change")
"""Questions of the outcome measures, asked once in some weeks (`clinical.md` 0.16)."""

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("consent", (("yes", "no"),), "did_you_exercise", _WEEKS),
        Kind("baseline", _SCALE, "usual_pain", _WEEKS, scored=True),
        Kind("session", (*_SCALE, ("some", "not_today"), ("how", WRONG)), "did_you_exercise", _DAY_AND_A_BIT, scored=True),
        Kind("session_pain", (*_SCALE, (WRONG,)), "session_pain", _DAY_AND_A_BIT, scored=True),
        Kind("pain_24h", (*_SCALE, (WRONG,)), "next_day_pain", timedelta(hours=20), scored=True),
        Kind("safety", (("none", "one_of_these"),), "did_you_exercise", timedelta(days=3)),
        Kind("new_or_worse", (("yes", "no"),), "did_you_exercise", timedelta(days=3)),
        Kind("seen", (("yes", "no"),), "did_you_exercise", timedelta(days=3)),
        Kind("reason", (("pain", "forgot", "time"), ("unsure", "unwell", "other")), None, timedelta(days=2)),
        Kind("what_is_wrong", (), None, timedelta(hours=12)),
        Kind("pause_days", (("days_3", "days_7", "days_14"),), None, timedelta(days=1)),
        Kind("confirm_pause", (("yes", "no"),), "did_you_exercise", timedelta(days=1)),
        Kind("cancel_pause", (("yes", "no"),), "did_you_exercise", timedelta(days=1)),
        Kind("confirm_time", (("yes", "no"),), "did_you_exercise", timedelta(days=1)),
        Kind("confirm_not_done", (("yes", "no"),), "did_you_exercise", timedelta(days=1)),
        Kind("rung", (("yes", "not_yet"),), "did_you_exercise", timedelta(days=7)),
        Kind("which", (), None, timedelta(hours=12)),
        Kind("activity", (("not_now",),), None, _A_WEEK),
        Kind("another", (("that_is_all",),), None, _A_WEEK),
        Kind("function", (*_SCALE, ("not_now",)), "session_pain", _A_WEEK),
        Kind("global_change", (*_BETTER_TO_WORSE, ("not_now",)), None, _A_WEEK),
        Kind("which_time", (("not_now",),), None, timedelta(days=1)),
    )
}

FAR_OFF = timedelta(days=90)
"""A day further away than that is named with its year, and a pause that begins then is never taken as said (default)."""
ASK_AGAIN_AT_MOST = 2
"""After that many unreadable answers the words go to the physio (default, `clinical.md` section 9)."""
