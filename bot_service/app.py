"""The composition root: builds every part, knows every part, and gives the service its pulse."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from bot_service.actions import assess, digests, importing, notices, prompt, receive
from bot_service.actions.deliver import Delivery, deliver_due
from bot_service.actions.outcomes import recover_after_crash
from bot_service.actions.receive import Courtesy
from bot_service.channels.channel import Channel, Editable
from bot_service.channels.simulator import Simulator
from bot_service.clock import MovableClock, SystemClock, real_now
from bot_service.logs import log
from bot_service.sample.playing import Player
from bot_service.settings import Settings
from bot_service.storage import alerts, clinics, episodes, imports, inbox, names, outbox, prescriptions
from bot_service.storage import notices as notice_rows
from bot_service.storage.clinics import Sender
from bot_service.storage.database import Database
from plans.loading import content_hash
from plans.model import CarePlan

COURTESY_S = 5.0
"""How long at most what goes on beside the sending is waited for (default)."""
TELEGRAM_PER_S = 25.0
"""Below the provider's guideline of about 30 messages a second for one bot (`channels.md` 1A)."""
WHATSAPP_PER_S = 60.0
"""Below the provider's 80 messages a second for one sender (`channels.md` 1B)."""

MAIL_PER_S = 10.0
"""Below what relays commonly allow an account, such as 14 a second (default)."""


EMAIL = "email"


