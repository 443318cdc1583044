"""Secrets at rest: AES-256-GCM. A sealed value opens only with its key and in the very place it was sealed for."""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"\x01"
NONCE = 12
ID = 4


class CannotOpen(Exception):
    """Wrong key, wrong place, or the value was changed. Says nothing about the value."""


class Vault:
    """Seals with the current key; opens with it and with older ones.

    context names the place of a value (tenant, kind, field) and is bound to it: a value that is copied to another
    row or tenant does not open there.
    """

    def __init__(self, key: str, old_keys: Sequence[str] = ()) -> None:
        """Keys are 64 hexadecimal characters."""
        self._current = key_id(key)
        self._ciphers = {key_id(k): AESGCM(bytes.fromhex(k)) for k in (*old_keys, key)}

    @property
    def current(self) -> str:
        """The id of the key that seals, as tokens spell it: 8 hexadecimal characters."""
        return self._current.hex()

    @property
    def older(self) -> list[str]:
        """The ids of the keys that only open."""
        return [name.hex() for name in self._ciphers if name != self._current]

    def seal(self, value: str, context: str) -> str:
        """Text -> `v1.<key id>.<base64url>`. Refuses an empty value: there is nothing to hide in it."""
        if not value:
            raise ValueError("an empty value cannot be sealed")
        return _spelled(self._current, self._encrypt(value.encode(), context))

    def open(self, token: str, context: str) -> str:
        """The reverse of seal. Raises CannotOpen."""
        return self._opened(token, context).decode()

    def reseal(self, token: str, context: str) -> str:
        """The same value, sealed with the current key. Raises CannotOpen."""
        return _spelled(self._current, self._encrypt(self._opened(token, context), context))

    def _opened(self, token: str, context: str) -> bytes:
        try:
            name, sealed = _parts(token)
        except ValueError:
            raise CannotOpen("not a sealed value") from None
        return self._decrypt(name, sealed, context)

    def seal_bytes(self, data: bytes, context: str) -> bytes:
        """Compressed and sealed: 1 byte version, 4 bytes key id, nonce, ciphertext."""
        return VERSION + self._current + self._encrypt(zlib.compress(data, 3), context)

    def open_bytes(self, sealed: bytes, context: str) -> bytes:
        """The reverse of seal_bytes. Raises CannotOpen."""
        return zlib.decompress(self._unpacked(sealed, context))

    def reseal_bytes(self, sealed: bytes, context: str) -> bytes:
        """The same data, sealed with the current key. Raises CannotOpen."""
        return VERSION + self._current + self._encrypt(self._unpacked(sealed, context), context)

    def _unpacked(self, sealed: bytes, context: str) -> bytes:
        if sealed[:1] != VERSION:
            raise CannotOpen("not a sealed value")
        return self._decrypt(sealed[1 : 1 + ID], sealed[1 + ID :], context)

    def _encrypt(self, data: bytes, context: str) -> bytes:
        nonce = os.urandom(NONCE)
        return nonce + self._ciphers[self._current].encrypt(nonce, data, context.encode())

    def _decrypt(self, name: bytes, sealed: bytes, context: str) -> bytes:
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise CannotOpen("sealed with a key that is not configured")
        try:
            return cipher.decrypt(sealed[:NONCE], sealed[NONCE:], context.encode())
        except (InvalidTag, ValueError):
            raise CannotOpen("wrong place or changed value") from None


def _spelled(name: bytes, sealed: bytes) -> str:
    return f"v1.{name.hex()}.{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"


def _parts(token: str) -> tuple[bytes, bytes]:
    """Key id and sealed bytes. Raises ValueError for whatever _spelled does not write.

    Base64 and hex can spell the same bytes in several ways; only one of them is ours.
    """
    name, _, body = token.removeprefix("v1.").partition(".")
    parts = bytes.fromhex(name), base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    if _spelled(*parts) != token:
        raise ValueError("spelled in another way")
    return parts


def key_id(key: str) -> bytes:
    """The first four bytes of the key's SHA-256: names a key without giving it away."""
    return hashlib.sha256(bytes.fromhex(key)).digest()[:ID]
