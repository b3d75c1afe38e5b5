"""Understands a conversation in a profile's protocol by listening to it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway_server.codec.codec import NOISE, Frame
from gateway_server.codec.dialogue import Found
from gateway_server.codec.meter_profile.form import Side
from gateway_server.codec.meter_profile.machine import Machine
from gateway_server.errors import CodecError, MeterRefused
from gateway_server.model import Span


class ProfileInterpreter:
    """Listens to one session: what we sent tells what the answer is, where the answer alone does not."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._awaited: frozenset[str] | None = None

    def sent(self, data: bytes) -> None:
        """What we said, of which the answers are known."""
        self._awaited = None
        framer = self._machine.compiled.framer(Side.GATEWAY)
        framer.feed(data)
        while (frame := framer.next_frame() or framer.flush()) is not None:
            if frame.kind == NOISE:
                continue
            if frame.fault:
                self._awaited = self._machine.answers_to_masked(frame)
                continue
            try:
                said = self._machine.compiled.read(frame, Side.GATEWAY)
            except CodecError:
                continue  # somebody's question that this profile does not know
            self._awaited = self._machine.answers_to(said.name)

    def received(self, frame: Frame) -> Sequence[Found]:
        """What a frame of the meter's tells. Raises `CodecError`."""
        if frame.kind == NOISE:
            return ()
        said = self._machine.compiled.read(frame, Side.METER, self._awaited)
        meaning = self._machine.meanings[said.name]
        if (refusal := meaning.refusal(said.values)) is not None:
            raise MeterRefused(str(refusal), code=refusal.code, meaning=refusal.meaning)
        return meaning.found(said.values, Span(frame.start, frame.end))
