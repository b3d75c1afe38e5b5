"""The options that the listing verbs share."""

from __future__ import annotations

from gateway_server.cli.invocation import Invocation, Zones
from gateway_server.cli.options import Period, at_most, containing
from gateway_server.store.records import Filter, MeterRecord
from tests.cli.desk import Desk

INVOCATION = Invocation(now_ms=lambda: 1_399_032_000_000)


def since(desk: Desk, *serials: str) -> int | None:
    with desk.store() as store:
        return Period("2014-05-02 10:00", None).narrow(Filter(serials=serials), INVOCATION, Zones(store)).since_ms


def test_time_without_a_zone_is_the_named_meters(desk: Desk) -> None:
    with desk.store() as store:
        store.put_meter(MeterRecord("20511893", time_zone="Asia/Yekaterinburg"))
    assert since(desk, "41203377") == 1_399_010_400_000  # 06:00 UTC
    assert since(desk, "20511893") == 1_399_003_200_000  # 04:00 UTC


def test_meters_of_several_zones_are_asked_in_utc(desk: Desk) -> None:
    assert since(desk) == 1_399_010_400_000  # one meter, one zone
    with desk.store() as store:
        store.put_meter(MeterRecord("20511893", time_zone="Asia/Yekaterinburg"))
    assert since(desk) == 1_399_024_800_000


def test_what_is_beyond_the_limit_stays_to_be_counted() -> None:
    things = iter(range(5))
    assert list(at_most(2, things)) == [0, 1]
    assert list(at_most(None, things)) == [2, 3, 4]


def test_period_that_ends_before_it_begins_is_refused(desk: Desk) -> None:
    for verb in (("reading", "list"), ("session", "list"), ("reprocess", "--dry-run"), ("read", "41203377")):
        ran = desk.run(*verb, "--from", "2026-11-22", "--to", "2026-11-20")
        assert ran.status == 2
        assert "before --from" in ran.err


def test_search_looks_at_all_words_whatever_their_case_and_counts_what_it_finds() -> None:
    things = [("Котельная 4", "m1"), ("boiler", "M2"), ("котельная 5", "m3")]

    def found(text: str, limit: int | None = None) -> list[str]:
        return [name for _, name in containing(text, iter(things), lambda one: one, limit)]

    assert found("КОТЕЛЬНАЯ") == ["m1", "m3"]
    assert found("котельная", 1) == ["m1"]
    assert found("m2") == ["M2"]
    assert found("") == ["m1", "M2", "m3"]
