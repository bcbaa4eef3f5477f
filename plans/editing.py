"""A clinician's own changes to a prescription: exercises, doses, days, times and thresholds, checked as a plan file is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import Any, Literal

from pydantic import ValidationError

from plans.exercise_checks import exercise_findings
from plans.mistakes import Finding, Spot
from plans.model import CarePlan, Dose, Exercise, Extra, PrescribedExercise, PrescribedSlot, Prescription, Weekday, prescribe
from plans.rule_checks import HIGHEST_CEILING, rule_findings
from plans.running import RUN_SLOT, open_running
from plans.thresholds import ProgressionRule, Rules

OWN, CLINIC = "set for this patient", "set by the clinic"
"""What stands in the place of a source where a clinician chose the number, for one patient or for all of a clinic."""
THRESHOLDS: Mapping[str, tuple[int, int]] = {
    "pain_ceiling": (0, HIGHEST_CEILING),
    "session_pain.green_max": (0, 4),
    "session_pain.severe_min": (6, 10),
    "session_pain.jump_asks_safety": (1, 10),
    "after_24h.worse_delta": (1, 10),
    "adherence_target_pct": (1, 100),
    "review.low_adherence_pct": (0, 100),
    "review.missed_in_a_row": (2, 14),
    "review.silent_days": (1, 400),
    "review.planned_review_days": (1, 400),
    "deload.gap_days_easier": (1, 400),
    "deload.gap_days_physio_first": (1, 400),
    "deload.settled_days_to_return": (1, 14),
    "deload.rung_settled_days": (1, 400),
    "progression.min_days": (1, 400),
    "progression.session_max": (0, 5),
    "progression.next_max": (0, 5),
}
"""The numbers that a clinician may set for one patient, each with the least and the greatest; the plan's checks still apply."""
_STAGE_ONLY = "progression."
OF_CLINIC = tuple(key for key in THRESHOLDS if not key.startswith(_STAGE_ONLY))
"""Those of them that a clinic may set for all whom it prescribes for from then on: the same in all stages."""
_DOSE_WORDS = {"reps": "repetitions", "hold_s": "the hold", "dist_m": "the distance", "rest_s": "the rest", "effort_pct": "the effort"}


