"""A whole profile, compiled once: frames to messages and back, by whichever side says them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from gateway_server.codec.codec import Frame
from gateway_server.codec.meter_profile.building import Builder
from gateway_server.codec.meter_profile.discretion import has_secrets
from gateway_server.codec.meter_profile.form import Constant, Message, MeterProfile, Parity, Side
from gateway_server.codec.meter_profile.framing import Cutter, ProfileFramer, cutters_of, fold, unfold
from gateway_server.codec.meter_profile.layout import Layout
from gateway_server.codec.meter_profile.naming import marks_of
from gateway_server.codec.meter_profile.parts import sequence
from gateway_server.codec.meter_profile.reading import Path, Reader, Trace, Values
from gateway_server.errors import ChecksumError, CodecError

_NOTHING_ODD: Mapping[Path, bytes] = MappingProxyType({})


class Said(NamedTuple):
    """A message with its values. ``odd`` holds the bytes of those fields that their value alone would not give."""

    name: str
    values: Values
    odd: Mapping[Path, bytes] = _NOTHING_ODD


class CompiledMessage:
    """One message of a profile, with what reads and builds it."""

    def __init__(self, message: Message, layout: Layout) -> None:
        self.message = message
        self.name = message.name
        self.layout = layout
        header = layout.framing.header
        parts = (*header, *message.parts)
        self._when: tuple[tuple[str, frozenset[Constant]], ...] = tuple(
            (name, frozenset(values)) for name, values in message.when
        )
        self.has_secrets = has_secrets(message, layout.framing)
        self._read = sequence(parts, marks_of(parts))
        self._is_empty = not parts
        self.builder = Builder(message, layout)

    def is_meant(self, header: Values) -> bool:
        """Whether a header is that of this message."""
        return all(header.get(name) in allowed for name, allowed in self._when)

    def read(self, contents: bytes, trace: Trace | None = None) -> Values:
        """The values in header and body. Raises `CodecError`."""
        values: Values = {}
        end = len(contents)
        reached = 0 if self._is_empty else self._read(contents, 0, end, values, trace)
        if reached != end:
            raise CodecError(f"{end - reached} bytes more than {self.message.name} has")
        return values


def _is_only(known: Sequence[CompiledMessage]) -> bool:
    """Whether in such frames there is one message, whatever the header says."""
    return len(known) == 1 and not known[0].message.when


class Compiled:
    """A profile ready to run: no state of its own."""

    def __init__(self, profile: MeterProfile) -> None:
        self.profile = profile
        self.layouts = {
            framing.name: Layout(
                framing,
                discreet=any(has_secrets(one, framing) for one in profile.messages if one.framing == framing.name),
            )
            for framing in profile.framings
        }
        self.messages = {one.name: CompiledMessage(one, self.layouts[one.framing]) for one in profile.messages}
        self._headers: dict[str, Reader] = {
            framing.name: sequence(framing.header)
            for framing in profile.framings
            if framing.header and any(one.when for one in profile.messages if one.framing == framing.name)
        }
        self._cutters = {side: cutters_of(profile, self.layouts, side) for side in Side}
        self._known = {
            (framing.name, side): [
                one
                for one in self.messages.values()
                if one.message.framing == framing.name and one.message.side.speaks(side)
            ]
            for framing in profile.framings
            for side in Side
        }
        plain = profile.parity is Parity.NONE
        self._only = {place: found[0] for place, found in self._known.items() if plain and _is_only(found)}

    def framer(self, side: Side = Side.METER) -> ProfileFramer:
        """Cuts what one side says."""
        return ProfileFramer(self.cutters(side), self.profile.parity)

    def cutters(self, side: Side) -> Sequence[Cutter]:
        """The framings in which one side speaks."""
        return self._cutters[side]

    def messages_in(self, kind: str, side: Side) -> Sequence[CompiledMessage]:
        """The messages that this side says in this framing."""
        return self._known.get((kind, side), ())

    def read(self, frame: Frame, side: Side = Side.METER, among: frozenset[str] | None = None) -> Said:
        """The message in a frame: any that the side says, or one of those that are awaited.

        Raises `CodecError` that tells what is wrong, or that two messages fit.
        """
        if frame.fault:
            raise ChecksumError(f"the frame {frame.kind} is damaged: {frame.fault}")
        if among is None and (only := self._only.get((frame.kind, side))) is not None:
            return Said(only.name, only.read(only.layout.contents(frame.data)))
        layout = self.layouts.get(frame.kind)
        if layout is None:
            raise CodecError(f"{frame.kind} is no frame of {self.profile.name}")
        wire = frame.data if self.profile.parity is Parity.NONE else fold(frame.data, self.profile.parity)
        contents = layout.contents(wire)
        known: Sequence[CompiledMessage] = self._known[frame.kind, side]
        if among is not None:
            known = [one for one in known if one.message.name in among]
        header = self.header(frame.kind, contents)
        meant = [one for one in known if one.is_meant(header)]
        if len(meant) == 1:
            return Said(meant[0].name, meant[0].read(contents))
        return self._which(frame.kind, meant, contents)

    def header(self, kind: str, contents: bytes) -> Values:
        """What the header says, if any message is known by that; nothing if it cannot be read."""
        reader = self._headers.get(kind)
        values: Values = {}
        if reader is not None:
            try:
                reader(contents, 0, len(contents), values, None)
            except CodecError:
                values.clear()
        return values

    def _which(self, kind: str, meant: Sequence[CompiledMessage], contents: bytes) -> Said:
        fitting: list[Said] = []
        why: list[str] = []
        for one in meant:
            try:
                fitting.append(Said(one.name, one.read(contents)))
            except CodecError as error:
                why.append(f"{one.name}: {error}")
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            names = " and ".join(said.name for said in fitting)
            raise CodecError(f"the frame {kind} matches two messages, {names}: none of them is read")
        raise CodecError(f"the frame {kind} is no message that the profile knows{': ' if why else ''}{'; '.join(why)}")

    def decode(self, frame: Frame, side: Side = Side.METER, among: frozenset[str] | None = None) -> Said:
        """The message in a frame, so that `encode` gives the frame's very bytes. Raises `CodecError`."""
        said = self.read(frame, side, among)
        one = self.messages[said.name]
        contents = one.layout.contents(fold(frame.data, self.profile.parity))
        trace = Trace()
        one.read(contents, trace)
        odd = one.builder.odd(trace)
        result = Said(said.name, said.values, odd)
        if self.encode(said.name, said.values, odd) != frame.data:
            raise CodecError(f"the frame {frame.kind} is not put together as the profile would put it")
        return result

    def encode(
        self, name: str, values: Values, odd: Mapping[Path, bytes] | None = None, known: Values | None = None
    ) -> bytes:
        """The wire bytes of a message with these values; ``known`` is what its ``value`` expressions may look at.

        Raises `CodecError` for what is missing or does not fit.
        """
        one = self.messages.get(name)
        if one is None:
            raise CodecError(f"{self.profile.name} has no message {name!r}")
        return unfold(one.layout.build(one.builder.contents(values, odd or {}, known or {})), self.profile.parity)

    def loosely(self, frame: Frame, name: str) -> dict[str, Any]:
        """As many of a message's values as a damaged frame still shows: nothing of it is certain."""
        one = self.messages[name]
        values: Values = {}
        trace = Trace()
        try:
            contents = one.layout.contents(fold(frame.data, self.profile.parity))
            one.read(contents, trace)
        except CodecError:
            pass
        for seen in trace.fields:
            values[seen.field.name] = seen.value
        return values
