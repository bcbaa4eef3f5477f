"""The caseload: who needs the physio and why, most pressing first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response

from bot_service.actions.notices import whose_patients
from bot_service.clinical.needs import WANTS_SOMEBODY
from bot_service.storage import caseload, clinics, staff
from bot_service.storage.caseload import Listed
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Tx
from bot_service.storage.patients import count_of_clinic
from bot_service.storage.standing import Part, Standings, has_patients, load_standings
from bot_service.web.access import Visit
from bot_service.web.attention import Attention, attention, due_words
from bot_service.web.charts import Sparkline, sparkline
from bot_service.web.listing import FILTERS, GROUPS, WHOSE, Asked, Choices, choices, read_asked
from bot_service.web.pages import page
from bot_service.web.queue import Covers, covers_today, may_take
from bot_service.web.recent import Figures, recent_figures
from bot_service.web.times import ago, local_day, moment, waited, zone_words

ON_A_PAGE = 50


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
    physio_id: UUID
    physio: str
    cover: str
    own: bool
    has_case: bool
    reasons: tuple[ReasonLine, ...]
    more: int
    stage: str
    week: str
    adherence: str
    reply_rate: str
    pain: Sparkline | None
    heard: str


@dataclass(frozen=True)
class Group:
    """A group of patients as a link that shows only them."""

    key: str
    label: str
    count: int
    link: str
    chosen: bool


@dataclass(frozen=True)
class Empty:
    """What stands in the place of an empty list, and where to go on."""

    sentence: str
    link: str = ""
    label: str = ""


def show(visit: Visit) -> Response:
    """The list: red flags and one's own patients first, the team's or everybody's on request; groups, filters and search narrow it."""
    member, now = visit.who, visit.service.clock.now()
    with visit.service.db.read() as tx:
        clinic = clinics.load_clinic(tx, member.clinic_id)
        offered = _choices(visit, tx, clinic)
        mine = whose_patients(tx, member, now)
        has_own = has_patients(tx, mine)
        asked = read_asked(visit.request.query_params, offered, has_own=has_own)
        found, number = _look(tx, clinic, asked, mine, now)
        is_new = not found.counts and count_of_clinic(tx, clinic.id) == 0
        covers = covers_today(tx, clinic, now)
        rows = _rows(visit, tx, found.episodes, now, clinic.zone, covers)
    total = found.count(GROUPS[asked.show][1])
    return page(
        visit,
        "caseload.html",
        clinic=clinic.name,
        summary=found.in_words() if found.counts or not asked.narrowed else "Nobody was found. This says nothing of your other patients.",
        rows=rows,
        asked=asked,
        whose={key: label for key, label in WHOSE.items() if has_own or key != "mine"},
        groups=_groups(asked, found),
        filters=[(name, FILTERS[name], offered[name]) for name in FILTERS if name in offered],
        told=[offered[name][value] for name, value in asked.filters.items()],
        empty=None if rows else _empty(asked, is_new=is_new),
        number=number,
        pages=_pages(total),
        total=total,
        covers=covers.sentences,
        may_take=may_take(member) and asked.whose == "queue",
        taken=visit.asked("taken"),
        moment=f"{moment(now, clinic.zone)}, {zone_words(clinic.zone)}",
    )


def _look(tx: Tx, clinic: Clinic, asked: Asked, mine: Collection[UUID], now: datetime) -> tuple[Standings, int]:
    """Who stands where, and the number of the page that is shown: the last when there are fewer than asked for."""
    needs, number = GROUPS[asked.show][1], asked.page
    while True:
        part = Part(needs, (number - 1) * ON_A_PAGE, ON_A_PAGE)
        found = load_standings(tx, clinic.id, asked.wanted(mine, now), part, now, tonight(now, clinic.zone))
        if found.episodes or number == 1:
            return found, number
        number = _pages(found.count(needs))


