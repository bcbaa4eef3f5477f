"""The prescription editor: look, check, prescribe; refused with the remedy, and nothing typed is ever lost."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.storage import audit, cases, prescriptions
from plans.model import Prescription
from tests.actions.told import DAY1
from tests.running_clinic import Person, RunningClinic
from tests.web.lives import Browser, a_day_on, a_member, a_minute_on, live, look, say


@pytest.fixture
def person(sqlite_clinic: RunningClinic) -> Person:
    someone = sqlite_clinic.in_care("Jo Park")
    live(sqlite_clinic, someone, "done 2/1, done 2/1")
    look(someone)
    return someone


def path_of(person: Person) -> str:
    return f"/patients/{person.invitation.ref}/prescription"


def editor(person: Person) -> Browser:
    browser = Browser(person.clinic).sign_in()
    browser.get(path_of(person))
    return browser


def fields(page: str) -> dict[str, str]:
    """What a browser would post of the form on a page."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            found[name[1]] = unescape(value[1]) if value else ""
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        found[name] = chosen[1] if chosen else ""
    return found


def in_force(person: Person) -> Prescription:
    with person.clinic.db.read() as tx:
        return prescriptions.load(tx, person.episode().prescription_id)


def test_high_pain_is_named_before_other_exercises_are_prescribed(sqlite_clinic: RunningClinic) -> None:
    sore = sqlite_clinic.in_care("Jo Park")
    live(sqlite_clinic, sore, "done 2/1, done 7/6")
    look(sore)
    browser = editor(sore)
    posted = fields(browser.page)
    browser.post(path_of(sore), posted | {"sets-E1": "6"}, step="check")
    assert "Pain is high: look again if this makes it harder" in browser.words and "7 on 23 Sep" in browser.words
    browser.post(path_of(sore), posted | {"own-pain_ceiling": "4"}, step="check")
    assert "Pain is high" not in browser.words


async def test_a_new_version_applies_to_the_next_session_of_a_day_that_has_begun_and_everybody_is_told_so(
    sqlite_clinic: RunningClinic,
) -> None:
    jo = sqlite_clinic.in_care(own_prompt=frozenset({2}))
    await sqlite_clinic.service.move_clock(DAY1 + timedelta(minutes=1))
    browser, morning = editor(jo), jo.texts[-1]
    posted = fields(browser.page) | {"sets-E1": "3", "own-pain_ceiling": "4", "at-2": "19:00"}
    browser.post(path_of(jo), posted | {"at-1": "10:00"}, step="check")
    first, second = re.findall(r"What the patient will read on (\w+ \d+ \w+)", browser.words)[:2]
    assert (first, second) == ("Wed 23 Sep", "Tue 22 Sep"), "what came this morning does not come again, this evening's is still to come"
    browser.post(path_of(jo), posted, step="check")
    browser.post(path_of(jo), fields(browser.page), step="save", reason="sore knees")
    assert "The new version applies from the next exercises that are sent." in browser.words
    await sqlite_clinic.service.move_clock(DAY1 + timedelta(hours=10, minutes=59))
    assert "The change starts with the next exercises that we send you." in jo.texts[-1]
    await sqlite_clinic.service.move_clock(DAY1 + timedelta(hours=11))
    assert "5 × 30 s hold" in morning and "3 × 30 s hold" in jo.texts[-1] and "goes above 4 out of 10" in jo.texts[-1]


def test_the_check_says_while_the_easier_version_is_sent_instead(sqlite_clinic: RunningClinic) -> None:
    sore = sqlite_clinic.in_care("Jo Park")
    live(sqlite_clinic, sore, "done 2/1, done 7/6")
    look(sore)
    browser = editor(sore)
    posted = fields(browser.page) | {"sets-E1": "3"}
    browser.post(path_of(sore), posted, step="check")
    assert "the patient is sent the easier version of these exercises until 2 settled days (0 so far)" in browser.words
    browser.post(path_of(sore), {name: text for name, text in posted.items() if name != "flare"}, step="check")
    assert "easier version of these exercises" not in browser.words, "without a signed plan there is none"


