"""Writing to a patient, on a page of its own: whether the message can arrive now, the draft, and what was said before."""

from __future__ import annotations

from datetime import datetime

from starlette.responses import RedirectResponse, Response

from bot_service.actions.deciding import MAY_DECIDE
from bot_service.actions.histories import rhythm_for
from bot_service.actions.window import WINDOW, WITH_A_WINDOW
from bot_service.storage import clinics, entries, inbox, patients, prescriptions, receipts, transcripts
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.web.access import Visit
from bot_service.web.episode import Trouble, find
from bot_service.web.evidence import Notes
from bot_service.web.header import CHANNELS, header_of
from bot_service.web.pages import page
from bot_service.web.times import moment, zone_words
from bot_service.web.transcript import transcript
from schedules.quiet import quiet_period


def still_writing(visit: Visit, trouble: Trouble) -> Response:
    """The page again with the draft, and why it was not sent."""
    return writing(visit, trouble.typed.get("words", ""), "", trouble)


def writing(visit: Visit, draft: str, done: str, trouble: Trouble | None = None) -> Response:
    """The page; to the patient's own where nobody may write."""
    now = visit.service.clock.now()
    with visit.service.db.read() as tx:
        patient, episode = find(tx, visit)
        clinic = clinics.load_clinic(tx, episode.clinic_id)
        header = header_of(tx, patient, episode, clinic, now)
        said = inbox.list_of_patient(tx, patient.id)
        notes = Notes(entries.list_all(tx, episode), said, episode.zone)
        shown = transcripts.list_shown(tx, patient.id)
        arrives = _arrives(tx, episode, clinic.zone, now)
    if trouble is None and (visit.who.role not in MAY_DECIDE or not header.can_write):
        return RedirectResponse(f"/patients/{patient.ref}", 303)
    return page(
        visit,
        "message.html",
        status=trouble.status if trouble else 200,
        header=header,
        draft=draft,
        done=done,
        trouble=trouble,
        arrives=arrives,
        waiting=[],
        patient_zone=zone_words(patient.zone),
        transcript=transcript(shown, said, notes, episode.zone, whole=False, unneeded=False),
    )


def _arrives(tx: Tx, episode: Episode, zone: str, now: datetime) -> str:
    """Whether free words can arrive now, and when they go out if not at once."""
    address = patients.find_active_address(tx, episode.patient_id)
    if address is None:
        return "No chat is linked, so nothing can arrive."
    channel = receipts.channel_of(tx, address.sender_id) or ""
    quiet = quiet_period(now, rhythm_for(tx, episode, prescriptions.load(tx, episode.prescription_id)))
    later = f" The patient has quiet hours now: it goes out on {moment(quiet[1], zone)}." if quiet else ""
    if channel not in WITH_A_WINDOW:
        return f"On {CHANNELS.get(channel, channel)} a message can arrive at any time.{later}"
    if address.last_inbound_at is not None and now - address.last_inbound_at < WINDOW:
        return f"WhatsApp's window for free messages is open until {moment(address.last_inbound_at + WINDOW, zone)}.{later}"
    return f"WhatsApp's window for free messages is closed: the patient gets a neutral message, and your words when they answer it.{later}"
