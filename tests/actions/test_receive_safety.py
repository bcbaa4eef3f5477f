"""Red-flag words and STOP through the real service: what is sent, held, told to whom, and what undoes it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from tests.actions.told import (
    DAY1,
    DAY2,
    DAY3,
    DAY4,
    DAY5,
    audited,
    counts,
    current,
    evidence,
    holds,
    open_cases,
    open_questions,
    proposals,
    scores,
    status,
)
from tests.running_clinic import Person, RunningClinic

EMERGENCY, URGENT, PROMPT, SUICIDE = "I can't feel my legs", "heard a loud pop", "the pain wakes me every night", "I want to die"


async def prompted(clinic: RunningClinic) -> Person:
    person = await clinic.opted_in()
    await clinic.service.move_clock(DAY1)
    return person


@pytest.mark.parametrize("words", [EMERGENCY, URGENT, SUICIDE])
async def test_grave_words_hold_prompts_until_a_clinician_closes_the_case(clinic: RunningClinic, words: str) -> None:
    person = await prompted(clinic)
    await person.say(words)
    case = open_cases(person)["D1"]
    assert case.words == words and holds(person) == ["red_flag"]
    assert not person.messages(kind="nudge", status="due")
    await clinic.service.move_clock(DAY4)
    assert [each.status for each in person.messages(kind="prompt")] == ["sent", "cancelled", "cancelled", "cancelled"]
    review.close_case(clinic.db, Decision(clinic.physio, person.episode().id, "seen in clinic"), case.id, clinic.clock.now())
    await clinic.service.tick()
    assert holds(person) == [] and "start again on your next exercise day" in person.texts[-1]
    await clinic.service.move_clock(DAY5)
    assert person.messages(kind="prompt")[-1].status == "sent"


async def test_the_first_text_is_full_and_says_where_to_turn(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say(EMERGENCY)
    assert "Please go to A&E now or call 999." in person.texts[-1] and "today, until 18:00" in person.texts[-1]
    await person.say(EMERGENCY)
    assert person.texts[-1].startswith("This still needs to be checked.")
    assert [piece.rule for piece in evidence(person, open_cases(person)["D1"])] == ["D1", "D1"]
    await person.say(SUICIDE)
    assert "Samaritans on 116 123" in person.texts[-1] and "exercise" not in person.texts[-1] and "physio" not in person.texts[-1]
    await sqlite_clinic.service.move_clock(DAY2)
    await person.say(EMERGENCY)
    assert "Please go to A&E now or call 999." in person.texts[-1], "a new day gets the full text again"


@pytest.mark.parametrize(("words", "told"), [(EMERGENCY, "go to A&E"), (URGENT, "call 111 today"), (SUICIDE, "Samaritans on 116 123")])
async def test_while_held_whatever_is_written_is_answered_with_the_hold_and_reaches_the_physio(
    sqlite_clinic: RunningClinic, words: str, told: str
) -> None:
    person = await prompted(sqlite_clinic)
    await person.say(words)
    for written in ("so what do I do", "plan", "start", "how to do them"):
        await person.say(written)
        assert told in person.texts[-1] and "worst pain" not in person.texts[-1] and person.received[-1].labels == [], written
    case = open_cases(person)["D1"]
    assert set(open_cases(person)) == {"D1"} and case.words == words and "X3" in case.reasons
    assert len(evidence(person, case)) == 2, "what could not be read stands beside the red-flag words"
    assert any("exercises" in text for text in person.texts[-4:]) is (words != SUICIDE), (
        "the text for suicidal words speaks of nothing else"
    )


async def test_what_is_written_after_somebody_looked_makes_the_red_flag_wait_again(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await person.say(EMERGENCY)
    flag, version = open_cases(person)["D1"], person.episode().evidence_version
    review.acknowledge_case(clinic.db, Decision(clinic.physio, person.episode().id, "seen"), flag.id, clinic.clock.now())
    assert open_cases(person)["D1"].status == "acknowledged"
    await person.say("hello?")
    assert person.texts[-1].startswith("We have your message, and your clinic can read it.")
    await person.say("", kind="media", media="photo")
    again = open_cases(person)["D1"]
    assert (again.id, again.status, again.urgency) == (flag.id, "open", "now") and set(open_cases(person)) == {"D1"}
    assert len(evidence(person, again)) == 3
    assert person.episode().evidence_version > version, "nobody clears it on a page that does not show the message"


async def test_hello_is_answered_with_the_question_that_is_open(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say(EMERGENCY)
    await sqlite_clinic.service.move_clock(DAY2)
    await person.say("hello?")
    assert "call 999" in person.texts[-1] and person.texts[-1].endswith("Were you seen about it? Please tap Yes or No.")
    assert person.received[-1].labels == ["Yes", "No"]


async def test_a_number_typed_late_counts_like_a_tapped_one_while_nothing_younger_is_asked(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say(URGENT)
    await sqlite_clinic.service.move_clock(DAY2 + timedelta(hours=12))
    await person.say("3")
    assert ("pain_during", date(2026, 9, 22), 3) in scores(person)


async def test_an_old_number_is_not_taken_for_a_session_when_nothing_holds_the_exercises(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("pause 5 days")
    await person.tap("Yes")
    await sqlite_clinic.service.move_clock(DAY2 + timedelta(hours=12))
    await person.say("3")
    assert holds(person) == ["pause"]
    assert not [row for row in scores(person) if row[0] == "pain_during"]


async def test_who_writes_again_after_silence_is_promised_no_exercises_while_something_else_holds_them(
    sqlite_clinic: RunningClinic,
) -> None:
    clinic = sqlite_clinic
    person = await prompted(clinic)
    await clinic.service.move_clock(DAY1 + timedelta(days=9))
    review.pause(clinic.db, Decision(clinic.physio, person.episode().id, "away"), None, clinic.clock.now())
    await person.say("hello")
    assert "lost_contact" not in holds(person) and not any("Good to hear from you." in text for text in person.texts)


async def test_the_next_day_we_ask_whether_they_were_seen(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say(URGENT)
    await sqlite_clinic.service.move_clock(DAY2)
    assert person.texts[-1].endswith("Were you seen?") and person.messages(kind="seen")[-1].due_at == DAY3
    await person.tap("No")
    assert "call 111 today" in person.texts[-1] and holds(person) == ["red_flag"]
    await person.say("yes I went to A&E in the end")
    assert holds(person) == ["red_flag"], "only a clinician lets exercises go on"


async def test_the_day_after_suicidal_words_we_ask_whether_they_could_talk_to_somebody(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say(SUICIDE)
    await person.say("no")
    assert not [entry for entry in current(person) if entry.kind == "session"] and "Samaritans on 116 123" in person.texts[-1]
    await sqlite_clinic.service.move_clock(DAY2)
    assert "Have you been able to talk to somebody?" in person.texts[-1] and "Samaritans on 116 123" in person.texts[-1]
    assert "checked" not in person.texts[-1]
    await person.tap("No")
    assert "call Samaritans on 116 123" in person.texts[-1] and "111" not in person.texts[-1] and holds(person) == ["red_flag"]


async def test_whether_they_were_seen_is_asked_in_the_morning_whenever_their_exercises_come(sqlite_clinic: RunningClinic) -> None:
    person = await sqlite_clinic.opted_in(at=time(18, 30))
    await sqlite_clinic.service.move_clock(DAY1)
    await person.say(URGENT)
    assert [each.due_at for each in person.messages(kind="seen")] == [DAY2, DAY3]


async def test_prompt_words_ask_new_or_worse_and_hold_nothing(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say(PROMPT)
    assert open_cases(person)["D1"].urgency == "three_days" and holds(person) == []
    assert person.received[-1].labels == ["Yes", "No"]
    await person.tap("Yes")
    assert "new or worse" in person.texts[-1]
    await sqlite_clinic.service.move_clock(DAY2)
    assert person.messages(kind="prompt")[-1].status == "sent"


async def test_a_number_in_a_red_flag_message_is_kept_and_never_counts(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("9, and I can't feel my legs")
    unconfirmed = [entry for entry in current(person) if not entry.confirmed]
    assert [(entry.kind, entry.score) for entry in unconfirmed] == [("pain_during", 9)]
    assert set(open_cases(person)) == {"D1"}, "no pain rule has read it"
    await person.say("2")
    assert ("pain_during", date(2026, 9, 22), 2) in scores(person)


async def test_one_of_these_holds_prompts_and_the_words_that_follow_are_kept(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("9")
    await person.tap("One of these")
    assert holds(person) == ["red_flag"] and "call 111" in person.texts[-1]
    await person.say("it is the third one on your list")
    assert set(open_cases(person)) == {"A4", "D1"} and "X3" in open_cases(person)["D1"].reasons


async def test_before_opting_in_red_flag_words_are_answered_and_kept(sqlite_clinic: RunningClinic) -> None:
    person = Person(sqlite_clinic, sqlite_clinic.enrol(), "sim:1")
    await person.say("hi", code=person.invitation.code)
    await person.say(EMERGENCY)
    assert "A&E" in person.texts[-1] and "D1" in open_cases(person) and status(person) == "asked"
    await person.say("yes")
    await person.say("2")
    await sqlite_clinic.service.move_clock(DAY2)
    assert person.messages(kind="prompt", status="sent") == []


@pytest.mark.parametrize("words", ["stop", "STOP, I can't feel my legs"])
async def test_stop_sticks_and_only_a_safety_text_goes_out_after_it(clinic: RunningClinic, words: str) -> None:
    person = await prompted(clinic)
    await person.say(words)
    assert status(person) == "opted_out" and open_questions(person) == []
    assert ("D1" in open_cases(person)) is ("legs" in words)
    sent = len(person.received)
    for more in ("hello", "3", "yes", "plan", "stop", "sorry, 4", "I changed my mind", "thanks"):
        await person.say(more)
    await clinic.service.move_clock(DAY3)
    assert len(person.received) == sent and status(person) == "opted_out"
    await person.say(URGENT)
    assert len(person.received) == sent + 1 and "should be checked today" in person.texts[-1]
    await clinic.service.move_clock(DAY5)
    assert len(person.received) == sent + 1, "not even the question whether they were seen"
    await person.say("START")
    assert status(person) == "opted_in" and "Welcome back" in person.texts[-1]


async def test_start_makes_an_earlier_pause_button_void(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    for answered in (False, True):
        await person.say("pause 5 days")
        yes = next(cell for row in person.received[-1].outbound.rows for cell in row if cell.label == "Yes")
        if answered:
            await person.say("yes")
            assert holds(person) == ["pause"]
        else:
            await clinic.service.move_clock(clinic.clock.now() + timedelta(days=2))
        await person.say("resume")
        await person.say("", kind="tap", data=yes.data)
        assert holds(person) == [] and "nothing has changed" in person.texts[-1]


async def test_after_start_prompts_come_again(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("stop")
    await sqlite_clinic.service.move_clock(DAY2 + timedelta(hours=1))
    await person.say("start")
    await sqlite_clinic.service.move_clock(DAY3)
    assert [each.day for each in person.messages(kind="prompt", status="sent")] == [date(2026, 9, 22), date(2026, 9, 24)]


async def test_stop_before_agreeing_sticks_too(sqlite_clinic: RunningClinic) -> None:
    person = Person(sqlite_clinic, sqlite_clinic.enrol(), "sim:1")
    await person.say("hi", code=person.invitation.code)
    await person.say("stop")
    sent = len(person.received)
    await person.say("yes")
    await person.say("hi again")
    assert status(person) == "opted_out" and len(person.received) == sent


async def test_stop_after_a_silent_week_is_not_greeted_with_exercises(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await sqlite_clinic.service.move_clock(DAY1 + timedelta(days=9))
    assert holds(person) == ["lost_contact"]
    await person.say("stop")
    assert person.texts[-1].startswith("You will get no more messages") and status(person) == "opted_out"


async def test_any_message_ends_the_silence(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await sqlite_clinic.service.move_clock(DAY1 + timedelta(days=9))
    silent = len(person.messages(kind="prompt", status="sent"))
    await person.say("sorry, was away")
    assert holds(person) == [] and person.texts[-1].startswith("Good to hear from you.")
    await sqlite_clinic.service.move_clock(DAY1 + timedelta(days=11))
    assert len(person.messages(kind="prompt", status="sent")) > silent


async def test_after_discharge_only_safety_texts_and_one_kind_sentence(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    person = await prompted(clinic)
    review.discharge(clinic.db, Decision(clinic.physio, person.episode().id, "done"), clinic.clock.now())
    await person.say("4")
    assert "programme with us has ended" in person.texts[-1] and not [row for row in scores(person) if row[0] == "pain_during"]
    await person.say(EMERGENCY)
    assert "A&E" in person.texts[-1] and "D1" in open_cases(person)
    assert "programme with us has ended" in person.texts[-1] and "exercises" not in person.texts[-1] and "told" not in person.texts[-1]
    await person.say(EMERGENCY)
    assert "told" not in person.texts[-1]
    sent = len(person.received)
    await clinic.service.move_clock(DAY5)
    assert len(person.received) == sent and proposals(person) == []


async def test_discharged_after_stop_stays_silent(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    person = await prompted(clinic)
    await person.say("stop")
    review.discharge(clinic.db, Decision(clinic.physio, person.episode().id, "done"), clinic.clock.now())
    sent = len(person.received)
    await person.say("hello")
    await person.say("start")
    assert len(person.received) == sent


SCRIPT = [
    "4",
    "sorry, 5",
    "help",
    "wobbly fish",
    "pause 3 days",
    "yes",
    "start",
    "plan",
    "talk to my physio",
    URGENT,
    "not today",
    "2",
    "stop",
    "start",
]


async def test_the_same_update_twice_changes_nothing(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    for number, words in enumerate(SCRIPT):
        await person.say(words, id=f"same{number}", message_id=f"same{number}")
        before = counts(person), len(person.received), status(person), holds(person)
        for _ in range(2):
            await person.say(words, id=f"same{number}", message_id=f"same{number}")
        assert (counts(person), len(person.received), status(person), holds(person)) == before, words
    for number, words in enumerate(SCRIPT):  # and all of it again at the end
        await person.say(words, id=f"same{number}", message_id=f"same{number}")
    assert (counts(person), len(person.received), status(person), holds(person)) == before


async def test_a_button_tapped_twice_in_two_updates_records_once(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.tap("4", tick=False)
    await person.tap("4")
    assert [row for row in scores(person) if row[0] == "pain_during"] == [("pain_during", date(2026, 9, 22), 4)]


async def test_a_tap_on_somebody_elses_button_does_nothing_to_either(sqlite_clinic: RunningClinic) -> None:
    first, second = await prompted(sqlite_clinic), await sqlite_clinic.opted_in("Sam Lee")
    button = next(cell for row in first.received[-1].outbound.rows for cell in row if cell.label == "7")
    await second.say("", kind="tap", data=button.data)
    await second.say("", kind="tap", data="v1:nonsense:7")
    assert [kind for kind, _, _ in scores(first)] == [kind for kind, _, _ in scores(second)] == ["baseline"]


async def test_every_step_of_consent_is_in_the_audit_trail(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("stop")
    await person.say("start")
    assert audited(person) == ["enrolled", "chat_linked", "opted_in", "opted_out", "opted_in"]
    assert datetime(2026, 9, 22, 7, tzinfo=UTC) == DAY1
