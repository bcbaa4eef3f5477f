"""Commands on flags, and on what tomorrow brings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import click

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.cli.kinds import FlagId
from bot_service.cli.opening import acting, as_option, clinic_option, json_option, opened, show
from bot_service.errors import Conflict, NotFound
from bot_service.settings import Settings
from bot_service.storage import cases, clinics, episodes, reviews
from bot_service.storage.database import Database
from bot_service.web.attention import leading_rule, words_today
from bot_service.web.forecast import forecast as what_comes

Row = Mapping[str, Any]


@click.group()
def flags() -> None:
    """Flags that are open."""


@flags.command("list")
@clinic_option
@json_option
def list_flags(slug: str | None, as_json: bool) -> None:
    """List open flags, then the steps that wait for a decision; the oldest first."""
    with opened() as (settings, db, now), db.read() as tx:
        clinic = clinics.only_clinic(tx, slug)
        known = {episode.id: episode for episode in episodes.list_of_clinic(tx, clinic.id)}
        found = [
            {
                "kind": "flag",
                "id": case.id,
                "patient": known[episode_id].ref,
                "rule": leading_rule(case),
                "opened": case.opened_at,
                "due": case.due_at,
                "why": words_today(case, known[episode_id], now),
            }
            for episode_id, open_cases in cases.list_open_of_clinic(tx, clinic.id).items()
            for case in open_cases
        ]
        steps = [
            {
                "kind": "proposal",
                "id": item.id,
                "patient": known[key].ref,
                "rule": item.rule,
                "opened": item.created_at,
                "due": None,
                "why": item.detail["sentence"],
            }
            for key, item in reviews.list_pending_of_clinic(tx, clinic.id).items()
        ]
    _print(_oldest_first(found), _oldest_first(steps), settings, as_json=as_json)


@flags.command("ack")
@click.argument("flag", type=FlagId())
@as_option
def acknowledge(flag: UUID, email: str) -> None:
    """Say that you are looking after a flag."""
    with opened() as (_, db, now):
        review.acknowledge_case(db, _of_case(db, flag, email, "acknowledged"), flag, now)
    click.echo("Acknowledged.")


@flags.command("close")
@click.argument("flag", type=FlagId())
@as_option
@click.option("--reason", required=True)
def close(flag: UUID, email: str, reason: str) -> None:
    """Close a flag. Closing a red flag lets exercise prompts go on."""
    with opened() as (_, db, now):
        review.close_case(db, _of_case(db, flag, email, reason), flag, now)
    click.echo("Closed.")


@click.command()
@clinic_option
@json_option
def forecast(slug: str | None, as_json: bool) -> None:
    """What falls due in the next 24 hours, and which patients get nothing and why."""
    with opened() as (_, db, now), db.read() as tx:
        clinic = clinics.only_clinic(tx, slug)
        found = what_comes(tx, clinic.id, now)
    if as_json:
        click.echo(json.dumps({"prompts": found.prompts, "stuck": found.stuck, "invited": found.invited}))
        return
    click.echo(f"Next 24 hours: {found.prompts} prompts; {len(found.stuck)} patients in care get none; {found.invited} have not begun.")
    for ref, why in found.stuck.items():
        click.echo(f"  {ref}: {why}")


def _oldest_first(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: str(row["opened"]))


def _print(found: Sequence[Row], steps: Sequence[Row], settings: Settings, *, as_json: bool) -> None:
    """All rows for programs; for people two lists, and the id only where a command takes it."""
    if as_json or not (found or steps):
        show([*found, *steps], as_json=as_json, empty="Nothing needs doing.")
        return
    if found:
        click.echo("Flags (stepwise flags ack ID, stepwise flags close ID):")
        show([{name: row[name] for name in _SHOWN} for row in found], as_json=False, empty="")
    if steps:
        click.echo(f"Steps to decide on, on the patient's page ({settings.public_url}/patients/REF):")
        show([{name: row[name] for name in _SHOWN if name not in ("id", "due")} for row in steps], as_json=False, empty="")


_SHOWN = ("id", "patient", "rule", "opened", "due", "why")


def _of_case(db: Database, case_id: UUID, email: str, reason: str) -> Decision:
    member, _ = acting(db, email, None)
    with db.read() as tx:
        episode_id = cases.find_case_episode(tx, case_id)
        step = reviews.is_proposal(tx, case_id)
    if step:
        raise Conflict("this is a step to decide on, not a flag; decide on the patient's page")
    if episode_id is None:
        raise NotFound("no such flag; see: stepwise flags list")
    return Decision(member, episode_id, reason)
