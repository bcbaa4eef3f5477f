"""Starting and stopping the service: the listening socket, the senders, the ticker, the pollers and the pages."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import uvicorn

from bot_service.actions.crowding import find_crowded
from bot_service.app import MAIL_PER_S, TELEGRAM_PER_S, WHATSAPP_PER_S, Service, provider_ids
from bot_service.channels.email import Email
from bot_service.channels.simulator import Simulator
from bot_service.channels.telegram import Telegram
from bot_service.clock import MovableClock, SystemClock
from bot_service.conversation.wording import SHIPPED, load_catalogue
from bot_service.errors import ChannelMisconfigured, DeliveryError, MessageRejected, SettingsError
from bot_service.logs import log
from bot_service.polling import Poller
from bot_service.reconciling import Reconciler
from bot_service.sample.clinic import reopen_sample_clinic
from bot_service.senders import find_fault, make_channel, webhook_address
from bot_service.settings import Settings
from bot_service.storage import clinics, credentials
from bot_service.storage.clinics import Sender
from bot_service.storage.credentials import Credentials
from bot_service.storage.database import Database
from bot_service.web.site import build_site
from plans.loading import load_library
from schedules.ticker import Ticker

LAST_ANSWERS_S = 5
"""How long at the end requests may still be answered (default); a beat that one of them asked for may go on for minutes."""
RETRY_S = 30.0
"""How long after a webhook could not be set it is tried again (default)."""


def listen(settings: Settings) -> socket.socket:
    """The listening socket. Raises SettingsError when the port is taken or the address is not this machine's."""
    host, port = settings.host_and_port
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError:
        raise SettingsError(
            f"{settings.bind} is in use or not an address of this machine; stop what uses it, "
            "or set STEPWISE_BIND to another, such as 127.0.0.1:8001"
        ) from None


def build_service(settings: Settings, db: Database, clock: SystemClock | MovableClock) -> Service:
    """The service over a migrated database, with its plans registered and what a crash left behind sorted out."""
    service = Service(settings, db, load_library(), clock)
    service.register_plans()
    service.recover()
    with db.read() as tx:
        if crowded := find_crowded(tx):
            log().warning("more prompts than can leave in time, see stepwise doctor", count=len(crowded))
    return service


