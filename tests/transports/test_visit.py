"""A line opened for one errand."""

from __future__ import annotations

from gateway_server.codec.dialogue import Progress
from gateway_server.errors import LineError
from gateway_server.model import Outcome
from gateway_server.session.endings import Ending
from gateway_server.session.remarks import IDENTIFIED
from gateway_server.session.session import Session
from gateway_server.transports.errand import Errand
from gateway_server.transports.visit import Visit
from tests.session.conversations import ToyCodec
from tests.transports.hall import SERIAL, Hall


class Told:
    def __init__(self) -> None:
        self.started: list[Session] = []
        self.progress: list[Progress] = []
        self.ended: list[Ending] = []
        self.over: list[Visit] = []


def visit(hall: Hall, told: Told, *, serial: str = SERIAL) -> Visit:
    errand = Errand(
        (ToyCodec(),),
        hall.store.meter(serial),
        hall.store.known_meter(serial),
        job=9,
        started=told.started.append,
        progress=told.progress.append,
        ended=told.ended.append,
    )
    one = Visit(hall.line, hall.facilities, errand, told.over.append)
    one.begin()
    return one


def test_meter_is_read_and_the_line_given_back(hall: Hall) -> None:
    told = Told()
    one = visit(hall, told)
    one.received(b"SN=41203377\r\nV=4\r\n")
    assert hall.values() == ["4"]
    assert [ending.outcome for ending in told.ended] == [Outcome.READ]
    assert [progress.text for progress in told.progress] == ["values"]
    assert hall.line.closed
    assert told.over == [one]
    (session,) = hall.sessions()
    assert (session.job, session.meter, session.codec) == (9, SERIAL, "toy")


def test_line_that_is_lost_ends_the_errand(hall: Hall) -> None:
    told = Told()
    visit(hall, told).line_lost("the port was closed")
    assert [(ending.outcome, ending.serial) for ending in told.ended] == [(Outcome.LINE_LOST, SERIAL)]


def test_other_meter_at_this_place_ends_the_errand(hall: Hall) -> None:
    told = Told()
    visit(hall, told).received(b"SN=5\r\n")
    assert [ending.outcome for ending in told.ended] == [Outcome.UNKNOWN_METER]


def test_errand_can_be_ended_from_outside(hall: Hall) -> None:
    told = Told()
    visit(hall, told).end("the gateway stops")
    assert "the gateway stops" in told.ended[0].detail
    assert hall.line.closed


def test_line_that_does_not_come_about_ends_the_errand_with_the_reason(hall: Hall) -> None:
    told = Told()
    errand = Errand((ToyCodec(),), hall.store.meter(SERIAL), hall.store.known_meter(SERIAL), ended=told.ended.append)
    one = Visit(hall.line, hall.facilities, errand)
    one.give_up(LineError("the number is busy"))
    assert [(ending.outcome, ending.detail.partition(";")[0]) for ending in told.ended] == [
        (Outcome.LINE_LOST, "the number is busy")
    ]
    assert hall.line.written == []


def test_call_notes_where_its_sign_on_ended(hall: Hall) -> None:
    hall.line.transport = "csd"
    visit(hall, Told()).received(b"SN=41203377\r\nV=4\r\n")
    assert ("-", IDENTIFIED.encode()) in hall.log()
    assert hall.log().index(("-", IDENTIFIED.encode())) < hall.log().index((">", b"V?\r\n"))
