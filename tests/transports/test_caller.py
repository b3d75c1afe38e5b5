"""Inbound lines: who it is, what is said, and how long they stay."""

from __future__ import annotations

from gateway_server.errors import StoreFull
from gateway_server.model import Outcome
from gateway_server.session.endings import Ending
from gateway_server.session.registration import Heartbeats
from gateway_server.testing.held_writer import HeldWriter
from gateway_server.transports.errand import Errand
from tests.session.conversations import ToyCodec
from tests.transports.hall import BY_REGISTRATION, REGISTRATION, SERIAL, Hall


def errand(hall: Hall, endings: list[Ending]) -> Errand:
    return Errand((ToyCodec(),), hall.store.meter(SERIAL), hall.store.known_meter(SERIAL), job=7, ended=endings.append)


def test_transparent_modem_is_asked_and_its_meter_known_by_the_serial_number(hall: Hall) -> None:
    caller, line = hall.call()
    assert line.said == b"?\r\n"
    caller.received(b"SN=41203377\r\n")
    caller.received(b"V=5.0\r\n")
    assert hall.values() == ["5.0"]
    assert hall.outcomes() == [Outcome.READ]
    assert hall.presence.line_to(SERIAL) is caller
    assert not line.closed


def test_meter_pushes_again_over_its_open_line_in_a_session_of_its_own(hall: Hall) -> None:
    hall.listens()
    caller, _ = hall.call()
    caller.received(b"SN=41203377\r\nV=1\r\nEND\r\n")
    caller.received(b"SN=41203377\r\nV=2\r\n")
    assert hall.values() == ["1", "2"]
    caller.line_lost("the other end closed the connection")
    assert hall.outcomes() == [Outcome.READ, Outcome.PARTIAL]
    assert hall.presence.line_to(SERIAL) is None


def test_heartbeats_keep_an_open_line(hall: Hall) -> None:
    hall.listens(heartbeats=Heartbeats((b"LOG",), b"OK"), idle_seconds=60.0)
    caller, line = hall.call()
    caller.received(b"SN=41203377\r\nEND\r\n")
    for _ in range(4):
        hall.pass_seconds(40)
        caller.received(b"LO")
        caller.received(b"G")
    assert line.said == b"OK" * 4
    assert not line.closed
    hall.pass_seconds(62)
    assert hall.presence.line_to(SERIAL) is None
    assert line.ended


def test_bytes_nobody_asked_for_are_on_record(hall: Hall) -> None:
    caller, line = hall.call()
    caller.received(b"SN=41203377\r\n")
    caller.received(b"V=1\r\n")
    caller.received(b"NO CARRIER\r\n")
    hall.pass_seconds(7)
    assert hall.outcomes() == [Outcome.READ, Outcome.GARBLED]
    assert hall.log(2) == [("<", b"NO CARRIER\r\n")]
    assert not line.closed


def test_open_line_is_read_again_and_again_when_that_is_wanted(hall: Hall) -> None:
    hall.set(poll_every=60.0)
    caller, line = hall.call()
    for value in (b"V=1\r\n", b"V=2\r\n"):
        caller.received(b"SN=41203377\r\n")
        caller.received(value)
        hall.pass_seconds(62)
    assert line.written.count(b"?\r\n") == 3
    assert hall.values() == ["1", "2"]


def test_line_of_a_listener_that_keeps_none_open_ends_with_its_session(hall: Hall) -> None:
    hall.set(keep_open=False)
    caller, line = hall.call()
    caller.received(b"SN=41203377\r\n")
    caller.received(b"V=1\r\n")
    assert line.closed


def test_caller_that_says_nothing_is_let_go(hall: Hall) -> None:
    hall.listens(identify_seconds=20.0)
    _, line = hall.call()
    hall.pass_seconds(22)
    assert line.closed
    assert hall.outcomes() == [Outcome.SILENT]


def test_caller_that_talks_without_end_is_let_go(hall: Hall) -> None:
    hall.listens(identify_bytes=1000)
    caller, line = hall.call()
    for _ in range(11):
        caller.received(b"\x00" * 100)
    assert line.closed
    (session,) = hall.sessions()
    assert (session.bytes_received, session.outcome) == (1100, Outcome.GARBLED)
    ended_ms = session.ended_ms
    caller.received(b"more")
    (session,) = hall.sessions()
    assert (session.bytes_received, session.ended_ms) == (1104, ended_ms)
    assert hall.log(1)[-2:] == [
        ("<", b"more"),
        ("-", b"bytes 1100 to 1104 are not the meter's: they came when the session was over"),
    ]


