"""Going live: what the settings refuse, what the doctor finds before a patient would miss a prompt, and pages whose words can be pasted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot_service.actions.window import TEMPLATE, form_of
from bot_service.channels.whatsapp import MEDIA_PATH, RETRIES, STATUS_PATH
from bot_service.channels.whatsapp_contents import BUTTONS, variables_of
from bot_service.channels.whatsapp_texts import in_steps
from bot_service.cli.commands import stepwise
from bot_service.conversation.parsing import read
from bot_service.conversation.wording import SHIPPED, load_catalogue
from bot_service.errors import SettingsError
from bot_service.messages import Button, Outbound
from bot_service.settings import Settings, load_settings
from bot_service.storage.database import Database
from bot_service.storage.outbox import Message
from tests.fakes.twilio_api_process import DAILY, OURS, FakeTwilio
from tests.running_clinic import SECRET
from tests.source_tree import ROOT
from tests.twilio_clinic import INBOUND

GOOD: dict[str, object] = {
    "channels": "whatsapp", "twilio_account_sid": "AC" + "1" * 32, "twilio_auth_token": "t" * 32, "whatsapp_from": OURS,
    "secret_key": SECRET, "public_url": "https://stepwise.example.org", "whatsapp_templates": f"daily:en={DAILY}",
}  # fmt: skip
PAGE = (ROOT / "docs" / "going-live" / "whatsapp.md").read_text(encoding="utf-8")


def settings(**changes: object) -> Settings:
    return load_settings(**(GOOD | changes))


def test_complete_settings_are_taken_and_show_no_token() -> None:
    found = settings(whatsapp_from="whatsapp:+44 7700 900999", twilio_auth_token="new, old")
    assert (found.whatsapp_from, found.twilio_tokens) == (OURS, ("new", "old"))
    assert found.whatsapp_templates == {"daily:en": DAILY}
    assert "old" not in repr(found)
    assert not found.is_sample


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"twilio_account_sid": None}, "STEPWISE_TWILIO_ACCOUNT_SID is missing"),
        ({"twilio_account_sid": "SK" + "1" * 32}, "STEPWISE_TWILIO_ACCOUNT_SID is missing"),
        ({"twilio_auth_token": None}, "STEPWISE_TWILIO_AUTH_TOKEN is missing"),
        ({"twilio_auth_token": " , "}, "STEPWISE_TWILIO_AUTH_TOKEN is missing"),
        ({"whatsapp_from": None}, "STEPWISE_WHATSAPP_FROM is missing"),
        ({"whatsapp_from": "07700 900999"}, r"STEPWISE_WHATSAPP_FROM: must be a number such as \+44"),
        ({"public_url": "http://stepwise.example.org"}, "STEPWISE_PUBLIC_URL must be the https address"),
        ({"whatsapp_templates": "HX123"}, "STEPWISE_WHATSAPP_TEMPLATES: must look like daily:en=HX"),
        ({"whatsapp_templates": "daily=HX" + "1" * 32}, "STEPWISE_WHATSAPP_TEMPLATES: must look like"),
        ({"secret_key": None}, "STEPWISE_SECRET_KEY is missing"),
    ],
)
def test_what_is_missing_for_whatsapp_is_named(changes: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        settings(**changes)


def test_the_auth_token_may_lie_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("from a file\n")
    monkeypatch.setenv("STEPWISE_TWILIO_AUTH_TOKEN_FILE", str(tmp_path / "token"))
    given = {name: value for name, value in GOOD.items() if name != "twilio_auth_token"}
    assert load_settings(**given).twilio_tokens == ("from a file",)


@pytest.fixture
def doctor(twilio_server: FakeTwilio, sqlite_db: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    """Runs commands with settings that are good, over a clinic's database."""
    twilio_server.control("reset")
    url = sqlite_db.engine.url.render_as_string()
    values = GOOD | {
        "twilio_account_sid": twilio_server.account,
        "twilio_auth_token": twilio_server.token,
        "twilio_api_url": twilio_server.url,
        "database_url": url,
    }
    for name, value in values.items():
        monkeypatch.setenv(f"STEPWISE_{name.upper()}", str(value))
    yield CliRunner()
    assert twilio_server.control("state")["offences"] == []


def run(runner: CliRunner, *words: str) -> tuple[int, str]:
    result = runner.invoke(stepwise, list(words))
    return result.exit_code, result.output


