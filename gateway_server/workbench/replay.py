"""A stored session read again: its bytes through today's codec, without a line and without a clock.

What a meter said does not depend on what we would ask today, so a codec that `Interprets` just listens to the log.
Any other codec is asked for its dialogue, and the log plays the meter. A codec that only reads files gets all that was
received as one file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway_server.codec.codec import NOISE, Answers, Asks, Codec, Frame, Interprets, Recalls
from gateway_server.codec.dialogue import (
    Dialogue,
    Drain,
    Findings,
    Found,
    Identify,
    Note,
    Receive,
    Remember,
    Send,
    Wish,
)
from gateway_server.codec.files import ReadsFiles, UploadedFile
from gateway_server.errors import CodecError, GatewayError, LineLost, MeterSilent, OperatorError
from gateway_server.model import Direction, Event, KnownMeter, Reading, Row, Saved, Span
from gateway_server.session.edge import to_save
from gateway_server.session.intake import Intake
from gateway_server.session.remarks import GIVEN_UP, is_answered, is_identified, is_idle
from gateway_server.store.records import EventToSave, LogEntry, RowToSave

_GIVEN_UP = GIVEN_UP.encode()
_LONGEST_RUN = 100_000
_SILENCE_MS = 1000  # an unfinished frame is given up if we spoke after so long without a byte


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one frame of a replayed session told. ``serial`` is the meter that had identified itself until then.

    ``at_ms`` is when the frame's last bytes came.
    """

    serial: str
    at_ms: int
    identity: Identify | None = None
    rows: tuple[RowToSave, ...] = ()
    events: tuple[EventToSave, ...] = ()
    remember: Remember | None = None
    note: str = ""


def replay(
    codec: Codec,
    entries: Iterable[LogEntry],
    zone: ZoneInfo,
    *,
    meter: KnownMeter | None = None,
    kept_out: Sequence[Span] = (),
) -> Iterator[Replayed]:
    """What the bytes of a session tell today, in the order in which it was told; nothing is kept.

    The meter's own times are in ``zone``. ``meter`` is whose the readings are until somebody says who he is, and what
    is known of him then. ``kept_out`` are bytes of the received stream that are not for the codec
    (`spans_kept_out`). What a codec cannot make sense of comes as a note.
    """
    told = _Telling(zone, meter)
    stream = _Stream(codec, entries, told, kept_out)
    if isinstance(codec, Interprets):
        return _listen(codec, stream, told)
    if isinstance(codec, Asks | Answers) or not isinstance(codec, ReadsFiles):
        return _Acting(codec, stream, told).play()
    return _read_file(codec, entries, told)


def same_serial(one: str, other: str) -> bool:
    """Whether two serial numbers are one: leading zeros are shown by some and left out by others."""
    return one == other or one.lstrip("0") == other.lstrip("0")


class _Telling:
    """Makes what was found into what is told: who the meter is by now, and when the last of it came."""

    def __init__(self, zone: ZoneInfo, meter: KnownMeter | None) -> None:
        self.serial = meter.serial if meter else ""
        self.at_ms = 0
        self.expected = meter
        self._zone = zone

    def known(self, said: Identify) -> KnownMeter:
        """What is known of the meter that said who it is, or whose line it was."""
        serial = said.serial.strip()
        expected = self.expected
        return expected if expected and (said.by_line or same_serial(expected.serial, serial)) else KnownMeter(serial)

    def in_utc(self) -> None:
        """What follows states its times in UTC."""
        self._zone = ZoneInfo("UTC")

    def tell(self, found: Found) -> Replayed:
        match found:
            case Identify():
                self.serial = self.known(found).serial
                return Replayed(self.serial, self.at_ms, identity=found)
            case Remember():
                return Replayed(self.serial, self.at_ms, remember=found)
            case Note(text):
                return self.note(text)
            case Findings():
                try:
                    rows, events = to_save(found, self._zone, self.at_ms)
                except CodecError as error:
                    return self.note(str(error))
                return Replayed(self.serial, self.at_ms, rows=tuple(rows), events=tuple(events))

    def note(self, text: str) -> Replayed:
        return Replayed(self.serial, self.at_ms, note=text)


