"""My notices in a browser: choices, leave and the admin's part by keyboard and pointer, with and without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from bot_service.clock import real_now
from bot_service.storage import clinics, staff
from tests.browser.conftest import Served
from tests.browser.test_accessibility import findings
from tests.notice_clinic import with_mail
from tests.web.lives import say

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("phone", [False, True], ids=["1280", "390"])
def test_leave_and_choices_are_made_without_scripts_and_every_state_is_accessible(
    new_page: Callable[..., Page], served: Served, phone: bool
) -> None:
    there = with_mail(served.clinic, digests=True)
    with served.clinic.db.begin() as tx:
        clinics.find_or_add_sender(tx, served.clinic.clinic.id, "telegram", "RiversideBot", None)
        link = staff.add_link(tx, real_now(), there.lead.id)
    say(served.clinic.in_care("Jo Park"), "I can't feel my legs and I wet myself")
    plain = new_page(phone=phone, scripts=False)
    plain.goto("/notices")
    plain.get_by_label("First day away").fill("2026-09-22")
    plain.get_by_label("Last day away").fill("2026-09-25")
    plain.get_by_label("Who covers").select_option("Ben Cole")
    plain.get_by_role("button", name="Add leave").click()
    assert "Ben Cole looks after the patients" in plain.inner_text("main")
    plain.get_by_label("A digest of the week").uncheck()
    plain.get_by_role("button", name="Save").first.click()
    assert "Saved." in plain.get_by_role("status").inner_text()
    assert not plain.get_by_label("A digest of the week").is_checked()

    page = new_page(phone=phone)
    page.goto("/notices")
    found = findings(page)
    page.get_by_role("button", name="Make a link").click()
    page.get_by_role("link", name="t.me/RiversideBot").wait_for()
    found += findings(page)
    page.goto(f"/sign-in/{link}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    page.goto("/notices")
    page.get_by_text("Change the limits").click()
    page.get_by_label("Reminder, in minutes").fill("600")
    page.get_by_role("button", name="Save the limits").click()
    assert "the reminder comes first" in page.get_by_role("alert").inner_text().lower()
    assert page.get_by_label("Reminder, in minutes").input_value() == "600"
    found += findings(page)
    assert found == []
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
