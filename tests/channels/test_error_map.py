"""The table of what each error means, as data: both channels do what it says, or what it says that we do instead, with the reason."""

from __future__ import annotations

import tomllib
from typing import Any

import aiohttp
import pytest
import telegram.error
from twilio.base.exceptions import TwilioRestException

from bot_service import errors
from bot_service.channels import telegram_request, whatsapp_errors
from tests.source_tree import ROOT

TABLE: dict[str, Any] = tomllib.loads((ROOT / "tests" / "data" / "error_map.toml").read_text(encoding="utf-8"))
MEANINGS: dict[str, tuple[type[errors.DeliveryError], ...]] = {
    "retry": (errors.RateLimited, errors.ChannelUnavailable),
    "unknown": (errors.OutcomeUnknown,),
    "drop": (errors.MessageRejected, errors.OutsideServiceWindow),
    "unreachable": (errors.RecipientStopped,),
    "config": (errors.ChannelMisconfigured,),
}
OURS = {each["code"]: each for each in TABLE["twilio_ours"]}
CODES = [(action, code) for action, codes in TABLE["twilio"].items() for code in codes]


def is_done(action: str, meaning: errors.DeliveryError) -> bool:
    """Whether a meaning leads to this action, and is retried only if that is the action."""
    return type(meaning) in MEANINGS[action] and meaning.retryable is (action == "retry")


def test_the_table_is_whole_and_says_each_thing_once() -> None:
    assert len(CODES) == len({code for _, code in CODES}) == 70
    assert sum(len(each.get("texts", [""])) for each in TABLE["telegram"]) == 21
    differing = [each for part in ("telegram", "status", "twilio_ours") for each in TABLE[part] if "because" in each]
    assert len(differing) == 5 and all(each["because"] for each in differing)


@pytest.mark.parametrize(("action", "code"), CODES)
def test_a_code_of_twilios_leads_to_its_action_at_once_and_in_a_receipt(action: str, code: int) -> None:
    ours = OURS.get(code, {})
    at_once = whatsapp_errors.meaning_of(TwilioRestException(400, "/Messages.json", "words", code))
    assert is_done(ours.get("at_once", action), at_once)
    assert is_done(ours.get("later", action), whatsapp_errors.meaning_of_code(code))


def test_no_code_outside_the_table_does_more_than_drop_its_message() -> None:
    known = {code for _, code in CODES}
    odd = [code for code in range(10_000, 100_000) if code not in known and not is_done("drop", whatsapp_errors.meaning_of_code(code))]
    assert odd == []


@pytest.mark.parametrize("rule", TABLE["telegram"], ids=lambda rule: f"{rule['class']}-{rule['action']}")
@pytest.mark.filterwarnings("ignore:Deprecated since version v22.2")
def test_an_error_of_telegrams_leads_to_its_action(rule: dict[str, Any]) -> None:
    kind = getattr(telegram.error, rule["class"])
    for text in rule.get("texts", [3]):
        error = kind() if rule["class"] == "InvalidToken" else kind(text)
        assert is_done(rule.get("ours", rule["action"]), telegram_request.meaning_of(error)), text


@pytest.mark.parametrize("rule", TABLE["connection"], ids=lambda rule: rule["action"])
def test_an_error_of_the_connection_leads_to_its_action_on_both(rule: dict[str, Any]) -> None:
    for name in rule["classes"]:
        error = getattr(aiohttp, name).__new__(getattr(aiohttp, name))
        assert is_done(rule["action"], whatsapp_errors.meaning_of(error)), name
        assert is_done(rule["action"], telegram_request.meaning_of(telegram_request.failure_of(error))), name


@pytest.mark.parametrize("rule", TABLE["status"], ids=lambda rule: f"{rule['of']}-{rule['action']}")
def test_a_status_without_the_providers_words_leads_to_its_action(rule: dict[str, Any]) -> None:
    action = rule.get("ours", rule["action"])
    for status in rule["statuses"]:
        if rule["of"] != "telegram":
            assert is_done(action, whatsapp_errors.meaning_of(TwilioRestException(status, "/", "words", status)))
        if rule["of"] != "twilio":
            assert is_done(action, telegram_request.meaning_of(_of_telegram(status)))


def _of_telegram(status: int) -> Exception:
    try:
        telegram_request._as_telegram_means_it(status, b"<html>", "sendMessage")
    except telegram.error.TelegramError as error:
        return error
    return telegram.error.InvalidToken() if status in (401, 404) else telegram.error.NetworkError("")
