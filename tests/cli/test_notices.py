"""Commands on notices, and the doctor's look at the mail server."""

from __future__ import annotations

import json
from contextlib import closing
from sqlite3 import connect

import pytest

from tests.cli.running import Shell
from tests.fakes.smtp_process import running_mail_server

SAM, ANNA = ("--as", "sam@example.org"), ("--as", "anna@example.org")


def test_limits_are_an_admins_and_are_printed(clinic: tuple[Shell, str]) -> None:
    shell, _ = clinic
    result = shell.run("clinics", "notices", "riverside", *SAM, "--reminder", "30", "--initials")
    assert (result.code, result.out) == (0, "Reminder after 30 min, deputy after 240 min, lead after 1 working days.\n")
    assert "only an admin" in shell.run("clinics", "notices", "riverside", *ANNA, "--reminder", "5").sentence.lower()
    assert "reminder comes first" in shell.run("clinics", "notices", "riverside", *SAM, "--deputy", "10").sentence


def test_choices_duty_and_leave_are_ones_own_or_an_admins(clinic: tuple[Shell, str]) -> None:
    shell, _ = clinic
    assert shell.run("staff", "invite", "ben@example.org", "Ben Cole").code == 0
    assert shell.run("staff", "notices", "anna@example.org", *ANNA, "--no-weekly").out == "Saved for Anna Reed.\n"
    assert shell.run("staff", "notices", "ben@example.org", *SAM, "--duty", "deputy").code == 0
    assert "only an admin" in shell.run("staff", "notices", "ben@example.org", *ANNA, "--no-daily").sentence.lower()
    assert shell.run("staff", "notices", "ben@example.org", *SAM, "--no-daily").code == 0
    with closing(connect(shell.database)) as database:
        done = [row[0] for row in database.execute("select who from audit where what = 'notices_chosen' order by seq")]
    assert done[-1] == "sam@example.org", "whoever chose for a colleague stands in the trail"
    assert "link your Telegram chat first" in shell.run("staff", "notices", "anna@example.org", *ANNA, "--way", "both").sentence.replace(
        "L", "l", 1
    )
    away = ("--from", "2099-01-01", "--until", "2099-01-09", "--cover", "ben@example.org")
    assert shell.run("staff", "leave", "anna@example.org", *ANNA, *away).out.startswith("Ben Cole covers for Anna Reed from 2099-01-01")
    assert "already" in shell.run("staff", "leave", "anna@example.org", *SAM, *away).sentence
    assert "only an admin" in shell.run("staff", "leave", "sam@example.org", *ANNA, *away).sentence.lower()


@pytest.mark.parametrize("trouble", ["none", "password", "gone"])
def test_the_doctor_signs_in_at_the_mail_server_and_sends_nothing(clinic: tuple[Shell, str], trouble: str) -> None:
    shell, _ = clinic
    with running_mail_server(password="secret") as server:
        password = "wrong" if trouble == "password" else "secret"
        port = 1 if trouble == "gone" else server.port
        mail = {"STEPWISE_SMTP_URL": f"smtp://step:{password}@127.0.0.1:{port}", "STEPWISE_MAIL_FROM": "stepwise@clinic.example"}
        result = shell.run("doctor", **mail)
        assert server.accepted() == []
    if trouble == "none":
        assert (result.code, result.out) == (0, "Everything is in order.\n")
    else:
        says = {"password": "refuses the user or password", "gone": "was not reached"}[trouble]
        assert result.code == 1 and says in result.out and "check STEPWISE_SMTP_URL" in result.out and "wrong" not in result.out


def test_the_digest_is_printed_for_everybody_and_sent_only_in_somebodys_name(clinic: tuple[Shell, str]) -> None:
    shell, _ = clinic
    printed = shell.run("digest", "--week")
    assert printed.code == 0 and printed.out.startswith("For Anna Reed\nStepwise digest, week to ") and "Who moved:" in printed.out
    found = json.loads(shell.run("digest", "--for", "anna@example.org", "--json").out)
    assert [(each["for"], each["waits"]) for each in found] == [("anna@example.org", False)] and "Jo" not in str(found)
    assert shell.run("digest", "--send").code == 2
    assert "nothing reaches anybody" in shell.run("digest", "--send", *ANNA).sentence.lower()
