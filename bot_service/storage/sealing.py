"""Keys: wraps one key a patient under the secret key, seals text to its table, column and row, and hashes what is looked up."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot_service.errors import SettingsError
from bot_service.storage.columns import SealedBytes

_NONCE = 12


class Keyring:
    """The secret keys (newest first) and the index key. Old secrets still open what they sealed; new values use the first."""

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets or any(len(secret) < 32 for secret in secrets):
            raise SettingsError("STEPWISE_SECRET_KEY must be at least 32 characters; make one with: openssl rand -hex 32")
        self._wrapping = [_derive(secret.encode(), b"stepwise wrapping") for secret in secrets]
        self._index_key = b""

    def new_key(self) -> tuple[bytes, SealedBytes]:
        """A fresh data key and the same key wrapped for storage."""
        key = AESGCM.generate_key(bit_length=256)
        return key, self.wrap(key)

    def wrap(self, key: bytes) -> SealedBytes:
        """`key` under the newest secret."""
        return _encrypt(self._wrapping[0], b"key", key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key inside. Raises SettingsError when no secret opens it: the wrong key was configured."""
        for secret in self._wrapping:
            try:
                return _decrypt(secret, b"key", wrapped)
            except InvalidTag:
                continue
        raise SettingsError("STEPWISE_SECRET_KEY does not open this database; start with the key it was made with")

    def use_index_key(self, key: bytes) -> None:
        """The key of look-up hashes: made once per installation and never rotated, so that de-duplication lasts for ever."""
        self._index_key = key

    def index(self, kind: str, value: str) -> bytes:
        """Keyed hash of `value` for look-up; `kind` keeps addresses, codes and names apart."""
        return hmac.new(self._index_key, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


def seal(key: bytes, place: str, text: str) -> SealedBytes:
    """`text` under `key`, bound to `place` ("table.column:row"): it cannot be moved to another row unnoticed."""
    return _encrypt(key, place.encode(), text.encode("utf-8", "surrogatepass"))


def unseal(key: bytes, place: str, sealed: bytes) -> str:
    """The text. Raises cryptography's InvalidTag when key or place is not the one it was sealed with."""
    return _decrypt(key, place.encode(), sealed).decode("utf-8", "surrogatepass")


def _derive(secret: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)


def _encrypt(key: bytes, bound: bytes, plain: bytes) -> SealedBytes:
    nonce = os.urandom(_NONCE)
    return SealedBytes(nonce + AESGCM(key).encrypt(nonce, plain, bound))


def _decrypt(key: bytes, bound: bytes, sealed: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)
