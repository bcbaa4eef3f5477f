"""Whether a patient can be enrolled as asked: everything that does not fit, each with its field and what to do. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Literal

from bot_service.conversation.wording import SHIPPED
from plans.model import CarePlan, Slot, Weekday
from schedules.rhythm import WEEKDAYS, zone_named

LONGEST_NAME, LONGEST_GOALS, LONGEST_RECORD_NUMBER = 120, 600, 40
CHANNELS = {"telegram": "Telegram", "whatsapp": "WhatsApp", "simulator": "Simulated phone"}


@dataclass(frozen=True)
class Enrolment:
    """What the clinic knows and decides at enrolment.

    `language` is one that messages are shipped in; `answers` are the plan's eligibility questions by id; `phone` is E.164 and
    `record_number` the clinic's own number for the patient; `days` are those of the sessions with a message, the plan's when empty.
    """

    name: str
    zone: str
    language: str = "en"
    stage: str | None = None
    at: time | None = None
    baseline: int | None = None
    treated_side: Literal["left", "right", "both"] = "both"
    flare_plan_signed: bool = False
    rungs_preauthorised: bool = False
    own_prompt: frozenset[int] = frozenset()
    answers: Mapping[str, bool] = field(default_factory=dict)
    phone: str | None = None
    record_number: str | None = None
    channel: str | None = None
    goals: str = ""
    days: tuple[Weekday, ...] = ()


@dataclass(frozen=True)
class Problem:
    """What does not fit: the field (`answers.ID` for an eligibility question) and a sentence that says what to do."""

    field: str
    sentence: str


def problems(plan: CarePlan, enrolment: Enrolment) -> list[Problem]:
    """Everything that keeps this patient from being enrolled, in the order of the form; empty when nothing does."""
    return [Problem(name, sentence) for name, check in _CHECKS.items() if (sentence := check(plan, enrolment))] + [
        Problem(f"answers.{name}", sentence) for name, sentence in _exclusions(plan, enrolment)
    ]


def main_slots(plan: CarePlan, stage_id: str | None) -> tuple[Slot, ...]:
    """The sessions of the stage to begin with that the patient is messaged about."""
    stage = plan.stage(stage_id) if stage_id else plan.stages[0]
    return tuple(slot for slot in stage.slots if slot.prompted and not slot.locked)


def days_apart(days: tuple[str, ...]) -> int:
    """The shortest gap between two of these weekdays, week after week; 7 for a single one."""
    numbers = sorted({WEEKDAYS.index(day) for day in days})
    return min(((later - earlier - 1) % 7 + 1 for earlier, later in zip(numbers, numbers[1:] + numbers[:1], strict=True)), default=7)


def refusal(question: str, *, must_be: bool) -> str:
    """Why an answer keeps somebody out, for whoever enrols."""
    return f"this plan is not for this patient: {question} It asks for {'yes' if must_be else 'no'}; see the patient first"


def _exclusions(plan: CarePlan, enrolment: Enrolment) -> Iterator[tuple[str, str]]:
    for question in plan.eligibility:
        if question.id not in enrolment.answers:
            yield question.id, f"answer this first: {question.text}"
        elif enrolment.answers[question.id] is not question.must_be:
            yield question.id, refusal(question.text, must_be=question.must_be)


def _name(_: CarePlan, enrolment: Enrolment) -> str | None:
    name = enrolment.name.strip()
    if not name:
        return "a patient needs a name; enter it"
    if not name.isprintable() or not any(letter.isalpha() for letter in name):
        return "this is not a name; write it with letters, in one line"
    return f"a name has at most {LONGEST_NAME} characters; make it shorter" if len(name) > LONGEST_NAME else None


def _zone(_: CarePlan, enrolment: Enrolment) -> str | None:
    try:
        zone_named(enrolment.zone)
    except ValueError as error:
        return str(error)
    return None


def _language(_: CarePlan, enrolment: Enrolment) -> str | None:
    if enrolment.language in SHIPPED:
        return None
    return f"there are no messages in the language {enrolment.language!r}; there are in {', '.join(SHIPPED)}"


def _stage(plan: CarePlan, enrolment: Enrolment) -> str | None:
    known = [stage.id for stage in plan.stages]
    if enrolment.stage is None or enrolment.stage in known:
        return None
    return f"{plan.title} has no stage {enrolment.stage}; it has {', '.join(known)}"


def _baseline(plan: CarePlan, enrolment: Enrolment) -> str | None:
    limit = plan.rules.baseline_physio_first_above
    if enrolment.baseline is None or 0 <= enrolment.baseline <= limit:
        return None
    return f"usual pain must be between 0 and 10, and above {limit} the patient is not ready for loading: see the patient first"


def _at(plan: CarePlan, enrolment: Enrolment) -> str | None:
    """Of two messages at one time only one would come."""
    if enrolment.at is None or _stage(plan, enrolment):
        return None
    stage, main = plan.stage(enrolment.stage) if enrolment.stage else plan.stages[0], main_slots(plan, enrolment.stage)
    days = {day for slot in main for day in enrolment.days or slot.days}
    for slot in stage.slots:
        own = slot.number in enrolment.own_prompt and slot not in main and not slot.locked
        if own and slot.suggested_time == enrolment.at and not days.isdisjoint(slot.days):
            return f"the {slot.label.lower()} session has a message of its own at {enrolment.at:%H:%M}; choose another time for this one"
    return None


def _days(plan: CarePlan, enrolment: Enrolment) -> str | None:
    if not enrolment.days or _stage(plan, enrolment):
        return None
    for slot in main_slots(plan, enrolment.stage):
        if days_apart(enrolment.days) * 24 < slot.min_gap_h:
            return f"this stage needs {slot.min_gap_h} hours between two sessions; leave a day free between any two days"
    return None


def _channel(_: CarePlan, enrolment: Enrolment) -> str | None:
    if enrolment.channel is None or enrolment.channel in CHANNELS:
        return None
    return f"there is no channel {enrolment.channel}; there are telegram and whatsapp"


def _goals(_: CarePlan, enrolment: Enrolment) -> str | None:
    return f"goals have at most {LONGEST_GOALS} characters; make them shorter" if len(enrolment.goals) > LONGEST_GOALS else None


def _record_number(_: CarePlan, enrolment: Enrolment) -> str | None:
    too_long = len(enrolment.record_number or "") > LONGEST_RECORD_NUMBER
    return f"your own number for a patient has at most {LONGEST_RECORD_NUMBER} characters; make it shorter" if too_long else None


_CHECKS: dict[str, Callable[[CarePlan, Enrolment], str | None]] = {
    "name": _name,
    "record_number": _record_number,
    "zone": _zone,
    "language": _language,
    "channel": _channel,
    "stage": _stage,
    "at": _at,
    "days": _days,
    "baseline": _baseline,
    "goals": _goals,
}
