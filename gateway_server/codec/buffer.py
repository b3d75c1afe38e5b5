"""What framers are built from: a byte buffer that knows its place in the stream, and a framer for lines of text."""

from __future__ import annotations

import re

from gateway_server.codec.codec import NOISE, Frame

LINE = "line"

_COMPACT_ABOVE = 1 << 16


class ByteBuffer:
    """The bytes of a stream that are not yet cut into frames.

    A framer appends what arrives, looks, and takes frames from the front; ``start`` is the stream offset of the first
    byte still here. A chunk that arrives into an empty buffer is not copied, and a byte is moved at most a few times
    however the stream was cut. A chunk of any size is accepted: ``bound`` is what may wait for the rest of its frame.
    A framer that finds no frame although the buffer is `overfull` gives bytes away as noise until it is not.
    """

    __slots__ = ("_at", "_bytes", "bound", "start")

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.start = 0
        self._bytes: bytes | bytearray = b""
        self._at = 0

    def __len__(self) -> int:
        return len(self._bytes) - self._at

    def __getitem__(self, index: int) -> int:
        """The byte at ``index``, counted from the first one here; IndexError behind the last."""
        return self._bytes[self._at + index]

    @property
    def overfull(self) -> bool:
        """Whether more waits here than the bound allows."""
        return len(self._bytes) - self._at > self.bound

    def append(self, data: bytes) -> None:
        """Takes the next bytes of the stream."""
        if self._at == len(self._bytes):
            self._bytes = data
            self._at = 0
            return
        if isinstance(self._bytes, bytes):
            self._bytes = bytearray(memoryview(self._bytes)[self._at :])
        elif self._at:
            del self._bytes[: self._at]
        self._at = 0
        self._bytes += data

    def find(self, wanted: bytes, start: int = 0) -> int:
        """Where ``wanted`` first stands, at ``start`` or behind; -1 if nowhere.

        A framer that waits for an end character remembers how far it has looked, or its search becomes quadratic.
        """
        at = self._bytes.find(wanted, self._at + start)
        return at if at < 0 else at - self._at

    def search(self, pattern: re.Pattern[bytes], start: int = 0) -> int:
        """Where a pattern first matches, at ``start`` or behind; -1 if nowhere."""
        found = pattern.search(self._bytes, self._at + start)
        return -1 if found is None else found.start() - self._at

    def peek(self, start: int, end: int) -> bytes:
        """The bytes from ``start`` up to ``end``, left where they are; fewer when fewer are here."""
        return bytes(self._bytes[self._at + start : self._at + end])

    def take(self, count: int) -> bytes:
        """Removes and gives the first ``count`` bytes; fewer when fewer are here."""
        end = self._at + count
        taken = self._bytes[self._at : end]
        self._advance(len(taken))
        return taken if isinstance(taken, bytes) else bytes(taken)

    def drop(self, count: int) -> None:
        """Removes the first ``count`` bytes."""
        self._advance(min(count, len(self._bytes) - self._at))

    def take_all(self) -> bytes:
        """Removes and gives everything."""
        return self.take(len(self._bytes) - self._at)

    def _advance(self, count: int) -> None:
        self.start += count
        self._at += count
        left = len(self._bytes) - self._at
        if not left:
            self._bytes = b""
            self._at = 0
        elif self._at > _COMPACT_ABOVE and left < self._at:
            # A last byte must not hold on to the large chunk it came in.
            self._bytes = bytearray(memoryview(self._bytes)[self._at :])
            self._at = 0


_TEXT = b"\t\r\n" + bytes(range(0x20, 0x7F))
_NOT_TEXT = bytes(b for b in range(256) if b not in _TEXT)


class LineFramer:
    """Cuts a stream into lines of text, each a frame of kind ``line`` that keeps its LF or CR LF.

    Bytes that are no text before a line are noise; so is a whole line that is longer than ``bound`` or has such bytes
    inside (what stood in their place is unknown), and what the end of the stream left without its end.
    """

    __slots__ = ("_buffer", "_looked", "_overlong", "_ready")

    def __init__(self, bound: int = 1024) -> None:
        self._buffer = ByteBuffer(bound)
        self._looked = 0
        self._overlong = False
        self._ready: Frame | None = None

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the stream, cut anywhere."""
        self._buffer.append(data)

    def next_frame(self) -> Frame | None:
        """The next line or noise, None when more bytes are needed."""
        if self._ready is not None:
            frame, self._ready = self._ready, None
            return frame
        buffer = self._buffer
        end = buffer.find(b"\n", self._looked) + 1
        if end:
            self._looked = 0
            return self._line(end)
        if buffer.overfull:
            self._looked = 0
            return self._excess()
        self._looked = len(buffer)
        return None

    def flush(self) -> Frame | None:
        """What is left at the end of the stream, as noise."""
        frame = self.next_frame()
        if frame is None and len(self._buffer):
            self._looked = 0
            frame = self._rest()
        return frame

    def _rest(self) -> Frame:
        start = self._buffer.start
        return Frame(NOISE, self._buffer.take_all(), start)

    def _excess(self) -> Frame:
        waiting = self._buffer.peek(0, len(self._buffer))
        before = len(waiting) - len(waiting.lstrip(_NOT_TEXT))
        if before and not self._overlong:
            start = self._buffer.start
            return Frame(NOISE, self._buffer.take(before), start)
        self._overlong = True
        return self._rest()

    def _line(self, end: int) -> Frame:
        start = self._buffer.start
        data = self._buffer.take(end)
        if self._overlong:
            self._overlong = False
            return Frame(NOISE, data, start)
        if len(data) <= self._buffer.bound and not data.translate(None, _TEXT):
            return Frame(LINE, data, start)
        line = data.lstrip(_NOT_TEXT)
        if len(line) > self._buffer.bound or line.translate(None, _TEXT):
            return Frame(NOISE, data, start)
        before = len(data) - len(line)
        self._ready = Frame(LINE, line, start + before)
        return Frame(NOISE, data[:before], start)
