"""Commands on patients: list, show, invite, pause, resume, running, move to another zone, discharge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import click

from bot_service.actions import care_record, review
from bot_service.actions.deciding import Decision
from bot_service.actions.enrol import invite_again
from bot_service.actions.histories import load_record, local_today
from bot_service.cli.enrolling import print_invitation
from bot_service.cli.kinds import Day
from bot_service.cli.opening import acting, as_option, clinic_option, json_option, opened, show
from bot_service.clinical.adherence import adherence, reply_rate
from bot_service.errors import NotFound
from bot_service.storage import cases, clinics, episodes, reviews
from bot_service.storage import patients as patient_rows
from bot_service.storage.database import Database, Tx
from bot_service.storage.episodes import Episode
from bot_service.web.attention import leading_rule, words_today
from bot_service.web.strips import WORDS
from bot_service.web.times import moment, zone_words

NOT_STARTED = {"invited": "invited, not opened", "asked": "opened, not agreed"}
"""States in which care has not begun, so that no week is counted."""
STATUS = NOT_STARTED | {"opted_in": "in care", "opted_out": "stopped messages"}


@click.group()
def patients() -> None:
    """Patients."""


@patients.command("list")
@clinic_option
@json_option
def list_patients(slug: str | None, as_json: bool) -> None:
    """List the patients."""
    with opened() as (_, db, now), db.read() as tx:
        clinic = clinics.only_clinic(tx, slug)
        rows = [_row(tx, episode, now) for episode in episodes.list_of_clinic(tx, clinic.id)]
    if not as_json:
        rows = [row | {"status": STATUS.get(row["status"], row["status"])} for row in rows]
    show(rows, as_json=as_json, empty="No patients yet. Enrol one: stepwise enrol NAME --as EMAIL")


@patients.command("show")
@click.argument("ref")
@clinic_option
@json_option
def show_patient(ref: str, slug: str | None, as_json: bool) -> None:
    """Show one patient: where they stand and what is open."""
    with opened() as (_, db, now), db.read() as tx:
        episode = _episode(tx, ref, slug)
        record = load_record(tx, episode, now)
        found = {
            **_row(tx, episode, now),
            "adherence_pct": adherence(record, 28),
            "reply_rate_pct": reply_rate(record, 28),
            "next_prompt": episode.next_prompt_at,
            "open_flags": [f"{leading_rule(case)}: {words_today(case, episode, now)}" for case in cases.list_open(tx, episode)],
            "last_28_days": {day.isoformat(): status for day, status in record.strip()},
        }
    if as_json:
        click.echo(json.dumps(found, default=str, ensure_ascii=False, indent=2))
        return
    for key, shown in _in_words(found, episode).items():
        click.echo(f"{key}: {shown if shown not in (None, '') else '-'}")


@patients.command("invite")
@click.argument("ref")
@as_option
@clinic_option
@json_option
def invite(ref: str, email: str, slug: str | None, as_json: bool) -> None:
    """Make a new invitation: a new link or chat for the same patient. The one sent before stops working."""
    with opened() as (settings, db, now):
        member, clinic = acting(db, email, slug)
        with db.read() as tx:
            patient = patient_rows.load_by_ref(tx, clinic.id, ref)
        print_invitation(db, settings, clinic, invite_again(db, member, patient.id, now), "New invitation for", as_json=as_json)


@patients.command("pause")
@click.argument("ref")
@as_option
@clinic_option
@click.option("--until", type=Day(), metavar="YYYY-MM-DD", help="First day with exercises again; open-ended when left out.")
@click.option("--reason", required=True)
def pause(ref: str, email: str, slug: str | None, until: date | None, reason: str) -> None:
    """Pause a patient's prompts."""
    with opened() as (_, db, now):
        review.pause(db, _decision(db, ref, email, slug, reason), until, now)
    click.echo("Paused.")


