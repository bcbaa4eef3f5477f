"""Enrolling in a real browser: the form, the leaflet, a file, and ending care, with and without JavaScript and at phone width."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot_service.conversation.wording import SHIPPED
from bot_service.storage import clinics
from tests.browser.conftest import Served
from tests.browser.enrolling import fill_form
from tests.files_of_patients import a_file, good_row

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("scripts", "phone"), [(True, False), (False, False), (True, True)], ids=["desk", "without scripts", "phone"])
def test_a_patient_is_enrolled_gets_a_leaflet_and_begins(served: Served, new_page: Callable[..., Page], scripts: bool, phone: bool) -> None:
    plan = served.clinic.plan
    page = new_page(scripts=scripts, phone=phone)
    page.get_by_role("link", name="Enrol", exact=True).click()
    page.get_by_role("button", name="Enrol", exact=True).click()
    alert = page.get_by_role("alert")
    expect(alert.get_by_text("Nobody is enrolled yet")).to_be_visible()
    alert.get_by_role("link", name="A patient needs a name").click()
    expect(page.get_by_label("Full name")).to_be_focused() if scripts else None
    fill_form(page, plan, "Jo Park")
    page.get_by_label("Language of the messages").select_option("es")
    page.get_by_role("button", name="Show these words again").click()
    expect(page.get_by_text("¿Está de acuerdo?")).to_be_visible()
    expect(page.get_by_label("Full name")).to_have_value("Jo Park")
    page.get_by_role("button", name="Enrol", exact=True).click()
    expect(page.get_by_text("Jo Park is enrolled as P001")).to_be_visible()
    expect(page.get_by_role("img", name="QR code of the link")).to_be_visible()
    page.reload()
    with served.clinic.db.read() as tx:
        assert len(clinics.list_clinics(tx)) == 1
    expect(page.get_by_text("Jo Park is enrolled as P001")).to_be_visible()

    with page.expect_popup() as opened:
        page.get_by_role("button", name="Leaflet to print").click()
    leaflet = opened.value
    expect(leaflet.get_by_role("heading", name="Sus recordatorios de ejercicios")).to_be_visible()
    expect(leaflet.get_by_role("article").get_by_text("Jo Park")).to_have_count(0)
    leaflet.close()

    page.get_by_role("link", name="Invitations", exact=True).first.click()
    expect(page.get_by_text("1 patient has not begun yet.")).to_be_visible()
    page.get_by_role("button", name="Take back the link of Jo Park").click()
    expect(page.get_by_text("Taken back. The link works for nobody now")).to_be_visible()
    page.get_by_role("button", name="New link for Jo Park").click()
    page.locator(".link a").first.click()
    page.get_by_role("button", name="Open invitation").click()
    expect(page.get_by_role("log").get_by_text("¿Está de acuerdo?").first).to_be_visible()


def test_somebody_whom_the_plan_does_not_fit_is_refused_with_the_reason(served: Served, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto("/enrol")
    fill_form(page, served.clinic.plan, "Jo Park", Telephone="12")
    page.get_by_role("group", name="Could this be an acute tear").get_by_label("Yes").check()
    page.get_by_label("Full name").press("Enter")
    expect(page.get_by_role("alert").get_by_role("link")).to_have_count(2)
    expect(page.get_by_role("alert")).to_contain_text("This plan is not for this patient: Could this be an acute tear")
    expect(page.get_by_label("Telephone")).to_have_value("12")
    page.get_by_role("alert").get_by_role("link").first.click()
    expect(page.locator("#answer-acute_tear")).to_be_focused()


@pytest.mark.parametrize(("scripts", "phone"), [(True, False), (False, True)], ids=["desk", "phone without scripts"])
def test_a_file_is_looked_at_corrected_and_taken_in(
    served: Served, new_page: Callable[..., Page], tmp_path: Path, scripts: bool, phone: bool
) -> None:
    plan, file = served.clinic.plan, tmp_path / "patients.csv"
    rows = [good_row(plan, number) for number in range(1, 6)]
    rows[2] |= {"baseline": "often", "phone": "none"}
    file.write_bytes(a_file(plan, rows, separator=";", encoding="utf-16"))
    page = new_page(scripts=scripts, phone=phone)
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_label("The file").set_input_files(file)
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_label("Usual pain")).to_have_value("baseline")
    page.get_by_role("button", name="Look at every row").click()
    expect(page.get_by_text("Write a whole number from 0 to 10.")).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download the 1 wrong row").click()
    corrected = Path(downloading.value.path()).read_bytes()
    page.get_by_role("button", name="Enrol 4 patients").click()
    expect(page.get_by_text("4 patients are enrolled.")).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download the links").click()
    assert Path(downloading.value.path()).read_text("utf-8-sig").count("/phone/P00") == 4

    page.get_by_role("link", name="Print a leaflet for each").click()
    expect(page.get_by_role("article")).to_have_count(4)
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))) == 4

    page.get_by_role("link", name="Import", exact=True).click()
    file.write_bytes(corrected.replace(b"often", b"2").replace(b'"none"', b'""'))
    page.get_by_label("The file").set_input_files(file)
    page.get_by_role("button", name="Look at the file").click()
    page.get_by_role("button", name="Look at every row").click()
    page.get_by_role("button", name="Enrol 1 patient", exact=True).click()
    expect(page.get_by_text("1 patient is enrolled.")).to_be_visible()


def test_a_large_file_is_taken_in_behind_a_page_that_says_how_far_it_is(
    served: Served, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    """The answer comes before the work: a browser that waited for thousands of rows would give up."""
    plan, file = served.clinic.plan, tmp_path / "patients.csv"
    file.write_bytes(a_file(plan, [good_row(plan, number) for number in range(1, 601)]))
    page, seen = new_page(scripts=False, phone=True), set[str]()
    page.goto("/import")
    page.get_by_label("The file").set_input_files(file)
    page.get_by_role("button", name="Look at the file").click()
    page.get_by_role("button", name="Look at every row").click()
    page.get_by_role("button", name="Enrol 600 patients").click()
    expect(page.get_by_role("heading", name="Being imported")).to_be_visible()
    while page.get_by_role("heading", name="Being imported").count():
        seen.add(page.get_by_text("of 600 rows are done.").inner_text())
        page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("600 patients are enrolled.")).to_be_visible()
    assert len(seen) > 1, seen


def test_care_ends_for_those_who_are_ticked_or_named_after_a_look(served: Served, new_page: Callable[..., Page]) -> None:
    refs = [served.clinic.enrol(name).ref for name in ("Ann Bell", "Bea Cole", "Cy Dunn")]
    page = new_page(scripts=False)
    page.goto("/discharge")
    page.get_by_label("Ann Bell").check()
    page.get_by_label("Or paste references").fill(f"ref;name\n{refs[1]};Bea\nP999ZZZ")
    page.get_by_role("button", name="Look at who it will be").click()
    expect(page.get_by_role("alert")).to_contain_text("Write a short reason")
    page.get_by_label("Why?").fill("moved away")
    page.get_by_role("button", name="Look at who it will be").click()
    expect(page.get_by_role("heading", name="End care for 2 patients?")).to_be_visible()
    expect(page.get_by_text("not in care here: P999ZZZ")).to_be_visible()
    page.get_by_role("button", name="End care").click()
    expect(page.get_by_text("Care has ended for 2.")).to_be_visible()
    expect(page.get_by_label("Cy Dunn")).to_be_visible()
    expect(page.get_by_label("Ann Bell")).to_have_count(0)


@pytest.mark.parametrize("language", SHIPPED)
def test_the_leaflet_is_one_page_with_a_code_that_leads_to_the_clinic(served: Served, new_page: Callable[..., Page], language: str) -> None:
    clinic = served.clinic
    clinic.service.settings = clinic.service.settings.model_copy(update={"channels": ("whatsapp",), "whatsapp_from": "+15550100"})
    page = new_page()
    page.goto("/enrol")
    fill_form(page, clinic.plan, "Jo Park")
    page.get_by_label("Language of the messages").select_option(language)
    page.get_by_role("button", name="Enrol", exact=True).click()
    url = page.locator(".link a").first.get_attribute("href")
    assert url is not None and url.startswith("https://wa.me/15550100?text=Start%20")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Leaflet to print").click()
    leaflet = opened.value
    assert leaflet.locator("article .qr path").last.get_attribute("d") == page.locator(".invitation .qr path").last.get_attribute("d")
    printed = leaflet.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    leaflet.emulate_media(media="print")
    assert not leaflet.get_by_role("heading", name="Leaflet").is_visible() and leaflet.get_by_role("article").is_visible()
