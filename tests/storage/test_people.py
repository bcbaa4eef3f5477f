"""Patients, their addresses, invitations and episodes, and staff with their sign-in links: each changes hands once."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from bot_service.errors import Conflict, NotFound, SettingsError
from bot_service.storage import clinics, episodes, names, patients, prescriptions, staff, tables
from bot_service.storage.columns import SealedBytes
from bot_service.storage.database import Database
from bot_service.storage.episodes import Episode
from plans.loading import content_hash
from schedules.occurrences import Occurrence
from tests.builders import a_plan
from tests.databases import Kind
from tests.kept_database import KeptDatabase
from tests.listed import named
from tests.running_clinic import open_quickly
from tests.storage.rows import HOUR, NOW, ClinicRows, a_clinic, a_patient, impatient

TODAY = NOW.date()
DAY = timedelta(days=1)


TYPED = {
    "Ada Okafor-Nkemelu": ("nkemelu", "okafor", "ada nkem", "okafor-nkemelu", "okafornkemelu", "Okafor Nkemelu", "OKAFOR–NK"),
    "Tom O'Neil": ("neil", "oneil", "o'neil", "O’Neil", "o neil", "tom o'n", "o`neil"),
    "Ana ONeil": ("oneil", "o'neil"),
    "José Łukasiewicz": ("jose", "JOSÉ", "lukas", "łukas"),
    "Søren Strauß (Jr.)": ("soren", "strauss", "jr", "(jr"),
}


def as_before(name: str) -> set[str]:
    """How words were split up to now."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return {word[:length] for word in plain.split() for length in range(1, min(len(word), 12) + 1)}


