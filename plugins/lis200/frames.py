"""Cuts what a LIS-200 device sends into frames: IEC 62056-21 mode C, plain octets or 7E1 carried in 8 bits.

A frame's first octet says whether its characters carry even parity: ``/`` STX SOH and NAK all have an odd number of
ones, so with parity they arrive as AF 82 81 95. The identification line settles it for the rest of the session.
The block check may be any character, also ETX (seen on an EK270, lis200.md 1.1): one octet always follows ETX or EOT.
"""

from __future__ import annotations

import re

from gateway_server.codec.checksum import xor
from gateway_server.codec.codec import NOISE, Frame
from gateway_server.codec.parity import first_error, strip

SOH, STX, ETX, EOT, ACK, NAK = 0x01, 0x02, 0x03, 0x04, 0x06, 0x15

IDENTIFICATION = "identification"  # /XXXZident CR LF
REQUEST = "request"  # /?address! CR LF: another master on a shared line, or our own echo
COMMAND = "command"  # SOH C D ... BCC: the password operand P0; other masters; our own echo
BLOCK = "block"  # STX ... ETX BCC: a value, rows, or the last block of rows
PARTIAL = "partial"  # STX ... EOT BCC: rows, to be acknowledged
ERROR = "error"  # STX (#nnnn) ETX BCC
ACKNOWLEDGE = "ack"
REPEAT = "nak"
HANGUP = "hangup"  # the modem's own words inside the stream: the far end is gone

NO_CARRIER = b"NO CARRIER"
LINE_LIMIT = 132
"""Longest identification or request line kept; the standard allows fewer, devices were seen to stay below 40."""
COMMAND_LIMIT = 1024
BLOCK_LIMIT = 256 * 1024
"""Longest block kept: a month of hourly rows answered at once is 106 kB."""
NOISE_LIMIT = 256

_STARTS_ANY = re.compile(rb"[\x01\x81\x02\x82\x06\x15\x95\x2f\xaf]|NO CARRIER")
_STARTS_PLAIN = re.compile(rb"[\x01\x02\x06\x15\x2f\xaf]|NO CARRIER")
_STARTS_EVEN = re.compile(rb"[\x81\x82\x06\x95\x2f\xaf]|NO CARRIER")
_INSIDE_PLAIN = (b"\x03", b"\x04", b"\x02", b"\x01", NO_CARRIER)
_INSIDE_EVEN = (b"\x03", b"\x84", *(bytes([octet]) for octet in (1, 2, 4, 0x81, 0x82, 0x83)), NO_CARRIER)
_LINE = re.compile(rb"/(?:\?[^!\r\n]{0,64}!|[A-Za-z]{3}[0-9A-I][^\x00-\x1f]*)\r\n")
_LINE_SO_FAR = re.compile(rb"/(?:\?[^\x00-\x1f]*|[A-Za-z]{0,3}|[A-Za-z]{3}[0-9A-I][^\x00-\x1f]*)\r?")


def _first(held: bytearray, start: int, marks: tuple[bytes, ...]) -> int:
    """Where the first of the marks stands, -1 if nowhere: several plain searches, a fifth of what a pattern takes."""
    first = -1
    for mark in marks:
        at = held.find(mark, start) if first < 0 else held.find(mark, start, first)
        if at >= 0:
            first = at
    return first


