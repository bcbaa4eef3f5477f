"""Commands on senders: the bots and numbers of each clinic."""

from __future__ import annotations

import asyncio
import re
import secrets
from datetime import datetime
from typing import TextIO

import click

from bot_service.cli.opening import clinic_option, json_option, opened, show
from bot_service.errors import ChannelMisconfigured, DeliveryError, SettingsError
from bot_service.settings import Settings, named_templates, whatsapp_sender
from bot_service.storage import clinics as clinic_rows
from bot_service.storage import credentials as credential_rows
from bot_service.storage.clinics import Sender
from bot_service.storage.credentials import Credentials
from bot_service.storage.database import Database

_TOKENS = {"telegram": re.compile(r"[0-9]+:[A-Za-z0-9_-]+"), "whatsapp": re.compile(r"[!-~]+( *, *[!-~]+)?")}
_BOT = re.compile(r"[A-Za-z0-9_]{3,32}")


@click.group()
def senders() -> None:
    """Bots and numbers that messages go out from."""


@senders.command("add")
@clinic_option
@click.option("--channel", type=click.Choice(["telegram", "whatsapp"]), required=True)
@click.option("--token-file", type=click.File(encoding="utf-8"), required=True, help="File with the bot's or account's token; - for stdin.")
@click.option("--name", help="WhatsApp: the number, or the messaging service's id. Telegram: the bot's username, with --no-check only.")
@click.option("--account", help="WhatsApp: the Twilio account's SID.")
@click.option("--templates", default="", help="WhatsApp: as in STEPWISE_WHATSAPP_TEMPLATES.")
@click.option("--no-check", is_flag=True, help="Do not ask the provider whether the credentials are good.")
def add_sender(
    slug: str | None, channel: str, token_file: TextIO, name: str | None, account: str | None, templates: str, no_check: bool
) -> None:
    """Add a clinic's own bot or number, or replace its token. It is used from the next start of the service on."""
    credentials = _credentials(channel, token_file, account, templates)
    name = _name(channel, name, named_by_provider=not no_check)
    with opened() as (settings, db, now):
        _check_settings(settings, channel)
        if not no_check:
            name = asyncio.run(_ask(settings, channel, name, credentials))
        sender, clinic = _keep(db, now, slug, channel, name, credentials)
    click.echo(f"Added {sender.name} for {clinic}. Start the service again to use it.")


@senders.command("list")
@json_option
def list_senders(as_json: bool) -> None:
    """List the senders of every clinic. The one of the settings appears when the service has started with it once."""
    with opened() as (_, db, _now), db.read() as tx:
        slugs = {clinic.id: clinic.slug for clinic in clinic_rows.list_clinics(tx)}
        kept = {sender.id for sender, _ in credential_rows.list_kept(tx)}
        rows = [
            {
                "clinic": slugs[each.clinic_id],
                "channel": each.channel,
                "name": each.name,
                "status": each.status,
                "reason": each.reason,
                "credentials": "kept" if each.id in kept else "settings",
            }
            for each in clinic_rows.list_senders(tx)
        ]
    show(rows, as_json=as_json, empty="No sender yet. Set STEPWISE_CHANNELS and start the service.")


def _credentials(channel: str, token_file: TextIO, account: str | None, templates: str) -> Credentials:
    token = token_file.read(10_000).strip()
    if not _TOKENS[channel].fullmatch(token):
        raise click.UsageError("--token-file does not hold a token, and nothing else, in the form that the provider gives it")
    if channel == "telegram":
        if account or templates:
            raise click.UsageError("--account and --templates are WhatsApp's")
        return Credentials(token, webhook_secret=secrets.token_urlsafe(32))
    if not re.fullmatch(r"AC[0-9a-fA-F]{32}", account or ""):
        raise click.UsageError("--account is the Twilio account's SID; it begins with AC")
    try:
        return Credentials(token, account=account or "", templates=named_templates(templates))
    except ValueError as error:
        raise click.UsageError(f"--templates {error}") from None


def _name(channel: str, name: str | None, *, named_by_provider: bool) -> str:
    if channel == "telegram":
        if named_by_provider is bool(name):
            raise click.UsageError("--name is for a bot that is added with --no-check; otherwise Telegram says what it is called")
        if name and not _BOT.fullmatch(name.removeprefix("@")):
            raise click.UsageError("--name is the bot's username, such as riverside_physio_bot")
        return (name or "").removeprefix("@")
    try:
        found = whatsapp_sender(name or "")
    except ValueError as error:
        raise click.UsageError(f"--name {error}") from None
    if not found:
        raise click.UsageError("--name is missing: the number, such as +447700900123, or the messaging service's id")
    return found


def _check_settings(settings: Settings, channel: str) -> None:
    if settings.is_sample:
        raise SettingsError("the sample clinic has simulated phones only; set STEPWISE_CHANNELS to telegram or whatsapp first")
    if channel == "whatsapp" and not settings.twilio_api_url and not settings.public_url.startswith("https://"):
        raise SettingsError("STEPWISE_PUBLIC_URL must be the https address under which Twilio reaches this service")


async def _ask(settings: Settings, channel: str, name: str, credentials: Credentials) -> str:
    """The sender's name, when the provider takes the credentials. Raises SettingsError otherwise."""
    from bot_service.senders import make_channel  # seconds of reading that listing does not need

    made = make_channel(settings, channel, name, credentials)
    try:
        await made.start()
        if hasattr(made, "whoami"):
            return str((await made.whoami()).username)
        await made.check()
    except ChannelMisconfigured:
        raise SettingsError("the provider refuses these credentials; copy them again, nothing was added") from None
    except DeliveryError:
        raise SettingsError("the provider cannot be reached; try again later, or add the sender with --no-check") from None
    finally:
        await made.close()
    return name


def _keep(db: Database, now: datetime, slug: str | None, channel: str, name: str, credentials: Credentials) -> tuple[Sender, str]:
    from bot_service.app import TELEGRAM_PER_S, WHATSAPP_PER_S  # as above

    rate = TELEGRAM_PER_S if channel == "telegram" else WHATSAPP_PER_S
    with db.begin() as tx:
        clinic = clinic_rows.only_clinic(tx, slug)
        return credential_rows.keep(tx, now, clinic, channel, name, rate, credentials), clinic.name
