"""Cuts a stream into the frames of a profile: several framings side by side, bounded in space and time.

At every place the framings are tried in the profile's order. What begins none of them is noise. A frame with start
bytes whose check does not match is delivered with its fault; one without start bytes is known by its check alone, and
without it is noise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway_server.codec import parity as even
from gateway_server.codec.buffer import ByteBuffer
from gateway_server.codec.codec import NOISE, Frame
from gateway_server.codec.meter_profile.form import MeterProfile, Parity, Side
from gateway_server.codec.meter_profile.layout import Layout, size_of
from gateway_server.codec.meter_profile.sizing import size_told_by
from gateway_server.errors import CodecError

NO = 0
MORE = -1
SPOILED = -2
ENDLESS = -3
_WORK_PER_BYTE = 32
_WORK_AT_FIRST = 1 << 16
_WORK_OF_ASKING = 32  # what it takes to find a check's bytes and to call it, in bytes checked
_PROBES_AT_ONCE = 256
_ANY = bytes(range(256))
_ODD = bytes(byte ^ 0x80 for byte in even.add_even(_ANY))


class Cutter:
    """Finds where one framing's frame ends: how many bytes it has, `NO` if none begins here, `MORE` if that is open.

    `SPOILED` says that what begins here is none, and that up to its end mark none of this framing can begin: half a
    line is no line. `ENDLESS`: none begins here, because no end is in sight.
    """

    def __init__(self, layout: Layout) -> None:
        framing = layout.framing
        self.layout = layout
        self.kind = framing.name
        self.start = framing.start
        self.most = framing.most
        self.is_anchored = bool(framing.start)
        self.ready = len(framing.start) + layout.header_size
        self.gap = framing.gap
        self._end = framing.end
        self._escape = framing.escape.byte if framing.escape is not None else -1
        self._by_size = size_told_by(layout)
        self.tells_size = self._by_size is not None
        self._counts_wire = layout.framing.length is not None and layout.framing.length.on_wire
        allowed = self._allowed = framing.characters
        self._closed = bool(
            framing.start
            and framing.end
            and (framing.hex or framing.escape is not None or (allowed and framing.start[0] not in allowed))
        )

    @property
    def end(self) -> bytes:
        """What stands at the end of a frame."""
        return self._end

    @property
    def first(self) -> bytes:
        """The bytes with which a frame can begin."""
        framing = self.layout.framing
        if self.start and not framing.shared_end:
            return self.start[:1]
        if framing.characters:
            return framing.characters
        if framing.header and framing.header[0].must_be and size_of(framing.header[0]) == 1:
            return bytes(byte for byte in framing.header[0].must_be if isinstance(byte, int) and 0 <= byte < 256)
        return _ANY

    def probe(self, buffer: ByteBuffer, at: int, looked: int) -> int:
        """Looks at the frame that may begin at ``at``, of which ``looked`` bytes were searched for its end before."""
        here = len(buffer) - at
        start = self.start
        opening = buffer.peek(at, at + len(start))
        if opening != start:
            if start.startswith(opening) and here < len(start):
                return MORE
            if not self.layout.framing.shared_end:
                return NO
        if self._by_size is not None:
            return self._sized(buffer, at, here)
        if self._end:
            return self._delimited(buffer, at, here, max(looked, len(start)))
        return MORE if here <= self.most else SPOILED

    def _sized(self, buffer: ByteBuffer, at: int, here: int) -> int:
        assert self._by_size is not None
        ready = self._ready_in(buffer, at, here)
        if ready is None:
            return self._early(buffer, at, here)
        try:
            size = self._by_size(self._header(buffer.peek(at + len(self.start), at + ready)))
        except CodecError:
            return NO
        if size < self.layout.least:
            return NO
        if size > self.most:
            return ready if self.is_anchored else NO
        if self.layout.coding.changes and not self._counts_wire:
            plain = size - len(self.start) - self.layout.behind
            coded = self.layout.coding.wire_size(buffer.peek(at + len(self.start), at + min(here, self.most)), plain)
            if coded is None:
                return self._early(buffer, at, here) if here < self.most else NO
            size = len(self.start) + coded + self.layout.behind
            if size > self.most:
                return NO
        inside = buffer.peek(at + len(self.start), at + min(size - self.layout.behind, here)) if self._allowed else b""
        if inside.translate(None, self._allowed):
            return NO
        if here < size:
            return MORE
        if self._end:
            end = size - self.layout.behind
            if buffer.peek(at + end, at + end + len(self._end)) != self._end:
                return NO
        return size

    def _ready_in(self, buffer: ByteBuffer, at: int, here: int) -> int | None:
        """Behind how many wire bytes the header is whole; None if it is not yet."""
        if not self.layout.coding.changes:
            return self.ready if here >= self.ready else None
        front = len(self.start)
        wire = buffer.peek(at + front, at + min(here, front + 2 * self.layout.header_size))
        size = self.layout.coding.wire_size(wire, self.layout.header_size)
        return None if size is None else front + size

    def _header(self, wire: bytes) -> bytes:
        """The header in plain bytes. Raises `CodecError`."""
        return self.layout.coding.plain(wire) if self.layout.coding.changes else wire

    def _early(self, buffer: ByteBuffer, at: int, here: int) -> int:
        """Whether a header that is not yet whole can still be one."""
        if self._allowed and buffer.peek(at + len(self.start), at + here).translate(None, self._allowed):
            return NO
        return MORE

    def _delimited(self, buffer: ByteBuffer, at: int, here: int, looked: int) -> int:
        end = self._end
        found = buffer.find(end, at + looked)
        while found >= 0 and self._escape == end[0] and self._is_escaped(buffer, at, found):
            found = buffer.find(end, found + 1)
        size = found - at + self.layout.behind if found >= 0 else 0
        until = at + min(here, self.most) if found < 0 else found
        # A start mark may lie across what was looked at before.
        fresh = at + max(len(self.start), looked - max(0, len(self.start) - 1))
        inside = buffer.peek(fresh, until) if self._allowed or self._closed else b""
        if found < 0 and here <= self.most:
            begun = next((size for size in range(len(end) - 1, 0, -1) if inside.endswith(end[:size])), 0)
            inside = inside[: len(inside) - begun]  # the rest of the end may come
        if self._closed and self.start in inside:
            return NO
        if self._allowed and inside.translate(None, self._allowed):
            return NO if self.is_anchored else SPOILED
        if found < 0 and here <= self.most:
            return MORE
        if found < 0:
            return ENDLESS if self.is_anchored else SPOILED
        if size > self.most or size < self.layout.least:
            return NO if self.is_anchored else SPOILED
        if self.layout.coding.changes and size <= self.layout.least:
            return NO
        return size if here >= size else MORE

    def _is_escaped(self, buffer: ByteBuffer, at: int, found: int) -> bool:
        run = 0
        while found - run - 1 >= at and buffer[found - run - 1] == self._escape:
            run += 1
        return run % 2 == 1

    def too_long(self, data: bytes) -> str:
        """What is wrong with a frame whose length field says more than a frame may have."""
        if self._by_size is None:
            return ""
        start = len(self.start)
        if self.layout.coding.changes:
            ready = self.layout.coding.wire_size(data[start:], self.layout.header_size)
            if ready is None or start + ready != len(data):
                return ""
            data = data[:start] + self._header(data[start:])
        elif len(data) != self.ready:
            return ""
        size = self._by_size(data[start : start + self.layout.header_size])
        return f"its length says {size} bytes, more than the {self.most} a frame may have" if size > self.most else ""


class ProfileFramer:
    """Cuts what one side says.

    No byte is searched twice for an end. Where frames have no start bytes, so that only their check tells them from
    noise, at most so many bytes are checked for every byte of the stream, by all framings together: what would take
    more is noise. And noise is told of piece by piece, before the search for its end becomes a long one.
    """

    def __init__(self, cutters: Sequence[Cutter], parity: Parity) -> None:
        self._cutters = cutters
        self._parity = parity
        self._buffer = ByteBuffer(max((cutter.most for cutter in cutters), default=1))
        self._wire = self._buffer if parity is Parity.NONE else ByteBuffer(self._buffer.bound)
        self._parity_bits = {Parity.EVEN: even.add_even(_ANY), Parity.ODD: _ODD}.get(parity, b"")
        self._is_metered = any(not cutter.is_anchored and cutter.layout.inner for cutter in cutters)
        self._candidates = candidates(cutters)
        self._places = max(1, _PROBES_AT_ONCE // max(1, len(cutters)))
        self._searched = [0] * len(cutters)
        self._work = _WORK_AT_FIRST
        self._spoiled: Cutter | None = None
        self._flushing = False

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the stream, cut anywhere."""
        self._buffer.append(data if self._parity is Parity.NONE else even.strip(data))
        if self._wire is not self._buffer:
            self._wire.append(data)

    def next_frame(self) -> Frame | None:
        """The next frame or noise, None when more bytes are needed."""
        buffer, at = self._buffer, 0
        here = len(buffer)
        if not here:
            return None
        clear = 0 if self._spoiled is None else self._clear_from()
        left = self._places
        while at < here:
            at = self._next_candidate(at)
            if at >= here:
                break
            if at >= clear:
                self._spoiled = None
            for number, cutter in enumerate(self._cutters):
                if cutter is self._spoiled:
                    continue
                searched = self._searched[number]
                size = cutter.probe(buffer, at, max(0, searched - buffer.start - at) if searched else 0)
                if size > 0:
                    if at:
                        return self._noise(at)
                    if not cutter.is_anchored and cutter.layout.inner and not self._is_checked(cutter, size):
                        continue
                    return self._frame(cutter, size, self._fault(cutter, size))
                if size == NO:
                    continue
                if size != SPOILED:
                    # An end that is here already may still lack the check behind it.
                    self._searched[number] = buffer.start + here - cutter.layout.behind + 1
                    if size == ENDLESS or (self._flushing and not cutter.gap):
                        continue
                if at:
                    return self._noise(at)
                if size == SPOILED:
                    self._spoiled = cutter
                    clear = self._clear_from()
                    continue
                return self._frame(cutter, here) if self._flushing else None
            at += 1
            left -= 1
            if left <= 0 and (self._spoiled is None or at <= clear - len(self._spoiled.end)):
                return self._noise(at)
        if here >= clear:
            self._spoiled = None
        keep = 0 if self._flushing or self._spoiled is None else self._begun(self._spoiled.end)
        return self._noise(here - keep) if here > keep else None

    def _is_checked(self, cutter: Cutter, size: int) -> bool:
        """Whether the check of a frame without start bytes matches, if that may still be asked."""
        if self._work < size:
            return False
        if not self._fault(cutter, size):
            return True
        self._work -= size + _WORK_OF_ASKING
        return False

    def _clear_from(self) -> int:
        """Behind which byte the spoiled framing may begin again; behind all that is here if its end mark is not."""
        if self._spoiled is None:
            return 0
        end = self._spoiled.end
        found = self._buffer.find(end) if end else -1
        return len(self._buffer) + 1 if found < 0 else found + len(end)

    def _begun(self, mark: bytes) -> int:
        """How many of the last bytes may be the beginning of a mark."""
        here = len(self._buffer)
        tail = self._buffer.peek(max(0, here - len(mark) + 1), here)
        return next((size for size in range(len(tail), 0, -1) if mark.startswith(tail[-size:])), 0)

    def flush(self) -> Frame | None:
        """What is left at the end of the stream or after silence."""
        self._flushing = True
        try:
            return self.next_frame()
        finally:
            self._flushing = False
            if not len(self._buffer):
                self._spoiled = None  # what comes after a silence begins anew

    def _next_candidate(self, at: int) -> int:
        if self._candidates is None or self._buffer[at] in self._candidates[0]:
            return at
        found = self._buffer.search(self._candidates[1], at)
        return len(self._buffer) if found < 0 else found

    def _fault(self, cutter: Cutter, size: int) -> str:
        wire = self._buffer.peek(0, size)
        return (cutter.tells_size and cutter.too_long(wire)) or cutter.layout.fault(wire)

    def _noise(self, count: int) -> Frame:
        start = self._buffer.start
        data = self._take(count)
        return Frame(NOISE, data, start)

    def _frame(self, cutter: Cutter, size: int, fault: str = "") -> Frame:
        start = self._buffer.start
        data = self._take(size)
        if self._parity_bits and not fault:
            table = self._parity_bits
            if data.translate(table) != data and even.strip(data).translate(table) != data:
                fault = "a byte has the wrong parity"
        return Frame(cutter.kind, data, start, fault)

    def _take(self, count: int) -> bytes:
        data = self._wire.take(count)
        if self._is_metered:
            self._work = min(_WORK_AT_FIRST, self._work + _WORK_PER_BYTE * count)
        if self._wire is not self._buffer:
            self._buffer.drop(count)
        return data


def candidates(cutters: Sequence[Cutter]) -> tuple[frozenset[int], re.Pattern[bytes]] | None:
    """The bytes with which some frame can begin, None if any byte can."""
    first = frozenset(byte for cutter in cutters for byte in cutter.first)
    if len(first) == 256:
        return None
    return first, re.compile(b"[" + re.escape(bytes(sorted(first))) + b"]" if first else b"(?!)")


def cutters_of(profile: MeterProfile, layouts: dict[str, Layout], side: Side) -> list[Cutter]:
    """The framings in which this side speaks."""
    return [Cutter(layouts[one.name]) for one in profile.framings if one.side.speaks(side)]


def fold(data: bytes, parity: Parity) -> bytes:
    """Wire bytes without what parity put into bit 7."""
    return data if parity is Parity.NONE else even.strip(data)


def unfold(data: bytes, parity: Parity) -> bytes:
    """Bytes as they go to the wire, with their parity."""
    if parity is Parity.EVEN:
        return even.add_even(data)
    return data.translate(_ODD) if parity is Parity.ODD else data
