"""Linking a chat to a patient, opting in and opting out."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from bot_service.actions.asked_again import ask_tomorrow, raise_left_open
from bot_service.actions.histories import local_today
from bot_service.actions.prompt import start_cursor
from bot_service.actions.reminders import plan_seen_again
from bot_service.actions.voices import voice_for
from bot_service.clinical.catalogue import UNREACHABLE
from bot_service.conversation.commands import without_slash
from bot_service.conversation.parsing import read
from bot_service.conversation.situation import Told
from bot_service.conversation.wording import render
from bot_service.messages import Inbound
from bot_service.storage import audit, cases, clinics, conversations, episodes, outbox, patients
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.inbox import Received
from bot_service.storage.patients import Address
from schedules.wall_time import instant

CONSENT_LINES: list[list[Any]] = [["consent", {}], ["not_watched", {}], ["consent_question", {}]]
REVIEW_AT_HOUR = 6
"""Local hour of the daily look at the rules that depend on time alone (default): before the clinic opens."""


def link_chat(tx: Tx, received: Received, inbound: Inbound, known: Address | None, now: datetime) -> Address | None:
    """Bind the chat that carries an invitation's code; None when it stays a stranger's, or is linked already."""
    code = inbound.start_code
    patient_id = patients.find_invited(tx, now, code) if code else None
    if code is None or patient_id is None:
        if known is not None and known.status != "left":
            return known
        if inbound.heard in ("text", "tap", "media"):
            say_to_stranger(tx, received, inbound, "code_not_known" if code else "stranger", now)
        return None
    episodes.find_of_patient(tx, patient_id, lock=True)  # before the invitation and the audit trail, as everybody does
    patient = patients.load(tx, patient_id)
    if patient.clinic_id != clinics.clinic_of_sender(tx, received.sender_id):
        # Another clinic's code: nothing crosses, and the code stays good for that clinic's own bot or number.
        say_to_stranger(tx, received, inbound, "code_not_known", now)
        return None
    others = known is not None and known.patient_id != patient_id
    # A chat of somebody else in care: never send two people's exercises to one phone unseen. The code stays good for the right phone.
    if (known is not None and others and not is_free(tx, known)) or patients.use_invitation(tx, now, code) is None:
        say_to_stranger(tx, received, inbound, "code_not_known", now)
        return None
    if known is None:
        address = patients.add_address(tx, now, patient, received.sender_id, inbound.address)
    elif others:
        address = patients.move_address(tx, known, patient)
    else:
        address = known
        patients.take_back_address(tx, known)
    outbox.redirect(tx, patient.id, received.sender_id)  # or what waits would wait for a bot that may be stopped
    audit.record(tx, now, "patient", "chat_linked", clinic_id=patient.clinic_id, subject_id=patient.id)
    return address


def is_free(tx: Tx, known: Address) -> bool:
    """Whether the chat's last patient has moved on, or their care has ended, whatever they said about messages."""
    if known.status == "left":
        return True
    episode = episodes.find_of_patient(tx, known.patient_id)
    return episode is None or episode.status != "active"


def refuse_group(tx: Tx, received: Received, inbound: Inbound, now: datetime) -> None:
    """Nobody is served where others read along: say so, once for ever, and keep nothing of what was said."""
    say_to_stranger(tx, received, inbound, "group_chat", now, once=True)


def opt_in(tx: Tx, episode: Episode, now: datetime) -> None:
    """The patient agreed: keep the words they agreed to, and start the schedule."""
    if not patients.set_status(tx, episode.patient_id, ("invited", "asked", "opted_out"), "opted_in", now):
        return
    if (case := cases.find_open(tx, episode, UNREACHABLE)) is not None:
        cases.close_case(tx, now, episode, case.id, "patient", "the patient started again")
    wording, _ = render({"lines": CONSENT_LINES}, voice_for(tx, episode, now))
    patients.record_consent(tx, episode.patient_id, wording)
    if episode.last_prompt_at is None and (today := local_today(now, episode.zone)) > episode.start_date:
        # Care begins with the agreement: days before it count neither as weeks of care nor as days in the stage.
        episodes.change(tx, episode.id, start_date=today, stage_start=today)
        episode = episodes.load(tx, episode.id)
    if episode.baseline is not None:
        start_schedule(tx, episode, now)
    else:
        ask_tomorrow(tx, episode, {"kind": "baseline"}, now)
        episodes.change(tx, episode.id, next_review_at=next_review(now, episode.zone))
    plan_seen_again(tx, episodes.load(tx, episode.id), now)
    audit.record(tx, now, "patient", "opted_in", clinic_id=episode.clinic_id, subject_id=episode.patient_id)