def test_a_changed_dose_is_shown_before_it_is_prescribed_as_a_new_version(person: Person) -> None:
    browser = editor(person)
    before, posted = in_force(person), fields(browser.page)
    now_before = person.clinic.clock.now() - timedelta(seconds=1)
    assert posted["sets-E1"] == "5"
    browser.post(path_of(person), posted | {"sets-E1": "3", "own-pain_ceiling": "4"}, step="check")
    assert browser.status == 200
    assert "5 × 30 s hold" in browser.words
    assert "3 × 30 s hold" in browser.words
    assert "the plan says 5" in browser.words
    assert browser.words.count("What the patient will read on") == 2, "days with the extra exercise, and days without"
    assert "What the patient will read on Fri 25 Sep, Mon 28 Sep and Wed 30 Sep" in browser.words
    assert "If you like, later today: • Bridge hold" in browser.words
    assert "Stop an exercise if the pain you are being treated for goes above 4 out of 10." in browser.words
    assert "Pain is high" not in browser.words
    assert in_force(person) == before
    browser.post(path_of(person), fields(browser.page), step="save", reason="sore knees")
    assert "Prescribed. The new version applies" in browser.words
    assert "sore knees" in browser.words
    now = in_force(person)
    assert (now.exercise("E1").dose.sets, now.rules.pain_ceiling) == (3, 4)
    assert now.exercise("E2") == before.exercise("E2")
    with person.clinic.db.read() as tx:
        kept = prescriptions.list_of_episode(tx, person.episode().patient_id, person.episode().id)
        assert [item.document for item in kept] == [before, now]
        assert audit.was_recorded(tx, person.clinic.physio.email, "prescription_rewritten", person.episode().patient_id, since=now_before)
    a_minute_on(person.clinic)
    (news,) = [text for text in person.texts if "has changed your exercises" in text]
    assert "What is different:\n• Stop an exercise" in news, "first what is agreed: it is what the patient must know"
    assert "\n• Bridge hold, both feet down: 3 × 30 s hold (before: 5 × 30 s hold)" in news


def test_a_prescription_is_undone_until_the_patient_hears_of_it_at_one_true_time(person: Person) -> None:
    clinic = person.clinic
    clinic.clock.move_to(clinic.clock.now().replace(hour=23))  # midnight in London, when nothing is sent
    browser, old = editor(person), person.episode().prescription_id
    posted = fields(browser.page) | {"sets-E1": "3"}
    browser.post(path_of(person), posted | {"reason": "sore"}, step="save")
    told = re.search(r"Prescribed anew, by Anna Reed. The patient hears of it on ([^.]+), London time.", browser.words)
    assert told and told[1] != "Thu 24 Sep, 00:00" and f"Waiting to be sent: News of a decision, {told[1]}" in browser.words
    a_minute_on(clinic)
    browser.get(path_of(person).removesuffix("/prescription"))
    browser.post(f"/patients/{person.invitation.ref}/undo", decided=browser.hidden("decided"))
    assert "Undone. Nothing of it went to the patient" in browser.words and person.episode().prescription_id == old
    assert "Prescribed anew, by Anna Reed: sore Undone" in browser.words
    a_day_on(clinic)
    assert not any("has changed your exercises" in text for text in person.texts)


def test_a_step_that_waits_goes_on_waiting_under_a_prescription_that_changed_a_little(sqlite_clinic: RunningClinic) -> None:
    ready = sqlite_clinic.in_care("Jo Park")
    live(sqlite_clinic, ready, "done 2/1, " * 14 + "done 2/1")
    look(ready)
    sqlite_clinic.clock.move_to(sqlite_clinic.clock.now() + timedelta(days=2))
    browser = editor(ready)
    browser.post(path_of(ready), fields(browser.page) | {"sets-E1": "4", "reason": "less time"}, step="save")
    assert "Prescribed. The new version applies" in browser.words
    browser.get("/")
    assert "Progression due" in browser.words and "Waiting 2 days" in browser.words and "Waiting under" not in browser.words


