"""The last look before a message goes out: is it still wanted, allowed and true? Then it is rendered, and its question opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from bot_service.actions import pictures, window
from bot_service.actions.asked_again import look_for_words, no_longer_asked_again, with_open_safety
from bot_service.actions.check_ins import put_back_check_in
from bot_service.actions.histories import ANSWERED, HELD, load_record, local_day_span, local_today, rhythm_for
from bot_service.actions.looking import last_looked_at
from bot_service.actions.measures_asked import with_activities, without_measure
from bot_service.actions.news_first import goes_first, voice_as_told, waits_for_news
from bot_service.actions.plan_changes import with_changes
from bot_service.actions.prompt import asked_on, cap_of, exercises_only, opens_at, prompt_key
from bot_service.actions.reminders import no_longer_asked
from bot_service.actions.sealed_words import with_words
from bot_service.actions.staff_messages import prepare_for_staff
from bot_service.actions.versions import nothing_left, with_flare
from bot_service.actions.voices import voice_for
from bot_service.actions.withheld import unwanted_news
from bot_service.clinical.flare import severe_since
from bot_service.conversation.states import KINDS, MEASURED
from bot_service.conversation.tokens import button_data
from bot_service.conversation.wording import Rows, Voice, load_catalogue, render
from bot_service.messages import Button, Outbound
from bot_service.storage import check_ins, conversations, entries, episodes, inbox, outbox, patients, prescriptions
from bot_service.storage.conversations import Question
from bot_service.storage.database import Database, Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.outbox import CAPPED, NEVER_WENT_OUT, UNSOLICITED, Message
from bot_service.storage.patients import Address
from plans.model import Prescription
from plans.running import RUN_SLOT
from schedules.follow_ups import next_chance
from schedules.occurrences import instant
from schedules.quiet import is_quiet, out_of_quiet
from schedules.rhythm import Rhythm

AFTER_STOP = ("goodbye", "safety")
"""Kinds that may answer a patient who has stopped: the one confirmation, and one safety text to their own red-flag message."""
GIVE_WAY = ("check_in", "nudge")
"""Kinds that leave the day's places to the exercises still to come."""
STOPPED = "the patient stopped all messages"


@dataclass(frozen=True)
class _No:
    """Why a message does not go out now: its end state, or `due` again at another time."""

    status: str
    reason: str
    due_at: datetime | None = None


def prepare(db: Database, message_id: UUID, worker: str, now: datetime, lease_until: datetime) -> Outbound | None:
    """Move a claimed message to `sending`, with its text sealed and its question opened, in one commit. None when it does not go out."""
    with db.begin() as tx:
        # The episode first, as everybody locks it: what else goes out to this patient, or a STOP, is before or after, never at once.
        patient_id = outbox.find_patient(tx, message_id)
        episode = episodes.find_of_patient(tx, patient_id, lock=True) if patient_id else None
        message = outbox.load_claimed(tx, message_id, worker)
        if message is None:
            return None
        if message.staff_id is not None:
            return prepare_for_staff(tx, message, now, lease_until)
        if message.patient_id is None:
            return _to_stranger(tx, message, now, lease_until)
        address = patients.find_active_address(tx, message.patient_id)
        if episode is None or address is None:
            outbox.move(tx, message.id, ("claimed",), "failed", now, "no address for this patient")
            return None
        plan = prescriptions.load(tx, episode.prescription_id)
        if no := _blocked(tx, address) or _objection(tx, message, episode, plan, now):
            outbox.move(
                tx, message.id, ("claimed",), no.status, now, no.reason, **({"due_at": no.due_at, "late_since": None} if no.due_at else {})
            )
            if no.status in NEVER_WENT_OUT:
                put_back_check_in(tx, message, now)
            return None
        return _send(tx, message, episode, address, now, lease_until)


