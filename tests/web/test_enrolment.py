"""The enrolment pages: the form and its mistakes, what is handed over, invitations, and ending care; who may, and nothing twice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

import pytest

from bot_service.actions.clinic_settings import set_numbers
from bot_service.actions.import_columns import guess
from bot_service.actions.import_file import decode, read_sheet
from bot_service.actions.importing import check, setting_for
from bot_service.actions.invitations import doors_of
from bot_service.actions.voices import clinic_setting
from bot_service.conversation.wording import SHIPPED
from bot_service.errors import Conflict
from bot_service.storage import caseload, clinics, contacts, episodes, patients, prescriptions, tables
from bot_service.storage.staff import Member
from tests.files_of_patients import a_file, good_row
from tests.running_clinic import RunningClinic
from tests.web.lives import Browser, a_member, another_clinic


def fields(clinic: RunningClinic, **more: str) -> dict[str, str]:
    """A form that can be sent; an empty value leaves the field out."""
    answers = {f"answer-{question.id}": "yes" if question.must_be else "no" for question in clinic.plan.eligibility}
    given = {
        "name": "Jo Park",
        "zone": "Europe/London",
        "language": "en",
        "stage": "early",
        "side": "left",
        "physio": str(clinic.physio.id),
    }
    every = {**answers, **given, "plan": clinic.plan.id, "once": "1" * 32, "step": "enrol"} | {
        k.replace("__", "-"): v for k, v in more.items()
    }
    return {name: value for name, value in every.items() if value}


def enrolled(browser: Browser, clinic: RunningClinic, **more: str) -> str:
    """Enrol over the form; the patient's reference."""
    browser.get("/enrol")
    browser.post("/enrol", fields(clinic, **more))
    found = re.search(r"enrolled as (P\w+)", browser.words)
    assert found, browser.words
    return found[1]


def code_on(browser: Browser) -> str:
    return browser.hidden("code")


def count(clinic: RunningClinic) -> int:
    with clinic.db.read() as tx:
        return patients.count_of_clinic(tx, clinic.clinic.id)


def test_the_form_enrols_with_everything_that_was_chosen(clinic: RunningClinic) -> None:
    browser = Browser(clinic).sign_in()
    ref = enrolled(
        browser, clinic, phone="07700 900123", record_number=" R7781 ", at="07:15", day__mon="on", day__thu="on", baseline="3", rungs="on",
        goals="Sit through a film", flare="on", channel="telegram", stage="intermediate", language="es",
    )  # fmt: skip
    assert "qr" in browser.page and f"/phone/{ref}" in browser.words and "+44 7700 900123" in browser.words
    with clinic.db.read() as tx:
        patient = patients.load_by_ref(tx, clinic.clinic.id, ref)
        episode = episodes.find_of_patient(tx, patient.id)
        assert episode is not None
        contact = contacts.load_contact(tx, patient.id)
        document = prescriptions.load(tx, episode.prescription_id)
        assert (patient.name, patient.language, episode.stage, episode.baseline) == ("Jo Park", "es", "intermediate", 3)
        assert (contact.phone, contact.record_number, contact.channel) == ("+447700900123", "R7781", "telegram")
        assert document.flare_plan is not None and document.rungs_preauthorised
        assert [(slot.days, slot.at.isoformat("minutes")) for slot in document.slots if slot.prompted] == [(("mon", "thu"), "07:15")]
        row = tx.one(tables.patients.select())
        assert not any(secret in bytes(value) for value in (row.phone, row.record_number) for secret in (b"7700", b"7781"))
    for page in ("", "/summary"):
        browser.get(f"/patients/{ref}{page}")
        assert "Wants to be able to: Sit through a film" in browser.words


def test_usual_pain_above_the_clinics_own_ceiling_is_seen_first_on_the_form_in_a_file_and_by_command(
    sqlite_clinic: RunningClinic, browser: Browser
) -> None:
    clinic = sqlite_clinic
    browser.get("/enrol")
    assert "Above 5 see the patient first." in browser.words
    lower, now = {"pain_ceiling": 3, "session_pain.green_max": 2}, clinic.clock.now()
    set_numbers(clinic.db, clinic.admin, clinic.plan, lower, clinic.physio.id, now)
    browser.get("/enrol")
    assert "Above 3 see the patient first." in browser.words
    browser.post("/enrol", fields(clinic, baseline="4"))
    assert browser.status == 422 and re.search(r"#baseline\">[^<]*above 3 the patient is not ready for loading", browser.page)
    with pytest.raises(Conflict, match="above 3 the patient is not ready"):
        clinic.enrol("Ana Ruiz", baseline=4)
    with clinic.db.read() as tx:
        here = clinics.load_clinic(tx, clinic.clinic.id)
        setting = setting_for(tx, here, clinic.service.library, doors_of(tx, clinic.service.settings, here), clinic.physio.id)
        sheet = read_sheet(decode(a_file(clinic.plan, [dict(good_row(clinic.plan, 1)) | {"baseline": "4"}])))
        checked = check(tx, clinic.clinic.id, sheet, guess(sheet.headings, setting.columns), setting)
    assert ["above 3" in each.remedy for each in checked.wrong] == [True] and count(clinic) == 0
    browser.post("/enrol", fields(clinic, baseline="3"))
    assert browser.status == 200 and count(clinic) == 1