class _Stream:
    """The log as frames from the meter and bytes to it, in the order of the wire."""

    def __init__(self, codec: Codec, entries: Iterable[LogEntry], told: _Telling, kept_out: Sequence[Span]) -> None:
        self._intake = Intake(codec.framer())
        self._entries = iter(entries)
        self._told = told
        self._kept_out = deque(kept_out)
        self._received = 0
        self._ahead: LogEntry | None = None
        self._answered = False
        self._idle = False

    def peek(self) -> LogEntry | None:
        """The next entry that is no remark, or says that a frame was given up; None at the end."""
        while self._ahead is None:
            entry = next(self._entries, None)
            if entry is None:
                return None
            if entry.direction.of_modem:
                continue
            if entry.direction is Direction.TO_METER and (self._answered or self._idle):
                self._answered = False
            elif entry.direction is not Direction.NOTE or entry.data == _GIVEN_UP or is_identified(entry):
                self._ahead = entry
            elif is_answered(entry):
                self._answered = True
            elif is_idle(entry):
                self._idle = True
        return self._ahead

    def skip(self) -> None:
        """Passes over the next entry."""
        self._ahead = None

    def sent(self) -> bytes:
        """Takes the next entry, which is ours."""
        assert self._ahead is not None
        entry, self._ahead = self._ahead, None
        return entry.data

    def hear(self) -> None:
        """Takes the next entry, which is the meter's."""
        assert self._ahead is not None
        entry, self._ahead = self._ahead, None
        self._told.at_ms = entry.at_ms
        at, end = self._received, self._received + len(entry.data)
        self._received = end
        while self._kept_out and self._kept_out[0].start < end:
            out = self._kept_out[0]
            if at < out.start:
                self._intake.feed(entry.data[at - end : out.start - end], at)
            at = max(at, min(out.end, end))
            if out.end > end:
                break
            self._kept_out.popleft()
        if at < end:
            self._intake.feed(entry.data[at - end :], at)

    def frame(self) -> Frame | None:
        """The next frame of what was heard, noise too."""
        return self._intake.next_frame()

    def left(self) -> Frame | None:
        """What is left unfinished."""
        return self._intake.flush()


def _listen(codec: Interprets, stream: _Stream, told: _Telling) -> Iterator[Replayed]:
    interpreter = codec.interpreter()

    def found_in(frame: Frame) -> Iterator[Replayed]:
        if frame.kind == NOISE:
            return
        try:
            found = interpreter.received(frame)
        except CodecError as error:
            yield told.note(str(error))
            return
        for one in found:
            if isinstance(one, Identify) and isinstance(interpreter, Recalls):
                interpreter.recall(told.known(one))
            yield told.tell(one)

    while entry := stream.peek():
        if entry.direction is Direction.FROM_METER:
            stream.hear()
            while frame := stream.frame():
                yield from found_in(frame)
            continue
        if is_identified(entry):
            # Over a line that is paid for a known meter need not be asked who it is.
            if told.expected is not None and isinstance(interpreter, Recalls):
                interpreter.recall(told.expected)
            stream.skip()
            continue
        if entry.direction is Direction.NOTE or entry.at_ms - told.at_ms >= _SILENCE_MS:
            while frame := stream.left():
                yield from found_in(frame)
        if entry.direction is Direction.NOTE:
            stream.skip()
            continue
        try:
            interpreter.sent(stream.sent())
        except CodecError as error:
            yield told.note(str(error))
    while frame := stream.left():
        yield from found_in(frame)


def _read_file(codec: ReadsFiles, entries: Iterable[LogEntry], told: _Telling) -> Iterator[Replayed]:
    data = bytearray()
    for entry in entries:
        if entry.direction is Direction.FROM_METER:
            data += entry.data
            told.at_ms = entry.at_ms
    try:
        reading = codec.read_file(UploadedFile("", bytes(data), told.at_ms, meter=told.expected))
    except CodecError as error:
        yield told.note(str(error))
        return
    if reading is None:
        yield told.note("it is no file of this codec's kind")
        return
    if reading.identity is not None:
        yield told.tell(reading.identity)
    yield from (told.note(note) for note in reading.notes)
    if reading.utc:
        told.in_utc()
    yield told.tell(reading.findings)


