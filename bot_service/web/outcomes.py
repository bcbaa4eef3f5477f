"""Outcome measures of a patient: what is due, what was measured, and what the change is worth."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from zoneinfo import ZoneInfo

from starlette.responses import RedirectResponse, Response

from bot_service.actions import care_record
from bot_service.actions.deciding import MAY_DECIDE, Decision
from bot_service.actions.histories import local_today
from bot_service.actions.measures_asked import last_asked
from bot_service.actions.viewing import record_view
from bot_service.clinical.outcome_measures import MEASURES, Measure, Value, change_words, due
from bot_service.errors import Conflict, NotFound
from bot_service.storage import care_records, staff
from bot_service.storage.care_records import Outcome
from bot_service.storage.conversations import Question
from bot_service.web.access import Visit
from bot_service.web.decisions import Unfit, day_posted, id_posted
from bot_service.web.episode import find
from bot_service.web.outcome_chart import OutcomeChart, outcome_chart
from bot_service.web.pages import page
from bot_service.web.times import long_day

IN_CHAT = "patient in chat"
"""Who entered a value that the patient told."""
_WHOLE = re.compile(r"[-−+]?[0-9]{1,3}")


@dataclass(frozen=True)
class Row:
    """One value as a line of the table."""

    id: str
    day: str
    value: int
    by: str


@dataclass(frozen=True)
class Series:
    """The values of one measure (of one activity), latest first, with a drawing of two or more; `side`: another has the other side."""

    title: str
    scale: str
    source: str
    change: str
    rows: tuple[Row, ...]
    chart: OutcomeChart | None
    side: bool


def show(visit: Visit) -> Response:
    """The page; that it was opened is in the audit trail like the patient's page."""
    now = visit.service.clock.now()
    with visit.service.db.read() as tx:
        patient, _ = find(tx, visit)
    record_view(visit.service.db, visit.who, patient, now)
    return _page(visit, "")


def record(visit: Visit) -> Response:
    """Enter a value, or take one back."""
    try:
        _carry_out(visit)
    except (Unfit, Conflict, NotFound) as error:
        words = str(error)
        return _page(visit, words[:1].upper() + words[1:].rstrip(".") + ".")
    return RedirectResponse(f"/patients/{visit.part('ref')}/outcomes?done=1", 303)


def _carry_out(visit: Visit) -> None:
    now, form, db = visit.service.clock.now(), visit.form, visit.service.db
    with db.read() as tx:
        _, episode = find(tx, visit)
    decision = Decision(visit.who, episode.id, "")
    if withdrawn := form.get("withdraw"):
        care_record.withdraw_outcome(db, decision, id_posted(withdrawn), now)
        return
    if (asking := form.get("ask")) is not None:
        care_record.ask_in_chat(db, decision, asking == "on", now)
        return
    text = form.get("value", "").strip()
    if text and not _WHOLE.fullmatch(text):
        raise Unfit("Write the value as a whole number.")
    value = int(text.replace("−", "-")) if text else None
    care_record.record_outcome(db, decision, form.get("measure", ""), form.get("activity", ""), value, day_posted(form.get("day", "")), now)


def _page(visit: Visit, trouble: str) -> Response:
    now = visit.service.clock.now()
    with visit.service.db.read() as tx:
        patient, episode = find(tx, visit)
        values = care_records.list_outcomes(tx, episode)
        names: dict[object, str] = {member.id: member.name for member in staff.list_of_clinic(tx, episode.clinic_id)}
        activities = [item for item in care_records.list_activities(tx, episode, "psfs") if item.stands]
        off, asked = care_records.find_off(tx, episode.id), last_asked(tx, episode)
    today = local_today(now, episode.zone)
    return page(
        visit,
        "outcomes.html",
        status=422 if trouble else 200,
        patient=patient,
        trouble=trouble,
        typed=visit.form if trouble else {},
        done=bool(visit.asked("done")) and not trouble,
        may_decide=visit.who.role in MAY_DECIDE and episode.status == "active",
        measures=list(MEASURES.values()),
        due=[
            f"{item.title}, for week {week}" for item, week in due(episode.start_date, today, [(each.measure, each.day) for each in values])
        ],
        groups=[list(found) for _, found in groupby(series_of(values, names), lambda item: item.title if not item.side else "")],
        today=today.isoformat(),
        activities=sorted(item.name for item in activities),
        unrated=[item for item in activities if item.name.casefold() not in {each.activity.casefold() for each in values}],
        off=off and long_day(off.astimezone(ZoneInfo(episode.zone)).date()),
        asked=asked and asked_words(asked, episode.zone),
    )


def asked_words(question: Question, zone: str) -> str:
    """What became of the question that was asked last."""
    became = {"answered": "answered", "not_now": "the patient would rather not now", "withdrawn": "taken back"}
    day = long_day(question.opened_at.astimezone(ZoneInfo(zone)).date())
    return f"Last asked on {day}: {became.get(question.closed_why or '', 'not answered yet')}."


def series_of(values: list[Outcome], names: Mapping[object, str]) -> list[Series]:
    """The values by measure and activity, in the order of the measures; `values` oldest first."""
    by_key: dict[tuple[str, str], list[Outcome]] = {}
    for item in values:
        by_key.setdefault((item.measure, item.activity.casefold()), []).append(item)
    order = list(MEASURES)
    keys = sorted(by_key, key=lambda key: (order.index(key[0]), key[1]))
    return [_series(MEASURES[key[0]], by_key[key], by_key.get((_OTHER_SIDE.get(key[0], ""), ""), []), names) for key in keys]


_OTHER_SIDE = {"bridges_left": "bridges_right", "bridges_right": "bridges_left"}


def _series(measure: Measure, values: list[Outcome], beside: list[Outcome], names: Mapping[object, str]) -> Series:
    told, other = ([Value(item.day, item.value) for item in found] for found in (values, beside))
    return Series(
        title=f"{measure.title}: {values[0].activity}" if measure.has_activity else measure.title,
        scale=f"{measure.low} to {measure.high}".replace("-", "−"),
        source=measure.source,
        change=change_words(measure, told),
        rows=tuple(
            Row(str(item.id), long_day(item.day), item.value, names.get(item.staff_id, "staff") if item.staff_id else IN_CHAT)
            for item in reversed(values)
        ),
        chart=outcome_chart(measure, told, other),
        side=bool(beside),
    )
