"""Plan what falls due: claim the episodes whose cursor has come, put one prompt per local day and slot in line, move the cursor."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from bot_service.actions.histories import HELD, TOO_SOON, last_done_at, local_day_span, rhythm_for, sessions_of
from bot_service.storage import check_ins, entries, episodes, outbox, patients, prescriptions, waves
from bot_service.storage.check_ins import MERGED
from bot_service.storage.database import Database, Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.outbox import Message
from plans.model import Prescription
from plans.running import RUN_SLOT
from schedules.follow_ups import daily_cap, local_day, next_chance, nudge_time, out_of_quiet
from schedules.occurrences import Occurrence, expires_at, instant, next_occurrence
from schedules.rhythm import Rhythm
from schedules.spreading import minutes_needed, time_later

Waves = dict[UUID, waves.Wave]
BATCH = 50
GAP_TOLERANCE = timedelta(hours=3)
"""A prompt comes at the same time of day, sessions a little later: that much less than the gap is still the gap (default)."""
SET_ASIDE = timedelta(hours=1)
"""When an episode that cannot be planned is tried again; the others must not wait for it (default)."""
MOST_MISSED = 400
"""Occurrences caught up in one go; more than a year of downtime would take several ticks."""


def queue_due_prompts(db: Database, now: datetime, limit: int = BATCH) -> int:
    """Queue the prompts of up to `limit` episodes whose cursor is due; how many episodes there were."""
    with db.begin() as tx:
        due, crowded = episodes.claim_due_prompts(tx, now, limit), dict[datetime, Waves]()
        for episode in due:
            if not tx.shielded(lambda episode=episode: _queue_for(tx, episode, now, crowded)):  # type: ignore[misc]  # bound now
                episodes.change(tx, episode.id, next_prompt_at=now + SET_ASIDE)
    return len(due)


def move_cursor(tx: Tx, episode: Episode, now: datetime) -> None:
    """Set the cursor anew: after opt-in, another time or zone, a new prescription. Never back to a day that has come up before."""
    episodes.set_cursor(tx, episode.id, next_under(tx, episode, prescriptions.load(tx, episode.prescription_id), now))


def next_under(tx: Tx, episode: Episode, plan: Prescription, now: datetime) -> Occurrence | None:
    """The prompt that would come next if `plan` were prescribed now: it may be a later one of a day that has begun. None without any."""
    after = (episode.last_prompt_day, episode.last_prompt_slot) if episode.last_prompt_day and episode.last_prompt_slot else None
    last_due = {episode.last_prompt_slot: episode.last_prompt_at} if episode.last_prompt_slot and episode.last_prompt_at else None
    return next_occurrence(rhythm_for(tx, episode, plan), after, not_before=now, last_due=last_due)


def start_cursor(tx: Tx, episode: Episode, now: datetime) -> None:
    """Set the cursor for the first time: one whose time has come since the patient agreed, while we waited for an answer, still comes."""
    rhythm = rhythm_for(tx, episode, prescriptions.load(tx, episode.prescription_id))
    since = max(episode.patient_status_at, now - rhythm.expires_after)
    first = next_occurrence(rhythm, None, not_before=since)
    if episode.last_prompt_at is not None or first is None or expires_at(first, rhythm) <= now:
        move_cursor(tx, episode, now)
    else:
        episodes.set_cursor(tx, episode.id, first)


def prompt_key(episode: Episode, day: date | None, slot: int | None) -> str:
    """The occurrence key of a prompt: one for each patient, local day and slot, ever."""
    return f"prompt:{episode.patient_id}:{day}:{slot}"


def _queue_for(tx: Tx, episode: Episode, now: datetime, crowded: dict[datetime, Waves]) -> None:
    plan = prescriptions.load(tx, episode.prescription_id)
    rhythm = rhythm_for(tx, episode, plan)
    occurrence: Occurrence | None = _cursor(episode)
    planned: list[Occurrence] = []
    while occurrence is not None and occurrence.due_at <= now and len(planned) < MOST_MISSED:
        planned.append(occurrence)
        occurrence = next_occurrence(rhythm, occurrence.key)
    alive = [item for item in planned if expires_at(item, rhythm) > now]
    for item in planned:
        # After an outage at most one prompt reaches a patient: the latest that is still of use.
        why = "not sent in time: the service was not running" if item not in alive else "a later prompt took its place"
        is_wanted = bool(alive) and item is alive[-1]
        later = _time_later(tx, episode, item, expires_at(item, rhythm), crowded) if is_wanted else timedelta(0)
        _queue_one(tx, episode, plan, rhythm, item, now, None if is_wanted else why, later)
    episodes.set_cursor(tx, episode.id, occurrence, planned[-1] if planned else None)


def _time_later(tx: Tx, episode: Episode, item: Occurrence, expires: datetime, crowded: dict[datetime, Waves]) -> timedelta:
    """Where more prompts fall due at once than leave within a minute, a patient's own share of the wait; never before the chosen time."""
    if item.due_at not in crowded:
        found = waves.find_waves(tx, item.due_at).items()
        crowded[item.due_at] = {sender: wave for sender, wave in found if minutes_needed(wave.prompts, wave.per_s) > 1}
    address = patients.find_active_address(tx, episode.patient_id) if crowded[item.due_at] else None
    wave = crowded[item.due_at].get(address.sender_id) if address else None
    return time_later(episode.patient_id, wave.prompts, wave.per_s, (expires - item.due_at) / 2) if wave else timedelta(0)


