"""From symbolic lines to the words a patient reads, and the buttons under them. One catalogue a language; English is one of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from functools import cache
from importlib import resources
from string import Template
from typing import Any
from uuid import UUID

from bot_service.clinical.pain import band, in_band_advice_key
from bot_service.clinical.words import languages_in
from bot_service.conversation.exercise_text import (
    coming_optional,
    describe_named,
    describe_session,
    describe_slot,
    describe_steps,
    optional_on,
    prompted_slots,
    run_now,
    time_of_several,
)
from bot_service.conversation.language import short_code
from bot_service.conversation.states import CHANGE, FAR_OFF, KINDS
from plans.loading import load_words_for
from plans.model import Prescription
from plans.running import RUN_SLOT
from plans.tongues import Words, in_other_words, in_words

_FILES = resources.files("bot_service.conversation") / "catalogues"
SHIPPED = languages_in(_FILES)
"""Languages whose catalogue is complete: a file is all that one needs."""


@dataclass(frozen=True)
class Voice:
    """What sentences may mention: the clinic and its numbers, the physio, the patient's prescription and today's local date.

    `own_words` are the clinic's own sentences in that language, by their key (`conversation/own_words.py` says which it may have).
    """

    language: str
    today: date
    clinic: str
    physio: str
    emergency: str
    urgent: str
    crisis: str
    hours: str
    prompt_at: time | None = None
    prescription: Prescription | None = None
    own_words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Catalogue:
    """The sentences, button labels and small words of one language; `typed` holds other ways to write a button's answer.

    `commands` names and describes what a chat app's menu offers, in the order to show, and `says` holds the words that each stands for;
    `hints` name the answers where a channel has no buttons; `template` is WhatsApp's daily template;
    `leaflet` is what a patient takes home.
    """

    language: str
    texts: Mapping[str, str]
    buttons: Mapping[str, str]
    words: Mapping[str, str]
    typed: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    says: Mapping[str, str] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)
    template: Mapping[str, str] = field(default_factory=dict)
    leaflet: Mapping[str, str] = field(default_factory=dict)

    def leaflet_text(self, values: Mapping[str, str]) -> dict[str, str]:
        """The sentences of the leaflet for which every value is there, filled in."""
        return {key: Template(text).substitute(values) for key, text in self.leaflet.items() if placeholders(text) <= values.keys()}

    def text(self, key: str, values: Mapping[str, object]) -> str:
        """The sentence, filled in. Raises KeyError for an unknown key or a value that is missing."""
        return Template(self.texts[key]).substitute(values).strip()

    @property
    def weekdays(self) -> list[str]:
        """The days of the week from Monday on, as they stand in a sentence."""
        return self.words["weekdays"].split(", ")

    def date(self, day: date, today: date | None = None) -> str:
        """A day in words: today, yesterday, a weekday of the last six days, else weekday and date, with the year when it is far off."""
        weekdays = self.weekdays
        if today is not None and 0 <= (today - day).days <= 6:
            return {0: self.words["today"], 1: self.words["yesterday"]}.get((today - day).days, weekdays[day.weekday()])
        month = self.words["months"].split(", ")[day.month - 1]
        is_far = today is not None and abs(day - today) > FAR_OFF
        words = Template(self.words["date_and_year" if is_far else "date"])
        return words.substitute(weekday=weekdays[day.weekday()], day=day.day, month=month, year=day.year)


Rows = list[list[dict[str, str]]]
_OF_SEVERAL = {"ask_24h": "ask_24h_at", "then_24h": "then_24h_at", "exercises_follow": "exercises_follow_at"}
"""What is said on days with several messages, so that it is clear whose exercises are meant."""


def render(content: Mapping[str, Any], voice: Voice) -> tuple[str, Rows]:
    """The text and the rows of buttons (`label`, `answer`, `question`) of one message.

    `content` holds `lines` ([key, values] each), and perhaps `ask` (a question with its id) and `change` (the id of a question whose
    answer may be corrected).
    """
    catalogue = load_catalogue(voice.language)
    if voice.own_words:
        catalogue = replace(catalogue, texts={**catalogue.texts, **voice.own_words})
    if plan := voice.prescription:
        voice = replace(voice, prescription=in_words(plan, plan_words(plan, catalogue)))
    blocks = [block for key, values in content.get("lines", ()) if (block := _line(*_as_said(key, values, voice), voice, catalogue))]
    rows: Rows = []
    if change := content.get("change"):
        rows.append([{"label": catalogue.buttons["change"], "answer": CHANGE, "question": change}])
    if ask := content.get("ask"):
        rows = [*_ask_rows(ask, voice, catalogue), *rows]
    return "\n\n".join(blocks), rows


@cache
def load_catalogue(language: str) -> Catalogue:
    """The catalogue of a language, English where none is shipped."""
    code = short if (short := short_code(language)) in SHIPPED else "en"
    content = tomllib.loads((_FILES / f"{code}.toml").read_text(encoding="utf-8"))
    return Catalogue(code, **content)


def placeholders(text: str) -> set[str]:
    """The names that a sentence wants filled in."""
    return {match["braced"] or match["named"] for match in re.finditer(Template.pattern, text) if match["braced"] or match["named"]}


def _as_said(key: str, values: Mapping[str, Any], voice: Voice) -> tuple[str, Mapping[str, Any]]:
    """On a day with several messages the time says which exercises are meant."""
    if key == "exercises_follow" and voice.prescription is not None and "slot" in values:
        values = {**values, "at": time_of_several(voice.prescription, values["slot"], date.fromisoformat(values["day"]))}
    return (_OF_SEVERAL.get(key, key) if values.get("at") else key), values


def _line(key: str, values: Mapping[str, Any], voice: Voice, catalogue: Catalogue) -> str:
    words = catalogue.words
    plan = voice.prescription
    if key == "changes":
        return str(values["told"])
    if key == "exercises" and plan is not None:
        if values["slot"] == RUN_SLOT and plan.run_step is not None:
            return "\n\n".join([*_exercise_notes(values, voice, catalogue), *_run_blocks(values, catalogue, plan)])
        day = date.fromisoformat(values["day"])
        main, extras = describe_session(plan, values["slot"] or 1, day, words, **_versions(values))
        extras = [(later, listed) for later, listed in extras if listed]
        if not main and not extras:  # the exercise that hurt was all there was
            return "\n\n".join([*_left_out(values, voice, catalogue), catalogue.text("nothing_left", {})])
        blocks = [*_blocks(main, extras, catalogue), *_coming(values, day, catalogue, plan), *_limits(catalogue, plan)]
        return "\n\n".join([*_exercise_notes(values, voice, catalogue), *blocks])
    if key == "optional" and plan is not None:
        return "\n\n".join([*_version_notes(values, voice, catalogue), *_optional(values, catalogue, plan)])
    if key == "how_to" and plan is not None:
        if named := values.get("exercises"):
            steps = describe_named(plan, named, words, **_versions(values))
        else:
            steps = describe_steps(plan, values["slot"] or 1, date.fromisoformat(values["day"]), words, **_versions(values))
        notes = _version_notes(values, voice, catalogue)
        return "\n\n".join([*notes, *([catalogue.text("how_to_intro", {}), *steps] if steps else [])])
    if key == "advice" and plan is not None and values.get("late") and band(values["score"], plan.rules) == "amber":
        return catalogue.text("advice_late", {})
    if key == "advice" and plan is not None:
        return str(getattr(plan, in_band_advice_key(values["score"], plan.rules)))
    if key == "flare_plan" and plan is not None:
        return plan.flare_plan or ""
    return catalogue.text(key, _values(values, voice, catalogue))


def _versions(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the flare plan says of the exercises: those in their easier version, and those left out."""
    return {name: values.get(name, ()) for name in ("easier", "left_out")}