class TestPatients:
    @pytest.mark.parametrize("state", ["invited", "asked", "opted_in", "opted_out", "discharged"])
    def test_a_status_is_swapped_only_from_those_named(self, db: Database, episode: Episode, state: str) -> None:
        with db.begin() as tx:
            patients.set_status(tx, episode.patient_id, "invited", state, NOW)
            others = tuple({"invited", "asked", "opted_in", "opted_out", "discharged"} - {state})
            assert not patients.set_status(tx, episode.patient_id, others, "opted_out", NOW)
            assert patients.set_status(tx, episode.patient_id, state, "opted_out", NOW + HOUR)
            assert patients.load(tx, episode.patient_id).status_at == NOW + HOUR

    def test_an_invitation_is_used_once_before_it_expires(self, db: Database, episode: Episode) -> None:
        with db.begin() as tx:
            patient = patients.load(tx, episode.patient_id)
            patients.add_invitation(tx, NOW, patient, "code", NOW + DAY)
            assert patients.use_invitation(tx, NOW, "another") is None
            assert patients.use_invitation(tx, NOW + DAY, "code") is None
            assert patients.use_invitation(tx, NOW, "code") == patient.id
            assert patients.use_invitation(tx, NOW, "code") is None

    def test_an_address_is_one_patients(self, db: Database, clinic: ClinicRows) -> None:
        with db.begin() as tx:
            a_patient(tx, clinic)
            other = a_patient(tx, clinic, "Sam Bell", "P002")
        with pytest.raises(IntegrityError), db.begin() as tx:
            patients.add_address(tx, NOW, patients.load(tx, other.patient_id), clinic.sender_id, "sim:P001")

    def test_the_newest_address_is_the_one_we_send_to(self, db: Database, clinic: ClinicRows, episode: Episode) -> None:
        with db.begin() as tx:
            old = patients.find_active_address(tx, episode.patient_id)
            new = patients.add_address(tx, NOW + DAY, patients.load(tx, episode.patient_id), clinic.sender_id, "sim:new")
            assert old is not None and patients.find_active_address(tx, episode.patient_id) == new
            patients.take_back_address(tx, old)
            found = patients.find_active_address(tx, episode.patient_id)
            assert found is not None and found.id == old.id

    def test_a_chat_becomes_unreachable_once_and_a_word_ends_that(self, db: Database, episode: Episode) -> None:
        with db.begin() as tx:
            address = patients.find_active_address(tx, episode.patient_id)
            assert address is not None
            told = [patients.record_unreachable(tx, address.id, TODAY + number * DAY) for number in range(3)]
            patients.mark_heard(tx, episode.patient_id, address.id, NOW)
            assert told == [True, False, False] and patients.record_unreachable(tx, address.id, TODAY + 9 * DAY)

    @pytest.mark.parametrize(
        ("words", "found"),
        [("jo", True), ("PARK", True), ("jo pa", True), ("pa jo", True), ("jör", False), ("ark", False), ("jo smith", False)],
    )
    def test_a_name_is_found_by_how_its_words_begin(
        self, db: Database, clinic: ClinicRows, episode: Episode, words: str, found: bool
    ) -> None:
        with db.begin() as tx:
            assert named(tx, clinic.id, NOW, words) == ({episode.id} if found else set())

    def test_accents_and_case_do_not_matter_to_the_search(self, db: Database, clinic: ClinicRows) -> None:
        with db.begin() as tx:
            found = a_patient(tx, clinic, "Zoë Łukasiewicz-Åberg", "P002")
            assert named(tx, clinic.id, NOW, "zoe") == {found.id}
            assert named(tx, clinic.id, NOW, "ZOË") == {found.id}

    @pytest.mark.parametrize(("name", "searched"), list(TYPED.items()))
    def test_a_name_of_several_parts_is_found_by_each_of_them_and_as_one(
        self, sqlite_db: Database, name: str, searched: tuple[str, ...]
    ) -> None:
        with sqlite_db.begin() as tx:
            clinic = a_clinic(tx)
            found = a_patient(tx, clinic, name, "P002")
            a_patient(tx, clinic, "Sam Bell", "P003")
            assert {words: named(tx, clinic.id, NOW, words) for words in searched} == {words: {found.id} for words in searched}
            assert all(named(tx, clinic.id, NOW, words) == set() for words in ("kemelu", "eil", "nkemelu bell", "-"))

    def test_names_that_an_earlier_version_stored_are_found_the_new_way_once_the_service_has_started(
        self, db: Database, clinic: ClinicRows
    ) -> None:
        names_then = ["Ada Okafor-Nkemelu", "Tom O'Neil", "José Łuk", "Jo Park", "कविता शर्मा"]
        with db.begin() as tx:
            found = [a_patient(tx, clinic, name, f"P9{number}") for number, name in enumerate(names_then)]
            tx.run(tables.name_tokens.delete())
            for episode, name in zip(found, names_then, strict=True):
                for token in as_before(name):
                    values = {"token_hash": db.keys.index("name", token), "patient_id": episode.patient_id, "clinic_id": clinic.id}
                    tx.run(tables.name_tokens.insert().values(**values))
            searched = {"nkemelu": 0, "neil": 1, "oneil": 1, "luk": 2, "jose": 2, "jo park": 3, "कवि": 4}
            assert named(tx, clinic.id, NOW, "jo park") == {found[3].id} and named(tx, clinic.id, NOW, "nkemelu") == set()
        done: list[int] = []
        while not done or done[-1]:
            with db.begin() as tx:
                done.append(names.store_anew(tx, 2))
        assert done == [2, 2, 1, 0], "each of them once"
        with db.begin() as tx:
            assert {words: named(tx, clinic.id, NOW, words) for words in searched} == {
                words: {found[number].id} for words, number in searched.items()
            }

    def test_a_name_that_does_not_open_stops_the_start_with_one_sentence(self, db: Database, clinic: ClinicRows) -> None:
        with db.begin() as tx:
            a_patient(tx, clinic, "Zoë Park", "P002")
            tx.run(tables.name_tokens.delete())
            whole = tx.scalar(select(tables.patients.c.name).where(tables.patients.c.ref == "P002"))
            tx.run(update(tables.patients).where(tables.patients.c.ref == "P002").values(name=SealedBytes(whole[:-1] + b"?")))
        with pytest.raises(SettingsError, match="name of patient P002 is damaged in the database; restore it from a backup"):
            names.store_all_anew(db)

    @pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
    def test_a_database_that_cannot_be_written_stops_it_too(self, fresh_database: Callable[[Kind], str], kind: Kind) -> None:
        db = open_quickly(fresh_database(kind))
        try:
            with db.begin() as tx:
                a_patient(tx, a_clinic(tx), "Zoë Park", "P002")
                tx.run(text("drop table name_tokens"))
            with pytest.raises(SettingsError, match="the names of patients cannot be made ready for the search"):
                names.store_all_anew(db)
        finally:
            db.close()


