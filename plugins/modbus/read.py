"""A whole reading: who is there, then the map's registers in as few requests as the device takes."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from gateway_server.codec.dialogue import Dialogue, Drain, Note, Partly, Pause, Progress, Receive, Remember, Send, Wish
from gateway_server.errors import CodecError, MeterRefused, MeterSilent, UnknownMeter
from gateway_server.model import CURRENT, Identify, KnownMeter

from . import frames, pdu
from .interpreter import ModbusInterpreter
from .map import Entry, RegisterMap
from .plan import Block, blocks, without_gaps

Talk = Generator[Wish, Any, Any]

NO_GAPS = "gaps"
FOREIGN_FRAMES = 40
LATER_SECONDS = 1.0


def read(map: RegisterMap, expected: KnownMeter | None) -> Dialogue:
    """What the codec's `read` does."""
    talk = _Conversation(map, expected)
    yield from _find(talk)
    yield from talk.settle()
    meter = talk.meter
    assert meter is not None
    if CURRENT in meter.order.what:
        yield from _registers(talk)
    elif map.entries:
        return Partly(f"{map.name} is a register map: it has live values only, and none were ordered")
    return Partly.of(talk.troubles)


class _Conversation:
    """One session's state: which unit, what it let be known, and what went wrong."""

    def __init__(self, map: RegisterMap, expected: KnownMeter | None) -> None:
        self.map = map
        self.expected = expected
        self.meter: KnownMeter | None = None
        self.listener = ModbusInterpreter(map)
        self.units = map.units
        if expected is not None and expected.address.isdecimal() and int(expected.address) <= 255:
            self.units = (int(expected.address),)
        self.unit = self.units[0]
        self.troubles: list[str] = []
        self.stored = 0
        self.answered: set[pdu.Asked] = set()
        self._transaction = 0
        self._spoken = False

    @property
    def name(self) -> str:
        """The meter in words."""
        return f"meter {self.expected.serial}" if self.expected else f"unit {self.unit}"

    def ask(self, asked: pdu.Asked, *, repeats: int | None = None) -> Talk:
        """One question and its answer, a refusal too; asked again after silence. Raises `MeterSilent`."""
        timing = self.map.timing
        tries = repeats or timing.repeats
        for attempt in range(1, tries + 1):
            try:
                told = yield from self._once(asked)
            except MeterSilent:
                if attempt == tries:
                    raise
                yield Drain(timing.gap, timing.timeout)
                continue
            if isinstance(told, pdu.Refusal) and told.code in pdu.LATER and attempt < tries:
                yield Pause(LATER_SECONDS)
                continue
            return told
        raise MeterSilent(f"{self.name} is not heard")  # a map asks at least once

    def _once(self, asked: pdu.Asked) -> Talk:
        timing = self.map.timing
        if self._spoken and timing.pause:
            yield Pause(timing.pause)
        self._spoken = True
        self._transaction = (self._transaction + 1) & 0xFFFF
        transaction = self._transaction if self.map.wire is frames.Wire.TCP else 0
        data = frames.encode(frames.Message(self.unit, asked, transaction), self.map.wire)
        self.listener.sent(data)
        yield Send(data)
        for _ in range(FOREIGN_FRAMES):
            frame = yield Receive(timing.timeout, timing.gap)
            heard = self.listener.hear(frame)
            for found in heard.found:
                if isinstance(found, Identify):
                    yield from self.identify(found)
                elif isinstance(found, Note):
                    yield found
                else:
                    yield from self.settle()
                    yield found
                    self.stored += 1
            if heard.told is not None:
                if isinstance(heard.told, pdu.Answer):
                    self.answered.add(asked)
                return heard.told
        raise MeterSilent(f"{self.name} does not answer among {FOREIGN_FRAMES} frames of others on its line")

    def identify(self, said: Identify) -> Talk:
        """Somebody is there: with its own number, or as the one that was expected here."""
        if self.meter is not None:
            return
        expected = self.expected
        if expected is not None and said.serial and said.serial.lstrip("0") != expected.serial.lstrip("0"):
            raise UnknownMeter(
                f"meter {expected.serial} was expected, but meter {said.serial} answers at its place: "
                "check the route and the bus address, or register the new meter"
            )
        serial = expected.serial if expected is not None else said.serial or f"{self.map.name}-{self.unit}"
        self.meter = yield Identify(serial, said.manufacturer, said.model, said.software_version)

    def settle(self) -> Talk:
        """Whoever answered is the meter; without a serial number it is known by its place."""
        if self.meter is None:
            if self.map.serial is not None and self.expected is None:
                source = self.map.serial.column.source
                raise CodecError(f"unit {self.unit} answers, but gives no serial number in {source}")
            yield from self.identify(self.listener.identity or Identify(""))

    def blocks(self) -> list[Block]:
        """What to ask for; a device that was found to refuse requests with gaps gets none."""
        known = self.meter or self.expected
        join = 0 if known is not None and known.memory.get(NO_GAPS) == "no" else self.map.join
        return blocks(self.map.entries, self.map.most, join)

    def trouble(self, reason: str) -> Talk:
        """Goes on in spite of something; it will be said at the end."""
        self.troubles.append(reason)
        yield Note(reason)


