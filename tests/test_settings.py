"""Settings: what is read from where, what is refused with a sentence, and that no secret shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot_service.errors import SettingsError
from bot_service.settings import SECRETS, Settings, load_settings

KEY = "k" * 40
TELEGRAM = {"channels": "telegram", "telegram_token": "123456:" + "t" * 35, "secret_key": KEY}

MAIL = {"smtp_url": "smtp://mail.example", "mail_from": "stepwise@clinic.example"}
WEBHOOK = TELEGRAM | {"telegram_mode": "webhook", "telegram_webhook_secret": "s" * 40, "public_url": "https://clinic.example"}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own environment only: no setting of the caller's."""
    for name in Settings.model_fields:
        for suffix in ("", "_FILE"):
            monkeypatch.delenv(f"STEPWISE_{name.upper()}{suffix}", raising=False)


def test_without_any_setting_it_is_the_sample_clinic_on_this_machine() -> None:
    settings = load_settings()
    assert settings.is_sample and settings.host_and_port == ("127.0.0.1", 8000)
    assert settings.database_url.startswith("sqlite:////") and settings.database_url.endswith("/var/stepwise.db")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"bind": "8000"}, "STEPWISE_BIND must look like"),
        ({"bind": "127.0.0.1:99999"}, "STEPWISE_BIND must look like"),
        ({"bind": "0.0.0.0:8000"}, "this machine only"),
        ({"channels": "pigeon"}, "STEPWISE_CHANNELS"),
        ({"channels": " , "}, "names no channel"),
        ({"channels": "telegram", "secret_key": KEY}, "STEPWISE_TELEGRAM_TOKEN is missing"),
        ({**TELEGRAM, "secret_key": None}, "STEPWISE_SECRET_KEY is missing"),
        (WEBHOOK | {"telegram_webhook_secret": None}, "STEPWISE_TELEGRAM_WEBHOOK_SECRET is missing"),
        (WEBHOOK | {"telegram_webhook_secret": "s" * 31}, "STEPWISE_TELEGRAM_WEBHOOK_SECRET must be 32 to 256"),
        (WEBHOOK | {"telegram_webhook_secret": "s" * 257}, "STEPWISE_TELEGRAM_WEBHOOK_SECRET must be 32 to 256"),
        (WEBHOOK | {"telegram_webhook_secret": "s" * 40 + "!"}, "STEPWISE_TELEGRAM_WEBHOOK_SECRET must be 32 to 256"),
        (WEBHOOK | {"telegram_webhook_secret": "s" * 40 + ",short"}, "STEPWISE_TELEGRAM_WEBHOOK_SECRET must be 32 to 256"),
        (WEBHOOK | {"public_url": "http://clinic.example"}, "STEPWISE_PUBLIC_URL must be the https address"),
        (WEBHOOK | {"public_url": "https://clinic.example:9000"}, "on port 443, 80, 88 or 8443"),
        ({**TELEGRAM, "telegram_mode": "carrier"}, "STEPWISE_TELEGRAM_MODE"),
        ({"channels": "whatsapp", "secret_key": KEY}, "STEPWISE_TWILIO_ACCOUNT_SID"),
        ({"secret_key": "short"}, "at least 32 characters"),
        ({"secret_key": f"{KEY},short"}, "at least 32 characters"),
        ({"tick_seconds": 0}, "STEPWISE_TICK_SECONDS"),
        ({"tick_seconds": "soon"}, "STEPWISE_TICK_SECONDS"),
        ({"log_format": "xml"}, "STEPWISE_LOG_FORMAT"),
        ({"smtp_url": "smtp://mail.example"}, "STEPWISE_SMTP_URL and STEPWISE_MAIL_FROM go together"),
        ({"mail_from": "stepwise@clinic.example"}, "STEPWISE_SMTP_URL and STEPWISE_MAIL_FROM go together"),
        ({**MAIL, "smtp_url": "http://mail.example"}, "STEPWISE_SMTP_URL: must look like smtp://"),
        ({**MAIL, "smtp_url": "smtp://mail.example:notaport"}, "STEPWISE_SMTP_URL: must look like smtp://"),
        ({**MAIL, "smtp_url": "smtp://"}, "STEPWISE_SMTP_URL: must look like smtp://"),
        ({**MAIL, "smtp_url": "smtp://mail.example/path"}, "STEPWISE_SMTP_URL: must look like smtp://"),
        ({**MAIL, "smtp_url": "smtp://mail.example?tls=maybe"}, "STEPWISE_SMTP_URL: must look like smtp://"),
        ({**MAIL, "smtp_url": "smtp://u:p@mail.example?tls=off"}, "STEPWISE_SMTP_URL: tls=off would send the password in the clear"),
        ({**MAIL, "mail_from": "stepwise"}, "STEPWISE_MAIL_FROM: must be an address"),
        ({**MAIL, "mail_from": "a@b.example, c@d.example"}, "STEPWISE_MAIL_FROM: must be an address"),
        ({"database_url": "mysql://x/y"}, "STEPWISE_DATABASE_URL"),
        ({"database_url": "nonsense"}, "STEPWISE_DATABASE_URL"),
    ],
)
def test_what_is_wrong_is_named_in_one_sentence(given: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(**given)
    text = str(caught.value)
    assert says in text and "\n" not in text and "validation error" not in text
    assert KEY not in text and "t" * 35 not in text


def test_a_webhook_needs_its_secret_and_an_address_and_polling_neither() -> None:
    assert load_settings(**WEBHOOK).telegram_secrets == ("s" * 40,)
    assert load_settings(**WEBHOOK | {"telegram_webhook_secret": f"{'n' * 32}, {'o' * 32}"}).telegram_secrets == ("n" * 32, "o" * 32)
    assert load_settings(**WEBHOOK | {"public_url": "http://a.test", "telegram_api_url": "http://b.test"}).telegram_mode == "webhook"
    assert load_settings(**WEBHOOK | {"telegram_mode": "polling", "telegram_webhook_secret": "short"}).telegram_secrets == ()


def test_several_things_that_are_wrong_are_all_named() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(tick_seconds=0, log_format="xml")
    assert "STEPWISE_TICK_SECONDS" in str(caught.value) and "STEPWISE_LOG_FORMAT" in str(caught.value)


def test_a_real_channel_may_listen_anywhere_and_is_no_sample() -> None:
    settings = load_settings(**TELEGRAM, bind="0.0.0.0:80")
    assert not settings.is_sample and settings.host_and_port == ("0.0.0.0", 80)
    assert not load_settings(**{**TELEGRAM, "channels": "simulator, telegram"}).is_sample


@pytest.mark.parametrize(("bind", "found"), [("localhost:1", ("localhost", 1)), ("[::1]:8080", ("::1", 8080))])
def test_addresses_of_this_machine(bind: str, found: tuple[str, int]) -> None:
    assert load_settings(bind=bind).host_and_port == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"bind": "127.0.0.1:8001"}, "http://127.0.0.1:8001"),
        ({"bind": "127.0.0.1:8001", "public_url": "http://127.0.0.1:8000"}, "http://127.0.0.1:8000"),
        (TELEGRAM | {"bind": "0.0.0.0:80"}, "http://127.0.0.1:8000"),
    ],
)
def test_links_lead_to_where_the_service_listens_unless_it_is_told(given: dict[str, str], found: str) -> None:
    assert load_settings(**given).public_url == found


