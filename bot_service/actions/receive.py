"""A reply, from the stored update to what it changes: read once, decided purely, and carried out in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from bot_service.actions import window
from bot_service.actions.apply import apply_turn
from bot_service.actions.asked_again import still_to_follow
from bot_service.actions.consent import link_chat, refuse_group
from bot_service.actions.edited import answered, first_written, recorded_from
from bot_service.actions.histories import load_record, local_today
from bot_service.actions.left_chats import heed_left_chat
from bot_service.actions.news_first import as_told
from bot_service.actions.offers import still_open
from bot_service.actions.patient_cases import Heard
from bot_service.actions.staff_chats import take_from_staff
from bot_service.channels.channel import Channel
from bot_service.clinical.catalogue import RED_FLAG, UNREACHABLE
from bot_service.clock import real_now
from bot_service.conversation.situation import Answered, Asked, Close, Situation, Told, Turn
from bot_service.conversation.states import KINDS
from bot_service.conversation.tokens import parse_button
from bot_service.conversation.turn import take_turn
from bot_service.logs import log
from bot_service.messages import Inbound
from bot_service.storage import aliases, cases, conversations, entries, episodes, inbox, outbox, patients
from bot_service.storage.conversations import ABOUT_A_SESSION, WITHDRAWN, Question
from bot_service.storage.database import Database, Tx
from bot_service.storage.entries import Entry
from bot_service.storage.episodes import Episode, Hold
from bot_service.storage.inbox import Received
from bot_service.storage.patients import Address

CORRECTABLE = timedelta(hours=24)
"""How long "sorry, 3" reaches back (default)."""
MARK = "✓ "
LATE = timedelta(days=2)
"""How long after its time a question about a session can still be answered in words while a red flag holds the exercises (default)."""
_TO_THE_SECOND = timedelta(microseconds=1)
"""Providers tell whole seconds: what we asked in the very second was not read yet."""
ALBUM = timedelta(minutes=2)
"""Photos and the like that come within this time of each other are thanked for once (default)."""


@dataclass(frozen=True)
class Courtesy:
    """Best effort after the commit: answer a tap, and show the answer in the tapped message."""

    sender_id: UUID
    callback_id: str
    address: str
    message_id: str | None
    chosen: str
    marked: str = ""
    """The tapped question with the answer under it; empty when it is still open."""


def store(db: Database, sender_id: UUID, raw: Mapping[str, Any], channel: Channel, now: datetime, *, timed: bool = True) -> bool:
    """Keep an update before anybody acknowledges it; False when it was kept before or holds nothing for us.

    `timed` says whether the provider's times can be compared with `now`.
    """
    try:
        inbound = channel.parse(raw)
    except Exception as error:  # noqa: BLE001  # one update that cannot be read must never stop the others
        log().warning("unreadable update", sender=str(sender_id), error=type(error).__name__)
        unreadable = True
        inbound = None
    else:
        unreadable = False
    if inbound is None and not unreadable:
        return False
    with db.begin() as tx:
        return inbox.store(tx, now, sender_id, raw, inbound, timed=timed)


def receive_next(db: Database, channels: Mapping[UUID, Channel], now: datetime, failed: set[UUID]) -> tuple[bool, Courtesy | None]:
    """Handle the oldest update that waits: whether there was one, and the courtesy it asks for.

    One that fails goes into `failed`, so that it waits for the next tick while the others go on.
    """
    received: Received | None = None
    try:
        with db.begin() as tx:
            received = inbox.claim_next(tx, tuple(channels), failed)
            if received is None:
                return False, None
            inbound = channels[received.sender_id].parse(received.raw)
            if inbound is None:
                inbox.set_aside(tx, received.id, "nothing for us any more")
                return True, None
            return True, _receive(tx, received, inbound, now)
    except Exception as error:  # the second of two: a poison update is set aside after three tries, the rest go on
        if received is None:
            raise
        log().error("update not handled", inbox=str(received.id), error=type(error).__name__, attempt=received.attempts + 1)
        failed.add(received.id)
        with db.begin() as tx:
            inbox.record_failure(tx, received.id, type(error).__name__)
        return True, None


def _receive(tx: Tx, received: Received, inbound: Inbound, now: datetime) -> Courtesy | None:
    if inbound.heard == "group":
        refuse_group(tx, received, inbound, now)
        inbox.mark_handled(tx, received.id, now, inbound, None)
        return None
    if take_from_staff(tx, received, inbound, now, real_now()):
        inbox.mark_handled(tx, received.id, now, inbound, None)
        return None
    address = aliases.find_address(tx, received.sender_id, inbound.address, inbound.alias)
    if address is not None and address.status == "left" and heed_left_chat(tx, received, inbound, address, now):
        inbox.mark_handled(tx, received.id, now, inbound, (address.clinic_id, address.patient_id))
        return None
    if address is None or address.status == "left" or inbound.start_code:
        linked = link_chat(tx, received, inbound, address, now)
        if linked is None:
            inbox.mark_handled(tx, received.id, now, inbound, (address.clinic_id, address.patient_id) if address else None)
            return None
        address = linked
    episode = episodes.find_of_patient(tx, address.patient_id, lock=True)
    inbox.mark_handled(tx, received.id, now, inbound, (address.clinic_id, address.patient_id))
    if episode is None:
        return None
    if inbound.heard in ("blocked", "unblocked"):
        _blocked(tx, episode, address, received.id if inbound.heard == "blocked" else None, now)
        return None
    patients.mark_heard(tx, episode.patient_id, address.id, received.at)
    for name in (inbound.alias, inbound.address):  # either may be all that the next message, or the provider's list, names
        if name is not None and name != address.address:
            aliases.remember(tx, now, address, name)
    return _converse(tx, received, inbound, episode, address, now)


def _converse(tx: Tx, received: Received, inbound: Inbound, episode: Episode, address: Address, now: datetime) -> Courtesy | None:
    # What was done is judged at the time it was done, what is sent at the time it is sent. An edit's time is not that of its words.
    at = received.received_at if inbound.heard == "edit" else received.at
    current = entries.list_current(tx, episode)
    told, question = _told(tx, received, inbound, episode, current)
    if told.is_edit and not told.edited:  # nothing was recorded from it: it answers what was open when it was first written
        at = first_written(tx, episode, inbound.message_id, at)
    open_questions = _open_when(tx, episode, at - _TO_THE_SECOND if received.said_at else at, now)
    if question is not None and question.outbox_id is not None:
        outbox.prove_sent(tx, question.outbox_id, now)
    unseen = window.list_unseen(tx, episode, now)
    if inbound.heard == "tap" and question is None and window.is_worth_showing(tx, episode, unseen, now):
        turn = Turn()  # the button under a template: it asks for the message, and answers nothing
        outbox.prove_sent(tx, unseen[-1].id, now)
    else:
        situation = _situation(tx, episode, open_questions, current, at, now)
        if inbound.media is not None:
            situation = replace(situation, media_just_came=inbox.media_came(tx, episode.patient_id, received, ALBUM))
        turn = take_turn(told, situation)
    turn = window.without_the_question(turn) if unseen else turn
    chosen = apply_turn(tx, episode, turn, told, Heard(received.id, at), now)
    if unseen:
        window.show_unseen(tx, episodes.load(tx, episode.id), unseen, now)
    if inbound.callback_id is None:
        return None
    marked = _marked(inbound.shown, question, turn, chosen) if inbound.shown else ""
    return Courtesy(received.sender_id, inbound.callback_id, address.address, inbound.reply_to, chosen, marked)


def _open_when(tx: Tx, episode: Episode, at: datetime, now: datetime) -> list[Question]:
    """The questions that words written at that time may answer.

    While a red flag holds the exercises no younger question about a session comes, so one stays open for words as long as its buttons are
    likely to be tapped.
    """
    found = conversations.list_open_when(tx, episode.id, at)
    held = episodes.list_holds_in_force(tx, episode.id, local_today(now, episode.zone))
    if not any(hold.kind == "red_flag" for hold in held):
        return found
    known = {question.id for question in found}
    earlier = (each for each in conversations.list_open_when(tx, episode.id, at, LATE) if each.kind in ABOUT_A_SESSION)
    return [*found, *(question for question in earlier if question.id not in known)]


def _marked(shown: str, question: Question | None, turn: Turn, chosen: str) -> str:
    """The text of a question that this tap has answered, with the answer as its last paragraph in the place of an earlier one."""
    if question is None or Close(question.id) not in turn.effects:
        return ""
    before, border, last = shown.rpartition("\n\n")
    asked = before if border and last.startswith(MARK) else shown
    return f"{asked}\n\n{MARK}{chosen}" + ("/10" if chosen.isdecimal() and KINDS[question.kind].scored else "")


def _told(tx: Tx, received: Received, inbound: Inbound, episode: Episode, current: list[Entry]) -> tuple[Told, Question | None]:
    """What was done, with the question it belongs to: the tapped button's, else the one whose message was replied to."""
    if inbound.heard == "tap":
        button = parse_button(inbound.data)
        question = conversations.find(tx, episode.id, button[0]) if button else None
        if button is None or question is None:
            return Told(text=inbound.text), None
        return Told(tapped=_asked(question, received.received_at, episode.zone), answer=button[1]), question
    replied = conversations.find_by_message(tx, episode.id, inbound.reply_to) if inbound.reply_to else None
    edited: tuple[Answered, ...] = ()
    if inbound.heard == "edit" and inbound.message_id:
        edited = recorded_from(tx, episode, inbound.message_id, current, received.received_at)
    told = Told(
        text=inbound.text,
        replied_to=_asked(replied, received.received_at, episode.zone) if replied else None,
        edited=edited,
        is_edit=inbound.heard == "edit",
        media=inbound.media,
        started=inbound.start_code is not None or inbound.text.strip().startswith("/start"),
    )
    return told, replied


