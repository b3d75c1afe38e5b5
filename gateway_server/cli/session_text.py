"""The auditor's view as lines of text: time, Δt, direction, hex, and the dissected fields beside it or below."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

import click

from gateway_server.cli.errors import harmless
from gateway_server.cli.listing import pairs
from gateway_server.cli.moments import at, duration, local
from gateway_server.codec.codec import SENT
from gateway_server.model import Direction
from gateway_server.store.file_records import FileRecord
from gateway_server.store.records import SessionRecord
from gateway_server.workbench.view import ChunkView, FrameView
from gateway_server.workbench.waterfall import Phase

_INDENT = "    "
_HEX_WIDTH = len(_INDENT) + 16 * 3 - 1 + 2 + 16
_GAP = "  "
WIDE = _HEX_WIDTH + len(_GAP) + 42  # from this width on, fields stand beside the hex
_NOTE_WIDTH = len("00:00:00.000    +0.000  -  ")
_WIDEST_NAME = 20
_NARROWEST = 20
_LATE_MS = 1000  # a pause that is worth a look
_LEGEND = {
    False: "> to the meter  < from the meter  - a note",
    True: "> to the meter  < from the meter  } to the modem  { from the modem  - a note",
}
_BAR = 40


@dataclass(frozen=True, slots=True)
class Look:
    """How a session is shown."""

    home: tzinfo
    width: int = 80
    colour: bool = False
    hex: bool = True
    fields: bool = True

    def style(self, text: str, **how: bool | str) -> str:
        """Coloured where colours are wanted."""
        return click.style(text, **how) if self.colour else text  # type: ignore[arg-type]  # click's own keywords


def header_lines(
    session: SessionRecord, meter_name: str, look: Look, files: Sequence[FileRecord] = ()
) -> Iterator[str]:
    """Whose session this was, when, over what, which file it brought, and how it ended."""
    took = duration(session.ended_ms - session.started_ms) if session.ended_ms is not None else ""
    codec = f"{session.codec} {session.codec_version}".strip()
    ended = session.outcome.value if session.outcome else "still open, or the gateway was stopped in it"
    yield look.style(f"session {session.id}", bold=True)
    yield from pairs(
        [
            ("meter", f"{session.meter} {meter_name}".strip() or "not identified"),
            ("transport", f"{session.transport} {session.remote}".strip()),
            ("listener", session.listener),
            ("caller", session.caller),
            ("started", local(session.started_ms, look.home, precise=True)),
            ("took", took),
            ("outcome", f"{ended}: {session.detail}" if session.detail else ended),
            ("bytes", f"{session.bytes_received} received, {session.bytes_sent} sent"),
            ("readings", str(session.readings)),
            ("file", ", ".join(f"{one.id} {harmless(one.name)}, {one.state.value}" for one in files)),
            ("codec", codec),
            ("job", str(session.job) if session.job else ""),
            ("legend", _LEGEND[session.transport == "csd"]),
        ]
    )


def waterfall_lines(phases: Sequence[Phase], look: Look) -> Iterator[str]:
    """Where a call's time went, a bar for each part of it."""
    if not phases:
        return
    first = phases[0].at_ms
    whole = max(phase.at_ms + phase.took_ms for phase in phases) - first or 1
    for phase in phases:
        start = (phase.at_ms - first) * _BAR // whole
        length = max(round(phase.took_ms * _BAR / whole), 1)
        bar = f"{' ' * min(start, _BAR - 1)}{'█' * length}"[:_BAR]
        yield f"{phase.name:<8} {look.style(f'{bar:<{_BAR}}', fg='green')} {duration(phase.took_ms):>12}"


def chunk_lines(chunk: ChunkView, look: Look) -> Iterator[str]:
    """One chunk of the wire."""
    yield _heading(chunk, look)
    if chunk.direction is Direction.NOTE or chunk.direction.of_modem:
        return
    hex_part = [f"{_INDENT}{line}".rstrip() for line in chunk.hex_lines()] if look.hex else []
    beside = look.width >= WIDE and bool(hex_part)
    room = look.width - (_HEX_WIDTH + len(_GAP) if beside else len(_INDENT + _GAP))
    explained = list(_explained(chunk, look, room)) if look.fields else []
    if not beside:
        yield from hex_part
        yield from (f"{_INDENT}{_GAP}{line}" for line in explained)
        return
    for left, right in itertools.zip_longest(hex_part, explained, fillvalue=""):
        yield f"{left:<{_HEX_WIDTH}}{_GAP}{right}".rstrip()


