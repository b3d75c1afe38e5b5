"""The auditor's view of a session: its log, chunk by chunk, with the frames and fields that today's codec sees in it.

Pure: log entries and a codec in, plain data out. What a screen, a report or a JSON document shows is made from this.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gateway_server.codec.codec import NOISE, SENT, Codec, Field, Frame
from gateway_server.codec.hexdump import PER_LINE, ascii_beside, spaced
from gateway_server.model import Direction, Span
from gateway_server.session.intake import Intake
from gateway_server.session.remarks import GIVEN_UP
from gateway_server.store.records import LogEntry

NOT_METER = "not the meter's"  # the kind of bytes that a codec never sees: registration packets, heartbeats
HIDDEN = 0x2A  # an asterisk stands where a secret was
HIDDEN_TEXT = "***"
_UNCHECKED = "not shown: it covers a secret, and would give it away"
_HIDDEN_HEX = "··"
_GIVEN_UP = GIVEN_UP.encode()
_SILENCE_MS = 1000  # an unfinished frame is given up if we spoke after so long without a byte, as in a replay


@dataclass(frozen=True, slots=True)
class Stored:
    """Something the store holds that was read from these bytes of the received stream; ``text`` says what."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class FrameView:
    """One frame as an auditor sees it; the values of secret fields are gone.

    Offsets count from the first byte of its direction, so ``start`` of a received frame is the offset that readings
    refer to. ``began_ms`` is when its first chunk came.
    """

    kind: str
    start: int
    end: int
    began_ms: int
    fault: str = ""
    fields: tuple[Field, ...] = ()
    stored: tuple[Stored, ...] = ()

    @property
    def is_noise(self) -> bool:
        """Whether these bytes belong to no frame."""
        return self.kind == NOISE


@dataclass(frozen=True, slots=True)
class ChunkView:
    """One entry of the log: when, how long after the one before, whose, and which frames were complete with it.

    ``offset`` counts from the first byte of its direction. ``data`` has asterisks where ``hidden`` says that a secret
    stood. ``part_of`` names the frame that these bytes belong to without completing one.
    """

    at_ms: int
    since_ms: int
    direction: Direction
    offset: int
    data: bytes
    hidden: frozenset[int] = frozenset()
    frames: tuple[FrameView, ...] = ()
    part_of: str = ""

    @property
    def note(self) -> str:
        """The text of a note, or of a line of the modem's dialogue."""
        if self.direction.of_modem:
            return self.data.decode("latin-1").strip()
        return self.data.decode("utf-8", "replace")

    def hex_lines(self) -> Iterator[str]:
        """Hex and ASCII, 16 bytes a line; hidden bytes are dots in the hex and asterisks beside it."""
        for at in range(0, len(self.data), PER_LINE):
            part = self.data[at : at + PER_LINE]
            pieces = spaced(part).split(" ")
            for index in range(len(part)):
                if at + index in self.hidden:
                    pieces[index] = _HIDDEN_HEX
            yield f"{' '.join(pieces):<{PER_LINE * 3 - 1}}  {ascii_beside(part)}"


@dataclass(slots=True)
class _Pending:
    """A chunk that waits until the frames its bytes belong to are whole."""

    chunk: ChunkView
    end: int
    frames: list[FrameView]
    secret: list[tuple[int, int]]


def view_session(
    entries: Iterable[LogEntry],
    codec: Codec | None = None,
    stored: Sequence[Stored] = (),
    kept_out: Sequence[Span] = (),
) -> Iterator[ChunkView]:
    """The session's chunks in the order of the wire.

    Chunks are held back only until the frames that contain them are whole, which the framer's bound limits.
    ``stored`` goes with the frame its first byte stands in. ``kept_out`` are bytes of the received stream that were
    not for the codec (`remarks.spans_kept_out`). Without a codec there are no frames.
    """
    return _Viewing(codec, stored, kept_out).chunks(entries)


