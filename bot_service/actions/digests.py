"""The digest of a day or a week for each member of staff: who needs them, what moved, how much was done, and what we did not send."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

from bot_service.actions.held_words import reason_in_words
from bot_service.actions.histories import load_record
from bot_service.actions.notices import chosen_ways, limits_of, whose_patients
from bot_service.actions.staff_messages import sealed
from bot_service.actions.voices import clinic_setting
from bot_service.clinical.adherence import done_share, reply_share
from bot_service.clinical.catalogue import RED_FLAG, RULES, rank
from bot_service.clinical.duty import Away, acts_for, told_at
from bot_service.clinical.flags import flags_for
from bot_service.clinical.in_words import percent, plural, short_day
from bot_service.clinical.needs import WANTS_SOMEBODY, leading_of
from bot_service.clinical.record import Record
from bot_service.clinical.working_hours import next_opening
from bot_service.conversation.notices import digest_text
from bot_service.storage import audit, cases, clinics, episodes, notices, outbox, reviews, staff, unsent
from bot_service.storage.cases import Case
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Database, Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.staff import Member
from bot_service.storage.standing import Part, Standings, Wanted, load_standings
from schedules.wall_time import instant

WEEK = 7
DIGEST, WEEKLY = "digest", "weekly"
KIND_WORDS = {"prompt": "exercise prompt", "check_in": "24-hour question", "nudge": "reminder", "news": "news of a decision"}
STATUS_WORDS = {"failed": "refused", "expired": "too late", "in_doubt": "nobody knows whether it arrived", "cancelled": "held back"}
MOST_LISTED = 40


@dataclass(frozen=True)
class Digest:
    """What one member is told. `waits`: whether anything asks for them; a daily digest in which nothing does is not sent."""

    member: Member
    subject: str
    lines: tuple[str, ...]
    waits: bool
    weekly: bool


@dataclass(frozen=True)
class View:
    """A clinic at one moment."""

    clinic: Clinic
    now: datetime
    today: date
    tonight: datetime
    in_care: dict[UUID, Episode]
    refs: dict[UUID, str]
    waiting: dict[UUID, list[Case]]
    steps: frozenset[UUID]
    names: dict[UUID, str]
    aways: Collection[Away]
    records: dict[UUID, Record] = field(default_factory=dict)
    """Those that were read so far: who covers for a colleague reads the same ones."""


def send_due(db: Database, now: datetime, public_url: str) -> int:
    """Queue the digests of the clinics whose time has come, and plan the next ones; how many were queued."""
    with db.read() as tx:
        due = notices.list_digests_due(tx, now)
    return sum(_send_of_clinic(db, clinic_id, due_at, now, public_url) for clinic_id, due_at in due)


def _send_of_clinic(db: Database, clinic_id: UUID, due_at: datetime | None, now: datetime, public_url: str) -> int:
    """One clinic's digests, put together in a read and queued in one short write; how many. A fault never keeps the next from its day."""
    found: list[Digest] = []
    openings: list[datetime | None] = []

    def look() -> None:
        clinic = clinics.load_clinic(tx, clinic_id)
        openings.append(next_opening(now, clinic_setting(clinic, "hours"), clinic.zone))
        if due_at is not None:
            found.extend(build_all(tx, clinic, now, weekly=_is_first_of_week(due_at, clinic)))

    with db.read() as tx:
        tx.shielded(look)
    with db.begin() as tx:
        following = next(iter(openings), None) or now + timedelta(days=1)
        if not notices.plan_digest(tx, clinic_id, due_at, following):
            return 0  # another worker was quicker
        clinic = clinics.load_clinic(tx, clinic_id)
        return sum(_send(tx, each, clinic, now, public_url) for each in found)


def send_now(db: Database, by: Member, members: Collection[UUID], now: datetime, public_url: str, *, weekly: bool) -> list[Member]:
    """Queue the digests of these members at once; who gets one."""
    with db.read() as tx:
        clinic = clinics.load_clinic(tx, by.clinic_id)
        found = [each for each in build_all(tx, clinic, now, weekly=weekly, asked=True) if each.member.id in members]
    with db.begin() as tx:
        told = [each.member for each in found if _send(tx, each, clinic, now, public_url, token=str(tx.new_id()))]
        audit.record(tx, now, by.email, "digest_sent", clinic_id=clinic.id, subject_id=clinic.id, detail={"members": len(told)})
    return told


