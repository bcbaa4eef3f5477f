"""Two pages for whoever runs the clinic: what the coming day brings and what was lost, and how often each rule's flags changed care."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from starlette.responses import Response

from bot_service.actions.held_words import reason_in_words
from bot_service.clinical.catalogue import PRIORITY, RULES
from bot_service.clinical.in_words import plural
from bot_service.storage import alerts, clinics, unsent
from bot_service.storage.caseload import load_names
from bot_service.storage.rule_counts import RuleCount, count_raised, count_rules, count_suggestions
from bot_service.storage.unsent import Lost
from bot_service.web.access import Visit
from bot_service.web.forecast import forecast
from bot_service.web.pages import page
from bot_service.web.times import moment

LOOKED_BACK = timedelta(days=7)
COUNTED = timedelta(days=90)
ON_A_PAGE = 50
KINDS = {
    "prompt": "Exercise prompt",
    "check_in": "24-hour question",
    "nudge": "Reminder",
    "safety": "Safety text",
    "news": "News of a decision",
    "reply": "Answer",
    "again": "Question, asked again",
    "seen": "Question after a red flag",
    "silence": "Last message after a week of silence",
    "goodbye": "Sign-off",
    "message_read": "Word that a message was read",
    "staff_answer": "Answer in a chat of staff",
    "flag_notice": "Notice of a flag",
    "digest": "Digest",
    "weekly": "Digest of the week",
    "sign_in_link": "Sign-in link",
}
NEEDED = ("news", "safety")
"""What a patient has to know: too late to be sent is not too late to be said."""
STATES = {"failed": "Failed", "expired": "Too late", "in_doubt": "In doubt"}


def show_forecast(visit: Visit) -> Response:
    """How many prompts tomorrow, who is stuck and why, and every message of a week that did not arrive or may not have."""
    now = visit.service.clock.now()
    with visit.service.db.read() as tx:
        clinic = clinics.load_clinic(tx, visit.who.clinic_id)
        coming = forecast(tx, clinic.id, now)
        lost = unsent.list_of_clinic(tx, clinic.id, now - LOOKED_BACK)
        lost_in_all = unsent.count_of_clinic(tx, clinic.id, now - LOOKED_BACK)
        untold = alerts.count_untold(tx, clinic.id)
        of = {*coming.patients.values(), *(each.patient_id for each in lost if each.patient_id)}
        names = load_names(tx, of)
        stopped = [each for each in clinics.list_senders(tx) if each.clinic_id == clinic.id and each.status == "broken"]
    number, pages = _page_asked(visit, len(coming.stuck))
    shown = list(coming.stuck.items())[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]
    return page(
        visit,
        "forecast.html",
        number=number,
        pages=pages,
        invited=f"{plural(coming.invited, 'patient')} {'has' if coming.invited == 1 else 'have'} not begun yet" if coming.invited else "",
        summary=f"{plural(coming.prompts, 'prompt')} in the next 24 hours; {plural(len(coming.stuck), 'patient')} in care without.",
        stuck=[(ref, names[coming.patients[ref]], why) for ref, why in shown],
        more_lost=lost_in_all - len(lost),
        untold=f"{plural(untold, 'urgent flag')} {'waits' if untold == 1 else 'wait'} to be told" if untold else "",
        stopped=stopped,
        lost=[_lost(each, clinic.zone) | {"name": names.get(each.patient_id) if each.patient_id else None} for each in lost],
    )


def _page_asked(visit: Visit, total: int) -> tuple[int, int]:
    """The page that is asked for, and how many there are; the first or the last where there is no such page."""
    pages, asked = max(1, -(-total // ON_A_PAGE)), visit.asked("page")
    return min(max(int(asked) if asked.isascii() and asked.isdecimal() else 1, 1), pages), pages


def _lost(each: Lost, zone: str) -> dict[str, object]:
    return {
        "at": moment(each.due_at, zone),
        "kind": KINDS.get(each.kind, each.kind.replace("_", " ").capitalize()),
        "ref": each.ref,
        "member": each.member,
        "state": STATES[each.status],
        "why": reason_in_words(each.reason or "").capitalize(),
        "todo": _what_to_do(each),
    }


def _what_to_do(each: Lost) -> str:
    if each.status == "in_doubt" and each.said_again:
        return "Nothing: a new message has said the same again."
    if each.status == "in_doubt":
        return "Nothing is sent twice to find out. An answer will prove that it arrived; if it matters, call."
    if each.member:
        return "Check the address; the flag went on to the next person." if each.kind == "flag_notice" else "Check the address."
    if each.status == "expired" and each.kind in NEEDED:
        return "Tell the patient yourself: this did not reach them."
    if each.status == "expired":
        return "Nothing: it is not counted against the patient. If it happens again, look at the times of this patient's exercises."
    return "Get in touch another way, and ask whether the chat or number has changed."


def show_rules(visit: Visit) -> Response:
    """For each rule what became of the cases it raised and of the steps it suggested."""
    now, clinic_id = visit.service.clock.now(), visit.who.clinic_id
    with visit.service.db.read() as tx:
        found, suggested = count_rules(tx, clinic_id, now - COUNTED, now), count_suggestions(tx, clinic_id, now - COUNTED)
        raised = count_raised(tx, clinic_id, now - COUNTED)
    return page(
        visit,
        "rules.html",
        summary=f"In the last {plural(COUNTED.days, 'day')} {plural(raised, 'case')} raised; "
        f"{plural(sum(each.shown for each in suggested.values()), 'suggestion')} shown.",
        rows=[_rule(rule, found) for rule in sorted(found, key=_in_order)],
        suggested=[{**_in_words(rule), "count": suggested[rule]} for rule in sorted(suggested, key=_in_order)],
    )


def _in_order(rule: str) -> tuple[int, str]:
    return PRIORITY.index(rule) if rule in PRIORITY else len(PRIORITY), rule


def _in_words(rule: str) -> dict[str, object]:
    return {"rule": rule, "title": RULES[rule].title if rule in RULES else rule, "why": RULES[rule].why if rule in RULES else ""}


def _rule(rule: str, found: Mapping[str, RuleCount]) -> dict[str, object]:
    count = found[rule]
    ended = count.raised - count.open
    return {
        **_in_words(rule),
        "count": count,
        "noisy": ended >= 5 and 2 * count.noise > ended,
    }
