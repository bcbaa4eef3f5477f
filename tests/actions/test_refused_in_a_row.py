"""When it is not the patient: refusals in a row with one reason are a fault of the sender's, and a fault of one does not stop the rest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot_service.actions.receipts import record_receipt
from bot_service.actions.unreachable import REFUSED_IN_A_ROW
from bot_service.channels.whatsapp_errors import meaning_of_code
from bot_service.errors import DeliveryError, MessageRejected, RecipientStopped
from bot_service.messages import Receipt
from bot_service.storage import clinics
from bot_service.storage.clinics import Sender
from tests.actions.test_delivering import EIGHT, failing, open_cases, the_prompt
from tests.running_clinic import Person, RunningClinic

ABROAD, NO_TEMPLATE = 21408, 63041


def several(clinic: RunningClinic, number: int) -> list[Person]:
    return [clinic.in_care(f"P {each}") for each in range(number)]


def the_sender(clinic: RunningClinic) -> Sender:
    with clinic.db.read() as tx:
        [sender] = clinics.list_senders(tx)
    return sender


def refused() -> DeliveryError:
    return MessageRejected("WhatsApp refused this message (63013).")


def stopped() -> DeliveryError:
    return RecipientStopped("There is no chat with this recipient any more.")


def abroad() -> DeliveryError:
    return meaning_of_code(ABROAD)


@pytest.mark.parametrize("fault", [refused, stopped, abroad])
async def test_five_patients_in_a_row_refused_for_one_reason_stop_the_sender_and_the_others_keep_their_messages(
    clinic: RunningClinic, fault: Callable[[], DeliveryError]
) -> None:
    people = several(clinic, REFUSED_IN_A_ROW + 3)
    failing(clinic, fault)
    await clinic.service.move_clock(EIGHT)
    assert clinic.phones.tried == REFUSED_IN_A_ROW
    assert the_sender(clinic).status == "broken" and str(fault()) in (the_sender(clinic).reason or "")
    assert sorted(the_prompt(person).status for person in people) == ["due"] * 3 + ["failed"] * REFUSED_IN_A_ROW
    failing(clinic, None)
    clinic.service.add_channel(clinic.clinic.id, the_sender(clinic).name, clinic.service.channels[the_sender(clinic).id], None)
    await clinic.service.tick()
    assert sorted(the_prompt(person).status for person in people) == ["failed"] * REFUSED_IN_A_ROW + ["sent"] * 3


@pytest.mark.parametrize("among", [None, MessageRejected("WhatsApp refused this message (63005).")])
async def test_somebody_reached_or_another_reason_in_between_stops_nothing(clinic: RunningClinic, among: DeliveryError | None) -> None:
    people = several(clinic, 2 * REFUSED_IN_A_ROW - 1)
    refusals = [refused() for _ in range(REFUSED_IN_A_ROW - 1)]
    outcomes = [*refusals, among, *refusals]
    clinic.phones.fails = lambda _outbound: outcomes.pop(0) if outcomes else None
    await clinic.service.move_clock(EIGHT)
    assert clinic.phones.tried >= len(people) and outcomes == []
    assert the_sender(clinic).status == "active"


async def test_patients_who_stop_at_the_provider_one_after_the_other_stop_nobody_else(clinic: RunningClinic) -> None:
    people = several(clinic, REFUSED_IN_A_ROW + 2)
    failing(clinic, lambda: RecipientStopped("STOP at the provider", opted_out=True), REFUSED_IN_A_ROW)
    await clinic.service.move_clock(EIGHT)
    assert sorted(the_prompt(person).status for person in people) == ["failed"] * REFUSED_IN_A_ROW + ["sent"] * 2


async def test_the_same_patients_refused_again_and_again_stop_nobody(clinic: RunningClinic) -> None:
    people = several(clinic, REFUSED_IN_A_ROW - 1)
    for fault in (refused, stopped):
        failing(clinic, fault)
        await clinic.service.move_clock(clinic.clock.now() + timedelta(days=3))
        assert the_sender(clinic).status == "active"
    assert all(len(person.messages(kind="prompt")) > 2 for person in people)


async def test_one_patient_in_a_country_that_is_not_enabled_is_told_to_the_clinic_and_the_others_are_reached(
    clinic: RunningClinic,
) -> None:
    people = several(clinic, 4)
    failing(clinic, abroad, 1)
    await clinic.service.move_clock(EIGHT)
    assert sorted(the_prompt(person).status for person in people) == ["failed", "sent", "sent", "sent"]
    [away] = [person for person in people if the_prompt(person).status == "failed"]
    assert [open_cases(person) for person in people] == [["X1"] if person is away else [] for person in people]
    assert the_sender(clinic).status == "active"


async def test_a_template_that_is_refused_fails_its_messages_and_stops_no_answer(clinic: RunningClinic) -> None:
    people = several(clinic, REFUSED_IN_A_ROW + 1)
    failing(clinic, lambda: meaning_of_code(NO_TEMPLATE))
    await clinic.service.move_clock(EIGHT)
    assert {the_prompt(person).status for person in people} == {"failed"}
    assert the_sender(clinic).status == "active"


@pytest.mark.parametrize("arrived", [False, True])
async def test_refusals_that_come_as_receipts_count_though_every_message_was_taken(clinic: RunningClinic, arrived: bool) -> None:
    people = several(clinic, REFUSED_IN_A_ROW + 1)
    await clinic.service.move_clock(EIGHT)
    sender = the_sender(clinic)
    for number, person in enumerate(people):
        prompt = the_prompt(person)
        reached = arrived and number == 2
        receipt = Receipt(prompt.provider_id or "", "delivered" if reached else "failed", str(prompt.id), None if reached else stopped())
        assert record_receipt(clinic.db, sender.id, receipt, clinic.clock.now())
    assert the_sender(clinic).status == ("active" if arrived else "broken")
