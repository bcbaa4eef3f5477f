"""The root of the command line; every group lives in a module of its own, imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from keyword import iskeyword
from textwrap import shorten

import click

from bot_service import __version__

HOMES = {
    "up": "serving",
    "serve": "serving",
    "migrate": "migrating",
    "doctor": "serving",
    "clinics": "clinics",
    "senders": "senders",
    "staff": "clinics",
    "audit": "clinics",
    "enrol": "enrolling",
    "import": "importing",
    "patients": "patients",
    "flags": "flags",
    "forecast": "flags",
    "digest": "digests",
    "plans": "plans",
    "understand": "understanding",
    "simulate": "simulating",
}
"""The module of each command: a command that needs no bot and no web server does not wait for theirs to load."""

SUMMARIES = {
    "serve": "Serve pages, webhooks and messages until stopped.",
    "migrate": "Bring the database to the schema of this version.",
    "doctor": "Check settings, database, plans, clock and the provider's credentials; says what to do about each problem.",
    "clinics": "Clinics of this installation.",
    "senders": "Bots and numbers that messages go out from.",
    "staff": "Members of staff.",
    "audit": "The audit trail.",
    "enrol": "Enrol a patient and print the invitation.",
    "import": "Enrol the patients of a CSV file.",
    "patients": "Patients.",
    "flags": "Flags that are open.",
    "forecast": "What falls due in the next 24 hours, and which patients get nothing and why.",
    "digest": "What each member of staff would be told now.",
    "plans": "Care plans.",
    "understand": "Read one reply a line from standard input; print what was understood, one JSON object a line.",
    "simulate": "Play weeks of simulated patients through the real service with a moved clock, and print what came of it.",
}
"""What `stepwise --help` says of each, so that it need not load them all (a second); a hidden command has none."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # the base class's signature
        return list(HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # as above
        if cmd_name not in HOMES:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(import_module(f"bot_service.cli.{HOMES[cmd_name]}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # as above
        room = formatter.width - 6 - max(map(len, SUMMARIES))
        with formatter.section("Commands"):
            formatter.write_dl([(name, shorten(words, room, placeholder="...")) for name, words in SUMMARIES.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="stepwise")
def stepwise() -> None:
    """Reminders and adherence for rehabilitation after injury."""