class Unfit(Exception):
    """Changes that cannot be prescribed. `findings` says for each field what to do; never empty."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(" ".join(each.sentence for each in findings))
        self.findings = tuple(findings)


@dataclass(frozen=True)
class SlotChoice:
    """What one time of the day is to be. Without exercises it is left out; `extra` joins on `extra_days` only."""

    days: tuple[Weekday, ...]
    at: time
    exercises: tuple[str, ...]
    extra: tuple[str, ...] = ()
    extra_days: tuple[Weekday, ...] = ()


@dataclass(frozen=True)
class Choices:
    """A whole prescription as a clinician wants it: by slot number, by exercise id, and by threshold."""

    slots: Mapping[int, SlotChoice]
    rungs: Mapping[str, str] = field(default_factory=dict)
    doses: Mapping[str, Mapping[str, int | str | None]] = field(default_factory=dict)
    thresholds: Mapping[str, int] = field(default_factory=dict)
    flare_plan_signed: bool = False
    rungs_preauthorised: bool = False
    treated_side: Literal["left", "right", "both"] = "both"


def rewritten(old: Prescription, plan: CarePlan, choices: Choices) -> Prescription:
    """The prescription as chosen. `plan` is the version it was prescribed from. Raises Unfit with everything that is wrong."""
    wrong: list[Finding] = []
    slots = _slots(old, plan, choices)
    wanted = dict.fromkeys(name for slot in slots for name in (*slot.exercises, *(slot.extra.exercises if slot.extra else ())))
    if not any(slot.prompted for slot in slots):
        wrong.append(Finding("slots", "Leave at least one exercise in a session that the patient is messaged about."))
    known = {exercise.id: exercise for stage in plan.stages for exercise in stage.exercises}
    before = {item.exercise.id: item for item in old.exercises}
    items: list[PrescribedExercise] = []
    for name in wanted:
        try:
            items.append(_item(known[name], before.get(name), choices))
        except ValidationError as problem:
            wrong += _dose_findings(known[name], problem)
    document = old.model_copy(
        update={
            "slots": slots,
            "exercises": tuple(sorted(items, key=lambda item: list(known).index(item.exercise.id))),
            "flare_plan": plan.flare_plan if choices.flare_plan_signed else None,
            "rungs_preauthorised": choices.rungs_preauthorised,
        }
    )
    wrong += _threshold_findings(choices.thresholds)
    if wrong:
        raise Unfit(wrong)
    document = with_thresholds(document, plan, choices.thresholds)
    if new := new_findings(old, document, plan):
        raise Unfit(new)
    return _with_running(document, old)


def with_thresholds(document: Prescription, plan: CarePlan, own: Mapping[str, int], source: str = OWN) -> Prescription:
    """The prescription judged by the plan's numbers for its stage, but for the `own` ones and those that the clinic set.

    A lower ceiling takes with it what may not lie above it: the amber band, the settled limit, the first-visit limit, the criteria.
    """
    changed, by = _changed(document, plan, own, source)
    tables: dict[str, Any] = plan.rules.model_dump() | {"progression": plan.stage(document.stage).progression.model_dump()}
    for key, value in changed.items():
        _put(tables, key, value)
        if not key.startswith(_STAGE_ONLY):
            tables["sources"][key] = by[key]
    ceiling = tables["pain_ceiling"]
    tables["session_pain"]["amber_max"] = ceiling
    for table, name in ((tables["after_24h"], "settled_max"), (tables, "baseline_physio_first_above")):
        table[name] = min(table[name], ceiling)
    for name in ("session_max", "next_max"):
        tables["progression"][name] = min(tables["progression"][name], ceiling)
    progression = ProgressionRule.model_validate(tables.pop("progression"))
    return document.model_copy(update={"rules": Rules.model_validate(tables), "progression": progression, "thresholds": changed})


def _changed(document: Prescription, plan: CarePlan, own: Mapping[str, int], source: str) -> tuple[dict[str, int], dict[str, str]]:
    """The numbers that are not simply the plan's, and by whom each was set."""
    kept = {key: value for key, value in document.thresholds.items() if document.rules.sources.get(key) == CLINIC}
    changed, by = {}, {}
    for key, value in {**kept, **own}.items():
        same = kept.get(key) == value
        chosen = key in kept or document.thresholds.get(key) == value  # the plan's own number, chosen against the clinic's
        if same or chosen or value != threshold(plan, document.stage, key):
            changed[key], by[key] = value, CLINIC if same else source
    return changed, by


def number_findings(plan: CarePlan, own: Mapping[str, int]) -> list[Finding]:
    """What is wrong with numbers that a clinic would set, in any stage of the plan; each finding once."""
    if wrong := list(_threshold_findings(own)):
        return wrong
    stages = (prescribe(plan, stage.id) for stage in plan.stages)
    return list(dict.fromkeys(each for old in stages for each in new_findings(old, with_thresholds(old, plan, own, CLINIC), plan)))


def threshold(plan: CarePlan, stage: str, key: str) -> int:
    """The plan's own number for a stage, by its dotted key."""
    found: Any = plan.stage(stage).progression if key.startswith(_STAGE_ONLY) else plan.rules
    for name in key.removeprefix(_STAGE_ONLY).split("."):
        found = getattr(found, name)
    return int(found)


def carried(old: Prescription) -> dict[str, int]:
    """The patient's own numbers that go along into another stage: neither the stage's own criteria nor what the clinic set."""
    own = {key: value for key, value in old.thresholds.items() if not key.startswith(_STAGE_ONLY)}
    return {key: value for key, value in own.items() if old.rules.sources.get(key) != CLINIC}


def at_rungs(document: Prescription, rungs: Mapping[str, str]) -> Prescription:
    """The same prescription with exercises at other rungs, each with the dose of its new rung; own doses of all others stay."""
    items = tuple(_moved(item, rungs.get(item.exercise.id)) for item in document.exercises)
    return document.model_copy(update={"exercises": items})


