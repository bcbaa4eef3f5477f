"""What the coming day brings: how many prompts fall due, and which patients in care get none, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bot_service.actions.histories import local_today, rhythm_of
from bot_service.storage import episodes, patients, prescriptions
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.web.header import hold_words
from schedules.occurrences import next_occurrence

AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Forecast:
    """The next 24 hours of a clinic: prompts that fall due, and by reference why a patient in care gets none, and whose it is."""

    prompts: int
    stuck: dict[str, str]
    patients: dict[str, UUID]


def forecast(tx: Tx, clinic_id: UUID, now: datetime) -> Forecast:
    """As things stand now; whatever is decided or answered until then changes it."""
    prompts, stuck, of = 0, dict[str, str](), dict[str, UUID]()
    for episode in episodes.list_of_clinic(tx, clinic_id):
        if episode.status != "active":
            continue
        why = why_no_prompts(tx, episode, now)
        if why is None:
            prompts += _count_due(tx, episode, now)
        else:
            stuck[episode.ref], of[episode.ref] = why, episode.patient_id
    return Forecast(prompts, stuck, of)


def why_no_prompts(tx: Tx, episode: Episode, now: datetime) -> str | None:
    """Why a patient in care is not prompted at present; None when nothing stands in the way."""
    if episode.patient_status != "opted_in":
        return {"opted_out": "stopped all messages", "asked": "has not agreed yet"}.get(
            episode.patient_status, "has not opened the invitation"
        )
    today = local_today(now, episode.zone)
    held = episodes.list_holds_in_force(tx, episode.id, today)
    if held:
        return hold_words(held[0], episodes.why_held(tx, episode, held[0]), today)
    address = patients.find_active_address(tx, episode.patient_id)
    return "cannot be reached in the chat" if address is None or address.status == "unreachable" else None


def _count_due(tx: Tx, episode: Episode, now: datetime) -> int:
    """Every slot that comes up within a day, from the cursor on."""
    if episode.next_prompt_at is None or episode.next_prompt_day is None or episode.next_prompt_slot is None:
        return 0
    rhythm = rhythm_of(prescriptions.load(tx, episode.prescription_id), episode.zone, episode.start_date)
    due_at, key, found = episode.next_prompt_at, (episode.next_prompt_day, episode.next_prompt_slot), 0
    while due_at <= now + AHEAD:
        found += 1
        following = next_occurrence(rhythm, key)
        if following is None:
            break
        due_at, key = following.due_at, (following.day, following.slot)
    return found
