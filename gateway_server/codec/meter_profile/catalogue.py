"""The CRC algorithms of the RevEng catalogue by name (Greg Cook, "Catalogue of parametrised CRC algorithms").

Each line: name, width, poly, init, refin, refout, xorout, and the check value over the ASCII digits 123456789, by which
the tests prove the line.
"""

from __future__ import annotations

from gateway_server.codec.meter_profile.form import Crc

_LINES = """
CRC-8/SMBUS          8  07 00 - - 00 F4
CRC-16/ARC           16 8005 0000 r r 0000 BB3D
CRC-16/MODBUS        16 8005 FFFF r r 0000 4B37
CRC-16/XMODEM        16 1021 0000 - - 0000 31C3
CRC-16/IBM-3740      16 1021 FFFF - - 0000 29B1
CRC-16/IBM-SDLC      16 1021 FFFF r r FFFF 906E
CRC-16/KERMIT        16 1021 0000 r r 0000 2189
CRC-16/EN-13757      16 3D65 0000 - - FFFF C2B7
CRC-16/DNP           16 3D65 0000 r r FFFF EA82
CRC-32/ISO-HDLC      32 04C11DB7 FFFFFFFF r r FFFFFFFF CBF43926
"""

_ALIASES = {
    "CRC-16/CCITT-FALSE": "CRC-16/IBM-3740",
    "CRC-16/X-25": "CRC-16/IBM-SDLC",
    "CRC-16/CCITT": "CRC-16/KERMIT",
    "CRC-16": "CRC-16/ARC",
    "CRC-32": "CRC-32/ISO-HDLC",
    "CRC-8": "CRC-8/SMBUS",
}


def _entry(line: str) -> tuple[Crc, int]:
    name, width, poly, init, refin, refout, xorout, check = line.split()
    crc = Crc(name, int(width), int(poly, 16), int(init, 16), refin == "r", refout == "r", int(xorout, 16))
    return crc, int(check, 16)


CHECK_VALUES = dict(_entry(line) for line in _LINES.splitlines() if line)
CATALOGUE = {crc.name: crc for crc in CHECK_VALUES}


def in_catalogue(name: str) -> Crc | None:
    """The algorithm of this name or alias."""
    return CATALOGUE.get(_ALIASES.get(name.upper(), name.upper()))
