"""What must be on a phone's screen: without scrolling sideways, and near the top."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESK, PHONE, Served
from tests.web.lives import live, look, say

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_newest_session_of_the_pain_chart_is_on_a_phones_screen(served: Served, new_page: Callable[..., Page], scripts: bool) -> None:
    person = served.clinic.in_care("Jo Park")
    live(served.clinic, person, "done 2/1, " * 60 + "done 6/3")
    look(person)
    page = new_page(phone=True, scripts=scripts)
    page.goto(f"/patients/{person.invitation.ref}")
    box, newest = page.locator(".scroll:has(svg.pain)").bounding_box(), page.locator("svg.pain > circle.during").last.bounding_box()
    label = page.locator("svg.pain .band-label", has_text="above the ceiling").bounding_box()
    assert box is not None and newest is not None and label is not None
    for shown in (newest, label):
        assert box["x"] <= shown["x"] and shown["x"] + shown["width"] <= box["x"] + box["width"], "it lies outside of what is seen"
    assert box["x"] + box["width"] <= 390


def test_on_a_phone_the_decision_is_near_and_a_link_to_evidence_unfolds_what_it_points_to(
    served: Served, new_page: Callable[..., Page]
) -> None:
    person = served.clinic.in_care("Jo Park")
    live(served.clinic, person, "done 2/1, " * 20 + "done 8/6, done 7/5, done 7/6, no, no, no")
    look(person)
    say(person, "talk to my physio")
    page = new_page(phone=True, scripts=False)
    page.goto(f"/patients/{person.invitation.ref}")
    cases = page.locator("article.case")
    assert cases.count() >= 3
    assert end_of(page.locator("footer")) < 3500 + 330 * (cases.count() - 2), "two cases in full, the others with reason and buttons"
    assert end_of(page.get_by_role("button", name="I am looking after it").nth(1)) < 2 * PHONE["height"]
    expect(cases.nth(0).locator("table.evidence").first).to_be_visible()
    for folded in (cases.nth(1), cases.nth(2)):
        expect(folded.locator("table.evidence").first).to_be_hidden()
        expect(folded.locator(".says").first).to_be_visible()
        expect(folded.get_by_text("Close it")).to_be_visible()
    expect(page.locator(".transcript .turn").first).to_be_hidden()
    link = cases.nth(0).get_by_role("link", name="In the chat").first
    there = page.locator((link.get_attribute("href") or "").rpartition("?all=1")[2])
    link.click()
    expect(there).to_be_visible()
    expect(there).to_be_in_viewport()
    page.set_viewport_size(DESK)
    page.goto(f"/patients/{person.invitation.ref}")
    expect(page.locator(".transcript .turn").first).to_be_visible()
    expect(page.get_by_text("Messages", exact=True).locator("visible=true")).to_have_count(1)


def test_on_a_phone_a_step_is_decided_within_two_screens(served: Served, new_page: Callable[..., Page]) -> None:
    person = served.clinic.in_care("Jo Park")
    live(served.clinic, person, "done 2/1, " * 14 + "done 2/1")
    look(person)
    page = new_page(phone=True, scripts=False)
    page.goto(f"/patients/{person.invitation.ref}")
    for name in ("Approve", "Hold"):
        assert end_of(page.get_by_role("button", name=name)) < 2 * PHONE["height"]


def end_of(found: Locator) -> float:
    """How far down the page it ends."""
    box = found.bounding_box()
    assert box is not None
    return box["y"] + box["height"]
