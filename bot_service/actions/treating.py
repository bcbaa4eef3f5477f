"""Who treats a patient: a physiotherapist, whoever does the enrolling."""

from __future__ import annotations

from uuid import UUID

from bot_service.errors import Conflict, NotFound
from bot_service.storage import staff
from bot_service.storage.database import Tx
from bot_service.storage.staff import Member


def treating_physio(tx: Tx, member: Member, named: str | None) -> Member:
    """The physio at the address `named`; without one the member, if a physio, else the clinic's only physio.

    Raises NotFound for an address that is no physio's of the clinic, Conflict when nobody is named and it is not clear who it is.
    """
    physios = physios_of(tx, member.clinic_id)
    if named is not None:
        found = next((each for each in physios if each.email == named.strip().lower()), None)
        if found is None:
            raise NotFound(f"{named} is not an active physiotherapist of this clinic; see: stepwise staff list")
        return found
    if member in physios:
        return member
    if len(physios) == 1:
        return physios[0]
    if not physios:
        raise Conflict("this clinic has no physiotherapist yet; invite one first: stepwise staff invite EMAIL NAME")
    raise Conflict(f"name the physiotherapist who treats this patient: {', '.join(each.email for each in physios)}")


def physios_of(tx: Tx, clinic_id: UUID) -> list[Member]:
    """Who may treat a patient of the clinic, by name."""
    return [each for each in staff.list_of_clinic(tx, clinic_id) if (each.role, each.status) == ("physio", "active")]