def _situation(tx: Tx, episode: Episode, open_questions: list[Question], current: list[Entry], at: datetime, now: datetime) -> Situation:
    """What the patient's words are read against: the day and the questions as they were when they were written, the rest as it is."""
    today = local_today(at, episode.zone)
    scored = [
        entry for entry in current if entry.score is not None and entry.confirmed and at - entry.at < CORRECTABLE and entry.staff_id is None
    ]
    open_flag = cases.find_open(tx, episode, RED_FLAG)
    red_flag = open_flag.reasons.get(RED_FLAG, {}) if open_flag else {}
    record, changes_on = as_told(tx, episode, load_record(tx, episode, at))
    holds = episodes.list_holds_in_force(tx, episode.id, local_today(now, episode.zone))
    return Situation(
        at=at,
        today=today,
        status=episode.patient_status if episode.status == "active" else "discharged",
        language=episode.language,
        open=tuple(_asked(question, now, episode.zone) for question in open_questions),
        last=answered(scored[-1]) if scored else None,
        record=record,
        baseline_known=episode.baseline is not None,
        safety_told=_told_today(red_flag, local_today(now, episode.zone)),
        red_flag=_told_about(red_flag),
        held=frozenset(_held_as(hold) for hold in holds),
        changes_on=changes_on,
        planned_pause=_planned_pause(tx, episode, local_today(now, episode.zone)),
        paused_until=_end_of([hold.until_day for hold in holds if hold.kind == "pause"]),
        refused=episode.patient_status == "opted_out" and _refused(tx, episode),
        ever_agreed=episode.patient_status != "opted_out" or patients.has_agreed(tx, episode.patient_id),
        day_is_over=local_today(now, episode.zone) > today,
        offers=still_open(tx, episode, record),
        measured=_measured(tx, episode, scored[-1].at if scored else None, at),
        followed=frozenset(each.slot for each in record.scheduled if each.day == today and each.exercises == "followed"),
    )


