"""Deleting one answer is no wish to be forgotten, and pain in an extra session, which no rule reads, is read by the physio."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot_service.conversation.answers import record_score
from bot_service.conversation.parsing import read
from bot_service.conversation.situation import ForPhysio
from tests.builders import TODAY
from tests.conversation.situations import a_record, opted_in


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "delete my info, wrong number, it was a 3"),
        ("en", "please delete my record, i typed it wrong"),
        ("en", "delete my records for that session"),
        ("en", "Delete my history and start again"),
        ("es", "quita mis datos de hoy"),
        ("es", "borra mis datos de ayer, era un 3"),
        ("hi", "mera aaj ka data delete karo"),
        ("en", "delete my data of yesterday, wrong number"),
        ("es", "elimina mis datos del lunes"),
        ("es", "borra mis datos, me equivoqué de número"),
        ("pl", "usuń moje dane z wczoraj, zła liczba"),
        ("pl", "usuń moje dane z poniedziałku"),
        ("pl", "usuń proszę moje dane za wczoraj"),
        ("ar", "احذف بياناتي ليوم أمس، الرقم خطأ"),
        ("ar", "احذف بياناتي ليوم الاثنين"),
        ("ar", "امسح بياناتي أمس"),
        ("hi", "मेरा सोमवार का डेटा हटाओ"),
        ("hi", "mera kal ka data delete karo, galat number"),
    ],
)
def test_deleting_one_answer_or_one_day_stops_nothing(language: str, words: str) -> None:
    reading = read(words, "session_pain", language, TODAY)
    assert not reading.stop and not reading.erase


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "delete my data"), ("en", "delete my data today please"), ("en", "signing up was a mistake, delete my data"),
     ("en", "erase everything you have on me"), ("es", "borra mis datos"), ("pl", "usuń moje dane"),
     ("hi", "mera data delete karo"), ("ar", "احذف بياناتي"), ("es", "borra hoy mis datos"), ("pl", "usuńcie dziś moje dane"),
     ("pl", "proszę od dziś usunąć moje dane"), ("ar", "احذف بياناتي اليوم"), ("ar", "امسح كل بياناتي من النظام")],
)  # fmt: skip
def test_deleting_all_of_it_still_does(language: str, words: str) -> None:
    reading = read(words, "session_pain", language, TODAY)
    assert reading.stop and reading.erase


def told(slot: int, score: int) -> tuple[list[str], list[ForPhysio]]:
    record = a_record("done 2/2, -")
    extra = record.prescription.slots[1].model_copy(update={"optional": True})
    plan = record.prescription.model_copy(update={"slots": (record.prescription.slots[0], extra), "flare_plan": "Do less."})
    turn = record_score(score, "session_pain", TODAY, slot, None, replace(opted_in(), record=replace(record, prescription=plan)))
    return [line.key for line in turn.lines], [effect for effect in turn.effects if isinstance(effect, ForPhysio)]


def test_pain_above_the_ceiling_in_an_extra_session_is_for_the_physio_and_promises_nothing() -> None:
    lines, shown = told(2, 9)
    assert "severe_leave_out" not in lines and len(shown) == 1 and "9/10" in shown[0].words
    assert told(2, 5)[1] == []
    assert "severe_leave_out" in told(1, 9)[0] and told(1, 9)[1] == []
