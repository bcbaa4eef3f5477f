"""What a sentence tells the patient to write is understood as promised, in every language that patients get messages in."""

from __future__ import annotations

import re
from datetime import date, time
from uuid import UUID

import pytest

from bot_service.conversation.parsing import Question, read
from bot_service.conversation.situation import Asked, Told
from bot_service.conversation.states import KINDS
from bot_service.conversation.turn import take_turn
from bot_service.conversation.typed import is_button, says_start, typed_answer
from bot_service.conversation.wording import SHIPPED, load_catalogue
from tests.builders import TODAY
from tests.conversation.situations import asked, before_opt_in, opted_in

ASKED: tuple[Question | None, ...] = ("did_you_exercise", "session_pain", "next_day_pain", None)
IN_QUOTES = re.compile(r'"([^"]+)"')
PROMISED = {
    # language: (stop, start, help, correction, plan, progress, pause with days, pause till 14 June, time, physio, pause)
    "en": (
        "STOP",
        "START",
        "HELP",
        "sorry, 3",
        "plan",
        "progress",
        "pause 5 days",
        "pause till 14 June",
        "send it at 7pm",
        "talk to my physio",
        "pause",
    ),
    "es": (
        "PARAR",
        "EMPEZAR",
        "AYUDA",
        "perdón, 3",
        "plan",
        "progreso",
        "pausa 5 días",
        "pausa hasta el 14 de junio",
        "envíalo a las 19:00",
        "hablar con mi fisio",
        "pausa",
    ),
    "pl": (
        "STOP",
        "START",
        "POMOC",
        "przepraszam, 3",
        "plan",
        "postępy",
        "pauza 5 dni",
        "pauza do 14 czerwca",
        "wysyłaj o 19:00",
        "rozmowa z fizjo",
        "pauza",
    ),
    "ar": (
        "توقف",
        "استئناف",
        "مساعدة",
        "عفوا، 3",
        "خطتي",
        "تقدمي",
        "توقف مؤقت 5 أيام",
        "توقف مؤقت حتى 14 يونيو",
        "أرسل الساعة 19:00",
        "التحدث مع المعالج",
        "توقف مؤقت",
    ),
    "hi": (
        "बंद करें",
        "शुरू करें",
        "मदद",
        "सॉरी, 3",
        "मेरा प्लान",
        "प्रगति",
        "विराम 5 दिन",
        "विराम 14 जून तक",
        "शाम 7 बजे भेजें",
        "फिजियो से बात करनी है",
        "विराम",
    ),
}
SAID_WHERE = {
    "goodbye": 1, "declined": 1, "paused": 1, "plan_paused": 1, "plan_paused_open": 1,
    "first_prompt": 2, "baseline_thanks": 2, "nothing_asked": 2, "reason_forgot": 8, "time_which": 8,
    "reason_unsure": 9, "reason_unwell": 10, "paused_by_team": 9, "progress_none": 5, "consent": 0,
}  # fmt: skip
"""Which of them a sentence tells the patient to write."""


def test_every_language_has_its_promises() -> None:
    assert set(PROMISED) == set(SHIPPED)


@pytest.mark.parametrize("language", SHIPPED)
def test_the_sentences_offer_the_words_that_are_tested_here(language: str) -> None:
    texts, promised = load_catalogue(language).texts, PROMISED[language]
    assert [words for words in promised if words not in texts["help"] and words != promised[2]] == []
    assert [key for key, which in SAID_WHERE.items() if promised[which] not in texts[key]] == []
    assert promised[0] in load_catalogue(language).template["body"]


@pytest.mark.parametrize("language", SHIPPED)
def test_every_word_in_quotes_is_one_of_them_or_a_button(language: str) -> None:
    catalogue = load_catalogue(language)
    known = {*PROMISED[language], PROMISED[language][3].split()[0].rstrip(",،"), *catalogue.buttons.values()}
    texts = [text.replace("${plan}", catalogue.says["plan"]) for text in catalogue.texts.values()]  # as `news_more` is filled in
    quoted = {words for text in texts for words in IN_QUOTES.findall(text)}
    assert quoted - known == set()


