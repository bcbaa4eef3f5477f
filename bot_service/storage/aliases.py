"""Second names of one person in a chat: WhatsApp gives some people a user id beside, or in place of, their number."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, update

from bot_service.storage import patients
from bot_service.storage.database import Tx
from bot_service.storage.patients import Address
from bot_service.storage.tables import addresses

ALIAS = "alias"
"""The status of an address that is only another name: messages from it are the patient's, nothing is sent to it."""


def find_address(tx: Tx, sender_id: UUID, address: str, alias: str | None) -> Address | None:
    """The patient's address, found by either of the two names; where a name is an alias, the address that it stands for."""
    found = _main(tx, patients.find_address(tx, sender_id, address))
    if alias is None or (found is not None and found.status != "left"):
        return found
    return _main(tx, patients.find_address(tx, sender_id, alias)) or found


def remember(tx: Tx, now: datetime, address: Address, alias: str) -> None:
    """Keep another name of the person at that address, unless it is somebody else's."""
    hashed = patients.address_hash(tx, alias)
    row = tx.first(_BY_NAME, {"of_sender": address.sender_id, "hash": hashed})
    if row is not None:
        if row.patient_id == address.patient_id and row.status == "left":
            tx.run(update(addresses).where(addresses.c.id == row.id).values(status=ALIAS))
        return
    new_id = tx.new_id()
    sealed = tx.seal(address.patient_id, f"addresses.address:{new_id}", alias)
    values = {"id": new_id, "clinic_id": address.clinic_id, "patient_id": address.patient_id, "sender_id": address.sender_id}
    tx.attempt(addresses.insert().values(**values, status=ALIAS, address=sealed, address_hash=hashed, created_at=now))


def _main(tx: Tx, found: Address | None) -> Address | None:
    if found is None or found.status != ALIAS:
        return found
    main = patients.find_active_address(tx, found.patient_id)
    return main if main is not None and main.sender_id == found.sender_id else None


_BY_NAME = select(addresses.c.id, addresses.c.patient_id, addresses.c.status).where(
    addresses.c.sender_id == bindparam("of_sender"), addresses.c.address_hash == bindparam("hash")
)
