"""What must be on a phone's screen without scrolling sideways."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Served
from tests.web.lives import live, look

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
