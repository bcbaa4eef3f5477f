"""Every page in every state, on a desk and on a phone: no finding of axe at WCAG 2.2 A and AA, no scrolling sideways, none forgotten.

One `if` of a template that no state shows is a state forgotten, too.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from bot_service.web.pages import templates
from bot_service.web.site import DOORS
from tests.browser.alike import Judged
from tests.browser.branches import Branches
from tests.browser.conftest import DESK, PHONE, Served, serving
from tests.browser.happenings import people_of
from tests.browser.states import NOT_SHOWN, STATES
from tests.browser.walking import Walk
from tests.databases import FreshDatabases
from tests.patience import PATIENT_S
from tests.web.lives import a_member, another_clinic

pytestmark = pytest.mark.browser
NO_PAGES = {"/healthz", "/readyz", "/metrics", "/media/{token}"}
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
UNFOLD = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"


@dataclass
class Seen:
    """What was found on the walk, each with the name of the state; the addresses and the templates that were shown."""

    findings: list[str] = field(default_factory=list)
    wide: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    templates: set[str] = field(default_factory=set)
    unshown: set[str] = field(default_factory=set)
    judged: Judged = field(default_factory=Judged)


@pytest.fixture(scope="module")
def seen(databases: FreshDatabases, chromium: Browser) -> Seen:
    """One walk through all states of one clinic, each looked at in both widths."""
    found = Seen()
    with ExitStack() as stack:
        walk = _begin(stack.enter_context(serving(databases)), chromium, stack, found)
        templates().add_extension(Branches)
        templates().cache.clear()  # type: ignore[union-attr]  # what is in it afterwards was shown
        for state in STATES:
            page = walk.pages[state.who]
            state.reach(walk, page)
            path = urlsplit(page.url).path
            first = not any(_alike(path, earlier) for earlier in found.paths)
            found.paths.add(path)
            _look(page, state.name, state.words, found, first=first)
        found.templates = {key[1] for key in templates().cache}  # type: ignore[union-attr]
        found.unshown = templates().extensions[Branches.identifier].unshown  # type: ignore[attr-defined]
        templates.cache_clear()
    return found


def _begin(served: Served, chromium: Browser, stack: ExitStack, found: Seen) -> Walk:
    clinic, people = served.clinic, people_of(served)
    viewer, elsewhere = a_member(clinic, "viewer", "vi@riverside.example"), another_clinic(clinic)
    who = {"physio": clinic.physio, "admin": clinic.admin, "viewer": viewer, "elsewhere": elsewhere, "stranger": None}
    refs = {name: person.invitation.ref for name, person in people.items()} | {"anna": str(clinic.physio.id)}
    walk = Walk(served, {}, people, refs)
    for name, member in who.items():
        context = stack.enter_context(chromium.new_context(base_url=served.address, viewport=DESK))
        page = walk.pages[name] = context.new_page()
        page.set_default_timeout(PATIENT_S * 1000)
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.on("console", lambda said: found.complaints.append(said.text) if said.type in ("error", "warning") else None)
        if member is not None:
            page.goto(served.sign_in_link(member))
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/")
    return walk


def _alike(one: str, other: str) -> bool:
    """Whether two addresses lead to one page, perhaps of another patient or file."""
    return [re.sub(r"\S*\d\S*", "…", part) for part in one.split("/")] == [re.sub(r"\S*\d\S*", "…", part) for part in other.split("/")]


def _look(page: Page, name: str, words: str, found: Seen, *, first: bool) -> None:
    page.evaluate(UNFOLD)
    if words not in page.locator("body").inner_text():
        found.missed.append(f"{name}: {words!r} is not on {page.url}")
    for width in (PHONE, DESK):
        page.set_viewport_size(width)
        found.wide += [f"{name}, {width['width']}"] if page.evaluate(TOO_WIDE) else []
        if width == PHONE or first:  # axe is slow, and what a state adds to its page is the same at both widths
            found.findings += [f"{name}, {width['width']}: {each}" for each in found.judged.findings(page)]


def test_every_state_is_reached_accessible_and_fits_at_both_widths(seen: Seen) -> None:
    found = seen.missed + seen.findings + seen.wide
    assert not found, "\n".join(found)
    assert [text for text in seen.complaints if "the server responded with a status of" not in text] == []


def test_no_page_is_without_a_state(seen: Seen) -> None:
    pages = [each.path for each in DOORS if each.method == "GET" and each.path not in NO_PAGES and not each.path.endswith(".csv")]
    unseen = [path for path in pages if not any(re.fullmatch(re.sub(r"{\w+}", r"[^/]+", path), each) for each in seen.paths)]
    assert (unseen, sorted(set(templates().list_templates()) - seen.templates)) == ([], [])


def test_no_branch_of_a_template_is_without_a_state(seen: Seen) -> None:
    """A new branch needs a state in states.py; one of NOT_SHOWN that is shown by now is taken out there."""
    assert sorted(seen.unshown ^ NOT_SHOWN) == []