def _refused(tx: Tx, episode: Episode) -> bool:
    asked = conversations.find_latest(tx, episode.id, "consent")
    return asked is not None and asked.closed_why == "declined"


def _measured(tx: Tx, episode: Episode, scored_at: datetime | None, at: datetime) -> Answered | None:
    """The value of an outcome measure that a correction would be about: given in the last day, and after the last score."""
    since = max(at - CORRECTABLE, scored_at or at - CORRECTABLE)
    told = [(each.closed_at, each) for each in conversations.list_of_kinds(tx, episode.id, ("function", "global_change"))]
    recent = [(when, each) for when, each in told if when is not None and each.closed_why == "answered" and since <= when <= at]
    last = max(recent, key=itemgetter(0))[1] if recent else None
    return Answered(last.kind, last.day, last.slot, None, last.id) if last is not None and last.day is not None else None


def _planned_pause(tx: Tx, episode: Episode, today: date) -> tuple[date, date] | None:
    """The next pause of the patient's own that has not begun: its first day, and the day on which messages start again."""
    own = (each for each in episodes.list_holds(tx, episode.id) if each.kind == "pause" and each.placed_by == "patient")
    coming = (each for each in own if each.released_at is None and each.from_day > today)
    return min(((each.from_day, each.until_day) for each in coming if each.until_day), default=None)


def _end_of(ends: list[date | None]) -> date | None:
    """When the last of several pauses is over; None when one has no end, or there is none."""
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _held_as(hold: Hold) -> str:
    """A pause that the clinic placed is not the patient's to end."""
    return "clinic_pause" if hold.kind == "pause" and hold.placed_by != "patient" else hold.kind


def _told_about(red_flag: Mapping[str, Any]) -> str | None:
    """The tier of the open red flag, or `suicide`."""
    return "suicide" if red_flag.get("family") == "suicide" else red_flag.get("tier")


def _told_today(red_flag: Mapping[str, Any], today: date) -> frozenset[str]:
    """The tiers whose full text went out today, as the case remembers them."""
    return frozenset(tier for tier, day in red_flag.get("told", {}).items() if day == today.isoformat())


def _asked(question: Question, now: datetime, zone: str) -> Asked:
    """`now` may be later than the words that it is about: what waits for an answer is judged by when that can follow."""
    detail = still_to_follow(question.detail, now)
    if local_today(question.opened_at, zone) < local_today(now, zone):  # the exercises of a day that is over follow no answer
        detail = {name: value for name, value in detail.items() if name != "show"}
    return Asked(
        question.id,
        question.kind,
        question.day,
        question.slot,
        detail,
        question.asked_again,
        question.closed_at is None,
        question.closed_why == WITHDRAWN,
    )


def _blocked(tx: Tx, episode: Episode, address: Address, blocked: UUID | None, now: datetime) -> None:
    if blocked is None:
        patients.mark_heard(tx, episode.patient_id, address.id, now)
        return
    today = local_today(now, episode.zone)
    outbox.cancel_waiting(tx, now, episode.patient_id, "the patient blocked the chat")
    if patients.record_unreachable(tx, address.id, today):
        sentence = "The patient blocked this chat. Please get in touch another way."
        detail = {"occurred": today.isoformat()}
        cases.raise_case(tx, now, episode, cases.Raised(UNREACHABLE, UNREACHABLE, "three_days", sentence, detail, inbox_id=blocked), None)