def start_schedule(tx: Tx, episode: Episode, now: datetime) -> None:
    """The first prompt is the next occurrence from now on, or one that can still come; the daily look begins tomorrow."""
    start_cursor(tx, episodes.load(tx, episode.id), now)
    episodes.change(tx, episode.id, next_review_at=next_review(now, episode.zone))


def next_review(now: datetime, zone: str) -> datetime:
    """Tomorrow's daily look, as UTC."""
    return instant(local_today(now, zone) + timedelta(days=1), time(REVIEW_AT_HOUR), zone)


def opt_out(tx: Tx, episode: Episode, now: datetime, *, declined: bool, said: UUID | None = None, unsent: UUID | None = None) -> None:
    """Stop everything that has not begun to go out; only an explicit START undoes it. The physio is told.

    `said` is the message in which the patient did so, `unsent` the one of ours that their provider refused for it.
    """
    if not patients.set_status(tx, episode.patient_id, ("invited", "asked", "opted_in", "discharged"), "opted_out", now):
        return
    if episode.status == "active":
        raise_left_open(tx, episode, now, said)
    outbox.cancel_waiting(tx, now, episode.patient_id, "the patient stopped all messages")
    conversations.close_all(tx, episode.id, now, "stopped")
    episodes.set_cursor(tx, episode.id, None)
    episodes.change(tx, episode.id, next_review_at=None)
    sentence = (
        "The patient declined the reminders." if declined else "The patient stopped all messages (STOP). Please get in touch another way."
    )
    if episode.status == "active":
        detail = {"occurred": now.date().isoformat()}
        raised = cases.Raised(UNREACHABLE, UNREACHABLE, "routine", sentence, detail, inbox_id=said, messages=(unsent,) if unsent else ())
        cases.raise_case(tx, now, episode, raised, None)
    audit.record(tx, now, "patient", "declined" if declined else "opted_out", clinic_id=episode.clinic_id, subject_id=episode.patient_id)


def stop_from_left_chat(tx: Tx, received: Received, inbound: Inbound, left: Address, now: datetime) -> bool:
    """Heed a STOP in a chat that its patient has left for another: it stops that one too. False when nothing was said of stopping.

    It is answered where it was said: in the other chat the window may have closed, and nothing may follow a STOP there.
    """
    episode = episodes.find_of_patient(tx, left.patient_id, lock=True)
    if inbound.heard != "text" or episode is None or episode.patient_status != "opted_in":
        return False
    said = read(without_slash(Told(text=inbound.text), episode.language).text, None, episode.language)
    if not said.stop and said.answer != "stop":
        return False
    opt_out(tx, episode, now, declined=False, said=received.id)
    lines: list[list[Any]] = [["goodbye", {}], *([["erasure_told", {}]] if said.erase else [])]
    say_to_stranger(tx, received, inbound, "goodbye", now, language=episode.language, lines=lines)
    return True


# fmt: off
def say_to_stranger(
    tx: Tx, received: Received, inbound: Inbound, key: str, now: datetime, *, once: bool = False, language: str = "en",
    lines: list[list[Any]] | None = None, kept: timedelta = timedelta(hours=1),
) -> None:
    # fmt: on
    """One sentence, or these lines, a day or for ever, to an address that is nobody's; not sent when they waited longer than `kept`."""
    sender = next(sender for sender in clinics.list_senders(tx) if sender.id == received.sender_id)
    day = "once" if once else now.date().isoformat()
    token = patients.address_hash(tx, inbound.address).hex()[:32]
    new_id: UUID = tx.new_id()
    outbox.queue(
        tx,
        now,
        clinic_id=sender.clinic_id,
        patient_id=None,
        episode_id=None,
        kind="notice",
        key=f"stranger:{sender.id}:{token}:{day}:{key}",
        due_at=now,
        expires_at=now + kept,
        content={"lines": lines or [[key, {}]], "language": language},
        lane="now",
        sender_id=sender.id,
        address=tx.seal_raw(f"outbox.address:{new_id}", inbound.address),
        new_id=new_id,
    )
