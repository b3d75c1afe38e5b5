"""Nothing but reading and lock telegrams can leave, whatever a value smuggles in."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.parity import strip
from gateway_server.errors import CodecError
from plugins.lis200 import messages
from plugins.lis200.gate import outgoing, permitted, wake_up
from plugins.lis200.messages import (
    Acknowledge,
    Block,
    Command,
    HungUp,
    Identification,
    OptionSelect,
    Repeat,
    Request,
    encode,
)

PERMITTED: list[messages.Message] = [
    Request(),
    Request("000000000000"),
    OptionSelect("6"),
    Acknowledge(),
    Repeat(),
    Command("B0"),
    Command("R1", "1:180.0(1)"),
    Command("R1", "6:310_1.0(1)"),
    Command("R1", "4:3A8.0(1)"),
    Command("R1", "3:V.2(1)"),
    Command("R3", "3:V.0(;;;10)"),
    Command("R3", "3:V.0(3;2014-05-01,00:00:00;;10)"),
    Command("R3", "3:V.0(2;641;645;10)"),
    Command("W1", "4:171.0(00000000)"),
    Command("W1", "3:170.0(0)"),
    Command("P1", "(3:00000000)"),
]


@pytest.mark.parametrize("message", PERMITTED)
@pytest.mark.parametrize("even", [False, True])
def test_reading_and_locks_may_leave(message: messages.Message, even: bool) -> None:
    assert outgoing(message, even=even).data == encode(message, even=even)


@pytest.mark.parametrize(
    "message",
    [
        Command("W1", "1:400.0(2024-03-01,12:00:00)"),
        Command("W1", "4:170.0(00000000)"),
        Command("W1", "4:172.0(1)"),
        Command("W1", "6:171.0(1)"),
        Command("W1", "1:171.0(00000000)"),  # the calibration lock is not a reader's to open
        Command("W1", "2:170.0(0)"),
        Command("P1", "(1:00000000)"),
        Command("W1", "2:300.0(0)"),
        Command("W2", "C003(1)"),
        Command("W3", "3:V.0(1)"),
        Command("P0", "(1234567)"),
        Command("P2", "(1)"),
        Command("E1", "1:180.0(1)"),
        Command("R1", "1:180.0(1)2:300.0(1)"),
        OptionSelect("6", "2"),
        OptionSelect("6", "0"),
        Block("1:180.0(1)"),
        Identification("Els", "6", "EK270"),
        Request("1!\r\n/?2"),
        HungUp(),
    ],
)
def test_writing_and_everything_else_may_not(message: messages.Message) -> None:
    with pytest.raises(CodecError, match="refused to send"):
        outgoing(message, even=False)


def test_a_telegram_with_a_wrong_check_does_not_leave() -> None:
    with pytest.raises(CodecError, match="wrong BCC"):
        permitted(b"\x01B0\x03\x70")


def test_an_access_code_and_what_gives_it_away_are_masked_in_the_log() -> None:
    opening = outgoing(Command("W1", "4:171.0(12345678)"), even=False)
    assert opening.shown == b"\x01W1\x024:171.0(********)\x03*"
    login = outgoing(Command("P1", "(3:1234)"), even=False)
    assert login.shown == b"\x01P1\x02(3:****)\x03*"
    coded = outgoing(Command("W1", "4:171.0(12345678)"), even=True)
    assert coded.shown is not None
    assert strip(coded.shown) == opening.shown
    assert outgoing(Command("R1", "1:180.0(1)"), even=False).shown is None


def test_wake_up_nuls_may_leave() -> None:
    assert wake_up(53).data == b"\0" * 53


READ_ONLY = re.compile(
    rb"\x00+|/\?[0-9A-Za-z]*!\r\n|\x060.1\r\n|\x06|\x15|\x01B0\x03.|\x01R[13]\x02[^\x01-\x1f()]+\([^\x01-\x1f()]*\)\x03."
    rb"|\x01W1\x02[1-5]:17[01]\.0\([^\x01-\x1f()]+\)\x03.|\x01P1\x02\([1-5]:[^\x01-\x1f()]+\)\x03.",
    re.DOTALL,
)
SMUGGLED = st.text(st.characters(), max_size=24) | st.sampled_from(
    ["1)\x03q\x01W1\x022:300.0(0", "0)(0", "1!\r\n", "\x03", "1*m3"]
)


@given(st.sampled_from(["W1", "W2", "P1", "P0", "R1", "R3", "B0", "E2"]), SMUGGLED, SMUGGLED)
def test_no_value_makes_another_telegram_of_one_that_may_leave(name: str, where: str, what: str) -> None:
    for operand in (f"{where}({what})", f"4:171.0({what})", f"({where}:{what})", f"3:V.0(3;{what};;10)", what, None):
        try:
            sent = outgoing(Command(name, operand), even=False).data
        except CodecError:
            continue
        assert READ_ONLY.fullmatch(sent)


@given(st.binary(max_size=40))
def test_arbitrary_octets_leave_only_if_they_read(data: bytes) -> None:
    try:
        sent = permitted(data)
    except CodecError:
        return
    assert READ_ONLY.fullmatch(sent)
