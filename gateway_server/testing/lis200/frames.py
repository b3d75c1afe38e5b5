"""The meter's side of IEC 62056-21 framing, written on its own so that codec and simulator check each other.

Frames and checksum: mode C of the standard as LIS-200 uses it. Nothing here is shared with any codec.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass

NUL = 0x00
SOH = 0x01
STX = 0x02
ETX = 0x03
EOT = 0x04
ACK = 0x06
NAK = 0x15
LONGEST_REQUEST = 512


def bcc(data: bytes) -> int:
    """The block check: XOR of the seven-bit characters behind the start character, ETX or EOT included."""
    check = 0
    for byte in data:
        check ^= byte
    return check & 0x7F


def even_parity(data: bytes) -> bytes:
    """Seven-bit characters as an 8-bit line carries them: bit 7 makes the number of ones even."""
    return bytes((byte & 0x7F) | ((byte & 0x7F).bit_count() & 1) << 7 for byte in data)


def has_even_parity(data: bytes) -> bool:
    """Whether a 7E1 receiver would take every one of these octets."""
    return all(byte.bit_count() % 2 == 0 for byte in data)


def answer(text: str, *, last: bool = True, encoding: str = "latin-1") -> bytes:
    """A data frame: STX, text, ETX (EOT for a block that another one follows), BCC."""
    body = text.encode(encoding) + bytes((ETX if last else EOT,))
    return bytes((STX,)) + body + bytes((bcc(body),))


def challenge() -> bytes:
    """The password operand that opens programming mode; the same text on every LIS-200 device."""
    body = b"P0\x02(1234567)\x03"
    return bytes((SOH,)) + body + bytes((bcc(body),))


class Asked(enum.Enum):
    """What a client may say to a meter."""

    SIGN_ON = "sign_on"
    OPTION = "option"
    COMMAND = "command"
    ACK = "ack"
    NAK = "nak"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Request:
    """One thing the client said: ``verb`` is ``R1``, ``W1`` ... of a command, ``text`` what stood in it."""

    asked: Asked
    verb: str = ""
    text: str = ""


SIGN_ON_LINE = re.compile(rb"/\?([^!\r\n]*)!\r?\n")
OPTION_LINE = re.compile(rb"\x06(\d{3})\r\n")
PART_OF_OPTION = re.compile(rb"\x06(\d{0,3}|\d{3}\r)\Z")


class RequestBuffer:
    """Cuts what arrives at the meter into requests."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes, *, awaiting_option: bool) -> Sequence[Request]:
        """The requests that are complete now. An ACK begins an option select only right behind an identification."""
        self._bytes += data
        found: list[Request] = []
        while self._bytes:
            request, used = self._first(awaiting_option)
            del self._bytes[:used]
            if request is not None:
                found.append(request)
                awaiting_option = request.asked is Asked.SIGN_ON
            elif used == 0:
                break
        if len(self._bytes) > LONGEST_REQUEST:
            self._bytes.clear()
        return found

    def clear(self) -> None:
        """Forget a request that was begun."""
        self._bytes.clear()

    def _first(self, awaiting_option: bool) -> tuple[Request | None, int]:
        first = self._bytes[0]
        if first == SOH:
            return self._command()
        if first == ACK:
            if awaiting_option:
                option = OPTION_LINE.match(self._bytes)
                if option:
                    return Request(Asked.OPTION, text=option[1].decode("ascii")), option.end()
                if PART_OF_OPTION.match(self._bytes):
                    return None, 0
            return Request(Asked.ACK), 1
        if first == NAK:
            return Request(Asked.NAK), 1
        if first == ord("/"):
            line = SIGN_ON_LINE.match(self._bytes)
            if line:
                return Request(Asked.SIGN_ON, text=line[1].decode("latin-1")), line.end()
            return None, 0 if b"\n" not in self._bytes and len(self._bytes) < 64 else 1
        return None, 1

    def _command(self) -> tuple[Request | None, int]:
        end = self._bytes.find(ETX)
        if end < 0 or end + 1 >= len(self._bytes):
            return None, 0
        body = bytes(self._bytes[1 : end + 1])
        if bcc(body) != self._bytes[end + 1] & 0x7F:
            return Request(Asked.DAMAGED), end + 2
        verb = body[:2].decode("latin-1")
        text = body[3:-1].decode("latin-1") if body[2] == STX else ""
        return Request(Asked.COMMAND, verb, text), end + 2
