"""Every setting of the service: read once from the environment, `.env` or a file per secret, and checked before anything starts."""

from __future__ import annotations

import os
import re
import secrets
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot_service.errors import SettingsError
from bot_service.mail_server import sender_of, server_of

HOME = Path(__file__).resolve().parents[1]
Channel = Literal["simulator", "telegram", "whatsapp"]
SHORTEST_SECRET = 32
_WEBHOOK_SECRET = re.compile(rf"[A-Za-z0-9_-]{{{SHORTEST_SECRET},256}}")
_WEBHOOK_PORTS = (None, 443, 80, 88, 8443)
"""The only ports to which Telegram posts (Bot API, setWebhook)."""
_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|MG[0-9a-fA-F]{32}")
_TEMPLATE = re.compile(r"[a-z][a-z_0-9]*:[a-z]{2,3}(-[A-Za-z]+)?")
_HERE = ("127.0.0.1", "::1", "localhost")
_CONTENT = re.compile(r"HX[0-9a-fA-F]{32}")


class Settings(BaseSettings):
    """See docs/settings.md; the names are `STEPWISE_` and the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix="STEPWISE_", env_file=str(HOME / ".env"), extra="ignore", env_ignore_empty=True)

    database_url: str = Field(default=f"sqlite:///{HOME / 'var' / 'stepwise.db'}", repr=False)  # it may hold a password
    bind: str = "127.0.0.1:8000"
    public_url: str = "http://127.0.0.1:8000"
    channels: Annotated[tuple[Channel, ...], NoDecode] = ("simulator",)
    telegram_token: str | None = Field(default=None, repr=False)
    telegram_mode: Literal["polling", "webhook"] = "polling"
    telegram_webhook_secret: str | None = Field(default=None, repr=False)
    telegram_api_url: str | None = None
    twilio_account_sid: str | None = None
    twilio_auth_token: str | None = Field(default=None, repr=False)
    twilio_api_url: str | None = None
    whatsapp_from: str | None = None
    whatsapp_templates: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    smtp_url: str | None = Field(default=None, repr=False)
    mail_from: str | None = None
    secret_key: str | None = Field(default=None, repr=False)
    tick_seconds: Annotated[int, Field(ge=1, le=60)] = 5
    log_format: Literal["console", "json"] = "console"

    @field_validator("channels", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _without_last_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("whatsapp_templates", mode="before")
    @classmethod
    def _named_templates(cls, value: object) -> object:
        return named_templates(value) if isinstance(value, str) else value

    @field_validator("whatsapp_from")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        return value and whatsapp_sender(value)

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: str | None) -> str | None:
        if value:
            server_of(value)
        return value

    @field_validator("mail_from")
    @classmethod
    def _mail_sender(cls, value: str | None) -> str | None:
        if value:
            sender_of(value)
        return value

    @model_validator(mode="after")
    def _complete(self) -> Settings:
        if not self.channels:
            raise ValueError("STEPWISE_CHANNELS names no channel; use simulator, telegram or whatsapp")
        if "whatsapp" in self.channels and (missing := self._missing_for_whatsapp):
            raise ValueError(missing)
        if "telegram" in self.channels and not self.telegram_token:
            raise ValueError("STEPWISE_TELEGRAM_TOKEN is missing; BotFather gives you one for your bot")
        if "telegram" in self.channels and self.telegram_mode == "webhook" and (missing := self._missing_for_webhook):
            raise ValueError(missing)
        if bool(self.smtp_url) is not bool(self.mail_from):
            raise ValueError("STEPWISE_SMTP_URL and STEPWISE_MAIL_FROM go together: the mail server, and the address that staff see")
        if not self.is_sample and not self.secret_key:
            raise ValueError("STEPWISE_SECRET_KEY is missing; make one with: openssl rand -hex 32")
        if any(len(secret) < SHORTEST_SECRET for secret in self._given_secrets):
            raise ValueError(f"STEPWISE_SECRET_KEY must be at least {SHORTEST_SECRET} characters; make one with: openssl rand -hex 32")
        if not self.database_url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("STEPWISE_DATABASE_URL must begin with sqlite:/// and a file, or with postgresql+psycopg://")
        host, _ = self.host_and_port
        if "public_url" not in self.model_fields_set and host in _HERE:
            self.public_url = f"http://{self.bind}"  # links must lead to the port that we listen on
        return self

    @property
    def is_sample(self) -> bool:
        """Only the simulator: the sample clinic, the phones and the movable clock exist, on loopback."""
        return self.channels == ("simulator",)

    @property
    def host_and_port(self) -> tuple[str, int]:
        """Where to listen. Raises ValueError for anything but `host:port`, or for a public address while it is the sample clinic."""
        parts = urlsplit(f"//{self.bind}")
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or port is None:
            raise ValueError("STEPWISE_BIND must look like 127.0.0.1:8000")
        if self.is_sample and host not in _HERE:
            raise ValueError("the sample clinic is served on this machine only; set STEPWISE_BIND to 127.0.0.1:8000, or use a real channel")
        return host, port

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """The secret keys, newest first. For the sample clinic one is made and kept beside the database."""
        return self._given_secrets or (_kept_secret(self.data_folder / "secret.key"),)

    @property
    def data_folder(self) -> Path:
        """Where the SQLite file lies, `var/` otherwise."""
        if self.database_url.startswith("sqlite:///"):
            return Path(self.database_url.removeprefix("sqlite:///")).parent
        return HOME / "var"

    @property
    def twilio_tokens(self) -> tuple[str, ...]:
        """The auth tokens, newest first: two while one is being replaced."""
        return tuple(part.strip() for part in (self.twilio_auth_token or "").split(",") if part.strip())

    @property
    def telegram_secrets(self) -> tuple[str, ...]:
        """The secrets that prove a webhook post to be Telegram's, newest first: two while one is being replaced. None when we poll."""
        given = (self.telegram_webhook_secret or "") if self.telegram_mode == "webhook" else ""
        return tuple(part.strip() for part in given.split(",") if part.strip())

    @property
    def _missing_for_webhook(self) -> str | None:
        if not self.telegram_secrets:
            return "STEPWISE_TELEGRAM_WEBHOOK_SECRET is missing; make one with: openssl rand -hex 32"
        if not all(_WEBHOOK_SECRET.fullmatch(secret) for secret in self.telegram_secrets):
            return (
                f"STEPWISE_TELEGRAM_WEBHOOK_SECRET must be {SHORTEST_SECRET} to 256 of the characters A-Z a-z 0-9 _ -; "
                "make one with: openssl rand -hex 32"
            )
        parts = urlsplit(self.public_url)
        if not self.telegram_api_url and (parts.scheme != "https" or parts.port not in _WEBHOOK_PORTS):
            return (
                "STEPWISE_PUBLIC_URL must be the https address, on port 443, 80, 88 or 8443, under which Telegram reaches this service; "
                "without one, leave STEPWISE_TELEGRAM_MODE at polling"
            )
        return None

    @property
    def _missing_for_whatsapp(self) -> str | None:
        if not (self.twilio_account_sid or "").startswith("AC"):
            return "STEPWISE_TWILIO_ACCOUNT_SID is missing; the Twilio console shows it, and it begins with AC"
        if not self.twilio_tokens:
            return "STEPWISE_TWILIO_AUTH_TOKEN is missing; the Twilio console shows it beside the account's SID"
        if not self.whatsapp_from:
            return "STEPWISE_WHATSAPP_FROM is missing; it is your WhatsApp sender, such as +447700900123"
        if not self.twilio_api_url and not self.public_url.startswith("https://"):
            return "STEPWISE_PUBLIC_URL must be the https address under which Twilio reaches this service"
        return None

    @property
    def _given_secrets(self) -> tuple[str, ...]:
        return tuple(part for part in (self.secret_key or "").split(",") if part)


