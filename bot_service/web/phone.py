"""The simulated phones of the sample clinic: reading and writing as a patient does, and the clock that can be moved."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bot_service.actions.enrol import invite_again
from bot_service.clinical.in_words import plural
from bot_service.errors import NotFound
from bot_service.storage import clinics, inbox, patients, phones, transcripts
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Tx
from bot_service.storage.patients import Patient
from bot_service.storage.phones import Phone
from bot_service.web.access import Refused, Visit
from bot_service.web.chat import ChatDay, chat_days
from bot_service.web.pages import page
from bot_service.web.times import clock_time, day_words, local_day, long_day, zone_words

LONGEST_TEXT = 4096
STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
AHEAD = timedelta(days=14)
"""How far "next message" looks before it gives up."""


@dataclass
class Phones:
    """What only the phone page remembers, for as long as the process lives: what was looked at, and that one hand moves the clock.

    `nothing` is why no next message came, and on whose phone that was asked (the reference, empty for all), until something is done.
    """

    looked: dict[str, datetime] = field(default_factory=dict)
    since: datetime | None = None
    moving: asyncio.Lock = field(default_factory=asyncio.Lock)
    nothing: tuple[str, str] | None = None


@dataclass(frozen=True)
class ListedPhone:
    """A line of the list of phones."""

    ref: str
    name: str
    last: str
    at: str
    unread: bool


@dataclass(frozen=True)
class OpenPhone:
    """The phone in hand."""

    ref: str
    name: str
    status: str
    local: str
    days: tuple[ChatDay, ...]
    older: int
    invited: bool
    may_write: bool


def show_list(visit: Visit) -> Response:
    """All phones, none in hand."""
    return _render(visit, None)


def show_chat(visit: Visit) -> Response:
    """One phone in hand beside the others."""
    return _render(visit, visit.part("ref"))


async def move_clock(visit: Visit) -> Response:
    """Let time pass: to the next message, an hour, or a day."""
    service, step = visit.service, visit.form.get("step", "")
    async with _memory(visit).moving:
        _memory(visit).nothing = None
        if step == "next":
            why = await _to_next_message(visit, await run_in_threadpool(_in_hand, visit))
            _memory(visit).nothing = (str(visit.request.path_params.get("ref", "")).upper(), why) if why else None
        elif step in STEPS:
            await service.move_clock(service.clock.now() + STEPS[step])
        else:
            raise Refused("Choose how far the clock should move.", 400)
    return _back(visit)


async def say(visit: Visit) -> Response:
    """Write something. Whitespace alone is not sent, as on a real phone."""
    text = visit.form.get("text", "").strip()
    if len(text) > LONGEST_TEXT:
        raise Refused(f"A message holds {LONGEST_TEXT} characters at most. Go back and make it shorter.", 422)
    if text:
        await _hear(visit, {"kind": "text", "text": text, "message_id": f"own-{uuid4().hex}"})
    return _back(visit)


async def tap(visit: Visit) -> Response:
    """Tap a button under one of our messages."""
    data = visit.form.get("tap", "")
    if data:
        await _hear(visit, {"kind": "tap", "data": data, "reply_to": visit.form.get("message", "") or None})
    return _back(visit)


async def edit(visit: Visit) -> Response:
    """Change one's own message."""
    text, message = visit.form.get("text", "").strip()[:LONGEST_TEXT], visit.form.get("message", "")
    if text and message:
        await _hear(visit, {"kind": "edit", "text": text, "message_id": message})
    return _back(visit)


async def photo(visit: Visit) -> Response:
    """Send something that is not words."""
    await _hear(visit, {"kind": "media", "media": "photo", "message_id": f"own-{uuid4().hex}"})
    return _back(visit)


async def open_invitation(visit: Visit) -> Response:
    """Open the clinic's link. Only a hash of its code is kept, so the phone gets a fresh one, as if the clinic had sent it again."""

    def fresh() -> str:
        with visit.service.db.read() as tx:
            patient = _patient(tx, visit)
        return invite_again(visit.service.db, None, patient.id, visit.service.clock.now()).code

    await _hear(visit, {"kind": "text", "text": "", "code": await run_in_threadpool(fresh)})
    return _back(visit)


async def _hear(visit: Visit, said: Mapping[str, str | None]) -> None:
    _memory(visit).nothing = None
    sender, address = await run_in_threadpool(_line, visit)
    await visit.service.phone_did(sender, {"id": uuid4().hex, "address": address, **said})


async def _to_next_message(visit: Visit, patient_id: UUID | None) -> str:
    """Move from one planned message to the next until one arrives; on the way some turn out not to be needed. Why none came, if so."""
    service = visit.service
    end = service.clock.now() + AHEAD
    before = await run_in_threadpool(_arrival, visit, patient_id)
    stuck: datetime | None = None
    while (planned := await run_in_threadpool(_planned, visit, patient_id)) is not None and planned != stuck:
        await service.move_clock(max(min(end, planned), service.clock.now()))
        if await run_in_threadpool(_arrival, visit, patient_id) != before:
            return ""
        if service.clock.now() >= end:
            return f"No message came in {plural(AHEAD.days, 'day')}."
        stuck = planned  # still planned for the same moment: its sender takes nothing at present
    on = "any phone" if patient_id is None else "this phone"
    return (
        f"Nothing is due: no message is planned for {on}." if planned is None else "No message came: its sender takes nothing at present."
    )


