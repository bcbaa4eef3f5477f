"""A patient's messages through the real service: what is recorded, asked and answered, on both kinds of database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bot_service.storage import cases, inbox, outbox
from tests.actions.told import (
    DAY1,
    DAY2,
    DAY3,
    audited,
    current,
    everything,
    holds,
    open_cases,
    open_questions,
    prescription,
    proposals,
    scores,
    status,
    transcript,
)
from tests.running_clinic import Person, RunningClinic
from tests.web.lives import live

TUESDAY, WEDNESDAY = date(2026, 9, 22), date(2026, 9, 23)


async def prompted(clinic: RunningClinic, **more: object) -> Person:
    """A patient on their first exercise day, with the prompt on the phone."""
    person = await clinic.opted_in(**more)  # type: ignore[arg-type]  # fields of Enrolment
    await clinic.service.move_clock(DAY1)
    return person


async def test_from_the_code_to_the_first_prompt(clinic: RunningClinic) -> None:
    person = Person(clinic, clinic.enrol(), "sim:1")
    await person.say("hello", code=person.invitation.code)
    assert "Do you agree?" in person.texts[-1] and status(person) == "asked"
    await person.tap("Yes")
    assert "usual pain" in person.texts[-1] and status(person) == "opted_in"
    await person.tap("3")
    assert person.episode().baseline == 3
    await clinic.service.move_clock(DAY1)
    assert "Your exercises for today are ready." in person.texts[-1]
    assert person.received[-1].labels == [*map(str, range(11)), "Did some", "Not today", "How to do them", "Something's wrong"]


@pytest.mark.parametrize("reply", ["4", "done, 4", "done it, 4/10", "four"])
async def test_one_reply_does_both_jobs(sqlite_clinic: RunningClinic, reply: str) -> None:
    person = await prompted(sqlite_clinic)
    await person.say(reply)
    assert [(entry.kind, entry.day, entry.score or entry.outcome) for entry in current(person)[-2:]] == [
        ("session", TUESDAY, "done"),
        ("pain_during", TUESDAY, 4),
    ]
    assert "Recorded: 4 out of 10." in person.texts[-1]


async def test_a_late_tap_counts_for_the_right_day(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    tuesdays = person.received[-1]
    await sqlite_clinic.service.move_clock(DAY3)
    button = next(cell for row in tuesdays.outbound.rows for cell in row if cell.label == "2")
    await person.say("", kind="tap", data=button.data, reply_to=tuesdays.provider_id)
    assert ("pain_during", TUESDAY, 2) in scores(person)
    done = next(entry for entry in current(person) if entry.kind == "session")
    assert done.day == TUESDAY and done.done_at == datetime(2026, 9, 22, 19, tzinfo=UTC)  # the evening of its day: reported late


async def test_two_open_questions_and_a_bare_number_ask_which_and_the_pick_lands(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await person.say("done, 3")
    await clinic.service.move_clock(DAY2)
    await person.tap("Show exercises")
    assert {question.kind for question in open_questions(person)} == {"pain_24h", "session"}
    before = scores(person)
    await person.say("4")
    assert "Which one is the 4 for?" in person.texts[-1] and scores(person) == before
    await person.tap("Now, a day after yesterday")
    assert [row for row in scores(person) if row not in before] == [("pain_24h", TUESDAY, 4)]
    with clinic.db.read() as tx:
        said = [each.text for each in inbox.list_of_patient(tx, person.invitation.patient_id)]
    assert "Now, a day after yesterday" in said and not {"0", "1"} & set(said), "what the button says, and no number of our own"
    await person.tap("Today's session")  # under the same message, which is answered
    assert [row for row in scores(person) if row not in before] == [("pain_24h", TUESDAY, 4)]


async def test_unreadable_twice_asked_again_then_the_physio_reads_the_words(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    for words in ("wobbly fish", "a bit floaty"):
        await person.say(words)
        assert "could not read" in person.texts[-1] and "10" in person.received[-1].labels
    assert "X2" not in open_cases(person)
    await person.say("like a rainbow")
    case = open_cases(person)["X2"]
    assert case.words == "like a rainbow" and "your physio will read your words" in person.texts[-1]
    await person.say("5")  # the question still stands
    assert ("pain_during", TUESDAY, 5) in scores(person)


async def test_a_correction_keeps_the_old_value_and_reruns_the_rules(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await person.say("9")
    assert "A4" in open_cases(person)
    await person.tap("None")
    await person.say("sorry, 3")
    assert ("pain_during", TUESDAY, 3) in scores(person) and ("pain_during", TUESDAY, 9) not in scores(person)
    old = next(entry for entry in everything(person) if entry.score == 9)
    new = next(entry for entry in everything(person) if entry.score == 3)
    assert new.supersedes_id == old.id
    assert "A4" in open_cases(person), "a correction never closes a flag"


async def test_a_correction_can_raise_a_flag(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("3")
    assert open_cases(person) == {}
    await person.say("sorry 9")
    assert "A4" in open_cases(person)


async def test_an_edited_message_replaces_its_value_every_time_it_is_edited(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await person.say("4", message_id="m7")
    await person.say("6", kind="edit", message_id="m7")
    assert ("pain_during", TUESDAY, 6) in scores(person) and "Corrected" in person.texts[-1]
    await person.say("2", kind="edit", message_id="m7")
    assert [row for row in scores(person) if row[0] == "pain_during"] == [("pain_during", TUESDAY, 2)]
    assert sorted(entry.score for entry in everything(person) if entry.kind == "pain_during" and entry.score is not None) == [2, 4, 6]


async def test_an_edit_of_a_message_that_was_corrected_since_never_answers_another_question(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("4", message_id="m7")
    await person.say("sorry, 3")
    await sqlite_clinic.service.move_clock(DAY2)
    await person.say("5", kind="edit", message_id="m7")
    assert [row for row in scores(person) if row[0] == "pain_24h"] == []
    assert ("pain_during", TUESDAY, 5) in scores(person)


async def test_the_same_value_again_changes_nothing(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.tap("4")
    before = everything(person), person.episode().evidence_version
    await person.tap("4")
    assert (everything(person), person.episode().evidence_version) == before


async def test_not_today_then_done_after_all_keeps_the_last_word(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.tap("Not today")
    await person.tap("5")
    assert [entry.outcome for entry in current(person) if entry.kind == "session"] == ["done"]
    assert not [each for each in person.messages(kind="check_in") if each.day != TUESDAY]
    assert person.messages(kind="check_in", status="due")


async def test_not_today_after_a_score_is_asked_about_first_and_a_button_tapped_twice_changes_nothing_more(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await person.tap("4")
    for label in ("Not today", "No", "No", "Not today", "Yes", "Yes", "No"):
        before = [entry.outcome for entry in current(person) if entry.kind == "session"]
        await person.tap(label)
        outcome = [entry.outcome for entry in current(person) if entry.kind == "session"]
        assert outcome == before or (label, before, outcome) == ("Yes", ["done"], ["not_done"])
    assert outcome == ["not_done"] and len([entry for entry in everything(person) if entry.kind == "session"]) == 2
    await person.tap("5")
    assert [entry.outcome for entry in current(person) if entry.kind == "session"] == ["done"]
    assert ("pain_during", TUESDAY, 5) in scores(person)


async def test_media_gets_a_row_and_one_kind_answer(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    sent = len(person.received)
    await person.say("", kind="media", media="photo")
    assert len(person.received) == sent + 1 and "your physio can see that it came" in person.texts[-1]
    assert transcript(person)[-1] == "photo"
    await person.say("3")
    assert ("pain_during", TUESDAY, 3) in scores(person)


async def test_pause_and_resume(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("pause 3 days")
    assert holds(person) == []
    await person.tap("Yes")
    assert holds(person) == ["pause"] and "again on Friday 25 September" in person.texts[-1]
    await sqlite_clinic.service.move_clock(DAY2 + timedelta(hours=6))
    assert [each.status for each in person.messages(kind="prompt")] == ["sent", "cancelled"]
    await person.say("start")
    assert holds(person) == [] and audited(person)[-2:] == ["paused", "resumed"]
    await person.say("start")
    assert audited(person)[-2:] == ["paused", "resumed"], "what is not paused does not end"
    await sqlite_clinic.service.move_clock(DAY3)
    assert person.messages(kind="prompt")[-1].status == "sent"


async def test_a_pause_from_a_later_day_leaves_the_days_before_it(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("away from thursday until saturday")
    assert "from Thursday 24 September and start again on Saturday 26 September?" in person.texts[-1]
    await person.tap("Yes")
    assert "pause from Thursday 24 September" in person.texts[-1]
    await sqlite_clinic.service.move_clock(DAY3 + timedelta(hours=6))
    assert [each.status for each in person.messages(kind="prompt")] == ["sent", "sent", "cancelled"]
    await sqlite_clinic.service.move_clock(DAY3 + timedelta(days=2))
    assert person.messages(kind="prompt")[-1].status == "sent"


async def test_start_before_a_pause_begins_tells_of_it_and_only_a_yes_cancels_it(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await person.say("away from thursday until saturday")
    await person.tap("Yes")
    await person.say("start")
    assert "it begins on Thursday 24 September" in person.texts[-1] and "again on Saturday 26 September" in person.texts[-1]
    assert holds(person) == ["pause"]
    await person.tap("Yes")
    assert holds(person) == [] and person.texts[-1].startswith("The pause is cancelled.")
    await clinic.service.move_clock(DAY3 + timedelta(hours=6))
    assert [each.status for each in person.messages(kind="prompt")] == ["sent"] * 3


@pytest.mark.parametrize(("days", "said"), [(5, "So far you did 5 of 5 sessions"), (40, "In the last four weeks you did 28 of 28")])
async def test_progress_speaks_of_four_weeks_only_once_they_are_over(sqlite_clinic: RunningClinic, days: int, said: str) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    live(sqlite_clinic, person, ", ".join(["done 2/1"] * days))
    await person.say("progress")
    assert said in person.texts[-1] and ("four weeks" in person.texts[-1]) is (days > 28)
    assert person.received[-1].outbound.picture is not None


async def test_a_pause_that_the_clinic_placed_is_not_the_patients_to_end_or_to_shorten(sqlite_clinic: RunningClinic) -> None:
    from bot_service.actions import review
    from bot_service.actions.deciding import Decision

    person = await prompted(sqlite_clinic)
    review.pause(
        sqlite_clinic.db, Decision(sqlite_clinic.physio, person.episode().id, "operation"), date(2026, 12, 1), sqlite_clinic.clock.now()
    )
    for words in ("start", "pause 2 days", "resume"):
        await person.say(words)
        assert "Your clinic has paused" in person.texts[-1]
    await sqlite_clinic.service.move_clock(DAY3)
    assert holds(person) == ["pause"] and len(person.messages(kind="prompt", status="sent")) == 1


async def test_another_time_is_confirmed_and_changes_nothing_else(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    before, stage = prescription(person), person.episode().stage
    await person.say("send it at 7pm")
    assert prescription(person) == before
    await person.tap("Yes")
    after = prescription(person)
    assert (after.exercises, after.rules, after.stage, person.episode().stage) == (before.exercises, before.rules, before.stage, stage)
    assert [slot.days for slot in after.slots] == [slot.days for slot in before.slots]
    await clinic.service.move_clock(DAY2 + timedelta(hours=14))
    assert [each.sent_at for each in person.messages(kind="prompt", status="sent")][-1] == datetime(2026, 9, 23, 18, tzinfo=UTC)


async def test_three_no_in_a_row_ask_one_reason_and_pain_goes_to_the_physio(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    for day in range(3):
        await sqlite_clinic.service.move_clock(DAY1 + timedelta(days=day))
        assert not any(question.kind == "reason" for question in open_questions(person))
        await person.say("no")
    assert any(question.kind == "reason" for question in open_questions(person))
    await person.say("my back hurts too much")
    assert open_cases(person)["X3"].words == "my back hurts too much"


async def test_usual_pain_above_five_means_the_physio_first(sqlite_clinic: RunningClinic) -> None:
    person = Person(sqlite_clinic, sqlite_clinic.enrol(), "sim:1")
    await person.say("hi", code=person.invitation.code)
    await person.say("yes")
    await person.say("7")
    assert holds(person) == ["physio_first"] and "physio will look first" in person.texts[-1]
    assert set(open_cases(person)) == {"X6"}
    await sqlite_clinic.service.move_clock(DAY2)
    assert person.messages(kind="prompt", status="sent") == []
    await person.say("plan")
    assert "1." not in person.texts[-1]


async def test_a_usual_pain_corrected_before_the_first_prompt_counts(sqlite_clinic: RunningClinic) -> None:
    person = Person(sqlite_clinic, sqlite_clinic.enrol(), "sim:1")
    await person.say("hi", code=person.invitation.code)
    for words in ("yes", "7", "sorry, 4"):
        await person.say(words)
    assert person.episode().baseline == 4 and holds(person) == [] and open_cases(person) == {}
    with sqlite_clinic.db.begin() as tx:
        closed = [(case.rule, case.sentence, case.closed_by, case.close_reason) for case in cases.list_closed(tx, person.episode())]
    said = "Usual pain 7/10 at opt-in, above 5: physio first, no loading yet."
    assert closed == [("X6", said, cases.SETTLED, "the usual pain was corrected to 4/10 by the patient")]
    await sqlite_clinic.service.move_clock(DAY1)
    assert len(person.messages(kind="prompt", status="sent")) == 1
    await person.say("sorry, 1")  # the prompt is out: only a clinician changes it now
    assert person.episode().baseline == 4
    assert [question.kind for question in open_questions(person)] == ["session"]


async def test_the_24_hour_question_comes_first_and_the_exercises_follow(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("2")
    await sqlite_clinic.service.move_clock(DAY2)
    assert person.texts[-1].startswith("One question about yesterday's session.") and "1." not in person.texts[-1]
    await person.say("1")
    assert ("pain_24h", TUESDAY, 1) in scores(person) and "It has settled." in person.texts[-1] and "1. Bridge" in person.texts[-1]
    await person.say("3")
    assert ("pain_during", WEDNESDAY, 3) in scores(person)


async def test_not_today_to_the_24_hour_question_is_about_today(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("2")
    await sqlite_clinic.service.move_clock(DAY2)
    await person.say("not today")
    assert [(entry.day, entry.outcome) for entry in current(person) if entry.kind == "session"] == [
        (TUESDAY, "done"),
        (WEDNESDAY, "not_done"),
    ]
    await person.say("1")
    assert ("pain_24h", TUESDAY, 1) in scores(person)
    assert "1. Bridge" not in person.texts[-1], "exercises that were called off are not shown again"


async def test_nothing_is_proposed_or_changed_by_any_of_it(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    for words in ("0", "sorry, 1", "plan", "progress", "help", "I want to move to the advanced plan", "approve", "next stage please"):
        await person.say(words)
    assert person.episode().stage == "early" and proposals(person) == []


@pytest.mark.parametrize("how", ["typed", "tapped"])
async def test_an_answer_proves_that_a_message_in_doubt_arrived(sqlite_clinic: RunningClinic, how: str) -> None:
    clinic = sqlite_clinic
    person = await clinic.opted_in()
    await clinic.service.move_clock(DAY1)
    (prompt,) = person.messages(kind="prompt")
    with clinic.db.begin() as tx:
        outbox.move(tx, prompt.id, ("sent",), "in_doubt", clinic.clock.now(), "stopped during the call")
    if how == "typed":
        await person.say("done, 3")
    else:
        await person.tap("3")
    assert person.messages(kind="prompt", status="sent") and ("pain_during", TUESDAY, 3) in scores(person)


async def test_yesterdays_answer_edited_to_not_done_changes_yesterday_and_leaves_today_alone(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("done, 4", message_id="m1")
    await sqlite_clinic.service.move_clock(DAY2)
    await person.say("sorry, didn't do it", kind="edit", message_id="m1")
    outcomes = {(entry.day, entry.outcome) for entry in current(person) if entry.kind == "session"}
    assert outcomes == {(TUESDAY, "not_done")}
    assert WEDNESDAY not in {entry.day for entry in current(person)}


async def test_a_milder_red_flag_never_hides_the_one_that_is_open(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("I can't feel my legs")
    await person.say("also the pain wakes me every night and I am losing weight")
    case = open_cases(person)["D1"]
    assert case.urgency == "now" and case.sentence.startswith("Emergency") and case.reasons["D1"]["tier"] == "EMERGENCY"


async def test_the_load_used_is_recorded_with_the_prescription_it_was_used_on_and_no_rule_reads_it(clinic: RunningClinic) -> None:
    person = clinic.in_care()
    await clinic.service.move_clock(DAY1)
    await person.say("done with 8 kg, 3")
    (load,) = [each for each in current(person) if each.kind == "load"]
    assert (load.outcome, load.score, load.prescription_id) == ("8 kg", None, person.episode().prescription_id)
    await person.say("done with 7.5 kg, 3")
    assert scores(person) == [("pain_during", DAY1.date(), 3)]
    assert len([each for each in current(person) if each.kind == "session"]) == 1
