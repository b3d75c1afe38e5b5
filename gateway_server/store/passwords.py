"""Passwords of upload accounts at rest: argon2id, which makes each guess of a thief dear.

It also makes each login dear (about 20 ms of a processor), and a battery unit logs in again for every file. So who
verified a password a moment ago is remembered, by a keyed digest from which the password cannot be had.
"""

from __future__ import annotations

import hmac
import os
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

REMEMBERED_MS = 15 * 60 * 1000
REMEMBERED_MOST = 4096

NO_UTF8 = (
    "is no UTF-8 text: save it as UTF-8, or take a password of Latin letters and digits, which every device sends alike"
)

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 << 10, parallelism=1)


def hashed(password: str) -> str:
    """The password as it may be stored: argon2id with a salt of its own (19 MiB, two passes, as OWASP recommends)."""
    return _HASHER.hash(_bytes(password))


def verified(secret: str, password: str) -> bool:
    """Whether this is the password that gave the hash. Takes as long as argon2 means it to."""
    try:
        return _HASHER.verify(secret, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    """As it came over the wire: what was no UTF-8 is carried as surrogates."""
    return password.encode("utf-8", "surrogateescape")


_NOBODYS = hashed("nobody has this account")


class Verifier:
    """Verifies passwords and remembers those that were right for a while. May be called from any thread.

    A right password is forgotten when the stored hash changes, because the hash is part of what is remembered.
    """

    def __init__(self, *, remembered_ms: int = REMEMBERED_MS, most: int = REMEMBERED_MOST) -> None:
        self._key = os.urandom(32)
        self._remembered_ms = remembered_ms
        self._most = most
        self._right: dict[bytes, int] = {}
        self._lock = threading.Lock()

    def remembers(self, login: str, secret: str, password: str, now_ms: int) -> bool:
        """Whether this very password was right for this account not long ago. At once."""
        if not secret:
            return False
        with self._lock:
            until = self._right.get(self._digest(login, secret, password))
        return until is not None and now_ms < until

    def verify(self, login: str, secret: str, password: str, now_ms: int) -> bool:
        """Whether the password is right. An account without a hash takes as long as a wrong password does."""
        if self.remembers(login, secret, password, now_ms):
            return True
        right = verified(secret or _NOBODYS, password) and bool(secret)
        if right:
            digest = self._digest(login, secret, password)
            with self._lock:
                self._right[digest] = now_ms + self._remembered_ms
                while len(self._right) > self._most:
                    del self._right[next(iter(self._right))]
        return right

    def _digest(self, login: str, secret: str, password: str) -> bytes:
        parts = "".join(f"{len(part)}:{part}" for part in (login, secret, password))
        return hmac.digest(self._key, _bytes(parts), "sha256")
