r"""Modbus RTU and Modbus TCP, read by register maps that operators declare.

    reads: modbus
    source: manual
    framing: rtu
    unit: 1
    serial: {at: 0x0010, type: uint32}
    registers:
      - {at: 0x0100, type: uint32, scale: 0.001, quantity: base_volume_total, unit: m3}
      - {at: 0x0102, type: float32, digits: 2, quantity: temperature}

The file stands in a folder of plugins and its name, without ``.yaml``, is the codec's. No device's map is built in.
All keys: docs/modbus.md. Sources of the protocol's facts: `pdu`, `frames`.

Why register maps are a language of their own beside meter profiles: an answer of Modbus does not say what it holds (the
request does), which requests there are follows from the map (neighbours joined, gaps read along, joined ones parted
again when a device refuses them), and what makers publish is a table of registers, not a format of frames.
Devices are only read: no function that writes is known in here.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway_server.codec.codec import Field, Frame, Framer
from gateway_server.codec.declaration import Declaration
from gateway_server.codec.dialogue import Dialogue
from gateway_server.errors import CodecError
from gateway_server.model import KnownMeter

from . import frames
from .dissect import dissect
from .interpreter import ModbusInterpreter
from .map import RegisterMap, read_map
from .read import read

VERSION = "1"
"""Of what a map means here; a codec's version is this and the map's own."""


class Modbus:
    """The codec of one register map: no state of its own."""

    def __init__(self, map: RegisterMap) -> None:
        self.map = map
        self.name = map.name
        self.version = f"{VERSION}.{map.version}"
        self.probe_settings = map.settings if map.probe or map.names_itself else ()

    def framer(self) -> Framer:
        """A framer for one session."""
        return frames.ModbusFramer(self.map.wire)

    def interpreter(self) -> ModbusInterpreter:
        """A listener for one session."""
        return ModbusInterpreter(self.map)

    def archives(self, meter: KnownMeter) -> Sequence[str]:
        """None: a register map has live values only."""
        return ()

    def read(self, expected: KnownMeter | None) -> Dialogue:
        """Finds out who is there, then reads the map's registers."""
        return read(self.map, expected)

    def dissect(self, frame: Frame) -> Sequence[Field]:
        """The parts of a frame in words."""
        return dissect(frame, self.map.wire)

    def decode(self, frame: Frame) -> frames.Message:
        """The frame as a typed message. Raises `CodecError`."""
        return frames.decode(frame.data, self.map.wire, sent=frame.kind == frames.REQUEST)

    def encode(self, message: object) -> bytes:
        """The wire bytes of what `decode` gave."""
        if not isinstance(message, frames.Message):
            raise CodecError(f"{message!r} is no Modbus message")
        return frames.encode(message, self.map.wire)


def declared(declaration: Declaration) -> Modbus:
    """The codec of a register map. Raises `OperatorError` for what is wrong with it, naming the line."""
    return Modbus(read_map(declaration))
