"""Plays time forward event by event: what falls due in the service, what patients do and what the clinic does, each at its moment."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Protocol
from uuid import UUID

from bot_service.channels.channel import Channel
from bot_service.clock import MovableClock, SystemClock
from bot_service.conversation.tokens import button_data
from bot_service.messages import Outbound
from bot_service.sample.person import Act, Person, Seen
from bot_service.storage.clinics import Sender
from bot_service.storage.database import Database
from bot_service.storage.transcripts import Shown
from plans.model import CarePlan

Progress = Callable[[float, str], None]
KEPT = 12
"""How many messages a phone keeps for tapping; nobody scrolls further back."""
_PATIENCE = timedelta(minutes=25)
_STILL_ANSWERED = timedelta(hours=24)


class Played(Protocol):
    """What of the service is needed to play it."""

    @property
    def db(self) -> Database: ...
    @property
    def library(self) -> Mapping[str, CarePlan]: ...
    @property
    def clock(self) -> SystemClock | MovableClock: ...
    def register_plans(self) -> None: ...
    def add_channel(self, clinic_id: UUID, name: str, channel: Channel, rate_per_s: float | None) -> Sender: ...
    def next_event_at(self, after: datetime | None = None) -> datetime | None: ...
    async def hear(self, sender_id: UUID, raw: Mapping[str, Any]) -> bool: ...
    async def tick(self) -> None: ...


@dataclass
class Phone:
    """One simulated patient's phone: the messages that can still be tapped, what was typed last, and whether an answer is awaited."""

    person: Person
    messages: dict[str, dict[str, str]] = field(default_factory=dict)
    typed: str | None = None
    waits: bool = False

    def keep(self, message_id: str, labels: dict[str, str]) -> None:
        """Remember what a tap on each of a message's buttons sends; the oldest messages scroll away."""
        self.messages[message_id] = labels
        if len(self.messages) > KEPT:
            self.messages.pop(next(iter(self.messages)))