def test_a_physio_who_enrols_treats_unless_they_choose_somebody_else(sqlite_clinic: RunningClinic) -> None:
    clinic, ben = sqlite_clinic, a_member(sqlite_clinic, "physio", "ben@example.org")
    for member, chosen in (
        (ben, f'value="{ben.id}" selected'),
        (clinic.physio, f'value="{clinic.physio.id}" selected'),
        (clinic.admin, ""),
    ):
        select = Browser(clinic).sign_in(member).get("/enrol").partition('<select id="physio"')[2].partition("</select>")[0]
        assert select.count(" selected") == 1 and (chosen in select if chosen else 'value="" selected' in select), member.email


def test_every_mistake_is_said_with_its_field_and_what_was_typed_is_kept(sqlite_clinic: RunningClinic, browser: Browser) -> None:
    browser.get("/enrol")
    wrong = {"name": "", "side": "", "physio": "", "phone": "12", "answer__adult": "", "answer__acute_tear": "yes", "zone": "Mars/Base"}
    browser.post("/enrol", fields(sqlite_clinic, **wrong, goals="Walk"))
    assert browser.status == 422 and count(sqlite_clinic) == 0
    linked = re.findall(r'<li><a href="#([^"]+)">', browser.page)
    assert linked == ["answer-adult", "answer-acute_tear", "name", "phone", "zone", "physio", "side"]
    assert all(f'id="{name}"' in browser.page for name in linked)
    assert "This plan is not for this patient: Could this be an acute tear" in browser.words
    assert 'value="12"' in browser.page and ">Walk</textarea>" in browser.page and 'value="Mars/Base"' in browser.page


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"stage": "intermediate", "day__mon": "on", "day__tue": "on"}, "48 hours between two sessions"),
        ({"baseline": "7"}, "see the patient first"),
        ({"language": "tlh"}, "no messages in the language"),
        ({"name": "x" * 121}, "at most 120 characters"),
    ],
)
def test_what_does_not_fit_is_refused(sqlite_clinic: RunningClinic, browser: Browser, more: Mapping[str, str], sentence: str) -> None:
    browser.get("/enrol")
    browser.post("/enrol", fields(sqlite_clinic, **more))
    assert browser.status == 422 and sentence in browser.words and count(sqlite_clinic) == 0


def test_each_exclusion_refuses_with_its_reason(sqlite_clinic: RunningClinic, browser: Browser) -> None:
    browser.get("/enrol")
    for question in sqlite_clinic.plan.eligibility:
        browser.post("/enrol", fields(sqlite_clinic, **{f"answer__{question.id}": "no" if question.must_be else "yes"}))
        assert browser.status == 422 and f"This plan is not for this patient: {question.text}" in browser.words
    assert count(sqlite_clinic) == 0


def test_the_same_form_sent_twice_enrols_one_patient_and_shows_the_same_link(clinic: RunningClinic) -> None:
    browser = Browser(clinic).sign_in()
    enrolled(browser, clinic)
    first = code_on(browser)
    browser.post("/enrol", fields(clinic))
    assert (browser.status, count(clinic), code_on(browser)) == (200, 1, first)
    browser.post("/enrol", fields(clinic, once="2" * 32))
    assert count(clinic) == 2 and code_on(browser) != first


def test_a_telephone_or_record_number_is_one_patients(sqlite_clinic: RunningClinic, browser: Browser) -> None:
    ref = enrolled(browser, sqlite_clinic, phone="07700 900123", record_number="QZ 1")
    for more, field in (({"phone": "+447700900123"}, "phone"), ({"record_number": "qz1"}, "record_number")):
        browser.post("/enrol", fields(sqlite_clinic, once="2" * 32, **more))
        assert browser.status == 422 and f'href="#{field}"' in browser.page and f"{ref}, who is a patient already" in browser.words
    assert count(sqlite_clinic) == 1
    found = {search: f'href="/patients/{ref}"' in browser.get(f"/?whose=all&q={search}") for search in ("qz1", "Qz+1", "qz", "z1")}
    assert found == {"qz1": True, "Qz+1": True, "qz": False, "z1": False}, "only the whole number finds"


