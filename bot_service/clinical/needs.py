"""What a patient needs of the team, the most pressing first: the order in which everybody is listed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from bot_service.clinical.catalogue import ENGAGEMENT, RED_FLAG, UNREACHABLE, rank
from bot_service.clinical.in_words import plural, sentence


class Need(IntEnum):
    """The order of the caseload."""

    RED_FLAG = 0
    FLAG = 1
    STEP = 2
    UNREACHABLE = 3
    SILENT = 4
    LOW = 5
    WAITING = 6
    ON_TRACK = 7
    AWAY = 8


WANTS_SOMEBODY = frozenset({Need.RED_FLAG, Need.FLAG, Need.STEP, Need.UNREACHABLE, Need.SILENT, Need.LOW})


def needs_in_words(today: int, steps: int, later: int) -> str:
    """3 patients need you today; 2 are ready for a step. Says so when there is nothing to do."""
    parts = [f"{plural(today, 'patient')} {'needs' if today == 1 else 'need'} you today"] if today else []
    parts += [f"{steps} {'is' if steps == 1 else 'are'} ready for a step"] if steps else []
    parts += [f"{later if parts else plural(later, 'patient')} can wait for a later day"] if later else []
    if not parts:
        return "Nothing needs you today."
    return sentence("; ".join(parts)) if today else sentence("nothing is due today; " + "; ".join(parts))


def leading_of(case_key: str, rule: str, reasons: Mapping[str, Mapping[str, object]]) -> str:
    """The rule that a case leads with: on the engagement case the most pressing of those that still hold."""
    if case_key != ENGAGEMENT:
        return rule
    return min(reasons, key=lambda each: ("over" in reasons[each], rank(each)), default=rule)


def need_of_case(case_key: str, leading: str, urgency: str) -> Need:
    """What an open case asks for, by its key and the rule it leads with. `storage/pressing.py` says the same to the database."""
    if case_key == RED_FLAG:
        return Need.RED_FLAG
    if case_key == UNREACHABLE:
        return Need.UNREACHABLE
    if case_key != ENGAGEMENT:
        return Need.FLAG
    if leading == "D5":
        return Need.SILENT
    # "Pain is in the way" is about pain, whatever the figures are.
    return Need.FLAG if urgency != "routine" else Need.LOW
