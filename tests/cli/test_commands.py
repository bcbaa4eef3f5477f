"""Every command as a newcomer meets it: help, what it prints, how it ends, and one sentence for each thing that can be wrong."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import click
import pytest

from bot_service import __version__
from bot_service.cli.commands import stepwise
from bot_service.storage import cases, clinics, episodes, patients, reviews
from bot_service.storage.database import open_database
from tests.cli.running import SECRET, Shell
from tests.running_clinic import START

AS = ("--as", "anna@example.org")


def every_command(group: click.Group = stepwise, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands with the words that call them, groups among them."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield (*above, name), command
        if isinstance(command, click.Group):
            yield from every_command(command, (*above, name))


COMMANDS = dict(every_command())


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_that_says_what_it_does(shell: Shell, words: tuple[str, ...]) -> None:
    result = shell.run(*words, "--help")
    assert (result.code, result.err) == (0, "")
    assert f"Usage: stepwise {' '.join(words)}" in result.out
    assert COMMANDS[words].help and not shell.database.exists()


def test_the_root_says_which_commands_there_are(shell: Shell) -> None:
    result = shell.run("--help")
    assert result.code == 0
    assert all(f"  {words[0]} " in result.out for words in COMMANDS if len(words) == 1 and not COMMANDS[words].hidden)
    assert shell.run("--version").out == f"stepwise, version {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        ("no-such-command",),
        ("patients", "no-such-command"),
        ("patients", "show"),
        ("patients", "list", "--no-such-option"),
        ("enrol", "Jo Park"),
        ("enrol", "Jo Park", *AS, "--eligible", "--at", "25:00"),
        ("enrol", "Jo Park", *AS, "--eligible", "--baseline", "11"),
        ("enrol", "Jo Park", *AS),
        ("flags", "ack", "not-an-id", *AS),
        ("staff", "invite", "no-address", "Name"),
        ("clinics", "add", "Not A Slug", "Name"),
        ("understand",),
        ("understand", "--question", "mood"),
        ("simulate", "--weeks", "0"),
        ("patients", "pause", "P1", *AS, "--until", "tomorrow", "--reason", "x"),
        ("patients", "run", "P1", *AS, "--reason", "x"),
        ("patients", "run", "P1", *AS, "--open", "four", "--reason", "x"),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2_and_says_how_it_is_used(clinic: tuple[Shell, str], words: tuple[str, ...]) -> None:
    result = clinic[0].run(*words)
    assert result.code == 2 and result.out == ""
    assert "Usage:" in result.err and "Error:" in result.err and "Traceback" not in result.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("patients", "show", "P999ZZZ"), "stepwise patients list"),
        (("patients", "list", "--clinic", "elsewhere"), "elsewhere"),
        (("patients", "resume", "{ref}", *AS), "nothing is paused"),
        (("patients", "pause", "{ref}", *AS, "--until", "2020-01-01", "--reason", "x"), "ahead"),
        (("patients", "pause", "{ref}", "--as", "sam@example.org", "--reason", "x"), "only a physiotherapist"),
        (("patients", "run", "{ref}", *AS, "--open", "1-4", "--reason", "x"), "free day"),
        (("patients", "run", "{ref}", *AS, "--close", "--reason", "x"), "not open"),
        (("patients", "run", "{ref}", "--as", "sam@example.org", "--open", "1-4", "--reason", "x"), "only a physiotherapist"),
        (("patients", "discharge", "{ref}", "--as", "nobody@example.org", "--reason", "x"), "stepwise staff list"),
        (("flags", "close", "00000000-0000-4000-8000-000000000000", *AS, "--reason", "x"), "stepwise flags list"),
        (("clinics", "add", "riverside", "Again"), "already"),
        (("clinics", "add", "mars", "Mars", "--zone", "Mars/Base"), "Mars/Base"),
        (("staff", "disable", "nobody@example.org"), "stepwise staff list"),
        (("plans", "show", "nothing"), "stepwise plans list"),
        (("enrol", "Jo", *AS, "--eligible", "--plan", "nothing"), "stepwise plans list"),
        (("enrol", "Jo", *AS, "--eligible", "--stage", "expert"), "early, intermediate, advanced"),
        (("enrol", "Jo", *AS, "--eligible", "--zone", "Mars/Base"), "Mars/Base"),
        (("enrol", "Jo", *AS, "--eligible", "--language", "tlh"), "en, ar, es, hi, pl"),
        (("enrol", "Jo", *AS, "--eligible", "--baseline", "7"), "see the patient first"),
        (("enrol", " ", *AS, "--eligible"), "needs a name"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_problem_is_one_sentence_and_exit_1(clinic: tuple[Shell, str], words: tuple[str, ...], says: str) -> None:
    shell, ref = clinic
    result = shell.run(*(word.format(ref=ref) for word in words))
    assert result.code == 1
    assert says.casefold() in result.sentence.casefold()


@pytest.mark.parametrize(
    "words",
    [
        words
        for words, command in COMMANDS.items()
        if any("--json" in parameter.opts for parameter in command.params)
        and words not in (("enrol",), ("import",), ("simulate",), ("patients", "show"), ("patients", "invite"), ("plans", "show"))
    ],
    ids=" ".join,
)
def test_json_is_json_and_nothing_else(clinic: tuple[Shell, str], words: tuple[str, ...]) -> None:
    result = clinic[0].run(*words, "--json")
    assert (result.code, result.err) == (0, "")
    json.loads(result.out)


def test_what_a_newcomer_types_from_an_empty_folder_works(clinic: tuple[Shell, str]) -> None:
    shell, ref = clinic
    (patient,) = json.loads(shell.run("patients", "list", "--json").out)
    assert patient == {
        "ref": ref,
        "name": "Jo Park",
        "status": "invited",
        "stage": "early",
        "week": None,
        "zone": "Europe/London",
        "open": 0,
    }
    shown = json.loads(shell.run("patients", "show", ref.lower(), "--json").out)
    assert shown["open_flags"] == [] and list(shown["last_28_days"].values()) == ["rest"]
    assert json.loads(shell.run("forecast", "--json").out) == {"prompts": 0, "stuck": {}, "invited": 1}
    assert shell.run("patients", "pause", ref, *AS, "--reason", "holiday").code == 0
    assert shell.run("patients", "resume", ref, *AS).code == 0
    assert shell.run("patients", "discharge", ref, *AS, "--reason", "moved away").code == 0
    assert json.loads(shell.run("patients", "list", "--json").out)[0]["status"] == "discharged"
    assert shell.run("audit", "verify").out == "The audit trail is whole.\n"
    assert shell.run("staff", "disable", "sam@example.org").code == 0


def test_an_enrolment_prints_the_patients_own_phone_and_the_code(clinic: tuple[Shell, str]) -> None:
    shell, _ = clinic
    lines = shell.run("enrol", "Sam Bell", *AS, "--eligible").out.splitlines()
    ref = lines[0].split()[2].rstrip(".")
    assert lines[1:] == [f"  http://127.0.0.1:8000/phone/{ref}", lines[2]] and lines[2].startswith("  code ")


def test_a_patient_is_invited_again_by_a_link_that_takes_the_place_of_the_first(clinic: tuple[Shell, str]) -> None:
    shell, ref = clinic
    out = shell.run("patients", "invite", ref.lower(), "--as", "sam@example.org").out
    assert out.startswith(f"New invitation for {ref}. The invitation works once, until ") and f"/phone/{ref}" in out
    made = json.loads(shell.run("patients", "invite", ref, *AS, "--json").out)
    assert made["ref"] == ref and made["links"] and made["code"] not in out
    with closing(sqlite3.connect(shell.database)) as database:
        assert database.execute("select count(*) from invitations where revoked_at is null and used_at is null").fetchone() == (1,)
    assert "stepwise patients list" in shell.run("patients", "invite", "P999ZZZ", *AS).sentence


def test_who_is_no_physio_enrols_for_one(clinic: tuple[Shell, str]) -> None:
    shell, _ = clinic
    enrol, desk = ("--eligible", "--json"), ("--as", "sam@example.org")

    def treating(name: str, *words: str) -> str:
        ref = json.loads(shell.run("enrol", name, *desk, *enrol, *words).out)["ref"]
        with closing(sqlite3.connect(shell.database)) as database:
            query = (
                "select s.email from episodes e join patients p on p.id = e.patient_id join staff s on s.id = e.physio_id where p.ref = ?"
            )
            return str(database.execute(query, (ref,)).fetchone()[0])

    assert treating("Kim Vale") == "anna@example.org"
    assert shell.run("staff", "invite", "ben@example.org", "Ben Ode").code == 0
    refused = shell.run("enrol", "Lee Ray", *desk, *enrol)
    assert refused.code == 1 and "Name the physiotherapist who treats this patient: anna@example.org, ben@example.org" in refused.sentence
    assert treating("Lee Ray", "--physio", "Ben@example.org") == "ben@example.org"
    assert "sam@example.org is not an active physiotherapist" in shell.run("enrol", "Al", *AS, *enrol, "--physio", desk[1]).sentence


def test_a_time_in_quiet_hours_is_taken_and_said(clinic: tuple[Shell, str]) -> None:
    shell, _ = clinic
    said = {at: shell.run("enrol", f"At {at}", *AS, "--eligible", "--at", at) for at in ("03:00", "22:15", "08:00", "20:59")}
    assert all(result.code == 0 for result in said.values())
    assert "03:00 is in quiet hours (21:00 to 08:00). The patient's choice wins" in said["03:00"].err and said["22:15"].err
    assert (said["08:00"].err, said["20:59"].err) == ("", "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("flags", "ack", "12", *AS), "'12' is not the id of a flag; copy one from: stepwise flags list"),
        (("flags", "close", "12", *AS, "--reason", "x"), "copy one from: stepwise flags list"),
        (("patients", "pause", "P1", *AS, "--until", "31.12.2026", "--reason", "x"), "write year-month-day, such as 2026-12-31"),
        (("enrol", "Jo Park", *AS, "--eligible", "--at", "7am"), "write hours and minutes, such as 07:30"),
    ],
)
def test_a_word_of_the_wrong_kind_is_answered_with_what_to_write(shell: Shell, words: tuple[str, ...], says: str) -> None:
    result = shell.run(*words)
    assert result.code == 2 and says in result.err


def test_without_a_clinic_a_command_says_how_to_add_one(shell: Shell) -> None:
    assert shell.run("migrate").code == 0
    for words in (("patients", "list"), ("patients", "list", "--clinic", "riverside"), ("flags", "list")):
        assert "There is no clinic yet; add one: stepwise clinics add" in shell.run(*words).sentence


def test_flags_and_steps_to_decide_on_are_not_mixed_up(clinic: tuple[Shell, str]) -> None:
    shell, ref = clinic
    db = open_database(f"sqlite:///{shell.database}", [SECRET])
    with db.begin() as tx:
        patient = patients.load_by_ref(tx, clinics.only_clinic(tx).id, ref)
        episode = episodes.find_of_patient(tx, patient.id)
        assert episode is not None
        flag, _ = cases.raise_case(tx, START, episode, cases.Raised("X3", "X3", "routine", "A message.", {}), None)
        step = reviews.propose(tx, START, episode, "C1", "early", "intermediate", {"sentence": "Ready."})
    db.close()
    rows = json.loads(shell.run("flags", "list", "--json").out)
    assert [(row["kind"], row["id"]) for row in rows] == [("flag", str(flag)), ("proposal", str(step))]
    out = shell.run("flags", "list").out
    flags, _, steps = out.partition("Steps to decide on, on the patient's page (http://127.0.0.1:8000/patients/REF):")
    assert str(flag) in flags and "stepwise flags ack ID" in flags and "Ready." in steps and str(step) not in out
    assert "decide on the patient's page" in shell.run("flags", "ack", str(step), *AS).sentence
    assert shell.run("flags", "ack", str(flag), *AS).code == 0


def test_flags_lead_with_the_reason_that_the_page_leads_with(clinic: tuple[Shell, str]) -> None:
    shell, ref = clinic
    db = open_database(f"sqlite:///{shell.database}", [SECRET])
    with db.begin() as tx:
        episode = episodes.find_of_patient(tx, patients.load_by_ref(tx, clinics.only_clinic(tx).id, ref).id)
        assert episode is not None
        for rule, words in (("D4", "30 % done."), ("D3", "Three times not done.")):
            cases.raise_case(tx, START, episode, cases.Raised("engagement", rule, "routine", words, {}), None)
    (row,) = json.loads(shell.run("flags", "list", "--json").out)
    assert (row["rule"], row["why"]) == ("D3", "Three times not done.")
    assert "open flags: D3: Three times not done." in shell.run("patients", "show", ref).out
    with db.begin() as tx:
        (case,) = cases.list_open(tx, episode)
        cases.note_over(tx, case, {"D3"}, START.date())
    db.close()
    assert "  D4    " in shell.run("flags", "list").out and "30 % done." in shell.run("flags", "list").out


@pytest.mark.parametrize(("option", "agreed"), [((), False), (("--rungs-preauthorised",), True)])
def test_steps_agreed_beforehand_are_part_of_the_prescription(clinic: tuple[Shell, str], option: tuple[str, ...], agreed: bool) -> None:
    shell, _ = clinic
    assert shell.run("enrol", "Kim Vale", *AS, "--eligible", *option, "--json").code == 0
    with closing(sqlite3.connect(shell.database)) as database:
        (document,) = database.execute("select document from prescriptions order by created_at desc limit 1").fetchone()
    assert json.loads(document)["rungs_preauthorised"] is agreed


def test_tables_are_for_people(clinic: tuple[Shell, str]) -> None:
    shell, ref = clinic
    head, row = shell.run("patients", "list").out.splitlines()
    assert "invited, not opened" in row
    assert head.split() == ["ref", "name", "status", "stage", "week", "zone", "open"] and row.startswith(ref)
    assert shell.run("flags", "list").out == "Nothing needs doing.\n"
    shown = shell.run("patients", "show", ref).out
    assert (
        "open flags: -" in shown and "status: invited, not opened" in shown and " rest day\n" in shown and "done, last 28 days: -" in shown
    )


def test_an_invitation_link_is_made_for_the_same_person_again(clinic: tuple[Shell, str]) -> None:
    shell, _ = clinic
    first, second = (shell.run("staff", "invite", "anna@example.org", "Anna Reed").out for _ in range(2))
    assert first != second and "/sign-in/" in first
    assert len(json.loads(shell.run("staff", "list", "--json").out)) == 2


def test_plans_are_listed_shown_and_checked(shell: Shell) -> None:
    assert json.loads(shell.run("plans", "list", "--json").out)[0]["id"] == "proximal_hamstring_tendinopathy"
    assert (
        json.loads(shell.run("plans", "show", "proximal_hamstring_tendinopathy", "--json").out)["id"] == "proximal_hamstring_tendinopathy"
    )
    assert "pain ceiling 5/10" in shell.run("plans", "show", "proximal_hamstring_tendinopathy").out
    assert shell.run("plans", "check").out == "No mistakes.\n"


def test_a_broken_plan_gets_every_mistake_at_once_and_exit_1(shell: Shell) -> None:
    broken = shell.folder / "broken.toml"
    broken.write_text('id = "Bad Id"\nversion = "one"\ntitle = ""\nnonsense = 3\n', encoding="utf-8")
    missing = str(shell.folder / "missing.toml")
    result = shell.run("plans", "check", str(broken), missing)
    assert result.code == 1
    lines = result.out.splitlines()
    assert sum("broken.toml" in line for line in lines) >= 4 and any("missing.toml" in line for line in lines)
    assert all(any(key in line for line in lines) for key in ("id", "version", "title", "nonsense"))


def test_running_is_opened_and_closed_from_the_command_line(clinic: tuple[Shell, str]) -> None:
    shell, _ = clinic
    ref = json.loads(shell.run("enrol", "Kim Lee", *AS, "--eligible", "--stage", "advanced", "--json").out)["ref"]
    assert shell.run("patients", "run", ref, *AS, "--open", "1-4", "--reason", "walks well").out == "Opened.\n"
    assert shell.run("patients", "run", ref, *AS, "--close", "--reason", "race is over").out == "Closed.\n"
