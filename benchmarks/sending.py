"""Messages a second and CPU per message through each channel, beside bare aiohttp posting the same fields to the same fake server.

python -m benchmarks.sending [--messages N] [--rounds N] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from statistics import median
from time import perf_counter, process_time
from typing import Any

import aiohttp

from bot_service.channels.telegram import Telegram
from bot_service.channels.whatsapp import Account, WhatsApp
from bot_service.messages import Button, Outbound
from tests.fakes.bot_api_process import running_bot_api
from tests.fakes.twilio_api_process import OURS, running_twilio

AT_ONCE = (1, 32)
"""How many messages are on their way at the same time; 32 is the channels' own limit."""
TEXT = "Good morning. It is time for today's exercises. Tap the number that fits, or type it, when you have done them. Thank you."
VARIABLES = {"1": "Jo", "2": "today"}
DAILY = "HX" + "b" * 32
CHAT, NUMBER = 7001, "whatsapp:+447700900123"

Send = Callable[[], Awaitable[object]]
Clients = Callable[[], AbstractAsyncContextManager[tuple[Send, Send, Callable[[], None]]]]
"""The bare client's way to send one message, the channel's, and how to make the server forget what it took."""
Json = dict[str, Any]


def measure(messages: int = 400, rounds: int = 5) -> list[Json]:
    """One row for each channel and number at once, the median of rounds in which bare client and channel take turns.

    The server runs in its own process; CPU is this process's alone. `x` are ratios to bare aiohttp within a round.
    """
    served: tuple[tuple[str, Callable[[], AbstractContextManager[Clients]]], ...] = (("telegram", _telegram), ("whatsapp", _whatsapp))
    rows: list[Json] = []
    for channel, serving in served:
        with serving() as clients:
            rows += [
                {"channel": channel, "at_once": at_once, **asyncio.run(_turns(clients, messages, at_once, rounds))} for at_once in AT_ONCE
            ]
    return rows


async def _turns(clients: Clients, messages: int, at_once: int, rounds: int) -> Json:
    """Bare and ours by turns, after a turn of each that does not count."""
    taken: list[tuple[tuple[float, float], tuple[float, float]]] = []
    async with clients() as (bare, ours, forget):
        for _ in range(rounds + 1):
            turn = [(await _timed(send, messages, at_once), forget())[0] for send in (bare, ours)]
            taken.append((turn[0], turn[1]))
    taken = taken[1:]
    return {
        "bare_per_s": round(median(bare[0] for bare, _ in taken)),
        "bare_cpu_ms": round(median(bare[1] for bare, _ in taken), 2),
        "per_s": round(median(ours[0] for _, ours in taken)),
        "cpu_ms": round(median(ours[1] for _, ours in taken), 2),
        "x_per_s": round(median(ours[0] / bare[0] for bare, ours in taken), 2),
        "x_cpu": round(median(ours[1] / bare[1] for bare, ours in taken), 2),
    }


async def _timed(send: Send, messages: int, at_once: int) -> tuple[float, float]:
    """Messages a second, and milliseconds of this process's CPU for each."""
    left = iter(range(messages))

    async def work() -> None:
        for _ in left:
            await send()

    began, cpu = perf_counter(), process_time()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return messages / (perf_counter() - began), (process_time() - cpu) / messages * 1000


@contextmanager
def _telegram() -> Iterator[Clients]:
    """A text of 120 characters with five buttons."""
    with running_bot_api() as api:
        api.control("meet", chats=[CHAT])
        rows = (tuple(Button(str(score), f"v1:pain:{score}") for score in range(5)),)
        keyboard = {"inline_keyboard": [[{"text": button.label, "callback_data": button.data} for button in row] for row in rows]}
        form = {"chat_id": str(CHAT), "text": TEXT, "reply_markup": json.dumps(keyboard)}

        def forget() -> None:
            api.control("reset")
            api.control("meet", chats=[CHAT])

        @asynccontextmanager
        async def opened() -> AsyncIterator[tuple[Send, Send, Callable[[], None]]]:
            channel = Telegram(api.token, api.url)
            await channel.start()
            async with _bare(f"{api.url}/bot{api.token}/sendMessage", form, {}) as bare:
                yield bare, lambda: channel.send(Outbound("m", "s", str(CHAT), TEXT, rows)), forget
            await channel.close()

        yield opened


@contextmanager
def _whatsapp() -> Iterator[Clients]:
    """A template with two variables and a status callback: what a prompt is outside the service window."""
    with running_twilio() as api:

        def forget() -> None:
            api.control("reset")
            api.control("template", sid=DAILY, status="approved", category="utility")

        forget()
        url = f"{api.url}/2010-04-01/Accounts/{api.account}/Messages.json"
        form = {
            "To": NUMBER, "From": f"whatsapp:{OURS}", "StatusCallback": "https://stepwise.example/webhooks/twilio/status?m=m",
            "ContentSid": DAILY, "ContentVariables": json.dumps(VARIABLES),
        }  # fmt: skip
        login = {"Authorization": aiohttp.encode_basic_auth(api.account, api.token)}
        outbound = Outbound("m", "s", NUMBER, TEXT, template="daily", values=VARIABLES, window_open=False)

        @asynccontextmanager
        async def opened() -> AsyncIterator[tuple[Send, Send, Callable[[], None]]]:
            channel = WhatsApp(Account(api.account, (api.token,), OURS, {"daily:en": DAILY}), "https://stepwise.example", api.url)
            await channel.start()
            async with _bare(url, form, login) as bare:
                yield bare, lambda: channel.send(outbound), forget
            await channel.close()

        yield opened


@asynccontextmanager
async def _bare(url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> AsyncIterator[Send]:
    """The baseline: one pooled aiohttp session that posts the form and reads the JSON of the answer."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=max(AT_ONCE)), headers=headers) as session:

        async def send() -> None:
            async with session.post(url, data=form) as response:
                assert response.status in (200, 201), "the server refused the baseline"
                await response.json()

        yield send


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=400)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    rows = measure(given.messages, given.rounds)
    print(json.dumps(rows) if given.json else table(rows))


def table(rows: list[Json]) -> str:
    """The rows as Markdown."""
    heads = ("channel", "at once", "bare aiohttp: messages/s", "CPU ms", "channel: messages/s", "CPU ms", "× messages/s", "× CPU")
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row.values()) + " |" for row in rows)])


if __name__ == "__main__":
    main()
