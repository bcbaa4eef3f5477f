"""How many of something a reliability test plays: a part in every run, the whole when it is asked for."""

from __future__ import annotations

from collections.abc import Callable

Sized = Callable[[int, int], int]
"""`sized(part, whole)`, a fixture."""
