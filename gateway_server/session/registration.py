"""What a GPRS modem says for itself: its registration packet when it calls in, and heartbeats ever after.

Both are freely configured in the modem, so both are configured here, byte for byte. A packet may come whole, in
pieces, or glued to a heartbeat and to the meter's first bytes; what is not the modem's is handed on.
"""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass

from gateway_server.errors import OperatorError

MOST_BYTES = 512
_MORE = b"0aAFz-:;} \r\n\x00\xff"
_NESTED_REPEAT = re.compile(r"\((?:[^()\\]|\\.)*[+*}](?:[^()\\]|\\.)*\)[+*{]")


class RegistrationFormat(enum.Enum):
    """How the registration pattern sees the first bytes."""

    TEXT = "text"  # as characters, one a byte
    HEX = "hex"  # as lower-case hex digits, two a byte
    JSON = "json"  # a JSON object, written anew without spaces


@dataclass(frozen=True, slots=True)
class Registration:
    """What the modem registered as. ``packet`` is the bytes that said so, ``rest`` what came behind them."""

    id: str
    packet: bytes
    rest: bytes


class RegistrationPattern:
    """The operator's pattern, whose group ``id`` is the caller's name. Raises `OperatorError` for one that is unfit."""

    def __init__(self, pattern: str, format: RegistrationFormat = RegistrationFormat.TEXT) -> None:
        try:
            self._pattern = re.compile(pattern, re.ASCII)
        except re.error as wrong:
            raise OperatorError(f"{pattern!r} is no regular expression: {wrong}") from None
        if "id" not in self._pattern.groupindex:
            raise OperatorError(f"{pattern!r} has no group (?P<id>...) that says which part is the caller's name")
        if _NESTED_REPEAT.search(pattern):
            raise OperatorError(f"{pattern!r} repeats a repetition: some input would keep it busy for ever")
        if self._pattern.match(""):
            raise OperatorError(f"{pattern!r} matches nothing at all; say which bytes must be there")
        self.format = format

    def find(self, data: bytes) -> tuple[Registration | None, bool]:
        """The registration in the first bytes of a line, and whether more bytes might still change that."""
        data = data[:MOST_BYTES]
        match self.format:
            case RegistrationFormat.TEXT:
                return self._found(data, self._pattern.search(data.decode("latin-1")), 1)
            case RegistrationFormat.HEX:
                return self._found(data, self._pattern.search(data.hex()), 2)
            case RegistrationFormat.JSON:
                return self._found_json(data)

    def _found(self, data: bytes, match: re.Match[str] | None, digits: int) -> tuple[Registration | None, bool]:
        if match is None or not match["id"]:
            return None, True
        start, end = match.start() // digits, -(-match.end() // digits)
        found = Registration(match["id"], data[start:end], data[end:])
        return found, end == len(data) < MOST_BYTES and self._grows(data, match.end(), digits)

    def _grows(self, data: bytes, end: int, digits: int) -> bool:
        """Whether one more byte of a usual kind would belong to the packet: its end may still be on its way."""
        if data.endswith(b"\n"):
            return False  # what ends its line has ended
        for byte in {*_MORE, data[-1]}:
            longer = bytes([*data, byte])
            match = self._pattern.search(longer.decode("latin-1") if digits == 1 else longer.hex())
            if match is not None and match.end() > end:
                return True
        return False

    def _found_json(self, data: bytes) -> tuple[Registration | None, bool]:
        text = data.decode("latin-1")
        start = text.find("{")
        while start >= 0:
            try:
                said, end = json.JSONDecoder().raw_decode(text, start)
            except (ValueError, RecursionError):
                start = text.find("{", start + 1)
                continue
            match = self._pattern.search(json.dumps(said, ensure_ascii=False, separators=(",", ":")))
            if match is None or not match["id"]:
                start = text.find("{", end)
                continue
            behind = end + len(text[end:]) - len(text[end:].lstrip("\r\n"))
            return Registration(match["id"], data[start:behind], data[behind:]), False
        return None, True


class Recogniser:
    """Looks for the registration at the beginning of one line.

    Bounded: behind `MOST_BYTES` (or when the line falls quiet, see `settle`) what came is the meter's own.
    """

    __slots__ = ("_came", "_pattern", "_possible")

    def __init__(self, pattern: RegistrationPattern) -> None:
        self._pattern = pattern
        self._came = b""
        self._possible: Registration | None = None

    def feed(self, data: bytes) -> Registration | None:
        """Takes the next bytes; the registration as soon as it is sure."""
        self._came += data
        found, may_change = self._pattern.find(self._came)
        if found is not None and len(self._came) > MOST_BYTES:
            found = Registration(found.id, found.packet, found.rest + self._came[MOST_BYTES:])
        self._possible = found
        return None if may_change else found

    @property
    def pending(self) -> bool:
        """Whether a registration is there that only the next bytes could make longer."""
        return self._possible is not None

    @property
    def full(self) -> bool:
        """Whether so much came that no registration is to be expected any more."""
        return len(self._came) >= MOST_BYTES

    def settle(self) -> Registration | None:
        """The line is quiet: what there is, is all there is."""
        return self._possible

    @property
    def came(self) -> bytes:
        """Everything that came so far."""
        return self._came


@dataclass(frozen=True, slots=True)
class Heartbeats:
    """The byte strings a modem sends to keep its line open, and what it wants to hear, if anything.

    They are recognised where a frame could begin, never inside one: a heartbeat of one byte may be data there.
    """

    strings: tuple[bytes, ...] = ()
    answer: bytes = b""

    def strip(self, data: bytes, more: bytes = b"") -> tuple[int, int, int]:
        """How many bytes at the beginning are heartbeats (or ``more``, another string to keep out), how many
        heartbeats these are, and how many bytes behind them may be the beginning of one."""
        strings = (*self.strings, more) if more else self.strings
        first = data[:1]
        for string in strings:
            if string.startswith(first):
                break
        else:
            return 0, 0, 0
        at = count = 0
        going = True
        while going:
            going = False
            for string in strings:
                if data.startswith(string, at):
                    at += len(string)
                    count += string is not more
                    going = True
        rest = data[at:]
        unsure = len(rest) if rest and any(string.startswith(rest) for string in strings) else 0
        return at, count, unsure