class TestEpisodes:
    def test_a_patient_has_one_active_episode(self, db: Database, clinic: ClinicRows, episode: Episode) -> None:
        values: dict[str, Any] = {
            "clinic_id": clinic.id, "patient_id": episode.patient_id, "physio_id": clinic.physio_id, "plan_id": "p", "start_date": TODAY,
            "stage": "early", "stage_start": TODAY,
        }  # fmt: skip
        with pytest.raises(IntegrityError), db.begin() as tx:
            episodes.add(tx, **values)
        with db.begin() as tx:
            episodes.change(tx, episode.id, status="ended", ended_at=NOW)
            second = episodes.add(tx, **values)
            found = episodes.find_of_patient(tx, episode.patient_id)
            assert found is not None and found.id == second

    def test_only_active_episodes_whose_cursor_has_come_are_claimed(self, db: Database, episode: Episode) -> None:
        with db.begin() as tx:
            due = Occurrence(TODAY, 1, NOW, "Europe/London")
            episodes.set_cursor(tx, episode.id, due)
            assert episodes.claim_due_prompts(tx, NOW - HOUR, 10) == []
            assert [found.id for found in episodes.claim_due_prompts(tx, NOW, 10)] == [episode.id]
            assert episodes.next_event_at(tx) == NOW and episodes.next_event_at(tx, NOW) is None
            episodes.change(tx, episode.id, status="ended")
            assert episodes.claim_due_prompts(tx, NOW, 10) == []

    def test_an_episode_that_ended_keeps_why_and_nothing_falls_due(self, db: Database, episode: Episode) -> None:
        with db.begin() as tx:
            episodes.set_cursor(tx, episode.id, Occurrence(TODAY, 1, NOW, "Europe/London"))
            episodes.end(tx, NOW, episode, "discharged", "moved away")
            ended = episodes.load(tx, episode.id)
            assert (ended.status, ended.end_reason, ended.ended_at, ended.next_prompt_at) == ("discharged", "moved away", NOW, None)

    def test_two_planners_on_postgresql_share_the_episodes(self, kept_postgres: KeptDatabase) -> None:
        db = open_quickly(kept_postgres.emptied())
        with db.begin() as tx:
            clinic = a_clinic(tx)
            for number in range(10):
                episodes.set_cursor(tx, a_patient(tx, clinic, ref=f"P{number}").id, Occurrence(TODAY, 1, NOW, "Europe/London"))
        with db.begin() as one, db.begin() as other:
            first = {found.id for found in episodes.claim_due_prompts(one, NOW, 6)}
            second = {found.id for found in episodes.claim_due_prompts(impatient(other), NOW, 6)}
        assert (len(first), len(second)) == (6, 4) and not first & second
        db.close()

    def test_a_hold_is_placed_once_and_its_end_may_move(self, db: Database, episode: Episode) -> None:
        place: Callable[..., bool] = episodes.place_hold
        with db.begin() as tx:
            assert place(tx, NOW, episode, "pause", why="away", by="patient", from_day=TODAY, until_day=TODAY + DAY)
            assert not place(tx, NOW, episode, "pause", why="away longer", by="patient", from_day=TODAY, until_day=TODAY + 5 * DAY)
            [hold] = episodes.list_holds(tx, episode.id)
            assert (hold.until_day, episodes.why_held(tx, episode, hold)) == (TODAY + 5 * DAY, "away longer")
            assert place(tx, NOW, episode, "red_flag", why="words", by="rule", from_day=TODAY)

    def test_a_pause_that_waits_to_begin_has_the_new_days_or_stays_beside_a_shorter_one(self, db: Database, episode: Episode) -> None:
        def pause(first: int, until: int) -> bool:
            days = {"from_day": TODAY + first * DAY, "until_day": TODAY + until * DAY}
            return episodes.place_hold(tx, NOW, episode, "pause", why="away", by="patient", **days)

        def placed() -> list[tuple[int, int]]:
            return [
                ((hold.from_day - TODAY).days, (hold.until_day - TODAY).days)
                for hold in episodes.list_holds(tx, episode.id)
                if hold.until_day
            ]

        with db.begin() as tx:
            assert pause(5, 9) and not pause(6, 12) and placed() == [(6, 12)], "no, from Thursday"
            assert pause(0, 3) and sorted(placed()) == [(0, 3), (6, 12)], "two days off before the holiday"

    def test_a_pause_from_today_that_reaches_a_later_one_begins_today(self, db: Database, episode: Episode) -> None:
        with db.begin() as tx:
            for first, until in ((5, 9), (0, 7)):
                days = {"from_day": TODAY + first * DAY, "until_day": TODAY + until * DAY}
                episodes.place_hold(tx, NOW, episode, "pause", why="away", by="patient", **days)
            [hold] = episodes.list_holds(tx, episode.id)
            assert (hold.from_day, hold.until_day) == (TODAY, TODAY + 7 * DAY)

    @pytest.mark.parametrize(("day", "held"), [(-1, False), (0, True), (2, True), (3, False)])
    def test_a_hold_covers_its_days_and_not_the_day_it_ends(self, db: Database, episode: Episode, day: int, held: bool) -> None:
        with db.begin() as tx:
            episodes.place_hold(tx, NOW, episode, "pause", why="", by="", from_day=TODAY, until_day=TODAY + 3 * DAY)
            assert bool(episodes.list_holds_in_force(tx, episode.id, TODAY + day * DAY)) is held

    def test_a_released_hold_is_over_and_only_once(self, db: Database, episode: Episode) -> None:
        with db.begin() as tx:
            episodes.place_hold(tx, NOW, episode, "pause", why="", by="", from_day=TODAY)
            assert not episodes.release_holds(tx, NOW, episode.id, ("red_flag",), "anna")
            assert episodes.release_holds(tx, NOW, episode.id, ("pause",), "anna")
            assert not episodes.release_holds(tx, NOW, episode.id, ("pause",), "anna")
            assert episodes.list_holds_in_force(tx, episode.id, TODAY) == []


