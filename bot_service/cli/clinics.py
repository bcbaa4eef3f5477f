"""Commands on clinics, staff and the audit trail."""

from __future__ import annotations

import re

import click

from bot_service.cli.notices import choose, leave, limits
from bot_service.cli.opening import clinic_option, json_option, opened, show
from bot_service.clock import real_now
from bot_service.errors import Conflict, NotFound
from bot_service.storage import audit as trail
from bot_service.storage import clinics as clinic_rows
from bot_service.storage import staff as staff_rows
from schedules.places import zone_for

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,58}")


@click.group()
def clinics() -> None:
    """Clinics of this installation."""


@clinics.command("add")
@click.argument("slug")
@click.argument("name")
@click.option("--zone", default="Europe/London", show_default=True, help="A city, or an IANA time zone: where the clinic is.")
@click.option("--emergency", default="999", show_default=True, help="Emergency number that patients are told.")
@click.option("--urgent", default="111", show_default=True, help="Number for urgent help that is no emergency.")
@click.option("--crisis", default="Samaritans on 116 123", show_default=True, help="Crisis line, as a patient should read it.")
def add_clinic(slug: str, name: str, zone: str, emergency: str, urgent: str, crisis: str) -> None:
    """Add a clinic: SLUG is its short name for commands, NAME what patients read."""
    if not _SLUG.fullmatch(slug):
        raise click.UsageError("SLUG is lower-case letters, digits and hyphens, such as riverside")
    try:
        zone = zone_for(zone)
    except ValueError as error:
        raise Conflict(str(error)) from None
    with opened() as (_, db, now), db.begin() as tx:
        settings = {"emergency": emergency, "urgent": urgent, "crisis": crisis}
        clinic = clinic_rows.add_clinic(tx, now, slug, name, zone, settings)
        trail.record(tx, now, "command line", "clinic_added", clinic_id=clinic.id, subject_id=clinic.id)
    click.echo(f"Added {name}. Next: stepwise staff invite EMAIL NAME --role physio --clinic {slug}")


@clinics.command("list")
@json_option
def list_clinics(as_json: bool) -> None:
    """List the clinics."""
    with opened() as (_, db, _now), db.read() as tx:
        rows = [{"slug": each.slug, "name": each.name, "zone": each.zone, **each.settings} for each in clinic_rows.list_clinics(tx)]
    show(rows, as_json=as_json, empty="No clinic yet. Add one: stepwise clinics add SLUG NAME")


@click.group()
def staff() -> None:
    """Members of staff."""


@staff.command("invite")
@click.argument("email")
@click.argument("name")
@click.option("--role", type=click.Choice(["physio", "admin", "viewer"]), default="physio", show_default=True)
@clinic_option
def invite(email: str, name: str, role: str, slug: str | None) -> None:
    """Add a member of staff, or make a new sign-in link for one who is there. The link works once, within a day."""
    if "@" not in email:
        raise click.UsageError("EMAIL must be an e-mail address")
    with opened() as (settings, db, now), db.begin() as tx:
        try:
            member = staff_rows.load_by_email(tx, email)
        except NotFound:
            clinic = clinic_rows.only_clinic(tx, slug)
            member = staff_rows.add(tx, now, clinic.id, email, name, role)
        link = staff_rows.add_link(tx, real_now(), member.id)
        trail.record(tx, now, "command line", "staff_invited", clinic_id=member.clinic_id, subject_id=member.id)
    click.echo(f"{settings.public_url}/sign-in/{link}")


@staff.command("list")
@clinic_option
@json_option
def list_staff(slug: str | None, as_json: bool) -> None:
    """List the staff."""
    with opened() as (_, db, _now), db.read() as tx:
        found = [
            member
            for clinic in clinic_rows.list_clinics(tx)
            if slug in (None, clinic.slug)
            for member in staff_rows.list_of_clinic(tx, clinic.id)
        ]
    rows = [{"email": each.email, "name": each.name, "role": each.role, "status": each.status} for each in found]
    show(rows, as_json=as_json, empty="Nobody yet. Invite somebody: stepwise staff invite EMAIL NAME")


@staff.command("disable")
@click.argument("email")
def disable(email: str) -> None:
    """Sign a member of staff out everywhere and for good."""
    with opened() as (_, db, now), db.begin() as tx:
        member = staff_rows.load_by_email(tx, email)
        staff_rows.disable(tx, real_now(), member.id)
        trail.record(tx, now, "command line", "staff_disabled", clinic_id=member.clinic_id, subject_id=member.id)
    click.echo(f"{member.name} can no longer sign in.")


staff.add_command(choose)
staff.add_command(leave)
clinics.add_command(limits)


@click.group()
def audit() -> None:
    """The audit trail."""


@audit.command("verify")
def verify() -> None:
    """Check that no entry was changed, added or taken out."""
    with opened() as (_, db, _now), db.read() as tx:
        wrong = trail.verify(tx)
    if wrong is not None:
        raise Conflict(
            f"the audit trail does not fit from entry {wrong} on: it was changed outside Stepwise, so restore a backup and compare"
        )
    click.echo("The audit trail is whole.")
