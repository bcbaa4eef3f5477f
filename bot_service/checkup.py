"""`stepwise doctor`: every setting and part that can be checked from here, each problem with what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot_service.actions.crowding import find_crowded
from bot_service.actions.window import TEMPLATE as DAILY
from bot_service.channels.email import Email
from bot_service.channels.telegram import Telegram
from bot_service.clock import real_now
from bot_service.conversation.wording import SHIPPED, load_catalogue
from bot_service.errors import BotServiceError, ChannelMisconfigured, DeliveryError
from bot_service.senders import find_fault, make_channel, webhook_address
from bot_service.settings import Settings, load_settings
from bot_service.storage import clinics, credentials, measures
from bot_service.storage.clinics import Sender
from bot_service.storage.credentials import Credentials
from bot_service.storage.database import Tx, open_database, open_engine, sqlite_file
from bot_service.storage.migrating import check_schema
from plans.loading import LIBRARY, check_file

if TYPE_CHECKING:
    from bot_service.channels.whatsapp import WhatsApp

BUILT = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock is right that lies before this version was made."""


async def examine() -> list[str]:
    """The problems found, as sentences."""
    try:
        settings = load_settings()
    except BotServiceError as error:
        return [_sentence(str(error))]
    problems = [*_database(settings), *_plans()]
    if real_now() < BUILT:
        problems.append("This machine's clock is wrong: set the date and time, or let the system do it (NTP).")
    if "telegram" in settings.channels:
        problems += await _telegram(settings)
    if "whatsapp" in settings.channels:
        problems += [*_templates(settings), *await _whatsapp(settings)]
    return problems + await _mail(settings) + await _added(settings)


def _database(settings: Settings) -> list[str]:
    file, engine = sqlite_file(settings.database_url), None
    if file is not None and not file.exists():  # connecting would make an empty one, which ./run then takes for somebody's
        return ["There is no database yet; run: stepwise migrate."]
    try:
        engine = open_engine(settings.database_url)
        check_schema(engine)
        db = open_database(settings.database_url, settings.secrets)
    except BotServiceError as error:
        return [_sentence(str(error))]
    except Exception as error:  # noqa: BLE001  # a driver's error says little and may hold the address; its class is enough
        return [f"The database cannot be reached ({type(error).__name__}): check STEPWISE_DATABASE_URL and that the server runs."]
    finally:
        if engine is not None:
            engine.dispose()
    try:
        with db.read() as tx:
            broken = [sender for sender in clinics.list_senders(tx) if sender.status == "broken"]
            crowded = find_crowded(tx)
            missing = [] if clinics.list_clinics(tx) else ["There is no clinic yet: run stepwise clinics add."]
    finally:
        db.close()
    return [
        *missing,
        *crowded,
        *(f"Sender {sender.name} is stopped: {sender.reason}. Put its credentials right and start the service again." for sender in broken),
    ]


def _plans() -> list[str]:
    return [str(mistake) for file in sorted(LIBRARY.glob("*.toml")) for mistake in check_file(file)]


async def _mail(settings: Settings) -> list[str]:
    if settings.smtp_url is None or settings.mail_from is None:
        return []
    try:
        await Email(settings.smtp_url, settings.mail_from).check()
    except DeliveryError as error:
        return [f"{error} Notices to staff wait: check STEPWISE_SMTP_URL."]
    return []


async def _telegram(settings: Settings) -> list[str]:
    channel = Telegram(settings.telegram_token or "", settings.telegram_api_url)
    await channel.start()
    try:
        bot = await channel.whoami()
        if not _has_started(settings, bot.username):
            return []  # the first start sets webhook and menus
        return [*await _webhook(settings, channel, webhook_address(settings)), *await _menus(channel)]
    except ChannelMisconfigured:
        return ["Telegram refuses STEPWISE_TELEGRAM_TOKEN: copy the token from BotFather again."]
    except DeliveryError:
        return ["Telegram cannot be reached: check the network, or STEPWISE_TELEGRAM_API_URL."]
    finally:
        await channel.close()


async def _added(settings: Settings) -> list[str]:
    """The senders that clinics added, each problem with the sender's name and clinic before it."""
    if settings.is_sample:
        return []
    with _reading(settings) as tx:
        if tx is None:
            return []
        names = {clinic.id: clinic.slug for clinic in clinics.list_clinics(tx)}
        found = [(sender, kept, measures.list_languages(tx, sender.clinic_id)) for sender, kept in credentials.list_kept(tx)]
    told = await asyncio.gather(*(_examine_added(settings, *each) for each in found))
    return [
        f"Sender {sender.name} of {names[sender.clinic_id]}: {problem}"
        for (sender, _, _), problems in zip(found, told, strict=True)
        for problem in problems
    ]


