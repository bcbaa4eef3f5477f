"""The clinic's own quiet hours, languages, thresholds and wording: checked, in the trail, and what patients get from then on."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from bot_service.conversation.own_words import OWN_TEXTS, wording_problems
from bot_service.conversation.wording import SHIPPED, load_catalogue
from bot_service.errors import Conflict
from bot_service.storage import prescriptions, tables
from plans.editing import CLINIC
from plans.model import Prescription
from tests.running_clinic import Person, RunningClinic
from tests.web.lives import Browser, a_day_on, a_member, say

PAGES = ("/clinic", "/clinic/thresholds", "/clinic/wording")


@pytest.fixture
def admin(clinic: RunningClinic) -> Browser:
    browser = Browser(clinic).sign_in(a_member(clinic, "admin", "al@example.org"))
    browser.get("/clinic")
    return browser


def prescribed(person: Person) -> Prescription:
    with person.clinic.db.read() as tx:
        return prescriptions.load(tx, person.episode().prescription_id)


def trail(clinic: RunningClinic, what: str) -> list[dict[str, object]]:
    with clinic.db.read() as tx:
        return [row.detail for row in tx.all(tables.audit.select().where(tables.audit.c.what == what).order_by(tables.audit.c.seq))]


@pytest.mark.parametrize("role", ["physio", "viewer"])
def test_they_are_an_admins(sqlite_clinic: RunningClinic, role: str) -> None:
    browser = Browser(sqlite_clinic).sign_in(a_member(sqlite_clinic, role, "new@example.org"))
    token = {"token": browser.token}
    for path in PAGES:
        assert browser.client.get(path).status_code == 403, path
        fields = token | {"do": "save", "text": "welcome", "words": "Hi", "from": "20:00", "until": "09:00"}
        assert browser.client.post(path, data=fields).status_code == 403, path


async def test_quiet_hours_bind_at_once_whatever_is_prescribed(clinic: RunningClinic) -> None:
    person = await clinic.opted_in()
    await clinic.service.move_clock(datetime(2026, 9, 22, 9, tzinfo=UTC))
    browser = Browser(clinic).sign_in(a_member(clinic, "admin", "al@example.org"))
    browser.get("/clinic")
    browser.post("/clinic", {"do": "quiet", "from": "20:00", "until": "10:30"})
    assert "Quiet hours bind from now on." in browser.words and trail(clinic, "quiet_hours_set") == [
        {"quiet": ["20:00", "10:30"], "was": {"quiet": None}}
    ]
    await person.say("I can't feel my legs and I wet myself")
    await clinic.service.move_clock(datetime(2026, 9, 23, 9, 29, tzinfo=UTC))
    assert not any("Were you seen?" in text for text in person.texts)
    await clinic.service.move_clock(datetime(2026, 9, 23, 9, 31, tzinfo=UTC))
    assert any("Were you seen?" in text for text in person.texts), "when the clinic's quiet hours end, 10:30 in London"


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [("20:00", "", "Write both times"), ("25:00", "08:00", "Write both times"), ("10:00", "08:00", "Leave at least 8 hours of the day")],
)
def test_quiet_hours_that_cannot_be_are_refused(admin: Browser, first: str, last: str, said: str) -> None:
    admin.post("/clinic", {"do": "quiet", "from": first, "until": last})
    assert admin.status == 409 and said in admin.words and f'value="{first}"' in admin.page
    assert trail(admin.clinic, "quiet_hours_set") == []


def test_only_the_languages_that_are_offered_can_be_chosen_and_whoever_has_another_keeps_it(admin: Browser) -> None:
    clinic = admin.clinic
    before = clinic.enrol("Ana Ruiz", language="es")
    admin.post("/clinic", {"do": "languages"})
    assert admin.status == 409 and "Offer at least one language." in admin.words
    admin.post("/clinic", {"do": "languages", "language-en": "yes", "language-pl": "yes"})
    assert trail(clinic, "languages_set") == [{"languages": ["en", "pl"], "was": {"languages": ["en", "ar", "es", "hi", "pl"]}}]
    page = Browser(clinic).sign_in().get("/enrol")
    select = page.partition('name="language"')[2].partition("</select>")[0]
    assert re.findall(r'value="(\w+)"', select) == ["en", "pl"]
    with pytest.raises(Conflict, match="offers messages in en, pl"):
        clinic.enrol("Eva Gil", language="es")
    physio = Browser(clinic).sign_in()
    physio.get(f"/patients/{before.ref}")
    physio.post(f"/patients/{before.ref}/settle", language="es", zone="Europe/Madrid")
    assert physio.status == 200
    physio.post(f"/patients/{before.ref}/settle", language="hi", zone="Europe/Madrid")
    assert physio.status == 409


def test_the_clinics_thresholds_judge_whoever_is_prescribed_for_from_then_on(admin: Browser) -> None:
    clinic = admin.clinic
    before = clinic.in_care("Jo Park")
    numbers = {"own-pain_ceiling": "4", "own-session_pain.green_max": "2", "own-review.silent_days": ""}
    admin.post("/clinic/thresholds", numbers)
    assert admin.status == 409 and "Choose the physiotherapist who approved these numbers." in admin.words
    admin.post("/clinic/thresholds", numbers | {"approver": str(clinic.physio.id)})
    assert "They judge what is prescribed from now on." in admin.words
    assert "Pain ceiling in a session, 0 to 10: 5 to 4" in admin.words and f"Approved by {clinic.physio.name}." in admin.words
    (kept,) = trail(clinic, "clinic_numbers_set")
    assert kept["changed"] == {"pain_ceiling": [5, 4], "session_pain.green_max": [3, 2]} and kept["approved_by"] == clinic.physio.email

    after = clinic.in_care("Ana Ruiz")
    assert (prescribed(before).rules.pain_ceiling, prescribed(after).rules.pain_ceiling) == (5, 4)
    assert prescribed(after).rules.sources["pain_ceiling"] == CLINIC and prescribed(after).thresholds["pain_ceiling"] == 4
    a_day_on(clinic)
    for person in (before, after):
        say(person, "done, 5")
    told = ["\n".join(person.texts) for person in (before, after)]
    assert prescribed(before).advice_amber in told[0] and prescribed(before).advice_amber not in told[1]
    agreed = prescribed(after).flare_plan
    assert agreed and "above 4" in agreed and agreed in told[1], "above the clinic's own ceiling the flare plan is what applies"
    admin.post("/clinic/thresholds", numbers | {"approver": str(clinic.physio.id)})
    assert admin.status == 409 and "Nothing is different" in admin.words


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"own-pain_ceiling": "6"}, "Write a whole number from 0 to 5."),
        ({"own-pain_ceiling": "four"}, "Write a whole number, or nothing for the plan's."),
        ({"own-pain_ceiling": "3"}, "the green band ends below the amber band"),
        ({"own-deload.gap_days_physio_first": "5"}, "a short gap only makes the restart easier"),
    ],
)
def test_thresholds_that_cannot_be_are_refused_whole_and_stay_on_the_page(admin: Browser, numbers: dict[str, str], said: str) -> None:
    admin.post("/clinic/thresholds", numbers | {"own-review.silent_days": "4", "approver": str(admin.clinic.physio.id)})
    assert admin.status == 422 and said in admin.words
    assert all(f'value="{value}"' in admin.page for value in numbers.values())
    assert trail(admin.clinic, "clinic_numbers_set") == []


async def test_a_patient_reads_the_clinics_words_in_their_language_until_the_products_are_taken_again(clinic: RunningClinic) -> None:
    browser = Browser(clinic).sign_in(a_member(clinic, "admin", "al@example.org"))
    browser.get("/clinic/wording")
    greeting = "Good morning!\n\n${clinic} wishes you a good session."
    browser.post("/clinic/wording", text="prompt_intro", language="en", words=greeting, do="check")
    assert "These words can be sent. They are not saved yet." in browser.words and "Riverside" in browser.words
    assert trail(clinic, "wording_set") == []
    browser.post("/clinic/wording", text="prompt_intro", language="en", words=greeting, do="save")
    assert "Patients read it from the next message on." in browser.words
    browser.get("/clinic/wording")
    assert re.findall(r'<span class="number">(\d+)<', browser.page) == [
        "1" if code == "en" else "0" for code in re.findall(r'wording\?language=(\w+)"', browser.page)
    ]
    english, spanish = clinic.in_care("Jo Park"), clinic.in_care("Ana Ruiz", language="es")
    await clinic.service.move_clock(datetime(2026, 9, 22, 8, 30, tzinfo=UTC))
    assert english.texts[-1].startswith("Good morning!\n\nRiverside") and "wishes you a good session." in english.texts[-1]
    assert spanish.texts[-1].startswith(load_catalogue("es").texts["prompt_intro"])
    browser.post("/clinic/wording", text="prompt_intro", language="en", do="reset")
    await clinic.service.move_clock(clinic.clock.now() + timedelta(days=1))
    assert english.texts[-1].startswith(load_catalogue("en").texts["prompt_intro"])
    assert [each["words"] for each in trail(clinic, "wording_set")] == [greeting, None]


@pytest.mark.parametrize(
    ("key", "words", "said"),
    [
        ("prompt_intro", "Time for your hamstring exercises", "must not say “hamstring”"),
        ("prompt_intro", "Hello from ${clinic}", "${clinic} must stand further down"),
        ("silence", "No pain, no word", "must not say “pain”"),
        ("discharged", "All done, goodbye.", "It must say ${clinic}"),
        ("passed_on", "We read it by ${by}. Urgent: ${urgent}.", "It must say ${emergency}"),
        ("welcome", "Hello ${name}", "Nothing fills in ${name}"),
        ("welcome", "That is 5$", "A lone $ cannot be sent"),
        ("welcome", "Call 020 7946 0123", "telephone number"),
        ("welcome", "Ring 07 70 09 00 12", "telephone number"),
        ("welcome", "In an emergency ring 9-9-9", "telephone number"),
        ("goodbye", "Goodbye.", "to write START"),
        ("goodbye", "Goodbye. We can restart at your next visit.", "to write START"),
        ("welcome", "x" * 601, "601 characters; 600 fit"),
        ("welcome", "  ", "Write something"),
    ],
)
def test_words_that_cannot_be_sent_are_refused_with_the_reason_and_kept_on_the_page(
    sqlite_clinic: RunningClinic, key: str, words: str, said: str
) -> None:
    browser = Browser(sqlite_clinic).sign_in(a_member(sqlite_clinic, "admin", "al@example.org"))
    browser.get("/clinic/wording")
    browser.post("/clinic/wording", text=key, language="en", words=words, do="save")
    assert browser.status == 422 and said in browser.words and words.strip() in browser.words
    assert trail(sqlite_clinic, "wording_set") == []


@pytest.mark.parametrize("language", SHIPPED)
def test_the_products_own_words_pass_the_check_and_safety_texts_are_not_on_the_list(language: str) -> None:
    texts = load_catalogue(language).texts
    assert {key: found for key in OWN_TEXTS if (found := wording_problems(key, texts[key], language))} == {}
    assert not any(key.startswith(("safety", "held", "ask", "advice", "consent")) for key in OWN_TEXTS)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "groin, lower back, your back, glutes, glute, buttock, spine, hip, sitting bone"),
        ("es", "ingle, espalda, zona lumbar, glúteos, nalga, columna, cadera, isquion"),
        ("pl", "pachwina, plecy, pleców, krzyż, lędźwie, pośladek, pośladki, kręgosłup, biodro, bioder, kość kulszowa, siedzenie"),
        ("ar", "المغبن, أسفل الظهر, ظهرك, الألوية, الأرداف, العمود الفقري, الورك, عظام"),
        ("hi", "ग्रोइन, कमर, पीठ, ग्लूट, नितंब, रीढ़, कूल्हे, हड्डी"),
    ],
)
def test_no_part_of_the_body_stands_in_a_first_line_that_may_show_on_a_locked_phone(language: str, words: str) -> None:
    for word in words.split(", "):
        assert any("locked phone" in found for found in wording_problems("prompt_intro", f"1: {word}!\n2", language)), word
        assert wording_problems("prompt_intro", f"1!\n{word}", language) == [], "further down it may"


@pytest.mark.parametrize(
    ("key", "words", "language"),
    [
        ("prompt_intro", "Welcome back. Back to it, 10-15 minutes, 3 x 8, between 08:00-18:00 or 9.30-17.30.", "en"),
        ("prompt_intro", "تمارين بعد الظهر، أو ظهرًا", "ar"),
        ("prompt_intro", "अपने कमरे में", "hi"),
        ("prompt_intro", "Time for your exercises", "en"),
        ("goodbye", "Goodbye. Write START to restart.", "en"),
        ("goodbye", "Adiós. Para volver a empezar, escriba EMPEZAR.", "es"),
    ],
)
def test_words_with_another_meaning_times_and_ranges_pass(key: str, words: str, language: str) -> None:
    assert wording_problems(key, words, language) == []


@pytest.mark.parametrize("words", ["07.70.09.00.12", "(07) 70-09", "99 9", "1 12", "9 9 9", "07 – 70 – 09"])
def test_a_telephone_number_is_seen_in_pieces(words: str) -> None:
    assert any("telephone" in found for found in wording_problems("welcome", f"Ring {words}.", "en"))


def test_who_stops_is_told_the_word_itself_not_that_they_may_begin_again() -> None:
    assert wording_problems("goodbye", "Adiós. Puede volver a empezar cuando quiera.", "es") != []


def test_a_safety_text_is_never_reworded(admin: Browser) -> None:
    admin.post("/clinic/wording", text="safety_emergency", language="en", words="Relax.", do="save")
    assert admin.status == 404 and trail(admin.clinic, "wording_set") == []
