"""One sender's reconciling: every few minutes, and first of all at the start, its provider is asked for what may have been missed."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from bot_service.actions import reconcile
from bot_service.app import Service
from bot_service.errors import DeliveryError
from bot_service.logs import log
from bot_service.polling import Alone
from bot_service.storage.clinics import Sender

EVERY = timedelta(minutes=3)
"""Between two rounds (default): within 15 minutes after an outage nothing is missing (`reliability.md` D3)."""
FIRST_LOOK_BACK = timedelta(days=3)
"""How far back the first round after a start looks (default); nothing is handled twice, however often it is seen."""
OVERLAP = timedelta(minutes=30)
"""How far a round reaches into the one before: a list may show a message some time after it was sent."""


class Reconciler(Alone):
    """Asks for as long as the service runs; one replica at a time for a sender."""

    lease = 2 * EVERY

    def __init__(self, service: Service, sender: Sender, channel: Any) -> None:
        super().__init__(service, sender, channel)
        self._since: datetime | None = None

    async def go_round(self) -> None:
        """Catch up, and handle what was found."""
        if await self.catch_up():
            await self._service.beat()

    async def catch_up(self) -> int:
        """Store what people wrote, then ask what became of messages in doubt; how much was missed.

        Nothing is sent, since other senders may not have caught up yet. A provider that is down is asked again next time.
        """
        missed = 0
        try:
            if await self._is_ours():
                missed = await self._ask_for_missed()
                await self._ask_about_doubts()
        except Exception as error:  # noqa: BLE001  # neither the provider nor the database being down may end the rounds
            log().warning("reconciling failed", sender=str(self._sender.id), error=type(error).__name__)
        return missed

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY.total_seconds())
            await self.go_round()

    async def _ask_for_missed(self) -> int:
        service, began = self._service, self._service.clock.now()
        missed = 0
        async for page in self._channel.list_inbound(self._since or began - FIRST_LOOK_BACK):
            for raw in page:
                missed += await service.delivery.run(
                    lambda raw=raw: reconcile.store_missed(service.db, self._sender.id, raw, self._channel, service.clock.now())  # type: ignore[misc]  # bound now
                )
        self._since = began - OVERLAP
        if missed:
            log().warning("messages that never reached us", sender=str(self._sender.id), number=missed)
        return missed

    async def _ask_about_doubts(self) -> None:
        service, sender_id = self._service, self._sender.id
        questions = await service.delivery.run(lambda: reconcile.list_questions(service.db, sender_id, service.clock.now()))
        for question in questions:
            try:
                receipt = await self._channel.look_up(question.outbound, question.began_at, question.taken)
            except DeliveryError as error:
                log().warning("outcome still unknown", message=question.outbound.id, error=type(error).__name__)
                continue
            await service.delivery.run(
                lambda asked=question, told=receipt: reconcile.settle(service.db, sender_id, asked, told, service.clock.now())  # type: ignore[misc]  # bound now
            )
