"""The 24-hour question gets lost with nothing: not with the prompt that carries it, not through a correction; and one a day at most."""

from __future__ import annotations

import re
from datetime import date, time, timedelta

import pytest

from bot_service.actions import prescribing, review
from bot_service.actions.deciding import Decision
from bot_service.actions.prompt import move_cursor, queue_for_patient
from bot_service.errors import ChannelUnavailable, MessageRejected
from bot_service.messages import Outbound
from bot_service.sample.understanding import says
from bot_service.storage import episodes, prescriptions
from bot_service.storage.outbox import Message
from tests.actions.told import DAY1, DAY2, open_cases, scores
from tests.running_clinic import Person, Received, RunningClinic

TUESDAY = date(2026, 9, 22)
HOUR = timedelta(hours=1)


async def done_on_tuesday(clinic: RunningClinic, at: timedelta = timedelta(0)) -> Person:
    """A patient whose first session waits for its 24-hour question."""
    person = await clinic.opted_in()
    await clinic.service.move_clock(DAY1 + at)
    await person.say("done, 3")
    return person


def asked_alone(person: Person) -> list[Message]:
    return person.messages(kind="check_in")


def is_about_tuesday(outbound: Outbound) -> bool:
    return re.search("One question about yesterday's (18:00 )?session[.]", outbound.text) is not None


async def test_a_question_whose_prompt_could_not_be_sent_goes_by_itself(clinic: RunningClinic) -> None:
    person = await done_on_tuesday(clinic)
    clinic.phones.fails = lambda outbound: ChannelUnavailable("down") if "exercises follow" in outbound.text else None
    await clinic.service.move_clock(DAY2 + 4 * HOUR)
    (prompt,) = [each for each in person.messages(kind="prompt") if each.day != TUESDAY]
    assert prompt.status in ("expired", "failed")
    first, second = asked_alone(person)
    assert (first.status, second.status) == ("cancelled", "sent")
    await person.say("2")
    assert ("pain_24h", TUESDAY, 2) in scores(person)


async def test_a_question_whose_prompt_was_refused_goes_by_itself_and_only_once(sqlite_clinic: RunningClinic) -> None:
    person = await done_on_tuesday(sqlite_clinic)
    sqlite_clinic.phones.fails = lambda outbound: MessageRejected("no") if is_about_tuesday(outbound) else None
    await sqlite_clinic.service.move_clock(DAY2 + 4 * HOUR)
    assert [each.status for each in asked_alone(person)] == ["cancelled", "failed"]


