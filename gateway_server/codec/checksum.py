"""Check bytes of metering protocols, folded through big integers: a loop over bytes costs twenty times as much."""

from __future__ import annotations


def xor(data: bytes | bytearray | memoryview) -> int:
    """All bytes combined by exclusive or, 0 for none: the longitudinal check of ISO 1155 over 8 bits."""
    size = len(data)
    value = int.from_bytes(data, "little")
    while size > 1:
        half = (size + 1) >> 1
        bits = half << 3
        value = (value >> bits) ^ (value & ((1 << bits) - 1))
        size = half
    return value


def bcc(data: bytes | bytearray | memoryview) -> int:
    """The block check character of IEC 62056-21 over what follows the start character: 7 bits (clause 5, ISO 1155)."""
    return xor(data) & 0x7F