@dataclass
class Service:
    """Everything that runs: pages and commands act through it, the ticker calls `tick`."""

    settings: Settings
    db: Database
    library: Mapping[str, CarePlan]
    clock: SystemClock | MovableClock
    channels: dict[UUID, Channel] = field(default_factory=dict)
    in_threads: bool = True
    worker: str = field(default_factory=lambda: f"{socket.gethostname()[:20]}:{os.getpid()}:{uuid4().hex[:8]}"[:40])
    player: Player | None = None
    last_tick: datetime | None = None
    errors: int = 0
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    _beside: set[asyncio.Task[None]] = field(default_factory=set)
    _roused: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.delivery = Delivery(self.db, self.channels, self.clock, self.worker, self.in_threads)

    def register_plans(self) -> None:
        """Remember the plan versions in use. Raises SettingsError when a plan changed under its version."""
        with self.db.begin() as tx:
            for plan in self.library.values():
                prescriptions.register_plan(tx, self.clock.now(), plan, content_hash(plan))

    def add_channel(self, clinic_id: UUID, name: str, channel: Channel, rate_per_s: float | None) -> Sender:
        """Let messages of this sender leave and arrive through `channel`."""
        with self.db.begin() as tx:
            sender = clinics.find_or_add_sender(tx, clinic_id, channel.name, name, rate_per_s)
            clinics.mark_sender(tx, sender.id, "active", None)
            if channel.name == EMAIL:
                alerts.hurry_untold(tx, self.clock.now())
        self.channels[sender.id] = channel
        return sender

    def recover(self) -> int:
        """At start: what the last run left behind. How many messages are in doubt now."""
        with self.db.begin() as tx:
            if self.db.is_sqlite:
                clinics.leave_polling(tx)
            alerts.begin_missing(tx, self.clock.now())
        names.store_all_anew(self.db)
        return recover_after_crash(self.db, self.clock.now(), everything=self.db.is_sqlite)

    async def tick(self) -> None:
        """Do all the work that is due: inbound, prompts, the daily look, deliveries, until nothing is left."""
        async with self._busy:
            self._roused = None
            await self._work()

    async def beat(self) -> None:
        """A tick that never raises: the next one does what this one could not, and readyz shows when none succeeds."""
        try:
            if self.player is not None:
                await self.player.speak_due()
            await self.tick()
        except Exception as error:  # noqa: BLE001  # the database being away, say, must not end the ticking
            self.errors += 1
            log().error("tick failed", error=type(error).__name__)

    def rouse(self) -> asyncio.Task[None]:
        """A beat as soon as may be, beside whoever asks for it: one that is at work already may take minutes, and sees to it on its way."""
        if self._roused is None or self._roused.done():
            self._roused = self._do_beside(self.beat())
        return self._roused

    async def heed(self) -> None:
        """The same for what a provider has just posted; over after a moment at the latest, since the line it came by carries the next."""
        await asyncio.wait([self.rouse()], timeout=COURTESY_S)

    async def finish(self) -> None:
        """Begin nothing more; what is being sent is finished, and so is what was begun beside it, if that takes no longer than a moment."""
        await self.delivery.finish()
        if self._beside:
            await asyncio.wait(self._beside, timeout=COURTESY_S)

    async def phone_did(self, sender_id: UUID, raw: Mapping[str, Any]) -> bool:
        """A human did something on a simulated phone: it is theirs from now on, and is answered at once."""
        if self.player is not None:
            self.player.human_takes(str(raw.get("address")))
        new = await self.hear(sender_id, raw)
        await self.tick()
        return new

    async def hear(self, sender_id: UUID, raw: Mapping[str, Any]) -> bool:
        """Store an update durably; False when it is a repetition. Handling it is the next tick's work."""
        channel, now = self.channels[sender_id], self.clock.now()
        # A clock that was moved shares no time with a real provider; the simulated phones live by it.
        timed = isinstance(self.clock, SystemClock) or channel.name == Simulator.name
        return await self.delivery.run(lambda: receive.store(self.db, sender_id, raw, channel, now, timed=timed))

    async def _work(self) -> None:
        failed: set[UUID] = set()
        for _ in range(1000):
            if self.delivery.is_ending:
                return
            due = await self.delivery.run(self._look)
            done = await self._receive_all(failed) if due.replies else 0
            if due.plans:
                done += await self.delivery.run(self._plan_due)
            if due.alerts:
                done += await self.delivery.run(lambda: notices.tell_due(self.db, self.clock.now(), self.settings.public_url))
            if due.files:
                await self.delivery.run(lambda: importing.forget_old(self.db, self.clock.now()))
            if due.messages or done or self.delivery.is_under_way:
                done += await deliver_due(self.delivery)
            if due.digests:
                done += await self.delivery.run(lambda: digests.send_due(self.db, self.clock.now(), self.settings.public_url))
            self.last_tick = real_now()
            if not done:
                return
        if self.in_threads:
            self.rouse()  # whoever waits for this tick has waited long enough, and there is more

    def _look(self) -> _Due:
        """What there is to do, in one read: mostly nothing."""
        now = self.clock.now()
        with self.db.read() as tx:
            plans, messages, tell = episodes.next_event_at(tx), outbox.next_due_at(tx), alerts.next_at(tx)
            return _Due(
                replies=inbox.any_waiting(tx),
                plans=plans is not None and plans <= now,
                alerts=tell is not None and tell <= now,
                digests=self._tells_staff and ((digest := notice_rows.next_digest_at(tx)) is None or digest <= now),
                messages=(messages is not None and messages <= now) or self.delivery.wants_to_look_after(),
                files=imports.any_kept(tx, now - importing.KEPT),
            )

    @property
    def _tells_staff(self) -> bool:
        """Whether there is any way to tell them; the sample clinic has none."""
        return any(channel.name in (EMAIL, "telegram") for channel in self.channels.values())

    def _plan_due(self) -> int:
        now = self.clock.now()
        return prompt.queue_due_prompts(self.db, now) + assess.assess_due(self.db, now)

    async def _receive_all(self, failed: set[UUID]) -> int:
        handled = 0
        while True:
            now = self.clock.now()
            found, courtesy = await self.delivery.run(
                lambda now=now: receive.receive_next(self.db, self.channels, now, failed)  # type: ignore[misc]  # bound now
            )
            if not found:
                return handled
            handled += 1
            if courtesy is not None:
                # Beside the work and not in it: a provider that hangs must not keep the next patient's words waiting.
                self._do_beside(self._be_courteous(courtesy))

    def _do_beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
        return task

    async def _be_courteous(self, courtesy: Courtesy) -> None:
        channel = self.channels[courtesy.sender_id]
        if isinstance(channel, Editable):
            await channel.answer_tap(courtesy.callback_id, courtesy.chosen)
            if courtesy.marked and courtesy.message_id:
                await channel.edit(courtesy.address, courtesy.message_id, courtesy.marked)

    def next_event_at(self, after: datetime | None = None) -> datetime | None:
        """When something falls due next, or next after `after`."""
        with self.db.read() as tx:
            found = (
                episodes.next_event_at(tx, after),
                outbox.next_due_at(tx, after),
                alerts.next_at(tx, after),
                notice_rows.next_digest_at(tx, after) if self._tells_staff else None,
            )
            return min((at for at in found if at is not None), default=None)

    async def move_clock(self, to: datetime | None) -> datetime:
        """Let simulated time pass to `to`, doing on the way what falls due when it falls due; None: to the next thing due.

        Raises TypeError when the clock is the real one.
        """
        clock = self.clock
        if not isinstance(clock, MovableClock):
            raise TypeError("only the simulator's clock can be moved")
        player = self.player or Player(self)
        stood_still = clock.stands_still
        clock.freeze(clock.now())
        try:
            await player.play(to or player.next_at() or clock.now() + timedelta(hours=1))
        finally:
            if not stood_still:
                clock.thaw()
        with self.db.begin() as tx:
            clinics.set_clock_offset(tx, clock.offset.total_seconds())
        return clock.now()


@dataclass(frozen=True)
class _Due:
    """Which kinds of work wait."""

    replies: bool
    plans: bool
    alerts: bool
    digests: bool
    messages: bool
    files: bool


def provider_ids() -> str:
    """Ids of the simulated provider."""
    return uuid4().hex
