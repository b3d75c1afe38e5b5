"""Check bytes by rule: every CRC by its parameters, sums, exclusive or, complements, Fletcher.

A CRC of 16 bits with the polynomial 1021 and no reflection is computed by the standard library; any other by a table.
"""

from __future__ import annotations

from binascii import crc32, crc_hqx
from collections.abc import Callable
from functools import lru_cache

from gateway_server.codec.checksum import xor
from gateway_server.codec.meter_profile.form import Crc, Fold, Sum

Compute = Callable[[bytes], int]


@lru_cache(maxsize=256)
def compute(rule: Crc | Sum) -> Compute:
    """What computes a check over bytes."""
    if isinstance(rule, Sum):
        return _sum(rule)
    if (rule.width, rule.poly, rule.refin, rule.refout) == (16, 0x1021, False, False):
        init, xorout = rule.init, rule.xorout
        return lambda data: crc_hqx(data, init) ^ xorout
    if (rule.width, rule.poly, rule.refin, rule.refout) == (32, 0x04C11DB7, True, True):
        start = _reflected(rule.init, 32) ^ 0xFFFFFFFF
        last = rule.xorout ^ 0xFFFFFFFF
        return lambda data: crc32(data, start) ^ last
    return _by_table(rule)


def _by_table(rule: Crc) -> Compute:
    table = _table(rule.width, rule.poly, rule.refin)
    mask = (1 << rule.width) - 1
    xorout, turn = rule.xorout, rule.refin != rule.refout
    width = rule.width
    if rule.refin:
        start = _reflected(rule.init, width)

        def reflected(data: bytes) -> int:
            crc = start
            for byte in data:
                crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
            return (_reflected(crc, width) if turn else crc) ^ xorout

        return reflected
    # A CRC narrower than a byte is kept at the top of a register of eight bits.
    shift = max(0, 8 - width)
    begin, down, keep = rule.init << shift, max(width, 8) - 8, mask << shift

    def straight(data: bytes) -> int:
        crc = begin
        for byte in data:
            crc = (table[((crc >> down) ^ byte) & 0xFF] ^ (crc << 8)) & keep
        crc >>= shift
        return (_reflected(crc, width) if turn else crc) ^ xorout

    return straight


@lru_cache(maxsize=256)
def _table(width: int, poly: int, refin: bool) -> tuple[int, ...]:
    if refin:
        turned = _reflected(poly, width)
        found = []
        for byte in range(256):
            crc = byte
            for _ in range(8):
                crc = crc >> 1 ^ turned if crc & 1 else crc >> 1
            found.append(crc)
        return tuple(found)
    wide = max(width, 8)
    top, up, mask = 1 << (wide - 1), poly << (wide - width), (1 << wide) - 1
    found = []
    for byte in range(256):
        crc = byte << (wide - 8)
        for _ in range(8):
            crc = (crc << 1 ^ up if crc & top else crc << 1) & mask
        found.append(crc)
    return tuple(found)


def _reflected(value: int, width: int) -> int:
    return int(f"{value:0{width}b}"[::-1], 2)


def _sum(rule: Sum) -> Compute:
    mask, width = (1 << rule.width) - 1, rule.width
    match rule.fold:
        case Fold.SUM:
            return lambda data: sum(data) & mask
        case Fold.NEGATED_SUM:
            return lambda data: -sum(data) & mask
        case Fold.INVERTED_SUM:
            return lambda data: ~sum(data) & mask
        case Fold.XOR:
            return xor if width == 8 else lambda data: _wide_xor(data, width // 8)
        case Fold.INVERTED_XOR:
            return lambda data: (xor(data) if width == 8 else _wide_xor(data, width // 8)) ^ mask
        case Fold.FLETCHER:
            return lambda data: _fletcher(data, width)
        case Fold.FLETCHER_MODULO_256:
            return lambda data: _fletcher(data, width, 256)


def _wide_xor(data: bytes, size: int) -> int:
    value = 0
    for at in range(0, len(data), size):
        value ^= int.from_bytes(data[at : at + size].ljust(size, b"\x00"), "big")
    return value


def _fletcher(data: bytes, width: int, modulo: int = 0) -> int:
    """Fletcher's two sums, the second above the first: over bytes for 16 bits, over words of two for 32.

    They are modulo 255 and 65535 (RFC 1146) unless that is said.
    """
    step = width // 16
    modulo = modulo or (1 << width // 2) - 1
    low = high = 0
    for at in range(0, len(data), step):
        low = (low + int.from_bytes(data[at : at + step].ljust(step, b"\x00"), "little")) % modulo
        high = (high + low) % modulo
    return high << (width // 2) | low
