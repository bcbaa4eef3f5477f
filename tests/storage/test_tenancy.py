"""One clinic's rows cannot name another clinic's patients or episodes: the database itself refuses."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import ForeignKeyConstraint, Table
from sqlalchemy.exc import IntegrityError

from bot_service.storage import tables as t
from bot_service.storage.columns import SealedBytes
from bot_service.storage.database import Database
from tests.listed import named
from tests.storage.rows import HOUR, NOW, a_clinic, a_patient

HASH = bytes(32)
SEALED = SealedBytes(b"x")
TODAY = NOW.date()
OWNED = [table for table in t.metadata.sorted_tables if {"patient_id", "episode_id"} & set(table.c.keys())]


def test_every_table_that_names_a_patient_or_episode_ties_it_to_a_clinic() -> None:
    for table in OWNED:
        assert "clinic_id" in table.c, table.name
        pairs = {tuple(key.column_keys) for key in table.constraints if isinstance(key, ForeignKeyConstraint)}
        for column in {"patient_id", "episode_id"} & set(table.c.keys()):
            assert ("clinic_id", column) in pairs, f"{table.name}.{column} may name another clinic's row"


ROWS: dict[str, dict[str, Any]] = {
    "name_tokens": {"token_hash": HASH},
    "addresses": {"address_hash": HASH, "address": SEALED, "status": "active", "created_at": NOW},
    "invitations": {"code_hash": HASH, "created_at": NOW, "expires_at": NOW},
    "episodes": {"plan_id": "p", "status": "ended", "start_date": TODAY, "stage": "early", "stage_start": TODAY},
    "prescriptions": {"number": 9, "stage": "early", "side": "both", "document": {}, "starts_on": TODAY, "created_at": NOW},
    "holds": {"kind": "pause", "placed_by": "", "from_day": TODAY, "created_at": NOW},
    "inbox": {"provider_hash": HASH, "received_at": NOW, "status": "received"},
    "outbox": {
        "kind": "prompt", "lane": "bulk", "occurrence_key": "k", "content": {}, "due_at": NOW, "expires_at": NOW + HOUR, "status": "due",
        "status_at": NOW,
    },
    "media_links": {"expires_at": NOW},
    "questions": {"kind": "session", "opened_at": NOW, "expires_at": NOW},
    "entries": {"seq": 1, "kind": "session", "day": TODAY, "at": NOW},
    "cases": {
        "case_key": "A1", "rule": "A1", "urgency": "now", "status": "open", "sentence": "s", "reasons": {}, "opened_at": NOW,
    },
    "notes": {"words": SEALED, "created_at": NOW},
    "outcomes": {"measure": "visa_h", "value": 1, "day": TODAY, "created_at": NOW},
    "unsealed": {"place": "holds.why", "row_id": UUID(int=1), "words": "away"},
    "proposals": {"rule": "C1", "from_stage": "early", "detail": {}, "evidence_version": 1, "status": "pending", "created_at": NOW},
}  # fmt: skip


@pytest.mark.parametrize("table", OWNED, ids=lambda table: table.name)
def test_a_row_of_one_clinic_about_another_clinics_patient_is_refused(db: Database, table: Table) -> None:
    with db.begin() as tx:
        ours, theirs = a_clinic(tx, "ours"), a_clinic(tx, "theirs")
        mine, stranger = a_patient(tx, ours), a_patient(tx, theirs)

    def row(clinic_id: object, whose: object) -> dict[str, Any]:
        assert table.name in ROWS, f"add a row of {table.name} to this test"
        known = {"id": db.new_id(), "physio_id": ours.physio_id, "staff_id": ours.physio_id, "sender_id": ours.sender_id}
        person = mine if whose == "mine" else stranger
        named = {"clinic_id": clinic_id, "patient_id": person.patient_id, "episode_id": person.id}
        return {key: value for key, value in (known | ROWS[table.name] | named).items() if key in table.c}

    with pytest.raises(IntegrityError), db.begin() as tx:
        tx.run(table.insert().values(row(ours.id, "stranger")))
    with db.begin() as tx:
        tx.run(table.insert().values(row(ours.id, "mine")))


def test_a_reference_is_unique_in_a_clinic_and_free_in_another(db: Database) -> None:
    with db.begin() as tx:
        ours, theirs = a_clinic(tx, "ours"), a_clinic(tx, "theirs")
        a_patient(tx, ours, ref="P001")
        a_patient(tx, theirs, ref="P001")
    with pytest.raises(IntegrityError), db.begin() as tx:
        a_patient(tx, ours, ref="P001")


def test_looking_for_a_name_finds_patients_of_that_clinic_only(db: Database) -> None:
    with db.begin() as tx:
        ours, theirs = a_clinic(tx, "ours"), a_clinic(tx, "theirs")
        mine, stranger = a_patient(tx, ours, "Jo Park"), a_patient(tx, theirs, "Jo Park")
        assert named(tx, ours.id, NOW, "jo") == {mine.id}
        assert named(tx, theirs.id, NOW, "PARK") == {stranger.id}
