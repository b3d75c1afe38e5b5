"""Orders on their way."""

from __future__ import annotations

from gateway_server.store.records import MeterRecord
from gateway_server.transports.errand import Errand


def test_errand_knows_its_meter_if_there_is_one() -> None:
    assert Errand((), MeterRecord("7")).serial == "7"
    assert Errand(()).serial == ""
