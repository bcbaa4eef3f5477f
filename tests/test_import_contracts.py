"""Each import contract is seen to catch a deliberate violation, written into a copy of the packages."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source_tree import PACKAGES, ROOT

LINT = "from importlinter.cli import lint_imports_command as check; check()"

VIOLATIONS = [
    ("layers", "bot_service/storage/astray.py", "import bot_service.actions"),
    ("layers", "bot_service/clinical/astray.py", "import bot_service.conversation"),
    ("layers", "bot_service/conversation/astray.py", "import bot_service.channels"),
    ("layers", "bot_service/channels/astray.py", "import bot_service.conversation"),
    ("layers", "bot_service/web/astray.py", "import bot_service.app"),
    ("layers", "bot_service/web/astray.py", "def late() -> None:\n    import bot_service.cli"),
    ("layers", "bot_service/astray.py", ""),  # a module without a place
    ("ground", "schedules/astray.py", "import bot_service.errors"),
    ("ground", "plans/astray.py", "import schedules.occurrences"),
    ("core", "bot_service/clinical/astray.py", "import sqlalchemy"),
    ("core", "bot_service/conversation/astray.py", "import random"),
    ("core", "schedules/astray.py", "import asyncio"),
    ("core", "plans/astray.py", "from socket import socket"),
    ("ticker", "schedules/astray.py", "import schedules.ticker"),
    ("ticker", "bot_service/clinical/astray.py", "from schedules import ticker"),
    ("telegram", "bot_service/actions/astray.py", "import telegram"),
    ("telegram", "bot_service/channels/whatsapp_astray.py", "from telegram.ext import Application"),
    ("twilio", "bot_service/web/astray.py", "from twilio.request_validator import RequestValidator"),
    ("apscheduler", "bot_service/astray.py", "from apscheduler.schedulers.asyncio import AsyncIOScheduler"),
    ("sqlalchemy", "bot_service/actions/astray.py", "from sqlalchemy import select"),
    ("channels", "bot_service/channels/astray.py", "import bot_service.channels.telegram"),
]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", tree)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__", "static", "templates"))
    return tree


def test_the_contracts_hold_as_the_code_stands(copied: Path) -> None:
    result = _lint(copied)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("contract", "file", "line"), VIOLATIONS)
def test_a_violation_is_caught(copied: Path, contract: str, file: str, line: str) -> None:
    astray = copied / file
    astray.write_text(f'"""Astray."""\n{line}\n')
    try:
        result = _lint(copied, "--contract", contract)
    finally:
        astray.unlink()
    assert result.returncode == 1
    assert "BROKEN" in result.stdout
    assert "astray" in result.stdout


def _lint(tree: Path, *options: str) -> subprocess.CompletedProcess[str]:
    # -I keeps the real packages, which the environment's path file names, behind the copied ones.
    command = [sys.executable, "-c", LINT, "--no-cache", *options]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
