"""What an admin and a viewer do in a browser: the desk without scripts on a phone, and eyes that change nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from bot_service.storage import episodes
from tests.browser.conftest import Served
from tests.browser.enrolling import fill_form
from tests.browser.walking import SUBMIT
from tests.files_of_patients import a_file, good_row
from tests.web.lives import a_member, live, look, say

pytestmark = pytest.mark.browser


def sign_in(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")


def test_an_admin_enrols_and_imports_on_a_phone_without_scripts(served: Served, new_page: Callable[..., Page]) -> None:
    clinic = served.clinic
    a_member(clinic, "physio", "ben@riverside.example")  # so that whose patient it is has to be chosen
    page = new_page(signed_in=False, phone=True, scripts=False)
    sign_in(page, served.sign_in_link(clinic.admin))
    page.get_by_role("link", name="Enrol", exact=True).click()
    fill_form(page, clinic.plan, "Jo Park")
    page.get_by_role("button", name="Enrol", exact=True).click()
    expect(page.get_by_role("alert").get_by_role("link", name="Choose who treats this patient")).to_be_visible()
    expect(page.get_by_label("Full name")).to_have_value("Jo Park")
    page.get_by_label("Treating physiotherapist").select_option("Anna Reed")
    page.get_by_role("button", name="Enrol", exact=True).click()
    expect(page.get_by_text("Jo Park is enrolled as P001")).to_be_visible()

    page.get_by_role("link", name="Import", exact=True).click()
    rows = [good_row(clinic.plan, 1), good_row(clinic.plan, 2) | {"baseline": "often"}, good_row(clinic.plan, 3)]
    page.get_by_label("The file").set_input_files({"name": "p.csv", "mimeType": "text/csv", "buffer": a_file(clinic.plan, rows)})
    page.get_by_role("button", name="Look at the file").click()
    page.locator("select[name=physio]").select_option("Anna Reed")
    page.get_by_role("button", name="Look at every row").click()
    expect(page.get_by_text("Write a whole number from 0 to 10.")).to_be_visible()
    page.get_by_role("button", name="Enrol 2 patients").click()
    expect(page.get_by_text("2 patients are enrolled.")).to_be_visible()

    page.get_by_role("link", name="Invitations", exact=True).first.click()
    expect(page.get_by_text("3 patients have not begun yet.")).to_be_visible()
    page.get_by_role("link", name="Jo Park").click()
    page.locator("summary", has_text="Last heard").click()
    expect(page.locator(".facts").get_by_text("Anna Reed")).to_be_visible()


def test_a_viewer_reads_everything_and_finds_nothing_to_change(served: Served, new_page: Callable[..., Page]) -> None:
    clinic = served.clinic
    person = clinic.in_care("Margaret Oyelaran")
    live(clinic, person, "done 2/1, " * 14 + "done 2/1")
    look(person)
    say(person, "I cannot feel my legs")
    page = new_page(signed_in=False)
    sign_in(page, served.sign_in_link(a_member(clinic, "viewer", "vi@riverside.example")))
    page.get_by_role("link", name="Margaret Oyelaran").click()
    expect(page.get_by_role("heading", name="Needs a look")).to_be_visible()
    for name in ("Pain", "Prescription", "Messages"):
        expect(page.get_by_role("heading", name=name, exact=False).first).to_be_visible()
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.get_by_role("button").all_inner_texts() == ["Sign out"]
    assert page.locator("main form").count() == 0
    path = f"/patients/{person.invitation.ref}"
    with clinic.db.read() as tx:
        before = episodes.list_holds(tx, person.invitation.episode_id)
    for to, fields in ((f"{path}/pause", {"reason": "holiday"}), (f"{path}/decision", {"decision": "hold", "reason": "race"})):
        with page.expect_response(lambda each, to=to: each.url.endswith(to)) as answer:  # type: ignore[misc]
            page.evaluate(SUBMIT, ["/sign-out", to, fields])
        assert answer.value.status == 403
        expect(page.get_by_role("alert")).to_contain_text("Only a physiotherapist can decide this.")
    with clinic.db.read() as tx:
        assert episodes.list_holds(tx, person.invitation.episode_id) == before
