"""Going live on Telegram: what the doctor finds before a patient's words are lost, and a page that names what is needed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from bot_service.cli.commands import stepwise
from bot_service.conversation.wording import SHIPPED, load_catalogue
from bot_service.storage import clinics
from bot_service.storage.database import Database
from tests.fakes.bot_api_process import FakeBotApi
from tests.running_clinic import SECRET, START
from tests.source_tree import ROOT

PAGE = (ROOT / "docs" / "going-live" / "telegram.md").read_text(encoding="utf-8")
PUBLIC = "https://stepwise.example.org"


@pytest.fixture
def doctor(bot_api: FakeBotApi, sqlite_db: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    """Runs commands for a bot by webhook, with good settings, over a clinic's database that no service has used yet."""
    values = {
        "channels": "telegram", "telegram_token": bot_api.token, "telegram_api_url": bot_api.url, "telegram_mode": "webhook",
        "telegram_webhook_secret": "s" * 32, "public_url": PUBLIC, "secret_key": SECRET, "database_url": sqlite_db.engine.url,
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(f"STEPWISE_{name.upper()}", str(value))
    with sqlite_db.begin() as tx:
        clinics.add_clinic(tx, START, "riverside", "Riverside Physio", "Europe/London")
    yield CliRunner()
    assert bot_api.control("state")["offences"] == []


def said(runner: CliRunner) -> tuple[int, str]:
    result = runner.invoke(stepwise, ["doctor"])
    return result.exit_code, result.output


def has_started(db: Database) -> None:
    """As the first start leaves the database."""
    with db.begin() as tx:
        clinics.find_or_add_sender(tx, clinics.only_clinic(tx).id, "telegram", "stepwise_test_bot", 25.0)


def set_up(bot_api: FakeBotApi, url: str) -> None:
    """As the first start leaves the bot."""
    menus = {code: [{"command": name, "description": words} for name, words in load_catalogue(code).commands.items()] for code in SHIPPED}
    bot_api.control("arrange", webhook=url, commands={"": menus["en"], **menus})


def test_before_the_first_start_webhook_and_menu_are_nobodys_fault(doctor: CliRunner) -> None:
    assert said(doctor) == (0, "Everything is in order.\n")


def test_the_doctor_names_a_webhook_that_is_not_ours_and_a_menu_that_is_missing(
    doctor: CliRunner, bot_api: FakeBotApi, sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_started(sqlite_db)
    code, words = said(doctor)
    assert (code, "posts this bot's updates nowhere" in words, "menu of commands is not set in: en" in words) == (1, True, True)
    set_up(bot_api, "https://somebody.else.example/hook")
    assert "updates elsewhere" in said(doctor)[1] and "menu" not in said(doctor)[1]
    set_up(bot_api, f"{PUBLIC}/webhooks/telegram")
    assert said(doctor) == (0, "Everything is in order.\n")
    monkeypatch.setenv("STEPWISE_TELEGRAM_MODE", "polling")
    assert "A webhook is set for the Telegram bot" in said(doctor)[1]


def test_the_doctor_quotes_why_telegram_cannot_hand_over(doctor: CliRunner, bot_api: FakeBotApi, sqlite_db: Database) -> None:
    has_started(sqlite_db)
    set_up(bot_api, f"{PUBLIC}/webhooks/telegram")
    bot_api.control("arrange", error="Wrong response from the webhook: 502 Bad Gateway")
    assert said(doctor)[0] == 0, "an old failure, and nothing waits"
    bot_api.say(5, "hello")
    code, words = said(doctor)
    assert (code, "cannot hand over 1 updates and says: Wrong response from the webhook: 502 Bad Gateway." in words) == (1, True)


def test_a_secret_that_is_too_short_and_a_wrong_token_are_named(doctor: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWISE_TELEGRAM_WEBHOOK_SECRET", "short")
    assert "STEPWISE_TELEGRAM_WEBHOOK_SECRET must be 32 to 256" in said(doctor)[1]
    monkeypatch.setenv("STEPWISE_TELEGRAM_WEBHOOK_SECRET", "s" * 32)
    monkeypatch.setenv("STEPWISE_TELEGRAM_TOKEN", "4242:wrong")
    code, words = said(doctor)
    assert (code, "copy the token from BotFather" in words, "4242:wrong" in words) == (1, True, False)


def test_the_page_names_every_setting_command_and_address_that_telegram_needs() -> None:
    settings = "CHANNELS TELEGRAM_TOKEN TELEGRAM_MODE TELEGRAM_WEBHOOK_SECRET TELEGRAM_API_URL PUBLIC_URL SECRET_KEY DATABASE_URL".split()
    assert [name for name in settings if f"STEPWISE_{name}" not in PAGE] == []
    assert "/webhooks/telegram" in PAGE
    assert [command for command in load_catalogue("en").commands if f"`/{command}`" not in PAGE] == []
