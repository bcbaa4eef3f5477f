"""What axe finds on a page, and what a physio does by keyboard alone without a finding of it on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Served
from tests.running_clinic import Person
from tests.web.lives import live, look

pytestmark = pytest.mark.browser
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RULES = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}  # the rest in full would take half as long again


@pytest.fixture
def steady(served: Served) -> Person:
    """A patient of whom a step is proposed."""
    person = served.clinic.in_care("Steady")
    live(served.clinic, person, "done 2/1, " * 14 + "done 2/1")
    look(person)
    return person


def findings(page: Page) -> list[str]:
    result = Axe().run(page, options=RULES)
    return [f"{page.url} {found['id']}: {node['html'][:160]}" for found in result.response["violations"] for node in found["nodes"]]


def test_a_refused_decision_is_accessible(new_page: Callable[..., Page], steady: Person) -> None:
    page = new_page()
    page.goto(f"/patients/{steady.invitation.ref}")
    page.locator("summary", has_text="Pause prompts").click()
    page.locator("#pause-reason").fill("holiday")
    page.evaluate("document.getElementById('pause-until').removeAttribute('min')")
    page.get_by_label("First day with prompts again").fill("2020-01-01")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("alert").wait_for()
    assert "must lie ahead" in page.get_by_role("alert").inner_text()
    assert page.locator("#pause-reason").input_value() == "holiday"
    assert findings(page) == []


@pytest.mark.parametrize("phone", [False, True], ids=["1280", "390"])
def test_a_prescription_is_written_checked_and_prescribed_by_keyboard_alone(
    new_page: Callable[..., Page], steady: Person, phone: bool
) -> None:
    page = new_page(phone=phone)
    page.goto(f"/patients/{steady.invitation.ref}/prescription")
    page.locator("#sets-E1").fill("many")
    page.locator("#sets-E1").press("Enter")
    page.get_by_role("alert").wait_for()
    found = findings(page)
    page.get_by_role("alert").get_by_role("link").first.press("Enter")
    page.keyboard.press("Control+A")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Check what changes").wait_for()
    found += findings(page)
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    page.get_by_label("Why?").fill("fewer for a while")
    page.get_by_role("button", name="Prescribe").press("Enter")
    page.get_by_text("Prescribed. The new version applies").wait_for()
    assert "3 × 30 s hold" in (page.locator("#main").text_content() or "")
    assert found == []
