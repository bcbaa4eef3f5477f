"""A Bot API server in a process of its own, with faults to switch on: `python -m tests.fakes.bot_api --port 0` prints its ports as JSON.

Methods answer on `port` under /bot<token>/. The person's side is under /control, on `port` and, since `refuse` closes that, on
`control_port` too; every call is a POST of a JSON object and answers one.

- /control/arrange {webhook, error, commands}: what was set before, each if it is given, and how the last post failed
- /control/meet {chats}: these people pressed Start before
- /control/say {chat, text}: a person types; /control/edit {chat, message_id, text}; /control/tap {chat, message_id, data}
- /control/block {chat}, /control/unblock {chat}; /control/update {kind, content}: any update; /control/skip {seconds}: time passes
- /control/faults {faults: [{kind, method, times, chat_id, ...}]} replaces the faults that are waiting; see `bot_api_faults`
- /control/storm {share, faults, seed}: that share of messages fails, in ways drawn by chance; /control/meet {chats}: these pressed Start
- /control/pace {latency_s, per_s, per_chat_s}: an answer takes so long, and more messages a second than that (30, and 1 a chat) get a 429
- /control/refuse {on}: whether connections are refused from now on; /control/webhook {url}: as if one were set
- /bot<token>/control/… speaks for another bot, where --others names its token
- /control/reset {}: everything is forgotten
- /control/state {}: the ledger of accepted messages, edits included, and everything else there is to know
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from tests.fakes.bot_api_faults import Faults
from tests.fakes.bot_api_state import BOT, METHODS, PARAMETERS, Json, Refused, State
from tests.fakes.bot_api_webhook import post_updates
from tests.fakes.documented_values import BOT_API, undocumented

MOST_UPDATES, LONGEST_POLL_S = 100, 50


class BotApi:
    """The server: routes, the long poll, and the person's side."""

    def __init__(self, token: str, others: Mapping[str, BotApi] | None = None) -> None:
        self.token = token
        self.others = others or {}
        number = token.partition(":")[0]
        self.identity = BOT if number == "4242" else BOT | {"id": int(number), "username": f"stepwise_{number}_bot"}
        self.state = State()
        self.faults = Faults()
        self.runners: list[web.AppRunner] = []
        self.port = 0

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**20)
        app.router.add_route("*", "/bot{token}/{method}", self.call)
        app.router.add_post("/control/{what}", self.control)
        app.router.add_post("/bot{token}/control/{what}", self.control)
        return app

    async def call(self, request: web.Request) -> web.StreamResponse:
        method, given = request.match_info["method"], await _parameters(request)
        if request.match_info["token"] in self.others:
            return await self.others[request.match_info["token"]].call(request)
        if request.match_info["token"] != self.token:
            return _answer(Refused(401, "Unauthorized"))
        if method not in PARAMETERS:
            self.state.offences.append(method)
            return _answer(Refused(404, "Not Found"))
        unknown = [*sorted(set(given) - PARAMETERS[method]), *undocumented(given, BOT_API)]
        if unknown:
            self.state.offences += [f"{method}.{name}" for name in unknown]
            return _answer(Refused(400, f"Bad Request: undocumented parameter, or value of {unknown[0]}"))
        return await self.faults.answer(request, method, given, self.perform)

    async def perform(self, method: str, given: Mapping[str, str]) -> tuple[int, Json]:
        """Carry the method out; the status and body of the answer."""
        try:
            if method == "getMe":
                return 200, {"ok": True, "result": self.identity}
            result: object = await self.updates(given) if method == "getUpdates" else METHODS[method](self.state, given)
        except Refused as refused:
            return refused.status, refused.body
        return 200, {"ok": True, "result": result}

    async def updates(self, given: Mapping[str, str]) -> list[Json]:
        state = self.state
        if state.webhook:
            words = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            raise Refused(409, f"Conflict: {words}")
        offset, limit = int(given.get("offset", "0")), min(MOST_UPDATES, int(given.get("limit", MOST_UPDATES)))
        if "allowed_updates" in given:
            state.allowed = json.loads(given["allowed_updates"])
        state.poller += 1
        mine, loop = state.poller, asyncio.get_running_loop()
        until = loop.time() + min(LONGEST_POLL_S, int(given.get("timeout", "0")))
        state.arrived.set()  # wakes the other poller, who finds that he is no longer the only one
        while not (found := state.pending(offset, limit)) and loop.time() < until:
            state.arrived.clear()
            try:
                await asyncio.wait_for(state.arrived.wait(), until - loop.time())
            except TimeoutError:
                break
            if state.webhook:
                raise Refused(409, "Conflict: terminated by setWebhook request")
            if state.poller != mine:
                state.polls_ended += 1
                words = "terminated by other getUpdates request; make sure that only one bot instance is running"
                raise Refused(409, f"Conflict: {words}")
        return found

    async def control(self, request: web.Request) -> web.Response:
        other = self.others.get(request.match_info.get("token", ""))
        if other is not None:
            return await other.control(request)
        asked: Json = await request.json()
        answer = getattr(self, f"on_{request.match_info['what']}")(asked)
        if asyncio.iscoroutine(answer):
            answer = await answer
        return web.json_response(answer if answer is not None else {})

    def on_arrange(self, asked: Json) -> None:
        self.state.webhook = asked.get("webhook", self.state.webhook)
        self.state.webhook_error = asked.get("error", self.state.webhook_error)
        self.state.commands |= asked.get("commands", {})

    def on_meet(self, asked: Json) -> None:
        self.state.chats.update(asked["chats"])

    def on_say(self, asked: Json) -> Json:
        self.state.chats.add(asked["chat"])
        more = asked.get("more", {})
        message = self.state.message(asked["chat"], **{"from": _person(asked["chat"]), "text": asked["text"], **more})
        return self.state.push("message", message)

    def on_edit(self, asked: Json) -> Json:
        message = self.state.message(asked["chat"], **{"from": _person(asked["chat"]), "text": asked["text"]})
        message |= {"message_id": asked["message_id"], "edit_date": message["date"]}
        return self.state.push("edited_message", message)

    def on_tap(self, asked: Json) -> Json:
        given = {"chat_id": str(asked["chat"]), "message_id": str(asked["message_id"])}
        query = f"tap-{self.state.next_update}"
        self.state.taps[query] = self.state.now()
        message = self.state.own_message(given)
        content = {"id": query, "from": _person(asked["chat"]), "message": message, "chat_instance": "1", "data": asked["data"]}
        return self.state.push("callback_query", content)

    def on_block(self, asked: Json) -> Json:
        self.state.blocked.add(asked["chat"])
        return self._membership(asked["chat"], "member", "kicked")

    def on_unblock(self, asked: Json) -> Json:
        self.state.blocked.discard(asked["chat"])
        return self._membership(asked["chat"], "kicked", "member")

    def on_update(self, asked: Json) -> Json:
        return self.state.push(asked["kind"], asked["content"])

    def on_skip(self, asked: Json) -> None:
        self.state.skipped_s += asked["seconds"]

    def on_webhook(self, asked: Json) -> None:
        self.state.webhook = asked["url"]
        self.state.arrived.set()

    def on_reset(self, _asked: Json) -> None:
        """As new, but with the message and update numbers going on, as they would."""
        old, self.state, self.faults = self.state, State(), Faults()
        self.state.next_update, self.state.next_message = old.next_update, old.next_message

    def on_faults(self, asked: Json) -> None:
        self.faults.waiting = list(asked["faults"])

    def on_storm(self, asked: Json) -> None:
        self.faults.brew(asked["share"], asked["faults"], asked["seed"])

    def on_pace(self, asked: Json) -> None:
        self.faults.pace = asked

    async def on_refuse(self, asked: Json) -> None:
        if asked["on"]:
            await self.runners[0].cleanup()
        else:
            self.runners[0], _ = await listen(self.app(), self.port)

    def on_state(self, _asked: Json) -> Json:
        state = self.state
        return {
            "ledger": state.ledger, "answered": state.answered, "commands": state.commands, "offences": state.offences,
            "allowed_updates": state.allowed, "waiting": [update for update, _ in state.queue], "faults": self.faults.waiting,
            "webhook": state.webhook, "secret": state.secret, "posted": state.posted, "calls": self.faults.calls, "tags": self.faults.tags,
            "arrivals": self.faults.arrivals, "polls_ended": state.polls_ended,
        }  # fmt: skip

    def _membership(self, chat: int, before: str, after: str) -> Json:
        members = [{"user": {"id": 4242, "is_bot": True, "first_name": "Stepwise"}, "status": status} for status in (before, after)]
        there = {"id": chat, "type": "private", "first_name": "Pat"}
        who = {"chat": there, "from": _person(chat), "date": int(self.state.now())}
        return self.state.push("my_chat_member", who | {"old_chat_member": members[0], "new_chat_member": members[1]})