def test_the_words_of_the_ticks_and_of_the_messages_are_those_of_the_patients_language_with_english_beside(
    sqlite_clinic: RunningClinic,
) -> None:
    person = sqlite_clinic.in_care("Ana Ruiz", language="es")
    browser = editor(person)
    ticks = browser.page.partition("Agreed in advance")[2]
    for language, flare, offer in (("es", "versión más fácil", "¿"), ("en", "Do the easier version", "Would you")):
        told = re.findall(rf'lang="{language}"[^>]*>(.*?)</(?:blockquote|ul)>', ticks, re.DOTALL)
        assert len(told) == 2 and flare in told[0] and offer in told[1], told
    browser.post(path_of(person), fields(browser.page) | {"sets-E1": "3"}, step="check")
    texts = re.findall(r'<p class="card preview" lang="(es|en)" dir="auto">([^<]+)', browser.page)
    assert {language for language, _ in texts} == {"es", "en"}
    assert any("Bridge hold" in text for language, text in texts if language == "en")
    assert not any("Bridge hold" in text for language, text in texts if language == "es")


def test_the_editor_says_what_the_plan_says_of_the_stage_and_of_each_exercise(person: Person) -> None:
    browser = Browser(person.clinic).sign_in()
    browser.get(f"/patients/{person.invitation.ref}/prescription")
    assert "The plan expects 2 to 4 weeks in this stage, with at most 30° of hip bend (source: SEED, L2" in browser.words
    assert "Harder: First hold for longer, then push harder" in browser.words and "Source: L2, L6, L7, L8, R1, R2." in browser.words
    browser.get(f"/patients/{person.invitation.ref}")
    assert "2 to 4 weeks expected in this stage" in browser.words


def test_thresholds_alone_are_no_news_for_the_patient(person: Person) -> None:
    browser = editor(person)
    browser.post(path_of(person), fields(browser.page) | {"own-review.silent_days": "5"}, step="check")
    assert "The patient is not told" in browser.words
    browser.post(path_of(person), fields(browser.page), step="save", reason="likes silence")
    assert in_force(person).rules.review.silent_days == 5
    assert not any("has changed your exercises" in text for text in person.texts)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sets-E1": "many"}, "Bridge hold, both feet down: write a whole number."),
        ({"sets-E1": "12"}, "Bridge hold, both feet down: sets must be at most 10."),
        ({"own-pain_ceiling": "8"}, "Pain ceiling in a session, 0 to 10: Write a whole number from 0 to 5."),
        ({"at-1": "soon"}, "Write the time as hours and minutes, for example 08:30."),
        ({"at-1": "23:30"}, "The main session suggests a time inside the quiet hours"),
        ({"own-session_pain.green_max": "4", "own-pain_ceiling": "4"}, "the green band ends below the amber band"),
    ],
)
def test_a_mistake_is_named_with_its_remedy_and_what_was_typed_stays(person: Person, change: dict[str, str], said: str) -> None:
    browser = editor(person)
    before = in_force(person)
    browser.post(path_of(person), fields(browser.page) | {"load-E1": "a red band"} | change, step="check")
    assert browser.status == 422
    assert said in browser.words
    assert fields(browser.page)["load-E1"] == "a red band"
    assert all(fields(browser.page)[name] == text for name, text in change.items())
    target = re.search(r'<div class="problem".*?href="#([^"]+)"', browser.page, re.DOTALL)
    assert target
    assert f'id="{target[1]}"' in browser.page
    assert in_force(person) == before


