"""The audit trail on its page: words, years, what was before and is now, and only what is asked for; every kind has its words."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

import bot_service
from bot_service.actions import care_record, clinic_settings, review, taking_on, team, undoing
from bot_service.actions.deciding import Decision
from bot_service.storage import audit
from bot_service.web.audit_words import KINDS
from tests.running_clinic import RunningClinic
from tests.web.lives import Browser, a_member

RECORDS = {"record": 3, "note_decision": 4, "_note": 3, "_audit": 3, "_keep": 3}
"""What writes the trail, and at which place it is told the kind."""


def rows(browser: Browser, query: str = "") -> list[str]:
    page = browser.get(f"/audit{query}")
    return [
        unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row))).strip() for row in re.findall(r"<tr>(<td.*?)</tr>", page, re.DOTALL)
    ]


@pytest.fixture
def admin(sqlite_clinic: RunningClinic) -> Browser:
    return Browser(sqlite_clinic).sign_in(sqlite_clinic.admin)


def test_the_trail_says_in_words_what_was_before_and_is_now_and_in_which_year(admin: Browser) -> None:
    clinic, now = admin.clinic, admin.clinic.clock.now()
    clinic_settings.set_quiet(clinic.db, clinic.admin, "21:00", "08:00", now)
    clinic_settings.set_quiet(clinic.db, clinic.admin, "22:00", "07:30", now)
    numbers = {"pain_ceiling": 4}
    clinic_settings.set_numbers(clinic.db, clinic.admin, clinic.plan, numbers, clinic.physio.id, now)
    team.change_role(clinic.db, clinic.admin, a_member(clinic, "viewer", "vi@riverside.example").id, "physio", now)
    found = rows(admin)
    assert found[0].startswith("Mon 21 Sep 2026, 10:00 Sam Okoro Changed a role Role: before viewer, now physio Vi")
    assert "Changed the clinic's thresholds" in found[1] and "before 5, now 4" in found[1]
    assert "Changed quiet hours Quiet hours: before 21:00 to 08:00, now 22:00 to 07:30" in found[2]
    assert "Quiet hours: before the plan's, now 21:00 to 08:00" in found[3]


def test_it_is_narrowed_by_who_what_whom_and_when(admin: Browser) -> None:
    clinic = admin.clinic
    jo, ana = clinic.in_care("Jo Park"), clinic.in_care("Ana Ruiz")
    for person in (jo, ana):
        care_record.add_note(clinic.db, Decision(clinic.physio, person.invitation.episode_id, ""), "slept badly", clinic.clock.now())
    clinic.clock.move_to(clinic.clock.now() + timedelta(days=2))
    care_record.add_note(clinic.db, Decision(clinic.physio, jo.invitation.episode_id, ""), "better", clinic.clock.now())
    notes, mail = "?what=note_written", clinic.physio.email
    assert len(rows(admin, notes)) == 3 and len(rows(admin, f"{notes}&patient={jo.invitation.ref.lower()}")) == 2
    assert len(rows(admin, f"{notes}&from=2026-09-22")) == 1 and len(rows(admin, f"{notes}&until=2026-09-22")) == 2
    assert rows(admin, f"{notes}&who={clinic.admin.email}") == ["Nothing fits."] and len(rows(admin, f"?who={mail}&what=note_written")) == 3
    assert {"Wrote a private note"} == {name for row in rows(admin, notes) for name in re.findall("Wrote a private note", row)}
    assert rows(admin, "?patient=P999") == ["Nothing fits."] and "There is no patient with that reference here." in admin.words
    assert rows(admin, "?from=soon") == ["Nothing fits."] and "Write the days as 2026-09-28." in admin.words


def test_every_kind_of_entry_has_words_of_its_own() -> None:
    kinds = set()
    for path in Path(bot_service.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and (name := getattr(node.func, "attr", getattr(node.func, "id", ""))) in RECORDS:
                told = node.args[RECORDS[name] : RECORDS[name] + 1]
                found = [each.value for part in told for each in ast.walk(part) if isinstance(each, ast.Constant)]
                kinds |= {value for value in found if isinstance(value, str)}
    assert len(kinds) > 40 and kinds <= set(KINDS), kinds - set(KINDS)


def test_who_is_refused_reads_a_sentence_and_keeps_the_navigation(sqlite_clinic: RunningClinic) -> None:
    viewer = Browser(sqlite_clinic).sign_in(a_member(sqlite_clinic, "viewer", "vi@riverside.example"))
    viewer.get("/audit")
    assert viewer.status == 403 and "Only an admin can read the audit trail." in viewer.words and "Sign out" in viewer.words
    viewer.get("/enrol")
    told = viewer.words.rpartition("Not allowed")[2]
    assert viewer.status == 403 and re.search(r"^ [A-Z][^.]+\. Go to the caseload", told), told
    viewer.get("/patients/P999ZZZ")
    assert viewer.status == 404 and 'href="/forecast"' in viewer.page


def test_no_entry_shows_a_key_an_identifier_or_an_address_of_ours(admin: Browser) -> None:
    clinic, now = admin.clinic, admin.clinic.clock.now()
    person = clinic.in_care("Jo Park", stage="early")
    by = Decision(clinic.physio, person.invitation.episode_id, "race on Sunday")
    review.hold(clinic.db, replace(by, grace=undoing.UNDO_FOR), None, None, now)
    with clinic.db.read() as tx:
        (held,) = undoing.list_undoable(tx, person.episode(), now)
    undoing.undo(clinic.db, by, held.id, now)
    review.pause(clinic.db, by, (now + timedelta(days=9)).date(), now)
    review.step_up(clinic.db, replace(by, shown=person.episode().evidence_version), now)
    care_record.record_outcome(clinic.db, by, "psfs", "kneel", 3, None, now)
    clinic_settings.set_wording(clinic.db, clinic.admin, "pl", "prompt_intro", "Czas na ćwiczenia.", now)
    clinic_settings.set_numbers(clinic.db, clinic.admin, clinic.plan, {"pain_ceiling": 4}, clinic.physio.id, now)
    ben = a_member(clinic, "physio", "ben@riverside.example")
    taking_on.take_over(clinic.db, replace(by, member=ben), clinic.physio.id, now)
    with clinic.db.begin() as tx:
        clinic_id, subject_id = clinic.clinic.id, person.id
        rung = {"exercise": "E1", "rung": "E1_2"}
        audit.record(tx, now, "patient", "rung_accepted", clinic_id=clinic_id, subject_id=subject_id, detail=rung)
        audit.record(tx, now, "rule D1", "escalated", clinic_id=clinic_id, subject_id=subject_id)
    found = " ".join(rows(admin))
    for said in (
        "Condition: Proximal hamstring tendinopathy Eligibility questions answered: 7",
        "What was undone: Held the next step",
        "Paused Until: Wed 30 Sep 2026",
        "Rule: own decision To: Intermediate Plan",
        "Measure: Patient-specific function",
        "Language: Polish Message: Daily greeting Words: before Stepwise's own, now Czas na ćwiczenia.",
        "Approved by: Anna Reed",
        "Took a patient over From: Anna Reed",
        "A patient Took a step that was offered",
        "Step: Hold for 45 seconds at half of your effort.",
        "By itself: Words that need a check now Went up to the lead",
    ):
        assert said in found, (said, found)
    assert not re.search(r"\b[a-z]+_[a-z]+\b|\bE1\b|\d{4}-\d\d-\d\d|@", found), found
