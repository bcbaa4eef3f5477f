"""Ways in which the fake Bot API server fails. A fault is {kind, method, times (1), chat_id, seconds, status, description, parameters}.

Not accepted: `status` (with the given status, description and parameters; `text` as the body instead), `hang_before`, `reset_before`.
Accepted, and then: `hang_after`, `reset_after`, `status_after`, `garbage`, `truncated`, `slow`, `ok_false`, `no_result`, `odd_result`,
`list`. `none` lets a call pass, so that a later one fails.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from random import Random
from typing import Any

from aiohttp import web

from bot_service.clock import real_now

Perform = Callable[[str, Mapping[str, str]], Awaitable[tuple[int, dict[str, Any]]]]

_BODIES: dict[str, str] = {
    "garbage": "<html>504 Gateway</html>",
    "ok_false": '{"ok": false}',
    "no_result": '{"ok": true}',
    "odd_result": '{"ok": true, "result": {"message": "?"}}',
    "list": "[1, 2]",
}


class Faults:
    """The faults that are waiting, and how often each method was called."""

    def __init__(self) -> None:
        self.waiting: list[dict[str, Any]] = []
        self.calls: Counter[str] = Counter()
        self.weather = Random()
        self.share = 0.0
        self.storm: list[dict[str, Any]] = []
        self.tags: list[tuple[str, str]] = []
        self.pace: dict[str, float] = {}
        self.arrivals: list[tuple[float, str, bool]] = []

    async def answer(self, request: web.Request, method: str, given: Mapping[str, str], perform: Perform) -> web.StreamResponse:
        """Carry the call out, unless a fault that matches it comes first."""
        self.calls[method] += 1
        fault = self._take(method, given) or (
            await self._in_good_time(given.get("chat_id", "")) if self.pace and method == "sendMessage" else {}
        )
        if not fault and method == "sendMessage" and self.weather.random() < self.share:
            fault = self.weather.choice(self.storm)
        kind = fault.get("kind", "")
        if self.storm and method == "sendMessage":
            self.tags.append((given.get("chat_id") or given.get("To", ""), fault.get("tag", kind)))
        if kind == "status":
            return _status(fault)
        if kind == "hang_before":
            await asyncio.sleep(fault.get("seconds", 60))
        if kind in {"reset_before", "hang_before"}:
            return _cut(request)
        status, body = await perform(method, given)
        if kind in {"", "none"}:
            return web.json_response(body, status=status)
        return await _after(request, kind, fault, json.dumps(body))

    def brew(self, share: float, storm: list[dict[str, Any]], seed: int) -> None:
        """From now on that share of messages fails, each in one of these ways, drawn by chance; what each call met is kept."""
        self.share, self.storm, self.weather = share, storm, Random(seed)

    async def _in_good_time(self, chat: str) -> dict[str, Any]:
        """An answer takes a while, and who asks too often is refused."""
        now = real_now().timestamp()
        seconds = {"latency_s": 0.0, "per_s": 30.0, "per_chat_s": 1.0} | self.pace
        lately = [each for at, each, accepted in self.arrivals[-100:] if accepted and now - at < 1]
        too_often = len(lately) >= seconds["per_s"] or lately.count(chat) >= seconds["per_chat_s"]
        self.arrivals.append((now, chat, not too_often))
        await asyncio.sleep(seconds["latency_s"])
        return {"kind": "status", "status": 429, "parameters": {"retry_after": 1}} if too_often else {}

    def _take(self, method: str, given: Mapping[str, str]) -> dict[str, Any]:
        for fault in self.waiting:
            if fault.get("method", "sendMessage") == method and str(fault.get("chat_id", given.get("chat_id"))) == str(
                given.get("chat_id")
            ):
                fault["times"] = fault.get("times", 1) - 1
                if fault["times"] <= 0:
                    self.waiting.remove(fault)
                return fault
        return {}


async def _after(request: web.Request, kind: str, fault: dict[str, Any], body: str) -> web.StreamResponse:
    if kind == "status_after":
        return _status(fault)
    if kind == "reset_after":
        return _cut(request)
    if kind == "hang_after":
        await asyncio.sleep(fault.get("seconds", 60))
        return _cut(request)
    if kind in {"truncated", "slow"}:
        return await _in_pieces(request, body, pause=fault.get("seconds", 0.5) if kind == "slow" else None)
    return web.Response(text=_BODIES[kind], content_type="text/html" if kind == "garbage" else "application/json")


def _status(fault: dict[str, Any]) -> web.Response:
    status = fault["status"]
    if "text" in fault:
        return web.Response(status=status, text=fault["text"])
    body = {"ok": False, "error_code": status, "description": fault.get("description", "Fault")}
    if "parameters" in fault:
        body["parameters"] = fault["parameters"]
    return web.json_response(body, status=fault.get("http", status))


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _in_pieces(request: web.Request, body: str, pause: float | None) -> web.StreamResponse:
    """The answer a byte at a time with pauses, or half of it and then the end of the connection."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body.encode()))})
    await response.prepare(request)
    if pause is None:
        await response.write(body.encode()[: len(body) // 2])
        return _cut(request)
    with suppress(ConnectionResetError):  # the client lost its patience
        for byte in body.encode():
            await response.write(bytes([byte]))
            await asyncio.sleep(pause)
    return response
