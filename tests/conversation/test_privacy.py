"""Who reads what is written here, and the wish that what is kept be erased: answered plainly, and told to the clinic."""

from __future__ import annotations

import pytest

from bot_service.conversation.situation import AskedErasure, ForPhysio, OptOut, RedFlagged
from tests.conversation.situations import asked, before_opt_in, found, kept, keys, opted_in, says

ERASE = {
    "en": (
        "delete my data", "please delete all my data", "erase everything you have on me", "can you delete my personal information please",
        "i want my data deleted", "Under GDPR I ask you to erase my records", "I'd like to exercise my right to erasure",
        "right to be forgotten", "data deletion request", "forget me", "STOP and delete my data", "delete my account",
        "remove all my information from your system",
    ),
    "es": ("borren mis datos", "elimine mis datos personales", "borrad todo lo que tenéis sobre mí", "derecho al olvido"),
    "pl": ("usuńcie moje dane", "proszę o usunięcie moich danych osobowych", "skasujcie wszystko o mnie", "prawo do bycia zapomnianym"),
    "ar": ("احذفوا بياناتي", "أريد مسح جميع معلوماتي", "امسحوا كل شيء عني", "الحق في النسيان"),
    "hi": ("मेरा डेटा हटा दो", "mera data delete karo", "मेरे बारे में सब कुछ मिटा दो", "भुला दिए जाने का अधिकार"),
}  # fmt: skip
NO_SUCH_WISH = {
    "en": (
        "delete the 5", "delete my 4", "dont delete my data", "do you delete my data when i finish", "how do i delete my data",
        "delete my last answer", "delete my record of today", "get rid of the pain in my leg", "forget about me", "just forget it",
    ),
    "es": ("borra mi 5", "no borren mis datos", "elimina el dolor de mi pierna", "¿cuándo borran mis datos?"),
    "pl": ("usuń 5", "nie usuwajcie moich danych", "czy usuwacie moje dane?"),
    "ar": ("احذف 5", "لا تحذفوا بياناتي", "شيل التمرين"),
    "hi": ("5 हटा दो", "मेरा डेटा मत हटाओ", "मेरा दर्द मिटा दो"),
}  # fmt: skip
WHO_READS = {
    "en": (
        "who can see what i write", "is this private", "who reads this", "is this confidential?", "does anyone read this",
        "can my gp see my answers?", "who has access to this", "is my data safe",
    ),
    "es": ("¿quién lee esto?", "quien puede ver lo que escribo", "es confidencial"),
    "pl": ("kto to czyta", "kto widzi moje wiadomości", "czy to jest poufne"),
    "ar": ("من يقرأ هذا", "من يستطيع قراءة رسائلي", "هل هذا سري؟"),
    "hi": ("ye kaun padhta hai", "क्या यह गोपनीय है", "मेरे संदेश कौन देख सकता है"),
}  # fmt: skip
SOMETHING_ELSE = {
    "en": ("who can see me today", "who should i see about this", "is it safe to run", "my physio can see this", "it was private"),
    "es": ("quien me puede ver", "es normal"),
    "pl": ("kto mnie zbada",),
    "ar": ("هذا خاص بالركبة",),
    "hi": ("कौन सा व्यायाम देखना है",),
}


@pytest.mark.parametrize("language", ERASE)
def test_a_wish_to_be_erased_stops_the_messages_and_is_told_to_the_clinic_and_the_goodbye_says_so(language: str) -> None:
    for text in ERASE[language]:
        turn = says(text, opted_in(asked("session"), language=language))
        assert keys(turn) == ["goodbye", "erasure_told"], text
        assert found(turn, AskedErasure) == [AskedErasure(text)] and found(turn, OptOut) == [OptOut()], text


@pytest.mark.parametrize("language", NO_SUCH_WISH)
def test_a_question_about_erasing_or_an_answer_to_take_back_neither_stops_nor_erases(language: str) -> None:
    for text in NO_SUCH_WISH[language]:
        turn = says(text, opted_in(asked("session"), language=language))
        assert not found(turn, AskedErasure) and not found(turn, OptOut) and turn.lines, text


def test_a_wish_to_be_erased_is_heard_before_anybody_agreed_after_a_stop_and_beside_a_red_flag() -> None:
    invited = says("delete my data", before_opt_in(asked("consent")))
    assert found(invited, AskedErasure) and found(invited, OptOut) == [OptOut(declined=True)]
    stopped = says("and delete my data", opted_in(status="opted_out"))
    assert found(stopped, AskedErasure) and not stopped.lines, "nothing is sent after a STOP"
    flagged = says("I can't feel my legs. Delete my data", opted_in())
    assert found(flagged, AskedErasure) and keys(flagged)[-1] == "erasure_told"
    assert found(flagged, RedFlagged)
    crisis = says("I want to kill myself. Delete my data", opted_in())
    assert found(crisis, AskedErasure) and keys(crisis) == ["safety_suicide"], "that text speaks of nothing else"


@pytest.mark.parametrize("language", WHO_READS)
def test_who_reads_this_has_a_true_answer_and_the_open_question_stays(language: str) -> None:
    for text in WHO_READS[language]:
        question = asked("pain_24h")
        turn = says(text, opted_in(question, language=language))
        assert keys(turn) == ["who_reads", "not_watched", "again_pain_24h"] and not turn.effects, text
        assert turn.ask is not None and turn.ask.again == question.id, text
    for text in SOMETHING_ELSE[language]:
        assert "who_reads" not in keys(says(text, opted_in(asked("pain_24h"), language=language))), text


def test_who_reads_this_is_answered_beside_a_number_before_consent_and_under_a_red_flag() -> None:
    turn = says("4. Who reads this?", opted_in(asked("session_pain")))
    assert kept(turn)["pain_during"][1] == 4 and keys(turn)[-1] == "who_reads" and turn.ask is None
    assert keys(says("who reads this?", before_opt_in(asked("consent"))))[:2] == ["who_writes", "who_reads"]
    held = opted_in(held=frozenset({"red_flag"}), red_flag="suicide", safety_told=frozenset({"suicide"}))
    assert keys(says("who reads this?", held)) == ["who_reads", "not_watched", "held_suicide"]


def test_any_other_word_on_personal_data_reaches_a_person() -> None:
    turn = says("how do i get a copy of my data", opted_in())
    assert found(turn, ForPhysio) and keys(turn) == ["passed_on"]
