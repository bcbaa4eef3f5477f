"""The channels of the senders that clinics added: made of their credentials, and what the provider says about those."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from bot_service.channels.telegram import Telegram
from bot_service.errors import ChannelMisconfigured
from bot_service.settings import Settings
from bot_service.storage.clinics import Sender
from bot_service.storage.credentials import Credentials

if TYPE_CHECKING:
    from bot_service.channels.whatsapp import WhatsApp

UPDATES_PATH = "/webhooks/telegram"


def webhook_address(settings: Settings, sender_id: UUID | None = None) -> str:
    """Where Telegram posts the updates of an added bot, or of the one of the settings."""
    return settings.public_url + UPDATES_PATH + (f"/{sender_id}" if sender_id else "")


def make_channel(settings: Settings, channel: str, name: str, credentials: Credentials) -> Telegram | WhatsApp:
    """The channel of a sender; not started yet."""
    if channel == Telegram.name:
        posted = settings.telegram_mode == "webhook"
        return Telegram(credentials.token, settings.telegram_api_url, webhook_secrets=(credentials.webhook_secret,) if posted else ())
    from bot_service.channels.whatsapp import Account, WhatsApp  # a second of reading that only WhatsApp needs

    tokens = tuple(part.strip() for part in credentials.token.split(",") if part.strip())
    account = Account(credentials.account, tokens, name, credentials.templates)
    return WhatsApp(account, settings.public_url, settings.twilio_api_url, settings.twilio_api_url)


async def find_fault(channel: Telegram | WhatsApp, sender: Sender) -> str | None:
    """Why nothing may go through this sender, or None. Raises DeliveryError when the provider cannot be asked."""
    try:
        if not isinstance(channel, Telegram):
            await channel.check()
            return None
        found = (await channel.whoami()).username
    except ChannelMisconfigured:
        return "the provider refused its credentials"
    return None if found.casefold() == sender.name.casefold() else f"its token is that of another bot, {found}"[:200]
