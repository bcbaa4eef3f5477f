"""Credentials of added senders: sealed, replaced by their own clinic only, and one bot or number for one clinic."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import select

from bot_service.errors import Conflict
from bot_service.storage import audit, clinics, credentials
from bot_service.storage.clinics import Clinic
from bot_service.storage.columns import SealedBytes
from bot_service.storage.credentials import Credentials
from bot_service.storage.database import Database, Tx
from bot_service.storage.tables import senders
from tests.storage.rows import NOW

BOT = Credentials("5151:a-token-for-tests", webhook_secret="s" * 40)
NUMBER = Credentials("new,old", account="AC" + "1" * 32, templates={"daily:en": "HX" + "d" * 32})


def two_clinics(tx: Tx) -> tuple[Clinic, Clinic]:
    ours = clinics.add_clinic(tx, NOW, "riverside", "Riverside", "Europe/London")
    return ours, clinics.add_clinic(tx, NOW, "hillside", "Hillside", "Europe/London")


def test_what_is_kept_comes_back_and_lies_sealed(db: Database) -> None:
    with db.begin() as tx:
        ours, theirs = two_clinics(tx)
        bot = credentials.keep(tx, NOW, ours, "telegram", "riverside_bot", 25.0, BOT)
        number = credentials.keep(tx, NOW, theirs, "whatsapp", "+447700900555", 60.0, NUMBER)
    with db.read() as tx:
        assert [(sender.id, kept) for sender, kept in credentials.list_kept(tx)] == [(bot.id, BOT), (number.id, NUMBER)]
        sealed = {row.id: row.credentials for row in tx.all(select(senders.c.id, senders.c.credentials))}
        assert not any(word in row for row in sealed.values() for word in (b"a-token-for-tests", b"s" * 40, b"new,old", b"AC1"))
        assert audit.verify(tx) is None
    assert "token-for-tests" not in repr(BOT) and "ssss" not in repr(BOT)
    with db.begin() as tx:
        tx.run(senders.update().where(senders.c.id == bot.id).values(credentials=SealedBytes(sealed[number.id])))
        with pytest.raises(InvalidTag):  # they open in their own row only
            credentials.list_kept(tx)


def test_new_credentials_of_a_stopped_sender_replace_the_old_and_start_it_again(db: Database) -> None:
    with db.begin() as tx:
        ours, _ = two_clinics(tx)
        sender = credentials.keep(tx, NOW, ours, "telegram", "riverside_bot", 25.0, BOT)
        clinics.mark_sender(tx, sender.id, "broken", "refused")
        credentials.keep(tx, NOW, ours, "telegram", "riverside_bot", 25.0, Credentials("5151:another"))
        ((found, kept),) = credentials.list_kept(tx)
        assert (found.id, found.status, found.reason, kept.token) == (sender.id, "active", None, "5151:another")


def test_a_sender_of_one_clinic_cannot_be_anothers_and_a_bot_has_one_name(db: Database) -> None:
    with db.begin() as tx:
        ours, theirs = two_clinics(tx)
        credentials.keep(tx, NOW, ours, "telegram", "riverside_bot", 25.0, BOT)
    with pytest.raises(Conflict, match="another clinic"), db.begin() as tx:
        credentials.keep(tx, NOW, theirs, "telegram", "riverside_bot", 25.0, Credentials("6161:x"))
    with pytest.raises(Conflict, match="riverside_bot"), db.begin() as tx:
        credentials.keep(tx, NOW, theirs, "telegram", "hillside_bot", 25.0, Credentials("5151:y"))
    with db.read() as tx:
        assert [(sender.name, kept) for sender, kept in credentials.list_kept(tx)] == [("riverside_bot", BOT)]


def test_the_clinic_that_was_added_first_is_the_first_whatever_it_is_called(db: Database) -> None:
    with db.begin() as tx:
        first = clinics.add_clinic(tx, NOW, "zoo", "Zoo", "Europe/London")
        clinics.add_clinic(tx, NOW.replace(hour=10), "abbey", "Abbey", "Europe/London")
        assert clinics.first_clinic(tx).id == first.id
