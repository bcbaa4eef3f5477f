"""Runs commands as real processes: forked from one that has imported everything, since an import of it all takes seconds under load."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from bot_service.cli.commands import HOMES

SECRET = "a key for tests of commands of 40 letters"
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["bot_service.__main__", *(f"bot_service.cli.{home}" for home in dict.fromkeys(HOMES.values()))])


@dataclass(frozen=True)
class Result:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one line that explains a problem. Raises AssertionError when it is not one line, or not on standard error alone."""
        assert self.out == "" and self.err.count("\n") == 1 and "Traceback" not in self.err, self
        return self.err.strip()


@dataclass
class Shell:
    """A folder with a database of its own, in which commands run."""

    folder: Path
    changes: dict[str, str] = field(default_factory=dict)
    numbers: count[int] = field(default_factory=count)

    @property
    def database(self) -> Path:
        return self.folder / "clinic.db"

    @property
    def environment(self) -> dict[str, str]:
        """What the command finds: nothing of ours but these."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("STEPWISE_")}
        ours = {"STEPWISE_DATABASE_URL": f"sqlite:///{self.database}", "STEPWISE_SECRET_KEY": SECRET}
        return inherited | ours | self.changes

    def run(self, *arguments: str, **changes: str) -> Result:
        """`stepwise ARGUMENTS`, with settings changed."""
        return self.pipe(b"", *arguments, **changes)

    def pipe(self, stdin: bytes, *arguments: str, **changes: str) -> Result:
        """The same with something on standard input."""
        number = next(self.numbers)
        paths = [self.folder / f"{number}.{name}" for name in ("in", "out", "err")]
        paths[0].write_bytes(stdin)
        process = _PROCESSES.Process(target=_become, args=(arguments, self.environment | changes, [str(path) for path in paths]))
        process.start()
        process.join(60)
        assert process.exitcode is not None, f"{arguments} did not end"
        return Result(process.exitcode, paths[1].read_text("utf-8"), paths[2].read_text("utf-8"))


def _become(arguments: tuple[str, ...], environment: Mapping[str, str], paths: list[str]) -> None:
    """Be `python -m bot_service ARGUMENTS` from here on."""
    from bot_service.__main__ import main

    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(paths):
        os.dup2(os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT), number)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.argv = ["stepwise", *arguments]
    main()
