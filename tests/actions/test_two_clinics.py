"""Two clinics in one service, a sender each: codes and chats stay where they belong, and one clinic's crowd delays nobody at the other."""

from __future__ import annotations

from datetime import time, timedelta
from itertools import count
from math import inf

from bot_service.channels.simulator import Simulator
from bot_service.storage import clinics, patients, staff
from tests.actions.test_delivering import EIGHT
from tests.crowds import a_crowd
from tests.running_clinic import Person, RunningClinic
from tests.simulated_time import rated

CROWD, OTHERS, PER_S = 500, 5, 2.0


def another(clinic: RunningClinic) -> RunningClinic:
    """A second clinic in the same service, with a sender and phones of its own."""
    with clinic.db.begin() as tx:
        added = clinics.add_clinic(tx, clinic.clock.now(), "hillside", "Hillside Physio", "Europe/London")
        physio = staff.add(tx, clinic.clock.now(), added.id, "ben@hillside.example", "Ben Hill", "physio")
        admin = staff.add(tx, clinic.clock.now(), added.id, "ada@hillside.example", "Ada Hill", "admin")
    numbers = count(1)
    channel = Simulator(lambda: f"other{next(numbers)}", clinic.phones.take, clinic.phones.fault)
    sender = clinic.service.add_channel(added.id, "hillside", channel, None)
    return RunningClinic(clinic.service, clinic.db, clinic.clock, clinic.phones, added, physio, admin, sender, clinic.plan, count(5000))


async def test_a_code_works_through_its_own_clinics_sender_only_and_stays_good_for_it(clinic: RunningClinic) -> None:
    other = another(clinic)
    invitation = other.enrol()
    astray, at_home = Person(clinic, invitation, "sim:77"), Person(other, invitation, "sim:78")
    await astray.say("hi", code=invitation.code)
    assert len(astray.texts) == 1 and "does not work any more" in astray.texts[0]
    with clinic.db.read() as tx:
        assert patients.find_address(tx, clinic.sender.id, astray.address) is None
    assert {message.clinic_id for message in clinic.messages()} == {clinic.clinic.id}
    await at_home.say("hi", code=invitation.code)
    assert "Do you agree?" in at_home.texts[-1]


async def test_a_patient_of_one_clinic_is_a_stranger_to_the_others_sender_and_may_be_a_patient_of_both(clinic: RunningClinic) -> None:
    other = another(clinic)
    patient = await clinic.opted_in()
    before = patient.episode()
    visitor = Person(other, other.enrol(), patient.address)
    await visitor.say("7")
    assert "not linked to a patient" in visitor.texts[-1]
    await visitor.say("hi", code=visitor.invitation.code)
    assert "Do you agree?" in visitor.texts[-1]
    await visitor.say("STOP")
    assert patient.episode() == before, "STOP at one clinic is not STOP at the other"
    with clinic.db.read() as tx:
        found = [patients.find_address(tx, each.sender.id, patient.address) for each in (clinic, other)]
    assert [(each.clinic_id, each.patient_id) for each in found if each] == [
        (clinic.clinic.id, patient.id), (other.clinic.id, visitor.id)
    ]  # fmt: skip


async def crowded_minute(clinic: RunningClinic, other: RunningClinic) -> float:
    """Everybody's prompt fell due at eight while the service was away: how many seconds the other clinic's last one took."""
    a_crowd(clinic, [("Europe/London", time(8))] * CROWD)
    few = {person.address for person in a_crowd(other, [("Europe/London", time(8))] * OTHERS)}
    rated(clinic, PER_S)
    back = EIGHT + timedelta(minutes=10)
    clinic.clock.move_to(back)
    for _ in range(200):
        await clinic.service.tick()
        await clinic.service.delivery.sleep(0.2)
        arrived = [each.at for each in clinic.phones.received if each.outbound.address in few]
        if len(arrived) == OTHERS:
            return (max(arrived) - back).total_seconds()
    return inf


async def test_five_hundred_prompts_of_one_clinic_do_not_delay_the_other_clinics(sqlite_clinic: RunningClinic) -> None:
    assert await crowded_minute(sqlite_clinic, another(sqlite_clinic)) <= OTHERS / PER_S + 2


async def test_the_same_verdict_condemns_one_sender_for_both_clinics(sqlite_clinic: RunningClinic) -> None:
    other = another(sqlite_clinic)
    other.sender = sqlite_clinic.sender
    other.numbers = count(5000)
    assert await crowded_minute(sqlite_clinic, other) > OTHERS / PER_S + 2
