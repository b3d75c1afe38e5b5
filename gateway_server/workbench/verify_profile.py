"""Does a meter profile say what captures hold? Its sources, then every frame of every capture against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from gateway_server.codec.codec import NOISE, Field, Frame
from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.meter_profile.evaluation import compiled
from gateway_server.codec.meter_profile.form import Listen, Loop, Origin, Reply, Side, Step
from gateway_server.codec.meter_profile.framing import ProfileFramer
from gateway_server.codec.meter_profile.messages import Said
from gateway_server.codec.meter_profile.noise import why_noise
from gateway_server.codec.meter_profile.reading import Values
from gateway_server.codec.meter_profile.sources import sources
from gateway_server.errors import CodecError
from gateway_server.model import Direction, KnownMeter
from gateway_server.workbench.capture import Capture
from gateway_server.workbench.readings import Told, compare_readings, told
from gateway_server.workbench.replay import replay
from gateway_server.workbench.verify import Check

MOST_TOLD = 5
NO_SOURCE, GUESSES, NOTES = "no source", "guesses", "notes"
REMARKS = frozenset({NO_SOURCE, GUESSES, NOTES})
"""Names of checks that cannot fail and yet are no praise."""
_UNKNOWN = frozenset({"unknown", "noise"})


@dataclass(slots=True)
class Tally:
    """What one direction of a capture came to."""

    frames: int = 0
    noise: int = 0
    why_noise: str = ""
    faulty: int = 0
    unread: int = 0
    unlike: int = 0
    unanswered: int = 0
    explained: int = 0
    size: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    why: list[str] = field(default_factory=list)

    def tell(self, what: str) -> None:
        """Keeps the first few reasons."""
        if len(self.why) < MOST_TOLD and what not in self.why:
            self.why.append(what)


def check_sources(codec: ProfileCodec) -> Iterator[Check]:
    """Whether the profile says where it comes from. A guess, or to say nothing, is no fault, but it is told."""
    by_origin: dict[Origin, list[str]] = {}
    for one in sources(codec.profile):
        by_origin.setdefault(one.source.origin, []).append(one.what)
    unstated = by_origin.pop(Origin.UNSTATED, [])
    counts = ", ".join(f"{len(parts)} by {origin.value}" for origin, parts in by_origin.items())
    yield Check("sources", True, counts or "none")
    if unstated:
        yield Check(NO_SOURCE, True, f"{len(unstated)} parts do not say where they come from: {_some(unstated)}")
    if guesses := by_origin.get(Origin.GUESS):
        yield Check(GUESSES, True, f"{len(guesses)} parts are guesses: {_some(guesses)}")


def check_capture(codec: ProfileCodec, capture: Capture, expected: list[Told] | None = None) -> Iterator[Check]:
    """The checks of one capture; ``expected`` is what it is known to say."""
    compiled = codec.machine.compiled
    tallies = {side: Tally() for side in (Side.METER, Side.GATEWAY)}
    framers = {side: compiled.framer(side) for side in tallies if compiled.cutters(side)}
    sides = {Direction.FROM_METER: Side.METER, Direction.TO_METER: Side.GATEWAY}
    last: Side | None = None
    for entry in capture.entries:
        side = sides.get(entry.direction)
        if side is None or side not in framers:
            continue
        if last is not None and last is not side:
            # The other side speaks: what this one had not finished, it will not.
            _rest(codec, framers[last], last, tallies[last])
        last = side
        framers[side].feed(entry.data)
        while (frame := framers[side].next_frame()) is not None:
            _count(codec, frame, side, tallies[side])
    for side, framer in framers.items():
        _rest(codec, framer, side, tallies[side])
    for side, tally in tallies.items():
        if tally.size:
            yield from _told(side, tally)
    yield from _readings(codec, capture, expected)


def _rest(codec: ProfileCodec, framer: ProfileFramer, side: Side, tally: Tally) -> None:
    while (frame := framer.flush()) is not None:
        _count(codec, frame, side, tally)


def _count(codec: ProfileCodec, frame: Frame, side: Side, tally: Tally) -> None:
    tally.size += len(frame.data)
    if frame.kind == NOISE:
        tally.noise += len(frame.data)
        layouts = [cutter.layout for cutter in codec.machine.compiled.cutters(side)]
        tally.why_noise = tally.why_noise or why_noise(layouts, frame.data)
        return
    tally.frames += 1
    fields = codec.dissect_as(frame, side)
    tally.explained += sum(_explained(one) for one in fields)
    if frame.fault:
        tally.faulty += 1
        tally.tell(frame.fault)
        return
    try:
        said = codec.machine.compiled.read(frame, side)
    except CodecError as error:
        tally.unread += 1
        tally.tell(str(error))
        return
    tally.messages[said.name] += 1
    if side is Side.METER:
        _answer(codec, said, tally)
    try:
        codec.machine.compiled.decode(frame, side)
    except CodecError as error:
        tally.unlike += 1
        tally.tell(str(error))


def _answer(codec: ProfileCodec, said: Said, tally: Tally) -> None:
    """Whether what the profile would reply can be put together: a number may be too large for its field."""
    values: Values = {one.name: one.start for one in codec.profile.variables} | said.values
    for reply in _replies(codec.profile.answer or (), said.name):
        try:
            given = {name: compiled(expression)(values) for name, expression in reply.fields}
            codec.machine.compiled.encode(reply.message, given, known=values)
        except CodecError as error:
            tally.unanswered += 1
            tally.tell(f"{reply.message} cannot be sent to {said.name}: {error}")


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


def _told(side: Side, tally: Tally) -> Iterator[Check]:
    who = f"the {side.value}'s"
    reasons = f": {'; '.join(tally.why)}" if tally.why else ""
    names = ", ".join(f"{count} {name}" for name, count in tally.messages.most_common())
    bad = tally.faulty + tally.unread
    why_noise = f"; no {tally.why_noise}" if tally.why_noise else ""
    yield Check(f"{who} frames", tally.frames > 0, f"{tally.frames} frames, {tally.noise} bytes of noise{why_noise}")
    yield Check(f"{who} messages", not bad, f"{names or 'none'}; {bad} not read{reasons if bad else ''}")
    yield Check(
        f"{who} bytes",
        not tally.unlike,
        f"{tally.unlike} frames would be put together otherwise{reasons}"
        if tally.unlike
        else "every message put together again gives its bytes",
    )
    if tally.unanswered:
        yield Check(f"{who} replies", False, f"{tally.unanswered} could not be put together{reasons}")
    share = 100 * tally.explained / tally.size
    yield Check(f"{who} share", True, f"{share:.1f} % of the bytes have a name")


def _readings(codec: ProfileCodec, capture: Capture, expected: list[Told] | None) -> Iterator[Check]:
    header = capture.header
    meter = KnownMeter(header.meter) if header.meter else None
    got: list[Told] = []
    notes: list[str] = []
    for one in replay(codec, capture.entries, ZoneInfo(header.zone or "UTC"), meter=meter):
        got.extend(told(one.serial, one.rows, one.events))
        if one.note and len(notes) < MOST_TOLD:
            notes.append(one.note)
    detail = f"{len(got)} readings and events"
    if expected is None:
        yield Check("readings", True, detail)
    else:
        differences = compare_readings(expected, got)
        yield Check("readings", not differences, f"{detail}; {_some(differences)}" if differences else detail)
    if notes:
        yield Check(NOTES, True, "; ".join(notes))


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - MOST_TOLD} more" if len(texts) > MOST_TOLD else ""
    return ", ".join(texts[:MOST_TOLD]) + more
