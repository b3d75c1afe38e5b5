"""What a session hears, before anybody answers."""

from __future__ import annotations

from gateway_server.session.plan import Plan, Role
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