async def run_service(service: Service, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until told to stop; what is being sent then is finished first."""
    async with _channels(service) as listeners:
        config = uvicorn.Config(
            build_site(service),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=LAST_ANSWERS_S,
        )
        server = uvicorn.Server(config)
        await _catch_up(listeners)
        ticker = Ticker(service.settings.tick_seconds, service.beat)
        ticker.start()
        first = asyncio.create_task(service.beat())
        for listener in listeners:
            listener.start()
        ready()
        try:
            await server.serve(sockets=[listening])
        finally:
            await service.finish()
            for listener in listeners:
                await listener.stop()
            await ticker.stop()
            await first


async def _catch_up(listeners: list[Listener]) -> None:
    """What waits at every provider is stored, side by side. Raises SettingsError as the listeners do, when all are through."""
    for outcome in await asyncio.gather(*(listener.catch_up() for listener in listeners), return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


@asynccontextmanager
async def _channels(service: Service) -> AsyncIterator[list[Listener]]:
    """Every sender, those of the settings first, and what fetches for them; each is closed again, also when the start goes wrong."""
    if service.settings.is_sample:
        service.player = reopen_sample_clinic(service).player
        yield []
        return
    async with AsyncExitStack() as opened:
        listeners = await _open_those_of_settings(service, opened)
        yield listeners + await _open_those_added(service, opened)


async def _open_those_of_settings(service: Service, opened: AsyncExitStack) -> list[Listener]:
    """The channels of the settings, each as a sender of the first clinic. Raises SettingsError when one cannot be used."""
    settings, listeners = service.settings, list[Listener]()
    with service.db.read() as tx:
        clinic = clinics.first_clinic(tx)
    _open_mail(service, clinic.id)
    if "simulator" in settings.channels:
        service.add_channel(clinic.id, "simulator", Simulator(provider_ids, lambda _id, _outbound: None), None)
    if "telegram" in settings.channels:
        channel = Telegram(settings.telegram_token or "", settings.telegram_api_url, webhook_secrets=settings.telegram_secrets)
        opened.push_async_callback(channel.close)
        await channel.start()
        sender = service.add_channel(clinic.id, await _bot_name(channel), channel, TELEGRAM_PER_S)
        _beside(opened, _set_menus(channel))
        poller = Poller(service, sender, channel)
        listeners.append(Posting(poller, channel, webhook_address(settings)) if channel.is_posted_to else poller)
    if "whatsapp" in settings.channels:
        from bot_service.channels.whatsapp import whatsapp_channel  # a second of reading that no other command needs

        whatsapp = whatsapp_channel(settings)
        opened.push_async_callback(whatsapp.close)
        await whatsapp.start()
        sender = service.add_channel(clinic.id, settings.whatsapp_from or "", whatsapp, WHATSAPP_PER_S)
        listeners.append(Reconciler(service, sender, whatsapp))
    return listeners


def _open_mail(service: Service, clinic_id: UUID) -> None:
    """The mail server of the settings, for the staff of every clinic; one that is no longer set is no way to tell anybody."""
    settings = service.settings
    with service.db.begin() as tx:
        for sender in clinics.list_senders(tx):
            if sender.channel == "email" and sender.name != (settings.mail_from or "")[:80]:
                clinics.mark_sender(tx, sender.id, "unused", None)
    if settings.smtp_url and settings.mail_from:
        service.add_channel(clinic_id, settings.mail_from[:80], Email(settings.smtp_url, settings.mail_from), MAIL_PER_S)
    else:
        log().warning("no mail server is set: flags are told only to staff who linked Telegram")


async def _open_those_added(service: Service, opened: AsyncExitStack) -> list[Listener]:
    """The senders that clinics added, at the same time: one that is refused or out of reach keeps nobody waiting."""
    with service.db.read() as tx:
        added = [(sender, kept) for sender, kept in credentials.list_kept(tx) if sender.id not in service.channels]
    found = await asyncio.gather(*(_open_added(service, opened, sender, kept) for sender, kept in added))
    return [listener for listener in found if listener is not None]


async def _open_added(service: Service, opened: AsyncExitStack, sender: Sender, kept: Credentials) -> Listener | None:
    channel = make_channel(service.settings, sender.channel, sender.name, kept)
    opened.push_async_callback(channel.close)
    await channel.start()
    try:
        fault = await find_fault(channel, sender)
    except DeliveryError as error:  # its messages wait, and its listener asks again
        log().warning("sender not reached", sender=str(sender.id), error=type(error).__name__)
        fault = None
    if fault is not None:
        log().error("sender stopped", sender=str(sender.id), reason=fault)
        with service.db.begin() as tx:
            clinics.mark_sender(tx, sender.id, "broken", fault)
        return None
    service.add_channel(sender.clinic_id, sender.name, channel, sender.rate_per_s)
    if not isinstance(channel, Telegram):
        return Reconciler(service, sender, channel)
    if channel.account:
        _beside(opened, _set_menus(channel))
    poller = Poller(service, sender, channel)
    address = webhook_address(service.settings, sender.id)
    return Posting(poller, channel, address, patient=True) if channel.is_posted_to else poller


def _beside(opened: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Do this while the start goes on; what of it is not over at the end is left."""
    task = asyncio.create_task(work)

    async def leave() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    opened.push_async_callback(leave)


class Posting:
    """A bot whose updates are posted to us, with the moments of a `Poller`: what waits is fetched once, before anything is sent.

    A `patient` one does not stop the start when Telegram does not take the address, and tries again until it does.
    """

    def __init__(self, poller: Poller, channel: Telegram, url: str, *, patient: bool = False) -> None:
        self._poller = poller
        self._channel = channel
        self._url = url
        self._patient = patient
        self._trying: asyncio.Task[None] | None = None

    async def catch_up(self) -> None:
        """Store what waits at Telegram, then have the rest posted. Raises SettingsError when Telegram does not take the address."""
        try:
            await self._set()
        except SettingsError as error:
            if not self._patient:
                raise
            log().warning("webhook not set", reason=str(error))
            self._trying = asyncio.create_task(self._keep_trying())

    async def _set(self) -> None:
        try:
            if await self._may_wait():
                await self._poller.catch_up()
            await self._channel.set_webhook(self._url)
        except MessageRejected:
            raise SettingsError(
                "Telegram refuses the webhook's address; STEPWISE_PUBLIC_URL must be an https address that Telegram can reach"
            ) from None
        except DeliveryError as error:
            raise SettingsError(f"the webhook cannot be set: {error}") from None

    async def _may_wait(self) -> bool:
        """Whether updates wait at Telegram. A server that cannot say may have some; a wrong token is told by the next call too."""
        try:
            return bool((await self._channel.find_webhook()).waiting)
        except DeliveryError:
            return True

    async def _keep_trying(self) -> None:
        while True:
            await asyncio.sleep(RETRY_S)
            with contextlib.suppress(SettingsError):
                return await self._set()

    def start(self) -> None:
        """Nothing to fetch from now on."""

    async def stop(self) -> None:
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.gather(self._trying, return_exceptions=True)
        await self._poller.stop()


Listener = Poller | Posting | Reconciler


async def _set_menus(channel: Telegram) -> None:
    """The menu of commands in every language, and in English for whoever uses another. Best effort: the words work without it."""
    await channel.set_commands(load_catalogue("en").commands)
    for language in SHIPPED:
        await channel.set_commands(load_catalogue(language).commands, language.partition("-")[0])


async def _bot_name(channel: Telegram) -> str:
    try:
        return (await channel.whoami()).username
    except ChannelMisconfigured:
        raise SettingsError("Telegram refuses STEPWISE_TELEGRAM_TOKEN; copy the token from BotFather again") from None
    except DeliveryError as error:
        log().warning("telegram not reached", error=type(error).__name__)
        raise SettingsError("Telegram cannot be reached; check the network, or STEPWISE_TELEGRAM_API_URL, and start again") from None
