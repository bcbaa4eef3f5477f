"""Over many patients and days: nothing unsolicited in quiet hours but a time of the patient's own, and no more messages than the cap."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot_service.errors import ChannelUnavailable, DeliveryError, OutcomeUnknown
from bot_service.messages import Outbound
from bot_service.storage.outbox import CAPPED, UNSOLICITED, Message
from tests.running_clinic import Person, RunningClinic

ZONES = ["Europe/London", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham", "America/Havana"]
REPLIES = ["done 3", "done 2", "partly 4", "no", "7", "2", "3", "sorry, 4", "help", "I fell and cannot walk", "done 8", "plan"]


def is_quiet(local: datetime) -> bool:
    return not time(8) <= local.time() < time(21)


def allowed(row: Message, zone: str) -> bool:
    """Outside 21:00 to 08:00 on the patient's wall, or a prompt for a time of their own within them."""
    assert row.sent_at is not None
    own = row.kind == "prompt" and is_quiet(row.due_at.astimezone(ZoneInfo(zone)))
    return own or not is_quiet(row.sent_at.astimezone(ZoneInfo(zone)))


def went_out(person: Person, kinds: tuple[str, ...]) -> list[Message]:
    states = {"sending", "sent", "delivered", "read", "in_doubt"}
    return [row for row in person.messages() if row.kind in kinds and row.status in states]


async def weeks_of_life(clinic: RunningClinic, rng: random.Random, days: int, fail: bool) -> list[tuple[str, Person]]:
    """Patients of all sorts who answer at random times, with outages of the service and faults of the provider."""
    people = []
    for number in range(12):
        stage = rng.choice(["early", "intermediate", "advanced"])
        at = time(rng.randrange(24), rng.choice([0, 30]))
        zone = rng.choice(ZONES)
        people.append((zone, clinic.in_care(f"P {number}", zone, at, stage=stage)))

    def fault(_outbound: Outbound) -> DeliveryError | None:
        return rng.choice([ChannelUnavailable("down"), OutcomeUnknown("?")]) if fail and rng.random() < 0.15 else None

    clinic.phones.fails = fault
    end = clinic.clock.now() + timedelta(days=days)
    while clinic.clock.now() < end:
        step = timedelta(minutes=rng.randrange(5, 400))
        if rng.random() < 0.1:
            clinic.clock.move_to(clinic.clock.now() + step)  # the service was down
            await clinic.service.tick()
        else:
            await clinic.service.move_clock(clinic.clock.now() + step)
        await rng.choice(people)[1].say(rng.choice(REPLIES))
    return people


@pytest.mark.parametrize("seed", [2, 3])
async def test_quiet_hours_and_the_cap_hold_over_weeks_of_replies_outages_and_faults(sqlite_clinic: RunningClinic, seed: int) -> None:
    people = await weeks_of_life(sqlite_clinic, random.Random(seed), days=10, fail=True)
    unsolicited = 0
    for zone, person in people:
        rows = went_out(person, UNSOLICITED)
        unsolicited += len(rows)
        assert [(row.kind, row.due_at, row.sent_at) for row in rows if not allowed(row, zone)] == [], zone
        per_day = Counter(row.sent_at.astimezone(ZoneInfo(zone)).date() for row in went_out(person, CAPPED) if row.sent_at)
        assert {day: number for day, number in per_day.items() if number > 1} == {}, "one unsolicited message a day"
        prompts = Counter((row.day, row.slot) for row in person.messages(kind="prompt"))
        assert set(prompts.values()) <= {1}
    assert unsolicited > 60, "too little happened for this to show anything"


async def test_what_waits_for_the_end_of_quiet_hours_comes_then(clinic: RunningClinic) -> None:
    jo = clinic.in_care(stage="intermediate", at=time(9))
    await clinic.service.move_clock(datetime(2026, 9, 21, 22, tzinfo=UTC))  # 23:00
    await jo.say("I can't feel my legs")  # "were you seen?" is due the day after
    await clinic.service.move_clock(datetime(2026, 9, 22, 23, tzinfo=UTC))
    [asked] = jo.messages(kind="seen", status="sent")
    assert asked.sent_at is not None
    assert not is_quiet(asked.sent_at.astimezone(ZoneInfo("Europe/London")))


async def test_answers_and_safety_texts_do_not_wait_for_morning(clinic: RunningClinic) -> None:
    jo = clinic.in_care()
    await clinic.service.move_clock(datetime(2026, 9, 21, 23, tzinfo=UTC))
    await jo.say("help")
    await jo.say("I can't feel my legs")
    assert [row.status for row in jo.messages(kind="reply")] == ["sent"]
    assert [row.status for row in jo.messages(kind="safety")] == ["sent"]