@patients.command("run")
@click.argument("ref")
@as_option
@clinic_option
@click.option("--open", "steps", metavar="FIRST-LAST", help="The steps of the plan's return to running to open, such as 1-4.")
@click.option("--close", "closing", is_flag=True, help="Close running.")
@click.option("--reason", required=True)
def run(ref: str, email: str, slug: str | None, steps: str | None, closing: bool, reason: str) -> None:
    """Open a range of running steps, or close running. Only a physiotherapist can."""
    if (steps is None) is not closing:
        raise click.UsageError("give either --open FIRST-LAST or --close")
    first, _, last = (steps or "").partition("-")
    if steps is not None and not (first.isdecimal() and last.isdecimal()):
        raise click.UsageError("--open takes the first and the last step, such as 1-4")
    with opened() as (_, db, now):
        review.set_running(db, _decision(db, ref, email, slug, reason), (int(first), int(last)) if steps else None, now)
    click.echo("Closed." if closing else "Opened.")


@patients.command("resume")
@click.argument("ref")
@as_option
@clinic_option
def resume(ref: str, email: str, slug: str | None) -> None:
    """End a pause."""
    with opened() as (_, db, now):
        review.resume(db, _decision(db, ref, email, slug, "resumed"), now)
    click.echo("Resumed.")


@patients.command("zone")
@click.argument("ref")
@click.argument("zone")
@as_option
@clinic_option
def zone(ref: str, zone: str, email: str, slug: str | None) -> None:
    """The patient moved: prompt by the clock of ZONE, such as Europe/Madrid."""
    with opened() as (_, db, now):
        care_record.move_zone(db, _decision(db, ref, email, slug, "moved"), zone, now)
    click.echo("Changed.")


@patients.command("discharge")
@click.argument("ref")
@as_option
@clinic_option
@click.option("--reason", required=True)
def discharge(ref: str, email: str, slug: str | None, reason: str) -> None:
    """End a patient's episode of care."""
    with opened() as (_, db, now):
        review.discharge(db, _decision(db, ref, email, slug, reason), now)
    click.echo("Discharged. Nothing more is sent.")


def _in_words(found: Mapping[str, Any], episode: Episode) -> dict[str, Any]:
    """What `patients show` prints for people: the same facts as in JSON, with names for keys."""
    days = found["last_28_days"].items()
    return {key: found[key] for key in ("ref", "name")} | {
        "status": STATUS.get(found["status"], found["status"]),
        **{key: found[key] for key in ("stage", "week", "zone", "open")},
        "done, last 28 days": _percent(found["adherence_pct"]),
        "replies, last 28 days": _percent(found["reply_rate_pct"]),
        "next prompt": episode.next_prompt_at and f"{moment(episode.next_prompt_at, episode.zone)}, {zone_words(episode.zone)}",
        "open flags": "; ".join(found["open_flags"]),
        "last 28 days": ", ".join(f"{day[5:]} {WORDS[status][1]}" for day, status in days),
    }


def _percent(share: int | None) -> str:
    return "" if share is None else f"{share} %"


def _row(tx: Tx, episode: Episode, now: datetime) -> dict[str, Any]:
    status = episode.patient_status if episode.status == "active" else "discharged"
    return {
        "ref": episode.ref,
        "name": patient_rows.load(tx, episode.patient_id).name,
        "status": status,
        "stage": episode.stage,
        "week": None if status in NOT_STARTED else (local_today(now, episode.zone) - episode.stage_start).days // 7 + 1,
        "zone": episode.zone,
        "open": len(cases.list_open(tx, episode)) + (reviews.find_pending(tx, episode) is not None),
    }


def _episode(tx: Tx, ref: str, slug: str | None) -> Episode:
    patient = patient_rows.load_by_ref(tx, clinics.only_clinic(tx, slug).id, ref)
    episode = episodes.find_of_patient(tx, patient.id)
    if episode is None:
        raise NotFound(f"{ref} has no episode of care")
    return episode


def _decision(db: Database, ref: str, email: str, slug: str | None, reason: str) -> Decision:
    member, clinic = acting(db, email, slug)
    with db.read() as tx:
        return Decision(member, _episode(tx, ref, clinic.slug).id, reason)
