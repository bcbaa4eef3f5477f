"""What the pages need of the running service, so that the web never imports the composition root."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from bot_service.channels.channel import Channel
from bot_service.clock import Clock
from bot_service.settings import Settings
from bot_service.storage.database import Database
from plans.model import CarePlan


class Service(Protocol):
    """Everything that runs, as the pages see it. `last_tick` is real time, `clock` is the domain's."""

    @property
    def settings(self) -> Settings: ...
    @property
    def db(self) -> Database: ...
    @property
    def library(self) -> Mapping[str, CarePlan]: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def channels(self) -> Mapping[UUID, Channel]: ...
    @property
    def worker(self) -> str: ...
    @property
    def last_tick(self) -> datetime | None: ...
    @property
    def errors(self) -> int: ...

    async def tick(self) -> None:
        """Do all the work that is due."""

    async def heed(self) -> None:
        """See to what has just arrived, but for a moment at most; never raising."""

    async def hear(self, sender_id: UUID, raw: Mapping[str, Any]) -> bool:
        """Store an update durably; handling it is the next tick's work."""

    async def phone_did(self, sender_id: UUID, raw: Mapping[str, Any]) -> bool:
        """A human did something on a simulated phone; it is answered at once."""

    async def move_clock(self, to: datetime | None) -> datetime:
        """Let simulated time pass. Raises TypeError when the clock is the real one."""
