"""The auditor's view of Modbus frames."""

from __future__ import annotations

from gateway_server.codec.codec import NOISE, SENT, Field, Frame
from plugins.modbus.dissect import dissect
from plugins.modbus.frames import ANSWER, REFUSAL, REQUEST, Wire


def told(fields: list[Field]) -> list[tuple[str, str, str]]:
    return [(field.name, field.value, field.meaning) for field in fields]


def test_published_request_and_answer_in_words() -> None:
    # Woodward EXVG fuel metering valve manual 40182, table 6.
    asked = dissect(Frame(SENT, bytes.fromhex("01 03 00 6B 00 03 74 17")), Wire.RTU)
    assert told(asked) == [
        ("unit", "1", ""),
        ("function", "3", "read holding registers"),
        ("first", "107", ""),
        ("count", "3", ""),
        ("CRC", "7417", "right"),
    ]
    answered = dissect(Frame(ANSWER, bytes.fromhex("01 03 06 02 2B 00 00 00 64 05 7A")), Wire.RTU)
    assert told(answered)[3:6] == [
        ("register 0", "022B", "555"),
        ("register 1", "0000", "0"),
        ("register 2", "0064", "100"),
    ]


def test_refusal_says_what_it_means() -> None:
    fields = dissect(Frame(REFUSAL, bytes.fromhex("01 83 02 C0 F1")), Wire.RTU)
    assert told(fields)[1:3] == [
        ("function", "0x83", "refuses function 3"),
        ("exception", "2", "illegal data address: it has no such registers"),
    ]


def test_tcp_header_and_bits_are_named() -> None:
    fields = dissect(Frame(ANSWER, bytes.fromhex("15 01 00 00 00 05 FF 01 02 CD 01")), Wire.TCP)
    assert told(fields)[:3] == [("transaction", "5377", ""), ("protocol", "0", "Modbus"), ("length", "5", "")]
    assert told(fields)[-2:] == [
        ("bits 0 to 7", "10110011", "lowest first"),
        ("bits 8 to 15", "10000000", "lowest first"),
    ]


def test_name_and_the_question_for_it_are_told() -> None:
    question = dissect(Frame(REQUEST, bytes.fromhex("01 00 00 00 00 05 01 2B 0E 01 00")), Wire.TCP)
    assert told(question)[-1][2] == "asks who it is"
    answer = dissect(Frame(ANSWER, bytes.fromhex("0100 0000 000D 01 2B0E01010000 01 00 03 414243")), Wire.TCP)
    assert told(answer)[-1] == ("object 0", "ABC", "")


def test_what_is_no_message_is_unknown() -> None:
    for kind in (NOISE, ANSWER, SENT):
        assert dissect(Frame(kind, b"\x01\x02\x03"), Wire.RTU) == [Field("unknown", 0, 3)]
    assert dissect(Frame(NOISE, b""), Wire.RTU) == []
