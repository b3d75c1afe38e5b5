"""Why nobody calls yet, told to who ordered it; and orders that are given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway_server.model import Outcome, ReadOrder
from gateway_server.scheduler.board import Board
from gateway_server.scheduler.night import Candidate, Limits, Modem
from gateway_server.scheduler.patience import Hindrance, Patience, hindrance
from gateway_server.store.records import JobRecord, JobState
from gateway_server.transports.calls import ModemView
from tests.session.conversations import Scene

M1 = ModemView("m1", "ready", ready=True, operator="Beeline")
M2 = ModemView("m2", "waiting for its port", ready=False, why="/dev/ttyUSB1 is not there")
BUSY = ModemView("m3", "online", ready=False, operator="MTS")
ONE = Candidate(1, "7", 60)


def as_modem(view: ModemView) -> Modem:
    return Modem(view.name, view.operator)


def why(one: Candidate, views: Sequence[ModemView] = (M1, M2), limits: Limits | None = None) -> Hindrance | None:
    return hindrance(one, views, Board(limits or Limits()), as_modem, (), 1000)


def test_what_no_other_calls_end_mends_lasts() -> None:
    assert why(ONE) is None
    assert why(replace(ONE, modem="m9")) == Hindrance("its route names modem m9; configured are m1, m2")
    port = Hindrance("modem m2: waiting for its port (/dev/ttyUSB1 is not there)")
    assert why(replace(ONE, modem="m2")) == port
    assert why(replace(ONE, operator="MTS"), (M1,)) == Hindrance(
        "no modem has a SIM card of MTS (modem m1: ready, SIM card of Beeline)"
    )
    assert why(replace(ONE, used_s=3590)) == Hindrance(
        "the meter's air time of 24 hours is used up (3590 s, per_meter_and_day = 3600)"
    )
    assert why(replace(ONE, blocked="the meter is disabled")) == Hindrance("the meter is disabled")


def test_calls_of_others_and_the_gap_behind_a_failed_call_pass() -> None:
    assert why(ONE, (BUSY, M2)) == Hindrance("modem m3: online, SIM card of MTS", lasts=False)
    assert why(replace(ONE, from_ms=31_000)) == Hindrance("called again in 30 s", lasts=False)
    board = Board(Limits(group_at_once=1), ("m1", "m3"))
    board.begin(Candidate(2, "8", 60, group="n"), as_modem(BUSY), 0)
    grouped = hindrance(replace(ONE, group="n"), (M1, BUSY), board, as_modem, ("m3",), 1000)
    assert grouped == Hindrance("no more calls at once in group n (at_once_per_group = 1)", lasts=False)
    same = hindrance(replace(ONE, serial="8"), (M1, BUSY), board, as_modem, ("m3",), 1000)
    assert same == Hindrance("another call with this meter is running", lasts=False)


class Desk(Scene):
    """One order of a person that waits."""

    def __init__(self) -> None:
        super().__init__()
        self.gave_up = 0
        self.patience = Patience(self.facilities, 300, self._gave_up)
        self.number = self.store.add_job("7", ReadOrder().to_json(), "csd:+79160000001", self.facilities.now_ms())

    def _gave_up(self) -> None:
        self.gave_up += 1

    def job(self) -> JobRecord:
        job = self.store.job(self.number)
        assert job is not None
        return job

    def wait(self, seconds: float, what: Hindrance | None) -> None:
        self.clock.advance(seconds)
        self.patience.look([(self.number, what)])


def test_order_tells_what_it_waits_for_and_is_given_up_with_the_reason() -> None:
    desk = Desk()
    port = Hindrance("modem m2: waiting for its port")
    desk.wait(0, port)
    assert desk.job().progress == "waits for a modem: modem m2: waiting for its port"
    desk.wait(299, port)
    assert desk.job().state is JobState.QUEUED
    desk.wait(1, port)
    job = desk.job()
    assert (job.state, job.outcome, desk.gave_up) == (JobState.FAILED, Outcome.LINE_LOST, 1)
    assert job.detail == "no modem could call it for 300 s (wait_for_modem): modem m2: waiting for its port"


def test_order_behind_calls_of_others_keeps_its_turn() -> None:
    desk = Desk()
    for _ in range(20):
        desk.wait(100, Hindrance("modem m3: online", lasts=False))
    assert desk.job().progress == "waits for a modem: modem m3: online"
    desk.wait(200, Hindrance("modem m3: out of service"))
    desk.wait(200, None)
    desk.wait(200, Hindrance("modem m3: out of service"))
    assert desk.job().state is JobState.QUEUED


def test_order_that_somebody_took_or_cancelled_meanwhile_is_left_as_it_is() -> None:
    desk = Desk()
    desk.store.cancel_job(desk.number)
    desk.wait(0, Hindrance("modem m2: no port"))
    desk.wait(400, Hindrance("modem m2: no port"))
    assert (desk.job().state, desk.job().progress, desk.job().detail) == (JobState.CANCELLED, "", "")
