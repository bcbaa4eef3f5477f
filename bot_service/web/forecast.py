"""What the coming day brings: how many prompts fall due, and which patients in care get none, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bot_service.actions.histories import local_today, rhythm_in
from bot_service.storage import clinics, episodes, patients, prescriptions
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode, Hold
from bot_service.web.header import hold_words
from schedules.occurrences import next_occurrence
from schedules.rhythm import Rhythm

AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Forecast:
    """The next 24 hours of a clinic: prompts that fall due, and by reference why a patient in care gets none, and whose it is.

    `invited` is how many have not begun yet, who are neither.
    """

    prompts: int
    stuck: dict[str, str]
    patients: dict[str, UUID]
    invited: int


def forecast(tx: Tx, clinic_id: UUID, now: datetime) -> Forecast:
    """As things stand now; whatever is decided or answered until then changes it. The clinic is read at once, however large it is."""
    clinic, held, reachable = (
        clinics.load_clinic(tx, clinic_id), episodes.list_holds_of_clinic(tx, clinic_id), patients.list_reachable(tx, clinic_id)
    )  # fmt: skip
    stuck, of, going, invited = dict[str, str](), dict[str, UUID](), list[Episode](), 0
    for episode in episodes.list_of_clinic(tx, clinic_id):
        if episode.status != "active":
            continue
        if episode.patient_status in ("invited", "asked"):
            invited += 1
            continue
        why = _why_no_prompts(tx, episode, held.get(episode.id, ()), now, reached=episode.patient_id in reachable)
        if why is None:
            going.append(episode)
        else:
            stuck[episode.ref], of[episode.ref] = why, episode.patient_id
    plans = prescriptions.load_many(tx, [episode.prescription_id for episode in going])
    due = sum(_count_due(episode, rhythm_in(clinic, episode, plans[episode.prescription_id]), now) for episode in going)
    return Forecast(due, stuck, of, invited)


def _why_no_prompts(tx: Tx, episode: Episode, holds: Sequence[Hold], now: datetime, *, reached: bool) -> str | None:
    """Why a patient in care is not prompted at present; None when nothing stands in the way."""
    if episode.patient_status != "opted_in":
        return "Stopped all messages."
    today = local_today(now, episode.zone)
    held = next((hold for hold in holds if hold.covers(today)), None)
    if held is not None:
        return hold_words(held, episodes.why_held(tx, episode, held), today)
    return None if reached else "Cannot be reached in the chat."


def _count_due(episode: Episode, rhythm: Rhythm, now: datetime) -> int:
    """Every slot that comes up within a day, from the cursor on."""
    if episode.next_prompt_at is None or episode.next_prompt_day is None or episode.next_prompt_slot is None:
        return 0
    due_at, key, found = episode.next_prompt_at, (episode.next_prompt_day, episode.next_prompt_slot), 0
    while due_at <= now + AHEAD:
        found += 1
        following = next_occurrence(rhythm, key)
        if following is None:
            break
        due_at, key = following.due_at, (following.day, following.slot)
    return found
