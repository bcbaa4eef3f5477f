"""The words a patient reads: complete, filled in from the clinic's settings, neutral where a locked phone shows them, and plain."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given

from bot_service.channels.whatsapp_texts import LONGEST_TEXT
from bot_service.conversation.situation import Situation, Told
from bot_service.conversation.states import KINDS
from bot_service.conversation.tokens import button_data
from bot_service.conversation.turn import take_turn
from bot_service.conversation.wording import SHIPPED, Voice, load_catalogue, placeholders, render
from plans.editing import at_rungs
from plans.loading import LIBRARY, load_plan, load_words
from plans.model import prescribe
from plans.tongues import in_words
from tests.builders import TODAY, a_plan, a_prescription
from tests.conversation.situations import asked
from tests.conversation.test_turn_properties import situations, things_told
from tests.source_tree import ROOT

LONGEST = 4096  # one Telegram message
CATALOGUE = load_catalogue("en")
VOICE = Voice(
    "en",
    TODAY,
    "Riverside Physio",
    "Anna Reed",
    "112",
    "116117",
    "the night line on 0800 1",
    "Monday 08:00",
    time(8),
    a_prescription(signed=True),
)
UNSOLICITED = (
    "prompt_intro", "still_open", "ask_24h", "nudge", "silence", "ask_seen", "ask_talked", "plan_changed_forward", "plan_changed_back",
    "plan_changed_same", "plan_changed_advice", "plan_held", "run_opened", "run_closed",
    "holds_released", "paused_by_clinic", "from_physio", "message_read",
)  # fmt: skip
"""The first line of every message that answers nothing."""


def say(key: str, **values: object) -> str:
    return render({"lines": [[key, values]]}, VOICE)[0]


def test_other_ways_to_write_an_answer_are_answers_of_that_question() -> None:
    for kind, answers in CATALOGUE.typed.items():
        offered = {answer for row in KINDS[kind].rows for answer in row} or {"0", "1", "2"}
        offered |= {"later"} if kind == "consent" else set()  # no button: it leaves the question open
        assert set(answers) <= offered, kind
        said = [phrase for phrases in answers.values() for phrase in phrases]
        assert len(said) == len(set(said)), f"{kind}: one phrase for two answers"


@given(things_told(), situations())
def test_whatever_a_turn_says_can_be_sent(told: Told, now: Situation) -> None:
    turn = take_turn(told, now)
    if not turn.lines:
        return
    by = {"passed_on": {"by": "Monday 12:00"}}  # filled in from the clinic's hours
    lines = [[line.key, {**line.values, **by.get(line.key, {})}] for line in turn.lines if line.key != "progress"]
    content: dict[str, object] = {"lines": lines, "change": str(turn.change) if turn.change else None}
    if turn.ask is not None:
        content["ask"] = {"kind": turn.ask.kind, "detail": dict(turn.ask.detail), "question": str(UUID(int=5))}
    text, rows = render(content, VOICE)
    assert "$" not in text
    assert len(text) <= LONGEST
    for cell in (cell for row in rows for cell in row):
        assert cell["label"] and button_data(UUID(cell["question"]), cell["answer"])


@pytest.mark.parametrize("language", SHIPPED)
@pytest.mark.parametrize("stage", [stage.id for stage in a_plan().stages])
@pytest.mark.parametrize("weekday", range(7))
def test_the_longest_messages_fit(stage: str, weekday: int, language: str) -> None:
    plan = a_prescription(stage, signed=True, unlocked=True)
    voice = Voice(language, TODAY, "Riverside Physio", "Anna Reed", "999", "111", "Samaritans", "Monday 08:00", time(8), plan)
    day = (TODAY + timedelta(days=1 + weekday)).isoformat()
    everything = [item.exercise.id for item in plan.exercises]
    for slot in plan.slots:
        for easier in ((), tuple(everything)):
            values = {"day": day, "slot": slot.number, "easier": easier, "not_before": "10:30"}
            prompt, _ = render({"lines": [["prompt_intro", {}], ["exercises", values]]}, voice)
            assert len(prompt) + len(" · ".join(load_catalogue(language).buttons.values())) <= LONGEST_TEXT, "in one part on WhatsApp"
            meant = [["recorded", {"score": 9}], ["advice", {"score": 9}], ["flare_plan", {}], ["exercises", values]]
            text, _ = render({"lines": meant}, voice)
            assert len(text) <= LONGEST and "None" not in text and "$" not in text
        text, _ = render({"lines": [["how_to", {"day": day, "slot": slot.number}]]}, voice)
        assert len(text) <= LONGEST


def test_a_question_older_than_the_prescription_still_shows_exercises() -> None:
    assert "1. " in say("exercises", day=TODAY.isoformat(), slot=99)
    assert "Step by step" in say("how_to", day=TODAY.isoformat(), slot=99)


def test_what_is_left_out_is_named_and_not_listed() -> None:
    out = a_prescription().exercises[0].exercise
    text = say("exercises", day=TODAY.isoformat(), slot=1, left_out=[out.id])
    assert f"leave this out until your physio has looked: {out.name}" in text
    assert f"1. {out.name}" not in text


def test_an_exercise_or_a_step_named_when_the_message_was_queued_is_told_in_the_patients_language() -> None:
    voice = replace(VOICE, language="es")
    text, _ = render({"lines": [["leave_out", {"names": "Single-leg stand"}], ["leave_out", {"names": "Three sets of 12."}]]}, voice)
    assert "De pie sobre una pierna" in text and "Tres series de 12." in text
    assert "my own words" in render({"lines": [["from_physio", {"words": "my own words"}]]}, voice)[0]


FRIDAY = {"day": "2026-09-25", "slot": 1}
HIDDEN = re.compile(
    r"pain|ache|hurt|sore|hamstring|tendo|tendin|buttock|hip|leg|thigh|knee|sit|bone|muscle|physio|therap|clinic(?:al|ian)|injur|rehab|patient",
    re.IGNORECASE,
)


@pytest.mark.parametrize("key", [*UNSOLICITED, "ask_24h_at"])
def test_what_a_locked_phone_shows_names_no_condition_body_part_profession_or_person(key: str) -> None:
    first = CATALOGUE.texts[key].strip().split("\n")[0]
    assert not HIDDEN.search(first), first
    assert placeholders(first) <= {"day", "until", "at"}


@pytest.mark.parametrize("key", [key for key in CATALOGUE.texts if key.startswith(("safety_", "seen_no", "talked_"))])
def test_safety_texts_take_their_numbers_from_the_clinic(key: str) -> None:
    assert not re.search(r"\d{3}", CATALOGUE.texts[key])
    if key in (
        "safety_emergency",
        "safety_urgent",
        "safety_suicide",
        "safety_repeat_short",
        "safety_repeat_suicide",
        "talked_yes",
        "talked_no",
    ):
        assert "112" in say(key)
    if "suicide" in key or "talked" in key:
        assert "the night line on 0800 1" in say(key)
        assert not re.search(r"exercise|pain|physio|checked", say(key)), "the text for suicidal words speaks of nothing else"


def test_no_sentence_holds_a_telephone_number_of_its_own() -> None:
    assert [key for key, text in CATALOGUE.texts.items() if re.search(r"(?<!\$)\b\d{3,}\b", text)] == []


def test_emergency_text_says_go_now_and_that_nobody_watches() -> None:
    text = say("safety_emergency")
    for words in (
        "straight away",
        "A&E now",
        "112",
        "Do not do your exercises",
        "Nobody watches this chat",
        "Monday 08:00",
        "Do not wait for them",
    ):
        assert words in text


BLAME = re.compile(
    r"\b(fail\w*|missed|should have|must|streak|complian\w*|adheren\w*|lazy|forgot to|why did|didn't|bad|unfortunately)\b",
    re.IGNORECASE,
)
AMERICAN = re.compile(r"\b(program|color|center|behavior|physical therap\w*|ER|911|gotten|while you wait on)\b")


@pytest.mark.parametrize("key", list(CATALOGUE.texts))
def test_sentences_are_short_kind_and_british(key: str) -> None:
    text = CATALOGUE.texts[key]
    assert not BLAME.search(text)
    assert not AMERICAN.search(text)
    assert "!" not in text
    for sentence in re.split(r"(?<=[.?:])\s+|\n", text):
        assert len(sentence.split()) <= 31, sentence


def test_the_texts_read_easily() -> None:
    words = [word for key, text in CATALOGUE.texts.items() if key != "help" for word in re.findall(r"[A-Za-z']+", text)]
    sentences = [part for text in CATALOGUE.texts.values() for part in re.split(r"[.?:]\s", text) if part.strip()]
    assert sum(len(word) for word in words) / len(words) < 4.6
    assert len(words) / len(sentences) < 13


@pytest.mark.parametrize(
    ("ago", "words"), [(0, "today"), (1, "yesterday"), (2, "Friday"), (6, "Monday"), (7, "Sunday 15 November"), (-1, "Monday 23 November")]
)
def test_days_are_named_as_people_name_them(ago: int, words: str) -> None:
    assert CATALOGUE.date(TODAY - timedelta(days=ago), TODAY) == words


def test_a_language_without_a_catalogue_is_answered_in_english() -> None:
    assert load_catalogue("tlh") == CATALOGUE
    assert SHIPPED == ("en", "ar", "es", "hi", "pl")
    assert load_catalogue("es-MX") == load_catalogue("es")


def test_buttons_carry_the_question_they_answer() -> None:
    question = str(UUID(int=9))
    _, rows = render({"lines": [["ask_baseline", {}]], "ask": {"kind": "baseline", "question": question}, "change": question}, VOICE)
    assert [cell["answer"] for row in rows for cell in row] == [*map(str, range(11)), "change"]
    assert {cell["question"] for row in rows for cell in row} == {question}


def test_the_choices_of_which_name_their_day() -> None:
    which = asked("which")
    _, rows = render(
        {"lines": [["which", {"score": 4}]], "ask": {"kind": "which", "detail": which.detail, "question": str(which.id)}}, VOICE
    )
    assert [row[0]["label"] for row in rows] == ["Today's session", "Now, a day after yesterday"]


def test_a_missing_value_is_an_error_and_never_a_gap() -> None:
    with pytest.raises(KeyError):
        say("recorded")
    with pytest.raises(KeyError):
        say("no_such_key")


def test_the_catalogue_file_says_that_it_is_a_draft() -> None:
    head = (ROOT / "bot_service/conversation/catalogues/en.toml").read_text(encoding="utf-8")[:400]
    assert "physiotherapist must approve" in head
    assert date(2026, 11, 22) == TODAY


@pytest.mark.parametrize("language", SHIPPED)
def test_a_step_above_the_first_is_told_in_its_own_words_wherever_the_exercise_is(language: str) -> None:
    plan = load_plan(LIBRARY / "proximal_hamstring_tendinopathy.toml")
    there = at_rungs(prescribe(plan, "early"), {"E4": "E4_2", "E1": "E1_2"})
    step, hold = there.exercise("E4").exercise.rungs[1].text, there.exercise("E1").exercise.rungs[1].text
    if language != "en":
        told = in_words(there, load_words(plan.id, language))
        step, hold = told.exercise("E4").exercise.rungs[1].text, told.exercise("E1").exercise.rungs[1].text
    voice = replace(VOICE, language=language, prescription=there)
    about = {"day": "2026-09-22", "slot": 1}
    for key in ("exercises", "how_to"):
        text = render({"lines": [[key, about]]}, voice)[0]
        assert step in text and hold in text
    assert step not in render({"lines": [["exercises", about]]}, replace(voice, prescription=prescribe(plan, "early")))[0]
    assert step not in render({"lines": [["exercises", {**about, "easier": ["E4"]}]]}, voice)[0]
    shorter = (each.model_copy(update={"dose": each.dose.model_copy(update={"hold_s": 20})}) for each in there.exercises)
    own = there.model_copy(update={"exercises": tuple(shorter)})
    text = render({"lines": [["exercises", about]]}, replace(voice, prescription=own))[0]
    assert step in text and hold not in text, "a clinician's own hold makes the step's number untrue"


def test_the_easier_version_shows_its_whole_dose_and_its_words_while_they_are_true() -> None:
    advanced = a_prescription("advanced", signed=True)
    assert "3 s up, 3 s down" in render({"lines": [["exercises", FRIDAY]]}, replace(VOICE, prescription=advanced))[0]
    easier = render({"lines": [["exercises", {**FRIDAY, "easier": ["A4"]}]]}, replace(VOICE, prescription=advanced))[0]
    assert "4. Sliding curl on one leg, or assisted Nordic: 3 × 4, each side once on one leg, rest 150 s, lower slowly\n" in easier
    told = advanced.exercise("A4").exercise.easier
    fewer = tuple(each.model_copy(update={"dose": each.dose.model_copy(update={"reps": 2})}) for each in advanced.exercises)
    own = render(
        {"lines": [["exercises", {**FRIDAY, "easier": ["A4"]}]]},
        replace(VOICE, prescription=advanced.model_copy(update={"exercises": fewer})),
    )[0]
    assert "assisted Nordic: 3 × 2, " in own and (told in own) is not any(sign.isdigit() for sign in told), "never more than prescribed"


def test_where_every_exercise_is_left_out_nothing_is_listed_and_no_heading_stands_alone() -> None:
    early = a_prescription(signed=True)
    one = early.model_copy(update={"slots": (early.slots[0].model_copy(update={"exercises": ("E1",)}),)})
    told, _ = render({"lines": [["exercises", {"day": "2026-09-23", "slot": 1, "left_out": ["E1"]}]]}, replace(VOICE, prescription=one))
    name = one.exercise("E1").exercise.name
    assert told == f"Please leave this out until your physio has looked: {name}.\n\nThat leaves no exercises for today."
    main = say("exercises", day="2026-09-23", slot=1, left_out=[item.exercise.id for item in early.for_day(1, "wed")])
    assert "\n\n\n" not in main and "1. " not in main and "•" in main