def build_all(tx: Tx, clinic: Clinic, now: datetime, *, weekly: bool, asked: bool = False) -> list[Digest]:
    """The digest of every active member; unless `asked` for, of who wants one and is there, daily ones only when something waits."""
    view, senders = _look(tx, clinic, now), clinics.list_senders(tx)
    found = []
    for member in staff.list_of_clinic(tx, clinic.id):
        choices = notices.load_choices(tx, member.id)
        week = weekly and (asked or choices.weekly)
        there = acts_for(member.id, view.aways, view.today) == member.id and chosen_ways(tx, member.id, senders)
        wanted = asked or (there and (week or choices.daily))
        if member.status != "active" or not wanted:
            continue
        digest = build(tx, view, member, weekly=week)
        if asked or week or digest.waits:
            found.append(digest)
    return found


def build(tx: Tx, view: View, member: Member, *, weekly: bool) -> Digest:
    """One member's digest."""
    physios = whose_patients(tx, member, view.now)
    mine = [each for each in view.in_care.values() if each.physio_id in physios]
    records = _records(tx, view, mine)
    # Whom it names, in which order, and how many there are: as the caseload says it, of whom nobody looks after yet.
    wanted, part = Wanted(mine=physios, untaken=True, alone=True), Part(tuple(WANTS_SOMEBODY), 0, MOST_LISTED)
    standings = load_standings(tx, view.clinic.id, wanted, part, view.now, view.tonight)
    summary, waiting = standings.in_words(), _waiting(view, standings)
    late = _overdue(tx, view, member, mine)
    small = [f"- {view.in_care[key].ref}: {words}" for key, record in records.items() for words in _small(record)]
    lines = [summary, *waiting, *late, *(["", "For your information:", *small] if small else [])]
    if weekly:
        lines += _week(tx, view, mine, list(records.values()))
    day = f"{'week to ' if weekly else ''}{short_day(view.today)}"
    return Digest(member, f"Stepwise digest, {day}: {summary}", tuple(lines), bool(waiting or late or small), weekly)


def _records(tx: Tx, view: View, mine: Sequence[Episode]) -> dict[UUID, Record]:
    """What these patients' records say; a broken one keeps its own lines out of the digest and nothing else."""
    for each in mine:
        if each.next_prompt_at is not None and each.id not in view.records:
            tx.shielded(lambda each=each: view.records.update({each.id: load_record(tx, each, view.now)}))  # type: ignore[misc]  # bound now
    return {each.id: view.records[each.id] for each in mine if each.id in view.records}


def _look(tx: Tx, clinic: Clinic, now: datetime) -> View:
    today = now.astimezone(ZoneInfo(clinic.zone)).date()
    everybody = {each.id: each for each in episodes.list_of_clinic(tx, clinic.id)}
    in_care, refs = (
        {key: each for key, each in everybody.items() if each.status == "active"},
        {each.id: each.ref for each in everybody.values()},
    )
    open_cases = cases.list_open_of_clinic(tx, clinic.id)
    waiting = {key: [case for case in found if case.status == "open"] for key, found in open_cases.items()}
    steps = frozenset(reviews.list_pending_of_clinic(tx, clinic.id))
    names = {each.id: each.name for each in staff.list_of_clinic(tx, clinic.id)}
    tonight, aways = instant(today + timedelta(days=1), time(), clinic.zone), notices.list_aways(tx, clinic.id, today)
    return View(clinic, now, today, tonight, in_care, refs, waiting, steps, names, aways)


def _is_today(view: View, case: Case) -> bool:
    return case.case_key == RED_FLAG or (case.due_at is not None and case.due_at < view.tonight)


def _waiting(view: View, standings: Standings) -> list[str]:
    """A line for each patient with something unacknowledged or a step to decide on, the most pressing first."""
    lines = []
    for key in standings.episodes:
        waiting = sorted(view.waiting.get(key, ()), key=lambda case: (not _is_today(view, case), rank(case.rule)))
        words = [f"{_title(case)}{_due(view, case)}" for case in waiting] + (["ready for a step"] if key in view.steps else [])
        lines.append(f"- {view.refs[key]}: {'; '.join(words) or 'cannot be reached in the chat'}")
    more = standings.count(WANTS_SOMEBODY) - len(lines)
    return lines + ([f"- and {plural(more, 'more patient')}, in Stepwise"] if more > 0 else [])


def _title(case: Case) -> str:
    rule = leading_of(case.case_key, case.rule, case.reasons)
    words = RULES[rule].title if rule in RULES else "please look"
    return words[:1].lower() + words[1:]


def _due(view: View, case: Case) -> str:
    if case.due_at is None:
        return ""
    if case.due_at < view.now:
        return " (overdue)"
    return (
        " (due today)" if case.due_at < view.tonight else f" (due {short_day(case.due_at.astimezone(ZoneInfo(view.clinic.zone)).date())})"
    )


