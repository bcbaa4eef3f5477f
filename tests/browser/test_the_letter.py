"""What a physio prints for a letter: one sheet, however long care has been."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.actions.prescribing import supersede
from bot_service.storage import episodes, prescriptions
from tests.browser.conftest import Served
from tests.running_clinic import Person
from tests.web.lives import live, look, say

pytestmark = pytest.mark.browser


def test_the_printed_summary_is_one_page_and_keeps_who_what_pain_and_why(served: Served, new_page: Callable[..., Page]) -> None:
    clinic = served.clinic
    person = clinic.in_care("Margaret Oyelaran", goals="run again " * 60, treated_side="left")  # the goals are as long as they may be
    live(clinic, person, "done 4/3, done 5/4, done 2/1, partly 3/2, missed, done 6/5, " * 26 + "done 7/6")
    for number in range(12):
        _prescribe_anew(person, number, "Sore after gardening, and then the stairs at work; " * 5)
    for _ in ("intermediate", "advanced"):
        review.step_up(clinic.db, _decision(person), clinic.clock.now() + timedelta(minutes=1))
    say(person, "I cannot feel my legs")
    look(person)
    page = new_page()
    page.goto(f"/patients/{person.invitation.ref}/summary")
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))) == 1
    page.emulate_media(media="print")
    letter = page.locator(".letter")
    assert letter.inner_text().count("Margaret Oyelaran") == 1
    for words in (
        "left side",
        "Advanced Plan",
        "Open: Words that need a check now",
        "24 hours after that session",
        "are in the record",
        "Signed:",
    ):
        assert letter.get_by_text(words).first.is_visible(), words
    page.goto(f"/patients/{person.invitation.ref}")
    assert page.get_by_text("Advanced Plan, week 1 in this stage").inner_text().endswith(", left side")


def _prescribe_anew(person: Person, number: int, reason: str) -> None:
    clinic = person.clinic
    with clinic.db.begin() as tx:
        episode = episodes.load(tx, person.invitation.episode_id)
        supersede(tx, episode, prescriptions.load(tx, episode.prescription_id), clinic.physio.id, f"{number}: {reason}", clinic.clock.now())


def _decision(person: Person) -> Decision:
    return Decision(
        person.clinic.physio, person.invitation.episode_id, "Strong, and nothing sore for two weeks", despite="lifted furniture once"
    )
