"""The order as a job carries it."""

from __future__ import annotations

from datetime import datetime

from gateway_server.model import ArchiveRange, ReadOrder


def test_order_for_everything_survives_its_way_through_a_job() -> None:
    assert ReadOrder.from_json(ReadOrder().to_json()) == ReadOrder()


def test_order_for_a_span_of_one_archive_survives_its_way_through_a_job() -> None:
    order = ReadOrder(
        what=frozenset({"archive"}),
        archives=("daily", "monthly"),
        since=datetime(2026, 1, 31, 10, 0),
        until=datetime(2026, 2, 1, 9, 59, 59),
    )

    assert ReadOrder.from_json(order.to_json()) == order


def test_order_in_a_job_is_text_a_person_can_read() -> None:
    text = ReadOrder(what=frozenset({"events", "current"}), since=datetime(2026, 1, 31, 10)).to_json()

    assert text == '{"what": ["current", "events"], "archives": [], "since": "2026-01-31T10:00:00", "until": null}'


def test_order_for_holes_survives_its_way_through_a_job_and_knows_what_holds_them_all() -> None:
    autumn = datetime(2026, 10, 25, 2, 0, fold=1)
    holes = (
        ArchiveRange("interval", datetime(2026, 11, 2, 10), datetime(2026, 11, 3, 9)),
        ArchiveRange("daily", datetime(2026, 11, 1, 10), datetime(2026, 11, 1, 10)),
        ArchiveRange("interval", datetime(2026, 10, 25, 1), autumn),
    )
    order = ReadOrder(frozenset({"archive"}), ("interval", "daily"), ranges=holes)

    assert ReadOrder.from_json(order.to_json()) == order
    assert order.ranges_of("interval") == (holes[0], holes[2])
    assert order.within() == (holes[2].since, holes[0].until)


def test_order_that_an_older_program_queued_is_still_understood() -> None:
    text = '{"what": ["archive"], "archives": ["interval"], "since": null, "until": null}'

    assert ReadOrder.from_json(text) == ReadOrder(frozenset({"archive"}), ("interval",))
    assert ReadOrder.from_json(text).within() == (None, None)
