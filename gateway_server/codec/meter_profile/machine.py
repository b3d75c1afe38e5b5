"""A compiled profile with what its messages mean and what is asked: shared by all its sessions, without state."""

from __future__ import annotations

from collections.abc import Sequence

from gateway_server.codec.codec import Frame
from gateway_server.codec.dialogue import Send
from gateway_server.codec.meter_profile.discretion import has_secrets
from gateway_server.codec.meter_profile.dissect import dissect
from gateway_server.codec.meter_profile.echo import CHECK, Echo
from gateway_server.codec.meter_profile.elements import last, sometimes_within
from gateway_server.codec.meter_profile.form import (
    Ask,
    Loop,
    MeterProfile,
    ReadArchive,
    Side,
    Step,
)
from gateway_server.codec.meter_profile.framing import fold
from gateway_server.codec.meter_profile.meaning import Meaning
from gateway_server.codec.meter_profile.messages import Compiled, CompiledMessage, Said
from gateway_server.codec.meter_profile.reading import Values
from gateway_server.errors import CodecError
from gateway_server.model import Identify

_HIDDEN = ord("*")
RETRIES = 2


class Machine:
    """Everything that a profile's dialogues and interpreters share."""

    def __init__(self, profile: MeterProfile) -> None:
        self.profile = profile
        self.compiled = Compiled(profile)
        self.meanings = {one.name: Meaning(one, profile) for one in profile.messages}
        self._within = {one.name: sometimes_within(one.parts) for one in profile.messages}
        self.tells_who = any(one.identifies for one in self.meanings.values())
        """Whether the protocol says which meter it is; with some only the line does."""
        self.echo = Echo(profile, self.compiled.layouts)
        self._refusals = frozenset(one.name for one in profile.messages if one.refusal is not None)
        self._answers = _answers((*(profile.read or ()), *(profile.answer or ())))
        gaps = [one.gap for one in profile.framings if one.gap and one.side.speaks(Side.METER)]
        self.gap = max(gaps) if gaps else None
        """How long a silence ends a frame, if a frame of the meter's ends so."""
        self._has_secrets = frozenset(
            one.name for one in profile.messages if has_secrets(one, profile.framing(one.framing))
        )

    def awaited(self, names: Sequence[str]) -> frozenset[str]:
        """These messages, and those by which the meter refuses."""
        return frozenset(names) | self._refusals

    def retries_of(self, step: Ask) -> int:
        """How often a question is asked again. What holds a secret is not: a meter locks itself after wrong codes."""
        if step.send is None:
            return 0
        if step.retries is not None:
            return step.retries
        return 0 if step.send.message in self._has_secrets else RETRIES

    def kinds_of(self, names: frozenset[str]) -> frozenset[str]:
        """The framings in which these messages stand."""
        return frozenset(self.profile.message(name).framing for name in names)

    def told_by(self, said: Said) -> Values:
        """What a message leaves for what is said next: its values, of repeated groups the last of each."""
        ways = self._within[said.name]
        if not ways:
            return said.values
        found = {name: last(said.values, name, way) for name, way in ways.items()}
        return {**{name: value for name, value in found.items() if value is not None}, **said.values}

    def answers_to(self, name: str) -> frozenset[str] | None:
        """What the meter may say to a message of ours; None if that is no question of the dialogues."""
        found = self._answers.get(name)
        return None if found is None else found | self._refusals

    def answers_to_masked(self, frame: Frame) -> frozenset[str] | None:
        """The same for a message of ours in which the log hides a secret, and with that its check."""
        name = self.masked(frame, Side.GATEWAY)
        return self.answers_to(name) if name else None

    def masked(self, frame: Frame, side: Side) -> str:
        """The message that a frame is from which a secret, and with that its check, was taken out; empty if none is."""
        meant = [
            one
            for one in self.compiled.messages_in(frame.kind, side)
            if one.has_secrets and one.is_meant(self._header_of(frame, one))
        ]
        if len(meant) != 1:
            return ""
        hidden = [one for one in dissect(self.compiled, frame, side) if one.secret]
        checks = [one for one in hidden if one.name == CHECK]
        parts = [frame.data[one.start : one.end] for one in checks or hidden]
        is_masked = all(set(one) == {_HIDDEN} for one in parts) if checks else any(_HIDDEN in one for one in parts)
        return meant[0].name if parts and is_masked else ""

    def _header_of(self, frame: Frame, message: CompiledMessage) -> Values:
        try:
            return self.compiled.header(frame.kind, message.layout.contents(fold(frame.data, self.profile.parity)))
        except CodecError:
            return {}

    def speaks_utc(self, step: ReadArchive) -> bool:
        """Whether the rows of an archive tell their times in UTC."""
        messages = [self.profile.message(name) for name in step.ask.receive]
        return any(row.utc for one in messages for row in one.rows) or any(
            event.utc for one in messages for event in one.events
        )

    def identity_of(self, serial: str) -> Identify:
        """A meter whose protocol does not tell who it is: the one we called, or that whose line it is."""
        return Identify(serial, self.profile.manufacturer, self.profile.model, by_line=not serial)

    def send(self, name: str, given: Values, known: Values) -> Send:
        """A message of ours as a wish; what is secret in it is hidden in the log. Raises `CodecError`."""
        data = self.compiled.encode(name, given, known=known)
        return Send(data, self._hidden(name, data)) if name in self._has_secrets else Send(data)

    def _hidden(self, name: str, data: bytes) -> bytes:
        """How a message is logged; so that it is known again, whatever does not give the secret away stays."""
        hidden = bytearray(data)
        frame = Frame(self.profile.message(name).framing, data)
        for field in dissect(self.compiled, frame, Side.GATEWAY):
            if field.secret:
                hidden[field.start : field.end] = bytes([_HIDDEN]) * (field.end - field.start)
        return bytes(hidden)

    def loosely(self, frame: Frame) -> Values:
        """What a damaged frame still shows of any message that the meter says in its framing."""
        best: Values = {}
        for one in self.compiled.messages_in(frame.kind, Side.METER):
            found = self.compiled.loosely(frame, one.message.name)
            if len(found) > len(best):
                best = found
        return best


def _answers(steps: Sequence[Step]) -> dict[str, frozenset[str]]:
    """What may follow each message of ours, by the dialogues."""
    found: dict[str, frozenset[str]] = {}
    for step in steps:
        match step:
            case Ask(send=send, receive=receive) if send is not None and receive:
                found[send.message] = found.get(send.message, frozenset()) | frozenset(receive)
            case ReadArchive(ask=Ask(send=send, receive=receive)) if send is not None:
                found[send.message] = found.get(send.message, frozenset()) | frozenset(receive)
            case Loop(steps=inner):
                for name, answers in _answers(inner).items():
                    found[name] = found.get(name, frozenset()) | answers
            case _:
                continue
    return found