def _first_questions(talk: _Conversation) -> list[pdu.Asked]:
    """What to begin with: any answer to one of these says that somebody is there."""
    map = talk.map
    asked: list[pdu.Asked] = [pdu.AskName()] if map.names_itself else []
    if map.serial is not None:
        return [*asked, _request(map.serial)]
    return [*asked, *(_request(entry) for entry in map.probe)]


def _find(talk: _Conversation) -> Talk:
    """The first unit that answers anything at all; with one unit and nothing to ask first, the registers will tell."""
    questions = _first_questions(talk)
    if not questions:
        questions = [talk.blocks()[0].request]
    silence: MeterSilent | None = None
    for number, unit in enumerate(talk.units):
        talk.unit = unit
        if len(talk.units) > 1:
            yield Progress(f"looking for unit {unit}", number, len(talk.units))
        answered = False
        for asked in questions:
            try:
                told = yield from talk.ask(asked, repeats=1 if len(talk.units) > 1 or answered else None)
            except MeterSilent as error:
                silence = error
                if isinstance(asked, pdu.AskName):
                    continue  # many devices keep silent to a function that they do not know
                break
            answered = True
            if isinstance(told, pdu.Refusal):
                yield Note(f"unit {unit} refused function {told.function}: {told.code}, {told.meaning}")
        if answered:
            return
    assert silence is not None
    raise silence


def _registers(talk: _Conversation) -> Talk:
    waiting = [block for block in talk.blocks() if block.request not in talk.answered]
    total, done = len(waiting), 0
    refusals: list[MeterRefused] = []
    while waiting:
        block = waiting.pop(0)
        yield Progress("registers", done, total)
        done += 1
        try:
            told = yield from talk.ask(block.request)
        except MeterSilent as error:
            if not talk.stored:
                raise
            # What was stored stays; a device that has gone silent is not asked on.
            yield from talk.trouble(f"{_words(block)}: {error}")
            return
        if not isinstance(told, pdu.Refusal):
            continue
        if told.code in pdu.ABSENT and block.has_gaps:
            yield Remember(NO_GAPS, "no")
            yield Note(f"{_words(block)} is refused as a whole; its registers are read without the gaps between them")
            parts = without_gaps(block, talk.map.most)
            waiting = parts + waiting
            total += len(parts)
            continue
        refused = MeterRefused(
            f"{talk.name} refuses {_words(block)}: exception {told.code}, {told.meaning}",
            code=str(told.code),
            meaning=told.meaning,
        )
        refusals.append(refused)
        yield from talk.trouble(str(refused))
    if refusals and not talk.stored:
        raise refusals[0]


def _request(entry: Entry) -> pdu.Request:
    return pdu.Request(entry.table, entry.first, entry.count)


def _words(block: Block) -> str:
    request = block.request
    return f"{request.count} of {request.table.name.lower()} from {block.entries[0].column.source.split()[-1]} on"
