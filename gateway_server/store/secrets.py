"""Access codes at rest: AES-256-GCM, each bound to the serial number of its meter.

An encrypted code copied to another meter's row, or changed, does not decrypt. The key lies beside the store in a file
that only its owner may read; whoever has both files has the codes, so a backup keeps them apart.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway_server.errors import OperatorError

KEY_BYTES = 32
NONCE_BYTES = 12
_CHECK = b"gateway-server access codes"


class Vault:
    """Encrypts and decrypts with one key."""

    def __init__(self, key: bytes, source: str = "") -> None:
        self._cipher = AESGCM(key)
        self._source = source or "the key"

    def seal(self, plain: str, serial: str) -> bytes:
        """The access code as it is stored with the meter of this serial number."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain.encode(), serial.encode())

    def open(self, sealed: bytes, serial: str) -> str:
        """The access code back. Raises `OperatorError` for another key, another meter or changed bytes."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], serial.encode()).decode()
        except InvalidTag:
            raise OperatorError(
                f"meter {serial}: its access code does not decrypt with {self._source}: wrong key file, or the record "
                "was changed; enter the access code again"
            ) from None

    def check_value(self) -> bytes:
        """Something to keep in the store, by which a wrong key is noticed before it is used."""
        return self._cipher.encrypt(bytes(NONCE_BYTES), _CHECK, None)

    def fits(self, check_value: bytes) -> bool:
        """Whether this is the key that gave the check value."""
        return self.check_value() == check_value


def new_key() -> bytes:
    """A key that nobody had before."""
    return AESGCM.generate_key(bit_length=8 * KEY_BYTES)


def make_key_file(path: Path) -> bytes:
    """Writes a new key, readable by its owner alone. Raises `OperatorError`."""
    key = new_key()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_key_file(path)  # another process was first
    except OSError as error:
        raise OperatorError(f"key file {path}: cannot be made: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


def read_key_file(path: Path) -> bytes:
    """The key. Raises `OperatorError` if it is missing, open to others, or no key."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            key = file.read(KEY_BYTES + 1)
    except OSError as error:
        raise OperatorError(
            f"key file {path}: {error.strerror}; restore it, or name it in the configuration"
        ) from error
    if mode & 0o077:
        raise OperatorError(f"key file {path}: others may read it (mode {mode:04o}); run: chmod 600 {path}")
    if len(key) != KEY_BYTES:
        raise OperatorError(f"key file {path}: {KEY_BYTES} bytes expected; this is not a key file")
    return key
