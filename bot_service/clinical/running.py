"""Return to running inside the range that a clinician opened: when the next step may be offered, and what a hard run calls for."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Literal

from bot_service.clinical.criteria import Criterion
from bot_service.clinical.flare import eased_on
from bot_service.clinical.in_words import plural, sentence
from bot_service.clinical.pain import settled, settled_day
from bot_service.clinical.progression import BLOCKERS, Proposal
from bot_service.clinical.record import LoadingDay, Record, Session
from plans.running import RUN, RUN_SLOT, next_run_step, run_text

AfterRun = Literal["stay", "back", "wait"]


def due_step(record: Record, open_rules: Collection[str], declined: date | None = None) -> Proposal | None:
    """The next running step, if the patient may take it now: in the opened range, after enough settled runs at the present step.

    The last runs all have to be done and settled; a step that the patient `declined` on a local day comes again only after as many
    further ones. None while anything blocks progression.
    """
    course, step = record.prescription.return_to_run, next_run_step(record.prescription)
    if course is None or step is None or any(rule in BLOCKERS for rule in open_rules):
        return None
    since = max(record.rung_since.get(RUN, record.stage_start), declined or date.min)
    runs = [run for run in runs_of(record) if run.day >= since][-course.settled_runs_per_step :]
    days = {day.day: day for day in record.loading_days}
    if len(runs) < course.settled_runs_per_step or not all(_counts(run, days[run.day], record) for run in runs):
        return None
    evidence = tuple(dict.fromkeys(row for run in runs for row in days[run.day].evidence))
    settled_words = plural(len(runs), "settled run")
    return Proposal(
        rule=RUN,
        from_stage=record.stage,
        to_stage=None,
        sentence=sentence(f"running: {settled_words} at step {step - 1}; next step: {run_text(record.prescription, step)}"),
        criteria=(Criterion("settled_runs", f"{settled_words} at this step", True, f"step {step - 1}", evidence),),
        evidence=evidence,
        exercise=RUN,
        rung=str(step),
    )


def after_run(score: int, entry: str, day: date, slot: int | None, record: Record) -> AfterRun | None:
    """What a score about a run calls for: the physio first when severe, else the same step or the one before; None when all is well."""
    if record.prescription.run_step is None:
        return None
    if entry == "pain_during":
        hard = slot == RUN_SLOT and score > record.rules.pain_ceiling
        if hard and score >= record.rules.session_pain.severe_min:
            return "wait"
    else:
        hard = any(run.day == day for run in runs_of(record)) and settled(score, record.baseline, record.rules) is False
    if not hard:
        return None
    return "back" if record.prescription.run_step > 1 else "stay"


def runs_of(record: Record) -> list[Session]:
    """The runs done or partly done, oldest first."""
    return sorted((item for item in record.sessions if item.slot == RUN_SLOT and item.outcome != "not_done"), key=lambda item: item.day)


def _counts(run: Session, day: LoadingDay, record: Record) -> bool:
    """Whether a run speaks for the present step: all of it done, settled, and not in the easier version that shows the step before."""
    settled_well = settled_day(day, record.baseline, record.rules) is True
    return run.outcome == "done" and settled_well and not eased_on(record, run.day)
