"""The root of the command line; every group lives in a module of its own, imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

import click

from bot_service import __version__

HOMES = {
    "up": "serving",
    "serve": "serving",
    "migrate": "migrating",
    "doctor": "serving",
    "clinics": "clinics",
    "senders": "clinics",
    "staff": "clinics",
    "audit": "clinics",
    "enrol": "enrolling",
    "patients": "patients",
    "flags": "flags",
    "forecast": "flags",
    "plans": "plans",
    "understand": "understanding",
    "simulate": "simulating",
}
"""The module of each command: a command that needs no bot and no web server does not wait for theirs to load."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # the base class's signature
        return list(HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # as above
        if cmd_name not in HOMES:
            return None
        command: click.Command = getattr(import_module(f"bot_service.cli.{HOMES[cmd_name]}"), cmd_name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="stepwise")
def stepwise() -> None:
    """Reminders and adherence for rehabilitation after injury."""
