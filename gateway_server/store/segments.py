"""Log segments: what many sessions logged at about the same time, as one piece of bytes.

A row of the database for each chunk of each session costs more than all else that is done for it. So the small chunks
of one transaction stand together in one entry of the log, in the order of the wire:

    version (1 byte, 1) · CRC-32 of all that follows · n
    n session numbers · n times · n lengths · n directions (one character each) · the bytes, one chunk behind another

Numbers are little-endian: CRC, n and lengths of 4 bytes, session numbers and times of 8.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from zlib import crc32

from gateway_server.errors import StoreError
from gateway_server.model import Direction
from gateway_server.store.records import SessionKey

SEGMENT = "="
"""Stands as the direction of a log entry that holds a segment."""

MOST_CHUNKS = 4096
MOST_BYTES = 1024
"""Larger chunks stand alone: whoever looks for a small one should not have to read past them."""

LoggedChunk = tuple[SessionKey, int, Direction, bytes]
Found = tuple[int, int, Direction, bytes]  # a chunk with the number of its session

_VERSION = 1
_HEAD = struct.Struct("<BII")
_EACH = 8 + 8 + 4 + 1
_DIRECTIONS = {ord(direction.value): direction for direction in Direction}


def packed(chunks: Sequence[LoggedChunk]) -> bytes:
    """The segment that holds these chunks."""
    keys, times, directions, pieces = zip(*chunks, strict=True)
    count = len(chunks)
    numbers = struct.pack(f"<{count}q{count}q{count}I", *[key.id for key in keys], *times, *map(len, pieces))
    # not `.value`: it costs as much as all the rest
    marks = "".join([direction._value_ for direction in directions]).encode("ascii")
    body = b"".join((numbers, marks, *pieces))
    return _HEAD.pack(_VERSION, crc32(body, count), count) + body


def chunks_of(segment: bytes) -> Iterator[Found]:
    """Every chunk of a segment. Raises `StoreError` for one that is damaged."""
    count = _count(segment)
    sessions = struct.unpack_from(f"<{count}q", segment, _HEAD.size)
    yield from _chunks(segment, count, sessions, range(count))


def chunks_of_session(segment: bytes, session: int) -> Iterator[Found]:
    """The chunks of one session. Raises `StoreError` for a segment that is damaged."""
    count = _count(segment)
    if segment.find(struct.pack("<q", session), _HEAD.size, _HEAD.size + 8 * count) < 0:
        return  # many segments are passed over for each that is read
    sessions = struct.unpack_from(f"<{count}q", segment, _HEAD.size)
    yield from _chunks(segment, count, sessions, [at for at, number in enumerate(sessions) if number == session])


def _count(segment: bytes) -> int:
    """How many chunks a segment holds, once it is known to be sound."""
    if len(segment) < _HEAD.size:
        raise StoreError(f"a log segment is damaged (it has {len(segment)} bytes); run `store check`")
    version, check, count = _HEAD.unpack_from(segment)
    if version != _VERSION:
        raise StoreError(f"a log segment is of version {version}, which this program does not know; update it")
    if crc32(memoryview(segment)[_HEAD.size :], count) != check:
        raise StoreError("a log segment is damaged (its check sum does not match); run `store check`")
    return int(count)


def _chunks(segment: bytes, count: int, sessions: Sequence[int], wanted: Sequence[int]) -> Iterator[Found]:
    times = struct.unpack_from(f"<{count}q", segment, _HEAD.size + 8 * count)
    lengths = struct.unpack_from(f"<{count}I", segment, _HEAD.size + 16 * count)
    marks = _HEAD.size + 20 * count
    at = _HEAD.size + _EACH * count
    before = 0
    for place in wanted:
        at += sum(lengths[before:place])
        end = at + lengths[place]
        yield sessions[place], times[place], _DIRECTIONS[segment[marks + place]], segment[at:end]
        at, before = end, place + 1
