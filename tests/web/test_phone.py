"""The simulated phones: what a patient can do on one, what it shows, and the clock."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bot_service.storage import episodes, inbox, patients, tables
from tests.running_clinic import RunningClinic
from tests.web.lives import Browser, a_day_on


@pytest.fixture
def phone(stranger: Browser) -> Browser:
    """An invited patient's phone, just picked up; nobody is signed in."""
    ref = stranger.clinic.enrol("Jo Park").ref
    stranger.get(f"/phone/{ref}")
    return stranger


def ref_of(browser: Browser) -> str:
    with browser.clinic.db.read() as tx:
        return patients.list_of_clinic(tx, browser.clinic.clinic.id)[0].ref


def do(browser: Browser, what: str, **fields: str) -> None:
    browser.post(f"/phone/{ref_of(browser)}/{what}", fields)


def tap(browser: Browser, label: str) -> None:
    """The latest button with that label."""
    forms = re.findall(r'<input type="hidden" name="message" value="([^"]*)">(.*?)</form>', browser.page, flags=re.DOTALL)
    for message, form in reversed(forms):
        if found := re.search(rf'name="tap" value="([^"]+)">{label}<', form):
            do(browser, "tap", tap=found[1], message=message)
            return
    raise AssertionError(f"no button {label}")


def labels(browser: Browser) -> list[str]:
    """Every button on the phone that is no number, in order."""
    return [label for label in re.findall(r'name="tap" value="[^"]+">([^<]+)<', browser.page) if not label.isdecimal()]


def opt_in(browser: Browser) -> None:
    do(browser, "open")
    tap(browser, "Yes")
    do(browser, "say", text="2")


def test_opening_an_invitation_uses_a_fresh_code_and_the_old_one_stops_working(stranger: Browser) -> None:
    clinic = stranger.clinic
    invitation = clinic.enrol("Jo Park")
    stranger.get(f"/phone/{invitation.ref}")
    do(stranger, "open")
    with clinic.db.read() as tx:
        assert patients.find_invited(tx, clinic.clock.now(), invitation.code) is None
        rows = tx.all(tables.audit.select().order_by(tables.audit.c.seq))
    assert [(row.who, row.what) for row in rows][1:3] == [("simulated phone", "invited_again"), ("patient", "chat_linked")]


def test_an_invitation_is_opened_and_agreed_to(phone: Browser) -> None:
    assert "has the clinic’s invitation" in phone.words or "has the clinic's invitation" in phone.words
    assert "Open invitation" in phone.words
    do(phone, "open")
    assert "Do you agree?" in phone.words
    tap(phone, "Yes")
    do(phone, "say", text="2")
    with phone.clinic.db.read() as tx:
        episode = episodes.list_of_clinic(tx, phone.clinic.clinic.id)[0]
    assert (episode.patient_status, episode.baseline) == ("opted_in", 2)
    assert "Open invitation" not in phone.words


def test_each_message_and_button_is_shown_in_the_direction_of_its_own_words(stranger: Browser) -> None:
    """Arabic from right to left; what only screen readers get is set apart, or its English letters would decide."""
    ref = stranger.clinic.enrol("Jo Park", language="ar").ref
    stranger.get(f"/phone/{ref}")
    do(stranger, "open")
    bubble = re.search(r'<p dir="auto" class="text"><span dir="ltr" class="hidden">[^<]+: </span>مرحبًا', stranger.page)
    assert bubble, "the text itself is the first thing that counts"
    assert re.search(r'<button dir="auto" name="tap" value="[^"]+">نعم</button>', stranger.page)
    assert re.search(r'<html lang="en', stranger.page), "the page around it stays English"


def test_time_passes_and_the_next_message_comes_with_its_buttons(phone: Browser) -> None:
    opt_in(phone)
    do(phone, "clock", step="next")
    assert "Your exercises for today are ready." in phone.words
    assert "Tue 22 Sep 2026" in phone.words
    assert "Tomorrow" not in phone.words and "Today" in phone.words
    tap(phone, "3")
    assert "Recorded: 3 out of 10." in phone.words
    now = phone.clinic.clock.now()
    do(phone, "clock", step="hour")
    assert phone.clinic.clock.now() - now == timedelta(hours=1)
    do(phone, "clock", step="day")
    assert phone.clinic.clock.now() - now == timedelta(hours=25)
    do(phone, "clock", step="year")
    assert phone.status == 400


