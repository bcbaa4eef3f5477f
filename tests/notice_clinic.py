"""The running clinic of the tests with a mailbox for each member of staff, a deputy and a lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.app import Service
from bot_service.errors import DeliveryError
from bot_service.messages import Inbound, Outbound
from bot_service.storage import cases, notices, staff
from bot_service.storage.clinics import Sender
from bot_service.storage.staff import Member
from tests.running_clinic import Person, RunningClinic

EMERGENCY = "I can't feel my legs and I wet myself"
SEVERE = "done, 9"


@dataclass
class Mailboxes:
    """A mail channel that keeps what it is given. `fails`, when set, says how the server fails a message."""

    name: str = "email"
    taken: list[Outbound] = field(default_factory=list)
    fails: Callable[[Outbound], DeliveryError | None] | None = None
    tried: int = 0
    _ids: count[int] = field(default_factory=lambda: count(1))

    async def send(self, outbound: Outbound) -> str:
        self.tried += 1
        error = self.fails(outbound) if self.fails else None
        if error is not None:
            raise error
        self.taken.append(outbound)
        return f"<mail{next(self._ids)}>"

    def parse(self, raw: Mapping[str, Any]) -> Inbound | None:  # noqa: ARG002  # the channel's interface
        return None

    def subjects(self, member: Member) -> list[str]:
        """The first lines of what a member got."""
        return [each.text.partition("\n")[0] for each in self.taken if each.address == member.email]


@dataclass
class NoticeClinic:
    """`lead` and `deputy` are on duty; `anna` is the physio whose patients flag."""

    clinic: RunningClinic
    mail: Mailboxes
    mail_sender: Sender
    anna: Member
    ben: Member
    deputy: Member
    lead: Member

    @property
    def service(self) -> Service:
        return self.clinic.service

    def acknowledge(self, person: Person, member: Member | None = None) -> None:
        """Everything that is open about a patient is being looked after."""
        clinic = self.clinic
        with clinic.db.read() as tx:
            found = cases.list_open(tx, person.episode())
        for case in found:
            review.acknowledge_case(clinic.db, Decision(member or self.anna, person.episode().id, ""), case.id, clinic.clock.now())

    def choose(self, member: Member, **values: object) -> None:
        with self.clinic.db.begin() as tx:
            notices.change(tx, member, **values)


def with_mail(clinic: RunningClinic, *, digests: bool = False) -> NoticeClinic:
    """Give the clinic a mail server, two more physios and a lead; without `digests` nobody wants any."""
    mail = Mailboxes()
    sender = clinic.service.add_channel(clinic.clinic.id, "stepwise@clinic.example", mail, None)
    with clinic.db.begin() as tx:
        now = clinic.clock.now()
        ben = staff.add(tx, now, clinic.clinic.id, "ben@riverside.example", "Ben Cole", "physio")
        deputy = staff.add(tx, now, clinic.clinic.id, "dee@riverside.example", "Dee Shah", "physio")
        notices.change(tx, deputy, duty="deputy")
        notices.change(tx, clinic.admin, duty="lead")
        for member in (clinic.physio, clinic.admin, ben, deputy):
            notices.change(tx, member, daily=digests, weekly=digests)
    return NoticeClinic(clinic, mail, sender, clinic.physio, ben, deputy, clinic.admin)