def test_days_too_close_name_what_can_be_done_on_this_page(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park", stage="intermediate")
    browser = editor(person)
    browser.post(path_of(person), fields(browser.page) | {"day-1-mon": "on", "day-1-tue": "on"}, step="check")
    assert browser.status == 422
    assert "leaves 24 hours between Monday and Tuesday. Choose days or times that lie further apart" in browser.words
    assert "The hours between sessions are the plan's, and cannot be lowered for one patient." in browser.words
    assert "ask less" not in browser.words and "min_gap" not in browser.words


def test_no_reason_no_prescription_and_nothing_is_lost(person: Person) -> None:
    browser = editor(person)
    browser.post(path_of(person), fields(browser.page) | {"sets-E1": "3"}, step="check")
    browser.post(path_of(person), fields(browser.page), step="save", reason=" ")
    assert browser.status == 422
    assert "Write a short reason" in browser.words
    assert fields(browser.page)["sets-E1"] == "3"
    browser.post(path_of(person), fields(browser.page), step="edit")
    assert fields(browser.page)["sets-E1"] == "3"


def test_a_prescription_changed_meanwhile_is_not_overwritten(person: Person) -> None:
    first, second = editor(person), editor(person)
    first.post(path_of(person), fields(first.page) | {"sets-E1": "3"}, step="check")
    second.post(path_of(person), fields(second.page) | {"sets-E1": "2"}, step="check")
    second.post(path_of(person), fields(second.page), step="save", reason="second thoughts")
    second.get(path_of(person))
    second.post(path_of(person), fields(second.page) | {"at-1": "09:15"}, step="check")
    second.post(path_of(person), fields(second.page), step="save", reason="later in the day")
    first.post(path_of(person), fields(first.page), step="save", reason="too late")
    assert first.status == 409 and "Anna Reed changed the prescription on Wed 23 Sep" in first.words
    assert "Main: time: 08:00 when you opened this, 09:15 now." in first.words
    assert re.search(r"5 × .* when you opened this, 2 × .* now\.", first.words)
    assert (in_force(person).exercise("E1").dose.sets, f"{in_force(person).slots[0].at:%H:%M}") == (2, "09:15")
    assert (fields(first.page)["sets-E1"], fields(first.page)["at-1"]) == ("3", "09:15"), "what was typed, and the rest as it is now"
    first.post(path_of(person), fields(first.page), step="check")
    first.post(path_of(person), fields(first.page), step="save", reason="three, all the same")
    assert "The patient's record has changed since you opened this" in first.words
    first.post(path_of(person), fields(first.page), step="save", reason="three, all the same")
    assert (in_force(person).exercise("E1").dose.sets, f"{in_force(person).slots[0].at:%H:%M}") == (3, "09:15")


def test_nothing_changed_is_said_and_another_clinic_or_role_finds_no_editor(person: Person) -> None:
    browser = editor(person)
    browser.post(path_of(person), fields(browser.page), step="check")
    assert "Nothing is different from the prescription as it is." in browser.words
    admin = Browser(person.clinic).sign_in(a_member(person.clinic, "admin", "al@example.org"))
    admin.get(path_of(person))
    assert admin.status == 403
    admin.get(path_of(person).removesuffix("/prescription"))
    assert "Change the prescription" not in admin.words


def test_news_of_exercises_waits_while_a_red_flag_holds_them(person: Person) -> None:
    say(person, "I cannot feel my legs")
    browser = editor(person)
    browser.post(path_of(person), fields(browser.page) | {"sets-E1": "3"}, step="check")
    browser.post(path_of(person), fields(browser.page), step="save", reason="lighter at first")
    assert in_force(person).exercise("E1").dose.sets == 3
    assert not any("has changed your exercises" in text for text in person.texts)
    clinic, episode = person.clinic, person.episode()
    with clinic.db.read() as tx:
        red = next(case for case in cases.list_open(tx, episode) if case.case_key == "D1")
    review.close_case(clinic.db, Decision(clinic.physio, episode.id, "seen today"), red.id, clinic.clock.now())
    say(person, "thanks")
    assert any("has changed your exercises" in text for text in person.texts)


def test_a_record_that_changed_while_the_form_was_open_is_looked_at_first(person: Person) -> None:
    browser = editor(person)
    browser.post(path_of(person), fields(browser.page) | {"sets-E1": "3"}, step="check")
    say(person, "I cannot feel my legs")
    browser.post(path_of(person), fields(browser.page), step="save", reason="going well")
    assert browser.status == 422
    assert "The patient's record has changed since you opened this" in browser.words
    assert in_force(person).exercise("E1").dose.sets == 5
    browser.post(path_of(person), fields(browser.page), step="save", reason="seen, and still right")
    assert in_force(person).exercise("E1").dose.sets == 3
