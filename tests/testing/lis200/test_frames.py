"""The meter's side of the framing, against check characters from captures and the dossier of frames."""

from __future__ import annotations

import pytest

from gateway_server.testing.lis200.frames import (
    Asked,
    Request,
    RequestBuffer,
    answer,
    bcc,
    challenge,
    even_parity,
    has_even_parity,
)


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("3:171.0(0)", 0x12),
        ("1:400.2(2018-11-01,10:56:06)", 0x03),
        ("7-6:310_1.1(20.16*{C)", 0x6E),
        ("(#0018)", 0x28),
        ("(#0104)", 0x24),
    ],
)
def test_answer_carries_the_block_check_of_captured_telegrams(text: str, check: int) -> None:
    frame = answer(text)
    assert frame == b"\x02" + text.encode("ascii") + b"\x03" + bytes((check,))


def test_block_that_another_follows_ends_with_eot_and_its_check() -> None:
    row = (
        "(18484)(640)(2014-05-02,10:00:00)(882066.6309)(884266.5191)(67859)(68044)(12.9437)(10.16)(0.97417)"
        "(13.57199)(7)(14)(0)(0)(0)(0x8103)(CRC Ok)"
    )
    assert answer(row)[-2:] == bytes.fromhex("03 05")
    assert answer(row, last=False)[-2:] == bytes.fromhex("04 02")


def test_password_operand_is_the_known_one() -> None:
    assert challenge() == b"\x01P0\x02(1234567)\x03P"


def test_unit_in_an_eight_bit_character_does_not_disturb_the_seven_bit_check() -> None:
    assert answer("2:302(1*м3)", encoding="cp1251")[-1] < 0x80
    assert bcc(bytes.fromhex("EC 03")) == 0x6C ^ 0x03


def test_seven_bit_characters_travel_with_even_parity() -> None:
    assert even_parity(b"/?!\r\n") == bytes.fromhex("AF 3F 21 8D 0A")
    assert even_parity(b"\x06051\r\n") == bytes.fromhex("06 30 35 B1 8D 0A")
    assert even_parity(b"\x01B0\x03q") == bytes.fromhex("81 42 30 03 71")
    assert has_even_parity(bytes.fromhex("AF 3F 21 8D 0A"))
    assert not has_even_parity(b"/?!\r\n")


def asked(data: bytes, *, awaiting_option: bool = False) -> list[Request]:
    return list(RequestBuffer().feed(data, awaiting_option=awaiting_option))


def test_requests_are_the_same_whole_and_byte_by_byte() -> None:
    conversation = b"\x00\x00/?!\r\n\x06061\r\n\x01R1\x021:400.0(1)\x03\x73\x06\x15\x01B0\x03q"
    wanted = [
        Request(Asked.SIGN_ON),
        Request(Asked.OPTION, text="061"),
        Request(Asked.COMMAND, "R1", "1:400.0(1)"),
        Request(Asked.ACK),
        Request(Asked.NAK),
        Request(Asked.COMMAND, "B0"),
    ]
    assert asked(conversation) == wanted
    buffer = RequestBuffer()
    found: list[Request] = []
    for byte in conversation:
        awaiting = bool(found) and found[-1].asked is Asked.SIGN_ON
        found += buffer.feed(bytes((byte,)), awaiting_option=awaiting)
    assert found == wanted


def test_command_with_a_wrong_check_is_known_as_damaged() -> None:
    assert asked(b"\x01R1\x021:400.0(1)\x03\x74") == [Request(Asked.DAMAGED)]


def test_check_character_that_looks_like_etx_belongs_to_the_command() -> None:
    # W1 with a value chosen so that the check is 03, then another command.
    bodies = [f"R1\x022:{number:X}.0(1)\x03".encode() for number in range(0x300, 0xFFF)]
    body = next(body for body in bodies if bcc(body) == 3)
    assert [request.asked for request in asked(b"\x01" + body + b"\x03\x01B0\x03q")] == [Asked.COMMAND, Asked.COMMAND]


def test_sign_on_with_an_address_tells_it() -> None:
    assert asked(b"/?000000000000!\r\n") == [Request(Asked.SIGN_ON, text="000000000000")]


def test_endless_rubbish_does_not_fill_the_meter() -> None:
    buffer = RequestBuffer()
    for _ in range(100):
        assert buffer.feed(b"\x01" * 50, awaiting_option=False) == []
    buffer.clear()
    assert buffer.feed(b"/?!\r\n", awaiting_option=False) == [Request(Asked.SIGN_ON)]
