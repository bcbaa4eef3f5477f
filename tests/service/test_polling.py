"""Fetching updates: everything is kept before it is confirmed, and one that even lacks a number stops none of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest

from bot_service.app import Service
from bot_service.channels.telegram import Telegram
from bot_service.polling import Poller
from bot_service.storage import tables
from tests.running_clinic import RunningClinic


class Server(Telegram):
    """A bot whose server gives out these updates, until an offset confirms them."""

    def __init__(self, updates: list[dict[str, Any]]) -> None:
        super().__init__("1:x")
        self.updates = updates
        self.offsets: list[int | None] = []

    async def poll(self, offset: int | None, seconds: int = 0) -> list[dict[str, Any]]:  # noqa: ARG002  (the interface's arguments)
        self.offsets.append(offset)
        numbered = [update for update in self.updates if type(update.get("update_id")) is int]
        return [] if offset is not None and all(update["update_id"] < offset for update in numbered) else self.updates

    async def prepare_polling(self) -> None:
        """No webhook is set."""


def said(number: object, text: str = "hi") -> dict[str, Any]:
    return {"update_id": number, "message": {"message_id": 1, "date": 1790000000, "chat": {"id": 5, "type": "private"}, "text": text}}


async def fetched(clinic: RunningClinic, updates: list[dict[str, Any]]) -> tuple[list[int | None], list[str]]:
    """The offsets that were asked with, and the states of what was kept."""
    channel = Server(updates)
    sender = clinic.service.add_channel(clinic.clinic.id, "bot", channel, None)
    await Poller(clinic.service, sender, channel).catch_up()
    with clinic.db.read() as tx:
        return channel.offsets, sorted(row.status for row in tx.all(tables.inbox.select()))


async def test_updates_without_a_number_are_set_aside_and_the_others_are_confirmed(sqlite_clinic: RunningClinic) -> None:
    nameless = {"message": {"text": "?"}}
    offsets, states = await fetched(sqlite_clinic, [said(70), nameless, said("71"), said(None), said(True), said(69)])
    assert offsets == [None, 71]
    assert states == ["quarantined"] * 4 + ["received"] * 2


class Retaining(Server):
    """A server that forgets what is confirmed, as Telegram does."""

    async def poll(self, offset: int | None, seconds: int = 0) -> list[dict[str, Any]]:  # noqa: ARG002  (the interface's arguments)
        self.updates = [update for update in self.updates if offset is None or update["update_id"] >= offset]
        return self.updates[:4]


class Breaks(Service):
    """The service, whose machine dies at one update."""

    dies_at = 0

    async def hear(self, sender_id: UUID, raw: Mapping[str, Any]) -> bool:
        if raw["update_id"] == self.dies_at:
            raise OSError("gone")
        return await super().hear(sender_id, raw)


class ConfirmsFirst(Poller):
    """Wrong on purpose: says that it has updates before it has stored them."""

    async def _store(self, updates: Sequence[Mapping[str, Any]]) -> int | None:
        offset: int = max(update["update_id"] for update in updates) + 1
        await self._channel.poll(offset, 0)
        await super()._store(updates)
        return offset


@pytest.mark.parametrize(("build", "lost"), [(Poller, 0), (ConfirmsFirst, 2)], ids=["real", "confirms first"])
async def test_an_outage_amid_the_fetching_loses_nothing(sqlite_clinic: RunningClinic, build: type[Poller], lost: int) -> None:
    channel, first = Retaining([said(number) for number in range(70, 82)]), sqlite_clinic.service
    service = Breaks(first.settings, first.db, first.library, first.clock, first.channels, in_threads=False)
    sender = service.add_channel(sqlite_clinic.clinic.id, "bot", channel, None)
    service.dies_at = 76
    await build(service, sender, channel).catch_up()
    service.dies_at = 0
    await build(service, sender, channel).catch_up()
    with sqlite_clinic.db.read() as tx:
        assert len(tx.all(tables.inbox.select())) == 12 - lost


@pytest.mark.parametrize("updates", [[], [said(3)], [said(9), said(4)]])
async def test_the_offset_is_one_above_the_highest_whatever_their_order(
    sqlite_clinic: RunningClinic, updates: list[dict[str, Any]]
) -> None:
    offsets, states = await fetched(sqlite_clinic, updates)
    assert offsets[1:] == ([max(update["update_id"] for update in updates) + 1] if updates else [])
    assert len(states) == len(updates)
