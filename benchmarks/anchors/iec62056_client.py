"""The anchor of the air time: PyPI's iec62056-21 behind a modem, dialled through pyserial's RFC 2217 client.

It speaks the bare dialogue: sign-on, option, one archive command, an acknowledgement for each block, sign-off.
"""

from __future__ import annotations

import time
from typing import Any

from iec62056_21 import lis200
from iec62056_21.client import Iec6205621Client
from iec62056_21.transports import BaseTransport
from serial import rfc2217

PATIENCE = 120


class DialledTransport(BaseTransport):  # type: ignore[misc]  # the package has no types
    """A call as the package's transport."""

    TRANSPORT_REQUIRES_ADDRESS = False

    def __init__(self, port: str, number: str) -> None:
        super().__init__(timeout=PATIENCE)
        self._port = rfc2217.Serial(port, 9600, timeout=PATIENCE)
        self._ask(b"ATE0\r", b"OK\r\n")
        self._ask(f"ATD{number}\r".encode("ascii"), b"CONNECT 9600\r\n")

    def switch_baudrate(self, baud: int) -> None:
        """The far port has its own."""

    def _send(self, data: bytes) -> None:
        self._port.write(data)

    def _recv(self, chars: int = 1) -> bytes:
        return bytes(self._port.read(chars))

    def hang_up(self) -> None:
        """Drops DTR, and waits until the modem says that it is done."""
        self._port.dtr = False
        self._until(b"OK\r\n")
        self._port.close()

    def _ask(self, command: bytes, wanted: bytes) -> None:
        self._port.write(command)
        self._until(wanted)

    def _until(self, wanted: bytes) -> None:
        heard = b""
        while not heard.endswith(wanted):
            octet = self._port.read(1)
            if not octet:
                raise RuntimeError(f"the modem said {heard!r}, {wanted!r} was awaited")
            heard += octet


class DialledClient(Iec6205621Client):  # type: ignore[misc]  # the package has no types
    """The package's client; its rests shrink with the simulated time."""

    def __init__(self, transport: DialledTransport, speed_up: float) -> None:
        super().__init__(transport, error_parser_class=lis200.Lis200ErrorParser)
        self._speed_up = speed_up

    def rest(self, duration: float | None = None) -> None:
        """As long as the package rests."""
        time.sleep((duration or self.reaction_time * 1.25) / self._speed_up)  # noqa: TID251 - the package's own way


def read(port: str, number: str, since: str, until: str, rows_per_block: int, speed_up: float) -> list[list[str]]:
    """Calls a number, reads the hourly archive between two times of the meter's clock, hangs up; gives the rows."""
    transport = DialledTransport(port, number)
    client = DialledClient(transport, speed_up)
    client.access_programming_mode()
    command: Any = lis200.ArchiveReadoutCommand(
        3, position=3, start=since, end=until, partial_blocks=True, rows_per_block=rows_per_block
    )
    transport.send(command.to_bytes())
    lines = client.read_response().data_block.data_lines
    client.send_break()
    transport.hang_up()
    return [[cell.value for cell in line.data_sets] for line in lines]
