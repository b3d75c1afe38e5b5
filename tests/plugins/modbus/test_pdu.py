"""Requests, answers and refusals: the examples of the MODBUS Application Protocol Specification V1.1b3, clause 6."""

from __future__ import annotations

import pytest

from gateway_server.errors import CodecError
from plugins.modbus.pdu import (
    Answer,
    AskName,
    Named,
    Refusal,
    Request,
    Table,
    answer_size,
    decode_answer,
    decode_request,
    encode,
)

EXAMPLES = [  # clause, request, what it asks, answer, the answer's data
    ("6.1", "01 00 13 00 13", Request(Table.COIL, 19, 19), "01 03 CD 6B 05", "CD 6B 05"),
    ("6.2", "02 00 C4 00 16", Request(Table.DISCRETE, 196, 22), "02 03 AC DB 35", "AC DB 35"),
    ("6.3", "03 00 6B 00 03", Request(Table.HOLDING, 107, 3), "03 06 02 2B 00 00 00 64", "02 2B 00 00 00 64"),
    ("6.4", "04 00 08 00 01", Request(Table.INPUT, 8, 1), "04 02 00 0A", "00 0A"),
]
every_example = pytest.mark.parametrize(
    ("asked", "meaning", "answered", "data"), [one[1:] for one in EXAMPLES], ids=[one[0] for one in EXAMPLES]
)


@every_example
def test_examples_of_the_specification_are_asked_and_answered(
    asked: str, meaning: Request, answered: str, data: str
) -> None:
    assert decode_request(bytes.fromhex(asked)) == meaning
    assert encode(meaning) == bytes.fromhex(asked)
    told = decode_answer(bytes.fromhex(answered))
    assert told == Answer(meaning.table, bytes.fromhex(data))
    assert encode(told) == bytes.fromhex(answered)


def test_refusal_is_told_in_the_words_of_clause_7() -> None:
    told = decode_answer(bytes.fromhex("81 02"))
    assert told == Refusal(1, 2)
    assert told.meaning.startswith("illegal data address")
    assert encode(told) == bytes.fromhex("81 02")
    assert "does not name" in Refusal(3, 99).meaning


def test_device_that_is_asked_for_its_name_says_vendor_product_and_revision() -> None:
    data = bytes.fromhex("2B 0E 01 01 00 00 03 00 03 41 42 43 01 02 58 59 02 04 56 32 2E 31")
    told = decode_answer(data)
    assert isinstance(told, Named)
    assert [told.text(number) for number in range(4)] == ["ABC", "XY", "V2.1", ""]
    assert encode(told) == data
    assert decode_request(encode(AskName())) == AskName()


@pytest.mark.parametrize(
    "text", ["06 00 01 00 03", "10 00 01 00 02", "03 00 6B 00 00", "03 00 6B 00 7E", "03 FF FF 00 02"]
)
def test_nothing_that_writes_or_asks_for_the_impossible_is_a_request(text: str) -> None:
    with pytest.raises(CodecError):
        decode_request(bytes.fromhex(text))


@pytest.mark.parametrize("text", ["05 00 AC FF 00", "03 03 00 01 02", "83 00", "03 00", "2B 0D 01"])
def test_bytes_that_are_no_answer_are_refused(text: str) -> None:
    with pytest.raises(CodecError):
        decode_answer(bytes.fromhex(text))


def test_more_than_the_specification_allows_cannot_be_asked() -> None:
    with pytest.raises(CodecError, match="126 of holding"):
        encode(Request(Table.HOLDING, 0, 126))


def test_size_of_an_answer_is_known_from_its_beginning() -> None:
    assert answer_size(b"") == 0
    assert answer_size(b"\x03") == 0
    assert answer_size(b"\x03\x06") == 8
    assert answer_size(b"\x83") == 2
    assert answer_size(bytes.fromhex("2B 0E 01 01 00 00 01 00")) == 0
    assert answer_size(b"\x07") is None
