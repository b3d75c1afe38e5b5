"""What a session has on record, and what it counts as the meter's."""

from __future__ import annotations

from gateway_server.errors import LineLost
from gateway_server.model import Direction
from gateway_server.session.plan import Role
from tests.session.conversations import Scene


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


def test_value_whose_line_came_in_very_many_pieces_was_received_with_the_last_of_them() -> None:
    scene = Scene()
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\n")
    started = scene.facilities.now_ms()
    for byte in b"V=" + b"0" * 200 + b"1\r\n" + b"V=2":
        scene.clock.advance(1)
        session.received(bytes([byte]))
    (reading,) = scene.store.readings()
    assert reading.received_at_ms - started == 205_000
    assert session.heard_ms == reading.received_at_ms


def test_remarks_and_the_modems_words_are_on_record_but_no_part_of_what_the_meter_sent_or_got() -> None:
    scene = Scene()
    session = scene.session()
    session.log_modem(Direction.TO_MODEM, b"ATD1\r")
    session.log_modem(Direction.FROM_MODEM, b"CONNECT\r\n")
    session.note("it is connected")
    session.log_received(b"\x00")
    session.log_sent(b"\x01\x02")
    session.finish(LineLost("enough"))
    assert scene.log() == [
        ("}", b"ATD1\r"),
        ("{", b"CONNECT\r\n"),
        ("-", b"it is connected"),
        ("<", b"\x00"),
        (">", b"\x01\x02"),
    ]
    (record,) = scene.store.sessions()
    assert (record.bytes_received, record.bytes_sent) == (1, 2)
