"""The frame of the ingest benchmarks: 64 bytes of ASCII with a CRC-16, a row of eight columns.

    $000042,1704067620,000007,01042.50,00998.25,004.25,18.4,00*9A3C\\n

Meter, time (Unix seconds), order number, volume at base and at measurement conditions, pressure, temperature, status.
A caller first says its registration packet, ``\\d{15}\\n``, and gets `WELCOME`; each frame gets its acknowledgement.
"""

from __future__ import annotations

from binascii import crc_hqx

SIZE = 64
WELCOME = b"HELLO\n"
FIRST_TIME = 1_704_067_200


def registration(meter: int) -> bytes:
    """The registration packet of a meter: its number as the 15 digits of an IMEI."""
    return b"%015d\n" % meter


def frame(meter: int, order_number: int) -> bytes:
    """One frame, one a minute, with values that grow."""
    body = b"$%06d,%010d,%06d,%08.2f,%08.2f,%06.2f,%04.1f,%02d" % (
        meter,
        FIRST_TIME + 60 * order_number,
        order_number,
        (1000 + 1.25 * order_number) % 99999,
        (900 + 1.0 * order_number) % 99999,
        4 + order_number % 50 / 100,
        10 + order_number % 90 / 10,
        0,
    )
    return b"%b*%04X\n" % (body, crc_hqx(body, 0xFFFF))


def is_sound(data: bytes) -> bool:
    """Whether a whole frame's check matches."""
    return data[-6:-5] == b"*" and int(data[-5:-1], 16) == crc_hqx(data[:-6], 0xFFFF)


def row(data: bytes) -> tuple[int, int, int, str, str, str, str, str]:
    """The eight columns of a sound frame."""
    meter, ts, seq, vb, vm, p, t, status = data[1:-6].decode("ascii").split(",")
    return int(meter), int(ts), int(seq), vb, vm, p, t, status


def acknowledgement(order_number: int) -> bytes:
    """What a server answers to a frame it holds."""
    return b"A%06d\n" % order_number