def test_next_message_without_any_planned_does_not_hang(phone: Browser) -> None:
    before = phone.clinic.clock.now()
    assert "Nothing is due" not in phone.words
    do(phone, "clock", step="next")
    assert "Nothing is due: no message is planned for this phone." in phone.words
    phone.get(f"/phone/{ref_of(phone)}")
    assert "Nothing is due" in phone.words, "also when the page looks for news by itself"
    phone.get("/phone")
    assert "Nothing is due" not in phone.words
    phone.post("/phone/clock", step="next")
    assert phone.status == 200 and "Nothing is due: no message is planned for any phone." in phone.words
    phone.post("/phone/clock", step="hour")
    assert "Nothing is due" not in phone.words
    assert phone.clinic.clock.now() - before <= timedelta(days=14)


def test_an_edit_changes_the_bubble_and_the_record_keeps_both(phone: Browser) -> None:
    opt_in(phone)
    do(phone, "clock", step="next")
    do(phone, "say", text="done, 4")
    message = re.findall(r'action="/phone/\w+/edit".*?name="message" value="([^"]+)"', phone.page, flags=re.DOTALL)[-1]
    do(phone, "edit", message=message, text="done, 5")
    assert re.search(r'class="text"><span dir="ltr" class="hidden">You: </span>done, 5</p>', phone.page)
    assert not re.search(r'class="text"><span dir="ltr" class="hidden">You: </span>done, 4</p>', phone.page)
    assert "edited ·" in phone.words
    page = Browser(phone.clinic).sign_in().get(f"/patients/{ref_of(phone)}")
    assert "<del>done, 4</del>" in page
    assert re.search(r"<del>4/10</del>\s*(corrected to 5/10|<strong>5/10)", page)


def test_a_photo_arrives_and_odd_words_are_taken_as_they_are(phone: Browser) -> None:
    opt_in(phone)
    do(phone, "photo")
    assert 'class="photo"' in phone.page
    do(phone, "say", text="   ")
    do(phone, "say", text="ouch \N{FACE WITH COLD SWEAT} <b>\0 ٣\r\nsecond line")
    with phone.clinic.db.read() as tx:
        patient = patients.list_of_clinic(tx, phone.clinic.clinic.id)[0]
        heard = {(item.heard, item.text) for item in inbox.list_of_patient(tx, patient.id)}
    assert {("media", "photo"), ("text", "ouch \N{FACE WITH COLD SWEAT} <b> ٣\nsecond line")} <= heard
    assert len(heard) == 5
    do(phone, "say", text="x" * 4097)
    assert phone.status == 422 and "4096 characters" in phone.words


@pytest.mark.parametrize("answer", ["Yes", "No"])
def test_the_buttons_of_a_choice_go_with_its_answer_and_those_of_a_number_stay(phone: Browser, answer: str) -> None:
    opt_in(phone)
    do(phone, "say", text="pause 5 days")
    assert labels(phone) == ["Change", "Yes", "No"]
    tap(phone, answer)
    assert labels(phone) == ["Change"], "the usual pain can still be put right"


def test_a_made_up_button_changes_nothing(phone: Browser) -> None:
    opt_in(phone)
    do(phone, "tap", tap="v1:AAAAAAAAAAAAAAAAAAAAAA:10")
    do(phone, "tap", tap="<script>")
    assert phone.status == 200


def test_the_list_shows_the_last_words_and_what_is_new(sqlite_clinic: RunningClinic) -> None:
    sqlite_clinic.in_care("Jo Park")
    lena = sqlite_clinic.enrol("Lena Fischer").ref
    browser = Browser(sqlite_clinic)
    browser.get("/phone")
    assert "Has an invitation" in browser.words and "new message" not in browser.words
    browser.post("/phone/clock", step="day")
    assert "new message" in browser.words and "Your exercises for today are ready." in browser.words
    first = re.findall(r'href="/phone/(\w+)#latest"', browser.page)[0]
    assert first != lena
    browser.get(f"/phone/{first}")
    assert "new message" not in browser.words


def test_phones_of_nobody_are_not_found(stranger: Browser) -> None:
    stranger.get("/phone/P999ZZZ")
    assert stranger.status == 404
    stranger.get("/phone")
    stranger.post("/phone/P999ZZZ/say", text="hello")
    assert stranger.status == 404


def test_the_list_says_what_its_times_are_and_whose(stranger: Browser) -> None:
    clinic = stranger.clinic
    clinic.in_care("Ann Lee", zone="Australia/Sydney")
    a_day_on(clinic)
    stranger.get("/phone")
    assert re.search(r"last message: \d\d:\d\d, Sydney time", stranger.words)
