"""Jobs that wait for a modem, of meters that call in by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway_server.errors import StoreError
from gateway_server.model import CallResult
from gateway_server.scheduler.inbound import SETTLED_SECONDS, Inbound
from gateway_server.session.plan import Facilities
from gateway_server.store.plan_records import JobToMake
from gateway_server.store.records import MeterRecord, Origin
from tests.session.conversations import Scene

SERIAL = "7"
ORDER = '{"what": ["archive"]}'


class Office(Scene):
    """A meter whose job waits for a modem."""

    def __init__(self) -> None:
        super().__init__()
        self.given = 0
        self.store.put_meter(MeterRecord(SERIAL, routes=("csd:+79160000001",)))
        self.inbound = Inbound(self.facilities, self.count)

    def count(self) -> None:
        self.given += 1

    def wants(self, origin: Origin = Origin.SCHEDULE, due_in_s: int = 0) -> None:
        now_ms = self.facilities.now_ms()
        due_ms = now_ms + due_in_s * 1000
        job = JobToMake(SERIAL, ORDER, origin, "night", "1", due_ms, due_ms + 3_600_000, by_modem=True)
        self.store.make_jobs([job], now_ms)

    def came(self) -> list[bool]:
        """The meter comes; which of its jobs wait for a modem after that."""
        self.inbound.came(SERIAL)
        self.inbound.came(SERIAL)
        self.clock.advance(SETTLED_SECONDS)
        return [job.by_modem for job in self.store.jobs()]


def test_what_is_due_is_given_to_the_meters_line_once_it_has_said_what_it_came_for() -> None:
    office = Office()
    office.wants()
    office.inbound.came(SERIAL)
    office.clock.advance(SETTLED_SECONDS - 1)
    assert [job.by_modem for job in office.store.jobs()] == [True]
    office.clock.advance(1)
    assert [job.by_modem for job in office.store.jobs()] == [False]
    assert office.given == 1


@pytest.mark.parametrize(("origin", "due_in_s"), [(Origin.PERSON, 0), (Origin.SCHEDULE, 60)])
def test_order_of_a_person_and_a_later_night_stay_with_the_modems(origin: Origin, due_in_s: int) -> None:
    office = Office()
    office.wants(origin, due_in_s)
    assert office.came() == [True]
    assert office.given == 0


@pytest.mark.parametrize(
    ("result", "by_modem"), [(CallResult.REFUSED, True), (CallResult.WRONG_NUMBER, False), (CallResult.BARRED, False)]
)
def test_meter_that_refused_is_left_alone_and_one_that_could_not_be_called_is_not(
    result: CallResult, by_modem: bool
) -> None:
    office = Office()
    office.wants()
    office.store.stop_plan(SERIAL, result, "said so", office.facilities.now_ms())
    assert office.came() == [by_modem]


def test_nothing_is_given_when_the_gateway_stops_or_the_store_fails() -> None:
    office = Office()
    office.wants()
    office.inbound.came(SERIAL)
    office.inbound.stop()
    office.clock.advance(SETTLED_SECONDS)
    assert office.given == 0

    class Failing:
        def call(self, work: Callable[[Any], object], done: Callable[[StoreError], None]) -> None:
            done(StoreError("no store"))

    failing: Any = Failing()
    facilities = Facilities(failing, office.clock, office.facilities.now_ms, office.facilities.sweep)
    Inbound(facilities, office.count).came(SERIAL)
    office.clock.advance(SETTLED_SECONDS)
    assert office.given == 0
