"""What an invitation becomes on its way to the patient: codes that a form cannot make twice, and one link for each bot and number."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass

from bot_service.channels.whatsapp_texts import invitation_link
from bot_service.settings import Settings
from bot_service.storage import clinics, credentials
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Database, Tx


@dataclass(frozen=True)
class Link:
    """A way to begin. `url` is None where only words can be sent by hand (`words`)."""

    channel: str
    url: str | None
    words: str


@dataclass(frozen=True)
class Doors:
    """The bots and numbers of a clinic through which its patients come in; look them up once, make links for many."""

    telegram: tuple[str, ...]
    whatsapp: tuple[str, ...]
    phones: str | None

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that a patient of the clinic can choose."""
        open_doors = {"telegram": bool(self.telegram), "whatsapp": bool(self.whatsapp), "simulator": self.phones is not None}
        return tuple(name for name, is_open in open_doors.items() if is_open)

    def links(self, ref: str, code: str, chosen: str | None = None) -> list[Link]:
        """Every link of a code, those of the chosen channel first."""
        made = [Link("telegram", f"https://t.me/{bot}?start={code}", f"Start {code}") for bot in self.telegram]
        made += [
            Link("whatsapp", invitation_link(number, code) if number.startswith("+") else None, f"Start {code}") for number in self.whatsapp
        ]
        made += [Link("simulator", f"{self.phones}/{ref}", f"Start {code}")] if self.phones else []
        return sorted(made, key=lambda link: link.channel != chosen)


def doors_of(tx: Tx, settings: Settings, clinic: Clinic) -> Doors:
    """Those of the clinic itself: its codes open nothing through another clinic's."""
    senders, first = clinics.list_senders(tx), clinics.first_clinic(tx)
    kept = {sender.id for sender, _ in credentials.list_kept(tx)}
    ours = [sender for sender in senders if sender.clinic_id == clinic.id]
    set_here = settings.whatsapp_from if "whatsapp" in settings.channels else None
    numbers = [each.name for each in ours if each.channel == "whatsapp" and (each.id in kept or each.name == set_here)]
    if set_here and clinic.id == first.id and not any((each.channel, each.name) == ("whatsapp", set_here) for each in senders):
        numbers.append(set_here)  # it is added at the first start
    bots = tuple(each.name for each in ours if each.channel == "telegram")
    return Doors(bots, tuple(numbers), f"{settings.public_url}/phone" if settings.is_sample else None)


def code_of(db: Database, *parts: str) -> str:
    """A code that is the same whenever the same form is sent, and that nobody without the installation's key can work out (128 bits)."""
    return urlsafe_b64encode(db.keys.index("invitation made of", "\0".join(parts))[:16]).rstrip(b"=").decode()