def at_start(document: Prescription) -> Prescription:
    """Every exercise back at the first rung of its ladder; those that join later, not started."""
    joined_later = {item.exercise.id for item in document.exercises if item.exercise.start_after and item.exercise.type != "plyometric"}
    first = {item.exercise.id: item.exercise.rungs[0].id for item in document.exercises if item.exercise.rungs}
    items = tuple(
        PrescribedExercise(exercise=item.exercise, dose=item.exercise.dose, treated_side=item.treated_side, started=False)
        if item.exercise.id in joined_later
        else item
        for item in at_rungs(document, first).exercises
    )
    return document.model_copy(update={"exercises": items})


def with_locked_slots(document: Prescription, plan: CarePlan, at: Mapping[int, time]) -> Prescription:
    """The prescription with the stage's locked slots opened; what was in it stays as it is.

    Raises Unfit when they do not fit beside it: on a day with its own message already, say.
    """
    opened = prescribe(plan, document.stage, dict(at), plyometrics_unlocked=True, treated_side=side_of(document))
    numbers = {slot.number for slot in document.slots}
    slots = sorted((*document.slots, *(slot for slot in opened.slots if slot.number not in numbers)), key=lambda slot: slot.number)
    wanted = {name for slot in opened.slots if slot.number not in numbers for name in slot.exercises}
    present = {item.exercise.id for item in document.exercises}
    items = (*document.exercises, *(item for item in opened.exercises if item.exercise.id in wanted - present))
    whole = document.model_copy(update={"slots": tuple(slots), "exercises": items, "plyometrics_unlocked": True})
    if new := new_findings(document, whole, plan):
        raise Unfit(new)
    return whole


def with_own_days(document: Prescription, old: Prescription, plan: CarePlan) -> Prescription:
    """The prescription of another stage on the days that the patient chose before, as far as there are as many and they fit."""
    usual = {slot.number: slot.days for slot in plan.stage(old.stage).slots}
    own = {slot.number: slot.days for slot in old.slots if slot.prompted and slot.days != usual.get(slot.number, slot.days)}
    slots = tuple(
        slot.model_copy(update={"days": own[slot.number]}) if slot.number in own and len(own[slot.number]) == len(slot.days) else slot
        for slot in document.slots
    )
    moved = document.model_copy(update={"slots": slots})
    return document if new_findings(document, moved, plan) else moved


def side_of(document: Prescription) -> Literal["left", "right", "both"]:
    """The treated side, the same for every exercise."""
    return document.exercises[0].treated_side if document.exercises else "both"


def open_slots(old: Prescription, plan: CarePlan) -> list[PrescribedSlot]:
    """The slots that can be filled: the patient's own, and those of the stage that were left out; neither locked ones nor runs."""
    own = [slot for slot in old.slots if slot.number != RUN_SLOT]
    numbers = {slot.number for slot in own}
    stage = prescribe(plan, old.stage, plyometrics_unlocked=old.plyometrics_unlocked)
    return sorted((*own, *(slot for slot in stage.slots if slot.number not in numbers)), key=lambda slot: slot.number)


def _slots(old: Prescription, plan: CarePlan, choices: Choices) -> tuple[PrescribedSlot, ...]:
    found = []
    for slot in open_slots(old, plan):
        wanted = choices.slots.get(slot.number)
        if wanted is None or not wanted.exercises:
            continue
        extra = Extra(days=wanted.extra_days, exercises=wanted.extra) if wanted.extra and wanted.extra_days else None
        found.append(slot.model_copy(update={"days": wanted.days, "at": wanted.at, "exercises": wanted.exercises, "extra": extra}))
    return tuple(found)


