"""What a session hears, before anybody answers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock

from gateway_server.codec.codec import NOISE, Frame
from gateway_server.codec.dialogue import Dialogue, Drain, Note, Receive, Send
from gateway_server.errors import LineLost, MeterSilent
from gateway_server.model import Identify, KnownMeter, Reading
from gateway_server.session.hearing import MOST_UNREAD, PIECES_AT_ONCE
from gateway_server.session.plan import Plan, Role
from gateway_server.session.remarks import GIVEN_UP
from gateway_server.session.session import Session
from gateway_server.store.writer import DirectWriter
from gateway_server.testing.held_writer import HeldWriter
from tests.session.conversations import VOLUME, Scene, ToyCodec


def test_bytes_before_the_codec_is_chosen_are_the_first_it_sees() -> None:
    scene = Scene()
    session = scene.session()
    session.received(b"SN=41203377\r\nV")
    session.begin(Plan((ToyCodec(),), Role.LISTEN))
    session.received(b"=1\r\n")
    assert scene.values() == ["1"]


def test_one_timer_serves_many_waits() -> None:
    scene = Scene()
    session = scene.session(Role.ASK)
    before = len(scene.clock.getDelayedCalls())
    for byte in b"SN=41203377":
        session.received(bytes([byte]))
        scene.clock.advance(0.01)
    assert len(scene.clock.getDelayedCalls()) == before == 1


class Waiting(ToyCodec):
    """Waits for one line that may not become long, and says what came of it."""

    def read(self, expected: KnownMeter | None) -> Dialogue:
        try:
            frame = yield Receive(timeout=20, gap=5, most=60)
        except MeterSilent as silence:
            yield Note(f"silence: {silence}")
            return None
        yield Note(f"{frame.kind} of {len(frame.data)} bytes")
        return None


def notes(scene: Scene) -> list[str]:
    return [data.decode() for kind, data in scene.log() if kind == "-"]


def test_answer_that_becomes_too_long_is_given_up_however_steadily_it_comes() -> None:
    scene = Scene()
    session = scene.session(Role.ASK, Waiting())
    for _ in range(6):
        session.received(b"ten bytes ")
        scene.clock.advance(0.5)
    assert notes(scene) == []
    session.received(b"one more")
    assert session.over
    assert notes(scene) == [GIVEN_UP, "silence: 68 bytes came, and among them no answer, which has 60 at most"]


def test_answer_that_trickles_is_given_up_when_the_slowest_line_had_brought_it() -> None:
    scene = Scene()
    session = scene.session(Role.ASK, Waiting())
    seconds = 0
    while not session.over:
        assert seconds < 30
        session.received(b".")
        scene.clock.advance(1)
        seconds += 1
    assert seconds == 22  # 20 s for the first byte, and 60 characters at 300 Bd take 2 s
    assert "silence: nothing complete came within 20 s" in notes(scene)


def test_answer_within_its_bounds_is_heard() -> None:
    scene = Scene()
    session = scene.session(Role.ASK, Waiting())
    session.received(b"." * 40)
    scene.clock.advance(4)
    session.received(b"." * 10 + b"\r\n")
    assert notes(scene) == ["line of 52 bytes"]


# a framer that has to look hard at every byte


class Pondering:
    """Cuts noise into single bytes, and whatever stands between brackets into frames; counts how often it looked."""

    def __init__(self, codec: PonderingCodec) -> None:
        self._codec = codec
        self._waiting = b""
        self._start = 0

    def feed(self, data: bytes) -> None:
        self._waiting += data

    def next_frame(self) -> Frame | None:
        self._codec.looked += 1
        size = self._waiting.find(b"]") + 1 if self._waiting.startswith(b"[") else 1
        return self._cut("frame" if size > 1 else NOISE, size) if size and self._waiting else None

    def flush(self) -> Frame | None:
        frame = self.next_frame()
        return frame or (self._cut(NOISE, 1) if self._waiting else None)

    def _cut(self, kind: str, size: int) -> Frame:
        frame = Frame(kind, self._waiting[:size], self._start)
        self._waiting = self._waiting[size:]
        self._start += size
        return frame


class PonderingCodec(ToyCodec):
    """A codec whose framer ponders, and the dialogue of the test."""

    def __init__(self, dialogue: Dialogue) -> None:
        super().__init__()
        self._dialogue = dialogue
        self.looked = 0

    def framer(self) -> Pondering:  # type: ignore[override]  # the toy's framer is another one
        return Pondering(self)

    def answer(self) -> Dialogue:
        return self._dialogue


TURN = 0.0001


class TurningClock(Clock):
    """What is to happen at once happens in the next turn, as with a reactor."""

    def callLater(self, delay: float, callable: Callable[..., object], *args: object, **kw: object) -> IDelayedCall:
        return super().callLater(delay or TURN, callable, *args, **kw)


def pondering() -> Scene:
    scene = Scene()
    scene.clock = TurningClock()
    scene.use(scene.writer)
    return scene


def pondered(scene: Scene, dialogue: Dialogue) -> tuple[Session, PonderingCodec]:
    codec = PonderingCodec(dialogue)
    return scene.session(Role.LISTEN, codec), codec


def answering() -> Dialogue:
    while True:
        frame = yield Receive(timeout=5)
        yield Send(frame.data)


def turns(scene: Scene, codec: PonderingCodec, most: int = 10_000) -> int:
    """Lets the reactor turn until a session has nothing more to look at; no turn looks at more than it may."""
    for number in range(most):
        before = codec.looked
        scene.clock.advance(TURN)
        if codec.looked == before:
            return number
        assert codec.looked - before <= 2 * PIECES_AT_ONCE  # at the end of the stream each piece is looked at twice
    raise AssertionError("it never ends")


def test_meter_that_sends_rubbish_takes_only_its_share_of_each_turn_and_is_heard_all_the_same() -> None:
    scene = pondering()
    session, codec = pondered(scene, answering())
    session.received(b"#" * 1000 + b"[a]")
    assert (codec.looked, scene.line.said, scene.line.paused) == (PIECES_AT_ONCE, b"", True)
    assert turns(scene, codec) == 1000 // PIECES_AT_ONCE
    assert (scene.line.said, scene.line.paused) == (b"[a]", False)


def test_dialogue_that_wants_to_hear_the_rubbish_gets_it_turn_by_turn_too() -> None:
    def dialogue() -> Dialogue:
        heard = 0
        while True:
            frame = yield Receive(timeout=5, noise=True)
            heard += 1
            if frame.kind != NOISE:
                yield Note(f"{heard} pieces")
                return None

    scene = pondering()
    session, codec = pondered(scene, dialogue())
    session.received(b"#" * 500 + b"[a]")
    assert codec.looked == PIECES_AT_ONCE
    turns(scene, codec)
    assert scene.log()[-1] == ("-", b"501 pieces")


def test_what_came_before_the_line_was_lost_is_heard_before_the_loss() -> None:
    def dialogue() -> Dialogue:
        frame = yield Receive(timeout=5)
        yield Note(frame.data.decode())
        try:
            yield Receive(timeout=5)
        except LineLost:
            yield Note("lost")
        return None

    scene = pondering()
    session, codec = pondered(scene, dialogue())
    session.received(b"#" * 300 + b"[a]" + b"[" + b"#" * 300)
    session.line_lost()
    assert [text for _, text in scene.log()[1:]] == []
    turns(scene, codec)
    assert [text for _, text in scene.log()[1:]] == [b"[a]", b"lost"]


def test_frame_that_came_in_time_is_not_late_because_of_the_rubbish_before_it() -> None:
    def dialogue() -> Dialogue:
        frame = yield Receive(timeout=5)
        yield Note(frame.data.decode())
        try:
            yield Receive(timeout=5)
        except MeterSilent:
            yield Note("silent")
        return None

    scene = pondering()
    session, codec = pondered(scene, dialogue())
    scene.clock.advance(4.9)
    session.received(b"#" * 300 + b"[a]")
    scene.clock.advance(0.2)  # the time is over, and the session rests
    turns(scene, codec)
    assert scene.log()[-1] == ("-", b"[a]")
    session.received(b"[" + b"#" * 300)  # the rest of a frame that never ends
    scene.clock.pump([1.0] * 5)
    for _ in range(20):
        turns(scene, codec)
        scene.clock.advance(1)
    assert scene.log()[-1] == ("-", b"silent")
    assert scene.clock.getDelayedCalls() == []


def test_rubbish_is_drained_turn_by_turn() -> None:
    def dialogue() -> Dialogue:
        yield Drain(0.5, 3)
        frame = yield Receive(timeout=5)
        yield Note(frame.data.decode())
        return None

    scene = pondering()
    session, codec = pondered(scene, dialogue())
    session.received(b"#" * 1000)
    assert codec.looked <= PIECES_AT_ONCE + 1
    turns(scene, codec)
    assert codec.looked >= 1000
    scene.clock.pump([0.5] * 6)
    session.received(b"[a]")
    assert scene.log()[-1] == ("-", b"[a]")


def test_session_that_ends_while_it_rests_leaves_nothing_behind() -> None:
    scene = pondering()
    session, _ = pondered(scene, answering())
    session.received(b"#" * 1000)
    session.finish(LineLost("enough"))
    assert scene.clock.getDelayedCalls() == []
    assert not scene.line.paused


@pytest.mark.parametrize("store_is_quicker", [True, False])
def test_line_that_waits_for_the_store_and_for_a_rest_goes_on_when_both_are_over(store_is_quicker: bool) -> None:
    def dialogue() -> Dialogue:
        meter = yield Identify("41203377")
        for _ in range(PIECES_AT_ONCE):
            yield Receive(timeout=5, noise=True)
        yield Reading(meter.serial, VOLUME, Decimal(1))
        while True:
            frame = yield Receive(timeout=5)
            yield Send(frame.data)

    scene = pondering()
    writer = HeldWriter(DirectWriter(scene.store))
    scene.use(writer)
    session, codec = pondered(scene, dialogue())
    session.received(b"#" * PIECES_AT_ONCE)
    assert scene.line.paused
    session.received(b"x" + b"[b]" * (MOST_UNREAD // 3 + 1))
    if store_is_quicker:
        writer.commit()
        assert scene.line.paused
    scene.clock.advance(TURN)
    if not store_is_quicker:
        assert scene.line.paused
        writer.commit()
    turns(scene, codec)
    assert (scene.line.said[:3], scene.line.paused) == (b"[b]", False)


def test_rubbish_beyond_what_the_dialogue_bears_is_told_and_less_is_not() -> None:
    def dialogue() -> Dialogue:
        while True:
            frame = yield Receive(timeout=5, most_noise=10)
            yield Note(f"{frame.kind} {frame.start}")

    scene = pondering()
    session, codec = pondered(scene, dialogue())
    session.received(b"#" * 10 + b"[a]" + b"#" * 11 + b"[b]")
    turns(scene, codec)
    assert [text for direction, text in scene.log() if direction == "-"] == [b"frame 10", b"noise 23", b"frame 24"]


def test_answer_behind_much_rubbish_is_heard_although_what_came_is_longer_than_an_answer_may_be() -> None:
    def dialogue() -> Dialogue:
        frame = yield Receive(timeout=5, gap=1, most=60)
        yield Note(frame.data.decode())
        return None

    scene = pondering()
    session, codec = pondered(scene, dialogue())
    session.received(b"#" * 100)
    session.received(b"[a]")
    turns(scene, codec)
    assert scene.log()[-1] == ("-", b"[a]")
