"""The container files, parsed: not every machine has an engine to build and start them."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.source_tree import ROOT

COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
SETTING = re.compile(r"\bSTEPWISE_[A-Z_]+[A-Z]\b")
FOR_TESTS = {"STEPWISE_TEST_POSTGRES_URL", "STEPWISE_HYPOTHESIS"}


@pytest.fixture
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
    return found


def documented_settings() -> set[str]:
    return set(SETTING.findall((ROOT / "docs" / "settings.md").read_text(encoding="utf-8"))) - FOR_TESTS


@pytest.mark.parametrize("text", [COMPOSE, DOCKERFILE, EXAMPLE], ids=["compose", "Dockerfile", ".env.example"])
def test_every_setting_that_is_used_is_documented(text: str) -> None:
    assert {name.removesuffix("_FILE") for name in SETTING.findall(text)} - documented_settings() == set()


def test_the_example_names_every_setting() -> None:
    assert {name.removesuffix("_FILE") for name in documented_settings()} - set(SETTING.findall(EXAMPLE)) == set()


def test_secrets_come_from_outside_and_have_no_default(services: dict[str, Any]) -> None:
    settings = services["service"]["environment"]
    assert settings["STEPWISE_SECRET_KEY"].startswith("${STEPWISE_SECRET_KEY:?")
    assert "${POSTGRES_PASSWORD:?" in settings["STEPWISE_DATABASE_URL"]
    assert services["database"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


def test_the_service_can_be_scaled(services: dict[str, Any]) -> None:
    service = services["service"]
    assert "container_name" not in service
    assert "hostname" not in service
    for published in service["ports"]:
        first, last = re.fullmatch(r"127\.0\.0\.1:(\d+)-(\d+):8000", published).groups()  # type: ignore[union-attr]  # no match fails the test
        assert int(last) - int(first) >= 9, "each copy needs a port of its own"


def test_nothing_starts_before_the_database_is_healthy_and_migrated(services: dict[str, Any]) -> None:
    assert services["migrate"]["command"] == ["migrate"]
    assert services["migrate"]["restart"] == "no"
    assert services["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert services["service"]["depends_on"] == {
        "database": {"condition": "service_healthy"},
        "migrate": {"condition": "service_completed_successfully"},
    }
    assert "pg_isready" in services["database"]["healthcheck"]["test"]


def test_the_database_publishes_no_port_and_keeps_its_files(services: dict[str, Any]) -> None:
    assert "ports" not in services["database"]
    volumes = yaml.safe_load(COMPOSE)["volumes"]
    used = {mount.partition(":")[0] for service in services.values() for mount in service.get("volumes", [])}
    assert used == set(volumes)


def test_the_image_installs_by_hash_and_runs_as_nobody_special() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "--require-hashes" in DOCKERFILE
    assert "requirements-dev" not in DOCKERFILE
    assert re.findall(r"^USER (.+)$", final, flags=re.MULTILINE) == ["10001:10001"]
    assert "/readyz" in final
    assert 'ENTRYPOINT ["python", "-m", "bot_service"]' in final


def test_the_image_gets_what_it_copies_and_nothing_secret() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    copied = set(re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, flags=re.MULTILINE))
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)