def may_begin(db: Database, message_id: UUID, worker: str, now: datetime, real_now: datetime) -> bool:
    """Whether a message that was prepared may still go out: this worker holds it, its time has not passed, the patient has not stopped."""
    with db.read() as tx:
        found = outbox.find_sending(tx, message_id, worker, real_now)
        if found is None or (found.is_unreachable and inbox.has_blocked(tx, found.patient_id, found.sender_id)):
            return False
    kind, patient_status = found.kind, found.patient_status
    if found.expires_at <= now:
        return False
    if kind in UNSOLICITED:
        return patient_status == "opted_in"
    return patient_status != "opted_out" or kind in AFTER_STOP


def _blocked(tx: Tx, address: Address) -> _No | None:
    """Whoever blocked the chat has said that they want nothing from it, until they let it in again or write."""
    if address.status != "unreachable" or not inbox.has_blocked(tx, address.patient_id, address.sender_id):
        return None
    return _No("cancelled", "the patient blocked the chat")


def has_stopped(episode: Episode, message: Message) -> bool:
    """Whether the patient has said STOP to such a message."""
    return episode.patient_status == "opted_out" and message.kind not in AFTER_STOP


def _objection(tx: Tx, message: Message, episode: Episode, plan: Prescription, now: datetime) -> _No | None:
    if message.expires_at <= now:
        return _No("expired", "too late to send")
    if has_stopped(episode, message):
        return _No("cancelled", STOPPED)
    if message.kind not in UNSOLICITED:
        return None
    if episode.patient_status != "opted_in" or episode.status != "active":
        return _No("cancelled", "not in care")
    return _unwanted(tx, message, episode, plan, now) or _at_a_bad_time(tx, message, episode, plan, now)


def _unwanted(tx: Tx, message: Message, episode: Episode, plan: Prescription, now: datetime) -> _No | None:
    """Held back, answered by now, or no longer what is prescribed."""
    held = [hold.kind for hold in episodes.list_holds_in_force(tx, episode.id, local_today(now, episode.zone))]
    if held and message.kind in ("prompt", "check_in", "nudge", "again"):
        return _No("cancelled", f"{HELD}: {held[0]}")
    if message.kind == "prompt" and not any(slot.number == message.slot and slot.prompted for slot in plan.slots):
        return _No("cancelled", "the prescription changed")
    if message.kind == "prompt" and message.slot == RUN_SLOT and _severe(tx, episode, now):
        return _No("cancelled", f"{HELD}: no run after severe pain before the physio has looked")
    if message.kind == "prompt" and message.day and nothing_left(tx, episode, plan, message.slot or 1, message.day, now):
        return _No("cancelled", f"{HELD}: its one exercise brought severe pain, and the physio has not looked")
    if message.kind in ("prompt", "nudge", "check_in") and _answered(tx, message, episode, plan):
        return _No("cancelled", ANSWERED)
    if message.kind == "nudge" and outbox.find_status(tx, prompt_key(episode, message.day, message.slot)) in NEVER_WENT_OUT:
        return _No("cancelled", "its prompt did not go out")  # nobody is reminded of what they were never sent
    if message.kind == "again" and (why := no_longer_asked_again(tx, message, episode, now)):
        return _No("cancelled", why)
    if message.kind == "seen" and (why := no_longer_asked(tx, episode)):
        return _No("cancelled", why)
    why = unwanted_news(tx, episode, message, now)
    return _No("cancelled", why) if why else None


def _severe(tx: Tx, episode: Episode, now: datetime) -> bool:
    record = load_record(tx, episode, now)
    return severe_since(record, last_looked_at(tx, episode, record)) is not None


