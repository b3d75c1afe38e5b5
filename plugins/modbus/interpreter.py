"""Understands a Modbus conversation from both directions: an answer says what stands there, only the request where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway_server.codec.codec import NOISE, Frame
from gateway_server.codec.dialogue import Findings, Found, Note
from gateway_server.errors import CodecError
from gateway_server.model import Column, Identify, Row, Span, Value

from . import frames, pdu
from .map import Entry, RegisterMap


@dataclass(frozen=True, slots=True)
class Heard:
    """What a frame was: the answer to the last request, or nothing for us (None), and what it tells."""

    told: pdu.Told | None = None
    found: tuple[Found, ...] = ()


class ModbusInterpreter:
    """A listener for one session. Only the answer to the last request counts: on a bus others talk too."""

    def __init__(self, map: RegisterMap) -> None:
        self._map = map
        self._asked: frames.Message | None = None
        self.identity: Identify | None = None

    def sent(self, data: bytes) -> None:
        """A request that left."""
        try:
            self._asked = frames.decode(data, self._map.wire, sent=True)
        except CodecError:
            self._asked = None

    def received(self, frame: Frame) -> Sequence[Found]:
        """What this frame tells."""
        return self.hear(frame).found

    def hear(self, frame: Frame) -> Heard:
        """The same, and what the frame was."""
        if frame.kind == NOISE or frame.fault:
            return Heard()
        if frame.kind == frames.REQUEST:
            # Another client's, or the echo of our own: either way it is the question that the next answer answers.
            self.sent(frame.data)
            return Heard()
        try:
            message = frames.decode(frame.data, self._map.wire, sent=False)
        except CodecError:
            return Heard()
        asked, told = self._asked, message.pdu
        if (
            asked is None
            or isinstance(told, pdu.Asked)
            or (message.unit, message.transaction) != (asked.unit, asked.transaction)
        ):
            return Heard()
        if not _answers(asked.pdu, told):
            return Heard()
        self._asked = None
        return Heard(told, tuple(self._found(asked.pdu, told, frame)))

    def _found(self, asked: pdu.Pdu, told: pdu.Told, frame: Frame) -> Iterator[Found]:
        if isinstance(told, pdu.Named):
            self.identity = Identify("", told.text(0), told.text(1), told.text(2))
            said = ", ".join(text for _, text in told.objects if text)
            yield Note(f"it names itself: {said}" if said else "it names itself, but says nothing")
        elif isinstance(told, pdu.Answer) and isinstance(asked, pdu.Request):
            yield from self._registers(asked, told, frame)

    def _registers(self, asked: pdu.Request, told: pdu.Answer, frame: Frame) -> Iterator[Found]:
        serial = self._map.serial
        if serial is not None and _holds(asked, serial):
            text = _text(value_of(serial, asked, told.data))
            if text:
                known = self.identity or Identify("")
                yield Identify(text, known.manufacturer, known.model, known.software_version)
        columns: list[Column] = []
        values: list[Value] = []
        status: list[tuple[Column, Value]] = []
        for entry in self._map.entries:
            if not _holds(asked, entry):
                continue
            try:
                value = value_of(entry, asked, told.data)
            except CodecError as error:
                yield Note(f"{entry.column.source}: {error}")
                continue
            if value is None:
                continue
            if not entry.is_status:
                columns.append(entry.column)
                values.append(value)
            elif value not in ("", 0):
                status.append((entry.column, value))
        span = Span(frame.start, frame.end)
        if columns:
            told_status = " ".join(f"{column.name}={_text(value).replace(' ', '_')}" for column, value in status)
            yield Findings((Row(tuple(columns), tuple(values), status=told_status, span=span),))
        elif status:  # nothing came with it whose status it could be: it is a value of its own
            alone = tuple(column for column, _ in status), tuple(value for _, value in status)
            yield Findings((Row(*alone, span=span),))


def value_of(entry: Entry, asked: pdu.Request, data: bytes) -> Value | None:
    """What stands in an entry's registers, out of the answer to a request that holds them. Raises `CodecError`."""
    at = entry.first - asked.first
    if entry.table.is_bits:
        return entry.form.value(bytes((data[at >> 3] >> (at & 7) & 1,)))
    return entry.form.value(data[2 * at : 2 * (at + entry.count)])


def _holds(asked: pdu.Request, entry: Entry) -> bool:
    return (
        asked.table is entry.table
        and asked.first <= entry.first
        and entry.first + entry.count <= asked.first + asked.count
    )


def _answers(asked: pdu.Pdu, told: pdu.Told) -> bool:
    if isinstance(told, pdu.Refusal):
        function = asked.table.value if isinstance(asked, pdu.Request) else pdu.IDENTIFICATION
        return told.function == function
    if isinstance(asked, pdu.Request):
        size = (asked.count + 7) // 8 if asked.table.is_bits else 2 * asked.count
        return isinstance(told, pdu.Answer) and told.table is asked.table and len(told.data) == size
    return isinstance(told, pdu.Named)


def _text(value: Value | None) -> str:
    return "" if value is None else value if isinstance(value, str) else format(value, "f")