class _Acting:
    """Drives a dialogue with the log in the meter's place."""

    def __init__(self, codec: Codec, stream: _Stream, told: _Telling) -> None:
        self._stream = stream
        self._told = told
        self._dialogue = self._dialogue_of(codec)

    def _dialogue_of(self, codec: Codec) -> Dialogue:
        first = self._stream.peek()
        meter_first = first is None or first.direction is Direction.FROM_METER
        if isinstance(codec, Answers) and (meter_first or not isinstance(codec, Asks)):
            return codec.answer()
        if isinstance(codec, Asks):
            return codec.read(self._told.expected)
        raise OperatorError(f"the codec {codec.name} can neither ask, nor answer, nor interpret a session")

    def play(self) -> Iterator[Replayed]:
        answer: object = None
        error: GatewayError | None = None
        heard_ms, idle = self._told.at_ms, 0
        try:
            while True:
                wish = self._dialogue.throw(error) if error else self._dialogue.send(answer)
                idle = 0 if self._told.at_ms != heard_ms else idle + 1
                heard_ms = self._told.at_ms
                if idle > _LONGEST_RUN:
                    raise CodecError("the dialogue neither waits nor ends")
                answer, error = None, None
                if isinstance(wish, Receive):
                    answer = self._awaited(wish)
                    error = None if answer else self._silence()
                else:
                    answer, found = self._fulfil(wish)
                    if found:
                        yield self._told.tell(found)
        except StopIteration as end:
            if end.value is not None:
                yield self._told.note(end.value.reason)
        except GatewayError as ended:
            yield self._told.note(str(ended))
        except Exception as fault:  # noqa: BLE001  # as in a live session, a codec's defect ends its own replay only
            yield self._told.note(f"the codec failed: {type(fault).__name__}: {fault}")

    def _awaited(self, wish: Receive) -> Frame | None:
        while True:
            while frame := self._stream.frame():
                if _wanted(frame, wish):
                    return frame
            entry = self._stream.peek()
            if entry is None or entry.direction is Direction.TO_METER:
                break
            if entry.direction is Direction.NOTE:
                self._stream.skip()
                if is_identified(entry):
                    continue
                break
            self._stream.hear()
        while frame := self._stream.left():
            if _wanted(frame, wish):
                return frame
        return None

    def _silence(self) -> GatewayError:
        if self._stream.peek():
            return MeterSilent("nothing more came before the session went on")
        return LineLost("the log ends here")

    def _fulfil(self, wish: Wish) -> tuple[KnownMeter | Saved | None, Found | None]:
        match wish:
            case Send(data):
                self._send(data)
            case Drain(quiet):
                self._drain(quiet)
            case Identify():
                return self._told.known(wish), wish
            case Findings(rows, events, readings):
                return Saved(new=len(rows) + len(events) + len(readings)), wish
            case Reading():
                return Saved(new=1), Findings(readings=(wish,))
            case Row():
                return Saved(new=1), Findings(rows=(wish,))
            case Event():
                return Saved(new=1), Findings(events=(wish,))
            case Remember() | Note():
                return None, wish
        return None, None

    def _send(self, data: bytes) -> None:
        """Passes over what was sent at this place, be it the same or not; a tap may have seen it in pieces."""
        said = b""
        while (entry := self._stream.peek()) and entry.direction is not Direction.FROM_METER:
            if entry.direction is Direction.NOTE:
                self._stream.skip()
                continue
            if said and not data.startswith(said + entry.data):
                return
            said += self._stream.sent()
            if len(said) >= len(data):
                return

    def _drain(self, quiet: float) -> None:
        self._drop()
        while (entry := self._stream.peek()) and entry.direction is not Direction.TO_METER:
            if entry.direction is Direction.NOTE:
                self._stream.skip()
            elif entry.at_ms - self._told.at_ms > quiet * 1000:
                return
            else:
                self._stream.hear()
                self._drop()

    def _drop(self) -> None:
        while self._stream.frame() or self._stream.left():
            pass


def _wanted(frame: Frame, wish: Receive) -> bool:
    if frame.kind == NOISE:
        return wish.noise
    return wish.kinds is None or frame.kind in wish.kinds
