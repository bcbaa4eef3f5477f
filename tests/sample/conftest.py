"""Fixtures of the sample clinic: it is played once for all tests, since that takes seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from bot_service.sample.clinic import build_sample_clinic
from tests.sample.rooms import NOW, Room, a_service


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """The sample clinic as it stands at `NOW`."""
    service = a_service(tmp_path_factory.mktemp("sample") / "sample.db")
    fractions: list[float] = []
    clinic = asyncio.run(build_sample_clinic(service, NOW, progress=lambda fraction, _label: fractions.append(fraction)))
    yield Room(service, clinic, fractions)
    service.db.close()
