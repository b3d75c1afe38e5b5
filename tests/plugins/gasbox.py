r"""GasBox 200 volume corrector over GPRS: the invented example of a codec, small enough to read whole.

1. corrector -> us   SN=<serial>\r\n          within 30 s of connecting
2. us -> corrector   V?\r\n                   total converted volume, please
3. corrector -> us   <decimal>\r\n            cubic metres
4. us -> corrector   OK\r\n                   it now deletes the value: store first
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from gateway_server.codec.buffer import LINE, LineFramer
from gateway_server.codec.codec import Field, Frame
from gateway_server.codec.dialogue import Dialogue, Identify, Reading, Receive, Send
from gateway_server.errors import CodecError, MeterSilent
from gateway_server.model import Quantity, Span

CONVERTED_VOLUME = Quantity("converted volume", "7-0:13.2.0", "m3", cumulative=True)


class GasBox:
    name = "gasbox"
    version = "1"
    framer = LineFramer

    def answer(self) -> Dialogue:
        """The corrector has called us."""
        hello = yield Receive(timeout=30)
        meter = yield Identify(hello.text.removeprefix("SN="))
        try:
            yield Send(b"V?\r\n")
            volume = yield Receive(timeout=5)
        except MeterSilent:  # the first request may fall into its GPRS wake-up
            yield Send(b"V?\r\n")
            volume = yield Receive(timeout=5)
        span = Span(volume.start, volume.end)
        yield Reading(meter.serial, CONVERTED_VOLUME, cubic_metres(volume), "m3", span=span)
        yield Send(b"OK\r\n")
        return None

    def dissect(self, frame: Frame) -> Sequence[Field]:
        """The line and its end."""
        if frame.kind != LINE:
            return [Field("unknown", 0, len(frame.data))]
        end = len(frame.data.rstrip(b"\r\n"))
        text = frame.text
        said = Field("volume", 0, end, text, "m3")
        if text.startswith("SN="):
            said = Field("serial", 0, end, text.removeprefix("SN="))
        return [field for field in (said, Field("end", end, len(frame.data))) if field.start < field.end]

    def decode(self, frame: Frame) -> str:
        """The line as text, its end included."""
        if frame.kind != LINE or not frame.data.isascii():
            raise CodecError(f"not a line of text: {frame.data!r}")
        return frame.data.decode("ascii")

    def encode(self, message: object) -> bytes:
        """The line's bytes."""
        return str(message).encode("ascii")


def cubic_metres(frame: Frame) -> Decimal:
    try:
        return Decimal(frame.text)
    except InvalidOperation:
        raise CodecError(f"not a volume: {frame.text!r}") from None


codec = GasBox()
