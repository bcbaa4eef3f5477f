"""Fetching what people write: one bot's updates, for as long as the service runs, by one replica at a time."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot_service.app import Service
from bot_service.clock import monotonic, real_now
from bot_service.errors import DeliveryError
from bot_service.logs import log
from bot_service.storage import clinics
from bot_service.storage.clinics import Sender

SHORT_POLL_S = 0.5
"""A provider that answers "nothing" at once is asked again no sooner than this."""


class Alone(ABC):
    """What goes on at one sender's provider for as long as the service runs; `lease` is how long a replica keeps it to itself."""

    lease: timedelta

    def __init__(self, service: Service, sender: Sender, channel: Any) -> None:
        self._service = service
        self._sender = sender
        self._channel = channel
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End it, and let another replica begin at once."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._service.delivery.run(self._leave)

    @abstractmethod
    async def _run(self) -> None:
        """Go on until cancelled."""

    async def _is_ours(self) -> bool:
        """Whether this replica is the one; asked before each round, which is shorter than the lease."""
        return await self._service.delivery.run(self._take)

    def _take(self) -> bool:
        now = real_now()
        with self._service.db.begin() as tx:
            return clinics.take_polling(tx, self._sender.id, self._service.worker, now, now + self.lease)

    def _leave(self) -> None:
        with self._service.db.begin() as tx:
            clinics.leave_polling(tx, self._sender.id, self._service.worker)


class Poller(Alone):
    """Fetches one sender's updates for as long as the service runs: stored durably before the next offset confirms them."""

    lease = timedelta(seconds=90)
    """More than twice the longest poll."""

    async def catch_up(self) -> None:
        """Store what waits at the provider before anything is sent: it may be a STOP, or the answer to yesterday's question."""
        offset: int | None = None
        try:
            if not await self._is_ours():
                return
            await self._channel.prepare_polling()
            while updates := await self._channel.poll(offset, 0):
                offset = await self._store(updates)
        except Exception as error:  # noqa: BLE001  # the provider may be down; the polling itself tries again
            self._complain(error, 0)

    async def _store(self, updates: Sequence[Mapping[str, Any]]) -> int | None:
        """Keep every update; the offset that confirms them."""
        for raw in updates:
            await self._service.hear(self._sender.id, raw)
        # One that even lacks a number is kept like any other that cannot be read; it must not stop those that have one.
        numbers = [raw["update_id"] for raw in updates if type(raw.get("update_id")) is int]
        return max(numbers) + 1 if numbers else None

    def _complain(self, error: Exception, attempt: int) -> None:
        # Our own errors are sentences for the operator, such as who else uses this bot (409); anybody else's may quote anything.
        reason = str(error) if isinstance(error, DeliveryError) else None
        log().warning("polling failed", sender=str(self._sender.id), error=type(error).__name__, reason=reason, attempt=attempt)

    async def _run(self) -> None:
        offset: int | None = None
        failures, prepared = 0, False
        while True:
            began = monotonic()
            try:
                if not await self._is_ours():
                    await asyncio.sleep(self.lease.total_seconds() / 10)
                    continue
                if not prepared:
                    await self._channel.prepare_polling()
                    prepared = True
                # After an empty answer all is confirmed, and no offset is sent: ids may begin again below it after a quiet week.
                updates = await self._channel.poll(offset)
                offset = await self._store(updates)
                failures = 0
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  # a provider that is down must not end the polling
                failures += 1
                self._complain(error, failures)
                await asyncio.sleep(min(60.0, 0.5 * 2**failures))
                continue
            if updates:
                self._service.rouse()
            elif monotonic() - began < SHORT_POLL_S:
                await asyncio.sleep(SHORT_POLL_S)
