"""Where each part of a profile comes from: what is proven, what is a guess, and what nobody has said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway_server.codec.meter_profile.form import (
    Ask,
    Choice,
    Field,
    Group,
    Listen,
    Loop,
    MeterProfile,
    Origin,
    Part,
    ReadArchive,
    Source,
    Step,
)


@dataclass(frozen=True, slots=True)
class Sourced:
    """A part and where it comes from; a part that does not say it is as sure as what it stands in."""

    what: str
    source: Source


def sources(profile: MeterProfile) -> Iterator[Sourced]:
    """Every framing, check, message, field, row and step, with its source."""
    for framing in profile.framings:
        source = _nearest(framing.source, profile.source)
        yield Sourced(f"framing {framing.name}", source)
        yield from _parts(framing.header, f"framing {framing.name}", source)
        for check in framing.checks:
            yield Sourced(f"framing {framing.name}: check", _nearest(check.source, source))
    for message in profile.messages:
        source = _nearest(message.source, profile.source)
        yield Sourced(f"message {message.name}", source)
        yield from _parts(message.parts, f"message {message.name}", source)
        for number, row in enumerate(message.rows, 1):
            here = _nearest(row.source, source)
            yield Sourced(f"message {message.name}: rows {number}", here)
            for value in row.values:
                yield Sourced(f"message {message.name}: rows {number}: {value.value}", _nearest(value.source, here))
        for number, event in enumerate(message.events, 1):
            yield Sourced(f"message {message.name}: events {number}", _nearest(event.source, source))
    for name, steps in (("answer", profile.answer), ("read", profile.read)):
        yield from _steps(steps or (), name, profile.source)


def _nearest(own: Source, outer: Source) -> Source:
    return outer if own.origin is Origin.UNSTATED else own


def _parts(parts: Iterable[Part], where: str, outer: Source) -> Iterator[Sourced]:
    for part in parts:
        source = _nearest(part.source, outer)
        match part:
            case Field(name):
                yield Sourced(f"{where}: {name}", source)
            case Group(name, inner):
                yield Sourced(f"{where}: {name}", source)
                yield from _parts(inner, f"{where}: {name}", source)
            case Choice(on, cases, otherwise):
                for _, case in cases:
                    yield from _parts(case, f"{where}: {on}", source)
                yield from _parts(otherwise or (), f"{where}: {on}", source)


def _steps(steps: Iterable[Step], where: str, outer: Source) -> Iterator[Sourced]:
    for number, step in enumerate(steps, 1):
        match step:
            case Listen() | Ask() | ReadArchive():
                yield Sourced(f"{where} {number}", _nearest(step.source, outer))
            case Loop(steps=inner):
                yield from _steps(inner, f"{where} {number}", outer)
            case _:
                continue
