"""Readings as conversations."""

from __future__ import annotations

from gateway_server.model import KnownMeter, Outcome, ReadOrder
from gateway_server.testing.play import play
from plugins.modbus.frames import Message, Wire, encode
from plugins.modbus.pdu import Answer, AskName, Named, Pdu, Refusal, Request, Table
from tests.plugins.modbus.maps import WHOLE, codec_of

CODEC = codec_of(WHOLE)
SERIAL = Request(Table.HOLDING, 0, 2)
COIL = Request(Table.COIL, 3, 1)
VOLUMES = Request(Table.HOLDING, 16, 8)
BATTERY = Request(Table.INPUT, 0, 1)
NUMBER = Answer(Table.HOLDING, bytes.fromhex("0274C171"))
DATA = Answer(Table.HOLDING, bytes.fromhex("0001 E240 00EB 0000 0000 0000 3F81 EB85"))
EXPECTED = KnownMeter("41206129")
GAPLESS = """
reads: modbus
unit: 17
join_gaps_up_to: 8
registers:
  - {at: 0, quantity: pressure}
  - {at: 4, quantity: temperature}
"""


def wired(pdu: Pdu, unit: int = 17) -> bytes:
    return encode(Message(unit, pdu), Wire.RTU)


def test_meter_is_identified_by_its_registers_and_read_in_few_requests() -> None:
    (
        play(CODEC)
        .sends(wired(SERIAL))
        .receives(wired(NUMBER))
        .identifies("41206129")
        .sends(wired(COIL))
        .receives(wired(Answer(Table.COIL, b"\x01")))
        .saves_row({"valve": "open"})
        .sends(wired(VOLUMES))
        .receives(wired(DATA))
        .saves_row({"base_volume_total": "123.456", "temperature": "23.5", "pressure": "1.015"})
        .sends(wired(BATTERY))
        .receives(wired(Answer(Table.INPUT, b"\x00\x30")))
        .saves_row({"battery_life": "48"}, archive="current")
        .ends()
    )


def test_another_meter_at_the_place_of_the_expected_one_is_not_read() -> None:
    (
        play(CODEC, expected=KnownMeter("50000001"))
        .sends(wired(SERIAL))
        .receives(wired(NUMBER))
        .ends(Outcome.UNKNOWN_METER, "meter 50000001 was expected, but meter 41206129 answers")
    )


def test_bus_address_of_the_register_is_the_unit_that_is_asked() -> None:
    (
        play(CODEC, expected=KnownMeter("41206129", address="5"))
        .sends(wired(SERIAL, 5))
        .receives(wired(NUMBER, 5))
        .identifies("41206129")
        .sends(wired(COIL, 5))
    )


def test_silent_meter_is_asked_three_times_and_given_up() -> None:
    talk = play(CODEC)
    for _ in range(3):
        talk.sends(wired(SERIAL)).stays_silent()
    talk.ends(Outcome.SILENT)


def test_lost_answer_is_asked_for_again_when_the_line_is_quiet() -> None:
    (
        play(CODEC, expected=EXPECTED)
        .sends(wired(SERIAL))
        .receives(wired(NUMBER)[:-1])
        .stays_silent()
        .drains()
        .sends(wired(SERIAL))
        .receives(wired(NUMBER))
        .identifies("41206129")
    )


def test_refused_registers_are_told_with_the_meaning_and_the_others_are_read() -> None:
    (
        play(CODEC, expected=EXPECTED)
        .sends(wired(SERIAL))
        .receives(wired(NUMBER))
        .sends(wired(COIL))
        .receives(wired(Refusal(1, 1)))
        .sends(wired(VOLUMES))
        .receives(wired(DATA))
        .saves_rows(1)
        .sends(wired(BATTERY))
        .receives(wired(Answer(Table.INPUT, b"\x00\x30")))
        .saves_rows(1)
        .ends(Outcome.PARTIAL, "1 of coil from 3 on: exception 1, illegal function")
    )


def test_request_refused_for_its_gap_is_parted_and_that_is_remembered() -> None:
    codec = codec_of(GAPLESS)
    whole = wired(Request(Table.HOLDING, 0, 5))
    talk = play(codec, expected=EXPECTED).sends(whole).receives(wired(Refusal(3, 2)))
    # The first question found somebody; the same is asked again for its values, and parted.
    talk.identifies("41206129").sends(whole).receives(wired(Refusal(3, 2)))
    (
        talk.sends(wired(Request(Table.HOLDING, 0, 1)))
        .receives(wired(Answer(Table.HOLDING, b"\x00\x07")))
        .saves_row({"pressure": "7"})
        .sends(wired(Request(Table.HOLDING, 4, 1)))
        .receives(wired(Answer(Table.HOLDING, b"\x00\x14")))
        .saves_row({"temperature": "20"})
        .ends()
    )
    assert talk.remembered == {"gaps": "no"}


