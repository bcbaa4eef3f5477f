"""The transcript says what became of every message, and shows what a correction replaced."""

from __future__ import annotations

from bot_service.errors import DeliveryError, MessageRejected, OutcomeUnknown
from bot_service.messages import Outbound
from tests.running_clinic import Person, RunningClinic
from tests.web.lives import Browser, a_day_on, say


def page_of(person: Person, query: str = "") -> str:
    browser = Browser(person.clinic).sign_in()
    browser.get(f"/patients/{person.invitation.ref}{query}")
    return browser.words


def test_failed_doubtful_late_and_held_messages_say_so(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    faults: list[DeliveryError] = [MessageRejected("no"), OutcomeUnknown("who knows")]

    def fails(_: Outbound) -> DeliveryError | None:
        return faults.pop(0) if faults else None

    sqlite_clinic.phones.fails = fails
    a_day_on(sqlite_clinic)
    assert "Exercises · failed: refused by the provider" in page_of(person)
    a_day_on(sqlite_clinic)
    words = page_of(person)
    assert "in doubt: the provider did not say whether it accepted" in words
    say(person, "pause 5 days")
    say(person, "yes")
    a_day_on(sqlite_clinic)
    assert "Exercises · not sent: paused" in page_of(person)


def test_messages_that_were_not_needed_are_shown_only_on_request(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    a_day_on(sqlite_clinic)
    say(person, "done, 3")
    assert "Waiting to be sent: 24-hour question" in page_of(person)
    a_day_on(sqlite_clinic)
    assert "asked together" not in page_of(person)
    assert "Show also 1 planned message that was not needed" in page_of(person)
    assert "24-hour question · not sent: asked together with the exercises" in page_of(person, "?all=1&unneeded=1")


def test_a_correction_strikes_the_old_value_through(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    a_day_on(sqlite_clinic)
    say(person, "done, 3")
    say(person, "sorry, 7")
    browser = Browser(sqlite_clinic).sign_in()
    page = browser.get(f"/patients/{person.invitation.ref}")
    assert "<del>3/10</del> corrected to 7/10" in page
    assert "<del>3/10</del> <strong>7/10</strong>" in page
    chat = page.partition('id="chat-title"')[2]
    assert chat.index("sorry, 7") < chat.index("done, 3") < chat.index("Your exercises for today"), "the latest first, within a day too"
    assert page.index('id="plan-title"') < page.index('id="chat-title"'), "what decides comes before what was said"


def test_a_message_that_only_asks_is_headed_by_its_question(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    a_day_on(sqlite_clinic)
    say(person, "done, 3")
    a_day_on(sqlite_clinic)
    words = page_of(person)
    assert "24-hour question · sent One question" in words and words.count("Exercises · sent") == 1
    say(person, "2")
    say(person, "9")
    a_day_on(sqlite_clinic)
    assert "Safety question · sent One question" in page_of(person)


def test_a_day_on_which_the_patient_wrote_something_else_is_not_called_silent(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    a_day_on(sqlite_clinic)
    say(person, "stairs are a struggle lately")
    a_day_on(sqlite_clinic)
    a_day_on(sqlite_clinic)
    words = page_of(person)
    assert "Tue 22 Sep: wrote, nothing about the exercises" in words and "Wed 23 Sep: no reply" in words