def test_an_admin_chooses_who_treats_and_the_prescription_is_theirs(sqlite_clinic: RunningClinic) -> None:
    other = a_member(sqlite_clinic, "physio", "bo@example.org")
    browser = Browser(sqlite_clinic).sign_in(sqlite_clinic.admin)
    browser.get("/enrol")
    browser.post("/enrol", fields(sqlite_clinic, physio=""))
    assert browser.status == 422 and "Choose who treats this patient" in browser.words
    enrolled(browser, sqlite_clinic, physio=str(other.id))
    with sqlite_clinic.db.read() as tx:
        assert tx.one(tables.prescriptions.select()).staff_id == other.id == tx.one(tables.episodes.select()).physio_id


def test_the_words_are_shown_in_the_patients_language_before_anybody_is_enrolled(sqlite_clinic: RunningClinic, browser: Browser) -> None:
    browser.get("/enrol")
    assert "Your physiotherapist Anna Reed would like" in browser.words
    assert str(sqlite_clinic.plan.flare_plan).split(".", maxsplit=1)[0] in browser.words
    for stage in sqlite_clinic.plan.stages:
        browser.post("/enrol", fields(sqlite_clinic, stage=stage.id, step="look", language="pl", name=""))
        assert (browser.status == 200 and "Czy jest na to zgoda" in browser.words) or "zgod" in browser.words
    assert count(sqlite_clinic) == 0


@pytest.mark.parametrize("language", SHIPPED)
def test_the_leaflet_is_in_the_patients_language_and_names_neither_patient_nor_condition(
    sqlite_clinic: RunningClinic, language: str
) -> None:
    browser = Browser(sqlite_clinic).sign_in()
    ref = enrolled(browser, sqlite_clinic, language=language)
    browser.post(f"/invitations/{ref}/leaflet", code=code_on(browser))
    article = unescape(re.search(r"<article.*</article>", browser.page, re.DOTALL)[0])  # type: ignore[index]  # it is there
    assert f'lang="{language}"' in article and "<svg" in article and ref in article and f"/phone/{ref}" in article
    assert "Jo Park" not in article and "hamstring" not in article.casefold() and "$" not in article
    with sqlite_clinic.db.read() as tx:
        assert str(clinic_setting(clinics.load_clinic(tx, sqlite_clinic.clinic.id), "emergency")) in article


def test_a_leaflet_needs_the_patients_own_good_code(sqlite_clinic: RunningClinic, browser: Browser) -> None:
    ref = enrolled(browser, sqlite_clinic)
    code = code_on(browser)
    other = enrolled(browser, sqlite_clinic, once="2" * 32)
    for path, sent in ((ref, "guess"), (other, code)):
        browser.post(f"/invitations/{path}/leaflet", code=sent)
        assert browser.status == 404
        browser.get("/enrol")
    browser.post(f"/invitations/{ref}/revoke")
    browser.post(f"/invitations/{ref}/leaflet", code=code)
    assert browser.status == 404


def test_a_new_link_stops_the_old_one_and_a_form_sent_twice_makes_one(clinic: RunningClinic) -> None:
    browser = Browser(clinic).sign_in()
    ref = enrolled(browser, clinic)
    first = code_on(browser)
    browser.get("/invitations")
    assert "1 patient has not begun yet." in browser.words and "by anna@riverside.example" in browser.words
    browser.post(f"/invitations/{ref}/again", once="9" * 32)
    second = code_on(browser)
    browser.post(f"/invitations/{ref}/again", once="9" * 32)
    assert code_on(browser) == second != first
    now = clinic.clock.now()
    with clinic.db.read() as tx:
        assert (patients.find_invited(tx, now, first), patients.find_invited(tx, now, second) is not None) == (None, True)
    browser.get("/invitations")
    browser.post(f"/invitations/{ref}/revoke")
    assert "Taken back" in browser.words
    with clinic.db.read() as tx:
        assert patients.find_invited(tx, now, second) is None
        kept = [row.what for row in tx.all(tables.audit.select().order_by(tables.audit.c.seq))]
    assert kept == ["enrolled", "invited_again", "invitation_revoked"]


def test_links_are_of_the_clinics_own_bot_and_number_with_the_chosen_one_first(sqlite_clinic: RunningClinic, browser: Browser) -> None:
    sqlite_clinic.service.settings = sqlite_clinic.service.settings.model_copy(
        update={"channels": ("telegram", "whatsapp"), "whatsapp_from": "+15550100"}
    )
    with sqlite_clinic.db.begin() as tx:
        clinics.find_or_add_sender(tx, sqlite_clinic.clinic.id, "telegram", "river_bot", None)
    enrolled(browser, sqlite_clinic, channel="whatsapp")
    code = code_on(browser)
    found = re.findall(r'<p class="link"><a href="([^"]+)"', browser.page)
    assert found == [f"https://wa.me/15550100?text=Start%20{code}", f"https://t.me/river_bot?start={code}"]


