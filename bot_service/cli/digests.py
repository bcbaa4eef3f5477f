"""`stepwise digest`: what each member of staff would be told now, printed or sent."""

from __future__ import annotations

import json

import click

from bot_service.actions.digests import Digest, build_all, send_now
from bot_service.cli.opening import acting, clinic_option, json_option, opened
from bot_service.errors import Conflict
from bot_service.storage import clinics, staff


@click.command()
@click.option("--week", is_flag=True, help="The digest of the week: also who moved, the figures against last week, and what was not sent.")
@click.option("--for", "reader", metavar="EMAIL", help="One member's only.")
@click.option("--send", is_flag=True, help="Send it by the ways each member chose; the running service does that.")
@click.option("--as", "email", metavar="EMAIL", help="The member of staff who sends; needed with --send.")
@clinic_option
@json_option
def digest(week: bool, reader: str | None, send: bool, email: str | None, slug: str | None, as_json: bool) -> None:
    """What each member of staff would be told now."""
    if send and email is None:
        raise click.UsageError("--send needs --as EMAIL: who sends it is kept in the audit trail")
    with opened() as (settings, db, now):
        sender, clinic = acting(db, email, slug) if email else (None, None)
        with db.read() as tx:
            clinic = clinic or clinics.only_clinic(tx, slug)
            wanted = staff.load_by_email(tx, reader) if reader else None
            found = build_all(tx, clinic, now, weekly=week, asked=True)
            found = [each for each in found if wanted is None or each.member.id == wanted.id]
        told = []
        if send and sender is not None:
            told = send_now(db, sender, [each.member.id for each in found], now, settings.public_url, weekly=week)
    if send and not told:
        raise Conflict("nothing reaches anybody: set STEPWISE_SMTP_URL and start the service with it once, or have staff link Telegram")
    _print(found, as_json=as_json)
    for member in told if not as_json else ():
        click.echo(f"Queued for {member.name}.")


def _print(found: list[Digest], *, as_json: bool) -> None:
    if as_json:
        rows = [{"for": each.member.email, "subject": each.subject, "lines": each.lines, "waits": each.waits} for each in found]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for each in found:
        click.echo("\n".join([f"For {each.member.name}", each.subject, *each.lines, ""]))
