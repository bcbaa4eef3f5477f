"""Two clinics with a bot each in one service: each reaches its own patients only, and what is wrong with one stops no other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.bot_api_process import FakeBotApi, running_bot_api
from tests.patience import wait_for
from tests.service.running_service import Installation
from tests.service.test_on_telegram import Phone
from tests.service.test_on_telegram_webhook import WEBHOOK

THEIRS, REVOKED = "5151:token-of-another-clinic", "6161:a-token-that-was-revoked"
CHAT = 7001
AS_BEN = ("--as", "ben@hillside.example", "--eligible", "--json")


@pytest.fixture
def first() -> Iterator[FakeBotApi]:
    with running_bot_api(THEIRS) as fake:
        yield fake


@pytest.fixture
def installation(tmp_path: Path, first: FakeBotApi) -> Installation:
    made = Installation(tmp_path, STEPWISE_CHANNELS="telegram", STEPWISE_TELEGRAM_TOKEN=first.token, STEPWISE_TELEGRAM_API_URL=first.url)
    made.set_up_clinic()
    made.run("clinics", "add", "hillside", "Hillside Physiotherapy")
    made.run("staff", "invite", "ben@hillside.example", "Ben Hill", "--clinic", "hillside")
    return made


def add(installation: Installation, token: str, *more: str) -> str:
    file = installation.folder / "token"
    file.write_text(f"{token}\n", encoding="utf-8")
    return installation.run("senders", "add", "--clinic", "hillside", "--channel", "telegram", "--token-file", str(file), *more)


def codes(installation: Installation) -> tuple[str, str]:
    """An invitation of each clinic, whose link names the clinic's own bot and no other."""
    ours = installation.enrol("Jo Park", "--zone", "UTC")
    theirs = json.loads(installation.run("enrol", "Kim Vale", *AS_BEN, "--zone", "UTC"))
    assert ours["links"] == [f"https://t.me/stepwise_test_bot?start={ours['code']}"]
    assert theirs["links"] == [f"https://t.me/stepwise_5151_bot?start={theirs['code']}"]
    return ours["code"], theirs["code"]


@pytest.mark.parametrize("mode", ["polling", "webhook"])
def test_each_clinic_reaches_its_own_patients_and_no_code_works_at_the_other(
    installation: Installation, first: FakeBotApi, mode: str
) -> None:
    installation.settings |= WEBHOOK if mode == "webhook" else {}
    assert "Added stepwise_5151_bot for Hillside Physiotherapy" in add(installation, THEIRS)
    second = first.of(THEIRS)
    with installation.serving():
        at_first, at_second = Phone(first, CHAT), Phone(second, CHAT)
        our_code, their_code = codes(installation)
        at_first.say(f"/start {their_code}")
        at_first.wait("does not work any more")
        at_second.say(f"/start {our_code}")
        at_second.wait("does not work any more")
        at_first.say(f"/start {our_code}")
        at_first.tap(at_first.wait("Do you agree?"), "Yes")
        at_second.say("hello?")
        at_second.wait("not linked to a patient")
        at_second.say(f"/start {their_code}")
        assert "Hillside" in at_second.wait("Do you agree?")["text"]
        assert not any("Hillside" in text for text in at_first.texts())
        assert (first.control("state")["webhook"] == "") is (second.control("state")["webhook"] == "") is (mode == "polling")
        assert first.control("state")["secret"] != second.control("state")["secret"] or mode == "polling"
        assert second.control("state")["commands"]
    assert THEIRS not in installation.log() and second.control("state")["offences"] == []


def test_a_sender_whose_token_is_refused_stops_neither_the_start_nor_the_others(installation: Installation, first: FakeBotApi) -> None:
    add(installation, THEIRS)
    add(installation, REVOKED, "--no-check", "--name", "hillside_old_bot")
    with installation.serving():
        our_code, _ = _codes_of_both(installation)
        phone, other = Phone(first, CHAT), Phone(first.of(THEIRS), CHAT)
        phone.say(f"/start {our_code}")
        phone.wait("Do you agree?")
        other.say("hello?")
        other.wait("not linked to a patient")
        rows = {row["name"]: (row["clinic"], row["status"]) for row in json.loads(installation.run("senders", "list", "--json"))}
    assert rows == {
        "hillside_old_bot": ("hillside", "broken"),
        "stepwise_5151_bot": ("hillside", "active"),
        "stepwise_test_bot": ("riverside", "active"),
    }
    assert "sender stopped" in installation.log() and "a-token-that-was-revoked" not in installation.log()
    with pytest.raises(AssertionError):
        installation.run("doctor")


def test_a_sender_out_of_reach_at_the_start_is_served_as_soon_as_it_answers(installation: Installation, first: FakeBotApi) -> None:
    add(installation, THEIRS)
    second = first.of(THEIRS)
    second.control("faults", faults=[{"kind": "status", "method": "getMe", "status": 502, "description": "Bad Gateway", "times": 1}])
    with installation.serving():
        phone = Phone(second, CHAT)
        phone.say("hello?")
        phone.wait("not linked to a patient")
        wait_for(lambda: "sender not reached" in installation.log(), "the warning")


def _codes_of_both(installation: Installation) -> tuple[str, str]:
    theirs = json.loads(installation.run("enrol", "Kim Vale", *AS_BEN, "--zone", "UTC"))
    return installation.enrol("Jo Park", "--zone", "UTC")["code"], theirs["code"]
