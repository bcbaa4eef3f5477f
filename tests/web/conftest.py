"""Fixtures of the page tests: a browser that is signed in, and one that is not. Pages do not depend on the kind of database."""

from __future__ import annotations

import pytest

from tests.drawn_records import Drawn, draw_records
from tests.running_clinic import RunningClinic
from tests.web.lives import Browser


@pytest.fixture
def stranger(sqlite_clinic: RunningClinic) -> Browser:
    """Nobody we know."""
    return Browser(sqlite_clinic)


@pytest.fixture
def browser(sqlite_clinic: RunningClinic) -> Browser:
    """The physio, signed in."""
    return Browser(sqlite_clinic).sign_in()


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """A thousand drawn records, which nobody changes."""
    return draw_records(f"sqlite:///{tmp_path_factory.mktemp('drawn') / 'drawn.db'}")
