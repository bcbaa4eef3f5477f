"""What an admin sets for a whole clinic: quiet hours, languages, the plan's numbers, and some messages' wording; each in the trail."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, time
from typing import Any
from uuid import UUID

from bot_service.actions.prescribing import clinic_numbers
from bot_service.actions.stale import Fields, check_fresh
from bot_service.actions.team import check_admin
from bot_service.actions.treating import physios_of
from bot_service.actions.voices import clinic_setting, offered_languages
from bot_service.conversation.own_words import OWN_TEXTS, wording_problems
from bot_service.conversation.wording import SHIPPED, load_catalogue
from bot_service.errors import Conflict, NotFound
from bot_service.storage import audit, clinics
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Database, Tx
from bot_service.storage.staff import Member
from plans.editing import OF_CLINIC, Unfit, number_findings, threshold
from plans.model import CarePlan

SHORTEST_DAY_H = 8
"""Hours a day that must stay outside quiet hours: later questions and reminders would find no time (default)."""


def quiet_fields(clinic: Clinic) -> Fields:
    """What the form of quiet hours shows."""
    return dict(zip(("from", "until"), clinic.settings.get("quiet") or ("", ""), strict=True))


def language_fields(clinic: Clinic) -> Fields:
    """What the form of languages shows."""
    return {f"language-{code}": "yes" if code in offered_languages(clinic) else "" for code in SHIPPED}


def number_fields(clinic: Clinic, plan: CarePlan) -> Fields:
    """What the form of a plan's thresholds shows."""
    own = clinic_numbers(clinic, plan)
    return {f"own-{key}": str(own.get(key, "")) for key in OF_CLINIC}


def wording_fields(clinic: Clinic, language: str, key: str) -> Fields:
    """What the form of one sentence shows: the clinic's words, else the product's."""
    own = clinic_setting(clinic, "wording").get(language, {}).get(key)
    return {"words": (own or load_catalogue(language).texts[key]).strip()}


def set_quiet(db: Database, by: Member, first: str, last: str, now: datetime, showed: Fields | None = None) -> None:
    """No message of its own accord between these times, in each patient's zone; both empty: the plan's.

    Raises Conflict, Stale, NotPermitted.
    """
    quiet = None
    if first.strip() or last.strip():
        try:
            begins, ends = time.fromisoformat(first.strip()), time.fromisoformat(last.strip())
        except ValueError:
            raise Conflict("write both times, as 21:00 and 08:00, or neither for the plan's own") from None
        open_min = (begins.hour * 60 + begins.minute - ends.hour * 60 - ends.minute) % (24 * 60) or 24 * 60
        if open_min < SHORTEST_DAY_H * 60:
            raise Conflict(f"leave at least {SHORTEST_DAY_H} hours of the day in which messages may come")
        quiet = [f"{begins:%H:%M}", f"{ends:%H:%M}"]
    with db.begin() as tx:
        check_admin(tx, by)
        check_fresh(showed, quiet_fields(clinics.load_clinic(tx, by.clinic_id)))
        _keep(tx, by, now, "quiet_hours_set", {"quiet": quiet})


def set_languages(db: Database, by: Member, languages: Collection[str], now: datetime, showed: Fields | None = None) -> None:
    """Which languages patients are offered; who has another one keeps it. Raises Conflict, Stale, NotPermitted."""
    chosen = [code for code in SHIPPED if code in languages]
    if not chosen:
        raise Conflict("offer at least one language")
    with db.begin() as tx:
        check_admin(tx, by)
        check_fresh(showed, language_fields(clinics.load_clinic(tx, by.clinic_id)))
        _keep(tx, by, now, "languages_set", {"languages": chosen})


def set_numbers(
    db: Database, by: Member, plan: CarePlan, numbers: Mapping[str, int | None], approver: UUID, now: datetime, showed: Fields | None = None
) -> None:
    """The clinic's numbers in the place of a plan's, approved by one of its physiotherapists; None: the plan's.

    They judge what is prescribed from then on; a prescription that is in force stays as it was signed. Raises Unfit with everything that is
    wrong, Conflict, Stale, NotFound, NotPermitted.
    """
    usual = {key: threshold(plan, plan.stages[0].id, key) for key in OF_CLINIC}
    own = {key: value for key in OF_CLINIC if (value := numbers.get(key)) is not None and value != usual[key]}
    if wrong := number_findings(plan, own):
        raise Unfit(wrong)
    with db.begin() as tx:
        check_admin(tx, by)
        physio = next((each for each in physios_of(tx, by.clinic_id) if each.id == approver), None)
        if physio is None:
            raise NotFound("choose the physiotherapist who approved these numbers")
        clinic = clinics.load_clinic(tx, by.clinic_id)
        check_fresh(showed, number_fields(clinic, plan))
        had = clinic_numbers(clinic, plan)
        changed = {key: [had.get(key, usual[key]), own.get(key, usual[key])] for key in OF_CLINIC if had.get(key) != own.get(key)}
        if not changed:
            raise Conflict("nothing is different from the numbers as they are")
        clinics.change_settings(tx, clinic.id, {"numbers": clinic.settings.get("numbers", {}) | {plan.id: own}})
        detail = {"plan": plan.id, "changed": changed, "approved_by": physio.email}
        audit.record(tx, now, by.email, "clinic_numbers_set", clinic_id=clinic.id, subject_id=clinic.id, detail=detail)


def set_wording(db: Database, by: Member, language: str, key: str, text: str | None, now: datetime, showed: Fields | None = None) -> None:
    """The clinic's words for one sentence in one language; None: the product's. Raises Conflict, Stale, NotFound, NotPermitted."""
    if language not in SHIPPED or key not in OWN_TEXTS:
        raise NotFound("no such text")
    text = None if text is None else text.strip()
    if text is not None and (wrong := wording_problems(key, text, language)):
        raise Conflict(" ".join(wrong))
    with db.begin() as tx:
        check_admin(tx, by)
        clinic = clinics.load_clinic(tx, by.clinic_id)
        check_fresh(showed, wording_fields(clinic, language, key))
        wording = dict(clinic.settings.get("wording", {}))
        rest = {name: words for name, words in wording.get(language, {}).items() if name != key}
        wording[language] = rest if text is None else rest | {key: text}
        clinics.change_settings(tx, by.clinic_id, {"wording": wording})
        detail = {
            "language": language,
            "text": key,
            "words": text,
            "was": {"words": clinic.settings.get("wording", {}).get(language, {}).get(key)},
        }
        audit.record(tx, now, by.email, "wording_set", clinic_id=by.clinic_id, subject_id=by.clinic_id, detail=detail)


def _keep(tx: Tx, by: Member, now: datetime, what: str, changed: dict[str, Any]) -> None:
    had = clinics.load_clinic(tx, by.clinic_id)
    before = {"quiet": had.settings.get("quiet")} if "quiet" in changed else {"languages": [*offered_languages(had)]}
    clinics.change_settings(tx, by.clinic_id, changed)
    audit.record(tx, now, by.email, what, clinic_id=by.clinic_id, subject_id=by.clinic_id, detail=changed | {"was": before})
