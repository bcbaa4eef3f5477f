"""Red flags that wait: asked about twice, noticed again with every hit, and told to the lead after a working day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.clinical.working_hours import DEFAULT_HOURS, a_working_day_after
from bot_service.storage import tables
from bot_service.storage.cases import FOR_THE_LEAD
from tests.actions.told import DAY1, DAY2, DAY3, DAY4, audited, open_cases
from tests.listed import listed, standings
from tests.running_clinic import Person, RunningClinic

URGENT = "new groin pain and I limp when I put weight on it"
HOUR = timedelta(hours=1)


def london(day: int, hour: int, minute: int = 0) -> datetime:
    """September 2026 in London, an hour ahead of UTC; the 21st is a Monday."""
    return datetime(2026, 9, day, hour - 1, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (london(22, 10), london(23, 10)),
        (london(22, 7), london(23, 8)),
        (london(22, 21), london(24, 8)),
        (london(25, 17), london(28, 17)),
        (london(26, 12), london(29, 8)),
    ],
    ids=["Tuesday morning", "before the clinic opens", "in the evening", "Friday", "on Saturday"],
)
def test_a_working_day_is_counted_from_when_somebody_could_have_looked(raised: datetime, told: datetime) -> None:
    assert a_working_day_after(raised, DEFAULT_HOURS, "Europe/London") == told


def test_a_clinic_that_never_opens_still_has_a_day() -> None:
    assert a_working_day_after(DAY1, {}, "Europe/London") == DAY1 + timedelta(days=1)


async def flagged(clinic: RunningClinic) -> Person:
    person = await clinic.opted_in()
    await clinic.service.move_clock(DAY1 + 3 * HOUR)
    await person.say(URGENT)
    return person


def events(person: Person) -> list[str]:
    case, table = open_cases(person)["D1"], tables.case_events
    with person.clinic.db.read() as tx:
        rows = tx.all(table.select().where(table.c.case_id == case.id).order_by(table.c.at, table.c.what.desc()))
    return [row.what for row in rows]


def seen_questions(person: Person) -> list[str]:
    return [text for text in person.texts if "Were you seen?" in text]


def acknowledge(person: Person) -> None:
    clinic = person.clinic
    review.acknowledge_case(clinic.db, Decision(clinic.physio, person.episode().id, ""), open_cases(person)["D1"].id, clinic.clock.now())


async def test_were_you_seen_is_asked_the_next_day_and_once_more_the_day_after(sqlite_clinic: RunningClinic) -> None:
    person = await flagged(sqlite_clinic)
    for day, times in ((DAY2, 1), (DAY3, 2), (DAY4, 2)):
        await sqlite_clinic.service.move_clock(day + HOUR)
        assert len(seen_questions(person)) == times
    assert "your message from yesterday" in seen_questions(person)[0] and "your message from Tuesday" in seen_questions(person)[1]


@pytest.mark.parametrize("answer", ["Yes", "No"])
async def test_it_is_not_asked_again_once_there_is_an_answer(clinic: RunningClinic, answer: str) -> None:
    person = await flagged(clinic)
    await clinic.service.move_clock(DAY2 + HOUR)
    await person.tap(answer)
    await clinic.service.move_clock(DAY3 + HOUR)
    assert len(seen_questions(person)) == 1
    assert person.messages(kind="seen")[-1].reason == "answered already"


async def test_an_answer_to_what_was_asked_before_the_next_hit_is_no_answer_to_that_one(sqlite_clinic: RunningClinic) -> None:
    person = await flagged(sqlite_clinic)
    await sqlite_clinic.service.move_clock(DAY2 + HOUR)
    await person.say("my calf is swollen and hot")
    await person.tap("Yes")
    await sqlite_clinic.service.move_clock(DAY3 + HOUR)
    assert len(seen_questions(person)) == 2


async def test_a_second_hit_on_an_acknowledged_red_flag_waits_for_somebody_again(clinic: RunningClinic) -> None:
    person = await flagged(clinic)
    acknowledge(person)
    assert open_cases(person)["D1"].status == "acknowledged"
    due = open_cases(person)["D1"].due_at
    await clinic.service.move_clock(DAY2 + 3 * HOUR)
    await person.say("my calf is swollen and hot")
    case = open_cases(person)["D1"]
    assert (case.status, case.acknowledged_at) == ("open", None)
    assert case.due_at is not None and due is not None and case.due_at > due, "due from the new hit on"
    assert events(person) == ["raised", "acknowledged", "hit_again"]
    await clinic.service.move_clock(DAY3 + 3 * HOUR)
    assert events(person)[-1] == "escalated", "a working day after the second hit"


async def test_after_a_working_day_without_anybody_the_lead_is_to_be_told(clinic: RunningClinic) -> None:
    person = await flagged(clinic)
    await clinic.service.move_clock(DAY2 + 3 * HOUR - timedelta(minutes=1))
    assert events(person) == ["raised"]
    await clinic.service.move_clock(DAY2 + 3 * HOUR)
    assert events(person) == ["raised", "escalated"] and "escalated" in audited(person)
    await clinic.service.move_clock(DAY4)
    assert events(person).count("escalated") == 1
    assert open_cases(person)["D1"].escalated_at == DAY2 + 3 * HOUR


async def test_an_acknowledged_or_closed_one_is_not_escalated(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    first, second = await flagged(clinic), await clinic.opted_in("Sam Lee")
    await second.say(URGENT)
    acknowledge(first)
    review.close_case(
        clinic.db, Decision(clinic.physio, second.episode().id, "rang, all fine"), open_cases(second)["D1"].id, clinic.clock.now()
    )
    await clinic.service.move_clock(DAY4)
    assert "escalated" not in audited(first) + audited(second)


async def test_one_of_a_discharged_patient_stays_open_and_shown_and_climbs_no_further(clinic: RunningClinic) -> None:
    person = await flagged(clinic)
    review.discharge(clinic.db, Decision(clinic.physio, person.episode().id, "moved away"), clinic.clock.now())
    await clinic.service.move_clock(DAY4)
    assert "escalated" not in audited(person) and open_cases(person)["D1"].status == "open"
    assert _caseload(clinic) == [person.episode().ref]
    with clinic.db.read() as tx:
        assert [row.told for row in tx.all(tables.alerts.select())] == [0], "it is still told once somebody can be reached"


async def test_an_escalated_one_leads_the_caseload_and_says_why_until_somebody_takes_it(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    first, second = await flagged(clinic), await clinic.opted_in("Sam Lee")
    await clinic.service.move_clock(DAY2 + 4 * HOUR)
    await second.say("I can't feel my legs and I wet myself")
    assert _caseload(clinic) == [first.episode().ref, second.episode().ref], "though the other is an emergency of this minute"
    assert _sentence(first).startswith(FOR_THE_LEAD) and not _sentence(second).startswith(FOR_THE_LEAD)
    acknowledge(first)
    assert _caseload(clinic) == [second.episode().ref, first.episode().ref] and not _sentence(first).startswith(FOR_THE_LEAD)


def _caseload(clinic: RunningClinic) -> list[str]:
    with clinic.db.read() as tx:
        found = listed(tx, clinic.clinic.id, clinic.clock.now())
        return [found[each][0].ref for each in standings(tx, clinic.clinic.id, clinic.clock.now()).episodes]


def _sentence(person: Person) -> str:
    with person.clinic.db.read() as tx:
        return listed(tx, person.clinic.clinic.id, person.clinic.clock.now())[person.invitation.episode_id][1].first.sentence
