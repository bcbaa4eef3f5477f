"""Fetching updates: everything is kept before it is confirmed, and one that even lacks a number stops none of the others."""

from __future__ import annotations

from typing import Any

import pytest

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


@pytest.mark.parametrize("updates", [[], [said(3)], [said(9), said(4)]])
async def test_the_offset_is_one_above_the_highest_whatever_their_order(
    sqlite_clinic: RunningClinic, updates: list[dict[str, Any]]
) -> None:
    offsets, states = await fetched(sqlite_clinic, updates)
    assert offsets[1:] == ([max(update["update_id"] for update in updates) + 1] if updates else [])
    assert len(states) == len(updates)
