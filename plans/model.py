"""What a care plan and a prescription are: frozen, validated values with no knowledge of patients, clocks or storage."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import Field

from plans.exercises import Dose, Exercise, Extra, Rung, Slot, amounts
from plans.thresholds import (
    Days,
    Delivery,
    Deload,
    Key,
    NextDay,
    Part,
    Percent,
    Plateau,
    ProgressionRule,
    Review,
    Rules,
    Score,
    SessionPain,
    Text,
    Weekday,
    WeekOnWeek,
)

__all__ = [
    "CarePlan",
    "Days",
    "Delivery",
    "Deload",
    "Dose",
    "Exercise",
    "Extra",
    "Key",
    "NextDay",
    "Part",
    "Percent",
    "Plateau",
    "PrescribedExercise",
    "PrescribedSlot",
    "Prescription",
    "ProgressionRule",
    "Question",
    "ReturnToRun",
    "Review",
    "Rules",
    "Rung",
    "Score",
    "SessionPain",
    "Slot",
    "Stage",
    "Text",
    "Tip",
    "WeekOnWeek",
    "Weekday",
    "prescribe",
]


class Stage(Part):
    """One step of the way (Early, Intermediate, Advanced): its exercises, its week, and what may end it."""

    id: Key
    title: Text
    goal: Text
    hip_flexion_limit_deg: Annotated[int, Field(ge=0, le=140)]
    expected_weeks: tuple[int, int]
    overdue_days: Days
    progression: ProgressionRule
    plyometric_unlock: ProgressionRule | None = None
    slots: tuple[Slot, ...] = Field(min_length=1)
    exercises: tuple[Exercise, ...] = Field(min_length=1)
    advice_green: Text
    advice_amber: Text
    advice_red: Text
    source: tuple[str, ...] = Field(min_length=1)


class ReturnToRun(Part):
    """Graded running, opened step by step by a clinician only."""

    locked: Literal[True] = True
    min_gap_h: Annotated[int, Field(ge=24, le=168)]
    settled_runs_per_step: Annotated[int, Field(ge=1, le=10)]
    weekly_change_max_pct: Percent
    rule: Text
    steps: tuple[Text, ...] = Field(min_length=2)
    source: tuple[str, ...] = Field(min_length=1)


class Tip(Part):
    """A short piece of advice for daily life."""

    id: Key
    text: Text
    source: tuple[str, ...] = Field(min_length=1)


class Question(Part):
    """One eligibility question at enrolment and the answer that lets the patient start."""

    id: Key
    text: Text
    must_be: bool


class CarePlan(Part):
    """A condition's whole plan: ordered stages, rules and texts. Data, not code; versioned for ever."""

    id: Key
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    title: Text
    condition: Text
    reviewed_by_clinician: bool
    stages: tuple[Stage, ...] = Field(min_length=1)
    rules: Rules
    references: dict[Key, str] = Field(default_factory=dict)
    flare_plan: Text
    tips: tuple[Tip, ...] = ()
    eligibility: tuple[Question, ...] = ()
    return_to_run: ReturnToRun | None = None
    flare_plan_written: str = ""
    """`flare_plan` as it stands in the file, without the numbers in it: kept so that a version can still be told with a patient's own."""

    def stage(self, stage_id: str) -> Stage:
        """The stage of that id. Raises KeyError when the plan has none."""
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise KeyError(stage_id)

    def next_stage(self, stage_id: str) -> Stage | None:
        """The stage after `stage_id`, or None at the end."""
        ids = [stage.id for stage in self.stages]
        index = ids.index(stage_id) + 1
        return self.stages[index] if index < len(ids) else None

    def previous_stage(self, stage_id: str) -> Stage | None:
        """The stage before `stage_id`, or None at the start."""
        ids = [stage.id for stage in self.stages]
        index = ids.index(stage_id)
        return self.stages[index - 1] if index else None


class PrescribedSlot(Part):
    """A slot as prescribed to one patient: `at` is the patient's own local time."""

    number: int
    label: str
    days: tuple[Weekday, ...]
    exercises: tuple[Key, ...]
    extra: Extra | None = None
    at: time
    min_gap_h: int = 0
    optional: bool = False
    prompted: bool = True


class PrescribedExercise(Part):
    """An exercise at the rung the patient is on; `dose` is the resolved dose. One that is not `started` is not shown in any prompt."""

    exercise: Exercise
    rung: Key | None = None
    dose: Dose
    treated_side: Literal["left", "right", "both"] = "both"
    started: bool = True

    @property
    def eased(self) -> Dose:
        """The dose of the easier version; never more than a clinician's own dose for this patient."""
        easier, now = self.exercise.easier_dose, self.dose
        steps = [self.exercise.dose, *(rung.dose for rung in self.exercise.rungs)]
        if any(amounts(now) == amounts(step) for step in steps):
            return easier
        pairs = {name: (getattr(easier, name), getattr(now, name)) for name in ("sets", "reps", "hold_s", "dist_m", "effort_pct")}
        return easier.model_copy(update={name: min(pair) for name, pair in pairs.items() if None not in pair})

    @property
    def next_rung(self) -> Rung | None:
        """The rung that C0 may propose: the first one for an exercise not yet started; None at the top of the ladder."""
        ids = [rung.id for rung in self.exercise.rungs]
        index = ids.index(self.rung) + 1 if self.rung in ids else 0
        return self.exercise.rungs[index] if index < len(ids) else None


