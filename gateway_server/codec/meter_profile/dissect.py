"""A frame's parts by name, each with its place on the wire, for the eyes of an auditor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway_server.codec.codec import NOISE, SENT, Field, Frame
from gateway_server.codec.meter_profile.finishing import shown
from gateway_server.codec.meter_profile.form import Bits, Side
from gateway_server.codec.meter_profile.form import Field as FieldForm
from gateway_server.codec.meter_profile.framing import fold
from gateway_server.codec.meter_profile.layout import Seal, name_of
from gateway_server.codec.meter_profile.leaves import words_of
from gateway_server.codec.meter_profile.messages import Compiled
from gateway_server.codec.meter_profile.reading import Path, Trace
from gateway_server.errors import CodecError

_MOST_SHOWN = 80


def dissect(compiled: Compiled, frame: Frame, side: Side = Side.METER) -> Sequence[Field]:
    """The fields of a frame, which cover it; what cannot be understood is a field called ``unknown``."""
    if frame.kind != SENT:
        return _dissect(compiled, frame, side)
    framer = compiled.framer(Side.GATEWAY)
    framer.feed(frame.data)
    fields: list[Field] = []
    while (one := framer.next_frame() or framer.flush()) is not None:
        at = one.start
        fields += [
            Field(part.name, part.start + at, part.end + at, part.value, part.meaning, part.secret)
            for part in _dissect(compiled, one, Side.GATEWAY)
        ]
    return fields


def _dissect(compiled: Compiled, frame: Frame, side: Side) -> Sequence[Field]:
    layout = compiled.layouts.get(frame.kind)
    if layout is None:
        return _noise(compiled, frame, side)
    wire = fold(frame.data, compiled.profile.parity)
    opening = layout.opening(wire)
    behind = len(wire) - layout.behind
    if opening >= behind and opening + layout.behind != len(wire):
        return [Field("unknown", 0, len(wire), secret=_may_be_secret(compiled, frame, side, b""))]
    found: list[Field] = []
    if opening:
        found.append(Field("start", 0, opening, shown(wire[:opening]), frame.kind))
    coded = wire[opening:behind]
    places = layout.coding.places(coded)
    try:
        plain = layout.coding.plain(coded)
    except CodecError:
        plain, places = coded, list(range(len(coded) + 1))
    end = len(plain) - layout.tail
    if end < 0:
        withheld = _may_be_secret(compiled, frame, side, b"")
        return [one for one in (*found, Field("unknown", opening, len(wire), secret=withheld)) if one.start < one.end]
    names, trace = _traced(compiled, frame, side, plain[:end])
    name = " or ".join(names)
    withheld = len(names) != 1 and _may_be_secret(compiled, frame, side, plain[:end])
    if withheld:
        trace.fields = [seen for seen in trace.fields if seen.end <= layout.header_size]
    secret = withheld or any(seen.field.secret for seen in trace.fields)

    def place(at: int) -> int:
        return opening + places[min(at, len(places) - 1)]

    for seen in sorted(trace.fields, key=lambda one: (one.start, one.end)):
        if seen.start < seen.end <= end and (not found or place(seen.start) >= found[-1].end):
            _gap(found, place(seen.start))
            found.append(_field(seen.path, seen.field, place(seen.start), place(seen.end), seen.value, secret=secret))
    _gap(found, place(end), secret=withheld)
    at = end
    for seal in layout.inner:
        split = at + len(seal.check.separator)
        at += seal.whole
        if seal.check.separator:
            found.append(Field("separator", place(split - len(seal.check.separator)), place(split)))
        found.append(_check(seal, frame, place(split), place(at), plain[split:at], secret=secret))
    _gap(found, behind)
    at = behind + len(layout.framing.end)
    if layout.framing.end:
        found.append(Field("end", behind, at, shown(wire[behind:at])))
    for seal in layout.outer:
        at += seal.size
        found.append(_check(seal, frame, at - seal.size, at, wire[at - seal.size : at], secret=secret))
    if name and found:
        first = found[0]
        meaning = f"{first.meaning}: {name}" if first.meaning else name
        found[0] = Field(first.name, first.start, first.end, first.value, meaning, first.secret)
    return [one for one in found if one.start < one.end]


def _noise(compiled: Compiled, frame: Frame, side: Side) -> list[Field]:
    """Bytes of no frame; from where one may have begun that holds a secret, they are one."""
    size = len(frame.data)
    starts = [layout.framing.start for kind, layout in compiled.layouts.items() if _holds_secrets(compiled, kind, side)]
    data = fold(frame.data, compiled.profile.parity)
    at = min((place for start in starts if (place := data.find(start)) >= 0), default=size)
    name = "noise" if frame.kind == NOISE else "unknown"
    return [one for one in (Field(name, 0, at), Field(name, at, size, secret=True)) if one.start < one.end]


def _holds_secrets(compiled: Compiled, kind: str, side: Side) -> bool:
    return any(one.has_secrets for one in compiled.messages_in(kind, side))


def _gap(found: list[Field], until: int, *, secret: bool = False) -> None:
    at = found[-1].end if found else 0
    if at < until:
        found.append(Field("unknown", at, until, secret=secret))


def _check(seal: Seal, frame: Frame, start: int, end: int, data: bytes, *, secret: bool) -> Field:
    if secret:
        return Field("check", start, end, meaning="would give a secret away", secret=True)
    return Field("check", start, end, shown(data), frame.fault or name_of(seal.check))


def _may_be_secret(compiled: Compiled, frame: Frame, side: Side, contents: bytes) -> bool:
    """Whether a frame that is no message may hold a secret: of a damaged one not even the header is certain."""
    header = {} if frame.fault else compiled.header(frame.kind, contents)
    return any(
        one.has_secrets and (not header or one.is_meant(header)) for one in compiled.messages_in(frame.kind, side)
    )


def _traced(compiled: Compiled, frame: Frame, side: Side, contents: bytes) -> tuple[list[str], Trace]:
    """The message that a frame holds and where its fields are; of no message that which goes furthest.

    Where several fit, only those fields are told that all of them have.
    """
    best: tuple[int, Trace] = (-1, Trace())
    fitting: list[tuple[str, Trace]] = []
    header = compiled.header(frame.kind, contents)
    for one in compiled.messages_in(frame.kind, side):
        if not one.is_meant(header):
            continue
        trace = Trace()
        try:
            one.read(contents, trace)
        except CodecError:
            reached = max((seen.end for seen in trace.fields), default=0)
            best = max(best, (reached, trace), key=lambda pair: pair[0])
        else:
            fitting.append((one.message.name, trace))
    if not fitting:
        return [], best[1]
    names, traces = [name for name, _ in fitting], [trace for _, trace in fitting]
    common = Trace()
    common.fields = [seen for seen in traces[0].fields if all(seen in trace.fields for trace in traces[1:])]
    return names, common if len(traces) > 1 else traces[0]


def _field(path: Path, form: FieldForm, start: int, end: int, value: object, *, secret: bool) -> Field:
    if form.secret or (secret and form.check is not None):
        return Field(path_text(path), start, end, secret=True)
    text = _text(value)
    word = words_of(form.type, form.words)
    meaning = word(value) if word is not None and value is not None else form.about
    if isinstance(form.type, Bits) and isinstance(value, int):
        meaning = " ".join(
            f"{part.name}={value >> part.span.low & ((1 << part.span.width) - 1)}" for part in form.type.parts
        )
    return Field(path_text(path), start, end, text, meaning)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    text = value if isinstance(value, str) else shown(value)
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "..."


def path_text(path: Path) -> str:
    """The name of a field within groups: ``rows[3].volume``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
