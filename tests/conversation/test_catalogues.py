"""The catalogues beside the English one: complete, in their own language, private on a locked phone, and right to left."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

import pytest

from bot_service.conversation.language import SHIPPED as UNDERSTOOD
from bot_service.conversation.states import KINDS
from bot_service.conversation.wording import SHIPPED, Catalogue, load_catalogue, placeholders
from tests.conversation.test_wording import UNSOLICITED
from tests.source_tree import ROOT

ENGLISH = load_catalogue("en")
OTHERS = [code for code in SHIPPED if code != "en"]
TABLES = ("texts", "buttons", "words", "commands", "says", "hints", "template")
SAME_EVERYWHERE = {"date_and_year", "news_now", "date", "plan", "start", "stop", "sets_reps", "sets_dist", "comma", "semicolon", "no"}
"""Keys whose words may be the same as in English."""
COMMON_ENGLISH = re.compile(
    r"\b(the|and|you|your|is|are|were|of|for|with|please|thank|thanks|exercise|exercises|pain|write|today|number|not|it|this|that)\b",
    re.IGNORECASE,
)
HIDDEN = {
    "es": r"dolor|duele|molest|isquio|tend[oó]n|tendino|nalga|gl[uú]teo|cadera|pierna|muslo|"
    r"rodilla|hueso|m[uú]scul|fisio|terap|cl[ií]nica\w* de|lesi[oó]n|rehab|pacient|m[eé]dic",
    "pl": r"\bb[oó]l|boli|obola|ścięgn|tendin|pośladk|biodr|nog[aięą]|\bud[oaz]\b|kolan|"
    r"kości|mięśni|fizjo|terap|uraz|kontuzj|rehab|pacjent|lekar",
    "ar": r"ألم|الم|وجع|وتر|أوتار|ورك|ساق|رجل|فخذ|ركبة|عظم|عضل|علاج|معالج|اختصاصي|طبيب|إصابة|تأهيل|مريض",
    "hi": r"दर्द|तकलीफ|चोट|नस|टेंडन|कूल्ह|पैर|जांघ|जाँघ|घुटन|हड्डी|मांसपेश|फिजियो|थेरेप|डॉक्टर|मरीज|मरीज़|पुनर्वास|इलाज",
}
"""What a locked phone must not show: conditions, parts of the body, professions."""
EMERGENCY_WORDS = {
    "es": ("de inmediato", "urgencias del hospital", "No haga los ejercicios", "Nadie vigila este chat", "No espere"),
    "pl": (
        "natychmiast",
        "szpitalny oddział ratunkowy",
        "Proszę nie wykonywać ćwiczeń",
        "Nikt nie czyta tego czatu",
        "Proszę na niego nie czekać",
    ),
    "ar": ("فورًا", "قسم الطوارئ في المستشفى", "عدم عمل التمارين", "لا أحد يراقب هذه المحادثة", "عدم انتظاره"),
    "hi": ("तुरंत", "अस्पताल के आपातकालीन विभाग", "व्यायाम न करें", "इस चैट को चौबीसों घंटे कोई नहीं देखता", "इंतज़ार न करें"),
}


def test_every_language_that_is_understood_is_answered_in_it() -> None:
    assert set(SHIPPED) == set(UNDERSTOOD) == {"en", *HIDDEN}


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("table", TABLES)
def test_a_catalogue_has_the_keys_and_the_placeholders_of_the_english_one(code: str, table: str) -> None:
    ours, english = getattr(load_catalogue(code), table), getattr(ENGLISH, table)
    assert list(ours) == list(english)
    assert {key: text for key, text in ours.items() if placeholders(text) != placeholders(english[key]) or not text.strip()} == {}


LATER = {"consent": ("later",)}
"""Answers that have words and no button."""


@pytest.mark.parametrize("code", OTHERS)
def test_other_ways_to_write_an_answer_are_there_for_the_same_answers(code: str) -> None:
    ours = load_catalogue(code).typed
    assert {kind: set(answers) for kind, answers in ours.items()} == {kind: set(answers) for kind, answers in ENGLISH.typed.items()}
    for kind, answers in ours.items():
        assert set(answers) <= {answer for row in KINDS[kind].rows for answer in row} | {"0", "1", "2", *LATER.get(kind, ())}
        said = [phrase for phrases in answers.values() for phrase in phrases]
        assert len(said) == len(set(said)), f"{kind}: one phrase for two answers"


@pytest.mark.parametrize("code", OTHERS)
def test_nothing_is_left_in_english(code: str) -> None:
    catalogue = load_catalogue(code)
    for table in TABLES:
        ours, english = getattr(catalogue, table), getattr(ENGLISH, table)
        assert [key for key in ours if ours[key] == english[key] and key not in SAME_EVERYWHERE] == []
    sentences = {key: len(COMMON_ENGLISH.findall(re.sub(r"\$\{\w+\}", "", text))) for key, text in catalogue.texts.items()}
    assert {key: number for key, number in sentences.items() if number} == {}


@pytest.mark.parametrize("code", ["ar", "hi"])
def test_a_language_of_another_script_has_no_latin_word_in_it(code: str) -> None:
    catalogue = load_catalogue(code)
    texts = [*catalogue.texts.values(), *catalogue.buttons.values(), *catalogue.commands.values(), *catalogue.hints.values()]
    assert [text for text in texts if re.search("[A-Za-z]", re.sub(r"\$\{\w+\}", "", text))] == []


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("key", [*UNSOLICITED, "ask_24h_at"])
def test_a_locked_phone_shows_no_condition_body_part_profession_or_person(code: str, key: str) -> None:
    first = load_catalogue(code).texts[key].strip().split("\n")[0]
    assert not re.search(HIDDEN[code], first, re.IGNORECASE), first
    assert placeholders(first) <= {"day", "until", "at"}


@pytest.mark.parametrize("code", OTHERS)
def test_the_words_that_a_locked_phone_must_not_show_are_ones_that_the_catalogue_uses(code: str) -> None:
    """A list that fits nothing would let everything pass."""
    rest = " ".join(load_catalogue(code).texts[key] for key in ("ask_24h", "passed_on", "safety_question", "consent"))
    assert len(set(re.findall(HIDDEN[code], rest, re.IGNORECASE))) >= 3


@pytest.mark.parametrize("code", OTHERS)
def test_the_emergency_text_says_everything_that_it_says_in_english(code: str) -> None:
    catalogue = load_catalogue(code)
    text = catalogue.text("safety_emergency", {"emergency": "112", "hours": "08:00"})
    assert [words for words in (*EMERGENCY_WORDS[code], "112", "08:00") if words not in text] == []
    assert EMERGENCY_WORDS[code][1] in catalogue.texts["safety_suicide"]
    assert "${crisis}" in catalogue.texts["safety_suicide"] and "${crisis}" in catalogue.texts["safety_repeat_suicide"]


@pytest.mark.parametrize("code", SHIPPED)
def test_no_sentence_holds_a_telephone_number_of_its_own(code: str) -> None:
    assert [key for key, text in load_catalogue(code).texts.items() if re.search(r"(?<!\$)\b\d{3,}\b", text)] == []


def test_every_line_in_arabic_begins_with_an_arabic_letter_so_that_it_is_read_from_right_to_left() -> None:
    catalogue = load_catalogue("ar")
    lines = [line for key, text in catalogue.texts.items() if key != "from_physio" for line in text.strip().split("\n") if line.strip()]
    assert [line for line in lines if _first_letter(re.sub(r"\$\{\w+\}", "Name", line)) not in ("R", "AL")] == []


def _first_letter(line: str) -> str:
    return next((kind for kind in map(unicodedata.bidirectional, line) if kind in ("L", "R", "AL")), "")


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalogue_says_that_it_is_a_draft(code: str) -> None:
    head = (ROOT / f"bot_service/conversation/catalogues/{code}.toml").read_text(encoding="utf-8")[:500]
    assert "native speaker" in head and "must approve" in head.replace("\n# ", " ")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("es", ("hoy", "ayer", "el viernes", "el domingo 15 de noviembre")),
        ("pl", ("dziś", "wczoraj", "w piątek", "w niedzielę 15 listopada")),
        ("ar", ("اليوم", "أمس", "يوم الجمعة", "يوم الأحد 15 نوفمبر")),
        ("hi", ("आज", "कल", "शुक्रवार", "रविवार 15 नवंबर")),
    ],
)
def test_days_are_named_in_the_language(code: str, words: tuple[str, ...]) -> None:
    sunday = date(2026, 11, 22)
    assert tuple(_catalogue(code).date(date(2026, 11, day), sunday) for day in (22, 21, 20, 15)) == words


@pytest.mark.parametrize("code", SHIPPED)
def test_a_language_has_seven_days_and_twelve_months(code: str) -> None:
    assert (len(set(_catalogue(code).weekdays)), len(set(_catalogue(code).words["months"].split(", ")))) == (7, 12)


def _catalogue(code: str) -> Catalogue:
    return load_catalogue(code)