def _version_notes(values: Mapping[str, Any], voice: Voice, catalogue: Catalogue) -> list[str]:
    hurt = [date.fromisoformat(day) for day in values.get("hurt_on", ()) if values["slot"] != RUN_SLOT]
    notes = [catalogue.text("leave_out_which", {"day": catalogue.date(day, voice.today)}) for day in hurt]
    notes += _left_out(values, voice, catalogue)
    if values.get("easier"):
        notes.append(
            catalogue.text("others_easier", {}) if notes else _now_and_until("easier_today", "easier_until", values, voice, catalogue)
        )
    return notes


def _exercise_notes(values: Mapping[str, Any], voice: Voice, catalogue: Catalogue) -> list[str]:
    notes = _version_notes(values, voice, catalogue)
    if values.get("lighter") and values["slot"] != RUN_SLOT:
        notes.append(_now_and_until("lighter_today", "lighter_until", values, voice, catalogue))
    if at := values.get("not_before"):
        notes.append(catalogue.text("not_before", {"at": at}))
    return notes


def _now_and_until(today: str, until: str, values: Mapping[str, Any], voice: Voice, catalogue: Catalogue) -> str:
    """That today is easier, or lighter; once the pain has settled, until when and because of which day."""
    if not (settling := values.get("settling")):
        return catalogue.text(today, {})
    return catalogue.text(until, {**settling, "day": catalogue.date(date.fromisoformat(settling["day"]), voice.today)})


def _left_out(values: Mapping[str, Any], voice: Voice, catalogue: Catalogue) -> list[str]:
    names = [voice.prescription.exercise(item).exercise.name for item in values.get("left_out", ()) if voice.prescription]
    return [catalogue.text("leave_out", {"names": catalogue.words["semicolon"].join(names)})] if names else []


def _blocks(main: str, extras: Sequence[tuple[bool, str]], catalogue: Catalogue) -> list[str]:
    heads = [catalogue.text("extra_slot" if later else "extra_slot_again", {}) for later, _ in extras]
    return [*filter(None, [main]), *(f"{head}\n{listed}" for head, (_, listed) in zip(heads, extras, strict=True))]


