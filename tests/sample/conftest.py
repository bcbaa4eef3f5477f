"""Fixtures of the sample clinic: it is played once for all tests, since that takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sample.rooms import NOW, Room, play_room


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """The sample clinic as it stands at `NOW`."""
    room = play_room(tmp_path_factory.mktemp("sample") / "sample.db", NOW)
    yield room
    room.db.close()
