"""What a physio keeps up to date on the patient's page: notes, appointment, language, zone, outcomes, discharge."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot_service.storage import audit, care_records, contacts, episodes, patients
from bot_service.storage.episodes import Episode
from bot_service.storage.tables import notes, outcomes
from tests.running_clinic import Person, RunningClinic
from tests.web.lives import Browser, a_member, another_clinic, live, look, say


@pytest.fixture
def person(clinic: RunningClinic) -> Person:
    return clinic.in_care("Jo Park")


def path_of(person: Person, name: str = "") -> str:
    return f"/patients/{person.invitation.ref}" + (f"/{name}" if name else "")


def opened(person: Person, name: str = "") -> Browser:
    browser = Browser(person.clinic).sign_in()
    browser.get(path_of(person, name))
    return browser


def all_of(person: Person) -> tuple[Episode, str]:
    """The episode, and the goals that are sealed with it."""
    episode = person.episode()
    with person.clinic.db.read() as tx:
        return episode, contacts.load_goals(tx, person.id, episode.id)


def days_from_start(person: Person, days: int) -> str:
    return (person.episode().start_date + timedelta(days=days)).isoformat()


def test_a_note_is_kept_sealed_for_colleagues_and_never_sent(person: Person) -> None:
    browser, sent = opened(person), len(person.texts)
    browser.post(path_of(person, "note"), words="Works night shifts.")
    assert "Note kept." in browser.words
    assert "Works night shifts." in browser.words and "Private notes (1)" in browser.words
    assert len(person.texts) == sent
    with person.clinic.db.read() as tx:
        assert b"night" not in tx.scalar(notes.select().with_only_columns(notes.c.words))
        assert audit.was_recorded(
            tx,
            person.clinic.physio.email,
            "note_written",
            person.invitation.patient_id,
            since=person.clinic.clock.now() - timedelta(seconds=1),
        )
    browser.post(path_of(person, "note"), words="  ")
    assert "Write something first." in browser.words


def test_the_next_appointment_stands_at_the_top_and_lies_ahead(person: Person) -> None:
    browser = opened(person)
    browser.post(path_of(person, "appointment"), day=days_from_start(person, 9))
    assert "Next appointment set." in browser.words
    assert person.episode().next_appointment == date.fromisoformat(days_from_start(person, 9))
    browser.post(path_of(person, "appointment"), day=days_from_start(person, -1))
    assert "The next appointment must lie ahead." in browser.words
    browser.post(path_of(person, "appointment"), day="")
    assert person.episode().next_appointment is None


def test_goals_are_changed_after_enrolment_and_the_trail_does_not_repeat_them(person: Person) -> None:
    browser = opened(person)
    browser.post(path_of(person, "goals"), goals="  Sit through a film ")
    assert "Goals changed." in browser.words and "Wants to be able to: Sit through a film" in browser.words
    browser.post(path_of(person, "goals"), goals="x" * 601)
    assert browser.status == 409 and "at most 600 characters" in browser.words and "x" * 601 in browser.page
    browser.get(path_of(person, "summary"))
    assert "Wants to be able to: Sit through a film" in browser.words
    admin = Browser(person.clinic).sign_in(person.clinic.admin)
    admin.get("/audit?what=goals_set")
    assert admin.words.count("Changed the goals") == 2 and "film" not in admin.words  # once in the list of kinds
    browser.get(path_of(person))
    browser.post(path_of(person, "goals"), goals="")
    assert all_of(person)[1] == "" and "Wants to be able to:" not in browser.words


def test_one_pause_after_another_is_skipped_and_a_later_one_is_not(person: Person) -> None:
    clinic, day = person.clinic, person.episode().next_prompt_day
    assert day is not None
    with clinic.db.begin() as tx:
        for kind, first, until in (("pause", 0, 3), ("lost_contact", 3, 5), ("physio_first", 9, 12)):
            begins, ends = day + timedelta(days=first), day + timedelta(days=until)
            episodes.place_hold(tx, clinic.clock.now(), person.episode(), kind, why="away", by="patient", from_day=begins, until_day=ends)
    browser = opened(person)
    again = day + timedelta(days=5)
    assert f"none while paused; again {again:%a} {again.day} {again:%b}" in browser.words


def test_language_and_zone_hold_from_the_next_message_on(person: Person) -> None:
    browser = opened(person)
    browser.post(path_of(person, "settle"), language="es", zone="Europe/Madrid")
    assert "Changed." in browser.words
    assert (person.episode().language, person.episode().zone) == ("es", "Europe/Madrid")
    say(person, "ayuda")
    assert "Aquí puede escribir" in person.texts[-1]
    browser.post(path_of(person, "settle"), language="es", zone="Madrd")
    assert browser.status == 409 and "perhaps Europe/Madrid is meant" in browser.words
    assert person.episode().zone == "Europe/Madrid"
    browser.post(path_of(person, "settle"), language="es", zone="new york")
    assert person.episode().zone == "America/New_York"
    browser.post(path_of(person, "settle"), language="tlh", zone="Europe/Madrid")
    assert person.episode().language == "es"


def test_the_usual_pain_can_be_set_by_the_physio_and_the_rules_look_again(person: Person) -> None:
    live(person.clinic, person, "done 2/4")
    look(person)
    browser = opened(person)
    assert "Clearly worse the next day" in browser.words  # usual pain 2: 4 is two points above
    browser.post(path_of(person, "usual-pain"), score="4")
    assert "Usual pain set." in browser.words
    assert person.episode().baseline == 4
    browser.post(path_of(person, "usual-pain"), score="11")
    assert "The usual pain runs from 0 to 10." in browser.words
    browser.post(path_of(person, "usual-pain"), score="a lot")
    assert "as a whole number from 0 to 10" in browser.words
    assert person.episode().baseline == 4


@pytest.mark.parametrize(
    ("name", "theirs", "mine", "said"),
    [
        (
            "settle",
            {"language": "es", "zone": "Europe/London"},
            {"language": "en", "zone": "Europe/Madrid"},
            "Messages in is “Spanish” now",
        ),
        (
            "appointment",
            {"day": "2026-10-05"},
            {"day": "2026-10-12"},
            "Next appointment is “2026-10-05” now, and was empty when you opened",
        ),
        ("goals", {"goals": "Sit"}, {"goals": "Run"}, "What the patient wants to be able to do is “Sit” now, and was empty"),
        ("usual-pain", {"score": "4"}, {"score": "3"}, "Usual pain is “4” now, and was “2” when you opened the page. You have “3”"),
    ],
)
def test_a_colleagues_change_of_the_details_is_not_overwritten_unread(
    sqlite_clinic: RunningClinic, name: str, theirs: dict[str, str], mine: dict[str, str], said: str
) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    ben = Browser(sqlite_clinic).sign_in(a_member(sqlite_clinic, "physio", "ben@example.org"))
    ben.get(path_of(person))
    browser = opened(person)
    ben.post(path_of(person, name), theirs)
    kept = all_of(person)
    browser.post(path_of(person, name), mine)
    assert browser.status == 409 and all_of(person) == kept
    assert said in browser.words and "Ben changed this on Mon 21 Sep, 10:00, after you had opened the page." in browser.words
    if name == "settle":
        assert '<option value="es" selected>' in browser.page, "what was left alone shows what is kept now"
    browser.post(path_of(person, name), theirs | mine | ({"language": "es"} if name == "settle" else {}))
    assert browser.status == 200 and all_of(person) != kept
    assert name != "settle" or (person.episode().language, person.episode().zone) == ("es", "Europe/Madrid")


def test_discharge_needs_a_reason_and_a_tick_and_ends_messages(person: Person) -> None:
    browser = opened(person)
    browser.post(path_of(person, "discharge"), reason="goals met")
    assert "Tick that you mean it" in browser.words
    assert "goals met" in browser.page
    assert person.episode().status == "active"
    browser.post(path_of(person, "discharge"), reason="goals met", sure="on")
    assert "Discharged." in browser.words
    with person.clinic.db.read() as tx:
        assert patients.load(tx, person.invitation.patient_id).status == "discharged"


def test_an_outcome_is_entered_charted_and_taken_back(person: Person) -> None:
    browser = opened(person, "outcomes")
    assert "Due now: VISA-H total, for week 0; Patient-specific function, for week 0." in browser.words
    where = path_of(person, "outcomes")
    browser.post(where, measure="psfs", activity="sit 30 min", value="4", day=days_from_start(person, -30))
    browser.post(where, measure="psfs", activity="Sit 30  min", value="7")
    assert "Patient-specific function: sit 30 min" in browser.words
    assert "+3 since the first: better" in browser.words
    assert "<polyline" in browser.page
    with person.clinic.db.read() as tx:
        stored = care_records.list_outcomes(tx, person.episode())
        assert [item.value for item in stored] == [4, 7]
        assert b"sit" not in tx.scalar(outcomes.select().with_only_columns(outcomes.c.activity))
    browser.post(where, withdraw=str(stored[1].id))
    assert "better" not in browser.words
    with person.clinic.db.read() as tx:
        assert [item.value for item in care_records.list_outcomes(tx, person.episode())] == [4]
    browser.post(where, withdraw=str(stored[1].id))
    assert "No such value." in browser.words


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"measure": "visa_h", "value": "101"}, "VISA-H total runs from 0 to 100."),
        ({"measure": "visa_h", "value": "40", "activity": "sit"}, "An activity belongs to Patient-specific function only"),
        ({"measure": "visa_h", "value": "many"}, "Write the value as a whole number."),
        ({"measure": "psfs", "value": "4"}, "Name the activity in the patient's words"),
        ({"measure": "visa_h", "value": "40", "day": "2031-01-01"}, "The day must lie between"),
        ({"measure": "height", "value": "40"}, "No such outcome measure."),
    ],
)
def test_what_cannot_be_is_said_and_typed_values_stay(person: Person, fields: dict[str, str], said: str) -> None:
    browser = opened(person, "outcomes")
    browser.post(path_of(person, "outcomes"), fields)
    assert browser.status == 422
    assert said in browser.words
    assert f'value="{fields["value"]}"' in browser.page
    with person.clinic.db.read() as tx:
        assert care_records.list_outcomes(tx, person.episode()) == []


def test_only_physios_of_the_clinic_may(person: Person) -> None:
    admin = Browser(person.clinic).sign_in(a_member(person.clinic, "admin", "al@example.org"))
    admin.get(path_of(person))
    admin.post(path_of(person, "note"), words="hello")
    assert admin.status == 403
    admin.get(path_of(person, "outcomes"))
    assert "Enter a value" not in admin.words
    stranger = Browser(person.clinic).sign_in(another_clinic(person.clinic))
    stranger.get(path_of(person, "outcomes"))
    assert stranger.status == 404