def test_the_doctor_is_content_when_all_is_there_and_names_what_is_not(
    doctor: CliRunner, twilio_server: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(doctor, "clinics", "add", "riverside", "Riverside Physio")[0] == 0
    assert run(doctor, "doctor") == (0, "Everything is in order.\n")
    monkeypatch.setenv("STEPWISE_WHATSAPP_TEMPLATES", "")
    code, said = run(doctor, "doctor")
    assert (code, "no template daily:en" in said) == (1, True)
    monkeypatch.setenv("STEPWISE_TWILIO_AUTH_TOKEN", "0" * 32)
    assert "Twilio refuses STEPWISE_TWILIO_ACCOUNT_SID" in run(doctor, "doctor")[1]
    twilio_server.control("account", status="suspended")
    monkeypatch.setenv("STEPWISE_TWILIO_AUTH_TOKEN", twilio_server.token)
    assert "Twilio refuses" in run(doctor, "doctor")[1]
    monkeypatch.setenv("STEPWISE_TWILIO_API_URL", "http://127.0.0.1:1")
    assert "Twilio cannot be reached" in run(doctor, "doctor")[1]


POLISH, THREE = "HX" + "a" * 32, "HX" + "3" * 32
TEMPLATES = f"daily:en={DAILY},daily:pl={POLISH},buttons3:en={THREE}"


def quick(body: str, *ids: str) -> dict[str, object]:
    return {"twilio/quick-reply": {"body": body, "actions": [{"type": "QUICK_REPLY", "title": each, "id": each} for each in ids]}}


THREE_BUTTONS = {
    "twilio/quick-reply": {
        "body": "{{1}}",
        "actions": [{"type": "QUICK_REPLY", "title": f"{{{{{n}}}}}", "id": f"{{{{{n + 1}}}}}"} for n in (2, 4, 6)],
    }
}


@pytest.fixture
def templated(doctor: CliRunner, twilio_server: FakeTwilio, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A clinic with every template in order, and a patient who reads Polish."""
    run(doctor, "clinics", "add", "riverside", "Riverside Physio")
    run(doctor, "staff", "invite", "anna@example.org", "Anna Reed")
    assert run(doctor, "enrol", "Jo Park", "--as", "anna@example.org", "--eligible", "--language", "pl")[0] == 0
    monkeypatch.setenv("STEPWISE_WHATSAPP_TEMPLATES", TEMPLATES)
    twilio_server.control("template", sid=DAILY, status="approved", category="UTILITY")
    twilio_server.control("template", sid=POLISH, status="approved", category="UTILITY", content={"language": "pl"})
    twilio_server.control("template", sid=THREE, status="unsubmitted", category="", content={"variables": {}, "types": THREE_BUTTONS})
    return doctor


def test_templates_that_are_as_they_should_be_are_no_problem(templated: CliRunner) -> None:
    assert run(templated, "doctor") == (0, "Everything is in order.\n")
    assert run(templated, "plans", "check") == (0, "No mistakes.\n")


@pytest.mark.parametrize(
    ("sid", "change", "words"),
    [
        (POLISH, {"status": "pending"}, "WhatsApp has not approved the template daily:pl: it is pending"),
        (POLISH, {"status": "rejected"}, "it is rejected"),
        (POLISH, {"category": "MARKETING"}, "counts the template daily:pl as marketing"),
        (POLISH, {"content": {"language": "en"}}, "daily:pl is in the language en at Twilio"),
        (POLISH, {"content": {"variables": {}}}, "daily:pl has no sample for the variable {{1}}"),
        (POLISH, {"content": {"types": quick("Tu przychodnia. Prosze.", "show")}}, "daily:pl lacks the variable {{1}}"),
        (POLISH, {"content": {"types": quick("Tu {{1}}, {{2}}.", "show")}}, "daily:pl has the variable {{2}}, which Stepwise does not"),
        (POLISH, {"content": {"types": {"twilio/text": {"body": "Tu {{1}}."}}}}, "daily:pl has 0 quick-reply buttons in place of 1"),
        (THREE, {"content": {"types": quick("{{1}}", "{{2}}", "{{4}}")}}, "buttons3:en lacks the variable {{3}}"),
        (THREE, {"content": {"types": quick("{{1}}", "{{2}}", "{{4}}")}}, "buttons3:en has 2 quick-reply buttons in place of 3"),
    ],
)
def test_the_doctor_names_the_template_and_what_is_wrong_with_it(
    templated: CliRunner, twilio_server: FakeTwilio, sid: str, change: dict[str, object], words: str
) -> None:
    good: dict[str, object] = {"sid": sid, "status": "approved", "category": "UTILITY", "content": {"language": "pl"}}
    if "content" in change and sid == POLISH:
        change = {"content": {"language": "pl"} | dict(change["content"])}  # type: ignore[call-overload]  # a mapping here
    twilio_server.control("template", **(good | change))
    code, said = run(templated, "doctor")
    assert (code, words in said) == (1, True), said


def test_what_is_missing_is_named_without_asking_twilio(templated: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWISE_WHATSAPP_TEMPLATES", f"daily:en={DAILY},dayly:pl={POLISH}")
    monkeypatch.setenv("STEPWISE_TWILIO_API_URL", "http://127.0.0.1:1")
    for words in (("plans", "check"), ("doctor",)):
        code, said = run(templated, *words)
        assert code == 1
        assert "no template daily:pl (its variable {{1}} is the clinic's name)" in said
        assert "The template dayly:pl is never sent: the names in use are daily, buttons1, buttons2, buttons3." in said
    assert run(templated, "plans", "check", str(ROOT / "plans" / "library" / "proximal_hamstring_tendinopathy.toml"))[0] == 0


def test_one_template_that_twilio_does_not_know_is_named(templated: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWISE_WHATSAPP_TEMPLATES", TEMPLATES.replace(POLISH, "HX" + "e" * 32))
    assert "Twilio does not know the template daily:pl" in run(templated, "doctor")[1]


def test_what_is_checked_is_what_is_sent() -> None:
    message = Message(**{field.name: None for field in fields(Message)} | {"content": {}})  # type: ignore[arg-type]
    sent = form_of(message, by_template=True, clinic="Riverside")
    assert sorted(sent["values"]) == variables_of(f"{sent['template']}:en")
    for number in (1, 2, 3):
        buttons = tuple(Button(f"Answer {each}", f"v1:q:{each}") for each in range(number))
        *_, step = in_steps(Outbound("m", "s", "whatsapp:+447700900123", "Do you?", (buttons,)), lambda name: name)
        assert step.content_sid == f"buttons{number}" and list(step.values) == variables_of(step.content_sid)


def test_an_enrolment_prints_the_link_that_opens_whatsapp(doctor: CliRunner) -> None:
    run(doctor, "clinics", "add", "riverside", "Riverside Physio")
    assert run(doctor, "staff", "invite", "anna@example.org", "Anna Reed")[0] == 0
    code, said = run(doctor, "enrol", "Jo Park", "--as", "anna@example.org", "--eligible")
    assert code == 0
    assert re.search(rf"https://wa\.me/{OURS[1:]}\?text=Start%20[\w-]{{22}}\n", said)


def test_the_template_to_paste_keeps_whatsapps_rules_and_its_button_is_understood() -> None:
    body = re.search(r"```\n\s*(Hello.*\{\{1\}\}.*)\n\s*```", PAGE)
    assert body is not None
    assert not re.match(r"\s*\{\{", body[1])
    assert not re.search(r"\}\}\s*$|\}\}\s*\{\{", body[1])
    assert re.findall(r"\{\{(\d)\}\}", body[1]) == ["1"], "exactly the variable that is sent"
    button = re.search(r"^\| `stepwise_daily_en` \| .* \| `([^`]+)` \| `show` \|$", PAGE, flags=re.MULTILINE)
    assert button is not None
    assert len(button[1]) <= 20
    assert load_catalogue("en").template == {"body": body[1], "button": button[1]}
    for question in ("did_you_exercise", "session_pain", "next_day_pain", None):
        assert read(button[1], question).request == "plan"
    assert [code for code in SHIPPED if load_catalogue(code).template["body"] not in PAGE] == []
    assert all(re.findall(r"\{\{\d\}\}", load_catalogue(code).template["body"]) == ["{{1}}"] for code in SHIPPED)
    assert all(f"`{load_catalogue(code).template['button']}`" in PAGE for code in SHIPPED)
    assert all(f"{TEMPLATE}:{language}=HX" in PAGE for language in SHIPPED)
    lines = re.findall(r"^\| `stepwise_daily_(\w+)` \| \w+ \(`(\w+)`\) \| `([^`{]+)` \| `([^`]+)` \| `show` \|$", PAGE, flags=re.MULTILINE)
    assert sorted(code for code, *_ in lines) == sorted(SHIPPED)
    assert all(code == named and load_catalogue(code).template["button"] == text for code, named, _, text in lines)
    samples = re.findall(r"^\| `(buttons\d):en` .* \| ([^|]*) \|$", PAGE, flags=re.MULTILINE)
    assert {name: text.count("`") // 2 for name, text in samples} == {name: len(variables_of(name)) for name in BUTTONS}


def test_the_page_names_every_setting_and_address_that_whatsapp_needs() -> None:
    named = {f"STEPWISE_{name.upper()}" for name in GOOD}
    assert {name for name in named if name not in PAGE} == set()
    assert INBOUND + RETRIES in PAGE
    assert STATUS_PATH in PAGE
    assert f"`{MEDIA_PATH}`" in PAGE