class Lis200Framer:
    """Frames of one session, from the device's side. Keeps `BLOCK_LIMIT` octets or so, looks at each about once."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._start = 0  # offset of _held[0] in the stream
        self._cut = 0  # up to here _held has been handed out; dropped with the next feed
        self._scan = 0  # up to here _held was searched
        self._inside = False  # a telegram begins at _cut
        self._starts = _STARTS_ANY
        self._check_parity = False

    def feed(self, data: bytes) -> None:
        """Takes the next octets of the stream."""
        if self._cut:
            del self._held[: self._cut]
            self._start += self._cut
            self._scan -= self._cut
            self._cut = 0
        self._held += data

    def next_frame(self) -> Frame | None:
        """The next whole frame, or noise; None when more octets are needed."""
        if self._inside:
            return self._telegram()
        held, cut = self._held, self._cut
        position = max(self._scan, cut)
        line_end = 0
        while (found := self._starts.search(held, position)) is not None:
            position = found.start()
            if held[position] & 0x7F != 0x2F:
                break
            line_end = self._line_end(position)
            if line_end:
                break
            position += 1
        if found is None:
            position = max(position, len(held) - len(NO_CARRIER) + 1)
        self._scan = position
        if position - cut >= NOISE_LIMIT:
            return self._take(cut + NOISE_LIMIT, NOISE)
        if found is None or line_end < 0:
            return None
        if position > cut:
            return self._take(position, NOISE)
        if line_end:
            return self._line(line_end)
        if len(found.group()) > 1:
            return self._take(cut + len(NO_CARRIER), HANGUP)
        mark = held[cut] & 0x7F
        if mark in (ACK, NAK):
            return self._take(cut + 1, ACKNOWLEDGE if mark == ACK else REPEAT)
        self._inside = True
        self._scan = cut + 1
        return self._telegram()

    @property
    def begun(self) -> bool:
        """Whether rows or a value are on their way: a block without its end yet, and surely no error telegram."""
        held, cut = self._held, self._cut
        if not self._inside or held[cut] & 0x7F != STX or len(held) < cut + 3:
            return False
        return strip(bytes(held[cut + 1 : cut + 3])) != b"(#"

    def flush(self) -> Frame | None:
        """What is left when nothing more will come: a frame that was cut off, or noise."""
        if self._cut == len(self._held):
            return None
        if not self._inside:
            return self._take(len(self._held), NOISE)
        return self._take(len(self._held), self._kind_of_open(), "cut off: its end never came")

    def _take(self, end: int, kind: str, fault: str = "") -> Frame:
        frame = Frame(kind, bytes(self._held[self._cut : end]), self._start + self._cut, fault)
        self._cut = self._scan = end
        self._inside = False
        return frame

    def _line_end(self, at: int) -> int:
        """Where the line that seems to begin here ends; 0 if it is none, -1 as long as it may become one."""
        octets = bytes(self._held[at : at + LINE_LIMIT])
        if octets[0] & 0x80:
            octets = strip(octets)
        whole = _LINE.match(octets)
        if whole is not None:
            return at + whole.end()
        return -1 if len(octets) < LINE_LIMIT and _LINE_SO_FAR.fullmatch(octets) else 0

    def _line(self, end: int) -> Frame:
        octets = bytes(self._held[self._cut : end])
        if octets[1] & 0x7F == 0x3F:
            return self._take(end, REQUEST)
        even = octets[0] >= 0x80
        self._starts = _STARTS_EVEN if even else _STARTS_PLAIN
        self._check_parity = even and first_error(octets) is None
        return self._take(end, IDENTIFICATION)

    def _kind_of_open(self) -> str:
        return COMMAND if self._held[self._cut] & 0x7F == SOH else BLOCK

    def _telegram(self) -> Frame | None:
        held, cut, position = self._held, self._cut, self._scan
        command = held[cut] & 0x7F == SOH
        inside = _INSIDE_EVEN if held[cut] & 0x80 else _INSIDE_PLAIN
        limit = COMMAND_LIMIT if command else BLOCK_LIMIT
        while 0 <= (found := _first(held, position, inside)) < cut + limit:
            position = found
            mark = held[position] & 0x7F
            if command and mark == STX and position == cut + 3:
                position += 1
            elif mark in (ETX, EOT):
                if len(held) < position + 2:
                    self._scan = position
                    return None
                return self._whole(position + 2, partial=mark == EOT)
            else:  # a new start character or the modem's words: this one will never end
                return self._take(position, self._kind_of_open(), "cut off: another began before its end")
        self._scan = max(position, len(held) - len(NO_CARRIER) + 1)
        if self._scan - cut >= limit:
            return self._take(cut + limit, NOISE)
        return None

    def _whole(self, end: int, *, partial: bool) -> Frame:
        octets = bytes(self._held[self._cut : end])
        even = octets[0] >= 0x80
        plain = strip(octets) if even else octets
        expected = xor(plain[1:-1])
        fault = ""
        # Characters of 8 bits (units in a Russian code page) may be checked over 7 bits or over 8: accept both.
        if plain[-1] not in (expected, expected & 0x7F):
            fault = f"BCC is {plain[-1]:02X}, its characters give {expected & 0x7F:02X}"
        elif even and self._check_parity and (wrong := first_error(octets)) is not None:
            fault = f"parity of octet {wrong} is not even"
        if plain[0] == SOH:
            kind = COMMAND
        elif partial:
            kind = PARTIAL
        else:
            kind = ERROR if plain[1:3] == b"(#" else BLOCK
        return self._take(end, kind, fault)
