"""The speed of a simulated meter's own interface: at any other it hears nothing and is heard as rubbish."""

from __future__ import annotations

import re
import termios

_OPTION = re.compile(rb"\x060([0-6])1\r\n")
_SIGN_OFF = b"\x01B0\x03"
_BY_CHARACTER = (300, 600, 1200, 2400, 4800, 9600, 19200)
_REACTION_SECONDS = 0.2  # the shortest of IEC 62056-21
_BITS_PER_CHARACTER = 10

_BAUDS = {getattr(termios, f"B{baud}"): baud for baud in (*_BY_CHARACTER, 38400, 57600, 115200)}


def speed_of(terminal: int) -> int:
    """The speed in baud that a terminal is set to, 0 for one that no meter has."""
    return _BAUDS.get(termios.tcgetattr(terminal)[5], 0)


class FakeSpeed:
    """A meter's speed. One that begins at 300 is an optical head: it changes as the option select says, and back."""

    def __init__(self, baud: int) -> None:
        self.baud = baud
        self._first = baud
        self._heard = b""

    def heard(self, data: bytes, at_baud: int) -> float | None:
        """Seconds until the meter has the octets and reacts to them; None when it does not hear them at this speed."""
        if at_baud != self.baud:
            return None
        waits = len(data) * _BITS_PER_CHARACTER / self.baud + _REACTION_SECONDS
        self._heard = (self._heard + bytes(octet & 0x7F for octet in data))[-256:]
        if self._first == _BY_CHARACTER[0] and (chosen := _OPTION.search(self._heard)):
            self.baud = _BY_CHARACTER[int(chosen[1])]
            self._heard = b""
        elif _SIGN_OFF in self._heard:
            self.baud = self._first
            self._heard = b""
        return waits

    def said(self, data: bytes, at_baud: int) -> bytes:
        """What somebody at this speed receives of the meter's octets."""
        return data if at_baud == self.baud else bytes(octet ^ 0xF8 | 0x80 for octet in data[::2])

    def fall_back(self) -> None:
        """Nobody has spoken for long: the next session begins at the first speed."""
        self.baud = self._first
        self._heard = b""
