"""An urgent flag of the running service reaches the physio by mail: service, chat and mail server each in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot_service.clock import real_now
from tests.fakes.bot_api_process import FakeBotApi
from tests.fakes.smtp_process import FakeMailServer, running_mail_server
from tests.patience import wait_for
from tests.service.running_service import Installation
from tests.service.test_on_telegram import Phone

CHAT = 7300
RED_FLAG = "I can't feel my legs and I wet myself"
MAIL_FROM = "stepwise@clinic.example"


@pytest.fixture
def mail() -> Iterator[FakeMailServer]:
    with running_mail_server() as server:
        yield server


def agree(phone: Phone, invitation: dict[str, Any]) -> None:
    phone.say(f"/start {invitation['code']}")
    phone.tap(phone.wait("Do you agree?"), "Yes")
    phone.wait("you are set up")


def test_a_red_flag_arrives_by_mail_also_one_from_before_there_was_a_mail_server_and_names_no_patient(
    tmp_path: Path, bot_api: FakeBotApi, mail: FakeMailServer
) -> None:
    made = Installation(
        tmp_path, STEPWISE_CHANNELS="telegram", STEPWISE_TELEGRAM_TOKEN=bot_api.token, STEPWISE_TELEGRAM_API_URL=bot_api.url
    )
    made.set_up_clinic()
    at = f"{real_now() + timedelta(hours=2):%H:%M}"
    invited = [made.enrol(name, "--zone", "UTC", "--at", at, "--baseline", "2") for name in ("Jo Park", "Ana Ruiz")]
    first, second = (Phone(bot_api, CHAT + number) for number in range(2))
    with made.serving():
        agree(first, invited[0])
        first.say(RED_FLAG)
        first.wait("needs to be checked straight away")
    assert mail.accepted() == []
    made.settings |= {"STEPWISE_SMTP_URL": f"smtp://127.0.0.1:{mail.port}?tls=off", "STEPWISE_MAIL_FROM": MAIL_FROM}
    with made.serving():
        wait_for(mail.accepted, "the flag from before")
        agree(second, invited[1])
        second.say(RED_FLAG)
        found: list[dict[str, Any]] = wait_for(lambda: (all_ := mail.accepted())[1:] and all_, "the second flag")
    for notice, invitation in zip(found, invited, strict=True):
        assert notice["headers"]["subject"] == f"Red flag for {invitation['ref']}"
        assert notice["to"] == ["anna@riverside.example"]
        whole = str(notice)
        assert f"{made.settings['STEPWISE_PUBLIC_URL']}/patients/{invitation['ref']}" in whole
        assert not any(word in whole for word in ("Park", "Ruiz", "legs", "wet myself"))
    assert "Park" not in made.log() and "legs" not in made.log()
