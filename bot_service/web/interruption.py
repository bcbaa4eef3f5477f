"""The page between a step up and its doing when pain is high: what speaks against it, a way back first, and a reason for going on."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from bot_service.actions.histories import load_record
from bot_service.clinical.record import LoadingDay, Record
from bot_service.web.access import Visit
from bot_service.web.episode import find
from bot_service.web.pages import page
from bot_service.web.times import long_day

DAYS = 8
"""Loading days shown, the latest ones (default)."""
_OWN = ("token", "despite", "back", "again")
_GO_ON = {"step_up": "Step up all the same", "approve": "Approve all the same"}


@dataclass(frozen=True)
class ScoredDay:
    """A loading day with its two scores as words; `high` where one is above the plan's ceiling."""

    day: str
    during: str
    after: str
    high: bool


def look_again(visit: Visit, found: tuple[str, ...]) -> Response:
    """The page, which carries on what was posted. A step that was meant all the same, but without a reason, is asked for one."""
    with visit.service.db.read() as tx:
        patient, episode = find(tx, visit)
        record = load_record(tx, episode, visit.service.clock.now())
    missing = bool(visit.form.get("again"))
    return page(
        visit,
        "interruption.html",
        status=422 if missing else 200,
        ref=patient.ref,
        name=patient.name,
        found=found,
        missing=missing,
        days=[_scored(day, record) for day in reversed(record.loading_days[-DAYS:])],
        ceiling=record.rules.pain_ceiling,
        path=visit.request.url.path,
        carried=[(name, text) for name, text in visit.form.items() if name not in _OWN],
        go_on=_GO_ON.get(visit.form.get("decision", ""), "Open running all the same"),
    )


def _scored(day: LoadingDay, record: Record) -> ScoredDay:
    high = max(day.pain or 0, day.pain_24h or 0) > record.rules.pain_ceiling
    return ScoredDay(long_day(day.day), _words(day.pain), _words(day.pain_24h), high)


def _words(score: int | None) -> str:
    return "–" if score is None else f"{score}/10"
