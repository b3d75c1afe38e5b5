"""What a modem hangs on: a local port, or a serial server's port over TCP, plain or with RFC 2217."""

from __future__ import annotations

import re
from typing import Protocol

from gateway_server.errors import OperatorError

_REMOTE = re.compile(r"(socket|rfc2217)://(\[[0-9A-Fa-f:.%\w]+\]|[^\s:/\[\]]+):(\d{1,5})")
_TAKEN = re.compile(rb"port (?:is )?already in use|port in use|device (?:is )?(?:busy|in use)", re.IGNORECASE)
_BROKEN = re.compile(rb"device open failure|unable to open|connection refused|no such file", re.IGNORECASE)
_MOST_SAID = 256


class PortUser(Protocol):
    """Who uses a port: gets its bytes, hears of its loss and of its carrier."""

    def port_received(self, data: bytes) -> None:
        """Bytes from the modem."""

    def port_lost(self, why: str) -> None:
        """The port is gone: unplugged, or the serial server closed it."""

    def carrier(self, up: bool) -> None:  # a state, told as it is
        """DCD changed."""


class ModemPort(Protocol):
    """An open port. Nothing in it blocks or raises; what fails is told to the user as `port_lost`."""

    @property
    def dcd(self) -> bool | None:
        """Whether the modem has carrier; None where the port cannot tell."""

    def write(self, data: bytes) -> None:
        """Sends bytes to the modem."""

    def set_speed(self, speed: int) -> None:
        """Speaks with the modem at this speed; a port without speeds ignores it."""

    def set_dtr(self, up: bool) -> None:  # the level of a line
        """Raises or drops DTR, where there is such a line."""

    def pause(self) -> None:
        """Lets the modem wait."""

    def resume(self) -> None:
        """Reads on."""

    def close(self) -> None:
        """Gives the port back; its user hears nothing of it."""


def remote_port(text: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of ``socket://HOST:PORT`` or ``rfc2217://HOST:PORT``; None for a local port.

    Raises `OperatorError` for what begins like one and is none.
    """
    if "://" not in text:
        return None
    found = _REMOTE.fullmatch(text)
    if found is None or not 0 < int(found[3]) < 65536:
        raise OperatorError(
            f"{text!r} is no port: write a device such as /dev/ttyUSB0, socket://HOST:PORT for a serial server in raw"
            " mode, or rfc2217://HOST:PORT"
        )
    return found[1], found[2].strip("[]"), int(found[3])


class ServerWords:
    """Recognises what a serial server says in the modem's place before any modem has spoken."""

    def __init__(self) -> None:
        self._said = bytearray()

    def heard(self, data: bytes) -> str:
        """Why the port is of no use, in words; empty for all else."""
        if len(self._said) < _MOST_SAID:
            self._said += data[: _MOST_SAID - len(self._said)]
        if _TAKEN.search(self._said):
            return (
                "the serial server says that another program has the port; end that one, or let the server throw it out"
            )
        if _BROKEN.search(self._said):
            return "the serial server cannot open the modem's port; look at the cable and at the server's settings"
        return ""
