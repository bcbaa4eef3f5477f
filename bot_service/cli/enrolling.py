"""`stepwise enrol`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import time
from typing import Any, TypeVar

import click

from bot_service.actions.enrol import Enrolment, Invitation
from bot_service.actions.enrol import enrol as enrol_patient
from bot_service.actions.import_cells import weekdays
from bot_service.actions.invitations import doors_of
from bot_service.actions.phone_numbers import read_phone
from bot_service.actions.treating import treating_physio
from bot_service.cli.kinds import TimeOfDay
from bot_service.cli.opening import acting, as_option, clinic_option, json_option, opened
from bot_service.conversation.wording import SHIPPED
from bot_service.errors import Conflict, NotFound
from bot_service.settings import Settings
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Database
from plans.loading import load_library
from plans.model import CarePlan
from plans.thresholds import Delivery
from schedules.places import zone_for

T = TypeVar("T")


@click.command()
@click.argument("name")
@as_option
@clinic_option
@click.option("--zone", help="Where the patient lives: a city, or an IANA time zone; the clinic's when left out.")
@click.option("--language", default="en", show_default=True, help="The patient's language: " + ", ".join(SHIPPED) + ".")
@click.option("--physio", metavar="EMAIL", help="Who treats the patient, when somebody else enrols and the clinic has several physios.")
@click.option("--at", "at", type=TimeOfDay(), metavar="HH:MM", help="When the patient wants the exercises, local time.")
@click.option("--plan", "plan_id", default="proximal_hamstring_tendinopathy", show_default=True)
@click.option("--stage", help="Where to begin; the first stage when left out.")
@click.option("--baseline", type=click.IntRange(0, 10), help="Usual pain before loading; the patient is asked when left out.")
@click.option("--side", type=click.Choice(["left", "right", "both"]), default="both", show_default=True)
@click.option("--each-session", is_flag=True, help="The patient wants a message for every session of the day, not one in all.")
@click.option("--flare-plan-signed", is_flag=True, help="The physio has agreed the plan's flare plan with this patient.")
@click.option(
    "--rungs-preauthorised", is_flag=True, help="The patient may take each next step of an exercise when it is due, without asking."
)
@click.option("--phone", metavar="NUMBER", help="The patient's telephone, with country code or as dialled where they live.")
@click.option("--record-number", metavar="NUMBER", help="Your own number for the patient.")
@click.option("--channel", type=click.Choice(["telegram", "whatsapp"]), help="The chat app that the patient chose.")
@click.option("--days", metavar="WORDS", help="Days of the exercises, such as 'Mon Wed Fri'; the plan's when left out.")
@click.option("--goals", metavar="WORDS", help="What the patient wants to be able to do again.")
@click.option("--eligible", is_flag=True, help="I have asked the plan's eligibility questions and the plan fits this patient.")
@json_option
def enrol(name: str, email: str, slug: str | None, at: time | None, plan_id: str, eligible: bool, as_json: bool, **given: Any) -> None:
    """Enrol a patient and print the invitation."""
    with opened() as (settings, db, now):
        member, clinic = acting(db, email, slug)
        library = load_library()
        if plan_id not in library:
            raise NotFound(f"no plan {plan_id}; see: stepwise plans list")
        plan = library[plan_id]
        if not eligible:
            asked = "\n".join(f"  - {question.text} ({'yes' if question.must_be else 'no'})" for question in plan.eligibility)
            raise click.UsageError(f"ask these first, then add --eligible when every answer is as in brackets:\n{asked}")
        zone = _read(given["zone"], zone_for) or clinic.zone
        enrolment = Enrolment(
            name=name,
            zone=zone,
            language=given["language"],
            stage=given["stage"],
            at=at,
            baseline=given["baseline"],
            treated_side=given["side"],
            flare_plan_signed=given["flare_plan_signed"],
            rungs_preauthorised=given["rungs_preauthorised"],
            own_prompt=_every_slot(plan, given["stage"]) if given["each_session"] else frozenset(),
            answers={question.id: question.must_be for question in plan.eligibility},
            channel=given["channel"],
            goals=given["goals"] or "",
            record_number=given["record_number"],
            phone=_read(given["phone"], lambda text: read_phone(text, zone)),
            days=_read(given["days"], weekdays) or (),
        )
        with db.read() as tx:
            physio = treating_physio(tx, member, given["physio"])
        invitation = enrol_patient(db, plan, member, enrolment, now, physio=physio)
        print_invitation(db, settings, clinic, invitation, "Enrolled as", as_json=as_json)
    if at is not None and (words := _in_quiet_hours(at, plan.rules.delivery)):
        click.echo(words, err=True)


def _read(text: str | None, reader: Callable[[str], T]) -> T | None:
    try:
        return reader(text.strip()) if text else None
    except ValueError as error:
        raise Conflict(str(error)) from None


def print_invitation(db: Database, settings: Settings, clinic: Clinic, invitation: Invitation, what: str, *, as_json: bool) -> None:
    """The code and the links made of it, to be given to the patient."""
    links = _links(db, settings, clinic, invitation)
    if as_json:
        click.echo(
            json.dumps({"ref": invitation.ref, "code": invitation.code, "links": links, "expires_at": invitation.expires_at.isoformat()})
        )
        return
    click.echo(f"{what} {invitation.ref}. The invitation works once, until {invitation.expires_at:%d %B %Y}:")
    for link in links:
        click.echo(f"  {link}")
    click.echo(
        f"  code {invitation.code}"
        + ("" if links else " (start the service once with a channel, or add a sender to the clinic, to get a link)")
    )


def _every_slot(plan: CarePlan, stage: str | None) -> frozenset[int]:
    return frozenset(slot.number for each in plan.stages if each.id == (stage or plan.stages[0].id) for slot in each.slots)


def _links(db: Database, settings: Settings, clinic: Clinic, invitation: Invitation) -> list[str]:
    with db.read() as tx:
        links = doors_of(tx, settings, clinic).links(invitation.ref, invitation.code)
    return [link.url or f'the words "{link.words}", sent to your WhatsApp number' for link in links]


def _in_quiet_hours(at: time, delivery: Delivery) -> str:
    """What becomes of a time that lies in the hours in which nothing else is sent unasked."""
    start, end = delivery.quiet_from, delivery.quiet_until
    inside = start <= at < end if start <= end else at >= start or at < end
    if not inside:
        return ""
    return (
        f"Note: {at:%H:%M} is in quiet hours ({start:%H:%M} to {end:%H:%M}). The patient's choice wins, so exercises come at {at:%H:%M}; "
        f'if that is a slip, the patient can write "send it at 9am".'
    )
