"""Case cards and the reasons of the caseload say what holds now: corrected values, silence counted to today, and when "now" is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.storage import audit, cases, tables
from bot_service.storage.cases import Case
from bot_service.web.attention import due_words, said
from tests.running_clinic import Person, RunningClinic
from tests.web.lives import Browser, a_day_on, a_minute_on, a_tick, live, look, say

FRIDAY_EVENING = datetime(2026, 9, 25, 19, tzinfo=UTC)
"""20:00 in London, when the clinic is closed until Monday."""


def path_of(person: Person) -> str:
    return f"/patients/{person.invitation.ref}"


def open_cases(person: Person) -> list[Case]:
    with person.clinic.db.read() as tx:
        return cases.list_open(tx, person.episode())


def test_a_corrected_value_leads_its_case_and_the_old_one_is_struck_through(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    a_day_on(sqlite_clinic)
    say(person, "done, 9")
    browser = Browser(sqlite_clinic).sign_in()
    assert "Pain 9/10" in browser.words
    say(person, "sorry, 3")
    now = "Now 3/10, corrected from 9/10 by the patient: worst pain in the session, Tuesday 22 Sep."
    browser.get("/")
    assert now in browser.words and "Pain 9/10" not in browser.words
    page = browser.get(path_of(person))
    card = browser.words.partition("Needs a look")[2].partition("Progression")[0]
    assert now in card.partition("Raised as: ")[0] and "Pain 9/10" in card.partition("Raised as: ")[2]
    assert "<del>9/10</del> <mark>3/10</mark>" in page
    say(person, "sorry, 4")
    assert "Now 4/10, corrected from 9/10" in browser.get("/")


def test_a_correction_that_still_raises_the_case_needs_no_explaining(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    a_day_on(sqlite_clinic)
    say(person, "done, 9")
    say(person, "sorry, 8")
    browser = Browser(sqlite_clinic).sign_in()
    assert "Pain 8/10" in browser.words and "corrected from" not in browser.words
    say(person, "sorry, 3")
    browser.get("/")
    assert "Now 3/10, corrected from 8/10" in browser.words or "Now 3/10, corrected from 9/10" in browser.words


def test_what_raised_a_case_is_marked_in_the_record_and_stays_with_the_case_when_it_is_closed(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    a_day_on(sqlite_clinic)
    say(person, "done, 9")
    browser = Browser(sqlite_clinic).sign_in()
    page, (case,) = browser.get(path_of(person)), open_cases(person)
    (message,) = set(re.findall(r'href="#m-([^"]+)"', page))
    turn = page.partition(f'id="m-{message}"')[2].partition("</div>")[0]
    assert "<mark>done, 9</mark>" in turn and "Evidence for: Session pain severe or repeated" in turn
    assert '<mark>9</mark> <span class="quiet">evidence for: Session pain severe or repeated</span>' in page
    assert "worst pain 9, evidence for: Session pain severe or repeated" in browser.words and "<mark>22</mark>" in page
    browser.post(f"{path_of(person)}/cases/{case.id}/note", words="rang, less garden")
    browser.get(path_of(person))
    browser.post(f"{path_of(person)}/cases/{case.id}/close", reason="settled", shown=browser.hidden("shown"))
    page = browser.get(path_of(person))
    kept = page.partition("Closed before (1)")[2].partition("</section>")[0]
    assert "Note by Anna Reed" in kept and "rang, less garden" in kept
    assert "<q>done, 9</q>" in kept and "9/10" in kept
    assert "Evidence for" not in page and "evidence for" not in page


def test_days_of_silence_are_counted_up_to_now(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    live(sqlite_clinic, person, "done 2, done 2, " + "missed, " * 7 + "missed")
    look(person)
    browser = Browser(sqlite_clinic).sign_in()
    for ahead in (8, 20):
        for path in ("/", path_of(person)):
            browser.get(path)
            assert f"No reply since Wednesday 23 Sep; 8 prompt days unanswered. That was {ahead} days ago." in browser.words, path
        sqlite_clinic.clock.move_to(sqlite_clinic.clock.now() + timedelta(days=12))


def test_a_case_leads_with_a_reason_that_still_holds(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    live(sqlite_clinic, person, "done 2, " + "no, " * 14 + "no")
    look(person)
    browser = Browser(sqlite_clinic).sign_in()
    assert "Low adherence Answered not done on 3 scheduled days in a row" in browser.words
    live(sqlite_clinic, person, "-, " * 16 + "done 2")
    look(person)
    browser.get("/")
    assert "Low adherence 7 % done over 14 days" in browser.words and "in a row" not in browser.words
    browser.get(path_of(person))
    card = browser.words.partition("Less than half done")[2]
    assert card.index("7 % done") < card.index("in a row (5 Oct, 6 Oct and 7 Oct); no reason given yet. No longer so since Thu 8 Oct.")
    live(sqlite_clinic, person, "-, " * 17 + "no, no, no")
    look(person)
    browser.get("/")
    assert "Low adherence Answered not done on 3 scheduled days in a row (9 Oct, 10 Oct and 11 Oct)" in browser.words


def test_silence_that_ended_is_not_counted_on() -> None:
    detail = {"sentence": "No reply since Tuesday.", "since": "2026-09-22"}
    today, heard = datetime(2026, 10, 2, tzinfo=UTC).date(), datetime(2026, 9, 30, tzinfo=UTC).date()
    assert said(detail, today, None) == "No reply since Tuesday. That was 10 days ago."
    assert said(detail, today, heard) == "No reply since Tuesday. Wrote again on Wed 30 Sep."


@pytest.mark.parametrize(
    ("due", "at_once", "words"),
    [
        (timedelta(0), True, "due now"),
        (timedelta(minutes=-59), True, "due now"),
        (timedelta(hours=-3), True, "3 hours overdue"),
        (timedelta(days=2, hours=12), True, "due now, clinic closed until Mon 28 Sep, 08:00"),
        (timedelta(hours=15), False, "due tomorrow"),
        (timedelta(hours=-3), False, "3 hours overdue"),
    ],
)
def test_what_is_urgent_is_due_now_whatever_the_hour(due: timedelta, at_once: bool, words: str) -> None:
    assert due_words(FRIDAY_EVENING + due, FRIDAY_EVENING, "Europe/London", at_once=at_once) == words


def test_a_red_flag_at_night_is_due_now_on_both_pages(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    sqlite_clinic.clock.move_to(FRIDAY_EVENING)
    say(person, "I cannot feel my legs")
    browser = Browser(sqlite_clinic).sign_in()
    for path in ("/", path_of(person)):
        browser.get(path)
        assert "due now, clinic closed until Mon 28 Sep, 08:00" in browser.words, path


def test_the_raising_words_stand_first_however_much_is_written_after_them(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    a_day_on(sqlite_clinic)
    say(person, "I can't feel my legs")
    for number in range(8):
        say(person, f"anybody there, number {number} of mine")
    browser = Browser(sqlite_clinic).sign_in()
    browser.get(path_of(person))
    table = browser.words.partition("What raised it")[2]
    shown, _, folded = table.partition(" earlier")
    assert shown.index("I can't feel my legs") < shown.index("number 7 of mine") and "number 0 of mine" not in shown
    assert "number 0 of mine" in folded


def test_a_message_that_joins_an_older_one_leads_the_case_with_its_words_and_its_own_time(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    a_day_on(sqlite_clinic)
    say(person, "talk to my physio can we book a slot")
    for _ in range(6):
        a_day_on(sqlite_clinic)
    say(person, "Something's wrong")
    say(person, "I twisted my knee on the stairs")
    page = Browser(sqlite_clinic).sign_in().get(path_of(person))
    card = page.partition("Needs a look")[2].partition("What raised it")[0]
    assert "<mark>I twisted my knee on the stairs</mark>" in card and "book a slot" not in card
    assert "2 messages" in card and "overdue, the newest message due today" in card


def test_the_page_after_discharge_shows_no_pause_and_no_criteria(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    decision = Decision(sqlite_clinic.physio, person.episode().id, "holiday")
    review.pause(sqlite_clinic.db, decision, None, sqlite_clinic.clock.now())
    browser = Browser(sqlite_clinic).sign_in()
    browser.get(path_of(person))
    assert "Paused" in browser.words and "criteria met" in browser.words
    review.discharge(sqlite_clinic.db, decision, sqlite_clinic.clock.now())
    browser.get(path_of(person))
    assert "Episode ended" in browser.words and "Paused" not in browser.words and "criteria met" not in browser.words


@pytest.mark.parametrize("how", ["discharged", "stopped"])
def test_a_red_flag_of_who_is_no_more_in_care_is_looked_after_noted_on_and_closed_on_the_page(
    sqlite_clinic: RunningClinic, how: str
) -> None:
    clinic, person = sqlite_clinic, sqlite_clinic.in_care("Jo Park")
    a_day_on(clinic)
    say(person, "I can't feel my legs")
    if how == "discharged":
        review.discharge(clinic.db, Decision(clinic.physio, person.episode().id, "moved away"), clinic.clock.now())
    else:
        say(person, "STOP")
    a_tick(clinic)
    for _ in range(9):
        a_day_on(clinic)
    heard = len(person.texts)
    case = next(each for each in open_cases(person) if each.rule == "D1")
    one, browser = f"{path_of(person)}/cases/{case.id}", Browser(clinic).sign_in()
    browser.get(path_of(person))
    assert "I am looking after it" in browser.words and "lets exercise prompts go on" not in browser.words
    assert ("Pause prompts" in browser.words, "Change the prescription" in browser.words) == ((how == "stopped",) * 2)
    assert ('href="#progress-title"' in browser.page) is ('id="progress-title"' in browser.page) is (how == "stopped")
    browser.post(f"{one}/acknowledge")
    browser.post(f"{one}/note", words="rang her, seen in A&E")
    assert browser.status == 200 and "Note by Anna Reed" in browser.words and "Being looked after" in browser.words
    browser.post(f"{one}/close", shown=browser.hidden("shown"), reason="cleared by the spinal team")
    assert browser.status == 200 and "Closed." in browser.words and case not in open_cases(person)
    browser.post(f"{one}/reopen", reason="wrong patient")
    browser.post(f"{one}/close", shown=browser.hidden("shown"), reason="cleared by the spinal team")
    browser.post(f"{path_of(person)}/note", words="told her new clinic")
    a_minute_on(clinic)
    assert browser.status == 200 and case.id not in {each.id for each in open_cases(person)} and len(person.texts) == heard, (
        "nobody is told anything"
    )


def test_a_patient_who_has_not_started_is_in_no_week(sqlite_clinic: RunningClinic) -> None:
    ref = sqlite_clinic.enrol("Lena Fischer").ref
    sqlite_clinic.clock.move_to(FRIDAY_EVENING + timedelta(days=30))
    browser = Browser(sqlite_clinic).sign_in()
    assert "Early Plan, not started" in browser.words
    browser.get(f"/patients/{ref}")
    assert "Early Plan, not started" in browser.words and "week " not in browser.words.partition("Done, last")[0]


def views(clinic: RunningClinic) -> list[str]:
    with clinic.db.read() as tx:
        assert audit.verify(tx) is None
        rows = tx.all(tables.audit.select().where(tables.audit.c.what == "viewed").order_by(tables.audit.c.seq))
    return [row.who for row in rows]


def test_who_opened_a_patients_page_is_written_down_once_an_hour(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    one, other = clinic.in_care("Jo Park"), clinic.in_care("Sam Bell")
    anna = Browser(clinic).sign_in()
    sam = Browser(clinic).sign_in(clinic.admin)
    assert views(clinic) == []
    for browser, person in ((anna, one), (anna, one), (sam, one), (anna, other)):
        browser.get(path_of(person))
    assert views(clinic) == [clinic.physio.email, clinic.admin.email, clinic.physio.email]
    clinic.clock.move_to(clinic.clock.now() + timedelta(hours=1))
    anna.get(path_of(one))
    assert len(views(clinic)) == 4
    anna.get("/patients/P999ZZZ")
    assert len(views(clinic)) == 4
