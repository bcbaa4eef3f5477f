"""Who needs somebody, in which order, and why in words: pure decisions over what the caseload lists."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from bot_service.clinical.catalogue import UNREACHABLE, URGENCIES, rank
from bot_service.clinical.duty import STEPS, Step
from bot_service.clinical.in_words import plural
from bot_service.clinical.needs import Need, leading_of, need_of_case
from bot_service.storage.caseload import Listed, OpenCase, Pending
from bot_service.storage.cases import FOR_THE_LEAD, Case
from bot_service.storage.episodes import Episode, Hold
from bot_service.storage.pressing import UNHURRIED
from bot_service.web.times import day_words, local_day, moment, span

_CLIMBED: Mapping[Step, str] = {
    "remind": "Nobody has acknowledged this: a reminder went out.",
    "deputy": "Nobody has acknowledged this: the deputy has been told.",
}
_SAYS = {
    "seen_yes": "Patient says: was seen.",
    "seen_no": "Patient says: has not been seen yet.",
    "talked_yes": "Patient says: could talk to somebody.",
    "talked_no": "Patient says: has not talked to anybody yet.",
}
LABELS = {
    Need.RED_FLAG: "Red flag",
    Need.FLAG: "Review due",
    Need.STEP: "Progression due",
    Need.UNREACHABLE: "Unreachable",
    Need.SILENT: "Silent",
    Need.LOW: "Low adherence",
    Need.WAITING: "Not started",
    Need.ON_TRACK: "On track",
    Need.AWAY: "Paused or ended",
}


@dataclass(frozen=True)
class Reason:
    """One reason to look: what it is, in words, since when, by when, and whether somebody already looks after it."""

    need: Need
    label: str
    sentence: str
    since: datetime
    due_at: datetime | None = None
    acknowledged: bool = False
    urgency: int = UNHURRIED
    at_once: bool = False
    is_case: bool = False

    @property
    def pressing(self) -> tuple[object, ...]:
        """Sorting key: the need, then what nobody looks after, then what the lead must see, then what is overdue longest or due first."""
        due = self.due_at.timestamp() if self.due_at else float("inf")
        return (self.need, self.acknowledged, self.urgency >= 0, due, self.urgency, self.since.timestamp())


@dataclass(frozen=True)
class Attention:
    """Why a patient stands where they stand; the first reason sorts. `late`: something is overdue that nobody looks after."""

    reasons: tuple[Reason, ...]
    late: bool = False

    @property
    def first(self) -> Reason:
        return self.reasons[0]

    def order(self, ref: str) -> tuple[object, ...]:
        """Sorting key among patients; `storage/standing.py` says the same to the database."""
        untaken = self.first.need is Need.FLAG and not self.first.acknowledged
        place = 0 if self.first.need is Need.RED_FLAG else 1 if untaken else 2 if self.late else 3
        return (place, *self.first.pressing, ref)


def attention(item: Listed, cases: Sequence[OpenCase], pending: Sequence[Pending], holds: Sequence[Hold], now: datetime) -> Attention:
    """Everything there is to say about one patient, the most pressing first; never empty."""
    today = local_day(now, item.zone)
    heard = local_day(item.last_heard_at, item.zone) if item.last_heard_at else None
    found = [_of_case(case, today, heard) for case in cases]
    found += [Reason(Need.STEP, LABELS[Need.STEP], step.sentence, step.created_at) for step in pending]
    if item.unreachable and not any(case.case_key == UNREACHABLE for case in cases):
        found.append(Reason(Need.UNREACHABLE, "Unreachable", "Messages do not reach this patient.", item.last_heard_at or now))
    found.sort(key=lambda reason: reason.pressing)
    late = any(each.due_at is not None and each.due_at < now and not each.acknowledged for each in found)
    return Attention(tuple(found) or (_state(item, holds, today, now),), late)


def said(detail: Mapping[str, Any], today: date, heard: date | None) -> str:
    """What a rule says as of today: a corrected value first, silence counted up to now or to the day on which we `heard` again.

    What was so and no longer is says since when.
    """
    words = str(detail.get("corrected") or detail.get("sentence") or "")
    if "since" not in detail:
        return f"{words} No longer so since {day_words(date.fromisoformat(detail['over']))}." if "over" in detail else words
    since = date.fromisoformat(detail["since"])
    if heard is not None and heard > since:
        return f"{words} Wrote again on {day_words(heard)}."
    return f"{words} That was {plural((today - since).days, 'day')} ago."


def leading_rule(case: Case | OpenCase) -> str:
    """The rule that a case leads with: on the engagement case the most pressing of those that still hold."""
    return leading_of(case.case_key, case.rule, case.reasons)


def case_words(case: Case | OpenCase, today: date, heard: date | None) -> str:
    """What a case says first, as of today; what nobody has acknowledged in time begins with that."""
    words = said(case.reasons.get(leading_rule(case), {}), today, heard) or case.sentence
    return words if case.escalated_at is None else f"{FOR_THE_LEAD} {words}"


def climbed(case: OpenCase) -> str:
    """How far telling people about a case has come that nobody has acknowledged; the lead's turn stands in its words already."""
    if case.status != "open" or case.escalated_at is not None or not case.next_step:
        return ""
    return _CLIMBED.get(STEPS[case.next_step - 1], "")