def _pages(total: int) -> int:
    return max(1, -(-total // ON_A_PAGE))


def tonight(now: datetime, zone: str) -> datetime:
    """When the day ends there: what is due before then is due today."""
    return datetime.combine(local_day(now, zone) + timedelta(days=1), time(), ZoneInfo(zone))


def _choices(visit: Visit, tx: Tx, clinic: Clinic) -> Choices:
    channels = {sender.channel for sender in clinics.list_senders(tx) if sender.clinic_id == clinic.id}
    return choices(staff.list_of_clinic(tx, clinic.id), visit.service.library.values(), channels)


def _empty(asked: Asked, *, is_new: bool) -> Empty:
    """What an empty list means: that nothing needs doing, that nobody fits, or that there is nobody."""
    if is_new:
        return Empty("There are no patients yet.", "/enrol", "Enrol the first")
    if asked.narrowed:
        return Empty("No patient fits.", Asked(asked.whose).link(), "Show everybody")
    if asked.show != "all" and GROUPS[asked.show][1] <= WANTS_SOMEBODY:
        return Empty("Nothing needs doing: nobody is in this group.", Asked(asked.whose).link(), "Show everybody")
    if asked.show != "all":
        return Empty("Nobody is in this group.", Asked(asked.whose).link(), "Show everybody")
    if asked.whose == "queue":
        return Empty("Nothing waits: whoever needs somebody is being looked after.", Asked("team").link(), "Show the team's")
    if asked.whose == "mine":
        return Empty("Nothing needs doing: you have no patients in care.", Asked("team").link(), "Show the team's")
    return Empty("Nothing needs doing: nobody is in care.", Asked("all").link(), "Show those whose care has ended")


def _groups(asked: Asked, found: Standings) -> list[Group]:
    return [Group(key, label, found.count(needs), asked.link(show=key), key == asked.show) for key, (label, needs) in GROUPS.items()]


def _rows(visit: Visit, tx: Tx, ids: Sequence[UUID], now: datetime, zone: str, covers: Covers) -> list[Row]:
    """What the page says of these patients, in this order."""
    listed = caseload.list_patients(tx, ids)
    cases, pending, holds = caseload.list_open_cases(tx, ids), caseload.list_pending(tx, ids), caseload.list_holds(tx, ids)
    names = caseload.load_names(tx, [item.patient_id for item in listed.values()])
    figures = recent_figures(tx, listed.values(), now)
    found = ((listed[each], attention(listed[each], cases.get(each, ()), pending.get(each, ()), holds.get(each, ()), now)) for each in ids)
    told = ((item, seen, names[item.patient_id], figures[item.episode_id]) for item, seen in found)
    return [_row(visit, *each, now, zone, covers.of.get(each[0].physio_id, "")) for each in told]


def _row(visit: Visit, item: Listed, seen: Attention, name: str, figures: Figures, now: datetime, zone: str, cover: str) -> Row:
    return Row(
        ref=item.ref,
        name=name,
        need=seen.first.need.name.lower(),
        physio_id=item.physio_id,
        physio=item.physio,
        cover=cover,
        own=item.physio_id == visit.who.id,
        has_case=any(reason.is_case and not reason.acknowledged for reason in seen.reasons),
        reasons=tuple(
            ReasonLine(
                reason.need.name.lower(),
                reason.label,
                reason.sentence,
                waited(now, reason.since, zone) if reason.need in WANTS_SOMEBODY else "",
                due_words(reason.due_at, now, zone, at_once=reason.at_once),
                reason.due_at is not None and reason.due_at < now,
                reason.acknowledged,
            )
            for reason in seen.reasons[:2]
        ),
        more=max(0, len(seen.reasons) - 2),
        stage=figures.stage,
        week="not started" if item.patient_status in ("invited", "asked") else f"week {_weeks(item, now)}",
        adherence=_percent(figures.adherence),
        reply_rate=_percent(figures.reply_rate),
        pain=sparkline(figures.pains, figures.ceiling),
        heard=ago(now, item.last_heard_at, item.zone) if item.last_heard_at else "never",
    )


def _weeks(item: Listed, now: datetime) -> int:
    return (local_day(now, item.zone) - item.stage_start).days // 7 + 1


def _percent(share: int | None) -> str:
    return "–" if share is None else f"{share} %"
