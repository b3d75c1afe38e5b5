r"""LIS-200: Elster's gas-volume correctors EK260, EK270, EK280 (EK290) and TC210, TC215, TC220, by IEC 62056-21 mode C.

1. we -> device   /?<address>!\r\n                     the address is empty on a line with one device
2. device -> us   /Els6\2EK280\r\n                     who it is, and its fastest speed
3. we -> device   ACK 0 6 1 \r\n                       its own speed echoed, programming mode
4. device -> us   SOH P0 STX (1234567) ETX BCC         a dummy, not answered
5. we -> device   SOH R1 STX 1:180.0(1) ETX BCC        a value; an archive in blocks with R3, each acknowledged with ACK
6. device -> us   STX 1:180.0(12345678) ETX BCC        or STX (#0018) ETX BCC: an error
7. we -> device   SOH B0 ETX BCC                       the end, not answered

Every fact, with its source and how sure it is: docs/lis200.md and the modules of this folder. Devices are only read;
the one exception is opening a lock that bars reading, and closing it again (`gate`).
Imports are relative in here: this folder is `plugins.lis200` in a working copy and `gateway_server.plugins.lis200`
when installed.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway_server.codec.codec import Field, Frame
from gateway_server.codec.dialogue import Dialogue
from gateway_server.codec.files import FileReading, UploadedFile
from gateway_server.errors import CodecError
from gateway_server.model import KnownMeter

from . import messages
from .dissect import dissect
from .files import read_file
from .frames import Lis200Framer
from .interpreter import Lis200Interpreter
from .read import read


class Lis200:
    """The codec: no state of its own."""

    name = "lis200"
    version = "3"

    def framer(self) -> Lis200Framer:
        """A framer for one session."""
        return Lis200Framer()

    def interpreter(self) -> Lis200Interpreter:
        """A listener for one session."""
        return Lis200Interpreter()

    def read(self, expected: KnownMeter | None) -> Dialogue:
        """Signs on, identifies, obtains what the meter's order says, signs off."""
        return read(expected)

    def read_file(self, file: UploadedFile) -> FileReading | None:
        """What an uploaded file holds, None if it is nothing of LIS-200."""
        return read_file(file)

    def dissect(self, frame: Frame) -> Sequence[Field]:
        """The parts of a frame in words."""
        return dissect(frame)

    def decode(self, frame: Frame) -> messages.Wire:
        """The frame as a typed message and its parity. Raises `CodecError`."""
        return messages.decode_frame(frame)

    def encode(self, message: object) -> bytes:
        """The wire octets of what `decode` gave. Raises `CodecError` for anything else."""
        if not isinstance(message, messages.Wire):
            raise CodecError(f"{message!r} is no LIS-200 message")
        return messages.encode(message.message, even=message.even)


codec = Lis200()
