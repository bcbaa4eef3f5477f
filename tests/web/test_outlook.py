"""The forecast and the page of rules: each number is what the records say, and each message that was lost says what to do."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from bot_service.actions import review, undoing
from bot_service.actions.deciding import Decision
from bot_service.errors import MessageRejected, OutcomeUnknown, RecipientStopped
from bot_service.storage import cases, clinics, outbox
from bot_service.storage.rule_counts import RuleCount, count_rules
from bot_service.web.forecast import forecast
from tests.notice_clinic import EMERGENCY, with_mail
from tests.running_clinic import Person, RunningClinic
from tests.web.lives import Browser, a_day_on, a_member, a_tick, another_clinic, say

DAY = timedelta(days=1)


def decision(person: Person, reason: str = "seen") -> Decision:
    return Decision(person.clinic.physio, person.episode().id, reason)


def close_all(person: Person) -> None:
    with person.clinic.db.read() as tx:
        found = cases.list_open(tx, person.episode())
    for case in found:
        review.close_case(person.clinic.db, decision(person), case.id, person.clinic.clock.now())


def counts(clinic: RunningClinic) -> dict[str, RuleCount]:
    with clinic.db.read() as tx:
        return count_rules(tx, clinic.clinic.id, clinic.clock.now() - 90 * DAY, clinic.clock.now())


def test_the_forecast_counts_the_prompts_that_the_next_day_then_brings_and_names_who_gets_none(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    running = [clinic.in_care(name) for name in ("Jo Park", "Ana Ruiz", "Tom Hill")]
    paused, new = clinic.in_care("Eva Lind"), clinic.enrol("Max Roth")
    review.pause(clinic.db, decision(paused, "holiday"), None, clinic.clock.now())
    gone = clinic.in_care("Pia Vogt")
    clinic.phones.fails = lambda outbound: RecipientStopped("blocked") if outbound.address == gone.address else None
    a_day_on(clinic)
    with clinic.db.read() as tx:
        found = forecast(tx, clinic.clinic.id, clinic.clock.now())
    assert set(found.stuck) == {paused.episode().ref, gone.episode().ref} and found.invited == 1 and new.ref not in found.patients
    assert found.stuck[gone.episode().ref] == "Cannot be reached in the chat."
    before = len(clinic.messages(kind="prompt"))
    browser = Browser(clinic).sign_in()
    browser.get("/forecast")
    assert f"{found.prompts} prompts in the next 24 hours; 2 patients in care without." in browser.words and "holiday" in browser.words
    for name, ref in (("Eva Lind", paused.episode().ref), ("Pia Vogt", gone.episode().ref)):
        assert f"{name} {ref} {found.stuck[ref]}" in browser.words
    assert "1 patient has not begun yet: invitations" in browser.words and "Max Roth" not in browser.words
    a_day_on(clinic)
    due = [row for row in clinic.messages(kind="prompt")[before:] if row.patient_id in {each.id for each in running}]
    assert len(due) == found.prompts == 3


def test_who_is_stuck_stands_fifty_on_a_page(sqlite_clinic: RunningClinic) -> None:
    for number in range(51):
        review.pause(sqlite_clinic.db, decision(sqlite_clinic.in_care(f"Jo {number}"), "holiday"), None, sqlite_clinic.clock.now())
    browser = Browser(sqlite_clinic).sign_in()
    pages = [set(re.findall(r'<a href="/patients/(\w+)">', browser.get(f"/forecast?page={each}"))) for each in ("0", "1", "2", "99", "x")]
    assert [len(each) for each in pages] == [50, 50, 1, 1, 50] and len(pages[1] | pages[2]) == 51
    assert "Page 1 of 2" in browser.words and "page=2#stuck-title" in browser.page


def test_the_forecast_takes_the_same_few_statements_however_large_the_clinic(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic

    def statements() -> int:
        seen: list[str] = []
        clinic.db.documents.clear()
        with clinic.db.read() as tx:
            connection: Any = tx.connection.connection.dbapi_connection
            connection.set_trace_callback(seen.append)
            forecast(tx, clinic.clinic.id, clinic.clock.now())
            connection.set_trace_callback(None)
        return len(seen)

    def enrol(*names: str) -> None:
        for name in names:
            clinic.in_care(name)
        review.pause(clinic.db, decision(clinic.in_care(f"{names[0]} Away"), "holiday"), None, clinic.clock.now())

    enrol("Jo Park")
    first = statements()
    enrol("Ana Ruiz", "Tom Hill", "Eva Lind")
    assert statements() == first <= 6


def test_what_was_lost_is_listed_with_what_to_do_for_patients_and_for_staff(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    browser = Browser(clinic).sign_in()
    assert "None: everything that was due went out." in re.sub(r"\s+", " ", browser.get("/forecast"))
    there, person, other = with_mail(clinic), clinic.in_care("Jo Park"), clinic.in_care("Ana Ruiz")
    faults = {person.address: OutcomeUnknown("silence"), other.address: MessageRejected("refused")}
    clinic.phones.fails = lambda outbound: faults.get(outbound.address)
    a_day_on(clinic)
    clinic.phones.fails = None
    there.mail.fails = lambda outbound: RecipientStopped("no such user") if outbound.address == there.anna.email else None
    say(person, EMERGENCY)
    browser.get("/forecast")
    refused = other.episode().ref
    # An answer proves that the prompt arrived: the one in doubt is cleared, the refused one stays.
    assert f"Exercise prompt Ana Ruiz {refused} Failed" in browser.words and "Get in touch another way" in browser.words
    assert "Notice of a flag Anna Reed Failed" in browser.words and "the flag went on to the next person" in browser.words
    with clinic.db.begin() as tx:
        clinics.mark_sender(tx, there.mail_sender.id, "broken", "the provider refused its credentials")
    assert "stepwise@clinic.example is stopped" in Browser(clinic).sign_in().get("/forecast")


def test_a_message_in_doubt_is_listed_until_it_is_proved(sqlite_clinic: RunningClinic) -> None:
    clinic, person = sqlite_clinic, sqlite_clinic.in_care("Jo Park")
    clinic.phones.fails = lambda _: OutcomeUnknown("silence")
    a_day_on(clinic)
    clinic.phones.fails = None
    browser = Browser(clinic).sign_in()
    browser.get("/forecast")
    assert (
        f"Exercise prompt Jo Park {person.episode().ref} In doubt" in browser.words and "Nothing is sent twice to find out" in browser.words
    )
    a_day_on(clinic)
    assert person.texts, "the next one went out as planned"


def test_rules_show_what_became_of_their_flags(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    people = [clinic.in_care(name) for name in ("Jo Park", "Ana Ruiz", "Tom Hill", "Eva Lind")]
    for person in people:
        say(person, "please ask my physio to call me")
    first, second, third, _ = people
    with clinic.db.read() as tx:
        seen = cases.list_open(tx, first.episode())[0]
    review.acknowledge_case(clinic.db, decision(first), seen.id, clinic.clock.now())
    review.write_to_patient(clinic.db, decision(first), "I will ring you at noon.", clinic.clock.now())
    asyncio.run(clinic.service.tick())
    close_all(first)
    close_all(second)
    a_day_on(clinic)
    review.pause(clinic.db, decision(third), None, clinic.clock.now())
    found = counts(clinic)["X3"]
    assert found == RuleCount(raised=4, acknowledged=1, decided=2, noise=1, settled=0, open=2)
    browser = Browser(clinic).sign_in(a_member(clinic, "viewer", "vi@riverside.example"))
    assert 'href="/rules"' in browser.get("/")
    browser.get("/rules")
    assert "ask an admin to change its thresholds" in browser.words
    assert 'href="/clinic/thresholds"' in Browser(clinic).sign_in(clinic.admin).get("/rules")
    assert "X3 Message for the physio" in browser.words
    assert "In the last 90 days 4 cases raised; 0 suggestions shown." in browser.words
    assert "No step was suggested in this time." in browser.words
    assert re.search(r"wrote something that is not an answer\. 4 1 2 1 0 2", browser.words), browser.words
    stranger = Browser(clinic).sign_in(another_clinic(clinic))
    stranger.get("/rules")
    assert "No flag was raised in this time." in stranger.words and "X3" not in stranger.words
    assert "0 cases raised; 0 suggestions shown." in stranger.words


def test_what_was_undone_or_taken_back_changed_no_care(sqlite_clinic: RunningClinic) -> None:
    clinic, person = sqlite_clinic, sqlite_clinic.in_care("Jo Park")
    say(person, "please ask my physio to call me")
    now = clinic.clock.now()
    for reason in ("travelling", "after all not"):
        review.hold(clinic.db, decision(person, reason), None, None, now)
        with clinic.db.read() as tx:
            undoable = [each.id for each in undoing.list_undoable(tx, person.episode(), now) if each.decided]
        if reason == "travelling":
            assert counts(clinic)["X3"].decided == 1
        undoing.undo(clinic.db, decision(person), undoable[-1], now)
    review.write_to_patient(clinic.db, decision(person), "I will ring you at noon.", now)
    assert counts(clinic)["X3"].decided == 1
    with clinic.db.read() as tx:
        message = next(each.id for each in undoing.list_undoable(tx, person.episode(), now) if each.decided is None)
    undoing.take_message_back(clinic.db, decision(person), message, now)
    assert counts(clinic)["X3"].decided == 0
    review.hold(clinic.db, decision(person, "travelling"), None, None, now)
    assert counts(clinic)["X3"].decided == 1


@pytest.mark.parametrize("days", [89, 91])
def test_flags_are_counted_for_ninety_days(sqlite_clinic: RunningClinic, days: int) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    say(person, "please ask my physio to call me")
    sqlite_clinic.clock.move_to(sqlite_clinic.clock.now() + days * DAY)
    assert ("X3" in counts(sqlite_clinic)) is (days == 89)


def test_a_flag_that_nobody_was_told_of_is_said_until_somebody_is_reached(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    say(clinic.in_care("Jo Park"), EMERGENCY)
    browser = Browser(clinic).sign_in()
    browser.get("/forecast")
    assert "1 urgent flag waits to be told: nothing reaches the staff yet." in browser.words
    with_mail(clinic)
    a_tick(clinic)
    browser.get("/forecast")
    assert "to be told" not in browser.words


def test_what_asks_for_somebody_stands_before_what_was_only_too_late(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    person, now = clinic.in_care("Jo Park"), clinic.clock.now()
    lost = [("nudge", "failed"), ("news", "expired"), ("nudge", "expired"), ("safety", "in_doubt")]
    with clinic.db.begin() as tx:
        for number, (kind, status) in enumerate(lost):
            outbox.queue(
                tx, now + number * timedelta(minutes=1), clinic_id=clinic.clinic.id, patient_id=person.invitation.patient_id,
                episode_id=person.invitation.episode_id, kind=kind, key=f"lost:{number}", due_at=now, expires_at=now, content={},
                status=status,
            )  # fmt: skip
    browser = Browser(clinic).sign_in()
    page = browser.get("/forecast")
    states = re.findall(r'<td data-label="State">(Failed|Too late|In doubt)<', page)
    assert states == ["In doubt", "Failed", "Too late", "Too late"]
    assert browser.words.count("Tell the patient yourself: this did not reach them.") == 1
