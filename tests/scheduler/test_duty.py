"""Everything a gateway does by itself, joined: lines and modems share the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from gateway_server.model import CallResult, Outcome, ReadOrder
from gateway_server.scheduler.completeness import Terms
from gateway_server.scheduler.duty import Duty, DutyTerms
from gateway_server.scheduler.obligations import Budget
from gateway_server.scheduler.schedules import Schedule, Window
from gateway_server.store.records import Filter, JobState, MeterRecord, Origin
from gateway_server.testing.fake_modems import FakeCall, FakeModems
from tests.scheduler.test_completeness import row
from tests.scheduler.test_jobs import ANSWERS, Roads
from tests.scheduler.town import NoRoads
from tests.session.conversations import NOW_MS, ToyCodec
from tests.transports.hall import IMEI, SERIAL, Hall
from tests.transports.office import FIRST, Office, lis200

HOUR = 3_600_000
FILLING = DutyTerms(terms=Terms(first_days=2), seed=1)
NOON = Schedule("noon", "0 14 * * *", window=Window.parse("14:00-16:00"), what=frozenset({"current"}))


class Place:
    """A gateway with lines and, if wanted, modems; it is two in the afternoon in Moscow."""

    def __init__(
        self, *routes: str, modems: bool = True, terms: DutyTerms | None = None, call: FakeCall | None = None
    ) -> None:
        self.hall = Hall()
        self.store = self.hall.store
        self.store.put_meter(MeterRecord(SERIAL, routes=routes))
        self.roads = Roads(self.hall)
        self.pool = FakeModems(self.hall.clock, self.hall.facilities, lambda order, times: call or FakeCall())
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


def test_meter_that_calls_in_while_its_job_waits_for_a_modem_is_read_over_its_line_and_not_called() -> None:
    place = Place("csd:+79161234567", call=FakeCall(CallResult.BUSY, setup_s=8))
    place.hall.listens()
    place.hall.pass_seconds(15)
    assert place.states() == [("schedule", JobState.QUEUED)]
    caller, _ = place.hall.call()
    caller.received(b"SN=41203377\r\nEND\r\n")
    place.hall.pass_seconds(6)
    caller.received(ANSWERS)
    assert place.states() == [("schedule", JobState.DONE)]
    place.hall.pass_seconds(600)
    assert len(place.pool.orders) == 1
    assert place.states() == [("schedule", JobState.DONE)]


def test_job_whose_meter_hung_up_too_soon_waits_for_a_modem_again_though_this_gateway_has_none() -> None:
    place = Place("csd:+79161234567", modems=False)
    place.hall.listens()
    caller, _ = place.hall.call()
    caller.received(b"SN=41203377\r\nEND\r\n")
    place.hall.pass_seconds(4)
    caller.line_lost("reset")
    place.hall.pass_seconds(10)
    (job,) = place.store.jobs()
    assert (job.state, job.by_modem) == (JobState.QUEUED, True)


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
    key = place.store.open_session(place.hall.call()[0]._opening()._replace(serial=SERIAL))
    place.store.save(key, SERIAL, with_hole)
    caller, _ = place.hall.call()
    caller.received(b"SN=41203377\r\nEND\r\n")
    place.hall.pass_seconds(6)
    (job,) = place.store.jobs(Filter())
    assert (job.origin, job.state, job.priority) == (Origin.COMPLETENESS, JobState.RUNNING, -1)
    caller.received(ANSWERS)
    assert place.states() == [("completeness", JobState.DONE)]


def on_duty(office: Office, terms: DutyTerms) -> None:
    """A gateway without calls of its own, on modems that take the calls of meters."""
    duty = Duty(office.facilities, office.presence, NoRoads(), lambda _: (lis200(),), terms)
    office.presence.came = duty.came
    duty.start()


def ordered(office: Office, archive: str) -> None:
    order = ReadOrder(frozenset({"archive"}), (archive,)).to_json()
    office.store.add_job(str(FIRST), order, f"caller:{FIRST}", office.facilities.now_ms())


def test_job_that_waits_for_a_meter_runs_in_its_call_to_our_modem() -> None:
    office = Office()
    on_duty(office, replace(FILLING, fill_every_s=0))
    ordered(office, "daily")
    office.wait(10)
    (job,) = office.store.jobs()
    assert job.waits
    office.modems[0].ring(office.subscribers[0])
    office.wait(120)
    (job,) = office.store.jobs()
    assert (job.state, job.outcome) == (JobState.DONE, Outcome.READ)
    (call,) = office.calls()
    first, second = sorted(office.store.sessions(Filter()), key=lambda session: session.id)
    assert (call.result, call.session, call.inbound) == (CallResult.OK, first.id, True)
    assert (second.id, second.job, second.transport) == (job.session, job.id, "csd")
    sent_and_received = sum(one.bytes_received + one.bytes_sent for one in (first, second))
    assert call.bytes == sent_and_received
    assert office.state() == "ready"
    assert office.presence.line_to(str(FIRST)) is None


def test_job_whose_call_is_lost_before_its_turn_waits_for_the_next_one() -> None:
    office = Office(call=("lost_after=300",))
    on_duty(office, replace(FILLING, fill_every_s=0))
    ordered(office, "daily")
    office.wait(10)
    office.modems[0].ring(office.subscribers[0])
    office.wait(120)
    assert [call.result for call in office.calls()] == [CallResult.LOST]
    assert len(list(office.store.sessions(Filter()))) == 1
    (job,) = office.store.jobs()
    assert (job.state, job.waits) == (JobState.RUNNING, True)


def test_overdue_meter_that_calls_our_modem_is_filled_within_its_budget() -> None:
    office = Office()
    for day in (28, 29):
        bounds = datetime(2024, 2, day, 0, 0), datetime(2024, 2, day, 3, 0)
        office.call(order=ReadOrder(frozenset({"archive"}), ("interval",), *bounds))
        office.wait(120)
    on_duty(office, replace(FILLING, budget=Budget(5 * 150, 60)))
    office.modems[0].ring(office.subscribers[0])
    office.wait(240)
    (job,) = office.store.jobs()
    assert (job.origin, job.state, job.outcome) == (Origin.COMPLETENESS, JobState.DONE, Outcome.READ)
    filled = [
        one.row.measured_at_ms
        for one in office.store.rows(Filter(archives=("interval",)))
        if one.session == job.session
    ]
    newest_hole_ms = int(datetime(2024, 2, 28, 20, 0, tzinfo=UTC).timestamp()) * 1000  # 23:00 in Moscow
    assert sorted(filled) == [newest_hole_ms - hours * HOUR for hours in (4, 3, 2, 1, 0)]
    assert [call.result for call in office.calls()] == [CallResult.OK] * 3
