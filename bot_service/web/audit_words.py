"""The audit trail in words: what each kind of entry says happened, and its detail, before and now."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from bot_service.clinical.catalogue import RULES
from bot_service.clinical.outcome_measures import MEASURES
from bot_service.conversation.own_words import OWN_TEXTS
from bot_service.storage.reviews import OWN
from bot_service.web.enrolment_form import LANGUAGES
from bot_service.web.prescription_form import LABELS
from bot_service.web.times import long_day
from plans.model import CarePlan
from plans.running import RUN

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
    "plan_version_moved": "Moved to another version of the plan",
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
Named = Mapping[str, Mapping[str, str]]
"""What a value of a field is called: by the field's name, then by the value as it is kept."""
_NAMES: Mapping[str, str] = {
    "asked": "asked for on",
    "at_night": "urgent flags also while closed",
    "crisis": "crisis line",
    "daily": "daily digest",
    "day": "on",
    "eligibility": "eligibility questions answered",
    "emergency": "emergency number",
    "fields": "what is different",
    "known": "here already",
    "members": "staff told",
    "notice_deputy_min": "deputy after minutes",
    "notice_initials": "initials in notices",
    "notice_lead_days": "lead after working days",
    "notice_remind_min": "reminder after minutes",
    "number": "patients",
    "plan": "condition",
    "plan_version": "version of the plan",
    "quiet": "quiet hours",
    "sent": "link sent",
    "text": "message",
    "urgent": "urgent help",
    "was": "what was undone",
    "ways": "told by",
    "weekly": "digest of the week",
    "wrong": "wrong rows left out",
}
_EMPTY: Mapping[str, str] = {
    "quiet": "the plan's",
    "words": "Stepwise's own",
    "until": "somebody resumes",
    "duty": "neither deputy nor lead",
}
_VALUES: Named = {
    "fields": {
        "exercises": "exercises and doses",
        "advice_amber": "advice",
        "advice_green": "advice",
        "advice_red": "advice",
        "flare_plan": "flare plan",
        "overdue_days": "length of the stage",
        "plan_version": "version of the plan",
        "plyometric_unlock": "criteria for faster exercises",
        "return_to_run": "return to running",
        "plyometrics_unlocked": "faster exercises",
        "progression": "criteria for a step",
        "rules": "limits",
        "rungs_preauthorised": "steps agreed in advance",
        "run_step": "running step",
        "run_steps_open": "running steps open",
        "slots": "days and times",
        "stage_title": "stage",
        "thresholds": "limits for this patient",
    },
    "measure": {each.id: each.title for each in MEASURES.values()},
    "rule": {rule: text.title for rule, text in RULES.items()} | {OWN: "own decision"},
    "text": {key: text.title for key, text in OWN_TEXTS.items()},
    "was": {kind: KINDS[kind] for kind in ("approved", "held", "stepped_back")},
    "ways": {"email": "e-mail", "telegram": "Telegram", "both": "e-mail and Telegram"},
}


def named_by(plans: Collection[CarePlan], mails: Mapping[str, str]) -> Named:
    """What only this clinic's plans and team call their values; `mails` are members' names by their addresses."""
    stages = {stage.id: stage.title for plan in plans for stage in plan.stages}
    exercises = [each for plan in plans for stage in plan.stages for each in stage.exercises]
    return {
        "plan": {plan.id: plan.title for plan in plans},
        "to": stages | dict(mails),
        "from": mails,
        "approved_by": mails,
        "exercise": {each.id: each.name for each in exercises} | {RUN: "running"},
        "rung": {f"{each.id} {rung.id}": rung.text for each in exercises for rung in each.rungs},
    }


def what_in_words(kind: str) -> str:
    """What an entry says happened."""
    return KINDS.get(kind, kind.replace("_", " ").capitalize())


def who_in_words(who: str, mails: Mapping[str, str]) -> str:
    """Who did it: a member of staff by name, a patient, or the rule that spoke."""
    if who.startswith("rule "):
        rule = who.removeprefix("rule ")
        return f"By itself: {RULES[rule].title}" if rule in RULES else _capital(who)
    return mails.get(who) or {"patient": "A patient"}.get(who, who if "@" in who else _capital(who))


def detail_in_words(detail: Mapping[str, Any], named: Named) -> list[str]:
    """Each part of an entry's detail in a line: what it is now, and what it was before where the entry says so."""
    named = {**_VALUES, **named}
    before = detail["was"] if isinstance(detail.get("was"), Mapping) else {}
    lines = []
    for name, value in detail.items():
        if name == "changed" and isinstance(value, Mapping):
            lines += [
                _line(str(LABELS.get(key, key)), _value(key, old, named), _value(key, new, named)) for key, (old, new) in value.items()
            ]
        elif name == "rung":
            lines.append(_line("step", "", named["rung"].get(f"{detail.get('exercise')} {value}", str(value))))
        elif value is not before and not (name in before and before[name] == value) and not (name == "to" and value is None):
            was = _value(name, before[name], named) if name in before else ""
            lines.append(_line(_NAMES.get(name) or name.replace("_", " "), was, _value(name, value, named)))
    return lines


def _line(name: str, was: str, now: str) -> str:
    return f"{_capital(name)}: {f'before {was}, now ' if was else ''}{now}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _value(name: str, value: Any, named: Named) -> str:
    if value is None or value == "":
        return _EMPTY.get(name, "none")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{_capital(key)} {_value(key, each, named)}" for key, each in value.items())
    if isinstance(value, list):
        return str(len(value)) if name == "eligibility" else _several(name, value, named)
    return _one(name, value, named) if isinstance(value, str) else str(value)


def _several(name: str, values: list[Any], named: Named) -> str:
    ends = len(values) == 2 and (name == "steps" or all(":" in str(each) for each in values))
    return (" to " if ends else ", ").join(_value(name, each, named) for each in values)


def _one(name: str, value: str, named: Named) -> str:
    if value in named.get(name, ()):
        return named[name][value]
    return long_day(date.fromisoformat(value)) if _DAY.fullmatch(value) else LANGUAGES.get(value, value.replace("_", " "))


_DAY = re.compile(r"\d{4}-\d\d-\d\d")
