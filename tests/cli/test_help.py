"""The list of commands is quick, because it loads none of them, and says of each what the command says itself."""

from __future__ import annotations

import subprocess
import sys

import click

from bot_service.cli.commands import HOMES, SUMMARIES, stepwise


def test_the_list_says_what_each_command_says_itself() -> None:
    commands = {name: stepwise.get_command(click.Context(stepwise), name) for name in HOMES}
    assert {name: each.get_short_help_str(200) for name, each in commands.items() if each is not None and not each.hidden} == SUMMARIES


def test_the_list_of_commands_loads_neither_database_nor_web() -> None:
    code = "import sys; from bot_service.cli.commands import stepwise; stepwise(['--help'], standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "understand" in done.stdout
    assert not {"sqlalchemy", "fastapi", "pydantic"} & set(done.stdout.split())
