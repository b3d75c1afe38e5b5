"""The order as a job carries it."""

from __future__ import annotations

from datetime import datetime

from gateway_server.model import ReadOrder


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
