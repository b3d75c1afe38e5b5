"""What a device is asked about its archives' columns, and what is remembered of the answers."""

from __future__ import annotations

from gateway_server.model import NOWHERE, KnownMeter, ReadOrder
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


def test_device_that_tells_no_names_is_asked_for_sources_and_then_units() -> None:
    told = visit(FakeMeter(days=2, quirks=Quirks(no_names=True)), INTERVAL)
    assert [data for data in told.sent if b":V." in data and b"R1" in data] == asked("2", "4", "3")
    assert told.memory["layout:2.05:3"].startswith('[[],["","","","m3"')
    row = told.archive("interval")[0]
    by_source = {column.source: column for column in row.columns}
    assert (by_source["2:302"].quantity, by_source["2:302"].unit) == ("base_volume_total", "m3")
    assert by_source["7:310"].quantity == "pressure_mean"
    assert row.order_number is not None
    assert row.event == "0x8104"
    known = KnownMeter("41203377", INTERVAL.order, memory=told.memory)
    again = visit(FakeMeter(days=2, quirks=Quirks(no_names=True)), known)
    assert [row._replace(span=NOWHERE) for row in again.archive("interval")] == [
        row._replace(span=NOWHERE) for row in told.archive("interval")
    ]
    assert not [data for data in again.sent if data in asked("2", "3", "4")]


def test_columns_nobody_has_heard_of_get_their_source_and_unit_from_a_device_without_names() -> None:
    quirks = Quirks(no_names=True, extra_columns=True)
    row = visit(FakeMeter("ek280", days=2, quirks=quirks), INTERVAL).archive("interval")[0]
    extra = {column.source: column.unit for column in row.columns if column.name.startswith("column ")}
    assert extra == {"2:310": "m3/h", "1:302": "MWh"}


def test_device_that_describes_nothing_is_read_by_the_makers_columns_and_not_asked_again() -> None:
    told = visit(FakeMeter(days=2, quirks=Quirks(no_layout=True)), INTERVAL)
    assert [data for data in told.sent if b":V." in data and b"R1" in data] == asked("2", "4")
    assert told.memory["layout:2.05:3"] == ""
    assert told.archive("interval")[0].columns[0].name == "Vb"
    again = visit(
        FakeMeter(days=2, quirks=Quirks(no_layout=True)), KnownMeter("41203377", INTERVAL.order, memory=told.memory)
    )
    assert not [data for data in again.sent if data in asked("2", "3", "4")]