# fmt: off
def _queue_one(
    tx: Tx, episode: Episode, plan: Prescription, rhythm: Rhythm, item: Occurrence, now: datetime, expired: str | None, later: timedelta
) -> None:
    # fmt: on
    status, reason, not_before = "due", None, None
    if held := episodes.list_holds_in_force(tx, episode.id, item.day):
        status, reason = "cancelled", f"{HELD}: {held[0].kind}"
    elif expired:
        status, reason = "expired", expired
    elif start := _earliest_start(tx, episode, plan, item):
        if start.date() > item.day:
            status, reason = "cancelled", TOO_SOON
        not_before = start.strftime("%H:%M")
    message_id = tx.new_id()
    asked = _merge_check_ins(tx, episode, plan, rhythm, item, message_id, now) if status == "due" else None
    if asked is not None:
        item = replace(item, due_at=asked.at)
    content = _content(item, not_before, asked) if status == "due" else {}
    queued = queue_for_patient(
        tx, episode, now, "prompt", prompt_key(episode, item.day, item.slot), item.due_at + later, expires_at(item, rhythm), content,
        day=item.day, slot=item.slot, status=status, reason=reason, new_id=message_id,
    )  # fmt: skip
    if queued and status == "due":
        _plan_nudge(tx, episode, plan, rhythm, item, now)


class _Asked(NamedTuple):
    """The session that a prompt asks about first, and when: at the prompt's own time, unless it `waited` since that was too early."""

    day: date | None
    slot: int | None
    at: datetime
    waited: bool
    which: dict[str, str]


def _content(item: Occurrence, not_before: str | None, asked: _Asked | None) -> dict[str, Any]:
    """The prompt, or the 24-hour question with the exercises to follow when both fall due together."""
    if asked is not None:
        day = (asked.day or item.day).isoformat()
        about = {"kind": "pain_24h", "day": day, "slot": asked.slot or 1, "detail": {"show": item.slot}}
        waited = [["later_than_usual", {}]] if asked.waited else []
        follow = ["exercises_follow", {"day": item.day.isoformat(), "slot": item.slot}]
        return {"lines": [["ask_24h", {"day": day, **asked.which}], *waited, follow], "ask": about}
    return exercises_only(item.day, item.slot, not_before)


def exercises_only(day: date, slot: int | None, not_before: str | None = None) -> dict[str, Any]:
    """What a prompt says and asks that carries no other question."""
    exercises = {"day": day.isoformat(), "slot": slot} | ({"not_before": not_before} if not_before else {})
    return {"lines": [["prompt_intro", {}], ["exercises", exercises]], "ask": {"kind": "session", "day": day.isoformat(), "slot": slot}}


# fmt: off
def _merge_check_ins(
    tx: Tx, episode: Episode, plan: Prescription, rhythm: Rhythm, item: Occurrence, message_id: UUID, now: datetime
) -> _Asked | None:
    # fmt: on
    """Take the waiting 24-hour questions into this prompt: the latest one is asked, none is sent by itself.

    One that falls due later comes along when this is the day's last message. One about a session less than 16 hours ago does so only if
    no other day is left for it, and then the prompt waits for those hours to be over (`clinical.md` 0.4).
    """
    if asked_on(tx, episode, item.day):
        return None
    waiting = [each for each in outbox.find_waiting(tx, episode.id, "check_in") if each.expires_at > item.due_at]
    opens = {each.id: opens_at(each, plan) for each in waiting}
    is_last, cap = _takes_the_last_message(plan, rhythm, item), cap_of(plan, rhythm)
    chosen = [each for each in waiting if opens[each.id] <= item.due_at and (is_last or each.due_at <= item.due_at)]
    if not chosen and is_last:
        chosen = [each for each in waiting if next_chance(item.day, opens[each.id], each.expires_at, rhythm, cap) is None]
    at = {each.id: _put_at(opens[each.id], item, rhythm) for each in chosen}
    # Another replica may have begun to send one: that one is asked by itself.
    merged = [
        each
        for each in chosen
        if local_day(at[each.id], rhythm.zone) == item.day
        and outbox.move(tx, each.id, ("due", "claimed"), "cancelled", now, f"{MERGED}{message_id}")
    ]
    latest = max(merged, key=lambda each: (each.day or item.day, each.slot or 0), default=None)
    if latest is None:
        return None
    said = latest.content["lines"][0][1]  # which of the sessions of a day with several it is about
    return _Asked(latest.day, latest.slot, at[latest.id], at[latest.id] > item.due_at, {"at": said["at"]} if "at" in said else {})