class _Viewing:
    def __init__(self, codec: Codec | None, stored: Sequence[Stored], kept_out: Sequence[Span]) -> None:
        self._codec = codec
        self._intake = Intake(codec.framer()) if codec else None
        self._kept_out = deque(kept_out)
        self._stored = deque(sorted(stored, key=lambda one: one.start))
        self._pending: deque[_Pending] = deque()
        self._framed_to = 0
        self._received = 0
        self._sent = 0
        self._before_ms: int | None = None
        self._heard_ms = 0

    def chunks(self, entries: Iterable[LogEntry]) -> Iterator[ChunkView]:
        for entry in entries:
            self._take(entry)
            yield from self._ready()
        self._give_up_unfinished()
        self._framed_to = self._received
        yield from self._ready()

    def _take(self, entry: LogEntry) -> None:
        since_ms = 0 if self._before_ms is None else entry.at_ms - self._before_ms
        self._before_ms = entry.at_ms
        offset = {Direction.FROM_METER: self._received, Direction.TO_METER: self._sent}.get(entry.direction, 0)
        chunk = ChunkView(entry.at_ms, since_ms, entry.direction, offset, entry.data)
        pending = _Pending(chunk, offset + len(entry.data), [], [])
        self._pending.append(pending)
        if entry.direction is Direction.TO_METER:
            self._sent = pending.end
            if entry.at_ms - self._heard_ms >= _SILENCE_MS:
                self._give_up_unfinished()
            if self._codec:
                self._dissect_sent(pending, self._codec)
        elif entry.direction is Direction.FROM_METER:
            self._received = pending.end
            self._heard_ms = entry.at_ms
            self._feed(entry.data, offset, pending.end)
        elif entry.direction is Direction.NOTE and entry.data == _GIVEN_UP:
            self._give_up_unfinished()

    def _feed(self, data: bytes, start: int, end: int) -> None:
        """Gives received bytes to the framer, those that are not for it left out."""
        if self._intake is None:
            self._framed_to = end
            return
        at = start
        while self._kept_out and self._kept_out[0].start < end:
            out = self._kept_out[0]
            if at < out.start:
                self._intake.feed(data[at - start : out.start - start], at)
                self._frames_that_are_whole()
            at, upto = max(at, out.start), min(out.end, end)
            self._place(Frame(NOT_METER, data[at - start : upto - start], at))
            at = upto
            if out.end > end:
                break
            self._kept_out.popleft()
        if at < end:
            self._intake.feed(data[at - start :], at)
            self._frames_that_are_whole()

    def _dissect_sent(self, pending: _Pending, codec: Codec) -> None:
        frame = Frame(SENT, pending.chunk.data, pending.chunk.offset)
        fields = tuple(codec.dissect(frame))
        pending.frames.append(
            FrameView(SENT, frame.start, frame.end, pending.chunk.at_ms, fields=tuple(map(_without_secret, fields)))
        )
        pending.secret += [(frame.start + field.start, frame.start + field.end) for field in fields if field.secret]

    def _frames_that_are_whole(self) -> None:
        while self._intake and (frame := self._intake.next_frame()) is not None:
            self._place(frame)

    def _give_up_unfinished(self) -> None:
        while self._intake and (frame := self._intake.flush()) is not None:
            self._place(frame)

    def _place(self, frame: Frame) -> None:
        """Puts a frame to the chunk its last byte stands in."""
        fields = tuple(self._codec.dissect(frame)) if self._codec and frame.kind != NOT_METER else ()
        chunks = [
            pending
            for pending in self._pending
            if pending.chunk.direction is Direction.FROM_METER
            and pending.chunk.offset < frame.end
            and frame.start < pending.end
        ]
        self._framed_to = max(self._framed_to, frame.end)
        if not chunks:
            return
        secret = [(frame.start + field.start, frame.start + field.end) for field in fields if field.secret]
        for pending in chunks:
            pending.secret += secret
        for pending in chunks[:-1]:
            pending.chunk = replace(pending.chunk, part_of=frame.kind)
        chunks[-1].frames.append(
            FrameView(
                frame.kind,
                frame.start,
                frame.end,
                chunks[0].chunk.at_ms,
                frame.fault,
                tuple(map(_without_secret, fields)),
                tuple(self._stored_from(frame)),
            )
        )

    def _stored_from(self, frame: Frame) -> Iterator[Stored]:
        while self._stored and self._stored[0].start < frame.end:
            one = self._stored.popleft()
            if one.end > frame.start:
                yield one

    def _ready(self) -> Iterator[ChunkView]:
        while self._pending:
            first = self._pending[0]
            if first.chunk.direction is Direction.FROM_METER and first.end > self._framed_to:
                return
            self._pending.popleft()
            yield _finished(first)


def _finished(pending: _Pending) -> ChunkView:
    chunk = pending.chunk
    frames = tuple(pending.frames)
    if not pending.secret:
        return replace(chunk, frames=frames)
    hidden = frozenset(
        at - chunk.offset
        for start, end in pending.secret
        for at in range(max(start, chunk.offset), min(end, pending.end))
    )
    data = bytes(HIDDEN if at in hidden else byte for at, byte in enumerate(chunk.data))
    return replace(chunk, frames=frames, hidden=hidden, data=data)


def _without_secret(field: Field) -> Field:
    if not field.secret:
        return field
    return replace(field, value=HIDDEN_TEXT, meaning=_UNCHECKED if field.name == "check" else "")
