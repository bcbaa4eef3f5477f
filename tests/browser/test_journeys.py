"""Journeys in a real browser: the physio's from sign-in to the patient's phone, and the patient's, with and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Served
from tests.running_clinic import Person
from tests.web.lives import live, look, say

pytestmark = pytest.mark.browser
READY = "done 2/1, " * 14 + "done 2/1"


@pytest.fixture
def ready(served: Served) -> Person:
    """Margaret has had fifteen good days."""
    person = served.clinic.in_care("Margaret Oyelaran")
    live(served.clinic, person, READY)
    look(person)
    return person


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_step_is_approved_and_the_phone_shows_the_new_plan(
    served: Served, new_page: Callable[..., Page], ready: Person, scripts: bool
) -> None:
    assert ready.episode().stage == "early"
    page = new_page(signed_in=False, scripts=scripts)
    page.goto("/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(served.sign_in_link())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("1 is ready for a step")).to_be_visible()
    page.get_by_role("link", name="Margaret Oyelaran").click()
    expect(page.get_by_role("heading", name="Early stage complete")).to_be_visible()

    approve = page.get_by_role("button", name="Approve: move to Intermediate Plan")
    approve.click()  # without a reason the browser itself says that one is needed
    expect(page.get_by_text("Approved. The patient is told")).to_have_count(0)
    page.get_by_label("Why? It stays in the record.").fill("Settled for two weeks, strong on both sides")
    approve.click()
    expect(page.get_by_text("Approved. The patient is told")).to_be_visible()
    expect(page.get_by_text("Intermediate Plan, week 1 in this stage")).to_be_visible()

    page.goto("/phone")
    page.get_by_role("link", name="Margaret Oyelaran").click()
    log = page.get_by_role("log")
    expect(log.get_by_text("moved you on to the Intermediate Plan")).to_have_count(0)  # it can still be undone
    page.get_by_role("button", name="Next message").click()
    expect(log.get_by_text("moved you on to the Intermediate Plan")).to_be_visible()
    page.get_by_role("button", name="Next message").click()
    expect(log.get_by_text("Your exercises for today are ready.").last).to_be_visible()
    first = served.clinic.plan.stage("intermediate").exercises[0].name
    expect(log.get_by_text(first).last).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_step_up_in_pain_is_interrupted_carried_out_and_undone_with_a_message(
    served: Served, new_page: Callable[..., Page], scripts: bool
) -> None:
    person = served.clinic.in_care("Margaret Oyelaran")
    live(served.clinic, person, "done 2/1, done 4/2, done 7/6")
    look(person)
    page = new_page(scripts=scripts, phone=not scripts)
    page.goto(f"/patients/{person.invitation.ref}")
    page.locator("summary", has_text="Hold the next step").click()
    page.get_by_label("Sitting and everyday bending").check()
    page.get_by_label("Why? It stays in the record.").fill("feels ready")
    page.get_by_role("button", name="Step up to Intermediate Plan").click()
    expect(page.get_by_role("heading", name="Look again before you go on")).to_be_visible()
    page.get_by_role("button", name="Go back").click()
    expect(page.get_by_label("Why? It stays in the record.")).to_have_value("feels ready")
    expect(page.get_by_label("Sitting and everyday bending")).to_be_checked()
    page.get_by_role("button", name="Step up to Intermediate Plan").click()
    page.get_by_label("Or go on: why all the same?").fill("lifted furniture once")
    page.get_by_role("button", name="Step up all the same").click()
    expect(page.get_by_text("Approved. The patient is told")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone. Nothing of it went to the patient")).to_be_visible()
    expect(page.get_by_text("Early Plan, week")).to_be_visible()
    if not scripts:  # a phone: the link at the top of the page opens what is folded further down
        page.get_by_role("link", name="Pause or write").click()
    page.get_by_role("link", name="Write to Margaret").click()
    page.get_by_role("textbox", name="Message").fill("See you on Tuesday")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("textbox", name="Message")).to_have_value("See you on Tuesday")
    assert not any("Tuesday" in text or "moved you on" in text for text in person.texts)


def test_enter_in_the_date_field_decides_nothing(new_page: Callable[..., Page], ready: Person) -> None:
    page = new_page()
    page.goto(f"/patients/{ready.invitation.ref}")
    page.get_by_label("Why? It stays in the record.").fill("thinking")
    page.get_by_label("Hold until").press("Enter")
    page.wait_for_timeout(300)
    assert ready.episode().stage == "early"
    expect(page.get_by_role("heading", name="Early stage complete")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_patient_joins_and_answers_on_a_small_phone(served: Served, new_page: Callable[..., Page], scripts: bool) -> None:
    served.clinic.enrol("Jo Park")
    page = new_page(signed_in=False, phone=True, scripts=scripts)
    page.goto("/phone")
    page.get_by_role("link", name="Jo Park").click()
    page.get_by_role("button", name="Open invitation").click()
    log = page.get_by_role("log")
    expect(log.get_by_text("Do you agree?")).to_be_visible()
    log.get_by_role("button", name="Yes", exact=True).last.click()
    box = page.get_by_label("Message as Jo Park")
    box.fill("2")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(log.get_by_text("Recorded: 2 out of 10.")).to_be_visible()
    page.get_by_role("button", name="Next message").click()
    expect(log.get_by_text("Your exercises for today are ready.")).to_be_visible()
    log.get_by_role("button", name="4", exact=True).last.click()
    expect(log.get_by_text("Recorded: 4 out of 10.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390 if scripts else True


def test_a_patient_answers_by_keyboard_alone(served: Served, new_page: Callable[..., Page]) -> None:
    person = served.clinic.in_care("Jo Park")
    page = new_page(signed_in=False)
    page.goto("/phone")
    page.get_by_role("button", name="+1 day").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("new message")).to_have_count(1)
    expect(page.get_by_role("button", name="+1 day")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log").get_by_text("Your exercises for today are ready.")).to_be_visible()
    page.get_by_role("link", name="Skip to the message box").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Message as Jo Park")).to_be_focused()
    page.keyboard.type("done, 3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log").get_by_text("Recorded: 3 out of 10.")).to_be_visible()
    expect(page.get_by_label("Message as Jo Park")).to_be_focused()
    expect(page.get_by_label("Message as Jo Park")).to_have_value("")
    page.keyboard.press("Shift+Tab")  # from the box back into the chat: the last button
    page.keyboard.press("Enter")
    expect(page.get_by_role("log").get_by_text("What was your worst pain").last).to_be_visible()
    assert person.episode().last_heard_at is not None


def test_a_new_message_shows_up_by_itself_and_keeps_what_is_being_typed(served: Served, new_page: Callable[..., Page]) -> None:
    person = served.clinic.in_care("Jo Park")
    page = new_page(signed_in=False)
    page.goto(f"/phone/{person.invitation.ref}")
    page.get_by_label("Message as Jo Park").fill("half a sen")
    say(person, "help")
    expect(page.get_by_role("log").get_by_text("You can write here")).to_be_visible()
    expect(page.get_by_label("Message as Jo Park")).to_have_value("half a sen")
