"""A meter that called one of our modems, and what jobs want of it meanwhile."""

from __future__ import annotations

from dataclasses import replace

from gateway_server.errors import LineError
from gateway_server.model import Outcome
from gateway_server.session.endings import Ending
from gateway_server.session.plan import Role
from gateway_server.session.remarks import IDENTIFIED
from gateway_server.transports.errand import Errand
from gateway_server.transports.phone_caller import LINGER_SECONDS, LOOK_SECONDS, PhoneCaller
from tests.session.conversations import ToyCodec
from tests.transports.hall import SERIAL, Hall

ANSWERS = b"SN=41203377\r\nV=4\r\n"


class Ringing:
    """A call from meter 41203377 that was taken; ``stranger`` hides its number."""

    def __init__(self, hall: Hall, role: Role = Role.ASK, *, stranger: bool = False) -> None:
        self.hall = hall
        self.came: list[str] = []
        self.endings: list[Ending] = []
        hall.presence.came = self.came.append
        hall.line.transport = "csd"
        errand = self.errand()
        if stranger:
            errand = replace(errand, record=None, known=None)
        self.caller = PhoneCaller(
            hall.line, hall.facilities, errand, role, hall.presence, lambda one: replace(one, job=one.job + 100)
        )

    def errand(self, job: int = 0) -> Errand:
        store = self.hall.store
        return Errand((ToyCodec(),), store.meter(SERIAL), store.known_meter(SERIAL), job=job, ended=self.endings.append)

    @property
    def holds_the_line(self) -> bool:
        return not self.hall.line.closed

    @property
    def outcomes(self) -> list[Outcome]:
        return [ending.outcome for ending in self.endings]


def test_meter_is_present_while_its_call_lasts() -> None:
    one = Ringing(hall := Hall())
    assert hall.presence.line_to(SERIAL) is None, "it is not connected yet"
    one.caller.begin()
    assert hall.presence.line_to(SERIAL) is one.caller
    assert one.came == [SERIAL]
    one.caller.received(ANSWERS)
    assert one.holds_the_line
    hall.pass_seconds(LOOK_SECONDS)
    assert hall.line.closed
    assert hall.presence.line_to(SERIAL) is None
    assert one.outcomes == [Outcome.READ]
    assert ("-", IDENTIFIED.encode()) in hall.log()


def test_stranger_is_present_once_it_has_said_who_it_is() -> None:
    one = Ringing(hall := Hall(), stranger=True)
    one.caller.begin()
    assert one.came == []
    one.caller.received(b"SN=41203377\r\n")
    assert hall.presence.line_to(SERIAL) is one.caller


def test_jobs_run_one_after_another_behind_what_the_call_was_for() -> None:
    one = Ringing(hall := Hall())
    one.caller.begin()
    one.caller.run(one.errand(7))
    one.caller.run(one.errand(8))
    assert len(hall.sessions()) == 1
    for _ in range(3):
        one.caller.received(ANSWERS)
    assert one.outcomes == [Outcome.READ] * 3
    assert [session.job for session in hall.sessions()] == [0, 107, 108], "each is fitted to a call that is paid for"
    assert one.caller.heard == (one.caller.session.heard_ms, 3 * len(ANSWERS))
    assert one.caller.session.heard_ms > 0


def test_job_may_still_come_for_a_moment_after_a_session() -> None:
    one = Ringing(hall := Hall())
    one.caller.begin()
    hall.pass_seconds(4)
    one.caller.received(b"SN=41203377\r\n")
    hall.pass_seconds(4)
    one.caller.received(b"V=4\r\n")
    hall.clock.advance(LINGER_SECONDS / 2)
    one.caller.run(one.errand(7))
    one.caller.received(ANSWERS)
    hall.clock.advance(LINGER_SECONDS / 2)
    assert one.holds_the_line
    hall.clock.advance(LINGER_SECONDS / 2)
    assert hall.line.closed
    assert one.outcomes == [Outcome.READ, Outcome.READ]


