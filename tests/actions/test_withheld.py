"""What waits to be told of exercises when a red flag comes, is cleared, opened again or cleared again; on both kinds of database."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from bot_service.actions import review, undoing
from bot_service.actions.histories import local_today
from bot_service.storage import episodes
from tests.actions.test_said_earlier import nothing_runs_until
from tests.actions.test_undoing import a_minute_later, after, approve, decision, undo, undoable
from tests.actions.told import open_cases
from tests.running_clinic import Person, RunningClinic

FLAG = "I have lost control of my bladder since this morning"
MILD = "my calf has been itching, and I have lost weight without trying"
AGAIN, CHANGED = "Your exercises start again", "has changed your exercises"


def clear(person: Person) -> None:
    """Clear the red flag, and tell the patient at once."""
    flag = open_cases(person)["D1"].id
    review.close_case(person.clinic.db, decision(person, "rang her, all fine", grace=timedelta(0)), flag, person.clinic.clock.now())


async def flagged_and_cleared(clinic: RunningClinic, words: str = FLAG) -> tuple[Person, UUID]:
    person = clinic.in_care()
    await person.say(words)
    flag = open_cases(person)["D1"].id
    clear(person)
    return person, flag


def reopen(person: Person, flag: UUID) -> None:
    undoing.reopen_case(person.clinic.db, decision(person), flag, person.clinic.clock.now())


def heard(person: Person, *parts: str) -> list[int]:
    """How often the patient has got each of these."""
    return [sum(part in text for text in person.texts) for part in parts]


def holds(person: Person) -> list[str]:
    today = local_today(person.clinic.clock.now(), person.episode().zone)
    with person.clinic.db.read() as tx:
        return [hold.kind for hold in episodes.list_holds_in_force(tx, person.episode().id, today)]


async def at_night(clinic: RunningClinic) -> None:
    await clinic.service.move_clock(clinic.clock.now().replace(hour=22, minute=30))


async def in_the_morning(clinic: RunningClinic) -> None:
    await clinic.service.move_clock(clinic.clock.now() + timedelta(hours=11))


async def test_news_of_a_step_that_waits_when_a_red_flag_comes_is_told_once_it_is_cleared(clinic: RunningClinic) -> None:
    person = after(clinic)
    approve(person)
    await person.say(FLAG)
    await a_minute_later(clinic)
    assert heard(person, "moved you on", CHANGED) == [0, 0]
    clear(person)
    await a_minute_later(clinic)
    assert heard(person, "moved you on", AGAIN, CHANGED) == [0, 1, 1]
    assert heard(person, "• New: Sliding hamstring curl (3 × 8)") == [1], "told of what changed while it was held"


async def test_a_step_told_in_the_same_moment_as_something_else_is_told_once_the_red_flag_is_cleared(clinic: RunningClinic) -> None:
    person = after(clinic)
    await person.say("please call me")
    review.close_case(clinic.db, decision(person, "rang", grace=timedelta(0)), open_cases(person)["X3"].id, clinic.clock.now())
    approve(person, grace=timedelta(0))
    assert len({message.due_at for message in person.messages(status="due", lane="now")}) == 1
    nothing_runs_until(clinic, clinic.clock.now() + timedelta(seconds=10))
    await person.say(FLAG)
    clear(person)
    await a_minute_later(clinic)
    assert heard(person, "moved you on", AGAIN, CHANGED) == [0, 1, 1]


async def test_news_that_is_being_sent_when_a_red_flag_comes_stops_at_the_last_look(sqlite_clinic: RunningClinic) -> None:
    person = after(sqlite_clinic)
    approve(person)
    with sqlite_clinic.db.begin() as tx:
        episodes.place_hold(
            tx, sqlite_clinic.clock.now(), person.episode(), "red_flag", why="", by="", from_day=sqlite_clinic.clock.now().date()
        )
    await a_minute_later(sqlite_clinic)
    assert heard(person, "moved you on") == [0]


async def test_a_red_flag_that_is_cleared_opened_again_and_cleared_is_announced_twice(clinic: RunningClinic) -> None:
    person, flag = await flagged_and_cleared(clinic)
    await a_minute_later(clinic)
    reopen(person, flag)
    clear(person)
    await a_minute_later(clinic)
    assert heard(person, AGAIN) == [2]


async def test_a_release_that_waits_for_the_morning_is_not_told_when_the_red_flag_is_opened_again(clinic: RunningClinic) -> None:
    await at_night(clinic)
    person, flag = await flagged_and_cleared(clinic)
    await a_minute_later(clinic)
    reopen(person, flag)
    assert holds(person) == ["red_flag"] and not person.messages(kind="news", status="due")
    await in_the_morning(clinic)
    assert heard(person, AGAIN, "Were you seen?") == [0, 1]
    await at_night(clinic)
    clear(person)
    await in_the_morning(clinic)
    assert heard(person, AGAIN) == [1]


async def test_opening_a_case_again_that_never_held_the_exercises_holds_nothing(clinic: RunningClinic) -> None:
    person, flag = await flagged_and_cleared(clinic, MILD)
    reopen(person, flag)
    assert holds(person) == [] and "D1" in open_cases(person) and not person.messages(kind="seen")


async def test_a_change_undone_before_its_release_was_told_is_not_told_either(clinic: RunningClinic) -> None:
    person = after(clinic, "done 2/1, -, done 7/6", stage="intermediate")
    await person.say(FLAG)
    await at_night(clinic)
    review.step_back(clinic.db, decision(person), clinic.clock.now())
    clear(person)
    (decided,) = undoable(person)
    undo(person, decided)
    await in_the_morning(clinic)
    assert person.episode().stage == "intermediate" and heard(person, AGAIN, CHANGED) == [1, 0]


async def test_a_pause_that_outlasts_the_red_flag_keeps_the_change_until_it_is_over(sqlite_clinic: RunningClinic) -> None:
    person = after(sqlite_clinic, "done 2/1, -, done 7/6", stage="intermediate")
    db, clock = sqlite_clinic.db, sqlite_clinic.clock
    await person.say(FLAG)
    review.step_back(db, decision(person), clock.now())
    review.pause(db, decision(person), None, clock.now())
    await a_minute_later(sqlite_clinic)
    clear(person)
    await a_minute_later(sqlite_clinic)
    assert heard(person, AGAIN, CHANGED) == [0, 0]
    review.resume(db, decision(person, grace=timedelta(0)), clock.now())
    await a_minute_later(sqlite_clinic)
    assert heard(person, AGAIN, CHANGED) == [1, 1]