async def _examine_added(settings: Settings, sender: Sender, kept: Credentials, languages: set[str]) -> list[str]:
    channel = make_channel(settings, sender.channel, sender.name, kept)
    await channel.start()
    try:
        fault = await find_fault(channel, sender)
        if fault is not None:
            return [f"{fault}. Copy its token again and run: stepwise senders add."]
        if isinstance(channel, Telegram):
            return [*await _webhook(settings, channel, webhook_address(settings, sender.id)), *await _menus(channel)]
        return [*_missing_templates(languages, kept.templates), *await _approvals(settings, channel, kept.templates)]
    except ChannelMisconfigured:
        return ["the provider refuses its set-up. Run stepwise senders add for it again."]
    except DeliveryError:
        return ["the provider cannot be reached: check the network, or the setting of its address."]
    finally:
        await channel.close()


@contextmanager
def _reading(settings: Settings) -> Iterator[Tx | None]:
    """A look at the database; None when it cannot be opened, which `_database` tells."""
    with ExitStack() as opened:
        try:
            db = open_database(settings.database_url, settings.secrets)
            opened.callback(db.close)
            check_schema(db.engine)
            tx = opened.enter_context(db.read())
        except Exception:  # noqa: BLE001  # told by `_database`, whatever it is
            yield None
        else:
            yield tx


def _has_started(settings: Settings, name: str) -> bool:
    """Whether the service has run with the bot of that name."""
    with _reading(settings) as tx:
        return tx is not None and any((sender.channel, sender.name) == ("telegram", name) for sender in clinics.list_senders(tx))


async def _webhook(settings: Settings, channel: Telegram, ours: str) -> list[str]:
    """What keeps updates from reaching us at the address `ours`, as Telegram tells it."""
    found = await channel.find_webhook()
    if settings.telegram_mode == "polling":
        return ["A webhook is set for the Telegram bot, so nothing can be fetched: start the service again."] if found.url else []
    problems = []
    if found.url != ours:
        problems.append(
            f"Telegram posts this bot's updates {'elsewhere' if found.url else 'nowhere'}: start the service again to set {ours}."
        )
    if found.last_error and found.waiting:
        problems.append(
            f"Telegram cannot hand over {found.waiting} updates and says: {found.last_error}. "
            "Check that STEPWISE_PUBLIC_URL is reached from the internet, with a certificate that others accept."
        )
    return problems


async def _menus(channel: Telegram) -> list[str]:
    missing = [code for code in SHIPPED if await channel.find_commands(code.partition("-")[0]) != load_catalogue(code).commands]
    return [f"The bot's menu of commands is not set in: {', '.join(missing)}. Start the service again."] if missing else []


def _templates(settings: Settings) -> list[str]:
    """The templates that are missing for the clinic that sends from the number of the settings."""
    with _reading(settings) as tx:
        if tx is None or not clinics.list_clinics(tx):
            return []
        known = {sender.name: sender.clinic_id for sender in clinics.list_senders(tx) if sender.channel == "whatsapp"}
        used = measures.list_languages(tx, known.get(settings.whatsapp_from or "") or clinics.first_clinic(tx).id)
    return _missing_templates(used, settings.whatsapp_templates)


def _missing_templates(used: set[str], templates: Mapping[str, str]) -> list[str]:
    """The templates that are missing: without one a patient who has not written for a day is not reminded."""
    needed = {code if code in SHIPPED else "en" for code in used | {"en"}}
    missing = sorted(f"{DAILY}:{code}" for code in needed if f"{DAILY}:{code}" not in templates)
    return [
        f"WhatsApp has no template {name}: patients who have not written for 24 hours would miss their exercises. "
        "Have it approved as docs/going-live/whatsapp.md says, and add it to STEPWISE_WHATSAPP_TEMPLATES, "
        "or for an added sender to --templates of stepwise senders add."
        for name in missing
    ]


async def _whatsapp(settings: Settings) -> list[str]:
    from bot_service.channels.whatsapp import whatsapp_channel  # a second of reading that no other check needs

    channel = whatsapp_channel(settings)
    await channel.start()
    try:
        await channel.check()
        return await _approvals(settings, channel, settings.whatsapp_templates)
    except ChannelMisconfigured:
        return ["Twilio refuses STEPWISE_TWILIO_ACCOUNT_SID with STEPWISE_TWILIO_AUTH_TOKEN: copy both from the console again."]
    except DeliveryError:
        return ["Twilio cannot be reached: check the network, or STEPWISE_TWILIO_API_URL."]
    finally:
        await channel.close()


async def _approvals(settings: Settings, channel: WhatsApp, templates: Mapping[str, str]) -> list[str]:
    # Templates live on another host of Twilio's, which a test server does not stand for.
    asked = {} if settings.twilio_api_url else templates
    return [problem for name, sid in asked.items() if (problem := await _template(channel, name, sid))]


async def _template(channel: WhatsApp, name: str, content_sid: str) -> str | None:
    try:
        verdict, category = await channel.find_approval(content_sid)
    except ChannelMisconfigured:
        return f"Twilio does not know the template {name}: check its SID in STEPWISE_WHATSAPP_TEMPLATES."
    if name.startswith("buttons"):
        return None  # sent within the service window only, where none is asked for
    if verdict != "approved":
        return f"WhatsApp has not approved the template {name}: it is {verdict}. Nothing goes out with it until it is approved."
    if category and category != "utility":
        return f"WhatsApp counts the template {name} as {category}: such messages are held back. Ask for utility with neutral wording."
    return None


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
