"""The benchmark's own metering protocol, as an operator would add it: a meter that pushes a row of values every minute.

1. meter -> us   its registration packet (the listener's business)
2. us -> meter   HELLO                        once it is identified
3. meter -> us   a frame of 64 bytes          `benchmarks.frames` describes it
4. us -> meter   A<order number>              it now deletes the values: store first

Invented, like the meter. Times are in the meter's own clock, volumes in m3, pressure in bar, temperature in degrees.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from gateway_server.codec.buffer import LineFramer
from gateway_server.codec.codec import SENT, Field, Frame
from gateway_server.codec.dialogue import Dialogue, Note, Receive, Send
from gateway_server.errors import ChecksumError, CodecError
from gateway_server.model import INTERVAL, Column, Identify, Row, Span

COLUMNS = (
    Column("volume_at_base_conditions", "m3", cumulative=True, name="VB"),
    Column("volume_at_measurement_conditions", "m3", cumulative=True, name="VM"),
    Column("pressure", "bar", name="P"),
    Column("temperature", "°C", name="T"),
)
NAMES = ("meter", "time", "order number", "VB", "VM", "P", "T", "status")
IDLE = 3600.0

_EPOCH = datetime(1970, 1, 1)
_ANY = Receive(timeout=IDLE)


class Push64:
    """The codec."""

    name = "push64"
    version = "1"

    def framer(self) -> LineFramer:
        """Lines; a good one is 64 bytes long."""
        return LineFramer(bound=128)

    def answer(self) -> Dialogue:
        """The meter has called us."""
        yield Send(b"HELLO\n")
        frame = yield _ANY
        yield Identify(frame.data[1:7].decode("latin-1"))
        while True:
            try:
                row = read(frame)
            except CodecError as error:
                yield Note(str(error))
            else:
                yield row  # stored first
                yield Send(b"A%06d\n" % (row.order_number or 0))
                del row
            del frame  # nothing is held while the meter is silent
            frame = yield _ANY

    def dissect(self, frame: Frame) -> Sequence[Field]:
        """The frame's columns, each with the comma behind it, and its check."""
        if frame.kind == SENT or len(frame.data) != 64:
            return [Field("answer" if frame.kind == SENT else "unknown", 0, len(frame.data), frame.text)]
        fields, at = [Field("start", 0, 1, "$")], 1
        for name, text in zip(NAMES, frame.text[1:-5].split(","), strict=False):
            fields.append(Field(name, at, at + len(text) + 1, text))
            at += len(text) + 1
        return [*fields, Field("check", at, 64, frame.text[at:])]


def read(frame: Frame) -> Row:
    """The row a frame holds. Raises `CodecError`."""
    data = frame.data
    if len(data) != 64 or data[-6:-5] != b"*":
        raise CodecError(f"a frame has 64 bytes, not {len(data)}")
    try:
        if int(data[-5:-1], 16) != crc_hqx(data[:-6], 0xFFFF):
            raise ChecksumError("the frame's CRC does not match")
        _, time, number, vb, vm, p, t, status = data[1:-6].decode("ascii").split(",")
        return Row(
            COLUMNS,
            (Decimal(vb), Decimal(vm), Decimal(p), Decimal(t)),
            INTERVAL,
            _EPOCH + timedelta(seconds=int(time)),
            int(number),
            status,
            "",
            "",
            Span(frame.start, frame.start + 64),
        )
    except (ValueError, ArithmeticError) as error:
        raise CodecError(f"the frame is not as agreed: {error}") from error


codec = Push64()
