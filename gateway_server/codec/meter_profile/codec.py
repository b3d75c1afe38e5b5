"""The codec that runs a profile: the same interface as one written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gateway_server.codec.codec import Field, Frame
from gateway_server.codec.dialogue import Dialogue
from gateway_server.codec.meter_profile.dialogue import Conversation
from gateway_server.codec.meter_profile.dissect import dissect
from gateway_server.codec.meter_profile.form import Ask, Loop, MeterProfile, Origin, ReadArchive, Side, Step
from gateway_server.codec.meter_profile.framing import ProfileFramer
from gateway_server.codec.meter_profile.interpreter import ProfileInterpreter
from gateway_server.codec.meter_profile.machine import Machine
from gateway_server.codec.meter_profile.messages import Said
from gateway_server.errors import CodecError
from gateway_server.model import KnownMeter

LANGUAGE = "1"
"""Of what a profile means here; a codec's version is this and the profile's own."""

PROBE_SETTINGS = ((19200, "8N1"), (9600, "8N1"), (9600, "8E1"), (2400, "8E1"))
"""Speeds at which `read --probe` tries a profile that asks."""


class ProfileCodec:
    """The codec of one profile: no state of its own."""

    def __init__(self, profile: MeterProfile) -> None:
        self.name = profile.name
        self.version = f"{LANGUAGE}.{profile.version}"
        self.profile = profile
        self.probe_settings = () if profile.source.origin is Origin.INVENTED else PROBE_SETTINGS
        self.machine = Machine(profile)

    def framer(self) -> ProfileFramer:
        """A framer for what the meter says in one session."""
        return self.machine.compiled.framer(Side.METER)

    def interpreter(self) -> ProfileInterpreter:
        """A listener for one session."""
        return ProfileInterpreter(self.machine)

    def dissect(self, frame: Frame) -> Sequence[Field]:
        """The frame's fields."""
        return dissect(self.machine.compiled, frame)

    def dissect_as(self, frame: Frame, side: Side) -> Sequence[Field]:
        """The fields of a frame that this side said."""
        return dissect(self.machine.compiled, frame, side)

    def decode(self, frame: Frame) -> Said:
        """The frame as a message. Raises `CodecError`."""
        return self.machine.compiled.decode(frame)

    def encode(self, message: object) -> bytes:
        """The wire bytes of what `decode` gave. Raises `CodecError`."""
        if not isinstance(message, Said):
            raise CodecError(f"{message!r} is no message of {self.name}")
        return self.machine.compiled.encode(message.name, message.values, message.odd)


class Answering(ProfileCodec):
    """One whose meters speak first."""

    def answer(self) -> Dialogue:
        """The meter has called us."""
        return Conversation(self.machine, None).run(self.profile.answer or ())


class Asking(ProfileCodec):
    """One whose meters wait to be asked."""

    def archives(self, meter: KnownMeter) -> Sequence[str] | None:
        """Those that its ``read`` names; None if it has questions for archives that do not name them."""
        steps = tuple(_all_steps(self.profile.read or ()))
        if any(isinstance(step, Ask) and step.want == "archive" for step in steps):
            return None
        read = (step for step in steps if isinstance(step, ReadArchive) and step.ask.want != "events")
        return tuple(dict.fromkeys(step.archive for step in read))

    def read(self, expected: KnownMeter | None) -> Dialogue:
        """Says the steps of ``read``."""
        return Conversation(self.machine, expected).run(self.profile.read or ())


class AnsweringAndAsking(Answering, Asking):
    """One whose meters do both."""


def _all_steps(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, Loop):
            yield from _all_steps(step.steps)


def make_codec(profile: MeterProfile) -> ProfileCodec:
    """The codec of a profile: it can do what the profile has dialogues for, and always listen."""
    if profile.answer is not None and profile.read is not None:
        return AnsweringAndAsking(profile)
    if profile.answer is not None:
        return Answering(profile)
    return Asking(profile) if profile.read is not None else ProfileCodec(profile)