def _overdue(tx: Tx, view: View, member: Member, mine: Sequence[Episode]) -> list[str]:
    """For a deputy what is overdue in the clinic; for a lead what has been so for a working day. Not what is theirs anyway."""
    duty = notices.load_choices(tx, member.id).duty
    if duty is None:
        return []
    own, hours, limits = {each.id for each in mine}, clinic_setting(view.clinic, "hours"), limits_of(view.clinic)
    lines = []
    for key, found in view.waiting.items():
        for case in found if key in view.in_care and key not in own else ():
            late_at = case.due_at and (told_at("lead", case.due_at, limits, hours, view.clinic.zone) if duty == "lead" else case.due_at)
            if late_at is not None and late_at <= view.now:
                episode = view.in_care[key]
                lines.append(f"- {episode.ref} ({view.names.get(episode.physio_id, '?')}): {_title(case)} (overdue)")
    return ["", f"Overdue with nobody looking after it; you are {'clinic lead' if duty == 'lead' else 'deputy'}:", *lines] if lines else []


def _small(record: Record) -> list[str]:
    """What is a line here and no flag (`clinical.md` 0.13), of yesterday and today; a score is not named."""
    return [
        f"{RULES[flag.rule].title[:1].lower()}{RULES[flag.rule].title[1:]} on {short_day(flag.occurred)}"
        for flag in flags_for(record)
        if flag.digest_only and flag.rule == "A3" and flag.occurred >= record.today - timedelta(days=1)
    ]


def _week(tx: Tx, view: View, mine: Sequence[Episode], records: Sequence[Record]) -> list[str]:
    since = view.today - timedelta(days=WEEK)
    moved = [f"- {each.ref}: {each.stage} stage since {short_day(each.stage_start)}" for each in mine if _moved(each, since)]
    this, last = _ending(records, 1), _ending(records, 1 + WEEK)
    done = [_mean([done_share(each, WEEK) for each in week]) for week in (this, last)]
    answered = [_mean([reply_share(each, WEEK) for each in week]) for week in (this, last)]
    lines = ["", "Who moved:", *(moved or ["Nobody."]), "", "These seven days, and the seven before:"]
    lines += [f"Done of what was asked: {done[0]}, before {done[1]}.", f"Answered: {answered[0]}, before {answered[1]}."]
    found = unsent.count_of_episodes(tx, [each.id for each in mine], instant(since, time(), view.clinic.zone), view.now)
    counts = Counter[tuple[str, str]]()
    for each in found:
        words = reason_in_words(each.reason) or STATUS_WORDS.get(each.status, each.status)
        counts[KIND_WORDS.get(each.kind, "message"), words] += each.number
    kept = [f"- {plural(number, kind)}: {words}" for (kind, words), number in counts.most_common()]
    return [*lines, "", "What we did not send, or cannot be sure of:", *(kept or ["Nothing: all went out."])]


def _moved(episode: Episode, since: date) -> bool:
    return episode.stage_start > since and episode.patient_status == "opted_in" and episode.stage_start != episode.start_date


def _ending(records: Sequence[Record], days_ago: int) -> list[Record]:
    """The records as they ended so many days ago."""
    return [replace(each, today=each.today - timedelta(days=days_ago)) for each in records]


def _mean(shares: Sequence[Fraction | None]) -> str:
    """The mean over the patients of whom anything was asked."""
    known = [share for share in shares if share is not None]
    return f"{percent(sum(known, Fraction(0)) / len(known))} % over {plural(len(known), 'patient')}" if known else "nothing was asked"


def _is_first_of_week(due_at: datetime, clinic: Clinic) -> bool:
    """Whether no opening came before this one in its week."""
    zone = ZoneInfo(clinic.zone)
    day = due_at.astimezone(zone).date()
    monday = instant(day - timedelta(days=day.weekday()), time(), clinic.zone)
    return next_opening(monday - timedelta(seconds=1), clinic_setting(clinic, "hours"), clinic.zone) == due_at


def _send(tx: Tx, digest: Digest, clinic: Clinic, now: datetime, public_url: str, *, token: str = "") -> bool:
    """Queue a digest by the member's ways; False when nothing reaches them, or it was queued before."""
    kind = WEEKLY if digest.weekly else DIGEST
    today = now.astimezone(ZoneInfo(clinic.zone)).date().isoformat()
    text, queued = digest_text(digest.subject, digest.lines, f"{public_url}/"), False
    for sender_id in chosen_ways(tx, digest.member.id, clinics.list_senders(tx)):
        new_id = tx.new_id()
        queued |= outbox.queue(
            tx, now, new_id=new_id, clinic_id=clinic.id, patient_id=None, episode_id=None, staff_id=digest.member.id, kind=kind,
            key=f"{kind}:{digest.member.id}:{token or today}:{sender_id.int:032x}", due_at=now, expires_at=now + timedelta(hours=20),
            content=sealed(tx, new_id, text=text), sender_id=sender_id,
        )  # fmt: skip
    return queued
