"""Starts the fake Bot API server as a process and speaks to its person's side; for any test that wants a real HTTP server opposite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from tests.fakes.server_process import FakeServer, running


@dataclass(frozen=True)
class FakeBotApi(FakeServer):
    """A running fake of tests/fakes/bot_api.py; `token` is that of the bot whose messages are meant."""

    def of(self, token: str) -> FakeBotApi:
        """The same server, seen by another of its bots."""
        return replace(self, token=token, control_url=f"{self.control_url}/bot{token}")

    def say(self, chat: int, text: str, **more: object) -> dict[str, Any]:
        """A person types. Answers the update."""
        return self.control("say", chat=chat, text=text, more=more)


@contextmanager
def running_bot_api(*others: str) -> Iterator[FakeBotApi]:
    """A fake server in its own process, for as long as the block lasts; it knows the tokens of other bots too."""
    with running("tests.fakes.bot_api", "--others", *others) as (process, api, control, started):
        yield FakeBotApi(api, control, started["token"], process)