def test_call_is_not_held_open_where_nobody_hears_of_it() -> None:
    one = Ringing(hall := Hall())
    hall.presence.came = None
    one.caller.begin()
    one.caller.received(ANSWERS)
    assert hall.line.closed


def test_no_session_begins_after_the_carrier_is_lost() -> None:
    one = Ringing(hall := Hall())
    one.caller.begin()
    one.caller.run(one.errand(7))
    one.caller.line_lost("the carrier is gone")
    assert one.outcomes == [Outcome.LINE_LOST, Outcome.LINE_LOST]
    assert len(hall.sessions()) == 1
    assert hall.presence.line_to(SERIAL) is None
    one.caller.run(one.errand(8))
    assert len(hall.sessions()) == 1
    assert one.outcomes[2:] == [Outcome.LINE_LOST]


def test_session_whose_carrier_falls_hears_its_last_bytes_and_is_the_last() -> None:
    one = Ringing(hall := Hall())
    one.caller.begin()
    one.caller.run(one.errand(7))
    one.caller.fading()
    assert hall.presence.line_to(SERIAL) is None
    one.caller.received(ANSWERS)
    assert hall.line.closed is False
    one.caller.line_lost("the carrier is gone")
    assert one.outcomes == [Outcome.READ, Outcome.LINE_LOST]
    assert hall.values() == ["4"]
    assert len(hall.sessions()) == 1


def test_carrier_lost_between_two_sessions_ends_the_wait() -> None:
    one = Ringing(hall := Hall())
    one.caller.begin()
    one.caller.received(ANSWERS)
    one.caller.line_lost("the carrier is gone")
    assert hall.presence.line_to(SERIAL) is None
    assert not hall.clock.getDelayedCalls()
    assert one.outcomes == [Outcome.READ]


def test_meter_that_falls_silent_is_hung_up_and_what_waited_is_told() -> None:
    one = Ringing(hall := Hall())
    one.caller.begin()
    one.caller.run(one.errand(7))
    hall.pass_seconds(30)
    assert hall.line.closed
    assert one.outcomes == [Outcome.LINE_LOST, Outcome.SILENT]
    assert len(hall.sessions()) == 1


def test_limit_of_the_call_ends_what_runs_and_what_waits() -> None:
    one = Ringing(hall := Hall())
    one.caller.begin()
    one.caller.run(one.errand(7))
    one.caller.received(ANSWERS)
    one.caller.run(one.errand(8))
    one.caller.end("the call had lasted 60 s, its limit")
    assert hall.line.closed
    assert one.outcomes == [Outcome.READ, Outcome.LINE_LOST, Outcome.LINE_LOST]
    assert len(hall.sessions()) == 2


def test_meter_that_comes_again_elsewhere_keeps_its_new_line() -> None:
    one = Ringing(hall := Hall())
    hall.listens()
    one.caller.begin()
    elsewhere, _ = hall.call()
    elsewhere.received(b"SN=41203377\r\nEND\r\n")
    assert hall.line.closed
    assert one.outcomes == [Outcome.LINE_LOST]
    assert hall.presence.line_to(SERIAL) is elsewhere
    one.caller.line_lost("late")
    assert hall.presence.line_to(SERIAL) is elsewhere


def test_meter_that_called_may_speak_first_and_is_asked_then() -> None:
    one = Ringing(hall := Hall(), Role.LISTEN)
    one.caller.begin()
    one.caller.received(b"SN=41203377\r\nV=7\r\nEND\r\n")
    assert hall.line.said == b"OK\r\n"
    one.caller.run(one.errand(7))
    one.caller.received(ANSWERS)
    assert sorted(hall.values()) == ["4", "7"]


def test_call_that_does_not_come_about_makes_nobody_present() -> None:
    one = Ringing(Hall())
    one.caller.give_up(LineError("the handshake failed"))
    one.caller.begin()
    assert one.came == []
    assert one.outcomes == [Outcome.LINE_LOST]
