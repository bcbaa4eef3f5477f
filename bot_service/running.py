"""Starting and stopping the service: the listening socket, the channels of the settings, the ticker, the pollers and the pages."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from bot_service.actions.crowding import find_crowded
from bot_service.app import TELEGRAM_PER_S, WHATSAPP_PER_S, Poller, Service, provider_ids
from bot_service.channels.simulator import Simulator
from bot_service.channels.telegram import Telegram
from bot_service.clock import MovableClock, SystemClock
from bot_service.conversation.wording import SHIPPED, load_catalogue
from bot_service.errors import ChannelMisconfigured, DeliveryError, MessageRejected, SettingsError
from bot_service.logs import log
from bot_service.reconciling import Reconciler
from bot_service.sample.clinic import reopen_sample_clinic
from bot_service.settings import Settings
from bot_service.storage import clinics
from bot_service.storage.database import Database
from bot_service.web.site import build_site
from plans.loading import load_library
from schedules.ticker import Ticker

UPDATES_PATH = "/webhooks/telegram"


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
        config = uvicorn.Config(build_site(service), log_config=None, access_log=False, lifespan="off", server_header=False)
        server = uvicorn.Server(config)
        for listener in listeners:
            await listener.catch_up()
        ticker = Ticker(service.settings.tick_seconds, service.beat)
        ticker.start()
        first = asyncio.create_task(service.beat())
        for listener in listeners:
            listener.start()
        ready()
        try:
            await server.serve(sockets=[listening])
        finally:
            for listener in listeners:
                await listener.stop()
            await ticker.stop()
            await first
            await service.delivery.finish()


@asynccontextmanager
async def _channels(service: Service) -> AsyncIterator[list[Poller | Posting | Reconciler]]:
    """The channels of the settings, each as a sender of the (only) clinic, and what fetches for them."""
    settings, listeners = service.settings, list[Poller | Posting | Reconciler]()
    open_channels: list[Any] = []
    with service.db.read() as tx:
        clinic = clinics.only_clinic(tx)
    if settings.is_sample:
        service.player = reopen_sample_clinic(service).player
    elif "simulator" in settings.channels:
        service.add_channel(clinic.id, "simulator", Simulator(provider_ids, lambda _id, _outbound: None), None)
    if "telegram" in settings.channels:
        channel = Telegram(settings.telegram_token or "", settings.telegram_api_url, webhook_secrets=settings.telegram_secrets)
        await channel.start()
        open_channels.append(channel)
        sender = service.add_channel(clinic.id, await _bot_name(channel), channel, TELEGRAM_PER_S)
        await _set_menus(channel)
        poller = Poller(service, sender, channel)
        listeners.append(Posting(poller, channel, f"{settings.public_url}{UPDATES_PATH}") if channel.is_posted_to else poller)
    if "whatsapp" in settings.channels:
        from bot_service.channels.whatsapp import whatsapp_channel  # a second of reading that no other command needs

        whatsapp = whatsapp_channel(settings)
        await whatsapp.start()
        open_channels.append(whatsapp)
        sender = service.add_channel(clinic.id, settings.whatsapp_from or "", whatsapp, WHATSAPP_PER_S)
        listeners.append(Reconciler(service, sender, whatsapp))
    try:
        yield listeners
    finally:
        for each in open_channels:
            await each.close()


class Posting:
    """A bot whose updates are posted to us, with the moments of a `Poller`: what waits is fetched once, before anything is sent."""

    def __init__(self, poller: Poller, channel: Telegram, url: str) -> None:
        self._poller = poller
        self._channel = channel
        self._url = url

    async def catch_up(self) -> None:
        """Store what waits at Telegram, then have the rest posted. Raises SettingsError when Telegram does not take the address."""
        try:
            if (await self._channel.find_webhook()).waiting:
                await self._poller.catch_up()
            await self._channel.set_webhook(self._url)
        except MessageRejected:
            raise SettingsError(
                "Telegram refuses the webhook's address; STEPWISE_PUBLIC_URL must be an https address that Telegram can reach"
            ) from None
        except DeliveryError as error:
            raise SettingsError(f"the webhook cannot be set: {error}") from None

    def start(self) -> None:
        """Nothing to fetch from now on."""

    async def stop(self) -> None:
        await self._poller.stop()


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
