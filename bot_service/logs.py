"""Structured events with ids and durations; what a patient wrote, a name, an address or a score never gets into one."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "logger", "clinic", "patient", "episode", "message", "inbox", "sender", "channel", "kind", "state",
        "reason", "error", "count", "seconds", "job", "rule", "tier", "url", "version", "attempt",
    }
)  # fmt: skip
"""The only fields an event may have: an allow-list, so that a new field is a decision."""
_TOKEN = re.compile(r"\d{6,}:[\w-]{20,}")


def set_up_logs(log_format: Literal["console", "json"], level: int = logging.INFO, *, quiet: bool = False) -> None:
    """Send our events and the libraries' warnings to standard error; when `quiet`, errors alone."""
    renderer: Any = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        keep_allowed,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer], foreign_pre_chain=[foreign]
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("stepwise").setLevel(logging.ERROR if quiet else level)
    # These print whole URLs, and with them the bot's token, at INFO.
    for name in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It warns of each beat left out while one is at work, which is as meant: the next does what this one could not.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def log() -> Any:
    """The service's logger."""
    return structlog.get_logger("stepwise")


def keep_allowed(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list."""
    for key in [key for key in event if key not in ALLOWED and not key.startswith("_")]:
        del event[key]
    return event


def foreign(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's record: its words without tokens, and never its traceback, which can hold what it worked on."""
    event["event"] = _TOKEN.sub("[token]", str(event.get("event", "")))[:300]
    for key in ("exc_info", "stack_info"):
        event.pop(key, None)
    record = event.get("_record")
    if record is not None:
        record.exc_info = record.exc_text = record.stack_info = None
    return event
