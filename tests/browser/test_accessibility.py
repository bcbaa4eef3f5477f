"""No findings of axe at WCAG 2.2 A and AA, and no sideways scrolling, on every page in several states."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from bot_service.actions import review
from bot_service.actions.care_record import record_outcome, record_told
from bot_service.actions.deciding import Decision
from tests.browser.conftest import Served
from tests.running_clinic import Person
from tests.web.lives import a_day_on, a_member, live, look, say

pytestmark = pytest.mark.browser
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@pytest.fixture
def people(served: Served) -> dict[str, Person]:
    """One patient in each state that looks different."""
    clinic = served.clinic
    held = clinic.in_care("Held")
    a_day_on(clinic)
    say(held, "done, 9")
    say(held, "sorry, 3")
    review.hold(clinic.db, Decision(clinic.physio, held.invitation.episode_id, "race on Sunday"), None, None, clinic.clock.now())
    found = {name: clinic.in_care(name.title()) for name in ("steady", "flared", "redflag")}
    live(clinic, found["steady"], "done 2/1, " * 14 + "done 2/1")
    live(
        clinic,
        found["flared"],
        "done 2/1, partly 3, no, missed, unsent, paused, -, done 8/6, done 7/5, done 3/1, " + "done 3/1, " * 4 + "done 3/1",
    )
    look(*found.values())
    say(found["redflag"], "I cannot feel my legs")
    say(found["flared"], "talk to my physio")
    found["held"] = held
    _measured(found["steady"])
    found["new"] = Person(clinic, clinic.enrol("Lena Fischer"), "sim:none")
    return found


def _measured(person: Person) -> None:
    """Values of a physio and of the patient in chat, two of one activity, and one that is named and not rated."""
    clinic, day = person.clinic, person.episode().start_date
    by, now = Decision(clinic.physio, person.invitation.episode_id, ""), clinic.clock.now()
    for activity, value in (("sit through a whole film at the cinema", 3), ("kneel", None)):
        record_outcome(clinic.db, by, "psfs", activity, value, day, now)
    with clinic.db.begin() as tx:
        record_told(tx, person.episode(), "psfs", "sit through a whole film at the cinema", 7, day + timedelta(days=9), now)


def findings(page: Page) -> list[str]:
    result = Axe().run(page, options=RULES)
    return [f"{page.url} {found['id']}: {node['html'][:160]}" for found in result.response["violations"] for node in found["nodes"]]


@pytest.mark.parametrize("phone", [False, True], ids=["1280", "390"])
def test_every_page_is_accessible_and_fits(new_page: Callable[..., Page], people: dict[str, Person], phone: bool) -> None:
    page = new_page(phone=phone)
    paths = [
        "/",
        "/?q=nobody",
        "/?whose=queue",
        "/discharge",
        "/notices",
        "/notices?done=saved",
        "/forecast",
        "/rules",
        *(f"/patients/{person.invitation.ref}" for person in people.values()),
    ]
    paths += ["/phone", f"/phone/{people['flared'].invitation.ref}", f"/phone/{people['new'].invitation.ref}"]
    paths += [f"/patients/{people['steady'].invitation.ref}/{name}" for name in ("prescription", "summary", "outcomes", "message")]
    found, wide = [], []
    for path in paths:
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        found += findings(page)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(path)
    assert (found, wide) == ([], [])


def test_pages_of_people_who_are_not_signed_in_are_accessible(new_page: Callable[..., Page]) -> None:
    page = new_page(signed_in=False)
    found = []
    for path in ("/sign-in", "/sign-in/something"):
        page.goto(path)
        found += findings(page)
    assert found == []


def test_a_refused_decision_is_accessible(new_page: Callable[..., Page], people: dict[str, Person]) -> None:
    page = new_page()
    person = people["steady"]
    page.goto(f"/patients/{person.invitation.ref}")
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
    new_page: Callable[..., Page], people: dict[str, Person], phone: bool
) -> None:
    page = new_page(phone=phone)
    page.goto(f"/patients/{people['steady'].invitation.ref}/prescription")
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
    assert "3 × 30 s hold" in page.locator("#main").inner_text()
    assert found == []


REFUSED = "words that are refused"


@pytest.mark.parametrize("phone", [False, True], ids=["1280", "390"])
def test_the_admins_pages_are_accessible_and_fit(new_page: Callable[..., Page], served: Served, phone: bool) -> None:
    admin = a_member(served.clinic, "admin", "al@example.org")
    served.clinic.in_care("Jo Park")
    page = new_page(signed_in=False, phone=phone)
    page.goto(served.sign_in_link(admin))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    page.goto("/team")
    page.locator("#email").fill("kim@example.org")
    page.locator("#name").fill("Kim Lee")
    page.get_by_role("button", name="Invite").click()
    page.get_by_text("Kim Lee signs in with this link").wait_for()
    found, wide = [], []
    for path in (None, "/audit", "/audit?verify=1", "/clinic", "/clinic/thresholds", "/clinic/wording?language=ar", REFUSED):
        if path == REFUSED:
            page.goto("/clinic/wording")
            page.get_by_label("Words of Daily greeting").fill("Time for your hamstring")
            page.get_by_role("button", name="Check Daily greeting").click()
            page.get_by_text("must not say “hamstring”").wait_for()
        elif path:
            page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        found += findings(page)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(page.url)
    assert (found, wide) == ([], [])
