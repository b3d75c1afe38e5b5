"""The simulated Modbus device: it tells what its map names and refuses all else with the exception for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway_server.codec.declaration import declaration_of
from gateway_server.codec.dialogue import Receive, Send
from gateway_server.model import Row
from gateway_server.testing.conversation import Conversation
from gateway_server.testing.meter_lines import HasLines
from gateway_server.testing.modbus.meter import ModbusMeter
from gateway_server.testing.modbus.wire import Asked, RtuDress
from plugins.modbus import Modbus
from plugins.modbus.map import read_map

MAP = """
reads: modbus
framing: {framing}
unit: 17
most_registers: 20
serial: {{at: 0, type: uint32}}
registers:
  - {{at: 2, type: uint32, scale: 0.001, quantity: base_volume_total}}
  - {{at: 10, type: float32, digits: 2, quantity: temperature}}
  - {{at: 0, table: input, quantity: battery_life}}
  - {{at: 3, table: coil, quantity: valve, own: yes, names: {{0: closed, 1: open}}}}
"""
NOW = datetime(2026, 9, 1, 12, 5)
SERIAL = "41206129"


def meter(framing: str = "rtu") -> ModbusMeter:
    return ModbusMeter(
        read_map(declaration_of(MAP.format(framing=framing).encode(), Path("boiler.yaml"))), SERIAL, 7, NOW
    )


def rtu(pdu: str, unit: int = 17) -> bytes:
    return RtuDress().answer(Asked(unit, b""), bytes.fromhex(pdu))


def said(to: ModbusMeter, data: bytes) -> bytes:
    return b"".join(reply.data for reply in to.received(data))


def test_registers_that_the_map_names_are_told() -> None:
    assert said(meter(), rtu("03 0000 0002")) == rtu("03 04 0274 C171")  # 41206129 is 0x0274C171
    assert len(said(meter(), rtu("01 0003 0001"))) == 6
    assert len(said(meter(), rtu("04 0000 0001"))) == 7


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("06 0002 0001", "86 01"),  # nothing is written
        ("64 01 02", "E4 01"),  # a maker's own function
        ("03 0002 0003", "83 02"),  # register 4 does not exist
        ("03 FFFF 0002", "83 02"),
        ("03 0000 0000", "83 03"),
        ("03 0000 0015", "83 03"),  # more than the map says it gives at once
        ("2B 0E 05 00", "AB 03"),
        ("2B 0E 04 07", "AB 02"),
    ],
)
def test_what_it_does_not_know_or_have_is_refused_with_its_exception(asked: str, told: str) -> None:
    device = meter()
    assert said(device, rtu(asked)) == rtu(told)
    assert (device.answered, device.refusals) == (0, 1)


def test_request_for_another_unit_is_not_answered_on_a_bus_and_by_nobody_on_tcp() -> None:
    assert said(meter(), rtu("03 0000 0002", unit=16)) == b""
    assert said(meter("tcp"), bytes.fromhex("0001 0000 0006 10 03 0000 0002")) == bytes.fromhex(
        "0001 0000 0003 10 83 0B"
    )


def test_device_on_tcp_is_itself_at_units_0_and_255() -> None:
    for unit in (b"\x00", b"\xff", b"\x11"):
        asked = bytes.fromhex("0001 0000 0006") + unit + bytes.fromhex("03 0000 0002")
        assert said(meter("tcp"), asked) == bytes.fromhex("0001 0000 0007") + unit + bytes.fromhex("03 04 0274 C171")


def test_device_names_itself() -> None:
    told = said(meter(), rtu("2B 0E 01 00"))
    assert b"simulated" in told
    assert b"boiler" in told


def test_what_comes_on_one_line_is_not_joined_to_what_comes_on_another() -> None:
    device = meter()
    assert isinstance(device, HasLines)
    one, other = device.line(), device.line()
    asked = rtu("03 0000 0002")
    assert one.received(asked[:4]) == other.received(asked[4:]) == []
    assert one.received(asked[4:]) != []
    one.hung_up()
    other.hung_up()
    assert device.sign_offs == 1


def test_tcp_stream_without_sense_is_hung_up() -> None:
    assert [reply.hang_up for reply in meter("tcp").received(b"GET / HTTP/1.1\r\n")] == [True]


def test_line_that_ends_in_a_request_leaves_nothing_for_the_next_one() -> None:
    device = meter()
    assert said(device, rtu("03 0000 0002")[:4]) == b""
    device.hung_up()
    assert said(device, rtu("03 0000 0002")[4:]) == b""


def test_values_are_others_when_an_hour_has_passed() -> None:
    device = meter()
    before = said(device, rtu("03 0002 0002"))
    device.tick(NOW + timedelta(minutes=30))
    assert said(device, rtu("03 0002 0002")) == before
    device.tick(NOW + timedelta(hours=1))
    assert said(device, rtu("03 0002 0002")) != before


def conversation(codec: Modbus, device: ModbusMeter) -> list[Row]:
    """What our own client reads of a device."""
    talk = Conversation(codec.read(None), codec.framer(), None)
    rows: list[Row] = []
    for _ in range(100):
        if talk.over:
            return rows
        if talk.found:
            found = talk.found[0]
            rows += [found] if isinstance(found, Row) else []
            talk.named()
        elif isinstance(talk.wish, Send):
            data = talk.wish.data
            talk.sent(talk.wish)
            talk.hear(said(device, data))
            talk._go()
        elif isinstance(talk.wish, Receive):
            talk.silence(talk.wish)
        else:
            talk._go()
    raise AssertionError("the dialogue does not end")


@pytest.mark.parametrize("framing", ["rtu", "tcp"])
def test_our_own_reading_by_the_same_map_stores_what_it_holds(framing: str) -> None:
    device = meter(framing)
    codec = Modbus(read_map(declaration_of(MAP.format(framing=framing).encode(), Path("boiler.yaml"))))
    rows = conversation(codec, device)
    stored = {
        column.quantity: str(value) for row in rows for column, value in zip(row.columns, row.values, strict=True)
    }
    held = device.holds()["values"]
    assert isinstance(held, list)
    assert stored == {one["quantity"]: one["value"] for one in held}
    assert stored.keys() == {"base_volume_total", "temperature", "battery_life", "valve"}
