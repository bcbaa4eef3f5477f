"""What a person takes a message to ask: known by the catalogue's own sentences, so that it follows when they are worded anew."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from string import Template
from typing import Literal

from bot_service.conversation.wording import Catalogue, load_catalogue

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

ASKED_BY: Mapping[Asked, str] = {
    "consent": "consent_question consent_again again_consent",
    "usual_pain": "ask_baseline again_baseline change_baseline",
    "exercises": "when_done again_session change_session",
    "nudge": "nudge",
    "session_pain": "ask_session_pain again_session_pain change_session_pain",
    "next_day": "ask_24h ask_24h_at again_pain_24h change_pain_24h",
    "safety": "safety_question again_safety then_24h then_24h_at",
    "what_is_wrong": "what_is_wrong safety_which",
    "reason": "ask_reason again_reason",
    "new_or_worse": "new_or_worse again_new_or_worse",
    "seen": "ask_seen again_seen ask_talked again_talked",
    "confirm": "confirm_pause confirm_pause_from confirm_time confirm_time_one confirm_not_done "
    "ask_cancel_pause again_cancel_pause again_confirm_pause again_confirm_time again_confirm_not_done",
    "next_step": "rung_offer rung_offer_new run_offer again_rung",
    "how_long": "pause_how_long pause_how_long_from again_pause_days",
    "what_time": "time_which time_half again_which_time",
    "which": "which again_which",
    "activity": "ask_activity again_activity change_activity",
    "another": "ask_another again_another",
    "function": "ask_function again_function change_function",
    "changed": "ask_global_change again_global_change change_global_change",
}
"""The sentences that ask each thing, by their keys in the catalogue. Of sentences that are worded alike the first counts."""
_IN_WORDS = ("what_is_wrong", "what_time")


def english() -> Catalogue:
    """The language of the simulated people."""
    return load_catalogue("en")


def what_is_asked(text: str, labels: tuple[str, ...]) -> Asked:
    """The one thing that a person would answer: what is asked last. Without buttons only what wants words is a question."""
    found: Asked = "nothing"
    last = -1
    for asked, keys in ASKED_BY.items():
        for key in keys.split():
            ends = max((match.end() for match in _sentence(english().texts[key]).finditer(text)), default=-1)
            if ends > last:
                found, last = asked, ends
    return found if labels or found in _IN_WORDS else "nothing"


def says(text: str, keys: Iterable[str]) -> bool:
    """Whether one of these sentences of the catalogue stands in a message, whatever was filled in."""
    return any(_sentence(english().texts[key]).search(text) for key in keys)


def is_button(label: str, key: str) -> bool:
    """Whether a label is this button of the catalogue, whatever was filled in."""
    return _sentence(english().buttons[key]).fullmatch(label) is not None


@cache
def _sentence(template: str) -> re.Pattern[str]:
    """A sentence of the catalogue with anything in the place of its names, as whole paragraphs of a message."""
    name = re.compile(Template.pattern)
    literal = name.split(template.strip())[:: name.groups + 1]  # what stands between the names; a split gives the groups as well
    return re.compile(rf"(?:(?<=\n\n)|\A){'.+?'.join(map(re.escape, literal))}(?=\n\n|\Z)")
