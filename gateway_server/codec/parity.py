"""Even parity in the eighth bit, for lines that carry 7E1 characters as plain octets (CSD, TCP, USB)."""

from __future__ import annotations

_EVEN = bytes((b & 0x7F) | (0x80 if (b & 0x7F).bit_count() & 1 else 0) for b in range(256))
_STRIP = bytes(b & 0x7F for b in range(256))


def add_even(data: bytes) -> bytes:
    """The 7-bit characters with even parity in bit 7; an eighth bit already there is replaced."""
    return data.translate(_EVEN)


def strip(data: bytes | bytearray) -> bytes:
    """The 7-bit characters without what stands in bit 7."""
    return bytes(data).translate(_STRIP)


def first_error(data: bytes) -> int | None:
    """Index of the first octet whose parity is not even, None when all are."""
    if data.translate(_EVEN) == data:
        return None
    return next(index for index, byte in enumerate(data) if byte != _EVEN[byte])


def is_even_coded(data: bytes) -> bool:
    """Whether these octets carry even parity: every one of them is even, and at least one has bit 7 set."""
    return not data.isascii() and first_error(data) is None
