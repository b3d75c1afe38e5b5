"""Jobs that nobody typed: a night's, and those of meters that call in with rows overdue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway_server.model import MeterState, ReadOrder
from gateway_server.scheduler.completeness import Terms
from gateway_server.scheduler.obligations import Budget, Obligations
from gateway_server.scheduler.planning import OVERDUE, Filling, Planning, jobs_of
from gateway_server.scheduler.schedules import Schedule, Window
from gateway_server.session.plan import Facilities
from gateway_server.store.records import JobState, MeterRecord, Origin, RowToSave, SessionOpening
from tests.scheduler.test_completeness import COLUMNS
from tests.session.conversations import Scene

START_MS = 1_712_181_600_000  # 2024-04-03T22:00:00Z: one o'clock at night in Moscow
NIGHT = Schedule("night", "0 1 * * *", window=Window.parse("01:00-05:30"), groups=("north",))


class Office(Scene):
    """A store with meters, at half past midnight."""

    def __init__(self) -> None:
        super().__init__()
        self.facilities = Facilities(
            self.writer,
            self.clock,
            lambda: START_MS - 1_800_000 + int(self.clock.seconds() * 1000),
            self.facilities.sweep,
        )
        self.made = 0
        for serial, said in {
            "1": {"routes": ("csd:+79160000001",)},
            "2": {"routes": ("tcp:10.0.0.2:4001", "csd:+79160000002")},
            "3": {"routes": ("ftp:three",)},
            "4": {"routes": ("csd:+79160000004",), "state": MeterState.DISABLED},
            "5": {"routes": ("csd:+79160000005",), "group": "south"},
        }.items():
            self.store.put_meter(replace(MeterRecord(serial, group="north"), **said))  # type: ignore[arg-type]

    def count(self) -> None:
        self.made += 1

    def planning(self, *schedules: Schedule) -> Planning:
        planning = Planning(self.facilities, schedules or (NIGHT,), self.count)
        planning.start()
        return planning

    def jobs(self) -> list[tuple[str, bool, str]]:
        return [(job.serial, job.by_modem, job.route) for job in self.store.jobs()]


def test_night_begins_at_its_time_for_meters_in_care_that_can_be_reached() -> None:
    office = Office()
    office.planning()
    assert office.jobs() == []
    office.clock.pump([20] * 89)
    assert office.jobs() == []
    office.clock.pump([20] * 3)
    assert office.jobs() == [("1", True, ""), ("2", False, "")]
    assert office.made == 1
    (job, _) = office.store.jobs()
    assert (job.due_ms, job.window_end_ms, job.schedule) == (START_MS, START_MS + 4 * 3_600_000 + 1_800_000, "night")
    assert ReadOrder.from_json(job.order) == ReadOrder(frozenset({"archive"}))


def test_schedule_with_transports_uses_only_these() -> None:
    office = Office()
    office.planning(replace(NIGHT, transports=("csd",), cron="0 0 * * *", window=None))
    assert office.jobs() == [("1", True, "csd:+79160000001"), ("2", True, "csd:+79160000002")]


def test_planner_that_was_away_makes_up_for_the_night_that_is_on_and_a_new_meter_comes_in() -> None:
    office = Office()
    office.clock.advance(7200)
    office.planning()
    assert len(office.jobs()) == 2
    office.store.put_meter(MeterRecord("6", group="north/new", routes=("csd:+79160000006",)))
    office.clock.pump([20] * 16)
    assert len(office.jobs()) == 3


def test_planner_that_is_stopped_makes_nothing() -> None:
    office = Office()
    office.planning().stop()
    office.clock.pump([20] * 100)
    assert office.jobs() == []
    assert list(jobs_of(NIGHT, office.store.meters(), START_MS - 1)) == []


def with_rows(office: Office, *hours: int, serial: str = "1") -> None:
    key = office.store.open_session(SessionOpening("tcp", "", START_MS))
    rows = [RowToSave(COLUMNS, ("1",), "interval", START_MS - hour * 3_600_000, START_MS, 100 - hour) for hour in hours]
    office.store.save(key, serial, rows)


def filling(office: Office, every_s: float = 3600) -> Filling:
    obligations = Obligations(Terms(), Budget(10_000, 60))
    return Filling(office.facilities, obligations, every_s, lambda meter: meter.serial != "2", office.count)


@pytest.mark.parametrize(("hours", "made"), [((9, 8, 7, 3), 1), ((9, 8, 7), 0), ((), 0)])
def test_meter_that_calls_in_is_filled_if_rows_in_front_of_its_newest_one_are_missing(
    hours: tuple[int, ...], made: int
) -> None:
    office = Office()
    with_rows(office, *hours)
    filling(office).came("1")
    assert office.made == 0  # what it called for comes first
    office.clock.advance(5)
    assert office.made == made
    for job in office.store.jobs():
        assert (job.serial, job.origin, job.schedule, job.route) == ("1", Origin.COMPLETENESS, OVERDUE, "caller:1")


def test_meter_that_calls_again_and_again_is_filled_once_in_a_while() -> None:
    office = Office()
    with_rows(office, 9, 8, 7, 3)
    fills = filling(office)
    fills.came("1")
    office.clock.advance(5)
    (job,) = office.store.jobs()
    office.store.update_job(replace(job, state=JobState.DONE))
    fills.came("1")
    office.clock.advance(5)
    assert office.made == 1
    office.clock.advance(3600)
    fills.came("1")
    office.clock.advance(5)
    assert office.made == 2


def test_fleet_that_calls_at_the_same_time_is_looked_at_one_after_the_other() -> None:
    office = Office()
    office.store.put_meter(MeterRecord("9", group="north"))
    for serial in ("1", "9"):
        with_rows(office, 9, 8, 7, 3, serial=serial)
    fills = filling(office)
    for serial in ("1", "9"):
        fills.came(serial)
    office.clock.advance(5)
    assert office.made == 1
    office.clock.advance(0.05)
    assert office.made == 2
    fills.came("5")
    fills.stop()
    assert not office.clock.getDelayedCalls()


@pytest.mark.parametrize("serial", ["nobody", "4", "2"])
def test_stranger_a_meter_that_is_switched_off_and_one_that_only_pushes_are_not_filled(serial: str) -> None:
    office = Office()
    with_rows(office, 9, 8, 7, 3, serial="2")
    with_rows(office, 9, 8, 7, 3)
    filling(office).came(serial)
    filling(office, 0).came("1")
    office.clock.advance(5)
    assert office.made == 0
