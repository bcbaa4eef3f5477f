"""The documents and the product name the same routes, commands, options, settings and rules; nothing is documented that is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from bot_service.cli.commands import stepwise
from bot_service.clinical.catalogue import RULES
from bot_service.settings import SECRETS, Settings
from bot_service.storage import outbox
from bot_service.web.site import DOORS, build_site
from plans.loading import load_library
from tests import rules_page
from tests.running_clinic import RunningClinic
from tests.source_tree import ROOT

CONTRACT_COMMANDS = """
    serve migrate doctor clinics_add clinics_list senders_add senders_list staff_invite staff_list staff_disable enrol import patients_list
    patients_show patients_pause patients_resume patients_discharge patients_export patients_erase plans_list plans_show plans_check
    flags_list flags_ack flags_close forecast digest simulate understand backup restore export audit_verify
""".split()
CONTRACT_SETTINGS = """
    DATABASE_URL BIND PUBLIC_URL CHANNELS TELEGRAM_TOKEN TELEGRAM_MODE TELEGRAM_WEBHOOK_SECRET TELEGRAM_API_URL TWILIO_ACCOUNT_SID
    TWILIO_AUTH_TOKEN TWILIO_API_URL WHATSAPP_FROM SMTP_URL MAIL_FROM SECRET_KEY TICK_SECONDS LOG_FORMAT
""".split()
CONTRACT_ROUTES = """
    GET_/ GET_/phone POST_/webhooks/telegram POST_/webhooks/telegram/{sender} POST_/webhooks/twilio/inbound POST_/webhooks/twilio/status
    GET_/healthz GET_/readyz GET_/metrics
""".split()
CONTRACT_STATES = "due claimed sending sent delivered read failed expired cancelled in_doubt".split()
"""The names that are fixed for users and operators: each is there, or its page says that it is not in this version."""
NOT_YET = "## Not in this version"


def document(name: str) -> tuple[str, str]:
    """A page: what it says there is, and what it says is not in this version."""
    there, _, missing = (ROOT / "docs" / name).read_text(encoding="utf-8").partition(NOT_YET)
    return there, missing.partition("\n## ")[0]


def every_command(group: click.Group = stepwise, above: str = "") -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from every_command(command, f"{above}{name} ")
        elif not command.hidden:
            yield f"{above}{name}", command


COMMANDS = dict(every_command())
DOCUMENTED = {
    match[1].strip(): match[0]
    for match in re.finditer(r"^\| `([a-z ]+?)(?: (?:[A-Z]+|[-\[].*?|[A-Z_]+ .*?))?` \|", document("commands.md")[0], flags=re.MULTILINE)
}


def test_every_command_is_documented_and_every_documented_one_exists() -> None:
    assert sorted(DOCUMENTED) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_documented_with_its_arguments_and_options_and_no_others(name: str) -> None:
    line = DOCUMENTED[name]
    options = {option for parameter in COMMANDS[name].params if isinstance(parameter, click.Option) for option in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", line)) == options
    arguments = [str(parameter.name).upper() for parameter in COMMANDS[name].params if isinstance(parameter, click.Argument)]
    assert [word for word in arguments if word not in line] == []


def test_the_fixed_commands_are_there_or_said_to_be_missing() -> None:
    _, missing = document("commands.md")
    for words in (name.replace("_", " ") for name in CONTRACT_COMMANDS):
        assert (words in COMMANDS) is not (f"`{words}`" in missing), words


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    there, missing = document("settings.md")
    names = {f"STEPWISE_{field.upper()}" for field in Settings.model_fields}
    assert set(re.findall(r"^\| `(STEPWISE_[A-Z_]+)`", there, flags=re.MULTILINE)) == names
    assert set(re.findall(r"STEPWISE_[A-Z_]+", there + missing)) - names <= set(re.findall(r"STEPWISE_[A-Z_]+", missing)) | {
        "STEPWISE_SECRET_KEY_FILE"
    }
    for name in CONTRACT_SETTINGS:
        assert (f"STEPWISE_{name}" in names) is not (f"`STEPWISE_{name}`" in missing), name


def test_every_default_is_documented() -> None:
    there, _ = document("settings.md")
    for field, information in Settings.model_fields.items():
        line = next(line for line in there.splitlines() if line.startswith(f"| `STEPWISE_{field.upper()}`"))
        shown = "simulator" if field == "channels" else information.default
        if shown and field not in ("database_url",) and isinstance(shown, str | int):
            assert f"| `{shown}` |" in line, field


def test_the_secrets_that_may_be_files_are_documented() -> None:
    there, _ = document("settings.md")
    listed = there.partition("## Secrets in files")[2].partition("## ")[0]
    assert set(re.findall(r"`STEPWISE_([A-Z_]+)`", listed)) == {name.upper() for name in SECRETS}


def test_every_route_is_documented_with_who_may_and_every_documented_one_exists(sqlite_clinic: RunningClinic) -> None:
    there, missing = document("routes.md")
    documented = dict(re.findall(r"^\| `((?:GET|POST) [^`]+)` \| (\w+) \|", there, flags=re.MULTILINE))
    doors = {f"{door.method} {door.path}": door.access for door in DOORS}
    assert documented == doors | {"GET /static/…": "public"}
    app = build_site(sqlite_clinic.service)
    served = {
        f"{method} {getattr(route, 'path', '')}"
        for route in app.routes
        for method in (getattr(route, "methods", None) or ())
        if method != "HEAD"
    }
    assert served == set(doors)
    for name in (route.replace("_", " ", 1) for route in CONTRACT_ROUTES):
        assert (name in doors) is not (f"`{name}`" in missing), name


def test_the_page_of_rules_is_made_from_the_rules() -> None:
    there = (ROOT / "docs" / "clinical-rules.md").read_text(encoding="utf-8")
    assert there == rules_page.page() + "\n", "make it anew: python -m tests.rules_page > docs/clinical-rules.md"
    assert re.findall(r"^## ([A-Z]\d) ·", there, flags=re.MULTILINE) == list(RULES) == list(rules_page.KEYS)


def test_every_threshold_belongs_to_a_rule_or_to_the_conversation() -> None:
    rules = load_library()[rules_page.PLAN].rules.model_dump()
    named = {key for keys in (*rules_page.KEYS.values(), rules_page.OTHERS) for key in keys if not key.startswith("stages.")}
    assert named == set(rules_page.leaves(rules))


def test_the_states_of_a_message_are_the_ones_documented() -> None:
    there, _ = document("delivery.md")
    for state in CONTRACT_STATES:
        assert re.search(rf"\b{state}\b", there), state
    assert set(outbox.WENT_OUT) <= set(CONTRACT_STATES)
    source = (ROOT / "migrations" / "versions" / "0001_the_first_schema.py").read_text(encoding="utf-8")
    assert [state for state in CONTRACT_STATES if f"'{state}'" not in source and f'"{state}"' not in source] == []


def test_every_link_inside_the_documents_leads_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
    assert len(pages) > 12
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_file_that_the_layout_names_exists() -> None:
    there = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:bot_service|schedules|plans|actions|clinical|conversation|storage)/[\w/.]*)", there)
    assert len(named) > 20
    missing = [name for name in named if not (ROOT / name.rstrip(".")).exists() and not (ROOT / "bot_service" / name.rstrip(".")).exists()]
    assert missing == []


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(page.name[:4]) for page in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 6
