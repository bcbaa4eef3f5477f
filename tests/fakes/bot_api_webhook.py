"""How the fake Bot API server posts updates to a webhook: each chat in order, one at a time, again until it is answered 2xx."""

from __future__ import annotations

import asyncio
from typing import Protocol

import aiohttp

from tests.fakes.bot_api_state import Json, State

AT_ONCE, FIRST_RETRY_S, LONGEST_RETRY_S = 40, 0.1, 1.0
"""The real server waits 2, 4, … 120 s between tries; nothing here hangs on how long."""


class Api(Protocol):
    state: State


async def post_updates(api: Api) -> None:
    """For ever: post what waits, while a webhook is set. A reset gives the server a new state, so it is looked up every time."""
    tries: dict[int, tuple[int, float]] = {}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
        while True:
            state = api.state
            # A test may name an address outside; nothing here leaves the machine.
            due = _due(state, tries) if state.webhook.startswith("http://127.0.0.1:") else []
            if due:
                await asyncio.gather(*(_post(http, state, update, tries) for update in due))
            else:
                await asyncio.sleep(0.02)


def _due(state: State, tries: dict[int, tuple[int, float]]) -> list[Json]:
    """The first waiting update of every chat, unless it failed a moment ago."""
    chats: dict[object, Json] = {}
    for update in state.pending(0, 1000):
        content = next(value for key, value in update.items() if key != "update_id")
        content = content if isinstance(content, dict) else {}
        message = content if "chat" in content else content.get("message", {})
        # Messages wait for those of their chat, taps for those of their user: between the two there is no order.
        chats.setdefault(("tap" in str(content.get("id", "")), message.get("chat", {}).get("id", update["update_id"])), update)
    now = state.now()
    return [update for update in chats.values() if tries.get(update["update_id"], (0, 0.0))[1] <= now][:AT_ONCE]


async def _post(http: aiohttp.ClientSession, state: State, update: Json, tries: dict[int, tuple[int, float]]) -> None:
    number = update["update_id"]
    headers = {"X-Telegram-Bot-Api-Secret-Token": state.secret} if state.secret else {}
    try:
        async with http.post(state.webhook, json=update, headers=headers) as answer:
            status = answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        status, state.webhook_error = 0, f"Connection failed ({type(error).__name__})"
    state.posted.append((number, status))
    if 200 <= status < 300:
        state.queue = [item for item in state.queue if item[0]["update_id"] != number]
        return
    if status:
        state.webhook_error = f"Wrong response from the webhook: {status}"
    count = tries.get(number, (0, 0.0))[0] + 1
    tries[number] = (count, state.now() + min(LONGEST_RETRY_S, FIRST_RETRY_S * 2**count))
