"""Does a meter profile say what captures hold? Its sources, then every frame of every capture against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway_server.codec.codec import NOISE, Field, Frame
from gateway_server.codec.dialogue import Findings
from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.meter_profile.evaluation import compiled
from gateway_server.codec.meter_profile.form import Listen, Loop, Origin, Reply, Side, Step
from gateway_server.codec.meter_profile.framing import ProfileFramer
from gateway_server.codec.meter_profile.messages import Said
from gateway_server.codec.meter_profile.noise import why_noise
from gateway_server.codec.meter_profile.reading import Values
from gateway_server.codec.meter_profile.sources import sources
from gateway_server.errors import CodecError
from gateway_server.model import Direction, KnownMeter, Span
from gateway_server.session.edge import to_save
from gateway_server.workbench.capture import Capture
from gateway_server.workbench.readings import Told
from gateway_server.workbench.tally import MOST_TOLD, Tally
from gateway_server.workbench.verify import Check
from gateway_server.workbench.verify_dialogue import check_dialogue
from gateway_server.workbench.verify_readings import check_readings, what_was_read

_UNKNOWN = frozenset({"unknown", "noise"})


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of one capture: the checks, and everything that was read."""

    checks: tuple[Check, ...]
    readings: tuple[Told, ...]


def check_sources(codec: ProfileCodec) -> Iterator[Check]:
    """Whether the profile says where it comes from. A guess, or to say nothing, is no fault, but it is told."""
    by_origin: dict[Origin, list[str]] = {}
    for one in sources(codec.profile):
        by_origin.setdefault(one.source.origin, []).append(one.what)
    unstated = by_origin.pop(Origin.UNSTATED, [])
    counts = ", ".join(f"{len(parts)} by {origin.value}" for origin, parts in by_origin.items())
    yield Check("sources", True, counts or "none")
    if unstated:
        told = f"{len(unstated)} parts do not say where they come from: {_some(unstated)}"
        yield Check("no source", True, told, remark=True)
    if guesses := by_origin.get(Origin.GUESS):
        yield Check("guesses", True, f"{len(guesses)} parts are guesses: {_some(guesses)}", remark=True)


def verify_capture(codec: ProfileCodec, capture: Capture, expected: list[Told] | None = None) -> Verified:
    """One capture against the profile; ``expected`` is what it is known to say."""
    going_through = _GoingThrough(codec, capture)
    checks: list[Check] = []
    going_through.run()
    for side, tally in going_through.tallies.items():
        checks += tally.checks(side)
    header = capture.header
    read = what_was_read(codec, capture)
    if going_through.begins_with_meter and codec.profile.answer is not None:
        meter = KnownMeter(header.meter) if header.meter else None
        if going_through.tallies[Side.METER].masked:
            told = "nothing to check: what the meter said is masked here"
            checks.append(Check("replies", True, told, remark=True))
        else:
            checks += check_dialogue(codec, going_through.heard, going_through.said, meter)
    checks += check_readings(read, expected)
    return Verified(tuple(checks), tuple(read.readings))


