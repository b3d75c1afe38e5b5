"""Understands a LIS-200 conversation from the frames of both directions: the one place where frames become findings.

The live dialogue, a stored session read again and a capture of somebody else's session all come through here. A frame
counts only as the answer to what was asked: other masters' telegrams, which share some lines, are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from gateway_server.codec.codec import NOISE, Frame
from gateway_server.codec.dialogue import Findings, Found, Note, Remember
from gateway_server.errors import CodecError
from gateway_server.model import CURRENT, Column, Identify, KnownMeter, Row, Span

from . import addresses, described, errors, frames, layouts, messages, models, objects, values
from .rows import RowReader

SERIAL, TYPE, SOFTWARE, PERIOD = "1:180", "1:181", "2:190", "4:150"
MANUFACTURERS = {"ELS": "Elster"}
PARITY = "parity"
DEVICE = "device"
"""What is remembered of type and software, for a session that does not ask for them: air time is paid for."""
DEVICE_GAP = "|"


@dataclass(frozen=True, slots=True)
class Signed:
    """The device identified itself."""

    identification: messages.Identification
    even: bool


@dataclass(frozen=True, slots=True)
class Challenge:
    """P0: programming mode is entered; LIS-200 wants no answer to it."""


@dataclass(frozen=True, slots=True)
class Told:
    """One value: what was asked, and the device's text for it, without the unit."""

    address: str
    text: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Cells:
    """What the device says of an archive: names, units, sources of its columns, or the number of rows."""

    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows; ``last`` unless more blocks follow."""

    last: bool
    rows: int
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """The device said no."""

    error: errors.Lis200Refused


@dataclass(frozen=True, slots=True)
class Accepted:
    """ACK."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """NAK: our telegram arrived damaged."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A telegram arrived damaged or cut off, of so many octets."""

    fault: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class HungUp:
    """The modem says that the far end is gone."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A block has begun, and its end is not there yet."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """Not for us, or no answer to what was asked."""


Answer = Signed | Challenge | Told | Cells | Block | Begun | Refused | Accepted | Rejected | Damaged | HungUp | Foreign

_VALUE = re.compile(r"([^()]*)\(([^()]*)\)")
_READ = re.compile(r"([^()]+)\(([^()]*)\)")
_FOREIGN = Foreign()


@lru_cache(maxsize=1024)
def live_columns(address: str, unit: str) -> tuple[Column, ...]:
    """The column of one live value; the same object every time, as the columns of an archive are."""
    known = objects.BY_ADDRESS[address]
    quantity = known.quantity
    assert quantity is not None
    return (Column(quantity.name, unit, quantity.obis, known.name, address, cumulative=quantity.cumulative),)


class Lis200Interpreter:
    """Listens to one session."""

    def __init__(self) -> None:
        self.profile = models.UNKNOWN
        self.even: bool | None = None
        self.serial = ""
        self.software = ""
        self.known: KnownMeter | None = None
        self._ident = ""
        self._type = ""
        self._manufacturer = ""
        self._asked: tuple[str, str] | None = None  # command and address or archive address we wait an answer for
        self._asked_anything = False
        self._last_sent: messages.Command | None = None
        self._others: str | None = None  # what another master has just asked
        self._told_identity: Identify | None = None
        self._assumed = ""
        self._parts: dict[int, dict[str, tuple[str, ...]]] = {}
        self._layouts: dict[int, layouts.Layout | None] = {}
        self._sources: dict[int, described.Sources | None] = {}
        self._readers: dict[int, RowReader] = {}

    # what we say

    def sent(self, data: bytes) -> None:
        """What was sent; an access code in it may be masked."""
        text = messages.characters(data)
        self._asked_anything = True
        if text[:1] != "\x01":
            return
        found = messages.command(text)
        self._last_sent = found
        self._others = None
        self._asked = None
        if found is not None:
            if found.name in ("R1", "R3") and found.data and (read := _READ.fullmatch(found.data)):
                self._asked = (found.name, read[1])
            else:
                self._asked = (found.name, "")

    def recall(self, meter: KnownMeter) -> None:
        """What the register knows of the meter that has identified itself: layouts learnt in earlier sessions."""
        self.known = meter
        self._layouts.clear()
        self._sources.clear()
        self._assumed = (self._type == "" and meter.memory.get(DEVICE, "")) or ""
        if self._assumed:
            self.profile = models.profile_of(self._ident, self._assumed.partition(DEVICE_GAP)[0])

    @property
    def device(self) -> str:
        """Type and software, as they are remembered."""
        return f"{self._type}{DEVICE_GAP}{self.software}"

    @property
    def trusted(self) -> bool:
        """Whether type and software are taken from an earlier session."""
        return bool(self._assumed) and self._told_identity is None

    # what the device says

    def received(self, frame: Frame) -> Sequence[Found]:
        """What this frame tells."""
        return self.hear(frame)[0]

    def hear(self, frame: Frame) -> tuple[list[Found], Answer]:
        """What this frame tells, and which answer to our question it is."""
        kind = frame.kind
        if kind == NOISE:
            return [], _FOREIGN
        if kind == frames.HANGUP:
            return [], HungUp()
        if kind == frames.REQUEST:
            return [], _FOREIGN
        if frame.fault:
            return [], Damaged(frame.fault, len(frame.data))
        if kind in (frames.BLOCK, frames.PARTIAL):
            return self._block(frame, messages.characters(frame.data))
        if kind == frames.ACKNOWLEDGE:
            return [], _FOREIGN if self._others else Accepted()
        if kind == frames.REPEAT:
            return [], _FOREIGN if self._others else Rejected()
        text = messages.characters(frame.data)
        if kind == frames.ERROR:
            return self._refused(text[3 : text.find(")")])
        if kind == frames.IDENTIFICATION:
            return self._signed(frame)
        return [], self._command(text)

    def _command(self, text: str) -> Answer:
        found = messages.command(text)
        if found is None or found == self._last_sent:
            return _FOREIGN  # our own echo, on a line of two wires
        if found.name == "P0":
            return Challenge()
        read = _READ.fullmatch(found.data or "")
        self._others = read[1] if read else found.name
        return _FOREIGN

    def _signed(self, frame: Frame) -> tuple[list[Found], Answer]:
        wire = messages.decode(frame.data)
        said = wire.message
        if not isinstance(said, messages.Identification):
            raise CodecError(f"no identification: {frame.text}")
        self.even = wire.even
        self._ident = said.ident
        self._manufacturer = MANUFACTURERS.get(said.manufacturer.upper(), said.manufacturer)
        self.profile = models.profile_of(self._ident, self._type or self._assumed.partition(DEVICE_GAP)[0])
        return [], Signed(said, wire.even)

    def _refused(self, code: str) -> tuple[list[Found], Answer]:
        if self._others is not None:
            self._others = None
            return [], _FOREIGN
        asked, self._asked = self._asked, None
        error = errors.refusal(code, asked=asked[1] or asked[0] if asked else "", meter=self.serial)
        found: list[Found] = []
        if asked is not None and (archive := addresses.archive(asked[1])) and isinstance(error, errors.Absent):
            number, attribute = archive
            if attribute in ("2", "3", "4"):
                found = self._learn(number, attribute, ())
        return found, Refused(error)

    def _block(self, frame: Frame, text: str) -> tuple[list[Found], Answer]:
        body = text[1:-2]
        asked = self._asked
        if asked is None:
            if self._asked_anything:
                return [], _FOREIGN
            return self._overheard(frame, body)
        archive = addresses.archive(asked[1])
        value = _VALUE.fullmatch(body.strip("\r\n"))
        echoed = value[1].strip() if value else ""
        if self._others is not None:
            others, self._others = self._others, None
            if echoed and addresses.same(others, echoed) and not addresses.same(asked[1], echoed):
                return [], _FOREIGN
            if (not echoed or addresses.same(others, asked[1])) and addresses.archive(others):
                return [], _FOREIGN
        if archive is None:
            if value is None or not addresses.same(asked[1], echoed):
                return [], _FOREIGN
            self._asked = None
            return self._value(frame, addresses.core(echoed), value[2])
        number, attribute = archive
        if value is not None and ":" in echoed and addresses.archive(echoed) is None:
            return [], _FOREIGN  # a value although rows were asked: somebody else's
        if attribute != "0":
            self._asked = None
            cells = tuple(values.plain(cell) for cell in _cells(body))
            return (self._learn(number, attribute, cells) if attribute in "234" else []), Cells(cells)
        last = frame.kind == frames.BLOCK
        if last:
            self._asked = None
        return self._rows(frame, number, body, last=last)

    def _overheard(self, frame: Frame, body: str) -> tuple[list[Found], Answer]:
        """A session of which only the device's side was recorded: values carry their address, rows do not."""
        value = _VALUE.fullmatch(body.strip("\r\n"))
        if value is not None and ":" in value[1]:
            return self._value(frame, addresses.core(value[1].strip()), value[2])
        return [], _FOREIGN

    # values

    def _value(self, frame: Frame, address: str, content: str) -> tuple[list[Found], Answer]:
        text, unit = values.split_unit(content)
        told = Told(address, values.plain(text.strip()), values.unit(unit))
        if address in (SERIAL, TYPE, SOFTWARE, PERIOD):
            return self._about(told), told
        known = objects.BY_ADDRESS.get(address)
        if known is None or known.quantity is None:
            return [], told
        span = Span(frame.start, frame.end)
        row = Row(live_columns(address, told.unit), (values.value(text.strip()),), CURRENT, span=span)
        return [Findings(rows=(row,))], told

    def _about(self, told: Told) -> list[Found]:
        """What the device says of itself: once the serial number is known, who it is."""
        if told.address == TYPE:
            self._type = told.text
        elif told.address == SOFTWARE:
            self.software = told.text
        elif told.address == SERIAL:
            self.serial = told.text.strip()
        self.profile = models.profile_of(self._ident, self._type) if told.address == TYPE else self.profile
        if told.address == PERIOD and self.profile.model == "TC215" and told.unit.upper() == "D":
            self.profile = models.daily_only(self.profile)
        if not self.serial or told.address == PERIOD:
            return []
        model = self.profile.model or self._type or self._ident.lstrip("\\0123456789")
        identity = Identify(self.serial, self._manufacturer, model, self.software)
        if identity == self._told_identity:
            return []
        first = self._told_identity is None
        self._told_identity = identity
        parity = [Remember(PARITY, "even" if self.even else "none")] if first and self.even is not None else []
        return [identity, *parity]

    # archives

    def layout_key(self, number: int) -> str:
        """Under which name the layout of an archive is remembered: it may change with the software version."""
        return f"layout:{self.running_software}:{number}"

    @property
    def running_software(self) -> str:
        """The software version, as told now or taken from an earlier session."""
        return self._assumed.partition(DEVICE_GAP)[2] if self.trusted else self.software

    def layout(self, number: int) -> layouts.Layout | None:
        """What this device said of an archive's columns, now or in an earlier session."""
        if number not in self._layouts:
            name = self.profile.archive_of(number)
            parts = self._parts.get(number)
            if parts:
                self._layouts[number] = layouts.learnt(name, parts.get("2", ()), parts.get("3", ()), parts.get("4", ()))
            else:
                text = self.known.memory.get(self.layout_key(number), "") if self.known else ""
                self._layouts[number] = layouts.from_text(name, text) if text else None
        return self._layouts[number]

    def reader(self, number: int) -> RowReader:
        """Who reads this archive's rows."""
        name = self.profile.archive_of(number)
        layout = self.layout(number)
        reader = self._readers.get(number)
        if reader is None or reader.archive != name:
            reader = self._readers[number] = RowReader(name, layout, self.profile.model)
        reader.layout = layout
        reader.describe(None if layout else self._described(number))
        return reader

    def _described(self, number: int) -> described.Sources | None:
        """What this device said of the columns of an archive whose names it does not tell."""
        if number not in self._sources:
            parts = self._parts.get(number)
            text = self.known.memory.get(self.layout_key(number), "") if self.known and not parts else ""
            if parts:
                text = layouts.to_text(parts.get("2", ()), parts.get("3", ()), parts.get("4", ()))
            self._sources[number] = described.sources_from_text(text)
        return self._sources[number]

    def _learn(self, number: int, attribute: str, cells: tuple[str, ...]) -> list[Found]:
        """With the sources, or without if they are refused, the layout is worth remembering; units may come later."""
        parts = self._parts.setdefault(number, {})
        parts[attribute] = cells
        self._layouts.pop(number, None)
        self._sources.pop(number, None)
        if attribute != "4" and "4" not in parts:
            return []
        if self.layout(number) is None and self._described(number) is None:
            return [Remember(self.layout_key(number), "")]
        text = layouts.to_text(parts.get("2", ()), parts.get("3", ()), parts.get("4", ()))
        return [Remember(self.layout_key(number), text)]

    def _rows(self, frame: Frame, number: int, body: str, *, last: bool) -> tuple[list[Found], Answer]:
        found = self.reader(number).read(body, frame.start + 1)
        told: list[Found] = []
        if found.rows or found.events:
            told.append(Findings(tuple(found.rows), tuple(found.events)))
        told.extend(map(Note, found.notes))
        return told, Block(last, len(found.rows) + len(found.events) + found.repeated, found.unread)


def _cells(body: str) -> list[str]:
    text = body.strip("\r\n")
    return text[text.find("(") + 1 : -1].split(")(") if "(" in text else []