class TestPrescriptions:
    def test_a_new_one_is_numbered_and_the_old_stays_as_it_was(self, db: Database, clinic: ClinicRows, episode: Episode) -> None:
        with db.begin() as tx:
            old = prescriptions.load(tx, episode.prescription_id)
            changed = old.model_copy(update={"stage": "intermediate"})
            new_id = prescriptions.add(
                tx, NOW, clinic_id=clinic.id, episode_id=episode.id, patient_id=episode.patient_id, document=changed,
                staff_id=clinic.physio_id, starts_on=date(2026, 10, 1), reason="ready",
            )  # fmt: skip
        db.documents.clear()
        with db.begin() as tx:
            listed = prescriptions.list_of_episode(tx, episode.patient_id, episode.id)
        assert [(item.number, item.document.stage, item.reason) for item in listed] == [
            (1, "early", "enrolment"),
            (2, "intermediate", "ready"),
        ]
        assert (listed[0].document, listed[1].id) == (old, new_id)

    def test_a_plan_that_changed_under_its_version_is_refused(self, db: Database) -> None:
        plan = a_plan()
        with db.begin() as tx:
            prescriptions.register_plan(tx, NOW, plan, content_hash(plan))
            prescriptions.register_plan(tx, NOW, plan, content_hash(plan))
            with pytest.raises(SettingsError, match="changed but still says version"):
                prescriptions.register_plan(tx, NOW, plan, "0" * 64)
            assert prescriptions.load_plan_version(tx, plan.id, plan.version) == plan
            with pytest.raises(SettingsError, match="not in this database"):
                prescriptions.load_plan_version(tx, plan.id, "0.0.1")


class TestStaff:
    def test_a_link_signs_in_once(self, db: Database, clinic: ClinicRows) -> None:
        with db.begin() as tx:
            link = staff.add_link(tx, NOW, clinic.physio_id)
            token = staff.use_link(tx, NOW + HOUR, link)
            assert token is not None and staff.use_link(tx, NOW + HOUR, link) is None
            found = staff.find_signed_in(tx, NOW + HOUR, token)
            assert found is not None and found.id == clinic.physio_id
            assert staff.find_signed_in(tx, NOW, link) is None, "a link is no sign-in"
            assert staff.use_link(tx, NOW, token) is None, "nor a sign-in a link"

    def test_a_link_lasts_a_day(self, db: Database, clinic: ClinicRows) -> None:
        with db.begin() as tx:
            link = staff.add_link(tx, NOW, clinic.physio_id)
            assert staff.use_link(tx, NOW + staff.LINK_LIFE, link) is None

    def test_a_sign_in_ends_when_idle_or_too_old_or_signed_out(self, db: Database, clinic: ClinicRows) -> None:
        def signed_in() -> str:
            token = staff.use_link(tx, NOW, staff.add_link(tx, NOW, clinic.physio_id))
            assert token is not None
            return token

        with db.begin() as tx:
            idle, busy, left = signed_in(), signed_in(), signed_in()
            assert staff.find_signed_in(tx, NOW + staff.IDLE, idle) is None
            for hours in range(1, 24 * 7):
                staff.touch(tx, NOW + hours * HOUR, busy)
            assert staff.find_signed_in(tx, NOW + staff.LONGEST - HOUR / 2, busy) is not None
            assert staff.find_signed_in(tx, NOW + staff.LONGEST, busy) is None
            staff.sign_out(tx, NOW, left)
            assert staff.find_signed_in(tx, NOW, left) is None

    def test_a_disabled_member_is_out_everywhere_at_once(self, db: Database, clinic: ClinicRows) -> None:
        with db.begin() as tx:
            token = staff.use_link(tx, NOW, staff.add_link(tx, NOW, clinic.physio_id))
            waiting = staff.add_link(tx, NOW, clinic.physio_id)
            staff.disable(tx, NOW, clinic.physio_id)
            assert token is not None and staff.find_signed_in(tx, NOW, token) is None
            assert staff.use_link(tx, NOW, waiting) is None
            with pytest.raises(NotFound):
                staff.load_by_email(tx, "physio@riverside.example")

    def test_an_email_and_a_slug_are_taken_once(self, db: Database, clinic: ClinicRows) -> None:
        with db.begin() as tx:
            with pytest.raises(Conflict):
                staff.add(tx, NOW, clinic.id, " PHYSIO@riverside.example", "Anna", "physio")
            with pytest.raises(Conflict):
                clinics.add_clinic(tx, NOW, "riverside", "Another", "Europe/London")
