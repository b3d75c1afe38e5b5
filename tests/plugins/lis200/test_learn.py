"""What a device is asked about its archives' columns, and what is remembered of the answers."""

from __future__ import annotations

from gateway_server.model import KnownMeter, ReadOrder
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.quirks import Quirks
from plugins.lis200.messages import Command, encode
from tests.plugins.lis200.visit import visit

INTERVAL = KnownMeter("41203377", ReadOrder(frozenset({"archive"}), ("interval",)))


def asked(*attributes: str) -> list[bytes]:
    return [encode(Command("R1", f"3:V.{attribute}(1)")) for attribute in attributes]


def test_names_units_and_sources_are_asked_for_in_turn_and_remembered() -> None:
    told = visit(FakeMeter(days=2), INTERVAL)
    assert [data for data in told.sent if b":V." in data and b"R1" in data] == asked("2", "3", "4")
    assert told.memory["layout:2.05:3"].startswith('[["GONo","AONo","Time"')


def test_device_that_describes_nothing_is_read_by_the_makers_columns_and_not_asked_again() -> None:
    told = visit(FakeMeter(days=2, quirks=Quirks(no_layout=True)), INTERVAL)
    assert told.memory["layout:2.05:3"] == ""
    assert told.archive("interval")[0].columns[0].name == "Vb"
    again = visit(
        FakeMeter(days=2, quirks=Quirks(no_layout=True)), KnownMeter("41203377", INTERVAL.order, memory=told.memory)
    )
    assert not [data for data in again.sent if data in asked("2", "3", "4")]