@pytest.mark.parametrize("question", ASKED)
@pytest.mark.parametrize("language", SHIPPED)
def test_what_the_sentences_tell_the_patient_to_write_is_understood(language: str, question: Question | None) -> None:
    stop, start, help_, correction, plan, _, days, until, at, physio, pause = PROMISED[language]
    today = date(2026, 6, 1)
    assert read(stop, question, language).stop
    assert read(start, question, language).answer == "start"
    assert read(help_, question, language).answer == "help"
    corrected = read(correction, question, language)
    assert (corrected.correction, corrected.score) == (True, 3)
    assert read(plan, question, language).request == "plan"
    assert read(pause, question, language).answer == "pause"
    for_days, till = read(days, question, language, today), read(until, question, language, today)
    assert (for_days.answer, for_days.days) == ("pause", 5)
    assert (till.answer, till.until) == ("pause", date(2026, 6, 14))
    change = read(at, question, language)
    assert (change.request, change.time) == ("time", time(19))
    assert read(physio, question, language).request == "physio"
    assert not [words for words in PROMISED[language][1:] if read(words, question, language).stop]


@pytest.mark.parametrize("language", SHIPPED)
def test_only_the_offered_word_undoes_a_stop(language: str) -> None:
    stop, start, *others = PROMISED[language]
    assert says_start(start, language)
    assert not [words for words in (stop, *others) if says_start(words, language)]
    assert (
        take_turn(Told(text=start), before_opt_in(status="opted_out", baseline_known=True, language=language)).lines[0].key
        == "welcome_back"
    )


@pytest.mark.parametrize("language", SHIPPED)
def test_progress_and_its_command_show_how_it_is_going(language: str) -> None:
    for words in (PROMISED[language][5], "/progress"):
        assert [line.key for line in take_turn(Told(text=words), opted_in(language=language)).lines] == ["progress"]


@pytest.mark.parametrize("language", SHIPPED)
@pytest.mark.parametrize(
    ("command", "keys"),
    [
        ("/stop", ["goodbye"]),
        ("/help", ["help", "not_watched"]),
        ("/plan", ["exercises"]),
        ("/pause", ["pause_how_long"]),
        ("/time", ["time_which"]),
    ],
)
def test_the_commands_of_the_menu_work_in_every_language(language: str, command: str, keys: list[str]) -> None:
    assert [line.key for line in take_turn(Told(text=command), opted_in(language=language)).lines] == keys


@pytest.mark.parametrize("language", SHIPPED)
def test_the_menu_has_the_same_commands_in_every_language_and_each_stands_for_something(language: str) -> None:
    catalogue, english = load_catalogue(language), load_catalogue("en")
    assert list(catalogue.commands) == list(english.commands)
    assert set(catalogue.says) == set(catalogue.commands)
    assert all(1 <= len(words) <= 256 for words in catalogue.commands.values())


@pytest.mark.parametrize("language", SHIPPED)
def test_a_button_typed_is_that_button(language: str) -> None:
    buttons = load_catalogue(language).buttons
    for kind in KINDS.values():
        question = asked(kind.name)
        for answer in (answer for row in kind.rows for answer in row if not answer.isdecimal()):
            for typed in (buttons[answer], buttons[answer].upper(), f"{buttons[answer]}."):
                assert typed_answer(typed, question, language, TODAY) == answer, (kind.name, answer)
    assert is_button(buttons["wrong"], "wrong", language) and is_button(buttons["how"], "how", language)


@pytest.mark.parametrize("language", SHIPPED)
def test_no_button_is_a_stop_or_a_red_flag_or_too_long_for_a_quick_reply(language: str) -> None:
    catalogue = load_catalogue(language)
    labels = [label for name, label in catalogue.buttons.items() if not name.startswith("choice_")] + [catalogue.template["button"]]
    assert [label for label in labels if len(label) > 20] == []
    read_as = [read(label, "did_you_exercise", language) for label in labels]
    assert [each for each in read_as if each.stop or each.red_flag] == []
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("question", ASKED)
@pytest.mark.parametrize("language", SHIPPED)
def test_the_templates_button_asks_for_the_plan(language: str, question: Question | None) -> None:
    assert read(load_catalogue(language).template["button"], question, language).request == "plan"


@pytest.mark.parametrize("language", SHIPPED)
def test_how_long_a_pause_shall_be_may_be_written_alone(language: str) -> None:
    question = Asked(UUID(int=3), "pause_days", None, None)
    for words in (PROMISED[language][6].removeprefix(PROMISED[language][10]), load_catalogue(language).buttons["days_7"]):
        turn = take_turn(Told(text=words.strip()), opted_in(question, language=language))
        assert [line.key for line in turn.lines] == ["paused"], words


@pytest.mark.parametrize("language", SHIPPED)
def test_the_word_that_corrects_on_a_channel_without_buttons_is_understood(language: str) -> None:
    (word,) = IN_QUOTES.findall(load_catalogue(language).hints["correct"])
    assert read(f"{word} 3", "session_pain", language).correction
    assert read(f"{word} 3", "session_pain", language).score == 3
