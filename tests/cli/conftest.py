"""A shell in an empty folder, and one in which a clinic with a physio and a patient is set up."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.running import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture(scope="session")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, str]:
    """Everything from an empty folder to an enrolled patient, as a newcomer types it; the patient's reference."""
    shell = Shell(tmp_path_factory.mktemp("set_up"))
    for words in (
        ["migrate"],
        ["clinics", "add", "riverside", "Riverside Physio"],
        ["staff", "invite", "anna@example.org", "Anna Reed"],
        ["staff", "invite", "sam@example.org", "Sam Okoro", "--role", "admin"],
    ):
        assert shell.run(*words).code == 0, words
    enrolled = shell.run("enrol", "Jo Park", "--as", "anna@example.org", "--eligible", "--at", "07:30", "--json")
    return shell, str(json.loads(enrolled.out)["ref"])


@pytest.fixture
def clinic(set_up: tuple[Shell, str], tmp_path: Path) -> tuple[Shell, str]:
    """A copy of that."""
    shutil.copyfile(set_up[0].database, tmp_path / "clinic.db")
    return Shell(tmp_path), set_up[1]
