"""Reliability C2: every error class of both libraries and every HTTP status is classified, found by reflection rather than by memory."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from http import HTTPStatus

import aiohttp
import pytest
import telegram.error

from bot_service import errors
from bot_service.channels.telegram import Telegram
from bot_service.channels.telegram_request import MustWait, NotSent, Taken, failure_of, meaning_of
from tests.channels.contract import an_outbound
from tests.channels.http_client_errors import NEVER_SENT, WRONG_ADDRESS, of_the_http_client, subclasses
from tests.fakes.bot_api_process import running_bot_api
from tests.patience import PATIENT_S

MEANINGS: dict[type[Exception], type[errors.DeliveryError]] = {
    MustWait: errors.RateLimited,
    telegram.error.RetryAfter: errors.RateLimited,
    NotSent: errors.ChannelUnavailable,
    Taken: errors.OutcomeUnknown,
    telegram.error.Forbidden: errors.RecipientStopped,
    telegram.error.ChatMigrated: errors.RecipientStopped,
    telegram.error.InvalidToken: errors.ChannelMisconfigured,
    telegram.error.EndPointNotFound: errors.ChannelMisconfigured,
    telegram.error.Conflict: errors.ChannelMisconfigured,
    telegram.error.BadRequest: errors.MessageRejected,
    telegram.error.NetworkError: errors.OutcomeUnknown,
    telegram.error.TimedOut: errors.OutcomeUnknown,
    telegram.error.TelegramError: errors.OutcomeUnknown,
    telegram.error.PassportDecryptionError: errors.OutcomeUnknown,
}


def made(kind: type[Exception]) -> Exception:
    """An instance, whatever its constructor asks for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PTB's RetryAfter warns of its own deprecation
        asked = list(inspect.signature(kind.__init__).parameters.values())[1:]
        return kind(*(3 if parameter.name in {"retry_after", "new_chat_id", "seconds"} else "x" for parameter in asked))


def test_every_error_class_of_the_library_has_its_line_in_the_table() -> None:
    assert subclasses(telegram.error.TelegramError) == set(MEANINGS)


@pytest.mark.parametrize("kind", MEANINGS, ids=lambda kind: kind.__name__)
@pytest.mark.filterwarnings("ignore:Deprecated since version v22.2")
def test_an_error_of_the_library_means_what_the_table_says(kind: type[Exception]) -> None:
    meaning = meaning_of(made(kind))
    assert type(meaning) is MEANINGS[kind]
    if isinstance(meaning, errors.RateLimited):
        assert meaning.retry_after == 3


def test_an_error_that_nobody_has_heard_of_is_unknown_and_not_retryable() -> None:
    class Tomorrow(telegram.error.NetworkError):
        pass

    for error in [Tomorrow("x"), telegram.error.TelegramError("x"), KeyError("result"), TypeError(), RuntimeError()]:
        meaning = meaning_of(error)
        assert type(meaning) is errors.OutcomeUnknown
        assert not meaning.retryable


def test_every_error_of_the_http_client_is_unknown_unless_nothing_can_have_been_sent() -> None:
    kinds = of_the_http_client()
    assert len(kinds) > 40
    for kind in kinds:
        meaning = type(meaning_of(failure_of(kind.__new__(kind))))
        if kind.__name__ in NEVER_SENT:
            assert meaning is errors.ChannelUnavailable, kind
        elif kind.__name__ in WRONG_ADDRESS and issubclass(kind, aiohttp.ClientError):
            assert meaning is errors.ChannelMisconfigured, kind
        else:
            assert meaning is errors.OutcomeUnknown, kind


def retried_though_perhaps_sent(meaning: Callable[[Exception], errors.DeliveryError]) -> set[str]:
    """Errors after which a message may have arrived, and which would be tried again."""
    perhaps = [made(kind) for kind, means in MEANINGS.items() if means is errors.OutcomeUnknown]
    perhaps += [failure_of(kind.__new__(kind)) for kind in of_the_http_client() if kind.__name__ not in NEVER_SENT]
    return {type(error).__name__ for error in perhaps if meaning(error).retryable}


def test_nothing_is_tried_again_after_which_it_may_have_arrived_but_a_careless_table_would() -> None:
    def careless(error: Exception) -> errors.DeliveryError:
        """A table that is wrong on purpose: an error of the network counts as not sent."""
        return errors.ChannelUnavailable("?") if isinstance(error, telegram.error.NetworkError) else meaning_of(error)

    assert retried_though_perhaps_sent(meaning_of) == set()
    assert {"TimedOut", "NetworkError"} <= retried_though_perhaps_sent(careless)


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("Bad Request: chat not found", errors.RecipientStopped),
        ("Bad Request: PEER_ID_INVALID", errors.RecipientStopped),
        ("Bad Request: group chat was upgraded to a supergroup chat", errors.RecipientStopped),
        ("Bad Request: BUTTON_DATA_INVALID", errors.MessageRejected),
        ("Bad Request: message text is empty", errors.MessageRejected),
        ("Bad Request: can't parse entities: unexpected end tag", errors.MessageRejected),
        ("Bad Request: something new", errors.MessageRejected),
    ],
)
def test_a_bad_request_is_about_the_recipient_only_in_known_words(words: str, meaning: type[errors.DeliveryError]) -> None:
    assert type(meaning_of(telegram.error.BadRequest(words))) is meaning


async def test_every_http_status_with_and_without_a_bot_api_body_is_classified() -> None:
    """Only 429 is retryable, and only a documented refusal is final; every other status leaves the outcome unknown."""
    documented: dict[int, type[errors.DeliveryError]] = {
        400: errors.MessageRejected,
        401: errors.ChannelMisconfigured,
        403: errors.RecipientStopped,
        404: errors.ChannelMisconfigured,
        409: errors.ChannelMisconfigured,
        429: errors.RateLimited,
    }
    from_a_proxy = {status: meaning for status, meaning in documented.items() if status in {401, 404, 429}}
    bodies: list[tuple[dict[str, str], dict[int, type[errors.DeliveryError]]]] = [({}, documented), ({"text": "<html>"}, from_a_proxy)]
    with running_bot_api() as fake:
        fake.say(1001, "hello")
        channel = Telegram(fake.token, fake.url, timeout_s=PATIENT_S)
        await channel.start()
        for status in [int(status) for status in HTTPStatus if status >= 200] + [299, 420, 499, 520, 599]:
            for body, table in bodies:
                fake.fail("status", status=status, **body)
                with pytest.raises(errors.DeliveryError) as caught:
                    await channel.send(an_outbound("1001"))
                assert type(caught.value) is table.get(status, errors.OutcomeUnknown), (status, body)
        await channel.close()