def _arrival(visit: Visit, patient_id: UUID | None) -> datetime | None:
    with visit.service.db.read() as tx:
        return phones.last_arrival(tx, patient_id)


def _planned(visit: Visit, patient_id: UUID | None) -> datetime | None:
    with visit.service.db.read() as tx:
        return phones.next_message_at(tx, patient_id)


def _in_hand(visit: Visit) -> UUID | None:
    """The patient whose phone is open, if one is."""
    if "ref" not in visit.request.path_params:
        return None
    with visit.service.db.read() as tx:
        return _patient(tx, visit).id


def _render(visit: Visit, ref: str | None) -> Response:
    now, memory = visit.service.clock.now(), _memory(visit)
    memory.since = memory.since or now
    with visit.service.db.read() as tx:
        clinic = _clinic(tx, visit)
        if ref is not None:
            patient = patients.load_by_ref(tx, clinic.id, ref)
            memory.looked[patient.ref] = now
            ref = patient.ref
        found = phones.list_phones(tx, clinic.id)
        listed = [_listed(tx, phone, memory, now, clinic.zone) for phone in found]
        chosen = next((_open(tx, phone, now, whole=bool(visit.asked("all"))) for phone in found if phone.ref == ref), None)
    return page(
        visit,
        "phone.html",
        clinic=clinic.name,
        phones=listed,
        chosen=chosen,
        nothing=memory.nothing[1] if memory.nothing and memory.nothing[0] == (ref or "") else "",
        clock_action=f"/phone/{ref}/clock" if ref else "/phone/clock",
        clock_day=long_day(local_day(now, clinic.zone)),
        clock_time=clock_time(now, clinic.zone),
        clock_zone=zone_words(clinic.zone),
    )


def _listed(tx: Tx, phone: Phone, memory: Phones, now: datetime, clinic_zone: str) -> ListedPhone:
    latest = max((at for at in (phone.ours, phone.theirs) if at is not None), default=None)
    seen = memory.looked.get(phone.ref, memory.since or now)
    at = ""
    if latest is not None:
        today = local_day(latest, phone.zone) == local_day(now, phone.zone)
        at = clock_time(latest, phone.zone) if today else day_words(local_day(latest, phone.zone))
        at += f", {zone_words(phone.zone)}" if today and phone.zone != clinic_zone else ""
    words = {"invited": "Has an invitation"}.get(phone.status, "") if latest is None else phones.last_text(tx, phone)
    return ListedPhone(phone.ref, phone.name, words.partition("\n")[0][:90], at, phone.ours is not None and phone.ours > seen)


def _open(tx: Tx, phone: Phone, now: datetime, *, whole: bool) -> OpenPhone:
    shown = transcripts.list_shown(tx, phone.patient_id, only_received=True)
    days, older = chat_days(shown, inbox.list_of_patient(tx, phone.patient_id), phone.zone, now, whole=whole)
    linked = patients.find_active_address(tx, phone.patient_id) is not None
    return OpenPhone(
        ref=phone.ref,
        name=phone.name,
        status=phone.status,
        local=f"{day_words(local_day(now, phone.zone))}, {clock_time(now, phone.zone)}, {zone_words(phone.zone)}",
        days=tuple(days),
        older=older,
        invited=not linked,
        may_write=linked,
    )


def _line(visit: Visit) -> tuple[UUID, str]:
    """The sender that this phone talks to, and the phone's own address: where the patient is reached, else a fresh one."""
    with visit.service.db.read() as tx:
        patient = _patient(tx, visit)
        known = patients.find_active_address(tx, patient.id)
        if known is not None and known.sender_id in _simulators(visit):
            return known.sender_id, known.address
        sender = next(sender for sender in clinics.list_senders(tx) if sender.id in _simulators(visit))
        return sender.id, f"sim:{patient.ref}"


def _patient(tx: Tx, visit: Visit) -> Patient:
    """The patient of the path. Raises NotFound."""
    return patients.load_by_ref(tx, _clinic(tx, visit).id, visit.part("ref"))


def _clinic(tx: Tx, visit: Visit) -> Clinic:
    sender = next((sender for sender in clinics.list_senders(tx) if sender.id in _simulators(visit)), None)
    if sender is None:
        raise NotFound("no simulated phones here")
    return clinics.load_clinic(tx, sender.clinic_id)


def _simulators(visit: Visit) -> set[UUID]:
    return {sender for sender, channel in visit.service.channels.items() if channel.name == "simulator"}


def _memory(visit: Visit) -> Phones:
    found: Phones = visit.request.app.state.phones
    return found


def _back(visit: Visit) -> Response:
    ref = visit.request.path_params.get("ref")
    return RedirectResponse(f"/phone/{ref}#latest" if ref else "/phone", 303)
