"""A patient who is enrolled in a language is spoken to in it and understood in it, from the invitation to the goodbye."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bot_service.conversation.wording import SHIPPED, load_catalogue
from tests.actions.told import DAY1, DAY2, DAY3, scores, status
from tests.conversation.test_catalogues import COMMON_ENGLISH
from tests.running_clinic import Person, RunningClinic

NAMES = ("Riverside Physio", "Anna Reed", "Samaritans on 116 123")
"""What the clinic itself wrote, which stays as it wrote it."""


@dataclass(frozen=True)
class Story:
    """What a patient writes, and words of what they get back."""

    agrees: str
    consent: str
    exercise: str
    done: str
    recorded: str
    day_after: str
    corrects: str
    corrected: str
    asks: str
    helped: str
    stops: str
    goodbye: str
    starts: str


STORIES = {
    "es": Story(
        "sí", "¿Está de acuerdo?", "1. Puente mantenido, con los dos pies apoyados: 5 × 30 s", "hecho, 4", "Anotado: 4 sobre 10.",
        "¿Cómo está ahora, un día después", "perdón, 3", "Corregido", "AYUDA", "Aquí puede escribir", "PARAR",
        "No recibirá más mensajes", "EMPEZAR",
    ),
    "pl": Story(
        "tak", "Czy jest na to zgoda?", "1. Mostek z trzymaniem, obie stopy na podłodze: 5 × 30 s", "zrobione, 4", "Zapisano: 4 na 10.",
        "Jaki jest leczony ból teraz", "przepraszam, 3", "Poprawiono", "POMOC", "W każdej chwili", "STOP",
        "Nie będzie więcej wiadomości", "START",
    ),
    "ar": Story(
        "نعم", "هل توافقون؟", "1. الجسر مع الثبات، القدمان على الأرض: المجموعات 5، الثبات 30 ثانية، ", "تم، ٤", "تم التسجيل: 4 من 10.",
        "كم هو الآن، بعد يوم", "عفوا، 3", "تم التصحيح", "مساعدة", "يمكن الكتابة هنا", "توقف",
        "لن تصل رسائل أخرى", "استئناف",
    ),
    "hi": Story(
        "हाँ", "क्या आप सहमत हैं?", "1. ब्रिज रोकना, दोनों पैर ज़मीन पर: 5 × 30", "हो गया, 4", "दर्ज हुआ: 10 में से 4।",
        "एक दिन बाद, अब", "सॉरी, 3", "सुधार दिया", "मदद", "आप यहाँ कभी भी", "बंद करें",
        "और संदेश नहीं आएँगे", "शुरू करें",
    ),
}  # fmt: skip


def test_every_language_has_its_story() -> None:
    assert {"en", *STORIES} == set(SHIPPED)


@pytest.mark.parametrize("language", STORIES)
async def test_from_the_invitation_to_the_goodbye_in_their_own_language(sqlite_clinic: RunningClinic, language: str) -> None:
    story = STORIES[language]
    person = Person(sqlite_clinic, sqlite_clinic.enrol(language=language), "sim:1")
    await person.say("hello", code=person.invitation.code)
    assert story.consent in person.texts[-1]
    await person.say(story.agrees)
    assert status(person) == "opted_in"
    await person.say("2")
    await sqlite_clinic.service.move_clock(DAY1)
    assert story.exercise in person.texts[-1]
    await person.say(story.done)
    assert story.recorded in person.texts[-1] and scores(person)[-1][2] == 4
    await sqlite_clinic.service.move_clock(DAY2)
    assert story.day_after in person.texts[-1]
    await person.say("1")
    assert scores(person)[-1][0] == "pain_24h"
    await person.say(story.corrects)
    assert story.corrected in person.texts[-1] and ("pain_24h", 3) in [(kind, score) for kind, _, score in scores(person)]
    await person.tap(load_catalogue(language).buttons["how"])
    await person.say(story.asks)
    assert story.helped in person.texts[-1]
    await person.say(story.stops)
    assert story.goodbye in person.texts[-1] and status(person) == "opted_out"
    await sqlite_clinic.service.move_clock(DAY3)
    assert story.goodbye in person.texts[-1]
    await person.say(story.starts)
    assert status(person) == "opted_in"
    assert list(_in_english(person)) == []


@pytest.mark.parametrize("language", STORIES)
async def test_an_emergency_is_answered_in_their_own_language(sqlite_clinic: RunningClinic, language: str) -> None:
    person = sqlite_clinic.in_care(language=language)
    await person.say("999 chest pain, can't breathe")
    expected = load_catalogue(language).text("safety_emergency", {"emergency": "999", "hours": "HOURS"}).split("HOURS")[0]
    assert person.texts[-1].startswith(expected)
    assert list(_in_english(person)) == []


def _in_english(person: Person) -> Iterator[str]:
    """Lines on the phone that hold a common English word, but for what the clinic wrote itself."""
    for received in person.received:
        text = "\n".join([received.outbound.text, *received.labels])
        for name in NAMES:
            text = text.replace(name, "")
        yield from (line for line in text.split("\n") if COMMON_ENGLISH.search(re.sub(r"\d", "", line)))