def _put_at(opens: datetime, item: Occurrence, rhythm: Rhythm) -> datetime:
    """When the prompt asks: at its own time, or when it may, outside quiet hours."""
    return item.due_at if opens <= item.due_at else out_of_quiet(opens, rhythm, earlier=False)


def opens_at(check_in: Message, plan: Prescription) -> datetime:
    """From when a 24-hour question may be put."""
    low, high = plan.rules.after_24h.window_h
    return check_in.expires_at - timedelta(hours=high - low)


def cap_of(plan: Prescription, rhythm: Rhythm) -> int:
    """How many messages of our own accord a local day may have (`clinical.md` 0.12)."""
    return max(plan.rules.delivery.messages_a_day, daily_cap(rhythm))


def _takes_the_last_message(plan: Prescription, rhythm: Rhythm, item: Occurrence) -> bool:
    """Whether nothing unsolicited may follow this prompt on its local day."""
    today = rhythm.slots_on(item.day)
    is_latest = all(instant(item.day, slot.at, rhythm.zone) <= item.due_at for slot in today)
    return is_latest and len(today) >= cap_of(plan, rhythm)


def asked_on(tx: Tx, episode: Episode, day: date) -> bool:
    """Whether a 24-hour question went out on that local day: there is at most one a day (`clinical.md` 0.4)."""
    return check_ins.count_asked(tx, episode.id, *local_day_span(day, episode.zone)) > 0


def _earliest_start(tx: Tx, episode: Episode, plan: Prescription, item: Occurrence) -> datetime | None:
    """When the gap since the last session is over, if that is later than the prompt; in the patient's local time."""
    gap = next((slot.min_gap_h for slot in plan.slots if slot.number == item.slot), 0)
    if not gap:
        return None
    current = [entry for entry in entries.list_current(tx, episode) if entry.confirmed]
    found = sessions_of(tx, current, episode.prescription_id)
    last = last_done_at(found, runs=item.slot == RUN_SLOT)
    if last is None or last + timedelta(hours=gap) - GAP_TOLERANCE <= item.due_at:
        return None
    return (last + timedelta(hours=gap)).astimezone(ZoneInfo(episode.zone))


def _plan_nudge(tx: Tx, episode: Episode, plan: Prescription, rhythm: Rhythm, item: Occurrence, now: datetime) -> None:
    delivery, review = plan.rules.delivery, plan.rules.review
    silent = (now - (episode.last_heard_at or now)).days
    if silent >= review.no_nudge_after_silent_days or item.slot == RUN_SLOT:
        return
    chosen = max(delivery.messages_a_day, min(2, len(rhythm.slots_on(item.day))))
    at = nudge_time(item, rhythm, timedelta(minutes=delivery.nudge_after_min), chosen, 1)
    if at is None:
        return
    day = item.day.isoformat()
    content = {"lines": [["nudge", {"day": day}]], "ask": {"kind": "session", "day": day, "slot": item.slot}}
    expires = at + timedelta(minutes=delivery.expires_after_min)
    queue_for_patient(
        tx, episode, now, "nudge", f"nudge:{episode.patient_id}:{item.day}:{item.slot}", at, expires, content, day=item.day, slot=item.slot
    )


def queue_for_patient(
    tx: Tx, episode: Episode, now: datetime, kind: str, key: str, due_at: datetime, expires: datetime, content: dict[str, Any], **more: Any
) -> bool:
    """Put a message for an episode's patient in line, by the way the patient is reached now; False when its key was used before."""
    address = patients.find_active_address(tx, episode.patient_id)
    return outbox.queue(
        tx,
        now,
        clinic_id=episode.clinic_id,
        patient_id=episode.patient_id,
        episode_id=episode.id,
        kind=kind,
        key=key,
        due_at=due_at,
        expires_at=expires,
        content=content,
        prescription_id=episode.prescription_id,
        sender_id=address.sender_id if address else None,
        **more,
    )


def _cursor(episode: Episode) -> Occurrence | None:
    if episode.next_prompt_at is None or episode.next_prompt_day is None or episode.next_prompt_slot is None:
        return None
    return Occurrence(episode.next_prompt_day, episode.next_prompt_slot, episode.next_prompt_at, episode.next_prompt_zone or episode.zone)
