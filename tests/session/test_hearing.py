"""What a session hears, before anybody answers."""

from __future__ import annotations

from gateway_server.codec.dialogue import Dialogue, Note, Receive
from gateway_server.errors import MeterSilent
from gateway_server.model import KnownMeter
from gateway_server.session.plan import Plan, Role
from gateway_server.session.remarks import GIVEN_UP
from tests.session.conversations import Scene, ToyCodec


def test_bytes_before_the_codec_is_chosen_are_the_first_it_sees() -> None:
    scene = Scene()
    session = scene.session()
    session.received(b"SN=41203377\r\nV")
    session.begin(Plan((ToyCodec(),), Role.LISTEN))
    session.received(b"=1\r\n")
    assert scene.values() == ["1"]


def test_bytes_kept_out_of_the_codec_are_counted_and_on_record() -> None:
    scene = Scene()
    session = scene.session(Role.LISTEN)
    borders = [session.log_received(b"LOG") == 0 and session.at_border]
    session.received(b"SN=412")
    borders.append(session.at_border)
    assert borders == [True, False]
    assert session.bytes_received == 9
    assert scene.log() == [("<", b"LOG"), ("<", b"SN=412")]


def test_value_was_received_when_its_last_byte_came() -> None:
    scene = Scene()
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\nV=1")
    scene.clock.advance(3)
    session.received(b"\r\nV=2")
    scene.clock.advance(3)
    session.received(b"\r\n")
    started = scene.facilities.now_ms() - 6000
    assert [reading.received_at_ms - started for reading in scene.store.readings()] == [3000, 6000]


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
