"""A plan's texts in another language: which they are, what a translation lacks, and a prescription told in its words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plans.checks import IN_BRACES, filled
from plans.exercises import Dose
from plans.mistakes import Finding, Spot
from plans.model import PrescribedExercise, PrescribedSlot, Prescription

Words = Mapping[str, tuple[str, str]]
"""By key: the plan's own text, and what it is in the other language. A text that is no longer the plan's own is left as it is."""

EARLIER = "earlier."
"""How the keys of texts begin that only patients of an earlier version still have; its version and the text's own key follow."""
_STAGE = ("title", "advice_green", "advice_amber", "advice_red")
_EXERCISE = ("name", "how", "easier", "harder")
_HEAD = ("plan", "version", "language")


def texts_of(plan: Mapping[str, Any]) -> dict[str, str]:
    """Every text of a plan file that a patient may get in a message, by the key that a translation gives it."""
    texts = _flat(plan.get("earlier", {}), EARLIER) | {"flare_plan": plan["flare_plan"]}
    texts |= {key: text for stage in plan["stages"] for key, text in _of_stage(stage)}
    if (course := plan.get("return_to_run")) is None:
        return texts
    steps = {f"return_to_run.steps.{number}": text for number, text in enumerate(course["steps"], 1)}
    return texts | {"return_to_run.rule": course["rule"]} | steps


def words_of(plan: Mapping[str, Any], written: Mapping[str, Any], rules: Spot) -> Words:
    """The pairs of a translation, with the numbers of `rules` in them; none when it was made for another version of the plan."""
    if (written.get("plan"), written.get("version")) != (plan["id"], plan["version"]):
        return {}
    translated = _flat(written)
    return {key: (filled(text, rules), filled(translated[key], rules)) for key, text in texts_of(plan).items() if key in translated}


def in_words(prescription: Prescription, words: Words) -> Prescription:
    """The same prescription with its texts in the other language, and as they are stored wherever there is no translation of them."""
    if not words:
        return prescription
    stage = f"stages.{prescription.stage}"
    told: dict[str, object] = {field: _told(words, f"{stage}.{field}", getattr(prescription, field)) for field in _STAGE[1:]}
    told["stage_title"] = _told(words, f"{stage}.title", prescription.stage_title)
    if prescription.flare_plan is not None:
        told["flare_plan"] = _told(words, "flare_plan", prescription.flare_plan)
    if course := prescription.return_to_run:
        steps = tuple(_told(words, f"return_to_run.steps.{number}", text) for number, text in enumerate(course.steps, 1))
        rule = _told(words, "return_to_run.rule", course.rule)
        told["return_to_run"] = course.model_copy(update={"steps": steps, "rule": rule})
    slots = tuple(_slot(slot, stage, words) for slot in prescription.slots)
    return prescription.model_copy(
        update={**told, "slots": slots, "exercises": tuple(_item(each, words) for each in prescription.exercises)}
    )


def in_other_words(text: str, words: Words) -> str:
    """One text of a plan in the other language; anything that is no text of the plan stays as it is."""
    return next((other for own, other in words.values() if own == text), text)


def translation_findings(plan: Mapping[str, Any], written: Mapping[str, Any], language: str) -> Iterator[Finding]:
    """What keeps a translation from being complete and right for the plan as it is."""
    this = Spot(written, words="this translation")
    for field, expected in zip(_HEAD, (plan["id"], plan["version"], language), strict=True):
        if written.get(field) != expected:
            yield this.finding(_HEAD_PROBLEMS[field].format(found=written.get(field), expected=expected), field)
    texts, translated = texts_of(plan), _flat(written)
    for key, text in texts.items():
        if not str(translated.get(key, "")).strip():
            yield this.finding(f"has no text for {key}. Add it; until then patients read it in English.", key)
        elif wrong := set(IN_BRACES.findall(text)) ^ set(IN_BRACES.findall(translated[key])):
            names = ", ".join(f"{{{name}}}" for name in sorted(wrong))
            yield this.finding(f"and the plan differ in {key}: {names} stands in only one of them.", key)
    for key in translated.keys() - texts.keys() - set(_HEAD):
        yield this.finding(f"has {key}, which the plan does not have. Remove it, or correct its spelling.", key)


_HEAD_PROBLEMS = {
    "plan": "is for the plan {found}, but stands beside {expected}. Correct plan, or the name of the file.",
    "version": "is for version {found} of the plan, which is now {expected}. Look through what changed, then write the new version.",
    "language": "says that its language is {found}, but its file name says {expected}. Make them the same.",
}


def _of_stage(stage: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((f"stages.{stage['id']}.{field}", stage[field]) for field in _STAGE)
    yield from ((f"stages.{stage['id']}.slots.{slot['number']}", slot["label"]) for slot in stage["slots"])
    for exercise in stage["exercises"]:
        yield from ((f"exercises.{exercise['id']}.{field}", exercise[field]) for field in _EXERCISE)
        yield from ((f"exercises.{exercise['id']}.rungs.{rung['id']}", rung["text"]) for rung in exercise.get("rungs", ()))
        doses = [exercise["dose"], exercise["easier_dose"], *(rung["dose"] for rung in exercise.get("rungs", ()))]
        yield from ((f"loads.{dose['load']}", dose["load"]) for dose in doses if "load" in dose)


def _flat(tables: Mapping[str, Any], before: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in tables.items():
        flat |= _flat(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": str(value)}
    return flat


def _slot(slot: PrescribedSlot, stage: str, words: Words) -> PrescribedSlot:
    return slot.model_copy(update={"label": _told(words, f"{stage}.slots.{slot.number}", slot.label)})


def _item(item: PrescribedExercise, words: Words) -> PrescribedExercise:
    exercise = item.exercise
    key = f"exercises.{exercise.id}"
    told: dict[str, object] = {field: _told(words, f"{key}.{field}", getattr(exercise, field)) for field in _EXERCISE}
    told["rungs"] = tuple(rung.model_copy(update={"text": _told(words, f"{key}.rungs.{rung.id}", rung.text)}) for rung in exercise.rungs)
    told["easier_dose"] = _dose(exercise.easier_dose, words)
    return item.model_copy(update={"exercise": exercise.model_copy(update=told), "dose": _dose(item.dose, words)})


def _dose(dose: Dose, words: Words) -> Dose:
    return dose if dose.load is None else dose.model_copy(update={"load": _told(words, f"loads.{dose.load}", dose.load)})


def _told(words: Words, key: str, text: str) -> str:
    """What stands for this text now or stood for it in an earlier version, whichever has it word for word."""
    pairs = (pair for name, pair in words.items() if name == key or (name.startswith(EARLIER) and name.endswith(f".{key}")))
    return next((other for own, other in pairs if own == text), text)
