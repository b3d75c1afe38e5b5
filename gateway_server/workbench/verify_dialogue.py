"""Would a meter profile answer as the head-end system in a capture did? Its dialogue against what the meter said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

from gateway_server.codec.codec import NOISE, Answers, Frame
from gateway_server.codec.dialogue import Dialogue, Event, Findings, Identify, Note, Reading, Receive, Row, Send
from gateway_server.codec.hexdump import spaced
from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.meter_profile.discretion import fields_in, said_in
from gateway_server.codec.meter_profile.form import Given, MeterProfile, Side
from gateway_server.errors import CodecError, GatewayError, LineLost, MeterRefused
from gateway_server.model import KnownMeter, Saved
from gateway_server.workbench.replay import same_serial
from gateway_server.workbench.verify import Check

REPLIES, DIALOGUE, IDENTITY = "replies", "dialogue", "identity"
_MOST_SHOWN = 32
_MOST_COMPARED = 500
"""So many replies behind the first that differs are looked through for where they agree again."""
_UNKNOWN = frozenset({Given.ADDRESS, Given.ACCESS_CODE, Given.MEMORY})
"""What is known of a meter and stands in no capture."""


def check_dialogue(
    codec: ProfileCodec, heard: Sequence[Frame], said: Sequence[Frame], meter: KnownMeter | None
) -> Iterator[Check]:
    """The checks of a call: ``heard`` are the meter's frames, ``said`` those that it got."""
    if not isinstance(codec, Answers):
        return
    talk = _Talk(codec, heard, meter)
    talk.play(codec.answer())
    if talk.ended:
        yield Check(DIALOGUE, False, f"a session like this would not be whole: {talk.ended}")
    if talk.by_line:
        told = "no message tells which meter it is: its listener has to know it by registration or address"
        yield Check(IDENTITY, True, told, True)
    if not talk.sent and not said:
        return
    if not said:
        yield Check(
            REPLIES, True, f"nothing to check: the meter got no reply here, it would get {len(talk.sent)}", True
        )
        return
    yield _compared(codec, talk.sent, said)


class _Talk:
    """A dialogue with the frames of a capture in the meter's place; what it says goes nowhere."""

    def __init__(self, codec: ProfileCodec, heard: Sequence[Frame], meter: KnownMeter | None) -> None:
        self._heard = iter(heard)
        self._meter = meter
        self.sent: list[Send] = []
        self.ended = ""
        """Why it did not end well; empty if it did."""
        self.by_line = False
        """Whether nothing that was said tells which meter it is."""

    def play(self, dialogue: Dialogue) -> None:
        """Goes through it until it ends, or the capture does."""
        answer: object = None
        error: GatewayError | None = None
        try:
            while True:
                wish = dialogue.throw(error) if error else dialogue.send(answer)
                answer, error = None, None
                match wish:
                    case Receive():
                        answer = next((one for one in self._heard if _is_wanted(one, wish)), None)
                        error = None if answer else LineLost("the capture ends here")
                    case Send():
                        self.sent.append(wish)
                    case Identify():
                        self.by_line = self.by_line or wish.by_line
                        answer = self._known(wish)
                    case Findings() | Row() | Reading() | Event():
                        answer = Saved(new=1)
                    case Note():
                        pass
        except StopIteration as end:
            self.ended = "" if end.value is None else end.value.reason
        except (LineLost, MeterRefused):
            pass
        except CodecError as wrong:
            self.ended = str(wrong)

    def _known(self, said: Identify) -> KnownMeter:
        meter, serial = self._meter, said.serial.strip()
        return meter if meter and (said.by_line or same_serial(meter.serial, serial)) else KnownMeter(serial)


def _is_wanted(frame: Frame, wish: Receive) -> bool:
    if frame.kind == NOISE:
        return wish.noise
    return wish.kinds is None or frame.kind in wish.kinds


def _compared(codec: ProfileCodec, ours: Sequence[Send], theirs: Sequence[Frame]) -> Check:
    """Message by message; replies that come behind the end of the capture are no difference."""
    by_name = _depend_on_the_unknown(codec.profile)
    got = [_key(codec, frame.data, by_name) for frame in theirs]
    masked = frozenset(got)
    said = [
        shown if (shown := _key(codec, one.shown or one.data, by_name)) in masked else _key(codec, one.data, by_name)
        for one in ours
    ]
    same = next((at for at, (one, other) in enumerate(zip(said, got, strict=False)) if one != other), None)
    same = min(len(said), len(got)) if same is None else same
    first, last = same, same + _MOST_COMPARED
    different: list[str] = []
    for kind, a, b, c, d in SequenceMatcher(None, said[first:last], got[first:last], autojunk=False).get_opcodes():
        if kind == "equal":
            same += b - a
        elif d > c or first + d < len(got):
            would = _told(codec, [one.shown or one.data for one in ours[first + a : first + b]])
            has = _told(codec, _data(theirs[first + c : first + d]))
            different.append(f"the meter got {has} where it would get {would}")
    if different and len(got) > last:
        return Check(REPLIES, False, f"the first {first} are those that the meter got; then {different[0]}")
    detail = f"{same} of {len(got)} are those that the meter got"
    if different:
        more = f", and {len(different) - 1} more differences" if len(different) > 1 else ""
        return Check(REPLIES, False, f"{detail}; {different[0]}{more}")
    return Check(REPLIES, True, detail)


def _data(frames: Iterable[Frame]) -> list[bytes]:
    return [frame.data for frame in frames]


def _key(codec: ProfileCodec, data: bytes, by_name: frozenset[str]) -> str:
    """What makes a message the same one: its bytes, or its name if no capture can tell what stands in it."""
    name = _name(codec, data)
    return name if name in by_name else data.hex()


def _name(codec: ProfileCodec, data: bytes) -> str:
    framer = codec.machine.compiled.framer(Side.GATEWAY)
    framer.feed(data)
    frame = framer.next_frame() or framer.flush()
    if frame is None:
        return ""
    try:
        return codec.machine.compiled.read(frame, Side.GATEWAY).name
    except CodecError:
        return codec.machine.masked(frame, Side.GATEWAY)


def _told(codec: ProfileCodec, messages: Sequence[bytes]) -> str:
    if not messages:
        return "nothing"
    data = messages[0]
    text = spaced(data[:_MOST_SHOWN]) + (" ..." if len(data) > _MOST_SHOWN else "")
    name = _name(codec, data)
    more = f" and {len(messages) - 1} more" if len(messages) > 1 else ""
    return f"{text} ({name}){more}" if name else f"{text}{more}"


def _depend_on_the_unknown(profile: MeterProfile) -> frozenset[str]:
    """The messages of ours in which something stands that no capture tells: an address, an access code, a memory."""
    unknown = {one.name for one in profile.variables if one.given in _UNKNOWN}
    said = list(said_in((*(profile.answer or ()), *(profile.read or ()))))
    before = -1
    while before != len(unknown):
        before = len(unknown)
        unknown |= {name for message, name, expression in said if not message and expression.names & unknown}
    found = {message for message, _, expression in said if message and expression.names & unknown}
    for one in profile.messages:
        if any(field.value is not None and field.value.names & unknown for field in fields_in(one.parts)):
            found.add(one.name)
    return frozenset(found)