class Player:
    """Lets simulated patients live while the clock is moved.

    Give `arrived` to the simulator as its sink and `service` what runs it. `step` groups what happens within it into one moment.
    During `downtime` the service is off: messages from phones wait and nothing is sent. A phone that a human has typed on is theirs.
    """

    def __init__(self, service: Played, *, step: timedelta = timedelta(0), downtime: Sequence[tuple[datetime, datetime]] = ()) -> None:
        self._service = service
        self._sender: UUID | None = None
        self._step = step
        self._downtime = tuple(downtime)
        self._phones: dict[str, Phone] = {}
        self._human: set[str] = set()
        self._waiting: list[tuple[datetime, int, str, Act]] = []
        self._agenda: list[tuple[datetime, int, Callable[[datetime], datetime | None]]] = []
        self._numbers = count()
        self.blocked: Callable[[str], None] = lambda _address: None

    @property
    def clock(self) -> MovableClock:
        """The clock that is moved. Raises TypeError when it is the real one."""
        if not isinstance(self._service.clock, MovableClock):
            raise TypeError("only the simulator's clock can be moved")
        return self._service.clock

    def connect(self, sender_id: UUID) -> None:
        """The sender whose phones these are."""
        self._sender = sender_id

    def at(self, when: datetime, do: Callable[[datetime], datetime | None]) -> None:
        """Have something done at a moment; it may answer when it wants to be done again."""
        heapq.heappush(self._agenda, (when, next(self._numbers), do))

    def give_phone(self, address: str, person: Person, code: str | None = None) -> None:
        """A person gets a phone; with an invitation's `code` they open its link after a while, if ever."""
        now = self.clock.now()
        self._phones[address] = Phone(person)
        for act in person.own_accord(now):
            self._plan(address, act)
        if code is not None and person.persona.opens_after_min is not None:
            opens = now + timedelta(minutes=person.persona.opens_after_min)
            self._plan(address, Act(opens, "text", f"/start {code}"))
            for later in (_PATIENCE, 3 * _PATIENCE):
                self._plan(address, Act(opens + later, "text", "hello?", if_unanswered=True))

    def bring_back(self, address: str, person: Person, shown: Sequence[Shown], said_last: datetime | None) -> None:
        """A person from before a restart, with the messages on their phone and when they last said something.

        What came in the last day and is unanswered is answered now, if they would have.
        """
        now = self.clock.now()
        phone = self._phones[address] = Phone(person)
        for act in person.own_accord(now):
            self._plan(address, act)
        for message in shown:
            labels = {cell["label"]: button_data(UUID(cell["question"]), cell["answer"]) for row in message.buttons for cell in row}
            seen = Seen(message.at, message.provider_id or "", message.text, tuple(labels))
            phone.keep(seen.message_id, labels)
            person.notice(seen)
            if now - message.at < _STILL_ANSWERED and (said_last is None or message.at > said_last):
                for act in person.react(seen):
                    self._plan(address, act)

    def forget_agenda(self) -> None:
        """Nothing more happens in the clinic by itself: from here on real people decide."""
        self._agenda.clear()

    def human_takes(self, address: str) -> None:
        """A human has typed or tapped on this phone: from now on it is theirs."""
        self._human.add(address)

    def arrived(self, provider_id: str, outbound: Outbound) -> None:
        """A message reached a phone: its owner sees it and will do something about it, or not. The simulator's sink."""
        phone = self._phones.get(outbound.address)
        if phone is None or outbound.address in self._human:
            return
        labels = {button.label: button.data for row in outbound.rows for button in row}
        phone.keep(provider_id, labels)
        phone.waits = False
        seen = Seen(self.clock.now(), provider_id, outbound.text, tuple(labels))
        for act in phone.person.react(seen):
            self._plan(outbound.address, act)

    def next_at(self, after: datetime | None = None) -> datetime | None:
        """When something happens next, on a phone, in the clinic or in the service (of which only what is due later than `after`)."""
        own = [queue[0][0] for queue in (self._waiting, self._agenda) if queue]
        due = self._service.next_event_at(after)
        return min([*own, *([due] if due else [])], default=None)

    async def play(self, until: datetime, progress: Progress | None = None, label: str = "") -> None:
        """Let time pass to `until`, doing everything on the way at its moment."""
        clock, began = self.clock, self.clock.now()
        stuck: datetime | None = None
        while (upcoming := self.next_at(stuck)) is not None and upcoming <= until:
            at = self._moment(max(upcoming, clock.now()), until)
            await self._step_to(at)
            stuck = at  # what could not be done at its moment would come up for ever
            if progress and until > began:
                progress(min(1.0, (at - began) / (until - began)), label)
        if clock.now() < until:
            await self._step_to(until)

    async def speak_due(self) -> int:
        """Let people say what is due by now, for when the clock runs by itself; how many acts there were."""
        now, spoken = self.clock.now(), 0
        later: list[tuple[datetime, int, str, Act]] = []
        busy: set[str] = set()
        while self._waiting and self._waiting[0][0] <= now:
            item = heapq.heappop(self._waiting)
            address = item[2]
            if address in busy:  # one thing at a time on each phone, so that the order stays
                later.append(item)
                continue
            busy.add(address)
            if address not in self._human:
                await self._do(address, item[3])
                spoken += 1
        for item in later:
            heapq.heappush(self._waiting, item)
        return spoken

    async def _step_to(self, at: datetime) -> None:
        self.clock.move_to(max(at, self.clock.now()))
        while self._agenda and self._agenda[0][0] <= at:
            _, _, do = heapq.heappop(self._agenda)
            if (again := do(at)) is not None:
                self.at(again, do)
        while True:
            spoken = await self.speak_due()
            await self._service.tick()
            if not spoken or not self._waiting or self._waiting[0][0] > at:
                return

    def _moment(self, at: datetime, until: datetime) -> datetime:
        """`at`, at the end of its step, and not while the service is off."""
        if self._step:
            seconds = self._step.total_seconds()
            at = datetime.fromtimestamp(-(-at.timestamp() // seconds) * seconds, at.tzinfo)
        for off, on in self._downtime:
            if off <= at < on:
                at = on
        return min(at, until)

    async def _do(self, address: str, act: Act) -> None:
        if self._sender is None:
            raise RuntimeError("connect the player to a sender first")
        phone, new_id = self._phones[address], self._service.db.new_id().hex
        if act.if_unanswered and not phone.waits:
            return
        phone.waits = True
        raw: dict[str, Any] = {"id": new_id, "address": address, "kind": act.what, "message_id": f"in-{new_id}"}
        if act.what == "tap":
            data = phone.messages.get(act.message_id or "", {}).get(act.words)
            if data is None:
                return  # the message has scrolled away
            raw |= {"data": data, "message_id": act.message_id}
        elif act.what == "blocked":
            self.blocked(address)
        elif act.words.startswith("/start "):
            raw |= {"text": "/start", "code": act.words.removeprefix("/start ")}
        else:
            raw |= {"text": act.words}
            if act.what == "edit" and phone.typed is not None:
                raw["message_id"] = phone.typed
            phone.typed = raw["message_id"]
        if act.what != "tap" and any(off <= act.at < on for off, on in self._downtime):
            raw["at"] = act.at.isoformat()  # what waits at a provider says when it was written; a tap does not
        await self._service.hear(self._sender, raw)

    def _plan(self, address: str, act: Act) -> None:
        heapq.heappush(self._waiting, (max(act.at, self.clock.now()), next(self._numbers), address, act))
