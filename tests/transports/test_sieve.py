"""What a modem says between its meter's frames."""

from __future__ import annotations

from gateway_server.model import Outcome
from gateway_server.session.registration import Heartbeats
from gateway_server.testing.fake_line import FakeLine
from gateway_server.transports.caller import Caller
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


def parked(hall: Hall) -> tuple[Caller, FakeLine]:
    hall.listens(heartbeats=Heartbeats((b"LOG",), b"OK"))
    caller, line = hall.call()
    caller.received(b"SN=41203377\r\nEND\r\n")
    assert hall.outcomes() == [Outcome.READ]
    return caller, line


def test_heartbeats_of_a_parked_line_are_on_record_and_end_when_the_meter_speaks(hall: Hall) -> None:
    caller, line = parked(hall)
    caller.received(b"LOG")
    caller.received(b"LOG")
    caller.received(b"SN=41203377\r\nV=1\r\n")
    assert hall.log(2)[1:] == [("<", b"LOG"), (">", b"OK")] * 2
    idle, second = hall.sessions()[1:]
    assert (idle.outcome, idle.meter, idle.bytes_received, idle.bytes_sent) == (Outcome.IDLE, SERIAL, 6, 4)
    assert second.outcome is None
    assert hall.log(3)[0] == ("<", b"SN=41203377\r\nV=1\r\n")
    assert line.said == b"OKOK" + b"OK\r\n"


def test_heartbeat_glued_to_what_the_meter_says_unasked_is_kept_apart(hall: Hall) -> None:
    caller, _ = parked(hall)
    caller.received(b"LOGSN=41203377\r\nV=1\r\n")
    assert hall.log(2)[1] == ("<", b"LOG")
    assert hall.log(3)[0] == ("<", b"SN=41203377\r\nV=1\r\n")
    assert hall.values() == ["1"]


def test_heartbeat_cut_off_by_the_end_of_the_line_is_on_record(hall: Hall) -> None:
    caller, _ = parked(hall)
    caller.received(b"LO")
    assert len(hall.sessions()) == 1
    caller.line_lost("the other end closed the connection")
    assert hall.log(2)[1] == ("<", b"LO")
    assert hall.outcomes() == [Outcome.READ, Outcome.IDLE]


def test_heartbeat_whose_end_comes_in_a_session_is_that_sessions(hall: Hall) -> None:
    hall.set(heartbeats=Heartbeats((b"LOG",)), poll_every=60.0)
    caller, _ = hall.call()
    caller.received(b"SN=41203377\r\n")
    caller.received(b"V=1\r\n")
    caller.received(b"LO")
    hall.pass_seconds(62)
    caller.received(b"GSN=41203377\r\n")
    caller.received(b"V=2\r\n")
    assert hall.values() == ["1", "2"]
    assert hall.log(2)[0] == ("<", b"LO")
    assert ("-", b"bytes 0 to 3 are not the meter's: heartbeat") in hall.log(2)
    assert [session.bytes_received for session in hall.sessions()] == [18, 21]


def test_gateway_that_stops_closes_the_record_of_its_parked_lines(hall: Hall) -> None:
    caller, _ = parked(hall)
    caller.received(b"LOG")
    caller.end("the gateway stops")
    assert hall.outcomes() == [Outcome.READ, Outcome.IDLE]
