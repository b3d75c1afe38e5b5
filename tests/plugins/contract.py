"""What the contract tests know of codecs and their captures."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import FunctionType, ModuleType

from gateway_server.codec.codec import NOISE, Codec, Frame, Framer
from gateway_server.codec.registry import Registry, load_codecs
from gateway_server.model import Direction
from gateway_server.workbench.capture import Capture, read_capture
from tests.plugins import gasbox

CAPTURES = Path(__file__).parent.parent / "captures"
REGISTRY: Registry = load_codecs([Path(__file__).parent / "declared", Path(__file__).parent / "profiles"])
REGISTRY.add(gasbox.codec, Path(gasbox.__file__))


@dataclass(frozen=True)
class Case:
    """One captured session and its codec."""

    codec: Codec
    path: Path

    @cached_property
    def capture(self) -> Capture:
        return read_capture(self.path.read_text("utf-8"))

    @cached_property
    def stream(self) -> bytes:
        """What the meter sent."""
        return b"".join(entry.data for entry in self.capture.entries if entry.direction is Direction.FROM_METER)

    @cached_property
    def sent(self) -> list[bytes]:
        """What it was sent."""
        return [entry.data for entry in self.capture.entries if entry.direction is Direction.TO_METER]

    @cached_property
    def frames(self) -> list[Frame]:
        """The frames of the stream, noise and faulty ones left out."""
        return [frame for frame in cut(self.codec, [self.stream]) if frame.kind != NOISE and not frame.fault]


def cases(codec: Codec) -> list[Case]:
    """The captures of one codec."""
    return _cases(codec.name)


def samples(codec: Codec) -> list[bytes]:
    """Some frames of every kind from the codec's captures, the shortest first."""
    return _samples(codec.name)


@cache
def _cases(name: str) -> list[Case]:
    codec = REGISTRY.get(name)
    return [Case(codec, path) for path in sorted((CAPTURES / name).glob("*.capture"))]


@cache
def _samples(name: str) -> list[bytes]:
    by_kind: dict[str, set[bytes]] = {}
    for case in _cases(name):
        for frame in case.frames:
            by_kind.setdefault(frame.kind, set()).add(frame.data)
    return [data for found in by_kind.values() for data in sorted(found, key=lambda data: (len(data), data))[:20]]


def drained(framer: Framer) -> Iterator[Frame]:
    """The frames that are there now."""
    while (frame := framer.next_frame()) is not None:
        yield frame


def cut(codec: Codec, chunks: Iterable[bytes]) -> list[Frame]:
    """The frames of a stream that came in these chunks; noise that touches is one."""
    framer = codec.framer()
    frames: list[Frame] = []
    for chunk in chunks:
        framer.feed(chunk)
        frames.extend(drained(framer))
    while (frame := framer.flush()) is not None:
        frames.append(frame)
    merged: list[Frame] = []
    for frame in frames:
        if merged and frame.kind == NOISE == merged[-1].kind:
            merged[-1] = Frame(NOISE, merged[-1].data + frame.data, merged[-1].start)
        else:
            merged.append(frame)
    return merged


def fault_of_tiling(frames: Iterable[Frame], stream: bytes) -> str:
    """Which byte of the stream is in no frame or in two; empty when each is in exactly one."""
    at = 0
    for frame in frames:
        if frame.start != at or not frame.data or stream[at : frame.end] != frame.data:
            return f"at byte {at}: {frame}"
        at = frame.end
    return "" if at == len(stream) else f"the last {len(stream) - at} bytes are in no frame"


def held_by(thing: object) -> int:
    """Bytes of memory that an object keeps alive for itself: what its class and modules are is not its own."""
    seen: set[int] = set()
    total = 0
    waiting = [thing]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, (type, ModuleType, FunctionType)):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        waiting.extend(gc.get_referents(one))
    return total
