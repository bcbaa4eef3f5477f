"""The caseload: who needs the physio and why, most pressing first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from starlette.responses import Response

from bot_service.actions.notices import whose_patients
from bot_service.clinical.in_words import plural, sentence
from bot_service.storage import caseload, clinics, patients
from bot_service.storage.caseload import Listed
from bot_service.storage.database import Tx
from bot_service.web.access import Visit
from bot_service.web.attention import WANTS_SOMEBODY, Attention, Need, attention, due_words, needs_today
from bot_service.web.charts import Sparkline, sparkline
from bot_service.web.pages import page
from bot_service.web.recent import Figures, recent_figures
from bot_service.web.times import ago, local_day, moment, span, zone_words

ON_A_PAGE = 50
FILTERS: dict[str, tuple[str, frozenset[Need]]] = {
    "all": ("Everybody", frozenset(Need)),
    "needs": ("Needs somebody", WANTS_SOMEBODY),
    "steps": ("Ready for a step", frozenset({Need.STEP})),
    "quiet": ("Silent or unreachable", frozenset({Need.UNREACHABLE, Need.SILENT, Need.LOW})),
    "track": ("On track", frozenset({Need.ON_TRACK})),
    "away": ("Not started, paused or ended", frozenset({Need.WAITING, Need.AWAY})),
}


@dataclass(frozen=True)
class ReasonLine:
    """One reason as the row shows it."""

    tag: str
    label: str
    sentence: str
    waits: str
    due: str
    overdue: bool
    acknowledged: bool


@dataclass(frozen=True)
class Row:
    """One patient of the list."""

    ref: str
    name: str
    need: str
    physio: str
    reasons: tuple[ReasonLine, ...]
    more: int
    stage: str
    week: str
    adherence: str
    reply_rate: str
    pain: Sparkline | None
    heard: str


def show(visit: Visit) -> Response:
    """The list: red flags and one's own patients, all with `whose=team`; `show` filters, `q` searches, `page` turns pages."""
    member, now = visit.who, visit.service.clock.now()
    with visit.service.db.read() as tx:
        clinic = clinics.load_clinic(tx, member.clinic_id)
        everybody = caseload.list_patients(tx, clinic.id)
        mine = whose_patients(tx, member, now)
        own = [item for item in everybody if item.physio_id in mine]
        whose = visit.asked("whose") or ("mine" if own else "team")
        everything = _sorted(tx, clinic.id, everybody, now)
        if whose == "mine":  # a red flag is everybody's: its own clinician may be away
            everything = [pair for pair in everything if pair[0].physio_id in mine or pair[1].first.need is Need.RED_FLAG]
        listed = [item for item, _ in everything]
        if words := visit.asked("q"):
            listed = _matching(tx, clinic.id, listed, words)
        searched = {item.ref for item in listed}
        found = {item.ref: (item, seen) for item, seen in everything if item.ref in searched}
        chosen = visit.asked("show") if visit.asked("show") in FILTERS else "all"
        shown = [pair for pair in found.values() if pair[1].first.need in FILTERS[chosen][1]]
        number = _page_number(visit.asked("page"), len(shown))
        on_page = shown[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]
        names = caseload.load_names(tx, [item.patient_id for item, _ in on_page])
        figures = recent_figures(tx, [item for item, _ in on_page], now)
    return page(
        visit,
        "caseload.html",
        clinic=clinic.name,
        summary=summary([seen for _, seen in everything], now, clinic.zone),
        rows=[_row(visit, item, seen, names[item.patient_id], figures[item.ref], now, clinic.zone) for item, seen in on_page],
        whose=whose,
        has_own=bool(own),
        chosen=chosen,
        words=words,
        filters=[(key, label, _count(found.values(), needs)) for key, (label, needs) in FILTERS.items()],
        number=number,
        pages=max(1, -(-len(shown) // ON_A_PAGE)),
        total=len(shown),
        moment=f"{moment(now, clinic.zone)}, {zone_words(clinic.zone)}",
    )


def summary(found: Sequence[Attention], now: datetime, zone: str) -> str:
    """3 patients need you today; 2 are ready for a step. Says so when there is nothing to do."""
    today = sum(needs_today(seen, now, zone) for seen in found)
    steps = sum(any(reason.need is Need.STEP for reason in seen.reasons) for seen in found)
    later = sum(
        seen.first.need in WANTS_SOMEBODY and not needs_today(seen, now, zone) and seen.first.need is not Need.STEP for seen in found
    )
    parts = [f"{plural(today, 'patient')} {'needs' if today == 1 else 'need'} you today"] if today else []
    parts += [f"{steps} {'is' if steps == 1 else 'are'} ready for a step"] if steps else []
    parts += (
        [f"{later} can wait for a later day" if today or steps else f"{plural(later, 'patient')} can wait for a later day"] if later else []
    )
    if not parts:
        return "Nothing needs you today."
    return sentence("; ".join(parts)) if today else sentence("nothing is due today; " + "; ".join(parts))


def _matching(tx: Tx, clinic_id: UUID, listed: Sequence[Listed], words: str) -> list[Listed]:
    by_name = patients.find_by_name(tx, clinic_id, words)
    return [item for item in listed if item.patient_id in by_name or words.upper() in item.ref]


def _sorted(tx: Tx, clinic_id: UUID, listed: Sequence[Listed], now: datetime) -> list[tuple[Listed, Attention]]:
    cases, pending = caseload.list_open_cases(tx, clinic_id), caseload.list_pending(tx, clinic_id)
    holds, unreachable = caseload.list_holds(tx, clinic_id), caseload.list_unreachable(tx, clinic_id)
    found = [
        (
            item,
            attention(
                item,
                cases.get(item.episode_id, ()),
                pending.get(item.episode_id),
                holds.get(item.episode_id, ()),
                now,
                unreachable=item.patient_id in unreachable,
            ),
        )
        for item in listed
    ]
    return sorted(found, key=lambda pair: pair[1].order(pair[0].ref))


def _row(visit: Visit, item: Listed, seen: Attention, name: str, figures: Figures, now: datetime, zone: str) -> Row:
    stage = visit.service.library[item.plan_id].stage(item.stage).title if item.plan_id in visit.service.library else item.stage
    return Row(
        ref=item.ref,
        name=name,
        need=seen.first.need.name.lower(),
        physio=item.physio,
        reasons=tuple(
            ReasonLine(
                reason.need.name.lower(),
                reason.label,
                reason.sentence,
                span(now - reason.since) if reason.need in WANTS_SOMEBODY else "",
                due_words(reason.due_at, now, zone, at_once=reason.at_once),
                reason.due_at is not None and reason.due_at < now,
                reason.acknowledged,
            )
            for reason in seen.reasons[:2]
        ),
        more=max(0, len(seen.reasons) - 2),
        stage=stage,
        week="not started" if item.patient_status in ("invited", "asked") else f"week {_weeks(item, now)}",
        adherence=_percent(figures.adherence),
        reply_rate=_percent(figures.reply_rate),
        pain=sparkline(figures.pains),
        heard=ago(now, item.last_heard_at, item.zone) if item.last_heard_at else "never",
    )


def _weeks(item: Listed, now: datetime) -> int:
    return (local_day(now, item.zone) - item.stage_start).days // 7 + 1


def _percent(share: int | None) -> str:
    return "–" if share is None else f"{share} %"


def _count(found: object, needs: frozenset[Need]) -> int:
    return sum(seen.first.need in needs for _, seen in found)  # type: ignore[attr-defined]


def _page_number(text: str, total: int) -> int:
    last = max(1, -(-total // ON_A_PAGE))
    return min(max(1, int(text)), last) if text.isascii() and text.isdecimal() and len(text) < 7 else 1
