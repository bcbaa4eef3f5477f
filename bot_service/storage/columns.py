"""Column types: UTC instants that refuse naive values, and sealed text that refuses plain values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class SealedBytes(bytes):
    """Ciphertext made by `sealing`; the only thing a sealed column takes."""


class Utc(TypeDecorator[datetime]):
    """An instant, stored in UTC. Raises ValueError for a value without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # the base class's signature
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Sealed(TypeDecorator[bytes]):
    """Text under a key: takes `SealedBytes` only, so that plain text cannot be stored by mistake. Raises TypeError otherwise."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:  # noqa: ARG002  # the base class's signature
        if value is not None and not isinstance(value, SealedBytes):
            raise TypeError("a sealed column takes sealed bytes only")
        return value
