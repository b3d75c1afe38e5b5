"""A simulated Modbus device: it answers reads of the registers that a map names, and refuses all else, as real ones do.

Exceptions by the MODBUS Application Protocol Specification V1.1b3, clause 7. It keeps silent to requests for other
units; on TCP it says, as a gateway does, that nobody answered there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gateway_server.testing.lis200.delivery import Reply
from gateway_server.testing.modbus.registers import Entry, Kind, Registers, registers_of, told
from gateway_server.testing.modbus.wire import Asked, Dress, RtuDress, TcpDress

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, NO_ANSWER_THERE = 1, 2, 3, 11
MOST_BITS, MOST_REGISTERS = 2000, 125
_BIT_TABLES, _TABLES = (1, 2), (1, 2, 3, 4)
_IDENTIFICATION, _MEI = 0x2B, 0x0E
_SELF = (0, 255)
"""Units by which a device on TCP is spoken to itself (MODBUS Messaging on TCP/IP V1.0b, clause 4.4.2.5)."""


class RegisterMap(Protocol):
    """What a simulated device needs of a register map (`plugins.modbus.map.RegisterMap`)."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def wire(self) -> Kind: ...
    @property
    def units(self) -> tuple[int, ...]: ...
    @property
    def most(self) -> int: ...
    @property
    def serial(self) -> Entry | None: ...
    @property
    def entries(self) -> Sequence[Entry]: ...


class ModbusMeter:
    """One device, at the first unit of its map. ``refusals`` counts what it refused, ``answered`` what it told."""

    def __init__(self, map: RegisterMap, serial: str = "41203377", seed: int = 0, now: datetime = datetime(2024, 4, 3)):
        self.map = map
        self.serial = serial
        self.kind = map.name
        self.unit = map.units[0]
        self.answered = self.refusals = self.sign_offs = 0
        self.acknowledged: set[tuple[str, int]] = set()
        self._seed = f"{map.name}/{serial}/{seed}"
        self._now = now
        self._hour = now
        self._registers = self._made()
        self._only = self.line()

    def line(self) -> ModbusLine:
        """A line to this device: what comes on one line is not joined to what comes on another."""
        return ModbusLine(self, TcpDress() if self.map.wire.value == "tcp" else RtuDress())

    def tick(self, now: datetime) -> None:
        """Time has passed: with every hour there are other values."""
        self._now = max(now, self._now)
        if self._now.replace(minute=0, second=0, microsecond=0) > self._hour:
            self._registers = self._made()

    def received(self, data: bytes) -> list[Reply]:
        """Bytes from the client, where there is only one."""
        return self._only.received(data)

    def hung_up(self) -> None:
        """The only line has ended."""
        self._only.hung_up()
        self._only = self.line()

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        """What the device says to a request; None for nothing."""
        on_tcp = self.map.wire.value == "tcp"
        if unit != self.unit and not (on_tcp and unit in _SELF):
            return self._refused(pdu, NO_ANSWER_THERE) if on_tcp else None
        if pdu[0] in _TABLES:
            return self._read(pdu)
        if pdu[0] == _IDENTIFICATION and len(pdu) == 4 and pdu[1] == _MEI:
            return self._named(pdu)
        return self._refused(pdu, ILLEGAL_FUNCTION)

    def holds(self) -> dict[str, object]:
        """What it holds now, as the map itself reads it; values are texts."""
        values = [(entry, told(entry, self._registers)) for entry in self.map.entries]
        return {
            "profile": self.kind,
            "version": self.map.version,
            "serial": self.serial,
            "clock": self._now.isoformat(" ", "seconds"),
            "unit": self.unit,
            "values": [
                {
                    "quantity": entry.column.quantity,
                    "unit": entry.column.unit,
                    "at": entry.column.source,
                    "value": value if isinstance(value, str) else format(value, "f"),
                }
                for entry, value in values
                if value is not None
            ],
        }

    def _made(self) -> Registers:
        self._hour = self._now.replace(minute=0, second=0, microsecond=0)
        return registers_of(self.map.entries, self.map.serial, self.serial, self._seed, self._hour)

    def _read(self, pdu: bytes) -> bytes:
        function, is_bits = pdu[0], pdu[0] in _BIT_TABLES
        first, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        if len(pdu) != 5 or not 1 <= count <= (MOST_BITS if is_bits else min(self.map.most, MOST_REGISTERS)):
            return self._refused(pdu, ILLEGAL_VALUE)
        data = self._registers.read(function, first, count)
        if data is None:
            return self._refused(pdu, ILLEGAL_ADDRESS)
        if is_bits:
            data = sum(bit << number for number, bit in enumerate(data)).to_bytes((count + 7) // 8, "little")
        self.answered += 1
        return bytes((function, len(data))) + data

    def _named(self, pdu: bytes) -> bytes:
        """Read Device Identification, the three objects that every device has (clause 6.21)."""
        code, wanted = pdu[2], pdu[3]
        texts = ("simulated", self.kind, self.map.version)
        if code not in (1, 2, 3, 4):
            return self._refused(pdu, ILLEGAL_VALUE)
        if code == 4 and wanted >= len(texts):
            return self._refused(pdu, ILLEGAL_ADDRESS)
        chosen = (wanted,) if code == 4 else range(wanted if wanted < len(texts) else 0, len(texts))
        objects = [(number, texts[number].encode("latin-1", "replace")[:60]) for number in chosen]
        told = b"".join(bytes((number, len(text))) + text for number, text in objects)
        self.answered += 1
        return bytes((_IDENTIFICATION, _MEI, code, 0x81, 0, 0, len(objects))) + told

    def _refused(self, pdu: bytes, code: int) -> bytes:
        self.refusals += 1
        return bytes((pdu[0] & 0x7F | 0x80, code))


class ModbusLine:
    """One line to a device."""

    def __init__(self, meter: ModbusMeter, dress: Dress) -> None:
        self._meter = meter
        self._dress = dress
        self._spoke = False

    def tick(self, now: datetime) -> None:
        """Time has passed."""
        self._meter.tick(now)

    def received(self, data: bytes) -> list[Reply]:
        """Bytes from the client, cut anywhere; what the device says to them."""
        replies = [reply for asked in self._dress.cut(data) for reply in self._answers(asked)]
        return [*replies, Reply(0.0, b"", hang_up=True)] if self._dress.is_lost else replies

    def hung_up(self) -> None:
        """The line has ended; a conversation in which something was told counts as one that was had."""
        if self._spoke:
            self._meter.sign_offs += 1

    def _answers(self, asked: Asked) -> list[Reply]:
        pdu = self._meter.answer(asked.unit, asked.pdu) if asked.pdu else None
        if pdu is None:
            return []
        self._spoke = True
        return [Reply(0.0, self._dress.answer(asked, pdu))]
