"""What a register map may say, and what it is told when it says something else."""

from __future__ import annotations

import pytest

from gateway_server.errors import OperatorError
from plugins.modbus.frames import Wire
from plugins.modbus.pdu import Table
from tests.plugins.modbus.maps import WHOLE, codec_of


def test_map_tells_where_values_stand_and_what_they_are() -> None:
    found = codec_of(WHOLE).map
    assert (found.name, found.wire, found.units) == ("boiler-house", Wire.RTU, (17,))
    volume = found.entries[0]
    assert (volume.table, volume.first, volume.count) == (Table.HOLDING, 16, 2)
    assert (volume.column.quantity, volume.column.obis, volume.column.unit) == ("base_volume_total", "7-0:13.2.0", "m3")
    assert volume.column.source == "holding 16"
    assert volume.column.cumulative


def test_numbers_that_a_manual_counts_from_40001_are_addresses_from_0() -> None:
    found = codec_of("reads: modbus\nfirst_number: 40001\nregisters: [{at: 40108, quantity: temperature}]").map
    assert found.entries[0].first == 107
    assert found.entries[0].column.source == "holding 40108"


def test_another_word_order_for_all_may_be_overruled_for_one() -> None:
    found = codec_of(
        "reads: modbus\nwords: low_first\nregisters:\n"
        "  - {at: 0, type: uint32, quantity: pressure}\n"
        "  - {at: 2, type: uint32, words: high_first, quantity: temperature}"
    ).map
    assert [entry.form.low_word_first for entry in found.entries] == [True, False]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("framing: ascii", "line 2: framing is 'ascii'; it is one of: rtu, tcp"),
        ("unit: 300", "unit is '300'; it is a number from 1 to 247"),
        ("speeds: [9600]", "speeds has '9600'; one is such as `9600 8N1`"),
        ("timeout: 0", "timeout is 0; it is seconds from 0.05 to 60"),
        ("word_order: low", "word_order there is no such key"),
        ("registers: [{quantity: pressure}]", "registers 1: at is missing"),
        ("registers: [{at: 65536, quantity: pressure}]", "it is a number from 0 to 65535"),
        ("registers: [{at: 65535, type: uint32, quantity: pressure}]", "go beyond the last one"),
        ("registers: [{at: 0, table: coil, type: uint16, quantity: pressure}]", "coils and discrete inputs are bits"),
        ("registers: [{at: 0, quantity: presure}]", "which is none of ours; write `own: yes` if it is meant"),
        ("registers: [{at: 0, quantity: pressure, absent: [none]}]", "has 'none', which is no whole number"),
        ("registers: [{at: 0, quantity: pressure, names: {0: a}, bits: {0: b}}]", "stands beside `names`"),
        ("registers: [{at: 0, type: text, quantity: pressure}]", "whole number from 1 to 123"),
        ("registers: [{at: 0, type: text, registers: 2, encoding: x, quantity: status}]", "such as ascii, cp1251"),
        ("most_registers: 1\nregisters: [{at: 0, type: uint32, quantity: pressure}]", "most_registers is 1"),
        ("about: nothing", "registers is missing"),
    ],
)
def test_wrong_map_is_told_where_and_what_is_allowed(line: str, complaint: str) -> None:
    with pytest.raises(OperatorError) as told:
        codec_of(f"reads: modbus\n{line}\n")
    assert complaint in str(told.value)


def test_map_may_be_nothing_but_a_question_who_is_there() -> None:
    codec = codec_of("reads: modbus\nask_identification: yes\nspeeds: [9600 8N1]")
    assert codec.map.entries == ()
    assert codec.probe_settings == ((9600, "8N1"),)


def test_map_of_a_known_meter_is_not_tried_on_strangers() -> None:
    assert codec_of(WHOLE).probe_settings == ()
