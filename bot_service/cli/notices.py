"""Commands on how flags reach people: what staff chose, leave and cover, the clinic's limits."""

from __future__ import annotations

from datetime import datetime

import click

from bot_service.actions import notice_choices
from bot_service.actions.notices import limits_of
from bot_service.cli.opening import acting, opened
from bot_service.storage import clinics as clinic_rows
from bot_service.storage import notices as notice_rows
from bot_service.storage import staff as staff_rows

DAY = click.DateTime(["%Y-%m-%d"])


@click.command("notices")
@click.argument("email")
@click.option("--as", "email_as", metavar="EMAIL", required=True, help="The member of staff who does this.")
@click.option("--way", type=click.Choice(notice_rows.WAYS), help="Where notices go; Telegram only once the member has linked a chat.")
@click.option("--daily/--no-daily", default=None, help="The digest when the clinic opens.")
@click.option("--weekly/--no-weekly", default=None, help="The digest of the week.")
@click.option("--night/--no-night", default=None, help="Urgent flags also while the clinic is closed.")
@click.option("--duty", type=click.Choice(["deputy", "lead", "none"]), help="Who is told next when nobody acknowledges; set by an admin.")
def choose(
    email: str, email_as: str, way: str | None, daily: bool | None, weekly: bool | None, night: bool | None, duty: str | None
) -> None:
    """How a member of staff is told of flags; an admin may set it for others."""
    with opened() as (_, db, now):
        by, _clinic = acting(db, email_as, None)
        with db.read() as tx:
            member = staff_rows.load_by_email(tx, email)
            had = notice_rows.load_choices(tx, member.id)
        if duty is not None:
            notice_choices.set_duty(db, by, member.id, None if duty == "none" else duty, now)
        notice_choices.choose(
            db,
            by,
            member,
            now,
            ways=way or had.ways,
            daily=had.daily if daily is None else daily,
            weekly=had.weekly if weekly is None else weekly,
            at_night=had.at_night if night is None else night,
        )
    click.echo(f"Saved for {member.name}.")


@click.command("leave")
@click.argument("email")
@click.option("--as", "email_as", metavar="EMAIL", required=True, help="The member of staff who does this.")
@click.option("--from", "first", type=DAY, required=True, metavar="YYYY-MM-DD", help="First day away.")
@click.option("--until", "last", type=DAY, required=True, metavar="YYYY-MM-DD", help="Last day away.")
@click.option("--cover", required=True, metavar="EMAIL", help="Who looks after the patients and gets the notices.")
def leave(email: str, email_as: str, first: datetime, last: datetime, cover: str) -> None:
    """Give a member's patients and notices to a colleague for some days."""
    with opened() as (_, db, now):
        by, _clinic = acting(db, email_as, None)
        with db.read() as tx:
            member, stand_in = staff_rows.load_by_email(tx, email), staff_rows.load_by_email(tx, cover)
        notice_choices.go_on_leave(db, by, member, stand_in.id, (first.date(), last.date()), now)
    click.echo(f"{stand_in.name} covers for {member.name} from {first:%Y-%m-%d} to {last:%Y-%m-%d}.")


@click.command("notices")
@click.argument("slug")
@click.option("--as", "email_as", metavar="EMAIL", required=True, help="The member of staff who does this.")
@click.option("--reminder", type=int, metavar="MINUTES", help="Until the reminder, in minutes of opening hours.")
@click.option("--deputy", type=int, metavar="MINUTES", help="Until the deputy is told.")
@click.option("--lead", type=int, metavar="DAYS", help="Until the clinic lead is told, in working days.")
@click.option("--initials/--no-initials", default=None, help="Whether notices carry the patient's initials.")
def limits(slug: str, email_as: str, reminder: int | None, deputy: int | None, lead: int | None, initials: bool | None) -> None:
    """When an urgent flag that nobody acknowledges goes to whom. Prints the limits in force."""
    with opened() as (_, db, now):
        by, clinic = acting(db, email_as, slug)
        notice_choices.set_limits(db, by, (reminder, deputy, lead), now, initials=initials)
        with db.read() as tx:
            clinic = clinic_rows.load_clinic(tx, clinic.id)
    found = limits_of(clinic)
    click.echo(f"Reminder after {found.remind_min} min, deputy after {found.deputy_min} min, lead after {found.lead_days} working days.")
