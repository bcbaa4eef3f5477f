"""The patient's page speaks in words: no stored key, rule id or short name of a source stands alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot_service.storage import cases
from bot_service.web.times import ago, moment_ago, span
from tests.running_clinic import RunningClinic
from tests.web.lives import Browser, a_day_on, live, look, say

NOW = datetime(2026, 9, 25, 19, tzinfo=UTC)
"""20:00 in London on a Friday."""


@pytest.mark.parametrize(
    ("before", "words", "after_the_day"),
    [
        (timedelta(minutes=1), "just now", "just now"),
        (timedelta(minutes=40), "under an hour ago", "under an hour ago"),
        (timedelta(hours=19), "19 hours ago", "19 hours ago"),
        (timedelta(hours=21), "yesterday 23:00", "yesterday"),
        (timedelta(hours=41), "yesterday 03:00", "yesterday"),
        (timedelta(hours=45), "2 days ago", "2 days ago"),
        (timedelta(days=8), "8 days ago", "8 days ago"),
    ],
)
def test_times_past_are_told_by_the_calendar(before: timedelta, words: str, after_the_day: str) -> None:
    assert ago(NOW, NOW - before, "Europe/London") == words
    assert moment_ago(NOW, NOW - before, "Europe/London").endswith(f" ({after_the_day})")


def test_a_span_beyond_a_day_is_told_in_days() -> None:
    assert [span(timedelta(hours=hours)) for hours in (23, 24, 47, 49)] == ["23 hours", "1 day", "1 day", "2 days"]


def test_a_paused_patients_next_prompt_is_the_first_that_will_be_sent(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    a_day_on(sqlite_clinic)
    say(person, "pause 5 days")
    say(person, "yes")
    browser = Browser(sqlite_clinic).sign_in()
    browser.get(f"/patients/{person.invitation.ref}")
    assert "Paused until Sun 27 Sep. The patient asked for it. Done" in browser.words
    assert "Next prompt none while paused; again Sun 27 Sep, 08:00, London time Reached" in browser.words
    browser.post(f"/patients/{person.invitation.ref}/pause", reason="going for a scan")
    assert "Paused. Why: going for a scan, by Anna Reed. Done" in browser.words
    assert "Next prompt none while paused Reached" in browser.words


def test_a_hold_says_why_once_and_a_question_that_was_answered_is_not_waiting(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    a_day_on(sqlite_clinic)
    say(person, "I cannot feel my legs")
    browser, path = Browser(sqlite_clinic).sign_in(), f"/patients/{person.invitation.ref}"
    browser.get(path)
    assert "On hold after a red flag. Done" in browser.words and "Next prompt none while on hold Reached" in browser.words
    assert browser.words.count("Waiting to be sent: Question after a red flag") == 2
    a_day_on(sqlite_clinic)
    browser.get(path)
    assert "Waiting to be sent: Question after a red flag" in browser.words
    say(person, "yes")
    browser.get(path)
    assert "Waiting to be sent" not in browser.words and "Exercises · not sent: on hold after a red flag" in browser.words


def test_sources_suggestions_and_closings_are_told_in_words(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    live(sqlite_clinic, person, "done 2/1, done 7/6")
    look(person)
    browser, path = Browser(sqlite_clinic).sign_in(), f"/patients/{person.invitation.ref}"
    browser.get(path)
    assert "Suggestion: 20-30 % fewer repetitions or less load" in browser.words
    assert "The numbers: Pure Physiotherapy, page on proximal hamstring tendinopathy" in browser.words
    assert "our own default, no source. Rule A3." in browser.words and "the numbers: our own default. Rule B3." in browser.words
    assert "The flag on a clearly worse next day is open: nothing is proposed until it is closed." in browser.words
    for code in ("SEED", "E1", "E2", "by rule"):
        assert code not in browser.words
    with person.clinic.db.begin() as tx:
        case = next(case for case in cases.list_open(tx, person.episode()) if case.rule == "A3")
        cases.close_case(tx, sqlite_clinic.clock.now(), person.episode(), case.id, cases.SETTLED, "six settled loading days in a row")
    browser.get(path)
    assert ", 19:00 by itself: six settled loading days in a row" in browser.words
