"""What stands in a simulated device's registers: what the map reads there is likely, in every type and order."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import pytest
from pymodbus.client.mixin import ModbusClientMixin

from gateway_server.codec.declaration import declaration_of
from gateway_server.testing.modbus.registers import registers_of, told
from plugins.modbus.map import RegisterMap, read_map

NOW = datetime(2026, 9, 1, 12)


def map_of(*registers: str, more: str = "") -> RegisterMap:
    lines = "".join(f"  - {{{one}}}\n" for one in registers)
    text = f"reads: modbus\n{dedent(more)}registers:\n{lines}"
    return read_map(declaration_of(text.encode(), Path("boiler.yaml")))


TYPES = [
    "type: uint16, scale: 0.1",
    "type: int16, scale: 0.1, offset: -273",
    "type: uint32, scale: 0.001",
    "type: int32, scale: 0.01",
    "type: uint48, scale: 0.001",
    "type: int64, scale: 0.0001",
    "type: float32, digits: 2",
    "type: float64, digits: 3",
    "type: bcd16, scale: 0.1",
    "type: bcd32, scale: 0.01",
]


@pytest.mark.parametrize("bytes_", ["high_first", "low_first"])
@pytest.mark.parametrize("words", ["high_first", "low_first"])
@pytest.mark.parametrize("type_", TYPES)
def test_temperature_is_likely_in_every_type_and_order(type_: str, words: str, bytes_: str) -> None:
    map_ = map_of(f"at: 5, {type_}, words: {words}, bytes: {bytes_}, quantity: temperature")
    (entry,) = map_.entries
    value = told(entry, registers_of(map_.entries, None, "1", "seed", NOW))
    assert isinstance(value, Decimal)
    assert 4 <= value <= 24


def test_word_and_byte_order_are_those_that_another_program_reads() -> None:
    map_ = map_of(
        "at: 0, type: float32, digits: 2, quantity: temperature",
        "at: 2, type: uint32, words: low_first, scale: 0.01, quantity: base_volume_total",
    )
    held = registers_of(map_.entries, None, "1", "seed", NOW)
    data = held.read(3, 0, 4)
    assert data is not None
    registers = [int.from_bytes(data[at : at + 2], "big") for at in range(0, 8, 2)]
    kinds = ModbusClientMixin.DATATYPE
    temperature = ModbusClientMixin.convert_from_registers(registers[:2], kinds.FLOAT32)
    volume = ModbusClientMixin.convert_from_registers(registers[2:], kinds.UINT32, word_order="little")
    assert Decimal(str(temperature)).quantize(Decimal("0.01")) == told(map_.entries[0], held)
    assert Decimal(str(volume)) * Decimal("0.01") == told(map_.entries[1], held)


def test_counter_grows_by_the_hour_and_a_stated_range_is_kept() -> None:
    map_ = map_of(
        "at: 0, type: uint32, scale: 0.001, quantity: base_volume_total",
        "at: 2, quantity: humidity, own: yes, simulated: 40 to 60",
    )
    values = [
        [told(entry, registers_of(map_.entries, None, "1", "seed", NOW.replace(hour=hour))) for entry in map_.entries]
        for hour in range(10, 20)
    ]
    volumes = [volume for volume, _ in values if isinstance(volume, Decimal)]
    assert volumes == sorted(set(volumes))
    assert len(volumes) == 10
    assert all(isinstance(humidity, Decimal) and 40 <= humidity <= 60 for _, humidity in values)


def test_serial_texts_codes_bits_and_times_stand_there_too() -> None:
    map_ = map_of(
        "at: 10, type: text, registers: 3, quantity: maker, own: yes",
        "at: 13, quantity: valve, own: yes, names: {3: closed, 7: open}",
        "at: 14, quantity: status, status: yes, bits: {0: tamper}",
        "at: 15, type: unix32, quantity: clock",
        "at: 17, quantity: door, own: yes, bit: 3",
        "at: 17, quantity: mains, own: yes, bit: 9",
        "at: 0, table: coil, quantity: pump, own: yes, names: {0: off, 1: on}",
        "at: 18, type: int16, quantity: temperature, absent: [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]",
        more="serial: {at: 0, type: bcd32}\n",
    )
    held = registers_of(map_.entries, map_.serial, "41206129", "seed", NOW)
    assert held.read(3, 0, 2) == bytes.fromhex("41206129")
    maker, valve, status, clock, door, mains, pump, temperature = (told(entry, held) for entry in map_.entries)
    assert (maker, status, clock) == ("SIM", "", "2026-09-01T12:00:00Z")
    assert valve in ("closed", "open")
    assert {door, mains} <= {Decimal(0), Decimal(1)}
    assert pump in ("off", "on")
    assert temperature is not None
    assert held.read(3, 0, 3) is None  # register 2 does not exist
    assert held.read(4, 0, 1) is None