def test_the_environment_counts_and_an_empty_value_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWISE_TICK_SECONDS", "9")
    monkeypatch.setenv("STEPWISE_BIND", "")
    settings = load_settings()
    assert (settings.tick_seconds, settings.bind) == (9, "127.0.0.1:8000")


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_may_come_from_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"database_url": "sqlite:////tmp/x.db", "smtp_url": "smtps://u:p@mail.example"}.get(name, "f" * 40)
    monkeypatch.setenv("STEPWISE_MAIL_FROM", "stepwise@clinic.example" if name == "smtp_url" else "")
    file = tmp_path / "secret"
    file.write_text(f"{value}\n", encoding="utf-8")
    monkeypatch.setenv(f"STEPWISE_{name.upper()}_FILE", str(file))
    assert getattr(load_settings(), name) == value
    monkeypatch.setenv(f"STEPWISE_{name.upper()}_FILE", str(tmp_path / "missing"))
    with pytest.raises(SettingsError, match=f"STEPWISE_{name.upper()}_FILE"):
        load_settings()


def test_no_secret_shows_when_settings_are_printed() -> None:
    given = {name: f"hidden-{name}-" + "h" * 40 for name in SECRETS if name != "database_url"}
    given |= {"smtp_url": "smtp://hidden-user:hidden-password@mail.example", "mail_from": "stepwise@clinic.example"}
    shown = repr(load_settings(**given, channels="telegram"))
    assert not re.search(r"hidden-", shown)


def test_a_password_in_the_database_address_does_not_show_either() -> None:
    assert "hunter2" not in repr(load_settings(database_url="postgresql+psycopg://stepwise:hunter2@db/stepwise"))


def test_the_sample_clinics_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/var/stepwise.db"
    first, again = load_settings(database_url=url).secrets, load_settings(database_url=url).secrets
    assert first == again and len(first[0]) >= 32
    assert (tmp_path / "var" / "secret.key").stat().st_mode & 0o077 == 0


def test_the_newest_of_several_keys_comes_first() -> None:
    assert load_settings(secret_key=f"{'n' * 40},{'o' * 40}").secrets == ("n" * 40, "o" * 40)