def _coming(values: Mapping[str, Any], day: date, catalogue: Catalogue, plan: Prescription) -> list[str]:
    """Exercises of the days to come on which there is no message, each slot once."""
    found: dict[int, tuple[list[str], str]] = {}
    for other, slot in coming_optional(plan, values["slot"] or 1, day):
        told = catalogue.words["tomorrow"] if (other - day).days == 1 else catalogue.date(other)
        listed = describe_slot(plan, slot, other, catalogue.words, **_versions(values))
        found.setdefault(slot.number, ([], listed))[0].append(told)
    comma = catalogue.words["comma"]
    return [f"{catalogue.text('extra_coming', {'day': comma.join(days)})}\n{listed}" for days, listed in found.values() if listed]


def _optional(values: Mapping[str, Any], catalogue: Catalogue, plan: Prescription) -> list[str]:
    """What a day without exercises offers."""
    day = date.fromisoformat(values["day"])
    shown = [listed for slot in optional_on(plan, day) if (listed := describe_slot(plan, slot, day, catalogue.words, **_versions(values)))]
    blocks = [catalogue.text("extra_today", {}) + "\n" + "\n\n".join(shown)] if shown else []
    return [*blocks, catalogue.text("ceiling", {"ceiling": plan.rules.pain_ceiling})] if blocks else []


def _run_blocks(values: Mapping[str, Any], catalogue: Catalogue, plan: Prescription) -> list[str]:
    """The run of the day at the present step; at the one before while easier versions apply."""
    shown = run_now(plan, easier=bool(values.get("easier")))
    return [catalogue.text("run_today", {"step": shown}), *_limits(catalogue, plan)]


def _limits(catalogue: Catalogue, plan: Prescription) -> list[str]:
    return [catalogue.text("ceiling", {"ceiling": plan.rules.pain_ceiling}), catalogue.text("when_done", {})]


def _values(values: Mapping[str, Any], voice: Voice, catalogue: Catalogue) -> dict[str, object]:
    known: dict[str, object] = {
        "clinic": voice.clinic,
        "physio": voice.physio,
        "emergency": voice.emergency,
        "urgent": voice.urgent,
        "crisis": voice.crisis,
        "hours": voice.hours,
        "prompt_at": _prompt_times(voice, catalogue),
        "stage": voice.prescription.stage_title if voice.prescription else "",
        **values,
    }
    if plan := voice.prescription:  # an exercise or a step that was named when the message was queued
        words = plan_words(plan, catalogue)
        known |= {name: in_other_words(value, words) for name, value in values.items() if isinstance(value, str)}
    if "label" in values:  # what was tapped, in the words of the button
        known["label"] = catalogue.buttons[values["label"]]
    for name in ("day", "until"):
        if name in values:
            known[name] = catalogue.date(date.fromisoformat(values[name]), voice.today)
    return known


def _prompt_times(voice: Voice, catalogue: Catalogue) -> str:
    """Every time at which exercises come: 08:00; 08:00 and 18:00."""
    slots = prompted_slots(voice.prescription) if voice.prescription else []
    known = {slot.at for slot in slots} or ({voice.prompt_at} if voice.prompt_at else set())
    times = [f"{at:%H:%M}" for at in sorted(known)]
    return catalogue.words["and_at"].join([*filter(None, [catalogue.words["comma"].join(times[:-1])]), *times[-1:]])


def plan_words(plan: Prescription, catalogue: Catalogue) -> Words:
    """The plan's texts in the catalogue's language, with the patient's own numbers."""
    return load_words_for(plan, catalogue.language)


def _ask_rows(ask: Mapping[str, Any], voice: Voice, catalogue: Catalogue) -> Rows:
    question = str(UUID(ask["question"]))
    if ask["kind"] == "which":
        return [
            [{"label": choice_label(choice, voice.today, catalogue), "answer": str(index), "question": question}]
            for index, choice in enumerate(ask["detail"]["choices"])
        ]
    rows = [
        [{"label": _label(answer, catalogue), "answer": answer, "question": question} for answer in row] for row in KINDS[ask["kind"]].rows
    ]
    if ask.get("detail", {}).get("show") is not None and ask["kind"] == "pain_24h":
        rows.append([{"label": catalogue.buttons["show"], "answer": "show", "question": question}])
    return rows


def choice_label(choice: Mapping[str, Any], today: date, catalogue: Catalogue) -> str:
    """What the button says that stands for one of the questions a number may answer."""
    label = Template(catalogue.buttons[f"choice_{choice['kind']}"]).substitute(day=catalogue.date(date.fromisoformat(choice["day"]), today))
    return label[:1].upper() + label[1:]


def _label(answer: str, catalogue: Catalogue) -> str:
    return answer if answer.isdecimal() else catalogue.buttons[answer]
