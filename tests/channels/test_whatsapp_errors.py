"""Reliability C2 for Twilio: every error class, code and HTTP status is classified, found by reflection rather than by memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus

import aiohttp
import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException

from bot_service import errors
from bot_service.channels.whatsapp import Account, WhatsApp
from bot_service.channels.whatsapp_errors import meaning_of, meaning_of_code
from tests.channels.contract import an_outbound
from tests.channels.http_client_errors import NEVER_SENT, WRONG_ADDRESS, of_the_http_client, subclasses
from tests.channels.test_whatsapp import PAT, PUBLIC
from tests.fakes.twilio_api_process import OURS, running_twilio

Meaning = type[errors.DeliveryError]

# Twilio's codes and what to do about each, in the API's answer and in receipts alike (the project's error map).
CODES: dict[Meaning, set[int]] = {
    errors.RateLimited: {20429, 63018, 63017, 21611, 30001},
    errors.ChannelUnavailable: {20500, 20503, 63009, 63010, 63012, 63019},
    errors.OutsideServiceWindow: {63016},
    errors.MessageRejected: {
        63005, 63006, 63013, 63021, 63028, 63030, 63034, 63037, 21602, 21617, 21620, 21623, 21656, 30007, 63026, 63049, 63032, 30008,
    },
    errors.RecipientStopped: {63003, 63024, 63014, 63033, 21610, 21211, 21614, 21612, 30003, 30005, 30006, 63015},
    errors.ChannelMisconfigured: {
        20003, 20005, 10001, 90010, 30002, 20404, 21603, 21606, 21609, 21212, 21703, 21608, 21408, 63001, 63002, 63007, 63008, 63011, 63020,
        63022, 63027, 63029, 63038, 63040, 63041, 63051, 21654, 21655,
    },
}  # fmt: skip


def rest(status: int, code: int | None) -> TwilioRestException:
    return TwilioRestException(status, "/2010-04-01/Accounts/AC1/Messages.json", "words", code)


def service(status: int, code: int) -> TwilioServiceException:
    return TwilioServiceException("https://example.org/problem", "words", status, code)


def test_every_error_class_of_the_library_is_known() -> None:
    assert subclasses(TwilioException) == {TwilioException, TwilioRestException, TwilioServiceException}


@pytest.mark.parametrize(("meaning", "codes"), CODES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_every_code_means_what_the_table_says(meaning: Meaning, codes: set[int]) -> None:
    for code in codes:
        assert type(meaning_of_code(code)) is meaning, code
        for error in (rest(400, code), service(400, code)):
            expected = errors.OutcomeUnknown if code == 30008 else meaning
            assert type(meaning_of(error)) is expected, code


def test_only_the_stop_at_the_provider_counts_as_the_patients_own() -> None:
    stopped = [code for code in CODES[errors.RecipientStopped] if getattr(meaning_of_code(code), "opted_out", False)]
    assert stopped == [21610]


def test_a_code_that_nobody_has_heard_of_is_a_refusal_of_this_message_only() -> None:
    for code in (1, 64999, 21999):
        assert type(meaning_of(rest(400, code))) is errors.MessageRejected


def test_an_error_that_nobody_has_heard_of_is_unknown_and_not_retryable() -> None:
    class Tomorrow(TwilioException):  # type: ignore[misc]  # the library ships no types
        pass

    for error in [Tomorrow("x"), TwilioException("x"), KeyError("sid"), TypeError(), RuntimeError(), rest(400, None), service(0, 0)]:
        meaning = meaning_of(error)
        assert type(meaning) is errors.OutcomeUnknown
        assert not meaning.retryable


def test_every_error_of_the_http_client_is_unknown_unless_nothing_can_have_been_sent() -> None:
    kinds = of_the_http_client()
    assert len(kinds) > 40
    for kind in kinds:
        meaning = type(meaning_of(kind.__new__(kind)))
        if kind.__name__ in NEVER_SENT:
            assert meaning is errors.ChannelUnavailable, kind
        elif kind.__name__ in WRONG_ADDRESS and issubclass(kind, aiohttp.ClientError):
            assert meaning is errors.ChannelMisconfigured, kind
        else:
            assert meaning is errors.OutcomeUnknown, kind


def retried_though_perhaps_sent(meaning: Callable[[Exception], errors.DeliveryError]) -> set[str]:
    """Errors after which a message may have arrived, and which would be tried again."""
    perhaps = [kind.__new__(kind) for kind in of_the_http_client() if kind.__name__ not in NEVER_SENT]
    perhaps += [rest(status, None) for status in (400, 500, 502, 503, 504)]
    return {type(error).__name__ for error in perhaps if meaning(error).retryable}


def test_nothing_is_tried_again_after_which_it_may_have_arrived_but_a_careless_table_would() -> None:
    def careless(error: Exception) -> errors.DeliveryError:
        """A table that is wrong on purpose: an error on the provider's side, or a time-out, counts as not sent."""
        if isinstance(error, TimeoutError) or (isinstance(error, TwilioRestException) and error.status >= 500):
            return errors.ChannelUnavailable("?")
        return meaning_of(error)

    assert retried_though_perhaps_sent(meaning_of) == set()
    assert {"TimeoutError", "TwilioRestException"} <= retried_though_perhaps_sent(careless)


def test_our_own_time_limit_is_unknown_only_once_something_was_written() -> None:
    assert type(meaning_of(TimeoutError(), begun=True)) is errors.OutcomeUnknown
    assert type(meaning_of(TimeoutError(), begun=False)) is errors.ChannelUnavailable


async def test_every_http_status_with_and_without_a_code_of_twilios_is_classified() -> None:
    """Only 429 is retryable; a refusal is final only in Twilio's own words; every other status leaves the outcome unknown."""
    with running_twilio() as fake:
        channel = WhatsApp(Account(fake.account, (fake.token,), OURS), PUBLIC, fake.url)
        await channel.start()
        for status in [int(status) for status in HTTPStatus if status >= 300] + [299, 420, 499, 520, 599]:
            for code in (21617, None):
                fake.fail("status", status=status, text=json.dumps({"code": code, "message": "x"}) if code else "<html>")
                with pytest.raises(errors.DeliveryError) as caught:
                    await channel.send(an_outbound(PAT))
                assert type(caught.value) is _documented(status, code), (status, code)
        await channel.close()


def _documented(status: int, code: int | None) -> Meaning:
    if status == 429:
        return errors.RateLimited
    if status == 401 or (status == 404 and code is None):
        return errors.ChannelMisconfigured
    return errors.MessageRejected if 400 <= status < 500 and code is not None else errors.OutcomeUnknown
