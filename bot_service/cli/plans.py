"""Commands on care plans."""

from __future__ import annotations

from pathlib import Path

import click

from bot_service.cli.opening import json_option, show
from bot_service.conversation.exercise_text import describe
from bot_service.conversation.wording import load_catalogue
from bot_service.errors import NotFound, SettingsError
from bot_service.settings import load_settings
from plans.loading import LIBRARY, check_file, load_library
from plans.model import prescribe


@click.group()
def plans() -> None:
    """Care plans."""


@plans.command("list")
@json_option
def list_plans(as_json: bool) -> None:
    """List the plans of the library."""
    rows = [
        {"id": plan.id, "version": plan.version, "title": plan.title, "stages": ", ".join(stage.id for stage in plan.stages)}
        for plan in load_library().values()
    ]
    show(rows, as_json=as_json, empty="No plans. Put a file into plans/library.")


@plans.command("show")
@click.argument("plan_id")
@json_option
def show_plan(plan_id: str, as_json: bool) -> None:
    """Show a plan: its stages, exercises and doses."""
    library = load_library()
    if plan_id not in library:
        raise NotFound(f"no plan {plan_id}; see: stepwise plans list")
    plan = library[plan_id]
    if as_json:
        click.echo(plan.model_dump_json(indent=2))
        return
    reviewed = "reviewed by a clinician" if plan.reviewed_by_clinician else "NOT reviewed by a clinician"
    click.echo(f"{plan.title} {plan.version} ({reviewed}); pain ceiling {plan.rules.pain_ceiling}/10")
    words = load_catalogue("en").words
    for stage in plan.stages:
        click.echo(f"\n{stage.title}: {stage.goal}")
        document = prescribe(plan, stage.id, plyometrics_unlocked=True)
        for slot in stage.slots:
            note = "".join((", locked" if slot.locked else "", ", optional" if slot.optional else ""))
            click.echo(f"  {slot.label}, {', '.join(slot.days)}{note}: {', '.join(slot.exercises)}")
        for item in document.exercises:
            click.echo(f"    {item.exercise.id} {describe(item, words)}")


@plans.command("check")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Find every mistake in plan files and translations at once; the library's, and templates that are missing, when none is named."""
    mistakes = [str(mistake) for file in files or sorted(LIBRARY.rglob("*.toml")) for mistake in check_file(file)]
    mistakes += [] if files else _missing_templates()
    for mistake in mistakes:
        click.echo(mistake)
    if mistakes:
        raise click.exceptions.Exit(1)
    click.echo("No mistakes.")


def _missing_templates() -> list[str]:
    """The WhatsApp templates without which a patient would miss a prompt. Plans can be checked before anything is set up."""
    from bot_service.checkup import find_missing_templates  # seconds of reading that files alone do not need

    try:
        return find_missing_templates(load_settings())
    except SettingsError:
        return []
