"""Which questions to the physio are about today, or about what the patient may do, in every language."""

from __future__ import annotations

import pytest

from bot_service.conversation.worries import asks_for_today

FOR_TODAY = {
    "en": ("Can I go for a run today?", "can i run", "should I still do them with a cold?", "is it ok to swim tomorrow", "is swimming ok?"),
    "es": ("¿Puedo salir a correr hoy?", "puedo nadar?", "¿está bien si corro mañana?"),
    "pl": ("Czy mogę dziś pobiegać?", "czy mogę iść na basen"),
    "hi": ("क्या मैं आज दौड़ सकता हूँ?", "kya main daud sakta hoon?"),
    "ar": ("هل يمكنني الجري اليوم؟", "هل أقدر أركض؟", "هل يمكنني السباحة؟"),
}
ANY_TIME = {
    "en": (
        "Is it normal that my calf is sore?",
        "I did them today, 3. Is it normal to feel my calf?",
        "I go for a run today",
        "what is tempo?",
    ),
    "es": ("¿Es normal que me duela la pantorrilla?", "hoy salgo a correr"),
    "pl": ("Czy to normalne, że boli łydka?", "dziś pobiegam"),
    "hi": ("क्या पिंडली में दर्द सामान्य है?", "आज दौड़ूँगा"),
    "ar": ("هل من الطبيعي أن تؤلمني الساق؟", "سأركض اليوم"),
}


@pytest.mark.parametrize("language", list(FOR_TODAY))
def test_a_question_for_today_is_told_from_any_other(language: str) -> None:
    assert [words for words in FOR_TODAY[language] if not asks_for_today(words, language)] == []
    assert [words for words in ANY_TIME[language] if asks_for_today(words, language)] == []
