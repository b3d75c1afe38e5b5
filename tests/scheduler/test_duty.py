"""Everything a gateway does by itself, joined: lines and modems share the plan."""

from __future__ import annotations

from dataclasses import replace

from gateway_server.model import Outcome, ReadOrder
from gateway_server.scheduler.duty import Duty, DutyTerms
from gateway_server.scheduler.obligations import Budget
from gateway_server.scheduler.schedules import Schedule, Window
from gateway_server.store.records import Filter, JobState, MeterRecord, Origin
from gateway_server.testing.fake_modems import FakeCall, FakeModems
from tests.scheduler.test_completeness import row
from tests.scheduler.test_jobs import ANSWERS, Roads
from tests.session.conversations import NOW_MS, ToyCodec
from tests.transports.hall import IMEI, SERIAL, Hall

HOUR = 3_600_000
NOON = Schedule("noon", "0 14 * * *", window=Window.parse("14:00-16:00"), what=frozenset({"current"}))


class Place:
    """A gateway with lines and, if wanted, modems; it is two in the afternoon in Moscow."""

    def __init__(self, *routes: str, modems: bool = True, terms: DutyTerms | None = None) -> None:
        self.hall = Hall()
        self.store = self.hall.store
        self.store.put_meter(MeterRecord(SERIAL, routes=routes))
        self.roads = Roads(self.hall)
        self.pool = FakeModems(self.hall.clock, self.hall.facilities, lambda order, times: FakeCall())
        self.duty = Duty(
            self.hall.facilities,
            self.hall.presence,
            self.roads,
            lambda _: (ToyCodec(),),
            terms or DutyTerms(schedules=(NOON,), seed=1),
            self.pool if modems else None,
        )
        self.hall.presence.came = self.duty.came
        self.duty.start()

    def states(self) -> list[tuple[str, JobState]]:
        return [(job.origin.value, job.state) for job in self.store.jobs()]


def test_scheduled_meter_with_a_line_is_read_over_it() -> None:
    place = Place("tcp:192.0.2.1:4001")
    place.roads.visits[0].received(ANSWERS)
    assert place.states() == [("schedule", JobState.DONE)]
    assert place.pool.orders == []


def test_meter_whose_line_leads_nowhere_is_called() -> None:
    place = Place()
    place.store.put_meter(MeterRecord(SERIAL, routes=("tcp:192.0.2.1:4001", "csd:+79161234567")))
    place.roads.closed.add("192.0.2.1")
    place.hall.pass_seconds(400)
    assert [order.number for order in place.pool.orders] == ["+79161234567"]
    assert place.states() == [("schedule", JobState.DONE)]


def test_scheduled_meter_that_is_not_reached_is_tried_again_within_its_window() -> None:
    place = Place("tcp:192.0.2.1:4001")
    place.roads.visits[0].line_lost("reset")
    (job,) = place.store.jobs()
    assert (job.state, job.attempts) == (JobState.QUEUED, 1)
    assert job.next_ms > NOW_MS + 60_000
    place.hall.pass_seconds((job.next_ms - NOW_MS) / 1000 + 6)
    assert len(place.roads.visits) == 2
    place.roads.visits[1].received(ANSWERS)
    assert place.states() == [("schedule", JobState.DONE)]


def test_meter_that_does_not_call_in_within_its_window_has_failed() -> None:
    place = Place(f"caller:{IMEI}")
    (job,) = place.store.jobs()
    assert (job.state, job.waits) == (JobState.RUNNING, True)
    place.hall.pass_seconds(2 * 3600 + 10)
    (job,) = place.store.jobs()
    assert (job.state, job.detail) == (JobState.FAILED, "its window ended; it did not call in")


def test_meter_on_a_line_of_its_own_is_not_called_by_modem() -> None:
    place = Place(terms=DutyTerms(seed=1))
    place.hall.listens()
    caller, line = place.hall.call()
    caller.received(b"SN=41203377\r\nEND\r\n")
    place.store.add_job(SERIAL, ReadOrder(frozenset({"current"})).to_json(), "", place.hall.facilities.now_ms())
    job = place.store.job(1)
    assert job is not None
    place.store.update_job(replace(job, by_modem=True))
    place.store.put_meter(MeterRecord(SERIAL, routes=("csd:+79161234567",)))
    place.duty.look()
    place.hall.pass_seconds(1)
    assert place.pool.orders == []
    caller.received(ANSWERS)
    (done,) = place.store.jobs()
    assert (done.state, done.outcome) == (JobState.DONE, Outcome.READ)
    assert not line.closed


def test_gateway_without_modems_leaves_calls_to_another_one() -> None:
    place = Place("csd:+79161234567", modems=False)
    place.hall.pass_seconds(60)
    assert place.states() == [("schedule", JobState.QUEUED)]
    place.duty.modem_ready()
    place.duty.stop()


def test_meter_that_calls_in_is_asked_for_what_is_overdue() -> None:
    place = Place(terms=DutyTerms(budget=Budget(10_000, 60), seed=1))
    place.hall.listens()
    with_hole = [row(NOW_MS - hour * HOUR, 90 - hour) for hour in (9, 8, 7, 3)]
    key = place.store.open_session(replace(place.hall.call()[0]._opening(), serial=SERIAL))
    place.store.save(key, SERIAL, with_hole)
    caller, _ = place.hall.call()
    caller.received(b"SN=41203377\r\nEND\r\n")
    place.hall.pass_seconds(6)
    (job,) = place.store.jobs(Filter())
    assert (job.origin, job.state, job.priority) == (Origin.COMPLETENESS, JobState.RUNNING, -1)
    caller.received(ANSWERS)
    assert place.states() == [("completeness", JobState.DONE)]
