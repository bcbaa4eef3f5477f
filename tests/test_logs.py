"""Logs hold events and ids; a patient's words, name, address, code, token and scores never get into one, whatever goes wrong."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import structlog

from bot_service import logs
from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.errors import ChannelUnavailable, DeliveryError, OutcomeUnknown
from bot_service.messages import Outbound
from bot_service.storage.columns import SealedBytes
from bot_service.storage.tables import patients
from tests.actions.told import DAY1, DAY2, open_cases
from tests.running_clinic import Person, RunningClinic

NAME, PLACE, WORDS = "Zebulon Quackenbush", "sim:canary-447700900999", "xylophone marmalade"
TOKEN = "987654321:AAcanary-token-which-must-not-show-0"


@pytest.fixture(params=["console", "json"])
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything that is logged at DEBUG, ours and the libraries', as it would be printed."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger("stepwise").level
    stream = io.StringIO()
    logs.set_up_logs(request.param, logging.DEBUG)
    for handler in root.handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(stream)
    root.setLevel(logging.DEBUG)
    yield stream
    root.handlers[:], root.level = before[0], before[1]
    logging.getLogger("stepwise").setLevel(before[2])
    structlog.reset_defaults()


async def test_a_whole_conversation_leaves_no_trace_of_what_was_said(sqlite_clinic: RunningClinic, written: io.StringIO) -> None:
    clinic = sqlite_clinic
    person = Person(clinic, clinic.enrol(NAME), PLACE)
    await person.say(WORDS, code=person.invitation.code)
    await person.tap("Yes")
    await person.say("3")
    await clinic.service.move_clock(DAY1)
    for words in (
        WORDS,
        f"9 {WORDS}",
        f"sorry, 8 {WORDS}",
        "8",
        f"talk to my physio {WORDS}",
        f"I can't feel my legs {WORDS}",
        "stop",
        "start",
    ):
        await person.say(words)
    clinic.phones.fails = _fails
    await clinic.service.move_clock(DAY2)
    await person.say("4")
    review.close_case(clinic.db, Decision(clinic.physio, person.episode().id, WORDS), open_cases(person)["D1"].id, clinic.clock.now())
    await clinic.service.move_clock(DAY2 + timedelta(days=2))
    logging.getLogger("telegram.ext").debug("request to https://127.0.0.1/bot%s/sendMessage", TOKEN)
    _nothing_shows(written, person)
    assert "not sent" in written.getvalue(), "the test must see what is logged"


async def test_an_update_that_fails_is_logged_without_its_words(sqlite_clinic: RunningClinic, written: io.StringIO) -> None:
    clinic = sqlite_clinic
    person = await clinic.opted_in(NAME)
    with clinic.db.begin() as tx:
        tx.run(patients.update().where(patients.c.id == person.id).values(data_key=SealedBytes(b"nobody can open this")))
    await person.say(f"done, 7 {WORDS}")
    await clinic.hear({"id": 5, "address": PLACE, "kind": WORDS, "text": WORDS})
    assert "update not handled" in written.getvalue() and "unreadable update" in written.getvalue()
    _nothing_shows(written, person)
    assert "Traceback" not in written.getvalue()


def test_a_field_that_is_not_on_the_list_is_dropped(written: io.StringIO) -> None:
    logs.log().info("something", kind="prompt", text=WORDS, name=NAME, score=7, address=PLACE)
    assert "prompt" in written.getvalue()
    for secret in (WORDS, NAME, PLACE, "score"):
        assert secret not in written.getvalue()


def test_a_librarys_traceback_and_token_do_not_get_through(written: io.StringIO) -> None:
    try:
        raise ValueError(WORDS)
    except ValueError:
        logging.getLogger("somebody").exception("calling https://api.telegram.org/bot%s/getMe failed", TOKEN)
    shown = written.getvalue()
    assert "calling" in shown and "[token]" in shown
    assert TOKEN not in shown and WORDS not in shown and "Traceback" not in shown


def test_a_line_break_in_a_value_makes_no_second_line(written: io.StringIO) -> None:
    logs.log().info("one event", reason="first\nsecond 2026-01-01 [error] forged")
    assert written.getvalue().count("\n") == 1


def test_json_lines_are_json() -> None:
    stream = io.StringIO()
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    logs.set_up_logs("json")
    for handler in root.handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(stream)
    logs.log().warning("not sent", message="m1", error="OutcomeUnknown")
    root.handlers[:] = before
    structlog.reset_defaults()
    line = json.loads(stream.getvalue())
    assert (line["event"], line["message"], line["level"]) == ("not sent", "m1", "warning") and line["timestamp"].endswith("Z")


def _fails(outbound: Outbound) -> DeliveryError | None:
    """Every other way a provider fails, its message full of what must not show."""
    words = f"{outbound.address} {outbound.text} {TOKEN}"
    return OutcomeUnknown(words) if len(outbound.text) % 2 else ChannelUnavailable(words)


def _nothing_shows(written: io.StringIO, person: Person) -> None:
    shown = written.getvalue()
    for secret in (
        *NAME.split(),
        PLACE,
        "447700900999",
        *WORDS.split(),
        person.invitation.code,
        TOKEN,
        "riverside",
        "Anna Reed",
        "feel my legs",
    ):
        assert secret.casefold() not in shown.casefold(), secret
    assert not re.search(r"\b(?:score|pain)\b\W+\d", shown), "no score"
