"""Orders from the store: taken, carried out, told, given back."""

from __future__ import annotations

import random

import pytest

from gateway_server.codec.codec import Codec
from gateway_server.codec.dialogue import Progress
from gateway_server.model import MeterState, Outcome, ReadOrder
from gateway_server.scheduler.completeness import Terms
from gateway_server.scheduler.jobs import WAITS_FOR_CALL, WAITS_FOR_TURN, Jobs
from gateway_server.scheduler.obligations import Budget, Obligations
from gateway_server.scheduler.policy import Policy
from gateway_server.session.endings import Ending
from gateway_server.store.records import JobRecord, JobState, MeterRecord
from gateway_server.testing.fake_line import FakeLine
from gateway_server.transports.errand import Errand
from gateway_server.transports.routes import CallerRoute, CsdRoute, Route
from gateway_server.transports.visit import Visit
from tests.session.conversations import ToyCodec
from tests.transports.hall import IMEI, SERIAL, Hall

ORDERS = Obligations(Terms(), Budget(100_000, 60))
POLICY = Policy(random.Random(7))
ANSWERS = b"SN=41203377\r\nV=4\r\n"


class Roads:
    """Sends errands over fake lines; ``closed`` routes lead nowhere."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self.closed: set[str] = set()
        self.sent: list[Route] = []
        self.visits: list[Visit] = []

    def can_open(self, route: Route) -> str:
        return "not by ourselves" if isinstance(route, CallerRoute | CsdRoute) else ""

    def send(self, route: Route, errand: Errand) -> None:
        self.sent.append(route)
        if getattr(route, "host", "") in self.closed:
            errand.ended(Ending(Outcome.LINE_LOST, "it was refused", errand.serial))
            return
        visit = Visit(FakeLine(), self._hall.facilities, errand)
        self.visits.append(visit)
        visit.begin()


class Office:
    """Jobs over a hall."""

    def __init__(self, *routes: str, parallel: int = 10) -> None:
        self.hall = Hall()
        self.store = self.hall.store
        self.store.put_meter(MeterRecord(SERIAL, routes=routes))
        self.roads = Roads(self.hall)
        self.jobs = Jobs(self.hall.facilities, self.hall.presence, self.roads, self._codecs, ORDERS, POLICY, parallel)
        self.hall.presence.came = self.jobs.came

    def _codecs(self, record: MeterRecord) -> tuple[Codec, ...]:
        return (ToyCodec(),)

    def order(self, serial: str = SERIAL, route: str = "") -> int:
        number = self.store.add_job(serial, ReadOrder(frozenset({"current"})).to_json(), route, self.now)
        self.jobs.look()
        return number

    @property
    def now(self) -> int:
        return self.hall.facilities.now_ms()

    def job(self, number: int) -> JobRecord:
        job = self.store.job(number)
        assert job is not None
        return job


def test_meter_is_reached_over_its_route_and_the_order_done() -> None:
    office = Office("tcp:192.0.2.1:4001")
    number = office.order()
    assert office.job(number).state is JobState.RUNNING
    office.roads.visits[0].received(ANSWERS)
    job = office.job(number)
    assert (job.state, job.outcome, job.session) == (JobState.DONE, Outcome.READ, 1)
    assert office.hall.values() == ["4"]
    session = office.store.session(1)
    assert session is not None
    assert session.job == number


def test_next_route_is_tried_when_one_leads_nowhere() -> None:
    office = Office("tcp:192.0.2.1:4001", "tcp:192.0.2.2:4001")
    office.roads.closed.add("192.0.2.1")
    number = office.order()
    assert [route.host for route in office.roads.sent if hasattr(route, "host")] == ["192.0.2.1", "192.0.2.2"]
    office.roads.visits[0].received(ANSWERS)
    assert office.job(number).state is JobState.DONE


def test_meter_that_is_not_reached_fails_the_order_with_the_reason() -> None:
    office = Office("tcp:192.0.2.1:4001", "csd:+79161234567")
    office.roads.closed.add("192.0.2.1")
    job = office.job(office.order())
    assert (job.state, job.outcome) == (JobState.FAILED, Outcome.LINE_LOST)
    assert "it was refused" in job.detail
    assert job.session == 0


def test_person_can_name_another_way() -> None:
    office = Office("tcp:192.0.2.1:4001")
    office.order(route="tcp:192.0.2.9:1")
    assert [getattr(route, "host", "") for route in office.roads.sent] == ["192.0.2.9"]


@pytest.mark.parametrize(
    ("serial", "route", "because"),
    [
        ("5", "", "is not in the register"),
        (SERIAL, "", "has no route"),
        (SERIAL, "carrier-pigeon:7", "is none of tcp, caller"),
    ],
)
def test_order_that_cannot_be_carried_out_says_why(serial: str, route: str, because: str) -> None:
    office = Office()
    job = office.job(office.order(serial, route))
    assert job.state is JobState.FAILED
    assert because in job.detail


def test_meter_that_is_switched_off_is_not_read() -> None:
    office = Office("tcp:192.0.2.1:4001")
    office.store.set_meter_state(SERIAL, MeterState.DISABLED)
    assert "switched off" in office.job(office.order()).detail


def test_meter_that_calls_in_is_read_when_it_does_and_the_person_told_so() -> None:
    office = Office(f"caller:{IMEI}")
    office.jobs.start()
    number = office.order()
    assert (office.job(number).state, office.job(number).progress) == (JobState.RUNNING, WAITS_FOR_CALL)
    office.hall.pass_seconds(300)
    assert office.job(number).lease_until_ms is not None
    assert (office.job(number).lease_until_ms or 0) > office.now
    caller, _ = office.hall.call()
    caller.received(ANSWERS)  # what it is asked whenever it calls
    office.hall.pass_seconds(1)
    caller.received(ANSWERS)  # the order
    job = office.job(number)
    assert (job.state, job.session) == (JobState.DONE, 2)
    office.jobs.stop()


def test_meter_that_is_on_a_line_now_is_read_over_it() -> None:
    office = Office(f"caller:{IMEI}", "tcp:192.0.2.1:4001")
    caller, line = office.hall.call()
    caller.received(ANSWERS)
    number = office.order()
    assert line.written[-1] == b"?\r\n"
    caller.received(ANSWERS)
    assert office.job(number).state is JobState.DONE
    assert office.roads.sent == []


def test_two_orders_for_one_meter_are_carried_out_one_after_the_other() -> None:
    office = Office("tcp:192.0.2.1:4001")
    first, second = office.order(), office.order()
    assert len(office.roads.visits) == 1
    assert office.job(second).progress == WAITS_FOR_TURN
    office.roads.visits[0].received(ANSWERS)
    office.hall.pass_seconds(1)
    office.roads.visits[1].received(ANSWERS)
    assert [office.job(number).state for number in (first, second)] == [JobState.DONE] * 2


def test_no_more_are_taken_than_there_are_hands() -> None:
    office = Office(parallel=2)
    for number in range(5):
        office.store.put_meter(MeterRecord(f"{number}", routes=(f"tcp:192.0.2.{number}:1",)))
    for number in range(5):
        office.order(f"{number}")
    assert len(office.roads.visits) == 2
    office.roads.visits[0].line_lost("gone")
    assert len(office.roads.visits) == 3


def test_orders_that_wait_for_a_call_take_no_hands() -> None:
    office = Office(f"caller:{IMEI}", parallel=1)
    office.store.put_meter(MeterRecord("1", routes=("tcp:192.0.2.1:1",)))
    office.order()
    office.order("1")
    assert len(office.roads.visits) == 1


def test_progress_is_told_but_not_for_every_step() -> None:
    office = Office("tcp:192.0.2.1:4001")
    number = office.order()
    visit = office.roads.visits[0]
    office.hall.pass_seconds(1)
    visit.session_progress(visit.session, Progress("blocks", 3, 70))
    assert (office.job(number).progress, office.job(number).progress_done, office.job(number).progress_total) == (
        "blocks",
        3,
        70,
    )
    visit.session_progress(visit.session, Progress("blocks", 4, 70))
    assert office.job(number).progress_done == 3


def test_order_that_is_cancelled_ends_its_session() -> None:
    office = Office("tcp:192.0.2.1:4001")
    office.jobs.start()
    number = office.order()
    assert office.store.cancel_job(number)
    office.hall.pass_seconds(6)
    session = office.store.session(1)
    assert session is not None
    assert session.outcome is Outcome.LINE_LOST
    assert "cancelled" in session.detail
    assert office.job(number).state is JobState.CANCELLED
    office.jobs.stop()


def test_order_that_waits_for_a_call_can_be_cancelled() -> None:
    office = Office(f"caller:{IMEI}")
    office.jobs.start()
    number = office.order()
    office.store.cancel_job(number)
    office.hall.pass_seconds(6)
    caller, line = office.hall.call()
    caller.received(ANSWERS)
    office.hall.pass_seconds(1)
    assert line.written.count(b"?\r\n") == 1
    office.jobs.stop()


def test_gateway_that_stops_begins_no_session_for_the_order_whose_turn_it_would_be() -> None:
    office = Office("tcp:192.0.2.1:4001")
    office.jobs.start()
    first, second = office.order(), office.order()
    office.jobs.stop()
    office.roads.visits[0].line_lost("the gateway stops")
    office.hall.pass_seconds(1)
    assert len(office.roads.visits) == 1
    assert [office.job(number).state for number in (first, second)] == [JobState.QUEUED] * 2
    assert [session.id for session in office.store.sessions()] == [1]


def test_meter_that_calls_while_the_gateway_stops_is_not_read_for_its_order() -> None:
    office = Office(f"caller:{IMEI}")
    office.jobs.start()
    number = office.order()
    caller, line = office.hall.call()
    caller.received(ANSWERS)
    office.jobs.stop()
    office.hall.pass_seconds(1)
    assert line.written.count(b"?\r\n") == 1
    assert office.job(number).state is JobState.QUEUED


def test_order_of_a_gateway_that_was_killed_is_taken_up() -> None:
    office = Office("tcp:192.0.2.1:4001")
    number = office.store.add_job(SERIAL, ReadOrder().to_json(), "", office.now)
    office.store.take_job(office.now, 60_000)  # by the one that is dead now
    office.jobs.start()
    office.hall.pass_seconds(50)
    assert office.roads.visits == []
    office.hall.pass_seconds(16)
    office.roads.visits[0].received(ANSWERS)
    assert office.job(number).state is JobState.DONE
    office.jobs.stop()


def test_gateway_that_stops_gives_its_orders_back() -> None:
    office = Office(f"caller:{IMEI}")
    office.store.put_meter(MeterRecord("1", routes=("tcp:192.0.2.1:1",)))
    waiting, running = office.order(), office.order("1")
    office.jobs.stop()
    office.roads.visits[0].end("the gateway stops")
    assert [office.job(number).state for number in (waiting, running)] == [JobState.QUEUED] * 2
    office.jobs.look()
    assert len(office.roads.visits) == 1


def test_order_nobody_can_read_fails() -> None:
    office = Office("tcp:192.0.2.1:4001")
    number = office.store.add_job(SERIAL, "{}", "", office.now)
    office.jobs.look()
    assert office.job(number).state is JobState.FAILED
    assert "cannot be carried out" in office.job(number).detail
