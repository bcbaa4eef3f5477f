"""Sealed columns: no plain text in, no moving between places, and the secret keys that open them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import StatementError

from bot_service.errors import SettingsError
from bot_service.storage import cases, entries, episodes, inbox, outbox, patients, sealing
from bot_service.storage import tables as t
from bot_service.storage.cases import Raised
from bot_service.storage.columns import Sealed, SealedBytes
from bot_service.storage.database import Database, open_database
from bot_service.storage.sealing import Keyring
from tests.databases import Kind
from tests.listed import named
from tests.running_clinic import SECRET, open_quickly
from tests.storage.rows import NOW, a_clinic, a_message, a_patient

OTHER_SECRET = "quite another secret for tests with 40+ letters"
SEALED_COLUMNS = [(table.name, column.name) for table in t.metadata.sorted_tables for column in table.c if isinstance(column.type, Sealed)]


def test_what_people_say_and_who_they_are_is_sealed() -> None:
    assert {
        ("patients", "name"),
        ("patients", "data_key"),
        ("addresses", "address"),
        ("inbox", "raw"),
        ("inbox", "text"),
        ("outbox", "text"),
        ("outbox", "address"),
        ("entries", "note"),
        ("cases", "words"),
        ("cases", "close_reason"),
        ("holds", "why"),
        ("episodes", "end_reason"),
        ("proposals", "reason"),
        ("prescriptions", "reason"),
        ("installation", "index_key"),
        ("installation", "raw_key"),
    } <= set(SEALED_COLUMNS)


@pytest.mark.parametrize(("table", "column"), SEALED_COLUMNS)
@pytest.mark.parametrize("plain", ["my knee hurts", b"my knee hurts"], ids=["text", "bytes"])
def test_a_sealed_column_refuses_plain_values(sqlite_db: Database, table: str, column: str, plain: object) -> None:
    with pytest.raises(StatementError, match="sealed bytes only"), sqlite_db.begin() as tx:
        tx.run(update(t.metadata.tables[table]).values({column: plain}))


def test_ciphertext_moved_to_another_row_does_not_open(db: Database) -> None:
    with db.begin() as tx:
        clinic = a_clinic(tx)
        jo, sam = a_patient(tx, clinic, "Jo Park", "P001"), a_patient(tx, clinic, "Sam Bell", "P002")
        taken = tx.scalar(select(t.patients.c.name).where(t.patients.c.id == jo.patient_id))
        tx.run(update(t.patients).where(t.patients.c.id == sam.patient_id).values(name=SealedBytes(taken)))
    with db.read() as tx:
        assert patients.load(tx, jo.patient_id).name == "Jo Park"
        with pytest.raises(InvalidTag):
            patients.load(tx, sam.patient_id)


def test_ciphertext_moved_to_another_row_of_the_same_patient_does_not_open(db: Database) -> None:
    with db.begin() as tx:
        episode = a_patient(tx, a_clinic(tx))
        first = entries.add(tx, episode, NOW, kind="note", day=NOW.date(), note="fine")
        second = entries.add(tx, episode, NOW, kind="note", day=NOW.date(), note="awful")
        taken = tx.scalar(select(t.entries.c.note).where(t.entries.c.id == second.id))
        tx.run(update(t.entries).where(t.entries.c.id == first.id).values(note=SealedBytes(taken)))
    with db.read() as tx, pytest.raises(InvalidTag):
        entries.list_all(tx, episode)


def test_ciphertext_moved_to_another_column_does_not_open(db: Database) -> None:
    with db.begin() as tx:
        clinic = a_clinic(tx)
        episode = a_patient(tx, clinic)
        patients.record_consent(tx, episode.patient_id, "I agree")
        taken = tx.scalar(select(t.patients.c.consent).where(t.patients.c.id == episode.patient_id))
        tx.run(update(t.patients).where(t.patients.c.id == episode.patient_id).values(name=SealedBytes(taken)))
    with db.read() as tx, pytest.raises(InvalidTag):
        patients.load(tx, episode.patient_id)


def test_nothing_a_person_said_lies_readable_in_the_file(fresh_database: Callable[[Kind], str]) -> None:
    url = fresh_database("sqlite")
    db = open_quickly(url)
    secrets = ["Marigold Unusual", "sim:P001", "purple elephant", "yellow submarine", "green tambourine"]
    secrets += ["scarlet umbrella", "silver teaspoon", "golden ladder"]
    with db.begin() as tx:
        clinic = a_clinic(tx)
        episode = a_patient(tx, clinic, "Marigold Unusual")
        inbox.store(tx, NOW, clinic.sender_id, {"text": "purple elephant"}, None)
        entries.add(tx, episode, NOW, kind="note", day=NOW.date(), note="yellow submarine")
        message = a_message(tx, episode, clinic.sender_id, "k")
        episodes.place_hold(tx, NOW, episode, "pause", why="scarlet umbrella", by="Anna Reed", from_day=NOW.date())
        case, _ = cases.raise_case(tx, NOW, episode, Raised("X3", "X3", "routine", "a message", {}), None)
        cases.close_case(tx, NOW, episode, case, "Anna Reed", "silver teaspoon")
        episodes.end(tx, NOW, episode, "discharged", "golden ladder")
        sealed = tx.seal(episode.patient_id, f"outbox.text:{message}", "green tambourine")
        outbox.move(tx, message, ("due",), "sending", NOW, text=sealed)
    db.close()
    file = Path(make_url(url).database or "")
    raw = b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
    assert [secret for secret in secrets if secret.encode() in raw or secret.casefold().encode() in raw] == []


def test_a_wrong_secret_key_is_refused_with_a_sentence(database_url: str) -> None:
    open_quickly(database_url).close()
    with pytest.raises(SettingsError, match="does not open this database"):
        open_database(database_url, [OTHER_SECRET])


@pytest.mark.parametrize("secrets", [[], ["short"], [SECRET, "short"]])
def test_a_short_secret_key_is_refused(secrets: list[str]) -> None:
    with pytest.raises(SettingsError, match="at least 32 characters"):
        Keyring(secrets)


def test_after_a_rotation_old_rows_open_and_new_ones_need_the_new_key(database_url: str) -> None:
    before = open_quickly(database_url)
    with before.begin() as tx:
        clinic = a_clinic(tx)
        old = a_patient(tx, clinic, "Jo Park", "P001")
    before.close()
    rotated = open_database(database_url, [OTHER_SECRET, SECRET], synchronous="OFF")
    with rotated.begin() as tx:
        new = a_patient(tx, clinic, "Sam Bell", "P002")
        wrapped = tx.scalar(select(t.patients.c.data_key).where(t.patients.c.id == new.patient_id))
        assert patients.load(tx, old.patient_id).name == "Jo Park"
        assert patients.load(tx, new.patient_id).name == "Sam Bell"
    rotated.close()
    assert Keyring([OTHER_SECRET]).unwrap(wrapped)
    with pytest.raises(SettingsError):
        Keyring([SECRET]).unwrap(wrapped)


def test_look_ups_and_deduplication_survive_a_rotation(database_url: str) -> None:
    before = open_quickly(database_url)
    with before.begin() as tx:
        clinic = a_clinic(tx)
        episode = a_patient(tx, clinic)
        assert inbox.store(tx, NOW, clinic.sender_id, {"a": 1}, None)
    before.close()
    rotated = open_database(database_url, [OTHER_SECRET, SECRET], synchronous="OFF")
    with rotated.begin() as tx:
        assert not inbox.store(tx, NOW, clinic.sender_id, {"a": 1}, None)
        found = patients.find_address(tx, clinic.sender_id, "sim:P001")
        assert found is not None and found.patient_id == episode.patient_id
        assert named(tx, clinic.id, NOW, "jo") == {episode.id}
    rotated.close()


def test_every_patient_has_a_key_of_their_own(db: Database) -> None:
    with db.begin() as tx:
        clinic = a_clinic(tx)
        keys = {tx.key_of(a_patient(tx, clinic, ref=f"P{number:03d}").patient_id) for number in range(5)}
    assert len(keys) == 5


def test_an_episode_read_in_bulk_brings_the_right_key(db: Database) -> None:
    with db.begin() as tx:
        clinic = a_clinic(tx)
        for number, name in enumerate(["Jo Park", "Sam Bell", "Ada Moss"]):
            entries.add(tx, a_patient(tx, clinic, name, f"P{number}"), NOW, kind="note", day=NOW.date(), note=name)
    with db.read() as tx:
        told = {episode.ref: entries.list_all(tx, episode)[0].note for episode in episodes.list_of_clinic(tx, clinic.id)}
    assert told == {"P0": "Jo Park", "P1": "Sam Bell", "P2": "Ada Moss"}


KEY = b"k" * 32


@given(st.text(), st.text(min_size=1, max_size=40))
def test_what_is_sealed_opens_again_in_its_place_only(text: str, place: str) -> None:
    sealed = sealing.seal(KEY, place, text)
    assert sealing.unseal(KEY, place, sealed) == text
    with pytest.raises(InvalidTag):
        sealing.unseal(KEY, place + "x", sealed)


@given(st.text(max_size=30), st.data())
def test_one_changed_bit_anywhere_is_noticed(text: str, data: st.DataObject) -> None:
    sealed = bytearray(sealing.seal(KEY, "here", text))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(InvalidTag):
        sealing.unseal(KEY, "here", bytes(sealed))


def test_half_a_surrogate_pair_is_kept_as_it_came() -> None:
    assert sealing.unseal(KEY, "here", sealing.seal(KEY, "here", "half \ud83d a pair")) == "half \ud83d a pair"