class Prescription(Part):
    """An immutable, resolved document: what one patient was prescribed, with the thresholds that judge it.

    Stored whole; a change is always a new one. `flare_plan` is None when the physio has not signed it. `thresholds` are the numbers that a
    clinician set for this patient, by dotted key; `rules` and `progression` hold them already.
    """

    plan_id: Key
    plan_version: str
    stage: Key
    stage_title: str
    slots: tuple[PrescribedSlot, ...]
    exercises: tuple[PrescribedExercise, ...]
    rules: Rules
    progression: ProgressionRule
    plyometric_unlock: ProgressionRule | None = None
    overdue_days: int
    advice_green: Text
    advice_amber: Text
    advice_red: Text
    flare_plan: Text | None = None
    rungs_preauthorised: bool = False
    thresholds: dict[str, int] = Field(default_factory=dict)
    plyometrics_unlocked: bool = False
    run_steps_open: tuple[int, int] | None = None
    run_step: int | None = None
    return_to_run: ReturnToRun | None = None

    def exercise(self, exercise_id: str) -> PrescribedExercise:
        """The prescribed exercise of that id. Raises KeyError when it is not prescribed."""
        for item in self.exercises:
            if item.exercise.id == exercise_id:
                return item
        raise KeyError(exercise_id)

    def for_day(self, slot_number: int, weekday: Weekday) -> tuple[PrescribedExercise, ...]:
        """The exercises of a slot on a weekday, extras included, in order, without those not yet started."""
        for slot in self.slots:
            if slot.number == slot_number:
                ids = list(slot.exercises)
                if slot.extra and weekday in slot.extra.days:
                    ids += slot.extra.exercises
                return tuple(item for item in map(self.exercise, ids) if item.started)
        raise KeyError(slot_number)


def prescribe(
    plan: CarePlan,
    stage_id: str,
    times: dict[int, time] | None = None,
    *,
    days: dict[int, tuple[Weekday, ...]] | None = None,
    own_prompt: frozenset[int] = frozenset(),
    flare_plan_signed: bool = False,
    rungs_preauthorised: bool = False,
    plyometrics_unlocked: bool = False,
    treated_side: Literal["left", "right", "both"] = "both",
    rungs: dict[str, str] | None = None,
) -> Prescription:
    """Resolve a stage of a plan into a prescription.

    `times` and `days` give the patient's local time and weekdays per slot number (the plan's otherwise); `own_prompt` names the slots
    that the patient asked to be messaged about separately; `rungs` maps exercise id to rung id (without it: the first rung). Locked slots
    are left out until unlocked; an exercise with `start_after` starts when `rungs` names it, or when its locked slot is unlocked.
    """
    stage = plan.stage(stage_id)
    wanted = [slot for slot in stage.slots if plyometrics_unlocked or not slot.locked]
    slots = tuple(_prescribed_slot(slot, times or {}, days or {}, own_prompt) for slot in wanted)
    return Prescription(
        plan_id=plan.id,
        plan_version=plan.version,
        stage=stage.id,
        stage_title=stage.title,
        slots=slots,
        exercises=_prescribed_exercises(plan, stage, slots, rungs or {}, treated_side),
        rules=plan.rules,
        progression=stage.progression,
        plyometric_unlock=stage.plyometric_unlock,
        overdue_days=stage.overdue_days,
        advice_green=stage.advice_green,
        advice_amber=stage.advice_amber,
        advice_red=stage.advice_red,
        flare_plan=plan.flare_plan if flare_plan_signed else None,
        rungs_preauthorised=rungs_preauthorised,
        plyometrics_unlocked=plyometrics_unlocked,
    )


def _prescribed_slot(
    slot: Slot, times: dict[int, time], days: dict[int, tuple[Weekday, ...]], own_prompt: frozenset[int]
) -> PrescribedSlot:
    return PrescribedSlot(
        **slot.model_dump(include={"number", "label", "exercises", "min_gap_h", "optional"}),
        days=days.get(slot.number, slot.days),
        extra=slot.extra,
        at=times.get(slot.number, slot.suggested_time),
        prompted=slot.prompted or slot.number in own_prompt,
    )


def _prescribed_exercises(
    plan: CarePlan, stage: Stage, slots: tuple[PrescribedSlot, ...], rungs: dict[str, str], side: Literal["left", "right", "both"]
) -> tuple[PrescribedExercise, ...]:
    wanted = {item for slot in slots for item in (*slot.exercises, *(slot.extra.exercises if slot.extra else ()))}
    unlocked = {item for slot in stage.slots if slot.locked for item in slot.exercises}
    known = [exercise for each in plan.stages for exercise in each.exercises if exercise.id in wanted]
    return tuple(_prescribed(item, rungs.get(item.id), side, opened=item.id in unlocked) for item in known)


def _prescribed(exercise: Exercise, rung_id: str | None, side: Literal["left", "right", "both"], *, opened: bool) -> PrescribedExercise:
    if exercise.start_after and not opened and rung_id is None:
        return PrescribedExercise(exercise=exercise, dose=exercise.dose, treated_side=side, started=False)
    for rung in exercise.rungs:
        if rung_id in (rung.id, None):
            return PrescribedExercise(exercise=exercise, rung=rung.id, dose=rung.dose, treated_side=side)
    return PrescribedExercise(exercise=exercise, dose=exercise.dose, treated_side=side)
