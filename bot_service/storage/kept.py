"""What this process has read of things that never change, so that it need not be read again."""

from __future__ import annotations

from threading import Lock
from typing import Any
from uuid import UUID


class Kept:
    """What was read of things that never change, by id; the ones read longest ago make room."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[UUID, Any] = {}
        self._lock = Lock()

    def get(self, key: UUID, otherwise: Any = None) -> Any:
        return self._values.get(key, otherwise)

    def keep(self, key: UUID, value: Any) -> None:
        """Remember it as the newest."""
        with self._lock:
            self._values.pop(key, None)
            self._values[key] = value
            while len(self._values) > self._most:
                del self._values[next(iter(self._values))]
