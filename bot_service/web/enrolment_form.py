"""The enrolment form: what stands in its fields at first, what was posted, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bot_service.actions.consent import CONSENT_LINES
from bot_service.actions.eligibility import Enrolment, problems
from bot_service.actions.import_cells import score, side, time_of_day
from bot_service.actions.phone_numbers import read_phone
from bot_service.actions.prescribing import as_in_clinic, clinic_numbers, in_clinic
from bot_service.actions.voices import clinic_setting, hours_in_words
from bot_service.conversation.wording import Voice, load_catalogue, render
from bot_service.storage.clinics import Clinic
from bot_service.storage.staff import Member
from plans.loading import load_words_for
from plans.model import CarePlan, Stage, Weekday, prescribe
from plans.tongues import in_words
from schedules.places import zone_for
from schedules.rhythm import WEEKDAYS

T = TypeVar("T")
LANGUAGES = {"en": "English", "ar": "Arabic", "es": "Spanish", "hi": "Hindi", "pl": "Polish"}
"""How staff call the languages that messages are shipped in; another one is called by its code."""


@dataclass(frozen=True)
class Mistake:
    """A field that cannot be taken as it is: its id on the page and a sentence."""

    field: str
    sentence: str


@dataclass(frozen=True)
class Words:
    """What the patient will read, in their language."""

    consent: str
    flare_plan: str
    offer: str
    steps: tuple[tuple[str, tuple[str, ...]], ...]


def first_fields(clinic: Clinic, plan: CarePlan, physio: Member | None, channel: str) -> dict[str, str]:
    """What a fresh form says."""
    treating = str(physio.id) if physio else ""
    return {"plan": plan.id, "stage": plan.stages[0].id, "zone": clinic.zone, "language": "en", "channel": channel, "physio": treating}


def read(
    form: Mapping[str, str], plan: CarePlan, clinic: Clinic, physios: Sequence[Member]
) -> tuple[Enrolment, Member | None, list[Mistake]]:
    """The enrolment that was asked for, who treats, and what is wrong with it, in the order of the page."""
    wrong: dict[str, str] = {}

    def value(name: str, reader: Callable[[str], T]) -> T | None:
        text = form.get(name, "").strip()
        try:
            return reader(text) if text else None
        except ValueError as error:
            wrong[name] = str(error)
            return None

    zone = value("zone", zone_for) or clinic.zone
    stage = next((each for each in plan.stages if each.id == form.get("stage")), plan.stages[0])
    treated = value("side", side)
    enrolment = Enrolment(
        name=" ".join(form.get("name", "").split()),
        zone=zone,
        language=form.get("language", "en"),
        stage=stage.id,
        at=value("at", time_of_day),
        baseline=value("baseline", score),
        treated_side=treated or "both",
        flare_plan_signed=bool(form.get("flare")),
        rungs_preauthorised=bool(form.get("rungs")),
        own_prompt=_all_slots(stage) if form.get("each_session") else frozenset(),
        answers=_answers(form, plan),
        phone=value("phone", lambda text: read_phone(text, zone)),
        record_number=value("record_number", str),
        channel=form.get("channel") or None,
        goals=form.get("goals", "").strip(),
        days=days_of(form),
    )
    physio = next((each for each in physios if str(each.id) == form.get("physio")), None)
    wrong = ({} if treated else {"side": "choose which side is treated"}) | wrong
    wrong |= {} if physio else {"physio": "choose who treats this patient"}
    wrong = {each.field.replace("answers.", "answer-"): each.sentence for each in problems(in_clinic(plan, clinic), enrolment)} | wrong
    return enrolment, physio, [Mistake(name, sentence) for name, sentence in sorted(wrong.items(), key=_place(plan))]


def days_of(form: Mapping[str, str]) -> tuple[Weekday, ...]:
    """The ticked days; none means the plan's."""
    return tuple(day for day in WEEKDAYS if form.get(f"day-{day}"))  # type: ignore[misc]  # the same seven names


def words_for(plan: CarePlan, stage: str, language: str, clinic: Clinic, physio: str, now: datetime) -> Words:
    """What the patient will read before and after agreeing, with this stage's steps."""
    catalogue = load_catalogue(language)
    prescribed = as_in_clinic(prescribe(plan, stage, flare_plan_signed=True), plan, clinic_numbers(clinic, plan))
    document = in_words(prescribed, load_words_for(prescribed, catalogue.language))
    voice = Voice(
        language, now.date(), clinic.name, physio or "…", clinic_setting(clinic, "emergency"), clinic_setting(clinic, "urgent"),
        clinic_setting(clinic, "crisis"), hours_in_words(clinic, now, language),
    )  # fmt: skip
    steps = tuple(
        (item.exercise.name, tuple(rung.text for rung in item.exercise.rungs[1 if item.started else 0 :])) for item in document.exercises
    )
    steps = tuple((name, texts) for name, texts in steps if texts)
    example = {"days": plan.rules.deload.rung_settled_days, "exercise": steps[0][0], "step": steps[0][1][0]} if steps else None
    offer = catalogue.text("rung_offer", example) if example else ""
    return Words(render({"lines": CONSENT_LINES}, voice)[0], document.flare_plan or "", offer, steps)


def _all_slots(stage: Stage) -> frozenset[int]:
    return frozenset(slot.number for slot in stage.slots if not slot.locked)


def _answers(form: Mapping[str, str], plan: CarePlan) -> dict[str, bool]:
    return {question.id: form[f"answer-{question.id}"] == "yes" for question in plan.eligibility if form.get(f"answer-{question.id}")}


def _place(plan: CarePlan) -> Callable[[tuple[str, str]], int]:
    order = [*(f"answer-{question.id}" for question in plan.eligibility), "name", "record_number", "phone", "channel", "language", "zone"]
    order += ["physio", "plan", "stage", "side", "at", "days", "baseline", "goals"]
    return lambda item: order.index(item[0]) if item[0] in order else len(order)
