"""The audit trail in words: what each kind of entry says happened, and its detail, before and now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot_service.clinical.catalogue import RULES
from bot_service.web.enrolment_form import LANGUAGES
from bot_service.web.prescription_form import LABELS

KINDS: Mapping[str, str] = {
    "appointment_set": "Set the next appointment",
    "approved": "Approved a step",
    "case_acknowledged": "Took on a flag",
    "case_closed": "Closed a flag",
    "case_noted": "Wrote a note on a flag",
    "case_reopened": "Opened a flag again",
    "chat_linked": "Linked a chat",
    "clinic_added": "Added the clinic",
    "clinic_changed": "Changed the clinic's numbers and hours",
    "clinic_numbers_set": "Changed the clinic's thresholds",
    "decision_undone": "Undid a decision",
    "declined": "Did not agree to messages",
    "digest_sent": "Sent digests",
    "discharged": "Discharged",
    "duty_set": "Set who is deputy or lead",
    "enrolled": "Enrolled",
    "escalated": "Went up to the lead",
    "goals_set": "Changed the goals",
    "held": "Held the next step",
    "hold_released": "Released a hold",
    "imported": "Imported a file",
    "invitation_revoked": "Took an invitation back",
    "invited_again": "Made a new invitation",
    "language_changed": "Changed the language",
    "languages_set": "Changed the languages on offer",
    "leave_added": "Entered leave",
    "leave_ended": "Ended leave",
    "measures_asked": "Has outcome measures asked in the chat again",
    "measures_not_asked": "Stopped outcome measures in the chat",
    "message_taken_back": "Took a message back",
    "note_written": "Wrote a private note",
    "notice_limits_set": "Changed when flags go up",
    "notices_chosen": "Chose how to be told",
    "opted_in": "Agreed to messages",
    "opted_out": "Stopped all messages",
    "outcome_recorded": "Entered an outcome measure",
    "outcome_told": "Told an outcome measure in the chat",
    "outcome_withdrawn": "Took an outcome measure back",
    "patient_taken_over": "Took a patient over",
    "patients_handed_over": "Handed patients over",
    "paused": "Paused",
    "prescription_rewritten": "Changed a prescription",
    "quiet_hours_set": "Changed quiet hours",
    "resumed": "Resumed",
    "role_changed": "Changed a role",
    "rung_accepted": "Took a step that was offered",
    "rung_declined": "Left a step that was offered",
    "running_closed": "Closed running",
    "running_opened": "Opened running",
    "sender_added": "Added a sender",
    "sign_in_link_sent": "Sent a sign-in link",
    "staff_chat_blocked": "Blocked the chat with the clinic",
    "staff_chat_linked": "Linked a chat for notices",
    "staff_chat_unlinked": "Unlinked a chat for notices",
    "staff_disabled": "Disabled a member of staff",
    "staff_invited": "Added a member of staff",
    "stepped_back": "Stepped back",
    "time_changed": "Changed the time of exercises",
    "usual_pain_set": "Set the usual pain",
    "viewed": "Looked at",
    "wording_set": "Changed the wording of a message",
    "wrote_to_patient": "Wrote to the patient",
    "zone_changed": "Changed the time zone",
}
_NAMES: Mapping[str, str] = {
    "approved_by": "approved by",
    "at_night": "also while closed",
    "crisis": "crisis line",
    "eligibility": "eligibility questions that were answered",
    "emergency": "emergency number",
    "notice_deputy_min": "deputy after minutes",
    "notice_initials": "initials in notices",
    "notice_lead_days": "lead after working days",
    "notice_remind_min": "reminder after minutes",
    "quiet": "quiet hours",
    "urgent": "urgent help",
}
_EMPTY: Mapping[str, str] = {"quiet": "the plan's", "words": "Stepwise's own"}


def what_in_words(kind: str) -> str:
    """What an entry says happened."""
    return KINDS.get(kind, kind.replace("_", " ").capitalize())


def detail_in_words(detail: Mapping[str, Any]) -> list[str]:
    """Each part of an entry's detail in a line: what it is now, and what it was before where the entry says so."""
    before = detail["was"] if isinstance(detail.get("was"), Mapping) else {}
    lines = []
    for name, value in detail.items():
        if name == "changed" and isinstance(value, Mapping):
            lines += [_line(str(LABELS.get(key, key)), _value(key, old), _value(key, new)) for key, (old, new) in value.items()]
        elif value is not before and not (name in before and before[name] == value):
            was = _value(name, before[name]) if name in before else ""
            lines.append(_line(_NAMES.get(name) or name.replace("_", " "), was, _value(name, value)))
    return lines


def _line(name: str, was: str, now: str) -> str:
    return f"{name}: {f'before {was}, now ' if was else ''}{now}"


def _value(name: str, value: Any) -> str:
    if value is None or value == "":
        return _EMPTY.get(name, "none")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(key, each)}" for key, each in value.items())
    if isinstance(value, list):
        times = len(value) == 2 and all(":" in str(each) for each in value)
        return (" to " if times else ", ").join(_value("", each) for each in value)
    if name == "rule" and value in RULES:
        return RULES[value].title
    return LANGUAGES.get(value, str(value).replace("_", " ")) if isinstance(value, str) else str(value)
