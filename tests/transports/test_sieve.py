"""What a modem says between its meter's frames."""

from __future__ import annotations

from gateway_server.session.registration import Heartbeats
from tests.transports.hall import BY_REGISTRATION, REGISTRATION, SERIAL, Hall


def test_heartbeats_within_a_session_are_on_record_but_not_the_codecs(hall: Hall) -> None:
    hall.set(heartbeats=Heartbeats((b"LOG\r\n",)))
    caller, line = hall.call()
    caller.received(b"LOG\r\n")
    caller.received(b"LOG\r\nSN=412")
    caller.received(b"03377\r\n")
    caller.received(b"V=8\r\n")
    assert hall.values() == ["8"]
    assert line.said == b"?\r\nV?\r\nBYE\r\n"
    assert hall.log()[1] == ("<", b"LOG\r\n")
    (session,) = hall.sessions()
    assert session.bytes_received == 28


def test_registration_sent_before_every_packet_is_kept_out(hall: Hall) -> None:
    hall.listens(**BY_REGISTRATION)
    caller, _ = hall.call()
    caller.received(REGISTRATION + b"SN=41203377\r\n")
    caller.received(REGISTRATION + b"V=1\r\n")
    caller.received(REGISTRATION + b"V=2\r\n")
    assert hall.values() == ["1", "2"]


def test_heartbeat_in_two_pieces_is_one_and_answered_once(hall: Hall) -> None:
    hall.listens(heartbeats=Heartbeats((b"LOG",), b"OK"))
    caller, line = hall.call()
    caller.received(b"LO")
    caller.received(b"GSN=41203377\r\n")
    assert line.said == b"OK"
    assert hall.presence.line_to(SERIAL) is caller
    assert ("-", b"bytes 0 to 3 are not the meter's: heartbeat, answered by the next bytes to it") in hall.log()


def test_beginning_of_a_heartbeat_that_goes_on_otherwise_is_the_meters(hall: Hall) -> None:
    hall.listens(heartbeats=Heartbeats((b"SNOOZE",)))
    caller, _ = hall.call()
    caller.received(b"SN")
    assert hall.presence.line_to(SERIAL) is None
    caller.received(b"=41203377\r\n")
    assert hall.presence.line_to(SERIAL) is caller
