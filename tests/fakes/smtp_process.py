"""Starts the mail server of the tests as a process, and speaks to it from behind the counter."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot_service.clock import real_now
from tests.source_tree import ROOT


@dataclass(frozen=True)
class FakeMailServer:
    """A running mail server on this machine."""

    port: int
    process: subprocess.Popen[str]

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def fail(self, *kinds: str) -> None:
        """The next messages or connections fail so, one after the other; see `smtp_server.py`."""
        self._ask({"faults": kinds})

    def accepted(self) -> list[dict[str, Any]]:
        """The messages that the server took, oldest first."""
        found: list[dict[str, Any]] = self._ask({})["accepted"]
        return found

    def connections(self) -> int:
        return int(self._ask({})["connections"])


@contextmanager
def running_mail_server(
    tls: str = "off", certificate: Path | None = None, password: str | None = None, port: int = 0, host: str = "127.0.0.1"
) -> Iterator[FakeMailServer]:
    """A mail server in its own process, for as long as the block lasts."""
    command = [sys.executable, "-m", "tests.fakes.smtp_server", "--tls", tls, "--port", str(port), "--host", host]
    command += ["--certificate", str(certificate)] if certificate else []
    command += ["--password", password] if password else []
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield FakeMailServer(json.loads(process.stdout.readline())["port"], process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def write_certificate(folder: Path, host: str = "localhost") -> Path:
    """A certificate of its own authority for `host`, with its key, in one PEM file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = real_now()
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{host}.pem"
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(built.public_bytes(serialization.Encoding.PEM) + secret)
    return file
