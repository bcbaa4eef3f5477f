"""The team's queue: what nobody looks after, who covers for whom, how far telling people has come, and taking somebody in one click."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.storage import cases, notices, staff, tables
from bot_service.storage.cases import Case
from tests.notice_clinic import EMERGENCY, with_mail
from tests.running_clinic import Person, RunningClinic
from tests.web.lives import Browser, a_member, a_minute_on, another_clinic, live, look, say

QUEUE = "/?whose=queue"


def open_case(person: Person) -> Case:
    with person.clinic.db.read() as tx:
        return next(case for case in cases.list_open(tx, person.episode()) if case.case_key == "D1")


def refs(browser: Browser) -> list[str]:
    """Whom the page lists, in its order."""
    return [part.partition('"')[0] for part in browser.page.split('<th scope="row">')[1:] for part in part.split('href="/patients/')[1:2]]


def trail(clinic: RunningClinic) -> list[tuple[str, str]]:
    with clinic.db.read() as tx:
        return [(row.who, row.what) for row in tx.all(tables.audit.select().order_by(tables.audit.c.seq))]


def test_it_holds_what_nobody_looks_after_and_a_case_or_the_patient_is_taken_in_one_click(clinic: RunningClinic) -> None:
    ben = a_member(clinic, "physio", "ben@example.org")
    flagged, other, step = (clinic.in_care(name) for name in ("Jo Park", "Ana Ruiz", "Tom Hill"))
    live(clinic, step, "done 2/1, " * 14 + "done 2/1")
    look(step)
    fine = clinic.in_care("Eve Moss")
    for person in (flagged, other):
        say(person, EMERGENCY)
    browser = Browser(clinic).sign_in(ben)
    browser.get(QUEUE)
    wait = [person.episode().ref for person in (flagged, other, step)]
    assert sorted(refs(browser)) == sorted(wait) and refs(browser)[-1] == step.episode().ref
    assert browser.page.count('name="do" value="case"') == 2, "a step is for a decision, not for looking after"

    browser.post(f"/patients/{flagged.episode().ref}/take", do="case")
    assert f"You look after {flagged.episode().ref} now." in browser.words and flagged.episode().ref not in refs(browser)
    assert open_case(flagged).status == "acknowledged" and flagged.episode().physio_id == clinic.physio.id
    browser.post(f"/patients/{other.episode().ref}/take", do="patient", physio=str(clinic.physio.id))
    assert (open_case(other).status, other.episode().physio_id) == ("acknowledged", ben.id)
    assert trail(clinic)[-3:] == [(ben.email, what) for what in ("case_acknowledged", "case_acknowledged", "patient_taken_over")]
    browser.get("/?whose=mine")
    assert refs(browser) == [other.episode().ref, flagged.episode().ref] or refs(browser) == [flagged.episode().ref, other.episode().ref]

    before = trail(clinic)
    browser.post(f"/patients/{other.episode().ref}/take", do="patient")
    assert browser.status == 409 and "your patient already" in browser.words
    browser.get(QUEUE)
    browser.post(f"/patients/{fine.episode().ref}/take", do="case")
    assert browser.status == 409 and trail(clinic) == before


def test_of_two_who_take_the_patient_from_the_same_list_the_second_is_told(clinic: RunningClinic) -> None:
    person = clinic.in_care("Jo Park")
    say(person, EMERGENCY)
    ben, cy = (Browser(clinic).sign_in(a_member(clinic, "physio", f"{name}@example.org")) for name in ("ben", "cy"))
    for browser in (ben, cy):
        browser.get(QUEUE)
    for browser in (ben, cy):
        browser.post(f"/patients/{person.episode().ref}/take", do="patient", physio=browser.hidden("physio"))
    with clinic.db.read() as tx:
        assert staff.load(tx, person.episode().physio_id).email == "ben@example.org"
    assert cy.status == 409 and "somebody else treats this patient since you opened the list" in cy.words.lower()
    assert [what for _, what in trail(clinic)].count("patient_taken_over") == 1
    cy.get("/?whose=all")
    cy.post(f"/patients/{person.episode().ref}/take", do="patient", physio="nobody")
    assert cy.status == 409, "nor by a form that does not say whose the patient was"


def test_who_takes_a_case_unread_from_the_queue_does_not_tell_the_patient_that_it_was_read(clinic: RunningClinic) -> None:
    person = clinic.in_care("Jo Park")
    say(person, "please ask my physio to ring me about my shoes")
    browser = Browser(clinic).sign_in(a_member(clinic, "physio", "ben@example.org"))
    browser.get(QUEUE)
    browser.post(f"/patients/{person.episode().ref}/take", do="case")
    a_minute_on(clinic)
    assert browser.status == 200 and person.messages(kind="message_read") == []
    with clinic.db.read() as tx:
        (case,) = cases.list_open(tx, person.episode())
    assert case.status == "acknowledged"
    review.close_case(clinic.db, Decision(clinic.physio, person.episode().id, "rang them"), case.id, clinic.clock.now())
    assert len(person.messages(kind="message_read")) == 1, "whoever closes it on the patient's page has read it"


@pytest.mark.parametrize("role", ["viewer", "admin", "stranger"])
def test_only_a_physio_of_the_clinic_takes_a_patient(sqlite_clinic: RunningClinic, role: str) -> None:
    clinic, person = sqlite_clinic, sqlite_clinic.in_care("Jo Park")
    say(person, EMERGENCY)
    member = another_clinic(clinic) if role == "stranger" else a_member(clinic, role, "new@example.org")
    browser = Browser(clinic).sign_in(member)
    browser.get(QUEUE)
    assert "Take the patient" not in browser.words
    browser.post(f"/patients/{person.episode().ref}/take", do="patient")
    assert browser.status == (404 if role == "stranger" else 403)
    assert (open_case(person).status, person.episode().physio_id) == ("open", clinic.physio.id)


def test_when_nothing_waits_it_says_so(browser: Browser) -> None:
    browser.clinic.in_care("Jo Park")
    browser.get(QUEUE)
    assert "Nothing waits: whoever needs somebody is being looked after." in browser.words


def test_it_shows_who_is_away_and_who_covers(sqlite_clinic: RunningClinic) -> None:
    clinic, there = sqlite_clinic, with_mail(sqlite_clinic)
    say(clinic.in_care("Jo Park"), EMERGENCY)
    today = clinic.clock.now().date()
    with clinic.db.begin() as tx:
        notices.add_leave(tx, clinic.clock.now(), there.anna, there.ben, today, today + timedelta(days=3))
        notices.add_leave(tx, clinic.clock.now(), there.deputy, there.ben, today + timedelta(days=5), today + timedelta(days=6))
    browser = Browser(clinic).sign_in(there.deputy)
    browser.get(QUEUE)
    assert (
        "Anna Reed, away, Ben Cole covers" in browser.words
        and "Anna Reed is away until" in browser.words
        and ": Ben Cole covers." in browser.words
    )
    assert "Dee Shah is away" not in browser.words
    with clinic.db.begin() as tx:
        notices.add_leave(tx, clinic.clock.now(), there.ben, there.anna, today, today)
    browser.get(QUEUE)
    assert "Anna Reed, away, nobody covers" in browser.words


async def test_the_caseload_says_how_far_telling_people_has_come_for_any_urgent_flag(sqlite_clinic: RunningClinic) -> None:
    clinic, there = sqlite_clinic, with_mail(sqlite_clinic)
    person = await clinic.opted_in()
    await clinic.service.move_clock(clinic.clock.now().replace(day=22, hour=8, minute=30))
    await person.say("9")  # a severe session, no red flag
    await person.tap("None")
    raised, said = clinic.clock.now(), []
    for wait in (timedelta(minutes=5), timedelta(minutes=65), timedelta(minutes=245), timedelta(hours=25)):
        await clinic.service.move_clock(raised + wait)
        page = Browser(clinic).sign_in(there.ben)
        page.get(QUEUE)
        assert refs(page) == [person.episode().ref]
        said.append([words for words in CLIMB if words in page.words])
    assert said == [[], *([words] for words in CLIMB)]
    there.acknowledge(person)
    page.get("/?whose=team")
    assert not any(words in page.words for words in CLIMB)


CLIMB = ("a reminder went out", "the deputy has been told", "the lead should look")
