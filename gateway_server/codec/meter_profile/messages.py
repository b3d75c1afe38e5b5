"""A whole profile, compiled once: frames to messages and back, by whichever side says them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway_server.codec.codec import Frame
from gateway_server.codec.meter_profile.building import Builder
from gateway_server.codec.meter_profile.form import Constant, Message, MeterProfile, Parity, Side
from gateway_server.codec.meter_profile.framing import Cutter, ProfileFramer, cutters_of, fold, unfold
from gateway_server.codec.meter_profile.layout import Layout
from gateway_server.codec.meter_profile.parts import Path, Reader, Trace, Values, marks_of, sequence
from gateway_server.errors import ChecksumError, CodecError


@dataclass(frozen=True, slots=True)
class Said:
    """A message with its values. ``odd`` holds the bytes of those fields that their value alone would not give."""

    message: Message = field(repr=False)
    values: Values
    odd: dict[Path, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The message's name."""
        return self.message.name


class CompiledMessage:
    """One message of a profile, with what reads and builds it."""

    def __init__(self, message: Message, layout: Layout) -> None:
        self.message = message
        self.layout = layout
        header = layout.framing.header
        parts = (*header, *message.parts)
        self._when: tuple[tuple[str, frozenset[Constant]], ...] = tuple(
            (name, frozenset(values)) for name, values in message.when
        )
        self._header: Reader | None = sequence(header, frozenset()) if header and self._when else None
        self._read = sequence(parts, marks_of(parts))
        self._is_empty = not parts
        self.builder = Builder(message, layout)

    def is_meant(self, contents: bytes) -> bool:
        """Whether the header is that of this message."""
        if self._header is None:
            return True
        values: Values = {}
        try:
            self._header(contents, 0, len(contents), values, None)
        except CodecError:
            return False
        return all(values.get(name) in allowed for name, allowed in self._when)

    def read(self, contents: bytes, trace: Trace | None = None) -> Values:
        """The values in header and body. Raises `CodecError`."""
        values: Values = {}
        end = len(contents)
        reached = 0 if self._is_empty else self._read(contents, 0, end, values, trace)
        if reached != end:
            raise CodecError(f"{end - reached} bytes more than {self.message.name} has")
        return values


class Compiled:
    """A profile ready to run: no state of its own."""

    def __init__(self, profile: MeterProfile) -> None:
        self.profile = profile
        self.layouts = {framing.name: Layout(framing) for framing in profile.framings}
        self.messages = {one.name: CompiledMessage(one, self.layouts[one.framing]) for one in profile.messages}
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
        layout = self.layouts.get(frame.kind)
        if layout is None:
            raise CodecError(f"{frame.kind} is no frame of {self.profile.name}")
        wire = frame.data if self.profile.parity is Parity.NONE else fold(frame.data, self.profile.parity)
        contents = layout.contents(wire)
        known: Sequence[CompiledMessage] = self._known[frame.kind, side]
        if among is not None:
            known = [one for one in known if one.message.name in among]
        if len(known) == 1 and known[0].is_meant(contents):
            return Said(known[0].message, known[0].read(contents))
        return self._which(frame.kind, known, contents)

    def _which(self, kind: str, known: Sequence[CompiledMessage], contents: bytes) -> Said:
        fitting: list[Said] = []
        why: list[str] = []
        for one in known:
            if not one.is_meant(contents):
                continue
            try:
                fitting.append(Said(one.message, one.read(contents)))
            except CodecError as error:
                why.append(f"{one.message.name}: {error}")
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            names = " and ".join(said.name for said in fitting)
            raise CodecError(f"the frame {kind} matches two messages, {names}: none of them is read")
        raise CodecError(f"the frame {kind} is no message that the profile knows{': ' if why else ''}{'; '.join(why)}")

    def decode(self, frame: Frame, side: Side = Side.METER) -> Said:
        """The message in a frame, so that `encode` gives the frame's very bytes. Raises `CodecError`."""
        said = self.read(frame, side)
        one = self.messages[said.name]
        contents = one.layout.contents(fold(frame.data, self.profile.parity))
        trace = Trace()
        one.read(contents, trace)
        odd = one.builder.odd(trace)
        result = Said(said.message, said.values, odd)
        if self.encode(said.name, said.values, odd) != frame.data:
            raise CodecError(f"the frame {frame.kind} is not put together as the profile would put it")
        return result

    def encode(
        self, name: str, values: Values, odd: dict[Path, bytes] | None = None, known: Values | None = None
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
