"""Twilio's REST API in a process of its own, with faults to switch on: `python -m tests.fakes.twilio_api` prints its ports as JSON.

It answers Messages (create, list, fetch), Accounts and Content approvals under the documented paths, with Basic auth. What is not
documented is an offence and an error. The test's side is under /control, on `control_port`; every call is a POST of a JSON object.

- /control/faults {faults: [{kind, times, ...}]}: replaces the faults that wait, see `bot_api_faults`
- /control/storm {share, faults, seed}: that share of messages fails, in ways drawn by chance
- /control/template {sid, status, category, body, content}: a template WhatsApp knows, and what of its content differs from the
  daily one's; /control/stopped {to}: somebody who opted out
- /control/clock {at}: what it dates messages with; /control/received {form}: somebody wrote, and no webhook is called
- /control/status {sid, status, error_code}: what the list says of a message
- /control/fetching {on}: whether it fetches what MediaUrl names, as Twilio does: HEAD, then GET; /control/fetch {url}: it does so once more
- /control/subaccount {account, token}: one more account, with a list of its own; /control/state {account} shows that
- /control/picture {to, from}: a picture that was sent from there
- /control/pages {largest, seconds}: how much one page of the list holds at most, and how long it takes
- /control/account {status}; /control/reset {}; /control/state {}: the ledger and the offences
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import sys
from collections.abc import Coroutine, Mapping
from datetime import datetime

from aiohttp import ClientError, ClientSession, web

from tests.fakes.bot_api_faults import Faults
from tests.fakes.documented_values import TWILIO, undocumented
from tests.fakes.twilio_api_state import FILTERS, PARAMETERS, Json, Refused, State

SEND = "sendMessage"
"""What `Faults` calls the method of sending; all others are `fetch`."""


class TwilioApi:
    """The server: routes, credentials, and the test's side."""

    def __init__(self, account: str, token: str) -> None:
        self.account, self.tokens = account, {account: token}
        self.state = State(account)
        self.subaccounts: dict[str, State] = {}
        self.faults = Faults()
        self.background: set[asyncio.Task[object]] = set()
        self.fetching = False
        self.page_takes_s = 0.0

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**20)
        app.router.add_post("/2010-04-01/Accounts/{account}/Messages.json", self.create)
        app.router.add_get("/2010-04-01/Accounts/{account}/Messages.json", self.list)
        app.router.add_get("/2010-04-01/Accounts/{account}/Messages/{sid}.json", self.fetch)
        app.router.add_get("/2010-04-01/Accounts/{account}.json", self.fetch_account)
        app.router.add_get("/v1/Content/{sid}/ApprovalRequests", self.fetch_approval)
        app.router.add_get("/v1/Content/{sid}", self.fetch_content)
        app.router.add_route("*", "/{path:.*}", self.unknown)
        return app

    def control_app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/control/{what}", self.control)
        return app

    async def create(self, request: web.Request) -> web.StreamResponse:
        posted = await request.post()
        given = {name: str(value) for name, value in posted.items()}
        if request.content_type != "application/x-www-form-urlencoded" or len(posted) != len(given):
            self.state.offences.append(f"{SEND} as {request.content_type}, or a parameter twice")
        accepted = len(self.state.ledger)
        answer = await self._answer(request, SEND, given, PARAMETERS)
        if self.fetching and "MediaUrl" in given and len(self.state.ledger) > accepted:
            self._beside(self._fetch(given["MediaUrl"]))
        return answer

    async def _fetch(self, url: str) -> Json:
        """What Twilio's proxies find at a picture's address."""
        found: Json = {"url": url}
        try:
            async with ClientSession() as http:
                for method in ("HEAD", "GET"):
                    async with http.request(method, url) as response:
                        body = await response.read()
                        headers = {name.lower(): value for name, value in response.headers.items()}
                        found[method] = {"status": response.status, "headers": headers, "body": base64.b64encode(body).decode()}
        except ClientError as error:
            found["error"] = type(error).__name__
        self.state.fetched_media.append(found)
        return found

    async def list(self, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(self.page_takes_s)
        return await self._answer(request, "list", dict(request.query), FILTERS)

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, "fetch", dict(request.query), frozenset())

    async def fetch_account(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, "account", dict(request.query), frozenset())

    async def fetch_approval(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, "approval", dict(request.query), frozenset())

    async def fetch_content(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, "content", dict(request.query), frozenset())

    async def unknown(self, request: web.Request) -> web.StreamResponse:
        self.state.offences.append(f"{request.method} {request.path}")
        return _refusal(Refused(404, 20404, "The requested resource was not found"))

    async def _answer(self, request: web.Request, method: str, given: Mapping[str, str], documented: frozenset[str]) -> web.StreamResponse:
        account = self._who(request)
        if account is None or request.match_info.get("account", account) != account:
            return _refusal(Refused(401, 20003, "Authenticate"))
        state = self.subaccounts.get(account, self.state)
        if unknown := [*sorted(set(given) - documented), *undocumented(given, TWILIO)]:
            self.state.offences += [f"{method}.{name}" for name in unknown]
            return _refusal(Refused(400, 20001, f"Undocumented parameter, or value of {unknown[0]}"))

        async def perform(_: str, asked: Mapping[str, str]) -> tuple[int, Json]:
            try:
                return self._perform(state, method, request.match_info.get("sid", ""), asked)
            except Refused as refused:
                return refused.status, refused.body

        return await self.faults.answer(request, method, given, perform)

    def _who(self, request: web.Request) -> str | None:
        """Whose Basic credentials these are."""
        expected = {base64.b64encode(f"{account}:{token}".encode()).decode(): account for account, token in self.tokens.items()}
        return expected.get(request.headers.get("Authorization", "").removeprefix("Basic "))

    def _perform(self, state: State, method: str, sid: str, given: Mapping[str, str]) -> tuple[int, Json]:
        match method:
            case "list":
                return state.listed(given)
            case "fetch":
                return state.fetched(sid)
            case "account":
                return state.the_account()
            case "approval":
                return state.approval(sid)
            case "content":
                return state.content(sid)
        return state.create(given)

    async def control(self, request: web.Request) -> web.Response:
        asked: Json = await request.json()
        answer = getattr(self, f"on_{request.match_info['what']}")(asked)
        if asyncio.iscoroutine(answer):
            answer = await answer
        return web.json_response(answer if answer is not None else {})

    def on_faults(self, asked: Json) -> None:
        self.faults.waiting = list(asked["faults"])

    def on_storm(self, asked: Json) -> None:
        self.faults.brew(asked["share"], asked["faults"], asked["seed"])

    def on_template(self, asked: Json) -> None:
        self.state.templates[asked["sid"]] = {"type": "whatsapp", "status": asked["status"], "category": asked["category"]}

        self.state.contents[asked["sid"]] = asked.get("content", {})
        if "body" in asked:
            self.state.bodies[asked["sid"]] = asked["body"]

    def on_stopped(self, asked: Json) -> None:
        self.state.stopped.add(asked["to"])

    def on_clock(self, asked: Json) -> None:
        self.state.now = datetime.fromisoformat(asked["at"])

    def on_received(self, asked: Json) -> None:
        self.state.receive(asked["form"])

    def on_status(self, asked: Json) -> None:
        message = next(entry["message"] for entry in self.state.ledger if entry["message"]["sid"] == asked["sid"])
        message |= {"status": asked["status"], "error_code": asked.get("error_code")}

    def on_picture(self, asked: Json) -> None:
        self.state.create({"To": asked["to"], "From": asked["from"], "MediaUrl": "https://stepwise.example.org/media/x"})

    def on_subaccount(self, asked: Json) -> None:
        self.tokens[asked["account"]] = asked["token"]
        self.subaccounts[asked["account"]] = State(asked["account"])

    def on_pages(self, asked: Json) -> None:
        self.state.largest_page, self.page_takes_s = asked["largest"], asked["seconds"]

    def on_fetching(self, asked: Json) -> None:
        self.fetching = asked["on"]

    async def on_fetch(self, asked: Json) -> Json:
        return await self._fetch(asked["url"])

    def on_account(self, asked: Json) -> None:
        self.state.account_status = asked["status"]

    def on_reset(self, _asked: Json) -> None:
        """As new, but with the numbers going on, as they would."""
        old, self.state, self.faults = self.state, State(self.account), Faults()
        self.fetching, self.page_takes_s = False, 0.0
        self.state.number = old.number

    def on_state(self, asked: Json) -> Json:
        state = self.subaccounts.get(asked.get("account", ""), self.state)
        told = {"fetched": self.state.fetched_media}
        return told | {
            "ledger": state.ledger,
            "offences": self.state.offences,
            "faults": self.faults.waiting,
            "calls": self.faults.calls,
            "tags": self.faults.tags,
        }

    def _beside(self, work: Coroutine[None, None, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.background.add(task)
        task.add_done_callback(self.background.discard)


async def listen(app: web.Application, port: int) -> int:
    """Serve on a port of the loopback address (0: a free one); the port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    return int(runner.addresses[0][1])


async def serve(port: int, account: str, token: str) -> None:
    api = TwilioApi(account, token)
    port, control_port = await listen(api.app(), port), await listen(api.control_app(), 0)
    sys.stdout.write(json.dumps({"port": port, "control_port": control_port, "account": account, "token": token}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def _refusal(refused: Refused) -> web.Response:
    return web.json_response(refused.body, status=refused.status)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--account", default="AC" + "0" * 31 + "1")
    parser.add_argument("--token", default="f" * 32)
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.account, options.token))
