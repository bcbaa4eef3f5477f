"""What happens in the clinic of the walk between one state of a page and the next."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import update

from bot_service.actions import notice_choices, review, team
from bot_service.actions.care_record import record_outcome, record_told
from bot_service.actions.deciding import Decision
from bot_service.actions.prescribing import supersede
from bot_service.clock import real_now
from bot_service.storage import clinics, episodes, imports, patients, prescriptions, tables
from tests.browser.conftest import Served
from tests.browser.walking import Walk
from tests.notice_clinic import with_mail
from tests.running_clinic import Person
from tests.web.lives import a_day_on, a_member, live, look, say


def people_of(served: Served) -> dict[str, Person]:
    """One patient in each state that looks different."""
    clinic = served.clinic
    names = ("held", "lifter", "plain", "away", "closing")
    found = {name: clinic.in_care(name.title()) for name in names}
    a_day_on(clinic)
    say(found["held"], "done, 9")
    say(found["held"], "sorry, 3")
    say(found["lifter"], "done with 8 kg, 3")
    say(found["closing"], "I cannot feel my legs")
    review.hold(clinic.db, Decision(clinic.physio, found["held"].invitation.episode_id, "race on Sunday"), None, None, clinic.clock.now())
    found |= {name: clinic.in_care(name.title()) for name in ("steady", "flared", "redflag")}
    found["runner"] = clinic.in_care("Runner", stage="advanced")
    found["offered"] = clinic.in_care("Offered", stage="intermediate", rungs_preauthorised=True)
    live(clinic, found["steady"], "done 2/1, " * 14 + "done 2/1")
    live(clinic, found["flared"], "done 2/1, partly 3, no, missed, unsent, paused, -, " + "done 2/1, " * 5 + "done 8/6, done 7/5, done 7/6")
    live(clinic, found["offered"], "-, -, " + "done 2/1, -, " * 6 + "done 2/1")
    look(found["steady"], found["flared"], found["redflag"], found["offered"])
    say(found["offered"], "sorry, 1")
    say(found["redflag"], "I cannot feel my legs")
    say(found["flared"], "talk to my physio")
    _measured(found["steady"])
    found["new"] = Person(clinic, clinic.enrol("Lena Fischer"), "sim:none")
    return found


def _measured(person: Person) -> None:
    """Values of a physio and of the patient in chat, two of one activity, and one that is named and not rated."""
    clinic, day = person.clinic, person.episode().start_date
    by, now = Decision(clinic.physio, person.invitation.episode_id, ""), clinic.clock.now()
    for activity, value in (("sit through a whole film at the cinema", 3), ("kneel", None)):
        record_outcome(clinic.db, by, "psfs", activity, value, day, now)
    with clinic.db.begin() as tx:
        record_told(tx, person.episode(), "psfs", "sit through a whole film at the cinema", 7, day + timedelta(days=9), now)


def breaks(walk: Walk) -> None:
    """As if something inside were broken."""
    walk.served.clinic.service.db = None  # type: ignore[assignment]


def mended(walk: Walk) -> None:
    walk.served.clinic.service.db = walk.served.clinic.db


def gets_mail(walk: Walk) -> None:
    with_mail(walk.served.clinic)


def prescribed_meanwhile(walk: Walk) -> None:
    clinic, episode = walk.served.clinic, walk.people["steady"].episode()
    walk.refs["before"] = str(episode.prescription_id)
    with clinic.db.begin() as tx:
        supersede(tx, episode, prescriptions.load(tx, episode.prescription_id), clinic.physio.id, "sore stairs", clinic.clock.now())


def on_whatsapp(walk: Walk) -> None:
    """A patient whom no word has come from for a day, so that WhatsApp lets through none of ours."""
    clinic = walk.served.clinic
    with clinic.db.begin() as tx:
        sender = clinics.find_or_add_sender(tx, clinic.clinic.id, "whatsapp", "+15550100", None)
        patients.add_address(tx, clinic.clock.now(), patients.load(tx, walk.people["plain"].id), sender.id, "whatsapp:+447700900123")


def unreachable(walk: Walk) -> None:
    clinic = walk.served.clinic
    with clinic.db.begin() as tx:
        address = patients.find_active_address(tx, walk.people["plain"].id)
        assert address is not None
        patients.record_unreachable(tx, address.id, clinic.clock.now().date())


def stops(walk: Walk) -> None:
    say(walk.people["away"], "stop")


def import_begins(walk: Walk) -> None:
    """Another replica takes in the file whose rows the admin is looking at."""
    walk.refs["file"] = walk.pages["admin"].url.rpartition("/")[2]
    with walk.served.clinic.db.begin() as tx:
        imports.begin(tx, walk.served.clinic.clock.now(), UUID(walk.refs["file"]))


def import_stands_still(walk: Walk) -> None:
    clock = walk.served.clinic.clock
    clock.move_to(clock.now() + 5 * imports.STANDS_STILL)


def a_crowd(walk: Walk) -> None:
    for number in range(101):
        walk.served.clinic.enrol(f"Crowd Member {number}")


def on_whatsapp_now(walk: Walk) -> None:
    """A patient who has just written on WhatsApp, so that its window is open."""
    clinic, person = walk.served.clinic, walk.people["lifter"]
    with clinic.db.begin() as tx:
        sender = clinics.find_or_add_sender(tx, clinic.clinic.id, "whatsapp", "+15550100", None)
        patients.add_address(tx, clinic.clock.now(), patients.load(tx, person.id), sender.id, "whatsapp:+447700900124")
        address = patients.find_active_address(tx, person.id)
        assert address is not None
        patients.mark_heard(tx, person.id, address.id, clinic.clock.now())


def night_falls(walk: Walk) -> None:
    """It is eleven at night, in the patients' quiet hours."""
    clock = walk.served.clinic.clock
    clock.move_to(clock.now().replace(hour=22, minute=0) + timedelta(days=clock.now().hour >= 22))


def covered(walk: Walk) -> None:
    """A colleague has patients, is away, and is covered for."""
    clinic = walk.served.clinic
    cara = a_member(clinic, "physio", "cara@riverside.example")
    today = clinic.clock.now().date()
    notice_choices.go_on_leave(clinic.db, cara, cara, clinic.physio.id, (today, today + timedelta(days=5)), clinic.clock.now())
    notice_choices.go_on_leave(clinic.db, clinic.physio, clinic.physio, cara.id, (today + timedelta(days=20),) * 2, clinic.clock.now())
    with clinic.db.begin() as tx:
        episodes.change(tx, walk.people["held"].invitation.episode_id, physio_id=cara.id)


def somebody_leaves(walk: Walk) -> None:
    clinic = walk.served.clinic
    gone = a_member(clinic, "viewer", "gone@riverside.example")
    team.disable(clinic.db, clinic.admin, gone.id, clinic.clock.now(), real_now())


def all_stop(walk: Walk) -> None:
    """Every patient of the crowd had begun, and has stopped all messages."""
    with walk.served.clinic.db.begin() as tx:
        tx.run(update(tables.patients).where(tables.patients.c.status == "invited").values(status="opted_out"))


def tampered(walk: Walk) -> None:
    """Somebody has changed the audit trail in the database."""
    with walk.served.clinic.db.begin() as tx:
        tx.run(update(tables.audit).where(tables.audit.c.seq == 3).values(who="nobody"))