async def test_a_question_whose_prompt_fell_away_with_the_plan_goes_by_itself(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    person = await done_on_tuesday(clinic)
    clinic.phones.fails = lambda outbound: ChannelUnavailable("down") if is_about_tuesday(outbound) else None
    await clinic.service.move_clock(DAY2 + timedelta(minutes=1))
    with clinic.db.begin() as tx:
        episode = episodes.load(tx, person.invitation.episode_id)
        plan = prescriptions.load(tx, episode.prescription_id)
        slots = tuple(slot.model_copy(update={"prompted": False}) for slot in plan.slots)
        new = prescriptions.add(
            tx, clinic.clock.now(), clinic_id=episode.clinic_id, episode_id=episode.id, patient_id=episode.patient_id,
            document=plan.model_copy(update={"slots": slots}), staff_id=episode.physio_id, starts_on=TUESDAY, reason="no prompts",
        )  # fmt: skip
        episodes.change(tx, episode.id, prescription_id=new)
    clinic.phones.fails = None
    await clinic.service.move_clock(DAY2 + HOUR)
    assert person.messages(kind="prompt")[-1].reason == "the prescription changed"
    assert [each.status for each in asked_alone(person)] == ["cancelled", "sent"]


async def test_what_is_held_back_is_not_put_in_line_again(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    person = await done_on_tuesday(clinic)
    clinic.phones.fails = lambda outbound: ChannelUnavailable("down") if is_about_tuesday(outbound) else None
    await clinic.service.move_clock(DAY2 + timedelta(minutes=1))
    review.pause(clinic.db, Decision(clinic.physio, person.invitation.episode_id, "rest"), None, clinic.clock.now())
    clinic.phones.fails = None
    await clinic.service.move_clock(DAY2 + 5 * HOUR)
    assert [each.status for each in asked_alone(person)] == ["cancelled"]


async def test_too_late_for_an_answer_it_is_let_go(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    person = await done_on_tuesday(clinic)
    clinic.phones.fails = lambda outbound: ChannelUnavailable("down") if is_about_tuesday(outbound) else None
    await clinic.service.move_clock(DAY2 + timedelta(minutes=1))
    clinic.clock.freeze(DAY1 + 37 * HOUR)  # the service is down, and the question's window closes
    clinic.phones.fails = None
    await clinic.service.tick()
    assert [each.status for each in asked_alone(person)] == ["cancelled"]


@pytest.mark.parametrize("again", [1, 2])
async def test_done_then_not_done_then_done_is_asked_the_next_day_all_the_same(clinic: RunningClinic, again: int) -> None:
    person = await done_on_tuesday(clinic)
    for _ in range(again):
        await person.tap("Not today")
        await person.tap("Yes")
        assert not [each for each in asked_alone(person) if each.status == "due"]
        await person.tap("5")
        assert len([each for each in asked_alone(person) if each.status == "due"]) == 1
    await clinic.service.move_clock(DAY2)
    assert len([each for each in person.texts if "One question about" in each]) == 1


async def two_a_day(clinic: RunningClinic) -> Person:
    """A patient with exercises at 08:00 and at 18:00."""
    person = await clinic.opted_in()
    with clinic.db.begin() as tx:
        episode = episodes.load(tx, person.invitation.episode_id)
        plan = prescriptions.load(tx, episode.prescription_id)
        slots = tuple(slot.model_copy(update={"prompted": True, "at": time(8 if slot.number == 1 else 18)}) for slot in plan.slots)
        new = prescriptions.add(
            tx, clinic.clock.now(), clinic_id=episode.clinic_id, episode_id=episode.id, patient_id=episode.patient_id,
            document=plan.model_copy(update={"slots": slots}), staff_id=episode.physio_id, starts_on=TUESDAY, reason="twice a day",
        )  # fmt: skip
        episodes.change(tx, episode.id, prescription_id=new)
        move_cursor(tx, episodes.load(tx, episode.id), clinic.clock.now())
    return person


@pytest.mark.parametrize("taken_back", ["first", "second"])
async def test_a_session_taken_back_leaves_the_question_to_the_other_one_of_that_day(clinic: RunningClinic, taken_back: str) -> None:
    person = await two_a_day(clinic)
    await clinic.service.move_clock(DAY1)
    first = person.received[-1]
    await person.say("done, 3")
    await clinic.service.move_clock(DAY1 + 10 * HOUR)
    second = person.received[-1]
    await person.say("done, 2")
    back = first if taken_back == "first" else second
    not_today = next(cell.data for row in back.outbound.rows for cell in row if cell.label == "Not today")
    await person.say("", kind="tap", data=not_today, reply_to=back.provider_id)
    await person.tap("Yes")
    await clinic.service.move_clock(DAY2 + 12 * HOUR)
    assert len([each for each in person.texts if "One question about yesterday's" in each]) == 1


async def test_both_taken_back_nothing_is_asked(sqlite_clinic: RunningClinic) -> None:
    person = await two_a_day(sqlite_clinic)
    for at in (DAY1, DAY1 + 10 * HOUR):
        await sqlite_clinic.service.move_clock(at)
        await person.say("done, 3")
        await person.tap("Not today")
        await person.tap("Yes")
    await sqlite_clinic.service.move_clock(DAY2 + 12 * HOUR)
    assert not [each for each in person.texts if "One question about" in each]


@pytest.mark.parametrize(
    ("words", "moved", "to", "stays", "due_h"),
    [("7am", "08:00", "07:00", "18:00", [-1, 10]), ("7pm", "18:00", "19:00", "08:00", [0, 11])],
)
async def test_another_time_moves_the_exercises_that_keep_their_place_in_the_day_and_says_which_stay(
    sqlite_clinic: RunningClinic, words: str, moved: str, to: str, stays: str, due_h: list[int]
) -> None:
    person = await two_a_day(sqlite_clinic)
    await person.say(f"send it at {words}")
    assert person.texts[-1] == f"Shall we send your {moved} exercises at {to} from now on? Those at {stays} stay as they are."
    await person.tap("Yes")
    assert f"Your {moved} exercises come at {to} from now on. Those at {stays} stay" in person.texts[-1]
    await sqlite_clinic.service.move_clock(DAY1 + 12 * HOUR)
    assert [(each.due_at - DAY1) / HOUR for each in person.messages(kind="prompt") if each.day == TUESDAY] == due_h


async def test_a_question_due_at_the_time_that_was_rides_on_the_exercises_at_the_new_one(sqlite_clinic: RunningClinic) -> None:
    """By itself it would be the third message of that day."""
    person = await two_a_day(sqlite_clinic)
    await sqlite_clinic.service.move_clock(DAY1 + 11 * HOUR)
    await person.say("done, 3")
    await sqlite_clinic.service.move_clock(DAY2 + 4 * HOUR)
    await person.say("send it at 7pm")
    await person.tap("Yes")
    await sqlite_clinic.service.move_clock(DAY2 + 12 * HOUR)
    asked = [each for each in person.received if is_about_tuesday(each.outbound)]
    assert [each.at - DAY2 for each in asked] == [11 * HOUR] and "Your 19:00 exercises follow your answer" in asked[0].outbound.text
    assert "yesterday's 18:00 session" in asked[0].outbound.text, "by the time that it had then"


async def test_exercises_moved_behind_the_evenings_offer_those_at_another_time_of_day(sqlite_clinic: RunningClinic) -> None:
    person = await sqlite_clinic.opted_in()
    await sqlite_clinic.service.move_clock(DAY1)
    assert "If you like, later today:" in person.texts[-1]
    await person.say("send it at 7pm")
    await person.tap("Yes")
    await sqlite_clinic.service.move_clock(DAY2 + 12 * HOUR)
    assert "If you like, once more at another time of day:\n• Bridge hold" in person.texts[-1] and "later today" not in person.texts[-1]


async def test_a_correction_after_it_was_asked_does_not_ask_again(sqlite_clinic: RunningClinic) -> None:
    person = await done_on_tuesday(sqlite_clinic)
    tuesdays = next(each for each in person.received if "Your exercises for today are ready." in each.outbound.text)
    buttons = {cell.label: cell.data for row in tuesdays.outbound.rows for cell in row}
    await sqlite_clinic.service.move_clock(DAY2)
    for label in ("Not today", "5"):
        await person.say("", kind="tap", data=buttons[label], reply_to=tuesdays.provider_id)
    assert len(asked_alone(person)) == 1
    await sqlite_clinic.service.move_clock(DAY2 + 12 * HOUR)
    assert len([each for each in person.texts if "One question about" in each]) == 1


@pytest.mark.parametrize("others", [1, 2])
async def test_whatever_waits_one_goes_out_a_day(sqlite_clinic: RunningClinic, others: int) -> None:
    clinic = sqlite_clinic
    person = await clinic.opted_in(at=time(10), own_prompt=frozenset({2}))  # two messages a day are allowed
    await clinic.service.move_clock(DAY1 + 2 * HOUR)
    await person.say("done, 3")
    with clinic.db.begin() as tx:
        for number in range(1, others + 1):
            day, due = TUESDAY - timedelta(days=number), DAY2 + timedelta(minutes=20 * number)
            content = {"lines": [["ask_24h", {"day": str(day)}]], "ask": {"kind": "pain_24h", "day": str(day), "slot": 1}}
            queue_for_patient(
                tx, person.episode(), DAY1, "check_in", f"early:{number}", due, due + 12 * HOUR, content, day=day, slot=1
            )  # fmt: skip
    await clinic.service.move_clock(DAY2 + 6 * HOUR)
    asked = [each.at for each in person.received if "One question about" in each.outbound.text]
    assert asked == [DAY2 + 2 * HOUR], "with the exercises at ten: there are others in the evening, so that no place is left for it alone"
    assert person.messages(kind="prompt")[-1].status in ("sent", "due")


async def test_a_session_taken_back_while_its_question_waits_leaves_the_exercises_alone(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    person = await done_on_tuesday(clinic, timedelta(hours=11))
    await clinic.service.move_clock(DAY2 + HOUR)
    await person.tap("Change")
    await person.tap("Not today")
    await clinic.service.move_clock(DAY2 + 4 * HOUR)
    assert "Your exercises for today are ready." in person.texts[-1]
    assert not [each for each in person.texts if "One question about" in each]


@pytest.mark.parametrize("moved", [False, True])
async def test_what_was_done_in_the_evening_is_asked_with_the_one_message_of_the_next_morning(
    sqlite_clinic: RunningClinic, moved: bool
) -> None:
    """Alone and 24 hours later it would be the day's second message, so it never came."""
    clinic = sqlite_clinic
    person = await clinic.opted_in(at=time(19) if moved else time(8))
    await clinic.service.move_clock(DAY1 + timedelta(hours=11, minutes=30))
    await person.say("done, 3")
    assert asked_alone(person)[0].due_at > DAY2 + 10 * HOUR
    if moved:
        with clinic.db.begin() as tx:
            plan = prescriptions.load(tx, person.episode().prescription_id)
            slots = tuple(slot.model_copy(update={"at": time(8, 15) if slot.prompted else slot.at}) for slot in plan.slots)
            document = plan.model_copy(update={"slots": slots})
            prescribing.supersede(tx, person.episode(), document, clinic.physio.id, "mornings", clinic.clock.now())
    heard = len(person.received)
    await clinic.service.move_clock(DAY2 + timedelta(hours=3, minutes=29))
    assert len(person.received) == heard, "12 hours later is too early to ask"
    await clinic.service.move_clock(DAY2 + timedelta(hours=3, minutes=31))
    assert is_about_tuesday(person.received[-1].outbound) and "exercises follow your answer" in person.texts[-1]
    assert "a little later than usual" in person.texts[-1]
    await person.say("2")
    assert ("pain_24h", TUESDAY, 2) in scores(person)
    await clinic.service.move_clock(DAY2 + 12 * HOUR)
    assert len([each for each in person.texts if "One question about" in each]) == 1


async def test_an_answer_days_later_is_kept_as_what_it_is_and_read_by_no_rule(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    person = await done_on_tuesday(clinic)
    await clinic.service.move_clock(DAY2)
    asked = person.received[-1]
    await clinic.service.move_clock(DAY1 + 5 * 24 * HOUR)
    await tap_under(person, asked, "7")
    assert ("pain_24h_late", TUESDAY, 7) in scores(person) and "pain_24h" not in {kind for kind, _, _ in scores(person)}
    assert says(person.texts[-1], ("late_24h",)) and "7 out of 10" in person.texts[-1] and "Change" not in person.received[-1].labels
    assert not {"A3", "A4", "B3"} & open_cases(person).keys() and "easier version" not in person.texts[-1]
    await person.say("sorry, 6")
    await person.say("change")
    await tap_under(person, person.received[-1], "5")
    assert [row for row in scores(person) if row[1] == TUESDAY] == [("pain_during", TUESDAY, 3), ("pain_24h_late", TUESDAY, 5)]
    await tap_under(person, asked, "9")
    assert says(person.texts[-1], ("safety_question",)), "pain like that is asked about whenever it is told"


async def test_an_answer_counts_until_36_hours_after_the_session_and_a_later_tap_replaces_none(sqlite_clinic: RunningClinic) -> None:
    person = await done_on_tuesday(sqlite_clinic)
    await sqlite_clinic.service.move_clock(DAY2)
    asked = person.received[-1]
    await sqlite_clinic.service.move_clock(DAY1 + 36 * HOUR)
    await tap_under(person, asked, "2")
    assert ("pain_24h", TUESDAY, 2) in scores(person)
    await sqlite_clinic.service.move_clock(DAY1 + 36 * HOUR + timedelta(minutes=1))
    await tap_under(person, asked, "6")
    assert {("pain_24h", TUESDAY, 2), ("pain_24h_late", TUESDAY, 6)} <= set(scores(person))


async def tap_under(person: Person, message: Received, label: str) -> None:
    (button,) = [each for row in message.outbound.rows for each in row if each.label == label]
    await person.say("", kind="tap", data=button.data, reply_to=message.provider_id)


async def test_a_number_too_early_and_exercises_told_before_their_prompt_leave_the_question_its_place(clinic: RunningClinic) -> None:
    person = await clinic.opted_in(at=time(13))
    await clinic.service.move_clock(DAY1 + 12 * HOUR)
    await person.say("done, 3")
    await clinic.service.move_clock(DAY2)
    await person.say("4")
    await person.tap("Now, a day after yesterday")  # twelve hours later
    await person.tap("Not now")
    await clinic.service.move_clock(DAY2 + timedelta(hours=4, minutes=30))
    await person.say("did today's already, 2")
    await clinic.service.move_clock(DAY2 + 13 * HOUR)
    assert [each.reason for each in person.messages(kind="prompt", day=TUESDAY + timedelta(days=1))] == ["answered already"]
    assert len([each for each in person.received if is_about_tuesday(each.outbound)]) == 1
    await person.say("1")
    assert ("pain_24h", TUESDAY, 1) in scores(person)
