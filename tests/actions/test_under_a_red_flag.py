"""What a patient may write while a red flag holds the exercises, and what is not asked of them then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.conversation.typed import says_seen
from tests.actions.test_receive_safety import EMERGENCY, SUICIDE, URGENT, prompted
from tests.actions.told import DAY1, DAY2, DAY3, evidence, open_cases, open_questions, prescription
from tests.running_clinic import RunningClinic


async def test_start_after_stop_plans_again_whether_they_were_seen_and_promises_no_reminders(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await person.say(URGENT)
    await person.say("stop")
    await person.say("start")
    assert person.texts[-1].startswith("Welcome back. You get messages from us again.")
    assert "reminders are on" not in person.texts[-1] and "stay paused until your clinic has looked" in person.texts[-1]
    await clinic.service.move_clock(DAY2)
    assert (
        person.texts[-1]
        == "We are writing about your message from yesterday. It was about something that needed to be checked. Were you seen?"
    )
    await person.tap("Yes")
    await person.say("stop")
    await person.say("start")
    await clinic.service.move_clock(DAY3)
    assert sum("Were you seen?" in text for text in person.texts) == 1, "answered already"


async def test_start_after_stop_asks_nothing_once_a_clinician_has_cleared_it(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say(URGENT)
    await person.say("stop")
    flag = open_cases(person)["D1"]
    review.close_case(
        sqlite_clinic.db, Decision(sqlite_clinic.physio, person.episode().id, "seen in clinic"), flag.id, sqlite_clinic.clock.now()
    )
    await person.say("start")
    assert "Your reminders are on again." in person.texts[-1] and not person.messages(kind="seen", status="due")


async def test_who_was_seen_says_so_unasked_and_changes_nothing_else(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await person.say("send it at 7pm")
    before = prescription(person)
    await person.say(EMERGENCY)
    assert "confirm_time" not in {question.kind for question in open_questions(person)}
    await person.say("yes, the hospital said all fine")
    assert person.texts[-1].startswith("Thank you for telling us. Your physio team will read that") and prescription(person) == before
    case = open_cases(person)["D1"]
    assert len(evidence(person, case)) == 2 and "X3" in case.reasons
    await clinic.service.move_clock(DAY2)
    assert not any("Were you seen?" in text for text in person.texts)


async def test_no_chores_are_asked_beside_the_emergency(sqlite_clinic: RunningClinic) -> None:
    person = await prompted(sqlite_clinic)
    await person.say("4")
    await person.tap("Not today")
    assert "Shall we note" in person.texts[-1]
    await person.say(EMERGENCY)
    told = len(person.texts)
    for written in ("not today", "so what now", "ok", "hm"):
        await person.say(written)
    assert not any("Shall we note" in text or "worst pain" in text for text in person.texts[told:])


async def test_the_hold_is_said_in_full_once_a_day_and_short_after_that(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await person.say(EMERGENCY)
    for written in ("so what do I do", "can I still walk the dog?", "when will someone ring me?"):
        await person.say(written)
    full, *short = person.texts[-3:]
    assert "Nobody watches this chat" in full and "stay paused" in full
    expected = (
        "Your clinic can read this message too. Their next hours: today, until 18:00. "
        "Do not wait for them: if nobody has checked you yet, go to A&E or call 999."
    )
    assert short == [expected, expected]
    await clinic.service.move_clock(DAY1 + timedelta(days=1, hours=4))
    await person.say("anybody?")
    assert "Nobody watches this chat" in person.texts[-1] or "Were you seen about it?" in person.texts[-1]
    await person.say(SUICIDE)
    await person.say("hello?")
    assert "Samaritans" in person.texts[-1]


SEEN = {
    "en": ("yes, the hospital said all fine", "went to A&E, they checked me, all ok", "they said it's fine", "I saw the nurse yesterday"),
    "es": ("sí, en el hospital dijeron que todo bien", "ya me vio el médico"),
    "pl": ("tak, w szpitalu powiedzieli że wszystko dobrze", "byłam u lekarza"),
    "ar": ("نعم، قال الطبيب إن كل شيء بخير", "فحصوني في المستشفى"),
    "hi": ("हाँ, अस्पताल में डॉक्टर ने कहा सब ठीक है", "haan doctor ne dekha sab theek hai", "जाँच हो गई, सब ठीक"),
}
NOT_SEEN = {
    "en": (
        "yes", "the doctor will see me tomorrow", "the doctor hasn't seen me yet", "should I go to the hospital", "nobody has checked me",
        "they told me to go to A&E", "has anyone seen this?", "the doctor saw my mum", "can I still walk the dog",
    ),
    "es": ("nadie me ha visto", "voy a ir al médico", "me dijeron que vaya al hospital"),
    "pl": ("lekarz mnie jeszcze nie zbadał", "jutro jadę do szpitala"),
    "ar": ("لم يفحصني أحد", "سأذهب إلى المستشفى غدا"),
    "hi": ("अब तक किसी डॉक्टर ने नहीं देखा", "कल डॉक्टर को दिखाऊँगा"),
}  # fmt: skip


@pytest.mark.parametrize("language", SEEN)
def test_being_seen_is_told_from_being_sent_or_waiting(language: str) -> None:
    assert [words for words in SEEN[language] if not says_seen(words, language)] == []
    assert [words for words in NOT_SEEN[language] if says_seen(words, language)] == []


async def test_a_no_to_having_talked_to_somebody_is_told_and_answered_in_kind_after_the_red_flag_was_cleared(clinic: RunningClinic) -> None:
    person = await prompted(clinic)
    await person.say(SUICIDE)
    await clinic.service.move_clock(DAY2)
    assert "Have you been able to talk to somebody?" in person.texts[-1]
    flag = open_cases(person)["D1"]
    review.close_case(clinic.db, Decision(clinic.physio, person.episode().id, "rang him, with family"), flag.id, clinic.clock.now())
    await person.tap("No")
    assert person.texts[-1].startswith("Please call ") and "NHS 111" not in person.texts[-1] and "been seen" not in person.texts[-1]
    case = open_cases(person)["X3"]
    assert case.urgency == "same_day" and case.words == "Has not talked to anybody (asked after the red flag)"