def _item(exercise: Exercise, before: PrescribedExercise | None, choices: Choices) -> PrescribedExercise:
    """An exercise as chosen: the dose of its rung, unless another dose was written. Raises ValidationError for an impossible dose."""
    start = before or PrescribedExercise(
        exercise=exercise, rung=exercise.rungs[0].id if exercise.rungs else None, dose=exercise.dose, treated_side=choices.treated_side
    )
    item = _moved(start, choices.rungs.get(exercise.id)).model_copy(update={"treated_side": choices.treated_side})
    written = choices.doses.get(exercise.id, {})
    # What stands there as it was before was not written: at another rung, that rung's dose counts.
    given = {name: value for name, value in written.items() if value != (getattr(before.dose, name) if before else None)}
    return item.model_copy(update={"dose": Dose.model_validate(item.dose.model_dump() | given)}) if given else item


def _moved(item: PrescribedExercise, rung_id: str | None) -> PrescribedExercise:
    rung = next((each for each in item.exercise.rungs if each.id == rung_id), None)
    if rung is None or (rung.id == item.rung and item.started):
        return item
    return item.model_copy(update={"rung": rung.id, "dose": rung.dose, "started": True})


def _with_running(document: Prescription, old: Prescription) -> Prescription:
    """Running stays open on the days that are left free. Raises Unfit when none is."""
    if old.run_steps_open is None:
        return document
    try:
        return open_running(document, old.return_to_run, old.run_steps_open, old.run_step)
    except ValueError:
        raise Unfit([Finding("slots", "Running is open and needs a day without a message. Free a day, or close running.")]) from None


def _threshold_findings(own: Mapping[str, int]) -> Iterator[Finding]:
    for key, value in own.items():
        low, high = THRESHOLDS[key]
        if not low <= value <= high:
            yield Finding(f"rules.{key}", f"Write a whole number from {low} to {high}.")


def _dose_findings(exercise: Exercise, problem: ValidationError) -> Iterator[Finding]:
    for error in problem.errors():
        limit = error.get("ctx", {})
        most = f"at least {limit['ge']}" if "ge" in limit else f"at most {limit['le']}" if "le" in limit else "a whole number"
        name = str(error["loc"][0])
        yield Finding(f"exercises.{exercise.id}.dose.{name}", f"{exercise.name}: {_DOSE_WORDS.get(name, name)} must be {most}.")


def new_findings(old: Prescription, new: Prescription, plan: CarePlan) -> list[Finding]:
    """What is wrong now and was not before."""
    before = set(_findings(old, plan))
    return [each for each in _findings(new, plan) if each not in before]


def _findings(document: Prescription, plan: CarePlan) -> list[Finding]:
    """What the checks of a plan file say about a prescription, read as a plan of one stage."""
    stage: dict[str, Any] = {
        "id": document.stage,
        "slots": [_as_written(slot, document) for slot in document.slots if slot.number != RUN_SLOT],
        "exercises": [item.exercise.model_dump(mode="json", exclude_none=True) for item in document.exercises],
        "progression": document.progression.model_dump(mode="json"),
        "overdue_days": document.overdue_days,
    }
    if any(slot["locked"] for slot in stage["slots"]):
        stage["plyometric_unlock"] = (document.plyometric_unlock or document.progression).model_dump(mode="json")
    rules = document.rules.model_dump(mode="json")
    delivery = document.rules.delivery
    rules["delivery"] |= {"quiet_from": f"{delivery.quiet_from:%H:%M}", "quiet_until": f"{delivery.quiet_until:%H:%M}"}
    whole = Spot({"id": plan.id, "rules": rules, "stages": [stage]})
    return [*exercise_findings(whole), *rule_findings(whole)]


def _as_written(slot: PrescribedSlot, document: Prescription) -> dict[str, Any]:
    kinds = {document.exercise(name).exercise.type for name in slot.exercises}
    written = slot.model_dump(mode="json", exclude={"at"}, exclude_none=True)
    return written | {"suggested_time": f"{slot.at:%H:%M}", "locked": kinds == {"plyometric"}}


def _put(tables: dict[str, Any], dotted: str, value: int) -> None:
    *path, name = dotted.split(".")
    for step in path:
        tables = tables[step]
    tables[name] = value
