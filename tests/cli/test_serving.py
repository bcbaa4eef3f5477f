"""Starting in a place that will not do: each cause is one sentence that says what to do, and nothing is left behind."""

from __future__ import annotations

import socket

import pytest

from bot_service.storage.locking import only_service
from tests.cli.running import Shell

TELEGRAM = {
    "STEPWISE_CHANNELS": "telegram",
    "STEPWISE_TELEGRAM_TOKEN": "123456:" + "a" * 35,
    "STEPWISE_TELEGRAM_API_URL": "http://127.0.0.1:9",
}


@pytest.fixture
def taken() -> socket.socket:
    """A port that somebody listens on."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(1)
    return listening


@pytest.mark.parametrize("command", ["serve", "up"])
def test_a_port_in_use(shell: Shell, taken: socket.socket, command: str) -> None:
    with taken:
        result = shell.run(command, STEPWISE_BIND=f"127.0.0.1:{taken.getsockname()[1]}")
    assert result.code == 1 and "in use" in result.sentence and "STEPWISE_BIND" in result.sentence
    assert not shell.database.exists()


def test_a_second_copy_on_the_same_database(clinic: tuple[Shell, str]) -> None:
    shell, _ = clinic
    with only_service(f"sqlite:///{shell.database}"):
        result = shell.run("serve", STEPWISE_BIND=_free(), **TELEGRAM)
        assert shell.run("patients", "list").code == 0, "commands may run beside it"
    assert result.code == 1 and "another Stepwise is running" in result.sentence.replace("Another", "another")


def test_no_database(shell: Shell) -> None:
    for words in (("serve",), ("patients", "list"), ("audit", "verify"), ("clinics", "add", "a-b", "A")):
        result = shell.run(*words, STEPWISE_BIND=_free(), **TELEGRAM)
        assert result.code == 1 and "stepwise migrate" in result.sentence, words
    assert not shell.database.exists()


def test_a_key_that_is_not_this_databases(clinic: tuple[Shell, str]) -> None:
    result = clinic[0].run("patients", "list", STEPWISE_SECRET_KEY="another key for tests that opens nothing at all")
    assert result.code == 1 and "STEPWISE_SECRET_KEY" in result.sentence


def test_a_new_key_in_front_of_the_old_one_opens_it(clinic: tuple[Shell, str]) -> None:
    both = f"a newer key for tests of forty letters now,{clinic[0].environment['STEPWISE_SECRET_KEY']}"
    assert clinic[0].run("patients", "list", STEPWISE_SECRET_KEY=both).code == 0


def test_real_patients_and_the_sample_clinic_never_share_a_database(clinic: tuple[Shell, str]) -> None:
    result = clinic[0].run("serve", STEPWISE_BIND=_free())
    assert result.code == 1 and "no sample clinic" in result.sentence


def test_a_database_without_a_clinic_says_how_to_add_one(shell: Shell) -> None:
    assert shell.run("migrate").code == 0
    result = shell.run("serve", STEPWISE_BIND=_free(), **TELEGRAM)
    assert result.code == 1 and "clinics add" in result.sentence


@pytest.mark.parametrize("words", [("patients", "list"), ("migrate",)], ids=" ".join)
def test_something_that_is_no_database(shell: Shell, words: tuple[str, ...]) -> None:
    shell.database.write_bytes(b"this is a letter to my aunt" * 100)
    result = shell.run(*words)
    assert result.code == 1 and "STEPWISE_DATABASE_URL" in result.sentence
    assert shell.database.read_bytes().startswith(b"this is a letter")


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"STEPWISE_BIND": "nonsense"}, "STEPWISE_BIND"),
        ({"STEPWISE_BIND": "0.0.0.0:8000"}, "STEPWISE_BIND"),
        ({"STEPWISE_CHANNELS": "pigeon"}, "STEPWISE_CHANNELS"),
        ({"STEPWISE_CHANNELS": "telegram"}, "STEPWISE_TELEGRAM_TOKEN"),
        ({"STEPWISE_TICK_SECONDS": "soon"}, "STEPWISE_TICK_SECONDS"),
        ({"STEPWISE_SECRET_KEY": "short"}, "STEPWISE_SECRET_KEY"),
        ({"STEPWISE_DATABASE_URL": "mysql://somewhere/x"}, "STEPWISE_DATABASE_URL"),
        ({"STEPWISE_DATABASE_URL": "nonsense"}, "STEPWISE_DATABASE_URL"),
        ({"STEPWISE_SECRET_KEY_FILE": "/nonexistent/key"}, "STEPWISE_SECRET_KEY_FILE"),
    ],
    ids=str,
)
@pytest.mark.parametrize("command", [("serve",), ("patients", "list")], ids=" ".join)
def test_a_wrong_setting_is_named_and_nothing_starts(shell: Shell, command: tuple[str, ...], settings: dict[str, str], name: str) -> None:
    result = shell.run(*command, **settings)
    assert result.code == 1 and name in result.sentence
    assert not shell.database.exists()


def test_a_server_that_does_not_answer_and_its_password_is_not_shown(shell: Shell) -> None:
    away = "postgresql+psycopg://stepwise:hunter2@127.0.0.1:9/stepwise"
    for words in (("migrate",), ("patients", "list"), ("doctor",)):
        result = shell.run(*words, STEPWISE_DATABASE_URL=away)
        assert result.code == 1 and "STEPWISE_DATABASE_URL" in result.out + result.err
        assert "hunter2" not in result.out + result.err and "Traceback" not in result.err


class TestDoctor:
    def test_a_clinic_in_order(self, clinic: tuple[Shell, str]) -> None:
        result = clinic[0].run("doctor")
        assert (result.code, result.out) == (0, "Everything is in order.\n")

    def test_every_problem_is_a_line_that_says_what_to_do(self, clinic: tuple[Shell, str]) -> None:
        result = clinic[0].run("doctor", **TELEGRAM)
        assert result.code == 1 and result.err == ""
        assert [line for line in result.out.splitlines() if line.startswith("- Telegram cannot be reached: check")]

    def test_it_makes_nothing(self, shell: Shell) -> None:
        result = shell.run("doctor")
        assert result.code == 1 and result.out == "- There is no database yet; run: stepwise migrate.\n"
        assert not shell.database.exists(), "./run would take an empty one for somebody's and not play the sample clinic"

    def test_settings_come_first(self, shell: Shell) -> None:
        result = shell.run("doctor", STEPWISE_CHANNELS="telegram", STEPWISE_TICK_SECONDS="0")
        assert result.code == 1 and "STEPWISE_TICK_SECONDS" in result.out

    def test_a_database_without_a_clinic(self, shell: Shell) -> None:
        shell.run("migrate")
        assert shell.run("doctor").out == "- There is no clinic yet: run stepwise clinics add.\n"


def _free() -> str:
    """An address that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"127.0.0.1:{listening.getsockname()[1]}"
