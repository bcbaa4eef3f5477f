"""Fixtures of the acceptance stories."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bot_service.channels.simulator import Faults
from tests.acceptance.playground import MONDAY, Playground, a_playground

Open = Callable[..., Playground]


@pytest.fixture
def open_playground(tmp_path: Path) -> Iterator[Open]:
    """`open_playground(start, faults=…, downtime=…)`; closed after the test."""
    opened: list[Playground] = []

    def make(start: datetime = MONDAY, *, faults: Faults | None = None, downtime: tuple[tuple[datetime, datetime], ...] = ()) -> Playground:
        folder = tmp_path / str(len(opened))
        folder.mkdir()
        opened.append(a_playground(folder, start, faults, downtime))
        return opened[-1]

    yield make
    for each in opened:
        each.db.close()


@pytest.fixture
def playground(open_playground: Open) -> Playground:
    return open_playground()
