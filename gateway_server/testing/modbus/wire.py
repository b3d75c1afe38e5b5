"""Requests out of what a Modbus client sends, and the frames that answer them: RTU and TCP, from the server's side.

MODBUS over Serial Line V1.02, clause 2.5.1; MODBUS Messaging on TCP/IP V1.0b, clause 3.1.3; sizes of requests by the
MODBUS Application Protocol Specification V1.1b3, clause 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway_server.codec.meter_profile.catalogue import CATALOGUE
from gateway_server.codec.meter_profile.checks import compute

_crc = compute(CATALOGUE["CRC-16/MODBUS"])
_BOUND = 512
_SHORTEST, _LONGEST = 4, 256
_MBAP = 7
# Function: size of the whole RTU request; or where the count of the bytes that follow it stands.
_FIXED = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8, 7: 4, 8: 8, 11: 4, 12: 4, 17: 4, 22: 10, 24: 6, 43: 7}
_COUNTED = {15: 6, 16: 6, 20: 2, 21: 2, 23: 10}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: to whom, and what; ``head`` is what the answer's header says again."""

    unit: int
    pdu: bytes
    head: bytes = b""


class Dress(Protocol):
    """How messages are dressed on one line."""

    @property
    def is_lost(self) -> bool:
        """Whether the stream makes no sense any more: a server then hangs up."""

    def cut(self, data: bytes) -> list[Asked]:
        """The requests that are whole now."""

    def answer(self, asked: Asked, pdu: bytes) -> bytes:
        """The frame that answers a request."""


class RtuDress:
    """RTU: a request is proven by its CRC, wherever it begins. Silence cannot be seen here."""

    is_lost = False

    def __init__(self) -> None:
        self._waiting = b""

    def cut(self, data: bytes) -> list[Asked]:
        self._waiting = (self._waiting + data)[-_BOUND:]
        found: list[Asked] = []
        while (span := self._span()) is not None:
            frame = self._waiting[span]
            self._waiting = self._waiting[span.stop :]
            found.append(Asked(frame[0], frame[1:-2]))
        return found

    def answer(self, asked: Asked, pdu: bytes) -> bytes:
        frame = bytes((asked.unit,)) + pdu
        return frame + _crc(frame).to_bytes(2, "little")

    def _span(self) -> slice | None:
        waiting = self._waiting
        for at in range(len(waiting) - _SHORTEST + 1):
            size = self._size(waiting[at:])
            frame = waiting[at : at + size]
            if _SHORTEST <= len(frame) == size and _crc(frame[:-2]) == int.from_bytes(frame[-2:], "little"):
                return slice(at, at + size)
        return None

    def _size(self, data: bytes) -> int:
        """The size of the request that begins like this; of a function that nobody knows, all that is here."""
        if (place := _COUNTED.get(data[1])) is not None:
            return place + 3 + data[place] if len(data) > place else len(data) + 1
        return _FIXED.get(data[1], len(data))


class TcpDress:
    """TCP: a header says how long the message is. One that makes no sense leaves nothing to go on from."""

    def __init__(self) -> None:
        self._waiting = b""
        self.is_lost = False

    def cut(self, data: bytes) -> list[Asked]:
        self._waiting += data
        found: list[Asked] = []
        while len(self._waiting) >= _MBAP and not self.is_lost:
            size = int.from_bytes(self._waiting[4:6], "big")
            if any(self._waiting[2:4]) or not 2 <= size < _LONGEST:
                self.is_lost = True
            elif len(self._waiting) < 6 + size:
                break
            else:
                frame, self._waiting = self._waiting[: 6 + size], self._waiting[6 + size :]
                found.append(Asked(frame[6], frame[_MBAP:], frame[:2]))
        return found

    def answer(self, asked: Asked, pdu: bytes) -> bytes:
        return asked.head + bytes(2) + (len(pdu) + 1).to_bytes(2, "big") + bytes((asked.unit,)) + pdu
