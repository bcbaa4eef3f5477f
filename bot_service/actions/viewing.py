"""Who looked at whom: opening a patient's page is written down, since reading a record is something a patient may ask about."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot_service.storage import audit
from bot_service.storage.database import Database
from bot_service.storage.patients import Patient
from bot_service.storage.staff import Member

NOTED_EVERY = timedelta(hours=1)
"""A member of staff who opens the same page again within this time is not written down again (default), so that the trail stays small."""


def record_view(db: Database, member: Member, patient: Patient, now: datetime) -> None:
    """Note that `member` opened the patient's page."""
    with db.read() as tx:
        if audit.was_recorded(tx, member.email, "viewed", patient.id, since=now - NOTED_EVERY):
            return
    with db.begin() as tx:
        audit.record(tx, now, member.email, "viewed", clinic_id=patient.clinic_id, subject_id=patient.id)