@pytest.mark.parametrize("role", ["viewer", "stranger"])
def test_no_viewer_and_nobody_of_another_clinic_enrols_invites_or_imports(sqlite_clinic: RunningClinic, role: str) -> None:
    ref = sqlite_clinic.enrol().ref
    member: Member = a_member(sqlite_clinic, "viewer", "vic@example.org") if role == "viewer" else another_clinic(sqlite_clinic)
    browser = Browser(sqlite_clinic).sign_in(member)
    assert ("Invitations" in browser.words) is (role == "stranger")
    token = {"token": browser.token}
    for path in (f"/invitations/{ref}/again", f"/invitations/{ref}/revoke", f"/invitations/{ref}/leaflet"):
        assert browser.client.post(path, data=token).status_code == (403 if role == "viewer" else 404), path
    if role == "viewer":
        for path in ("/enrol", "/invitations", "/import", "/import/template.csv", "/discharge"):
            assert browser.client.get(path).status_code == 403, path
        for path in ("/enrol", "/import", "/discharge"):
            assert browser.client.post(path, data=token | fields(sqlite_clinic)).status_code == 403, path
    assert count(sqlite_clinic) == 1


def test_care_ends_for_several_after_a_look_and_each_is_in_the_trail(clinic: RunningClinic) -> None:
    refs = [clinic.enrol(name).ref for name in ("Ann Bell", "Bea Cole", "Cy Dunn")]
    browser = Browser(clinic).sign_in()
    browser.get("/discharge")
    chosen = {f"ref-{refs[0]}": "on", "refs": f"reference\n{refs[1].lower()}", "reason": "moved"}
    browser.post("/discharge", chosen, step="check")
    assert "End care for 2 patients?" in browser.words and "Cy Dunn" not in browser.words
    browser.post("/discharge", chosen, step="confirm")
    assert "Care has ended for 2." in browser.words
    browser.post("/discharge", chosen, step="confirm")
    assert "Care has ended for 0." in browser.words
    with clinic.db.read() as tx:
        ended = [row.who for row in tx.all(tables.audit.select()) if row.what == "discharged"]
        statuses = {row.ref: row.status for row in tx.all(tables.patients.select())}
    assert ended == [clinic.physio.email] * 2
    assert statuses == {refs[0]: "discharged", refs[1]: "discharged", refs[2]: "invited"}


def test_those_in_care_are_a_page_at_a_time_those_not_begun_first_and_what_was_ticked_before_all(clinic: RunningClinic) -> None:
    begun = clinic.in_care("Ann Bell").episode().ref
    invited = [clinic.enrol(name).ref for name in ("Bea Cole", "Cy Dunn", "Di Bellamy")]

    def part(start: int, words: str = "", first: tuple[str, ...] = ()) -> tuple[list[str], int]:
        with clinic.db.read() as tx:
            listed, total = caseload.list_in_care(tx, clinic.clinic.id, words, first, (start, 2))
        return [item.ref for item in listed], total

    pages = [part(start) for start in (0, 2, 4)]
    assert [ref for refs, _ in pages for ref in refs] == [*sorted(invited), begun] and {total for _, total in pages} == {4}
    assert part(0, "bell") == ([invited[2], begun], 2), "by the beginning of any word of the name"
    assert part(0, invited[1].lower()) == ([invited[1]], 1)
    browser = Browser(clinic).sign_in()
    browser.post("/discharge", {f"ref-{begun}": "on"}, step="check")
    assert re.findall(r'name="ref-(P\w+)"', browser.page)[0] == begun and "Write a short reason" in browser.words


def test_only_a_physiotherapist_ends_care_and_only_with_a_reason(sqlite_clinic: RunningClinic, browser: Browser) -> None:
    ref = sqlite_clinic.enrol().ref
    browser.get("/discharge")
    browser.post("/discharge", {f"ref-{ref}": "on"}, step="confirm")
    assert browser.status == 422 and "Write a short reason" in browser.words
    admin = Browser(sqlite_clinic).sign_in(sqlite_clinic.admin)
    answer = admin.client.post("/discharge", data={"token": admin.token, f"ref-{ref}": "on", "reason": "x", "step": "confirm"})
    assert answer.status_code == 403
    with sqlite_clinic.db.read() as tx:
        assert patients.load_by_ref(tx, sqlite_clinic.clinic.id, ref).status == "invited"
