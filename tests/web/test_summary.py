"""The ten-second summary: what it says can be counted again from the record, and it is to be read by staff of the clinic alone."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from html import unescape

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.storage import audit
from bot_service.web.summary import pain_figures
from tests.running_clinic import Person, RunningClinic
from tests.web.lives import Browser, another_clinic, live, look, say


@pytest.fixture
def person(sqlite_clinic: RunningClinic) -> Person:
    someone = sqlite_clinic.in_care("Jo Park")
    live(sqlite_clinic, someone, "done 2/1, done 4/2, missed, partly 3, done 6/5, done 1/0")
    look(someone)
    return someone


def brief_of(browser: Browser) -> str:
    return unescape(browser.page.partition("readonly>")[2].partition("</textarea>")[0])


def open_summary(person: Person) -> Browser:
    browser = Browser(person.clinic).sign_in()
    browser.get(f"/patients/{person.invitation.ref}/summary")
    return browser


def test_the_text_says_who_where_what_was_done_and_how_bad_it_was(person: Person) -> None:
    text = brief_of(open_summary(person))
    assert text.startswith(f"Jo Park ({person.invitation.ref}). Proximal hamstring tendinopathy, both sides. Early Plan, week 1 of care.")
    assert "done 75 % of scheduled days, replied on 100 %." in text  # 4 done and 1 partly of 6
    assert "Pain on 5 loading days in 14 days (usual 2/10): in the session median 3, worst 6 of 5 rated; " in text
    assert "24 hours later median 1.5, worst 5 of 4 rated." in text
    assert "1/10 in the session, 0/10 after 24 hours." in text
    assert "Open: Clearly worse the next day. Pain 5/10 the day after Saturday's session (26 Sep), usual 2." in text
    assert "As the patient reported it by chat" in text


def test_flags_holds_and_the_last_decision_are_named(person: Person) -> None:
    say(person, "I cannot feel my legs")
    clinic = person.clinic
    review.hold(clinic.db, Decision(clinic.physio, person.invitation.episode_id, "wait"), None, None, clinic.clock.now())
    text = brief_of(open_summary(person))
    assert text.index("Open: Words that need a check now.") < text.index("Open: Clearly worse the next day.")
    assert "On hold after a red flag." in text
    assert "Last decision: held" in text
    assert "by Anna Reed." in text
    assert "I cannot feel" not in text  # the patient's own words stay in the record


def test_opening_it_is_in_the_audit_trail_and_another_clinic_finds_nothing(person: Person) -> None:
    clinic, start = person.clinic, person.clinic.clock.now() - timedelta(seconds=1)
    stranger = Browser(clinic).sign_in(another_clinic(clinic))
    stranger.get(f"/patients/{person.invitation.ref}/summary")
    assert stranger.status == 404
    open_summary(person)
    with clinic.db.read() as tx:
        assert audit.was_recorded(tx, clinic.physio.email, "viewed", person.invitation.patient_id, since=start)


@dataclass(frozen=True)
class _Counted:
    rated: int
    middle: float | None
    worst: int | None


def counted_again(scores: list[int | None]) -> _Counted:
    known = sorted(score for score in scores if score is not None)
    if not known:
        return _Counted(0, None, None)
    low, high = known[(len(known) - 1) // 2], known[len(known) // 2]
    return _Counted(len(known), (low + high) / 2, known[-1])


def test_its_figures_are_those_that_anybody_would_count() -> None:
    chance = random.Random(5)
    for _ in range(1000):
        scores = [chance.choice([None, *range(11)]) for _ in range(chance.randrange(15))]
        found, again = pain_figures(scores), counted_again(scores)
        assert (found.rated, found.middle, found.worst) == (again.rated, again.middle, again.worst)
