"""`stepwise senders`: a clinic's own bot or number, whose token is on no command line, on no screen and in no plain row."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cli.running import Result, Shell
from tests.fakes.bot_api_process import FakeBotApi, running_bot_api
from tests.fakes.twilio_api_process import DAILY

TOKEN = "5151:token-of-another-clinic"
AUTH = "t" * 32
ADD = ("senders", "add", "--clinic", "hillside", "--channel")
WHATSAPP = (*ADD, "whatsapp", "--name", "+44 7700 900555", "--account", "AC" + "1" * 32, "--templates", f"daily:en={DAILY}")
NUMBER = {"channel": "whatsapp", "clinic": "hillside", "credentials": "kept", "name": "+447700900555", "reason": None, "status": "active"}


@pytest.fixture(scope="module")
def server() -> Iterator[FakeBotApi]:
    with running_bot_api(TOKEN) as fake:
        yield fake


@pytest.fixture
def there(clinic: tuple[Shell, str], server: FakeBotApi) -> Shell:
    """A second clinic, in an installation with a bot of its own."""
    shell, _ = clinic
    assert shell.run("clinics", "add", "hillside", "Hillside Physio").code == 0
    assert shell.run("staff", "invite", "ben@example.org", "Ben Hill", "--clinic", "hillside").code == 0
    shell.changes |= {"STEPWISE_CHANNELS": "telegram", "STEPWISE_TELEGRAM_TOKEN": server.token}
    shell.changes |= {"STEPWISE_TELEGRAM_API_URL": server.url, "STEPWISE_PUBLIC_URL": "https://stepwise.example.org"}
    return shell


def from_stdin(shell: Shell, token: str, *words: str, **changes: str) -> Result:
    return shell.pipe(f"{token}\n".encode(), *words, "--token-file", "-", **changes)


def listed(shell: Shell) -> list[dict[str, object]]:
    result = shell.run("senders", "list", "--json")
    assert TOKEN.partition(":")[2] not in result.out and AUTH not in result.out
    rows: list[dict[str, object]] = json.loads(result.out)
    return rows


def test_a_bot_is_added_by_its_token_alone_and_its_clinics_links_name_it(there: Shell) -> None:
    result = from_stdin(there, TOKEN, *ADD, "telegram")
    assert (result.code, result.out) == (0, "Added stepwise_5151_bot for Hillside Physio. Start the service again to use it.\n")
    wanted = NUMBER | {"channel": "telegram", "name": "stepwise_5151_bot"}
    assert listed(there) == [wanted]
    assert TOKEN.encode() not in there.database.read_bytes()
    theirs = json.loads(there.run("enrol", "Kim", "--as", "ben@example.org", "--eligible", "--json").out)
    assert theirs["links"] == [f"https://t.me/stepwise_5151_bot?start={theirs['code']}"]
    assert json.loads(there.run("enrol", "Jo", "--as", "anna@example.org", "--eligible", "--json").out)["links"] == []
    assert "another clinic" in from_stdin(there, TOKEN, "senders", "add", "--clinic", "riverside", "--channel", "telegram").sentence
    assert from_stdin(there, TOKEN, *ADD, "telegram").code == 0, "its own clinic may give a new token"


def test_a_number_is_added_without_asking_and_the_doctor_asks_later(there: Shell) -> None:
    assert from_stdin(there, AUTH, *WHATSAPP, "--no-check").code == 0
    assert listed(there) == [NUMBER]
    theirs = json.loads(there.run("enrol", "Kim", "--as", "ben@example.org", "--eligible", "--json").out)
    assert theirs["links"] == [f"https://wa.me/447700900555?text=Start%20{theirs['code']}"]


def test_the_doctor_names_an_added_sender_whose_token_is_refused(there: Shell) -> None:
    assert from_stdin(there, "6161:revoked", *ADD, "telegram", "--name", "hillside_bot", "--no-check").code == 0
    result = there.run("doctor")
    assert (result.code, "Sender hillside_bot of hillside: the provider refused its credentials" in result.out) == (1, True)
    assert from_stdin(there, TOKEN, *ADD, "telegram", "--name", "wrong_name_bot", "--no-check").code == 0
    result = there.run("doctor")
    assert "Sender wrong_name_bot of hillside: its token is that of another bot, stepwise_5151_bot" in result.out
    assert "revoked" not in result.out


@pytest.mark.parametrize(
    ("words", "token", "says"),
    [
        ((*ADD, "telegram"), "6161:revoked", "refuses these credentials"),
        (("senders", "add", "--channel", "telegram"), TOKEN, "--clinic"),
        (("senders", "add", "--clinic", "nowhere", "--channel", "telegram"), TOKEN, "nowhere"),
    ],
)
def test_a_sender_that_cannot_be_added_is_one_sentence_and_leaves_nothing(
    there: Shell, words: tuple[str, ...], token: str, says: str
) -> None:
    result = from_stdin(there, token, *words)
    assert result.code == 1 and says in result.sentence and token not in result.err
    assert listed(there) == []


def test_the_sample_clinic_an_address_without_https_and_a_provider_out_of_reach_are_named(there: Shell) -> None:
    assert "sample clinic" in from_stdin(there, TOKEN, *ADD, "telegram", STEPWISE_CHANNELS="simulator").sentence
    assert "STEPWISE_PUBLIC_URL" in from_stdin(there, AUTH, *WHATSAPP, STEPWISE_PUBLIC_URL="http://stepwise.example.org").sentence
    assert "--no-check" in from_stdin(there, TOKEN, *ADD, "telegram", STEPWISE_TELEGRAM_API_URL="http://127.0.0.1:9").sentence
    assert listed(there) == []


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", (*ADD, "telegram")), ("two words", (*ADD, "telegram")), (f"{TOKEN}\n{TOKEN}", (*ADD, "telegram")),
        (TOKEN, (*ADD, "telegram", "--no-check")), (TOKEN, (*ADD, "telegram", "--name", "some_bot")),
        (TOKEN, (*ADD, "telegram", "--account", "AC1")), (AUTH, WHATSAPP[:-6]), (AUTH, WHATSAPP[:-4]),
        (AUTH, (*WHATSAPP, "--templates", "daily")), (AUTH, (*WHATSAPP, "--name", "07700 900555")),
        (TOKEN, (*ADD, "pigeon")),
    ],
)  # fmt: skip
def test_wrong_usage_is_told_before_anybody_is_asked(there: Shell, token: str, words: tuple[str, ...]) -> None:
    result = from_stdin(there, token, *words)
    assert (result.code, result.out) == (2, "") and "Error:" in result.err
    assert not token or token not in result.err