def test_device_known_to_refuse_gaps_is_asked_without_them() -> None:
    known = KnownMeter("41206129", memory={"gaps": "no"})
    play(codec_of(GAPLESS), expected=known).sends(wired(Request(Table.HOLDING, 0, 1)))


def test_meter_that_refuses_everything_is_a_refusal() -> None:
    codec = codec_of("reads: modbus\nunit: 17\nregisters: [{at: 0, quantity: pressure}]")
    asked = wired(Request(Table.HOLDING, 0, 1))
    (
        play(codec, expected=EXPECTED)
        .sends(asked)
        .receives(wired(Refusal(3, 2)))
        .sends(asked)
        .receives(wired(Refusal(3, 2)))
        .ends(Outcome.REFUSED, "illegal data address")
    )


def test_busy_device_is_given_a_second_and_asked_again() -> None:
    (
        play(CODEC, expected=EXPECTED)
        .sends(wired(SERIAL))
        .receives(wired(Refusal(3, 6)))
        .pauses(1.0)
        .sends(wired(SERIAL))
        .receives(wired(NUMBER))
        .identifies("41206129")
    )


def test_meter_that_falls_silent_keeps_what_it_said() -> None:
    talk = play(CODEC, expected=EXPECTED).sends(wired(SERIAL)).receives(wired(NUMBER))
    talk.sends(wired(COIL)).receives(wired(Answer(Table.COIL, b"\x01"))).saves_rows(1)
    for _ in range(3):
        talk.sends(wired(VOLUMES)).stays_silent()
    talk.ends(Outcome.PARTIAL, "8 of holding from 16 on")


def test_register_map_without_a_serial_number_is_the_meter_that_was_expected() -> None:
    codec = codec_of("reads: modbus\nunit: 17\nregisters: [{at: 0, quantity: pressure}]")
    (
        play(codec, expected=EXPECTED)
        .sends(wired(Request(Table.HOLDING, 0, 1)))
        .receives(wired(Answer(Table.HOLDING, b"\x00\x07")))
        .identifies("41206129")
        .saves_row({"pressure": "7"})
        .ends()
    )


def test_stranger_without_a_number_is_known_by_its_place_on_the_bus() -> None:
    codec = codec_of("reads: modbus\nunit: [4, 17]\nregisters: [{at: 0, quantity: pressure}]")
    (
        play(codec)
        .sends(wired(Request(Table.HOLDING, 0, 1), 4))
        .stays_silent()
        .sends(wired(Request(Table.HOLDING, 0, 1), 17))
        .receives(wired(Answer(Table.HOLDING, b"\x00\x07")))
        .identifies("boiler-house-17")
        .saves_rows(1)
        .ends()
    )


def test_order_for_archives_only_is_told_that_there_are_none() -> None:
    codec = codec_of("reads: modbus\nunit: 17\nserial: {at: 0, type: uint32}\nregisters: [{at: 9, quantity: pressure}]")
    order = ReadOrder(frozenset({"archive"}))
    (
        play(codec, expected=KnownMeter("41206129", order=order))
        .sends(wired(SERIAL))
        .receives(wired(NUMBER))
        .ends(Outcome.PARTIAL, "live values only")
    )


def test_question_who_is_there_is_answered_by_a_name_or_by_a_refusal_alike() -> None:
    codec = codec_of("reads: modbus\nask_identification: yes\nprobe: [{at: 0}]", "bpek")
    named = Named(bytes.fromhex("2B0E01010000 03 00 03 414243 01 02 5859 02 02 5631"), ())
    first = wired(Request(Table.HOLDING, 0, 1), 1)
    (
        play(codec)
        .sends(wired(AskName(), 1))
        .receives(wired(named, 1))
        .sends(first)
        .receives(wired(Refusal(3, 2), 1))
        .identifies("bpek-1", "ABC", "XY", "V1")
        .ends()
    )
    silent = play(codec)
    for _ in range(3):
        silent.sends(wired(AskName(), 1)).stays_silent()
    silent.sends(first).receives(wired(Refusal(3, 1), 1)).notes("illegal function").identifies("bpek-1").ends()
