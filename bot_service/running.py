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
from bot_service.errors import ChannelMisconfigured, DeliveryError, SettingsError
from bot_service.logs import log
from bot_service.sample.clinic import reopen_sample_clinic
from bot_service.settings import Settings
from bot_service.storage import clinics
from bot_service.storage.database import Database
from bot_service.web.site import build_site
from plans.loading import load_library
from schedules.ticker import Ticker

MENU = {
    "help": "What you can ask for here",
    "plan": "Show today's exercises",
    "progress": "How it is going",
    "pause": "Pause the reminders",
    "time": "Change the time of day",
    "stop": "End all messages",
}


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
    async with _channels(service) as pollers:
        config = uvicorn.Config(build_site(service), log_config=None, access_log=False, lifespan="off", server_header=False)
        server = uvicorn.Server(config)
        for poller in pollers:
            await poller.catch_up()
        ticker = Ticker(service.settings.tick_seconds, service.beat)
        ticker.start()
        first = asyncio.create_task(service.beat())
        for poller in pollers:
            poller.start()
        ready()
        try:
            await server.serve(sockets=[listening])
        finally:
            for poller in pollers:
                await poller.stop()
            await ticker.stop()
            await first
            await service.delivery.finish()


@asynccontextmanager
async def _channels(service: Service) -> AsyncIterator[list[Poller]]:
    """The channels of the settings, each as a sender of the (only) clinic."""
    settings, pollers = service.settings, list[Poller]()
    open_channels: list[Any] = []
    with service.db.read() as tx:
        clinic = clinics.only_clinic(tx)
    if settings.is_sample:
        service.player = reopen_sample_clinic(service).player
    elif "simulator" in settings.channels:
        service.add_channel(clinic.id, "simulator", Simulator(provider_ids, lambda _id, _outbound: None), None)
    if "telegram" in settings.channels:
        channel = Telegram(settings.telegram_token or "", settings.telegram_api_url)
        await channel.start()
        open_channels.append(channel)
        sender = service.add_channel(clinic.id, await _bot_name(channel), channel, TELEGRAM_PER_S)
        await channel.set_commands(MENU)
        pollers.append(Poller(service, sender, channel))
    if "whatsapp" in settings.channels:
        from bot_service.channels.whatsapp import whatsapp_channel  # a second of reading that no other command needs

        whatsapp = whatsapp_channel(settings)
        await whatsapp.start()
        open_channels.append(whatsapp)
        service.add_channel(clinic.id, settings.whatsapp_from or "", whatsapp, WHATSAPP_PER_S)
    try:
        yield pollers
    finally:
        for each in open_channels:
            await each.close()


async def _bot_name(channel: Telegram) -> str:
    try:
        return (await channel.whoami()).username
    except ChannelMisconfigured:
        raise SettingsError("Telegram refuses STEPWISE_TELEGRAM_TOKEN; copy the token from BotFather again") from None
    except DeliveryError as error:
        log().warning("telegram not reached", error=type(error).__name__)
        raise SettingsError("Telegram cannot be reached; check the network, or STEPWISE_TELEGRAM_API_URL, and start again") from None
