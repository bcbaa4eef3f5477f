"""What sentences to a patient may mention: built from the clinic's settings and the episode, at the moment of sending."""

from __future__ import annotations

from datetime import datetime, time
from string import Template
from typing import Any
from zoneinfo import ZoneInfo

from bot_service.actions.histories import local_today, prescription_on
from bot_service.clinical.working_hours import DEFAULT_HOURS, WEEKDAYS, next_open
from bot_service.conversation.wording import SHIPPED, Voice, load_catalogue
from bot_service.storage import clinics, prescriptions, staff
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode

DEFAULTS: dict[str, Any] = {
    "emergency": "999",
    "urgent": "111",
    "crisis": "Samaritans on 116 123",
    "hours": DEFAULT_HOURS,
    "notice_remind_min": 60,
    "notice_deputy_min": 240,
    "notice_lead_days": 1,
    "notice_initials": False,
    "wording": {},
}
"""A clinic in the United Kingdom; every clinic sets its own (`clinical.md` section 4: 111 is the emergency number elsewhere)."""


def clinic_setting(clinic: Clinic, name: str) -> Any:
    """The clinic's own value, else the default."""
    return clinic.settings.get(name, DEFAULTS[name])


def offered_languages(clinic: Clinic) -> tuple[str, ...]:
    """The languages that a patient of the clinic can be given messages in, English first; all that there are unless it chose some."""
    chosen = clinic.settings.get("languages", SHIPPED)
    return tuple(sorted((code for code in SHIPPED if code in chosen), key=lambda code: (code != "en", code)))


def voice_for(tx: Tx, episode: Episode, now: datetime) -> Voice:
    """The voice for messages about this episode."""
    clinic = clinics.load_clinic(tx, episode.clinic_id)
    today = local_today(now, episode.zone)
    plan = prescriptions.load(tx, prescription_on(tx, episode, today))
    return Voice(
        language=episode.language,
        today=today,
        clinic=clinic.name,
        physio=staff.load(tx, episode.physio_id).name,
        emergency=clinic_setting(clinic, "emergency"),
        urgent=clinic_setting(clinic, "urgent"),
        crisis=clinic_setting(clinic, "crisis"),
        hours=hours_in_words(clinic, now, episode.language),
        prompt_at=prompt_time(plan.slots),
        prescription=plan,
        own_words=clinic_setting(clinic, "wording").get(load_catalogue(episode.language).language, {}),
    )


def prompt_time(slots: Any) -> time | None:
    """The time of the first slot that prompts."""
    return min((slot.at for slot in slots if slot.prompted), default=None)


def hours_in_words(clinic: Clinic, now: datetime, language: str) -> str:
    """When the team is next in, in the clinic's own time: "Monday at 08:00", or "today until 18:00" while it is open."""
    hours = clinic_setting(clinic, "hours")
    catalogue = load_catalogue(language)
    opens, is_open = next_open(now, hours, clinic.zone)
    local = opens.astimezone(ZoneInfo(clinic.zone))
    if is_open:
        return Template(catalogue.words["open_until"]).substitute(at=hours[WEEKDAYS[local.weekday()]][1])
    weekday = catalogue.weekdays[local.weekday()]
    day = catalogue.words["today"] if local.date() == now.astimezone(ZoneInfo(clinic.zone)).date() else weekday
    return Template(catalogue.words["opens_at"]).substitute(day=day, at=f"{local:%H:%M}")


def time_in_words(at: datetime, zone: str, now: datetime, language: str) -> str:
    """A moment as the patient's own day and time: "today at 18:00", "Thursday 26 November at 18:00"."""
    catalogue, local = load_catalogue(language), at.astimezone(ZoneInfo(zone))
    day = catalogue.date(local.date(), local_today(now, zone))
    return Template(catalogue.words["opens_at"]).substitute(day=day, at=f"{local:%H:%M}")