def _at_a_bad_time(tx: Tx, message: Message, episode: Episode, plan: Prescription, now: datetime) -> _No | None:
    """Quiet hours bind what the patient did not choose a time for; the cap binds everything unsolicited."""
    rhythm = rhythm_for(tx, episode, plan)
    chosen = message.kind == "prompt" and is_quiet(message.due_at, rhythm)
    if not chosen and is_quiet(now, rhythm) and not goes_first(tx, message, now):
        later = out_of_quiet(now, rhythm, earlier=False)
        return _No("due", "waits for the end of quiet hours", later) if later < message.expires_at else _No("expired", "quiet hours")
    if message.kind == "prompt" and waits_for_news(tx, message, now):
        return _No("due", "the news of it goes first", now)
    if message.kind not in CAPPED:
        return None
    today = local_today(now, episode.zone)
    start, end = local_day_span(today, episode.zone)
    cap = cap_of(plan, rhythm)
    asked_already = message.kind == "check_in" and asked_on(tx, episode, today)
    coming = _still_to_come(rhythm, today, now) if message.kind in GIVE_WAY else []
    kept_free = message.kind == "nudge" and check_ins.is_waiting(tx, episode.id, end)  # a reminder leaves room for the day's question
    if not asked_already and outbox.count_capped(tx, episode.patient_id, start, end) + len(coming) + kept_free < cap:
        return None
    if message.kind == "prompt":
        return None  # One a day and slot by its key; the exercises come first, and follow-ups give way to them.
    another = next_chance(today, opens_at(message, plan), message.expires_at, rhythm, cap) if message.kind == "check_in" else None
    if message.kind == "check_in" and not asked_already:
        another = next((at for at in coming if at < message.expires_at), another)  # it rides on that prompt
    return _No("due", "one message a day", another) if another else _No("cancelled", "one message a day")


def _still_to_come(rhythm: Rhythm, today: date, now: datetime) -> list[datetime]:
    """When the rest of the day's prompts fall due, the next first."""
    return sorted(at for slot in rhythm.slots_on(today) if (at := instant(today, slot.at, rhythm.zone)) > now)


def _answered(tx: Tx, message: Message, episode: Episode, plan: Prescription) -> bool:
    """Whether the patient has said what a message would ask; there is one 24-hour question a day, whatever the slot, and a number that
    was told before its time had come does not answer it."""
    told = [entry for entry in entries.list_current(tx, episode) if entry.confirmed and entry.day == message.day]
    if message.kind == "check_in":
        return any(entry.kind == "pain_24h" and entry.at >= opens_at(message, plan) for entry in told)
    return any(entry.kind in ("session", "pain_during") and entry.slot == message.slot for entry in told)


def _send(tx: Tx, message: Message, episode: Episode, address: Address, now: datetime, lease_until: datetime) -> Outbound:
    message = _still_to_ask(tx, message, episode)
    _replace_questions(tx, message, episode, now)
    voice = voice_as_told(tx, message, episode, voice_for(tx, episode, now))
    says = without_measure(tx, episode, with_open_safety(tx, message, episode, now), now)
    content = with_activities(tx, episode, with_words(tx, episode, with_flare(tx, says, episode, voice.prescription, now)))
    content = with_changes(tx, content, voice.language)
    content = _with_question(tx, content, message, episode, now)
    text, rows = render(content, voice)
    by_template = window.needs_template(tx, message, address, now)
    shown = {} if by_template else pictures.shown_with(tx, content, episode, address.sender_id, now, lease_until)
    if by_template:
        text, rows = window.AS_TEMPLATE, []
    outbox.move(
        tx,
        message.id,
        ("claimed",),
        "sending",
        now,
        text=tx.seal(episode.patient_id, f"outbox.text:{message.id}", text),
        buttons=rows,
        prescription_id=episode.prescription_id,
        sender_id=address.sender_id,
        attempts=message.attempts + 1,
        lease_until=lease_until,
        sent_at=now,
        content=window.marked(message.content, stands_for=says if by_template else None) | _awaited(tx, content, message, episode),
    )
    return Outbound(
        str(message.id),
        str(address.sender_id),
        address.address,
        text,
        _buttons(rows),
        language=episode.language,
        hints=load_catalogue(episode.language).hints,
        valid_for=message.expires_at - now,
        **window.form_of(message, by_template=by_template, clinic=voice.clinic),
        **shown,
    )


