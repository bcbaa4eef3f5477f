"""The pages' own queries give the same on SQLite and PostgreSQL."""

from __future__ import annotations

from bot_service.storage import tables
from tests.running_clinic import RunningClinic
from tests.web.lives import Browser, a_day_on, live, look, say


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


def test_holds_corrections_and_views_are_kept_in_either_database(clinic: RunningClinic) -> None:
    person = clinic.in_care("Jo Park")
    a_day_on(clinic)
    say(person, "done, 9")
    say(person, "sorry, 3")
    browser = Browser(clinic).sign_in()
    path = f"/patients/{person.invitation.ref}"
    browser.get(path)
    assert "Now 3/10, corrected from 9/10 by the patient" in browser.words
    browser.post(f"{path}/decision", decision="hold", reason="race on Sunday")
    assert "Next step held until Tue 29 Sep. Why: race on Sunday, by Anna Reed." in browser.words
    browser.post(f"{path}/release")
    assert "Released." in browser.words and "released since, by Anna Reed: race on Sunday" in browser.words
    browser.get(path)
    with clinic.db.read() as tx:
        kept = [row.what for row in tx.all(tables.audit.select().order_by(tables.audit.c.seq)) if row.who == clinic.physio.email]
    assert kept == ["enrolled", "viewed", "held", "hold_released"]
