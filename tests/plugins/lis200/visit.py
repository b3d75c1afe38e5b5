"""A session with a simulated meter in its own time: the dialogue's waits cost nothing, what was said is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from gateway_server.codec.codec import NOISE, Frame
from gateway_server.codec.dialogue import (
    ChangeLine,
    Drain,
    Findings,
    Note,
    Partly,
    Pause,
    Receive,
    Remember,
    Send,
)
from gateway_server.errors import GatewayError, LineLost, MeterSilent
from gateway_server.model import Direction, Event, Identify, KnownMeter, LastRow, Row, Saved
from gateway_server.testing.lis200.delivery import Reply
from plugins.lis200 import codec
from plugins.lis200.messages import Message, Wire, decode, encode

MOST_WISHES = 200_000


class Meter(Protocol):
    """What answers: a simulated meter, or one scripted for a test."""

    def tick(self, now: datetime) -> None:
        """Time has passed."""

    def received(self, data: bytes) -> list[Reply]:
        """What it answers to these octets."""


class ScriptedMeter:
    """Answers what a test says it answers: ``replies`` holds, for what was asked, the answers in turn, the last
    one for ever. What is in none of them it does not hear. ``heard`` is what it was told."""

    def __init__(self, replies: dict[Message, list[Message | bytes]]) -> None:
        self.replies = replies
        self.heard: list[Message] = []

    def tick(self, now: datetime) -> None:
        """It has no clock."""

    def received(self, data: bytes) -> list[Reply]:
        """The next answer to this telegram."""
        if not data.strip(b"\0"):
            return []
        wire: Wire = decode(data)
        self.heard.append(wire.message)
        answers = self.replies.get(wire.message, [])
        if not answers:
            return []
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        octets = answer if isinstance(answer, bytes) else encode(answer)
        return [Reply(0.0, octets)] if octets else []


@dataclass
class Visit:
    """What one session did. ``log`` is what the wire said, in order, as the session's log would show it."""

    meter: Meter
    expected: KnownMeter | None = None
    known: KnownMeter | None = None
    rows: list[Row] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    memory: dict[str, str] = field(default_factory=dict)
    identity: Identify | None = None
    outcome: Partly | GatewayError | None = None
    log: list[tuple[Direction, bytes]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    seconds: float = 0.0

    def archive(self, name: str) -> list[Row]:
        """The rows of one archive, in the order they came."""
        return [row for row in self.rows if row.archive == name]

    def last(self) -> dict[str, LastRow]:
        """What a store would know of the archives' newest rows."""
        newest: dict[str, LastRow] = {}
        for row in self.rows:
            before = newest.get(row.archive)
            if before is not None and (before.order_number or 0) > (row.order_number or 0):
                continue  # it was fetched behind newer ones
            if row.measured_at is not None:
                newest[row.archive] = LastRow(row.order_number, row.measured_at)
        for event in self.events:
            newest["events"] = LastRow(event.order_number, event.measured_at)
        return newest


def listen(told: Visit) -> tuple[list[Row], list[Event]]:
    """What the session's log tells when it is read again without its dialogue."""
    interpreter = codec.interpreter()
    framer = codec.framer()
    rows: list[Row] = []
    events: list[Event] = []

    def hear(frame: Frame) -> None:
        if frame.kind == NOISE:
            return
        for found in interpreter.received(frame):
            if isinstance(found, Identify):
                interpreter.recall(told.known or told.expected or KnownMeter(found.serial))
            elif isinstance(found, Findings):
                rows.extend(found.rows)
                events.extend(found.events)

    for direction, data in told.log:
        if direction is Direction.TO_METER:
            interpreter.sent(data)
            continue
        framer.feed(data)
        while frame := framer.next_frame():
            hear(frame)
    while frame := framer.flush():
        hear(frame)
    return rows, events


class _Line:
    """What is on its way from the meter, and the framer it falls into."""

    def __init__(self, visit: Visit, start: datetime) -> None:
        self.visit = visit
        self.framer = codec.framer()
        self.coming: list[tuple[float, Reply]] = []
        self.now = 0.0
        self.start = start
        self.lost = False
        self.fed = 0
        self.cut = 0

    def send(self, data: bytes) -> None:
        meter = self.visit.meter
        meter.tick(self.start + timedelta(seconds=self.now))
        self.coming = [(at, reply) for at, reply in self.coming if not reply.until_asked]
        at = max([self.now, *(at for at, _ in self.coming)])
        for reply in meter.received(data):
            at += reply.delay_s
            self.coming.append((at, reply))

    def frame(self, wish: Receive) -> Frame | None:
        while frame := self.framer.next_frame():
            self.cut = frame.end
            if self._wanted(frame, wish):
                return frame
        return None

    def left(self, wish: Receive) -> Frame | None:
        while frame := self.framer.flush():
            self.cut = frame.end
            if self._wanted(frame, wish):
                return frame
        self.cut = self.fed
        return None

    @staticmethod
    def _wanted(frame: Frame, wish: Receive) -> bool:
        return (frame.kind != NOISE or wish.noise) and (wish.kinds is None or frame.kind in wish.kinds)

    def next_piece(self, deadline: float) -> bool:
        """Lets the next bytes arrive, if they come by then."""
        if not self.coming or self.coming[0][0] > deadline:
            return False
        at, reply = self.coming.pop(0)
        data, hang_up = reply.data, reply.hang_up
        self.now = max(self.now, at)
        if data:
            self.visit.log.append((Direction.FROM_METER, data))
            self.framer.feed(data)
            self.fed += len(data)
        self.lost = self.lost or hang_up
        return True

    def receive(self, wish: Receive) -> Frame:
        first = self.now + wish.timeout
        before = self.fed
        while True:
            if frame := self.frame(wish):
                return frame
            if wish.most is not None and self.fed - before > wish.most:
                if frame := self.left(wish):
                    return frame
                raise MeterSilent("no answer among so many bytes")
            if self.lost:
                if frame := self.left(wish):
                    return frame
                raise LineLost("the line was lost")
            deadline = first if self.fed == self.cut or wish.gap is None else self.now + wish.gap
            if wish.most is not None:
                deadline = min(deadline, first + wish.most / wish.rate)
            if self.next_piece(deadline):
                continue
            self.now = deadline
            if frame := self.left(wish):
                return frame
            if self.now >= first:
                raise MeterSilent(f"nothing came within {wish.timeout:g} s")

    def drain(self, quiet: float) -> None:
        while self.next_piece(self.now + quiet):
            pass
        self.now += quiet
        while self.framer.next_frame() or self.framer.flush():
            pass
        self.cut = self.fed


def visit(
    meter: Meter,
    expected: KnownMeter | None = None,
    *,
    known: KnownMeter | None = None,
    start: datetime = datetime(2024, 4, 3, 12, 5),
) -> Visit:
    """Reads the meter. ``known`` is what the register answers to its identity."""
    told = Visit(meter, expected, known)
    line = _Line(told, start)
    dialogue = codec.read(expected)
    answer: Any = None
    error: GatewayError | None = None
    try:
        for _ in range(MOST_WISHES):
            wish = dialogue.throw(error) if error else dialogue.send(answer)
            answer, error = None, None
            match wish:
                case Send(data, shown):
                    if line.lost:
                        error = LineLost("the line was lost")
                        continue
                    told.sent.append(data)
                    told.log.append((Direction.TO_METER, shown or data))
                    line.send(data)
                case Receive():
                    try:
                        answer = line.receive(wish)
                    except GatewayError as raised:
                        error = raised
                case Pause(seconds):
                    line.now += seconds
                case Drain(quiet):
                    line.drain(quiet)
                case Identify(serial):
                    told.identity = wish
                    answer = known or expected or KnownMeter(serial)
                case Findings(rows, events):
                    told.rows += rows
                    told.events += events
                    answer = Saved(len(rows) + len(events))
                case Note(text):
                    told.notes.append(text)
                case Remember(name, value):
                    told.memory[name] = value
                case ChangeLine():
                    told.notes.append(f"line: {wish.baud} from {wish.only_from}")
        raise AssertionError("the dialogue does not end")
    except StopIteration as end:
        told.outcome = end.value
    except GatewayError as raised:
        told.outcome = raised
    told.seconds = line.now
    return told