def _still_to_ask(tx: Tx, message: Message, episode: Episode) -> Message:
    """A prompt that waited, without the 24-hour question that it would have asked, if that has its answer or its session was taken back."""
    ask = message.content.get("ask") or {}
    if message.kind != "prompt" or message.day is None or ask.get("kind") != "pain_24h":
        return message
    told = [each for each in entries.list_current(tx, episode) if each.confirmed and each.day.isoformat() == ask["day"]]
    done = [each.done_at for each in told if each.kind == "session" and each.done_at]
    opens = min(done, default=message.due_at) + timedelta(hours=prescriptions.load(tx, episode.prescription_id).rules.after_24h.window_h[0])
    asks = bool(done) and not any(each.kind == "pain_24h" and each.at >= opens for each in told)
    return message if asks else replace(message, content=exercises_only(message.day, message.slot))


def _replace_questions(tx: Tx, message: Message, episode: Episode, now: datetime) -> None:
    """Words from now on answer this message; the buttons of what was asked before stay good."""
    if message.kind == "prompt":
        conversations.close_all(tx, episode.id, now, "replaced", ("session", "session_pain"))
    if message.kind in UNSOLICITED:
        conversations.close_all(tx, episode.id, now, "replaced", MEASURED)


def _with_question(tx: Tx, content: Mapping[str, Any], message: Message, episode: Episode, now: datetime) -> Mapping[str, Any]:
    """Open the question that the message asks, unless it only asks again; one that it asks `also`, without buttons, as the older one."""
    ask = content.get("ask")
    if not ask:
        return content
    if ask.get("again"):
        return {**content, "ask": {**ask, "question": ask["again"]}}
    if also := content.get("also"):
        _open(tx, also, message, episode, now - timedelta(microseconds=1))
    question = _open(tx, ask, message, episode, now)
    if question.kind == "what_is_wrong":
        look_for_words(tx, episode, now)
    return {**content, "ask": {**ask, "question": str(question.id)}}


def _open(tx: Tx, ask: Mapping[str, Any], message: Message, episode: Episode, now: datetime) -> Question:
    day = datetime.fromisoformat(ask["day"]).date() if ask.get("day") else None
    question = Question(
        id=tx.new_id(),
        episode_id=episode.id,
        outbox_id=message.id,
        kind=ask["kind"],
        day=day,
        slot=ask.get("slot"),
        detail=ask.get("detail") or {},
        opened_at=now,
        expires_at=now + KINDS[ask["kind"]].open_for,
        closed_at=None,
        closed_why=None,
        asked_again=0,
    )
    conversations.open_question(tx, question, episode.clinic_id)
    return question


def _awaited(tx: Tx, content: Mapping[str, Any], message: Message, episode: Episode) -> dict[str, str]:
    """The mark of a prompt that shows no exercises yet; what it announced has followed once another message shows it."""
    shown = [values for key, values in content.get("lines", ()) if key == "exercises"]
    for values in shown:
        check_ins.record_followed(tx, prompt_key(episode, date.fromisoformat(values["day"]), values["slot"]))
    return {outbox.AWAITED: "yes"} if message.kind == "prompt" and not shown else {}


def _to_stranger(tx: Tx, message: Message, now: datetime, lease_until: datetime) -> Outbound | None:
    """An answer to an address that belongs to nobody: one fixed sentence."""
    if message.expires_at <= now or message.sender_id is None:
        outbox.move(tx, message.id, ("claimed",), "expired", now, "too late to send")
        return None
    address = tx.unseal_raw(f"outbox.address:{message.id}", outbox.load_address(tx, message.id))
    voice = Voice(message.content.get("language", "en"), now.date(), "", "", "", "", "", "")
    text, _ = render(message.content, voice)
    outbox.move(tx, message.id, ("claimed",), "sending", now, attempts=message.attempts + 1, lease_until=lease_until, sent_at=now)
    return Outbound(str(message.id), str(message.sender_id), address, text, valid_for=message.expires_at - now)


def _buttons(rows: Rows) -> tuple[tuple[Button, ...], ...]:
    return tuple(tuple(Button(cell["label"], button_data(UUID(cell["question"]), cell["answer"])) for cell in row) for row in rows)