def test_line_that_speaks_while_it_is_closed_for_being_idle_is_on_record(hall: Hall) -> None:
    hall.set(idle_seconds=20.0, keep_open=True)
    caller, line = hall.call()
    caller.received(b"SN=41203377\r\n")
    caller.received(b"V=1\r\n")
    hall.pass_seconds(5000)
    assert line.closed
    before = len(hall.sessions())
    caller.received(b"PING")
    caller.received(b"PONG")
    late = hall.sessions()[-1]
    assert len(hall.sessions()) == before + 1
    assert (late.bytes_received, late.outcome) == (8, Outcome.LINE_LOST)
    assert "spoke when it was being closed" in late.detail
    assert [data for mark, data in hall.log(late.id) if mark == "<"] == [b"PING", b"PONG"]


def test_meter_that_comes_again_replaces_its_dead_line(hall: Hall) -> None:
    hall.set(**BY_REGISTRATION)
    old, old_line = hall.call("192.0.2.7:1")
    old.received(REGISTRATION)
    new, new_line = hall.call("192.0.2.7:2")
    new.received(REGISTRATION)
    assert old_line.aborted
    assert new_line.said == b"?\r\n"
    first, second = hall.sessions()
    assert first.outcome is Outcome.LINE_LOST
    assert "the meter came again from 192.0.2.7:2" in first.detail
    assert second.outcome is None
    old.line_lost("the connection was given up")
    assert hall.presence.line_to(SERIAL) is new


def test_two_devices_with_one_identity_raise_an_alarm(hall: Hall, caplog) -> None:  # type: ignore[no-untyped-def]
    hall.set(**BY_REGISTRATION)
    for port in range(8):
        caller, _ = hall.call(f"192.0.2.7:{port}")
        caller.received(REGISTRATION)
    assert "two devices have the same identity" in caplog.text
    assert any(b"same identity" in data for _, data in hall.log(8))


def test_order_is_carried_out_over_the_open_line(hall: Hall) -> None:
    caller, line = hall.call()
    caller.received(b"SN=41203377\r\n")
    caller.received(b"V=1\r\n")
    endings: list[Ending] = []
    caller.run(errand(hall, endings))
    assert line.written[-1] == b"?\r\n"
    caller.received(b"SN=41203377\r\n")
    caller.received(b"V=2\r\n")
    assert [ending.outcome for ending in endings] == [Outcome.READ]
    assert hall.sessions()[1].job == 7
    assert caller.free


def test_order_waits_for_the_present_session(hall: Hall) -> None:
    caller, _ = hall.call()
    endings: list[Ending] = []
    caller.run(errand(hall, endings))
    caller.received(b"SN=41203377\r\n")
    caller.received(b"V=1\r\n")
    caller.received(b"SN=41203377\r\n")
    caller.received(b"V=2\r\n")
    assert len(endings) == 1
    assert hall.values() == ["1", "2"]


def test_order_whose_line_is_lost_hears_of_it(hall: Hall) -> None:
    caller, _ = hall.call()
    endings: list[Ending] = []
    caller.run(errand(hall, endings))
    caller.line_lost("the connection broke off")
    assert [ending.outcome for ending in endings] == [Outcome.LINE_LOST]


def test_gateway_that_stops_ends_its_lines(hall: Hall) -> None:
    hall.listens()
    caller, line = hall.call()
    caller.received(b"SN=41203377\r\nV=1\r\n")
    caller.end("the gateway stops")
    assert line.closed
    (session,) = hall.sessions()
    assert session.outcome is Outcome.PARTIAL
    assert "the gateway stops" in session.detail


def test_line_whose_readings_could_not_be_stored_is_closed_unacknowledged(hall: Hall) -> None:
    writer = HeldWriter(hall.writer)
    hall.use(writer)
    hall.listens(facilities=hall.facilities)
    caller, line = hall.call()
    caller.received(b"SN=41203377\r\nV=1\r\n")
    writer.fail(StoreFull("no space left on device"))
    assert line.said == b""
    assert line.closed


def test_store_that_is_behind_stops_the_reading(hall: Hall) -> None:
    caller, line = hall.call()
    caller.hold()
    assert line.paused
    caller.go_on()
    assert not line.paused


def test_bytes_that_nobody_asked_for_are_kept_and_may_be_heartbeats_nobody_has_named(hall: Hall) -> None:
    hall.set(**BY_REGISTRATION)
    caller, _ = hall.call()
    caller.received(REGISTRATION)
    caller.received(b"SN=41203377\r\nV=4\r\n")
    caller.received(b"HB")
    hall.pass_seconds(30)
    _, unasked = hall.sessions()
    assert (unasked.outcome, unasked.bytes_received) == (Outcome.GARBLED, 2)
    assert "`heartbeats` of listener" in unasked.detail
