"""The pages' own queries give the same on SQLite and PostgreSQL."""

from __future__ import annotations

from tests.running_clinic import RunningClinic
from tests.web.lives import Browser, live, look, say


def test_every_page_is_served_from_either_database(clinic: RunningClinic) -> None:
    person = clinic.in_care("Jo Park")
    live(clinic, person, "done 2/1, " * 14 + "done 2/1")
    look(person)
    say(person, "talk to my physio")
    clinic.enrol("Lena Fischer")
    browser = Browser(clinic).sign_in()
    assert "1 is ready for a step" in browser.words and "Last heard" in browser.words and "100 % 100 %" in browser.words
    ref = person.invitation.ref
    for path, expected in {
        f"/patients/{ref}": "moving to Intermediate Plan can be considered",
        "/?q=lena": "Invited, chat not opened yet.",
        "/phone": "Has an invitation",
        f"/phone/{ref}": "talk to my physio",
        "/metrics": "stepwise_flags_open",
    }.items():
        browser.get(path)
        assert browser.status == 200 and expected in browser.words, path
    browser.get("/phone")
    browser.post("/phone/clock", step="next")
    assert browser.status == 200 and "new message" in browser.words