async def listen(app: web.Application, port: int) -> tuple[web.AppRunner, int]:
    """Serve on a port of the loopback address (0: a free one); the runner and the port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    return runner, runner.addresses[0][1]


async def serve(port: int, token: str, others: Sequence[str]) -> None:
    api = BotApi(token, {each: BotApi(each) for each in others})
    runner, api.port = await listen(api.app(), port)
    control, control_port = await listen(api.app(), 0)
    api.runners = [runner, control]
    posting = asyncio.gather(*(post_updates(each) for each in (api, *api.others.values())))
    sys.stdout.write(json.dumps({"port": api.port, "control_port": control_port, "token": token}) + "\n")
    sys.stdout.flush()
    await posting


async def _parameters(request: web.Request) -> dict[str, str]:
    """Query string, form or JSON, as the Bot API takes them; what is not text is written as JSON."""
    given: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        given |= await request.json()
    else:
        given |= dict(await request.post())
    return {name: _as_text(value) for name, value in given.items()}


def _as_text(value: object) -> str:
    if isinstance(value, web.FileField):
        return value.file.read().decode("latin-1")  # every byte is one character of it
    return value if isinstance(value, str) else json.dumps(value)


def _answer(refused: Refused) -> web.Response:
    return web.json_response(refused.body, status=refused.status)


def _person(chat: int) -> Json:
    return {"id": chat, "is_bot": False, "first_name": "Pat", "language_code": "en"}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default="4242:test-token")
    parser.add_argument("--others", nargs="*", default=[])
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.token, options.others))
