"""What is heard when others talk: answers belong to the request before them, and to no other."""

from __future__ import annotations

from decimal import Decimal

from gateway_server.codec.codec import Frame
from gateway_server.codec.dialogue import Findings, Note
from gateway_server.model import Identify, Span
from plugins.modbus.frames import ANSWER, REFUSAL, REQUEST, Message, Wire, encode
from plugins.modbus.interpreter import ModbusInterpreter
from plugins.modbus.pdu import Answer, AskName, Named, Pdu, Refusal, Request, Table
from tests.plugins.modbus.maps import WHOLE, codec_of

VOLUMES = Request(Table.HOLDING, 16, 8)
DATA = bytes.fromhex("0001 E240 00EB 0000 0000 0000 3F81 EB85")


def listener() -> ModbusInterpreter:
    return codec_of(WHOLE).interpreter()


def wired(pdu: Pdu, unit: int = 17) -> bytes:
    return encode(Message(unit, pdu), Wire.RTU)


def frame(pdu: Pdu, kind: str = ANSWER, unit: int = 17) -> Frame:
    return Frame(kind, wired(pdu, unit), 40)


def test_answer_is_a_row_of_the_values_that_the_map_has_in_it() -> None:
    hears = listener()
    hears.sent(wired(VOLUMES))
    (findings,) = hears.received(frame(Answer(Table.HOLDING, DATA)))
    assert isinstance(findings, Findings)
    (row,) = findings.rows
    assert [column.quantity for column in row.columns] == ["base_volume_total", "temperature", "pressure"]
    assert row.values == (Decimal("123.456"), Decimal("23.5"), Decimal("1.015"))
    assert row.span == Span(40, 61)
    assert row.archive == "current"


def test_serial_number_is_read_out_of_its_registers() -> None:
    hears = listener()
    hears.sent(wired(Request(Table.HOLDING, 0, 2)))
    assert hears.received(frame(Answer(Table.HOLDING, bytes.fromhex("0274C171")))) == (Identify("41206129"),)


def test_answer_of_another_unit_of_another_size_or_to_nothing_is_nobodys() -> None:
    hears = listener()
    assert hears.received(frame(Answer(Table.HOLDING, DATA))) == ()
    hears.sent(wired(VOLUMES))
    assert hears.received(frame(Answer(Table.HOLDING, DATA), unit=18)) == ()
    assert hears.received(frame(Answer(Table.HOLDING, DATA[:4]))) == ()
    assert hears.received(frame(Answer(Table.INPUT, DATA))) == ()
    assert len(hears.received(frame(Answer(Table.HOLDING, DATA)))) == 1
    assert hears.received(frame(Answer(Table.HOLDING, DATA))) == (), "it was answered already"


def test_request_of_another_client_on_the_bus_is_the_one_that_is_answered() -> None:
    hears = listener()
    hears.sent(wired(Request(Table.HOLDING, 0, 2)))
    assert hears.received(frame(VOLUMES, REQUEST)) == ()
    assert len(hears.received(frame(Answer(Table.HOLDING, DATA)))) == 1


def test_refusal_is_an_answer_that_tells_nothing() -> None:
    hears = listener()
    hears.sent(wired(VOLUMES))
    heard = hears.hear(frame(Refusal(3, 2), REFUSAL))
    assert (heard.told, heard.found) == (Refusal(3, 2), ())


def test_coil_is_told_in_words() -> None:
    hears = listener()
    hears.sent(wired(Request(Table.COIL, 3, 1)))
    (findings,) = hears.received(frame(Answer(Table.COIL, b"\x01")))
    assert isinstance(findings, Findings)
    assert findings.rows[0].values == ("open",)


def test_device_that_names_itself_is_noted_with_what_it_said() -> None:
    hears = listener()
    hears.sent(wired(AskName()))
    named = Named(bytes.fromhex("2B0E01010000 02 00 03 414243 01 02 5859"), ((0, "ABC"), (1, "XY")))
    (note,) = hears.received(frame(named))
    assert isinstance(note, Note)
    assert "ABC, XY" in note.text


def test_damaged_bcd_is_noted_and_the_other_values_are_kept() -> None:
    hears = codec_of(
        "reads: modbus\nregisters:\n  - {at: 0, type: bcd16, quantity: pressure}\n  - {at: 1, quantity: temperature}"
    ).interpreter()
    hears.sent(wired(Request(Table.HOLDING, 0, 2)))
    note, findings = hears.received(frame(Answer(Table.HOLDING, bytes.fromhex("12AF0017"))))
    assert isinstance(note, Note)
    assert note.text == "holding 0: 12AF is no BCD number"
    assert isinstance(findings, Findings)
    assert findings.rows[0].values == (Decimal(23),)


def test_status_registers_stand_in_the_rows_status() -> None:
    hears = codec_of(
        "reads: modbus\nregisters:\n  - {at: 0, quantity: pressure}\n"
        "  - {at: 1, quantity: status, status: yes, name: alarms, bits: {0: tamper, 1: battery low}}"
    ).interpreter()
    hears.sent(wired(Request(Table.HOLDING, 0, 2)))
    (findings,) = hears.received(frame(Answer(Table.HOLDING, bytes.fromhex("00010003"))))
    assert isinstance(findings, Findings)
    assert findings.rows[0].status == "alarms=tamper,_battery_low"


def test_status_that_comes_alone_is_a_value_of_its_own() -> None:
    hears = codec_of(
        "reads: modbus\nregisters: [{at: 1, quantity: status, status: yes, name: alarms, bits: {1: battery low}}]"
    ).interpreter()
    hears.sent(wired(Request(Table.HOLDING, 1, 1)))
    (findings,) = hears.received(frame(Answer(Table.HOLDING, b"\x00\x02")))
    assert isinstance(findings, Findings)
    assert (findings.rows[0].columns[0].name, findings.rows[0].values) == ("alarms", ("battery low",))