def words_today(case: Case, episode: Episode, now: datetime) -> str:
    """The same for one episode's case at `now`."""
    heard = local_day(episode.last_heard_at, episode.zone) if episode.last_heard_at else None
    return case_words(case, local_day(now, episode.zone), heard)


def due_words(due_at: datetime | None, now: datetime, zone: str, *, at_once: bool = False) -> str:
    """due by Tue 29 Sep; due today; 2 days overdue. What is due `at_once` is due now, also while the clinic is closed until `due_at`."""
    if due_at is None:
        return ""
    if at_once and due_at > now:
        return f"due now, clinic closed until {moment(due_at, zone)}"
    if at_once and now - due_at < timedelta(hours=1):
        return "due now"
    if due_at < now:
        return f"{span(now - due_at)} overdue"
    day = local_day(due_at, zone)
    if day == local_day(now, zone):
        return "due today"
    return "due tomorrow" if day == local_day(now, zone) + timedelta(days=1) else f"due by {day_words(day)}"


def _of_case(case: OpenCase, today: date, heard: date | None) -> Reason:
    need = need_of_case(case.case_key, leading_rule(case), case.urgency)
    label = LABELS[need] if need is not Need.FLAG else FLAG_LABELS.get(case.rule, "Flag")
    words = case_words(case, today, heard)
    urgency = URGENCIES.index(case.urgency) if case.urgency in URGENCIES else len(URGENCIES)
    if case.escalated_at is not None:
        urgency = -1
    return Reason(
        need,
        label,
        f"{climbed(case)} {words} {_SAYS.get(case.says or '', '')}".strip(),
        case.opened_at,
        case.due_at,
        case.status == "acknowledged",
        urgency * 100 + rank(case.rule),
        case.urgency == "now",
        is_case=True,
    )


FLAG_LABELS = {
    "A3": "Pain in session",
    "A4": "Pain in session",
    "B3": "Worse next day",
    "B4": "Pain rising",
    "D2": "No change",
    "D3": "Not done",
    "D6": "Stage review",
    "D7": "Planned review",
    "E4": "Gap in loading",
    "X2": "Please read",
    "X3": "Message for you",
    "X4": "Safety question",
    "X5": "Usual pain unknown",
    "X6": "Physio first",
    "X7": "Erasure asked",
    "X8": "Something's wrong",
    "X9": "Not sent by us",
}


def _state(item: Listed, holds: Collection[Hold], today: date, now: datetime) -> Reason:
    """Where the patient stands when nothing asks for anybody."""
    if item.status != "active":
        return Reason(Need.AWAY, "Ended", "The episode of care has ended.", item.ended_at or now)
    if item.patient_status == "opted_out":
        return Reason(Need.AWAY, "Stopped", "The patient stopped all messages.", item.patient_status_at)
    if item.patient_status in ("invited", "asked"):
        words = "Invited, chat not opened yet." if item.patient_status == "invited" else "Opened the chat, has not agreed yet."
        return Reason(Need.WAITING, "Invited", words, item.patient_status_at)
    in_force = [hold for hold in holds if hold.covers(today)]
    if any(hold.kind == "lost_contact" for hold in in_force):
        return Reason(Need.SILENT, "Silent", "Prompts stopped after a week without a reply.", item.last_heard_at or now)
    if in_force:
        until = in_force[-1].until_day
        end = f"until {day_words(until)}" if until else "until resumed"
        label, words = _HELD.get(in_force[-1].kind, ("Paused", "On hold"))
        return Reason(Need.AWAY, label, f"{words} {end}.", now)
    if item.next_prompt_at is None:
        return Reason(Need.WAITING, "Waiting", "Agreed, but has not said how the usual pain is yet.", item.patient_status_at)
    return Reason(Need.ON_TRACK, "On track", "", now)


_HELD = {
    "pause": ("Paused", "Paused"),
    "red_flag": ("On hold", "On hold after a red flag"),
    "physio_first": ("On hold", "On hold: physio first"),
}
