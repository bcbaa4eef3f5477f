"""Fixtures of the storage tests: a clinic and a patient in it, as rows alone."""

from __future__ import annotations

import pytest

from bot_service.storage.database import Database
from bot_service.storage.episodes import Episode
from tests.storage.rows import ClinicRows, a_clinic, a_patient


@pytest.fixture
def clinic(db: Database) -> ClinicRows:
    with db.begin() as tx:
        return a_clinic(tx)


@pytest.fixture
def episode(db: Database, clinic: ClinicRows) -> Episode:
    with db.begin() as tx:
        return a_patient(tx, clinic)