SECRETS = ("telegram_token", "telegram_webhook_secret", "twilio_auth_token", "smtp_url", "secret_key", "database_url")
"""Settings that `NAME_FILE` may name a file for."""


def load_settings(**changes: object) -> Settings:
    """Read and check everything. Raises SettingsError with one sentence for each thing that is wrong."""
    try:
        return Settings(**_from_files(), **changes)  # type: ignore[arg-type]  # checked by pydantic
    except ValidationError as error:
        raise SettingsError("; ".join(dict.fromkeys(_sentence(each) for each in error.errors()))) from None


def _from_files() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in SECRETS:
        file = os.environ.get(f"STEPWISE_{name.upper()}_FILE")
        if file:
            try:
                found[name] = Path(file).read_text(encoding="utf-8").strip()
            except OSError:
                raise SettingsError(f"STEPWISE_{name.upper()}_FILE names a file that cannot be read; check its path and rights") from None
    return found


def _sentence(error: object) -> str:
    fields = dict(error) if isinstance(error, dict) else {}
    message = str(fields.get("msg", "is wrong")).removeprefix("Value error, ")
    where = "_".join(str(part) for part in fields.get("loc", ()) if not isinstance(part, int))
    return f"STEPWISE_{where.upper()}: {message}" if where else message


def whatsapp_sender(text: str) -> str:
    """A number or messaging service id as it is stored. Raises ValueError."""
    sender = text.strip().removeprefix("whatsapp:").replace(" ", "")
    if sender and not _SENDER.fullmatch(sender):
        raise ValueError("must be a number such as +447700900123, or a messaging service id that begins with MG")
    return sender


def named_templates(text: str) -> dict[str, str]:
    """`daily:en=HX…,daily:pl=HX…` as content SIDs by name and language. Raises ValueError."""
    pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    if not all(_TEMPLATE.fullmatch(name.strip()) and _CONTENT.fullmatch(sid.strip()) for name, _, sid in pairs):
        raise ValueError("must look like daily:en=HX0123456789abcdef0123456789abcdef, one for each language, separated by commas")
    return {name.strip(): sid.strip() for name, _, sid in pairs}


def _kept_secret(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(secrets.token_hex(32))
    return file.read_text(encoding="utf-8").strip()
