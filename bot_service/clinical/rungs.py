"""Rule C0: the next rung of an exercise's ladder is due after settled weeks at the present one."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

from bot_service.clinical.adherence import done_share
from bot_service.clinical.criteria import Criterion
from bot_service.clinical.in_words import percent, plural, short_day
from bot_service.clinical.pain import settled_day
from bot_service.clinical.record import LoadingDay, Record
from plans.model import PrescribedExercise, Prescription, Rung


def agreed_beforehand(item: PrescribedExercise, prescription: Prescription) -> bool:
    """Whether the next rung of this exercise is the patient's to take. Faster work stays a clinician's decision, always."""
    return prescription.rungs_preauthorised and item.exercise.type != "plyometric"


def due_rungs(record: Record) -> tuple[tuple[PrescribedExercise, Rung, tuple[Criterion, ...]], ...]:
    """Each prescribed exercise whose next rung is due, that rung, and the criteria it met; in the order of the prescription.

    Due means: every week of the set number of days at this rung had settled loading days and no other kind, session pain stayed in
    the green band (amber earns no credit), and at least the soft share of the scheduled days was done.
    """
    share = done_share(record, record.rules.deload.rung_settled_days)
    if share is None or 100 * share < record.rules.adherence_soft_pct:
        return ()
    found = []
    for item in record.prescription.exercises:
        rung = next_rung(item)
        criteria = _settled_at_rung(item, record, share) if rung else None
        if rung and criteria:
            found.append((item, rung, criteria))
    return tuple(found)


def has_climbed(prescription: Prescription) -> bool:
    """Whether any exercise stands above its first rung, so that there is a step to go back."""
    return any(item.rung is not None and item.rung != item.exercise.rungs[0].id for item in prescription.exercises)


def next_rung(item: PrescribedExercise) -> Rung | None:
    """The rung after the present one, None at the top; the first rung for an exercise that has not started."""
    rungs = item.exercise.rungs
    if not item.started:
        return rungs[0] if rungs else None
    return next((after for now, after in pairwise(rungs) if now.id == item.rung), None)


def _settled_at_rung(item: PrescribedExercise, record: Record, share: Fraction) -> tuple[Criterion, ...] | None:
    needed = record.rules.deload.rung_settled_days
    since = max(record.rung_since.get(item.exercise.id, record.stage_start), record.stage_start)
    if (record.today - since).days < needed:
        return None
    slots = {slot.number for slot in record.prescription.slots if _holds(slot.exercises, slot.extra.exercises if slot.extra else (), item)}
    first = record.today - timedelta(days=needed - 1)
    days = [day for day in record.loading_days if day.day >= first and slots & set(day.slots)]
    if not _every_week_settled(days, record, needed):
        return None
    rows = tuple(dict.fromkeys(row for day in days for row in day.evidence))
    return (
        Criterion("rung_days", f"At least {plural(needed, 'day')} at this rung", True, f"since {short_day(since)}", ()),
        Criterion("rung_settled", "Every week settled, session pain in the green band", True, plural(len(days), "loading day"), rows),
        Criterion("rung_adherence", f"Adherence {record.rules.adherence_soft_pct} % or more", True, f"{percent(share)} %", ()),
    )


def _every_week_settled(days: list[LoadingDay], record: Record, length: int) -> bool:
    """Whether no day was unsettled or above green, and each seven days back from today hold at least one settled day."""
    judged = [(day, settled_day(day, record.baseline, record.rules)) for day in days]
    if any(after is False or (day.pain or 0) > record.rules.session_pain.green_max for day, after in judged):
        return False
    weeks = {(record.today - day.day).days // 7 for day, after in judged if after}
    return len(weeks) * 7 >= length


def _holds(exercises: tuple[str, ...], extra: tuple[str, ...], item: PrescribedExercise) -> bool:
    return item.exercise.id in exercises or item.exercise.id in extra
