"""How a profile writes bytes: hex pairs, texts in quotes, names of control characters.

7E A0        'LOGIN:' CR LF        STX 'D' 00
"""

from __future__ import annotations

import re

from gateway_server.errors import OperatorError

CONTROLS = {
    "NUL": 0x00, "SOH": 0x01, "STX": 0x02, "ETX": 0x03, "EOT": 0x04, "ENQ": 0x05, "ACK": 0x06, "TAB": 0x09,
    "LF": 0x0A, "CR": 0x0D, "DLE": 0x10, "XON": 0x11, "XOFF": 0x13, "NAK": 0x15, "SYN": 0x16, "ESC": 0x1B, "SP": 0x20,
}  # fmt: skip
_TOKEN = re.compile(r"\s*(?:'([^']*)'|([A-Z]{2,4})(?![A-Za-z0-9])|((?:[0-9A-Fa-f]{2})+)(?![A-Za-z0-9]))\s*")
_MOST = 256


def parse_bytes(text: str) -> bytes:
    """The bytes that a notation says. Raises `OperatorError`."""
    found = bytearray()
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise OperatorError(f"{text[at:][:20]!r} is no bytes; they are written like 7E A0, 'text' or CR LF")
        quoted, control, pairs = token.groups()
        if quoted is not None:
            try:
                found += quoted.encode("ascii")
            except UnicodeEncodeError:
                raise OperatorError(f"{quoted!r} is not ASCII; write its bytes in hex") from None
        elif pairs is not None or control not in CONTROLS:
            said = pairs if pairs is not None else control
            if not re.fullmatch(r"([0-9A-Fa-f]{2})+", said):
                raise OperatorError(f"{said!r} is no bytes; control characters are {', '.join(CONTROLS)}")
            found += bytes.fromhex(said)
        else:
            found.append(CONTROLS[control])
        at = token.end()
    if len(found) > _MOST:
        raise OperatorError(f"has {len(found)} bytes; at most {_MOST} can be written here")
    return bytes(found)


def show_bytes(data: bytes) -> str:
    """The notation of bytes: text where it is text, else hex."""
    parts: list[str] = []
    for run in re.findall(rb"[\x20-\x26\x28-\x7e]{3,}|[\x00-\xff]", data):
        parts.append(f"'{run.decode('ascii')}'" if len(run) > 2 else run.hex().upper())
    return " ".join(parts)