class _GoingThrough:
    """Every frame of a capture, of both sides, looked at by a profile."""

    def __init__(self, codec: ProfileCodec, capture: Capture) -> None:
        self._codec = codec
        self._machine = codec.machine
        self._capture = capture
        self._zone = ZoneInfo(capture.header.zone or "UTC")
        self._awaited: frozenset[str] | None = None
        self._at_ms = 0
        self.tallies = {side: Tally() for side in (Side.METER, Side.GATEWAY)}
        self.heard: list[Frame] = []
        self.said: list[Frame] = []
        self.begins_with_meter = False

    def run(self) -> None:
        """Goes through it once."""
        compiled = self._machine.compiled
        framers = {side: compiled.framer(side) for side in self.tallies if compiled.cutters(side)}
        sides = {Direction.FROM_METER: Side.METER, Direction.TO_METER: Side.GATEWAY}
        last: Side | None = None
        for entry in self._capture.entries:
            side = sides.get(entry.direction)
            if side is None or side not in framers:
                continue
            if last is None:
                self.begins_with_meter = side is Side.METER
            elif last is not side:
                # The other side speaks: what this one had not finished, it will not.
                self._rest(framers[last], last)
            last = side
            self._at_ms = entry.at_ms
            framers[side].feed(entry.data)
            while (frame := framers[side].next_frame()) is not None:
                self._look_at(frame, side)
        for side, framer in framers.items():
            self._rest(framer, side)

    def _rest(self, framer: ProfileFramer, side: Side) -> None:
        while (frame := framer.flush()) is not None:
            self._look_at(frame, side)

    def _look_at(self, frame: Frame, side: Side) -> None:
        tally, machine = self.tallies[side], self._machine
        (self.heard if side is Side.METER else self.said).append(frame)
        tally.size += len(frame.data)
        if frame.kind == NOISE:
            tally.noise += len(frame.data)
            layouts = [cutter.layout for cutter in machine.compiled.cutters(side)]
            tally.why_noise = tally.why_noise or why_noise(layouts, frame.data)
            return
        tally.frames += 1
        among = self._awaited if side is Side.METER else None
        try:
            said = machine.compiled.read(frame, side, among)
        except CodecError as error:
            self._cannot_read(frame, side, frame.fault or str(error))
            return
        tally.messages[said.name] += 1
        tally.explained += sum(_explained(one) for one in self._codec.dissect_as(frame, side))
        if side is Side.METER:
            self._keep(said, frame)
            self._answer(said, frame)
        else:
            self._awaited = machine.answers_to(said.name)
        try:
            machine.compiled.decode(frame, side, among)
        except CodecError as error:
            tally.unlike += 1
            tally.tell("unlike", str(error))

    def _cannot_read(self, frame: Frame, side: Side, why: str) -> None:
        tally = self.tallies[side]
        name = self._machine.masked(frame, side)
        if side is Side.GATEWAY:
            self._awaited = self._machine.answers_to(name) if name else None
        if name:
            tally.masked += 1
            tally.explained += sum(_explained(one) for one in self._codec.dissect_as(frame, side))
        else:
            tally.unread += 1
            tally.tell("unread", why)

    def _keep(self, said: Said, frame: Frame) -> None:
        """Whether what a message tells can be made into rows, events and an identity."""
        meaning = self._machine.meanings[said.name]
        try:
            if meaning.refusal(said.values) is None:
                for found in meaning.found(said.values, Span(frame.start, frame.end)):
                    if isinstance(found, Findings):
                        to_save(found, self._zone, self._at_ms)
        except CodecError as error:
            tally = self.tallies[Side.METER]
            tally.unkept += 1
            tally.tell("unkept", f"{said.name}: {error}")

    def _answer(self, said: Said, frame: Frame) -> None:
        """Whether what the profile would reply can be put together: a number may be too large for its field."""
        tally, machine, profile = self.tallies[Side.METER], self._machine, self._codec.profile
        values: Values = {one.name: one.start for one in profile.variables} | dict(machine.told_by(said))
        machine.echo.add(values, frame)
        for reply in _replies(profile.answer or (), said.name):
            try:
                given = {name: compiled(expression)(values) for name, expression in reply.fields}
                machine.compiled.encode(reply.message, given, known=values)
            except CodecError as error:
                tally.unanswered += 1
                tally.tell("unanswered", f"{reply.message} cannot be sent to {said.name}: {error}")


def _replies(steps: Iterable[Step], name: str) -> Iterator[Reply]:
    for step in steps:
        match step:
            case Listen():
                yield from (one.reply for one in step.cases if name in one.messages and one.reply is not None)
            case Loop():
                yield from _replies(step.steps, name)
            case _:
                pass


def _explained(field: Field) -> int:
    return 0 if field.name in _UNKNOWN else field.end - field.start


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - MOST_TOLD} more" if len(texts) > MOST_TOLD else ""
    return ", ".join(texts[:MOST_TOLD]) + more
