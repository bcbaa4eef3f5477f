"""`stepwise doctor`: every setting and part that can be checked from here, each problem with what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot_service.actions.crowding import find_crowded
from bot_service.channels.email import Email
from bot_service.channels.telegram import Telegram
from bot_service.channels.whatsapp_contents import BUTTONS, TEMPLATES, faults, is_used
from bot_service.clock import real_now
from bot_service.conversation.language import short_code
from bot_service.conversation.wording import SHIPPED, load_catalogue
from bot_service.errors import BotServiceError, ChannelMisconfigured, DeliveryError
from bot_service.senders import find_fault, make_channel, webhook_address
from bot_service.settings import Settings, load_settings
from bot_service.storage import clinics, credentials, measures
from bot_service.storage.clinics import Sender
from bot_service.storage.credentials import Credentials
from bot_service.storage.database import Tx, open_database, open_engine
from bot_service.storage.database_files import sqlite_file
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
    problems += find_missing_templates(settings)
    if "whatsapp" in settings.channels:
        problems += await _whatsapp(settings)
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
        found = credentials.list_kept(tx)
    told = await asyncio.gather(*(_examine_added(settings, *each) for each in found))
    return [
        f"Sender {sender.name} of {names[sender.clinic_id]}: {problem}"
        for (sender, _), problems in zip(found, told, strict=True)
        for problem in problems
    ]


async def _examine_added(settings: Settings, sender: Sender, kept: Credentials) -> list[str]:
    channel = make_channel(settings, sender.channel, sender.name, kept)
    await channel.start()
    try:
        fault = await find_fault(channel, sender)
        if fault is not None:
            return [f"{fault}. Copy its token again and run: stepwise senders add."]
        if isinstance(channel, Telegram):
            return [*await _webhook(settings, channel, webhook_address(settings, sender.id)), *await _menus(channel)]
        return await _contents(settings, channel, kept.templates)
    except ChannelMisconfigured:
        return ["the provider refuses its set-up. Run stepwise senders add for it again."]
    except DeliveryError:
        return ["the provider cannot be reached: check the network, or the setting of its address."]
    finally:
        await channel.close()


@contextmanager
def _reading(settings: Settings) -> Iterator[Tx | None]:
    """A look at the database; None when it cannot be opened, which `_database` tells."""
    file = sqlite_file(settings.database_url)
    with ExitStack() as opened:
        try:
            if file is not None and not file.exists():
                raise FileNotFoundError(file)  # connecting would make an empty one
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


def find_missing_templates(settings: Settings) -> list[str]:
    """What no call to Twilio is needed for: the templates that patients of each clinic with WhatsApp need and their sender has not got."""
    with _reading(settings) as tx:
        if tx is None or settings.is_sample or not clinics.list_clinics(tx):
            return []
        names = {clinic.id: clinic.slug for clinic in clinics.list_clinics(tx)}
        kept = {sender: found.templates for sender, found in credentials.list_kept(tx) if sender.channel == "whatsapp"}
        problems = []
        if "whatsapp" in settings.channels:
            known = {sender.name: sender.clinic_id for sender in clinics.list_senders(tx) if sender.channel == "whatsapp"}
            clinic_id = known.get(settings.whatsapp_from or "") or clinics.first_clinic(tx).id
            problems += _missing(measures.list_languages(tx, clinic_id), settings.whatsapp_templates)
        for sender, templates in kept.items():
            missing = _missing(measures.list_languages(tx, sender.clinic_id), templates)
            problems += [f"Sender {sender.name} of {names[sender.clinic_id]}: {problem}" for problem in missing]
    return problems


def _missing(used: set[str], templates: Mapping[str, str]) -> list[str]:
    """The templates that are missing: without one a patient who has not written for a day is not reminded."""
    needed = {short if (short := short_code(code)) in SHIPPED else "en" for code in used | {"en"}}
    missing = sorted(name for kind in TEMPLATES for code in needed if (name := f"{kind}:{code}") not in templates)
    unused = sorted(name for name in templates if not is_used(name))
    return [
        *(
            f"WhatsApp has no template {name} (its variable {{{{1}}}} is the clinic's name): patients who have not written for 24 hours "
            "would miss their exercises. Have it approved as docs/going-live/whatsapp.md says, and add it to "
            "STEPWISE_WHATSAPP_TEMPLATES, or for an added sender to --templates of stepwise senders add."
            for name in missing
        ),
        *(f"The template {name} is never sent: the names in use are {', '.join(TEMPLATES | BUTTONS)}. Correct it." for name in unused),
    ]


async def _whatsapp(settings: Settings) -> list[str]:
    from bot_service.channels.whatsapp import whatsapp_channel  # a second of reading that no other check needs

    channel = whatsapp_channel(settings)
    await channel.start()
    try:
        await channel.check()
        return await _contents(settings, channel, settings.whatsapp_templates)
    except ChannelMisconfigured:
        return ["Twilio refuses STEPWISE_TWILIO_ACCOUNT_SID with STEPWISE_TWILIO_AUTH_TOKEN: copy both from the console again."]
    except DeliveryError:
        return ["Twilio cannot be reached: check the network, or STEPWISE_TWILIO_API_URL."]
    finally:
        await channel.close()


async def _contents(settings: Settings, channel: WhatsApp, templates: Mapping[str, str]) -> list[str]:
    """What is wrong with the contents at Twilio, and what WhatsApp thinks of them."""
    told = {name: await _content(channel, name, sid) for name, sid in templates.items() if is_used(name)}
    if settings.twilio_api_url and all(problems is None for problems in told.values()):
        return []  # contents live on another host of Twilio's, which a test server need not stand for
    unknown = "Twilio does not know the template {}: check its SID in STEPWISE_WHATSAPP_TEMPLATES."
    return [problem for name, found in told.items() for problem in ([unknown.format(name)] if found is None else found)]


async def _content(channel: WhatsApp, name: str, content_sid: str) -> list[str] | None:
    """What is wrong with one content; None when Twilio does not know it."""
    try:
        problems = [f"The template {name} {fault}: mend it at Twilio." for fault in faults(name, await channel.find_content(content_sid))]
        if name.partition(":")[0] in BUTTONS:
            return problems  # sent within the service window only, where no approval is asked for
        verdict, category = await channel.find_approval(content_sid)
    except ChannelMisconfigured:
        return None
    if verdict != "approved":
        problems.append(f"WhatsApp has not approved the template {name}: it is {verdict}. Nothing goes out with it until it is approved.")
    elif category and category != "utility":
        problems.append(
            f"WhatsApp counts the template {name} as {category}: such messages are held back. Ask for utility with neutral wording."
        )
    return problems


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