def summary_line(chunks: int, faults: int, noise: int, look: Look) -> str:
    """What there was to see."""
    said = f"{chunks} entries"
    if faults or noise:
        return look.style(f"{said}, {faults} faulty frames, {noise} bytes of noise", fg="yellow")
    return f"{said}, every frame whole"


def _heading(chunk: ChunkView, look: Look) -> str:
    clock = at(chunk.at_ms).astimezone(look.home).strftime("%H:%M:%S.%f")[:-3]
    since = f"+{chunk.since_ms / 1000:.3f}"
    if chunk.since_ms >= _LATE_MS:
        since = look.style(f"{since:>9}", fg="yellow")
    head = f"{clock} {since:>9}  {chunk.direction.value}  "
    if chunk.direction is Direction.NOTE:
        note = f"\n{'':{_NOTE_WIDTH}}".join(map(harmless, chunk.note.split("\n")))  # an upload's is a dialogue
        return f"{head}{look.style(note, fg='cyan')}"
    if chunk.direction.of_modem:
        return f"{head}{look.style(f'modem: {harmless(chunk.note)}', fg='magenta')}"
    amount = "1 byte" if len(chunk.data) == 1 else f"{len(chunk.data)} bytes"
    head += f"{amount} at {chunk.offset}"
    kinds = [_kind(frame) for frame in chunk.frames if frame.kind != SENT]
    if chunk.part_of:
        kinds.append(f"part of {chunk.part_of}")
    if kinds:
        head += ": " + ", ".join(
            f"{count}× {kind}" if (count := len(list(same))) > 1 else kind for kind, same in itertools.groupby(kinds)
        )
    colour = "green" if chunk.direction is Direction.FROM_METER else "blue"
    return look.style(head, fg=colour)


def _kind(frame: FrameView) -> str:
    return f"{frame.kind} ({frame.fault})" if frame.fault else frame.kind


def _explained(chunk: ChunkView, look: Look, room: int) -> Iterator[str]:
    for frame in chunk.frames:
        if frame.kind != SENT:
            yield _frame_title(frame, chunk, look)
        yield from field_lines(frame, room)
        for one in frame.stored:
            yield look.style(f"→ stored: {harmless(one.text)}", fg="green")


def _frame_title(frame: FrameView, chunk: ChunkView, look: Look) -> str:
    title = f"{frame.kind} {frame.start}..{frame.end}"
    if frame.began_ms != chunk.at_ms:
        title += f", came within {duration(chunk.at_ms - frame.began_ms)}"
    if frame.fault:
        return look.style(f"{title}  FAULT: {frame.fault}", fg="red", bold=True)
    return look.style(title, fg="yellow") if frame.is_noise else look.style(title, bold=True)


def field_lines(frame: FrameView, room: int) -> Iterator[str]:
    """The parts of a frame within ``room`` columns: name, what the bytes say, what that means."""
    width = min(max((len(field.name) for field in frame.fields), default=0), _WIDEST_NAME)
    behind = " " * (2 + width + 2)
    for field in frame.fields:
        said = "" if field.value == field.name else field.value
        if field.meaning and field.meaning != field.value:
            said = f"{said}  {field.meaning}"
        yield from textwrap.wrap(
            harmless(f"  {field.name:<{width}}  {said.strip()}".rstrip()),
            max(room, len(behind) + _NARROWEST),
            subsequent_indent=behind,
            replace_whitespace=False,
            drop_whitespace=True,
        )


def count_trouble(chunks: Iterable[ChunkView]) -> tuple[int, int]:
    """Faulty frames, and bytes of noise."""
    faults = noise = 0
    for chunk in chunks:
        for frame in chunk.frames:
            faults += bool(frame.fault)
            noise += frame.end - frame.start if frame.is_noise else 0
    return faults, noise
