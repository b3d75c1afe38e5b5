"""Telegrams as typed messages: every worked frame of the dossier, both ways, and an independent implementation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iec62056_21.lis200 import ArchiveReadoutCommand
from iec62056_21.messages import (
    AckOptionSelectMessage,
    AnswerDataMessage,
    CommandMessage,
    IdentificationMessage,
    RequestMessage,
)

from gateway_server.codec.codec import Frame
from gateway_server.errors import ChecksumError, CodecError
from plugins.lis200 import messages
from plugins.lis200.messages import (
    SIGN_OFF,
    Acknowledge,
    Block,
    Command,
    Identification,
    OptionSelect,
    Refusal,
    Repeat,
    Request,
    Wire,
    decode,
    decode_frame,
    encode,
)

ROW = (
    "(18484)(640)(2014-05-02,10:00:00)(882066.6309)(884266.5191)(67859)(68044)(12.9437)(10.16)(0.97417)(13.57199)"
    "(7)(14)(0)(0)(0)(0x8103)(CRC Ok)"
)
WORKED = [  # lis200.md 1.6, all of it
    (Command("P0", "(1234567)"), 0x50),
    (Command("B0"), 0x71),
    (Command("R1", "1:181.0(1)"), 0x7F),
    (Command("R1", "1:180.0(1)"), 0x7E),
    (Command("R1", "1:400.0(1)"), 0x73),
    (Command("R1", "1:0400.0(1)"), 0x43),
    (Command("R1", "2:300.0(1)"), 0x77),
    (Command("R1", "4:300.0(1)"), 0x71),
    (Command("R1", "2:302.0(1)"), 0x75),
    (Command("R1", "7:310.0(1)"), 0x73),
    (Command("R1", "3:170.0(1)"), 0x73),
    (Command("W1", "4:171.0(0)"), 0x71),
    (Command("W1", "4:171.0(00000000)"), 0x41),
    (Command("W1", "3:171.0(00000000)"), 0x46),
    (Command("W1", "3:170.0(0)"), 0x77),
    (Command("W1", "4:170.0(0)"), 0x70),
    (Command("P1", "(3:00000000)"), 0x68),
    (Command("W1", "1:400.0(2024-03-01,12:00:00)"), 0x6E),
    (Command("R1", "3:V.2(1)"), 0x11),
    (Command("R1", "3:V.3(1)"), 0x10),
    (Command("R1", "3:V.4(1)"), 0x17),
    (Command("R3", "3:V.0(;;;10)"), 0x1A),
    (Command("R3", "3:V.0(3;2014-05-02,10:00:00;2014-05-02,10:00:00;1)"), 0x19),
    (Command("R3", "3:V.0(3;2014-05-01,00:00:00;2014-05-02,00:00:00;10)"), 0x2A),
    (Command("R3", "7:V.0(3;2024-03-01,10:00:00;2024-03-31,10:00:00;10)"), 0x2E),
    (Command("R3", "4:V.0(3;2024-03-01,00:00:00;2024-03-02,00:00:00;10)"), 0x2D),
    (Command("R1", "3:V.A(3;2014-05-01,00:00:00;2014-05-02,00:00:00;)"), 0x58),
    (Block("3:171.0(0)"), 0x12),
    (Block("1:400.2(2018-11-01,10:56:06)"), 0x03),
    (Block("7-6:310_1.1(20.16*{C)"), 0x6E),
    (Refusal("0018"), 0x28),
    (Refusal("0104"), 0x24),
    (Block(ROW), 0x05),
    (Block(ROW, last=False), 0x02),
]


@pytest.mark.parametrize(("message", "check"), WORKED)
def test_worked_frames_have_their_check_character(message: messages.Message, check: int) -> None:
    assert encode(message)[-1] == check


@pytest.mark.parametrize("even", [False, True])
@pytest.mark.parametrize("message", [message for message, _ in WORKED])
def test_worked_frames_are_read_back_as_they_were_meant(message: messages.Message, even: bool) -> None:
    assert decode(encode(message, even=even)) == Wire(message, even)


@pytest.mark.parametrize(
    ("message", "plain", "even"),
    [
        (Request(), "2F 3F 21 0D 0A", "AF 3F 21 8D 0A"),
        (OptionSelect("5"), "06 30 35 31 0D 0A", "06 30 35 B1 8D 0A"),
        (OptionSelect("6"), "06 30 36 31 0D 0A", "06 30 36 B1 8D 0A"),
        (SIGN_OFF, "01 42 30 03 71", "81 42 30 03 71"),
        (Acknowledge(), "06", "06"),
        (Repeat(), "15", "95"),
    ],
)
def test_short_telegrams_stand_on_the_wire_as_the_dossier_shows(
    message: messages.Message, plain: str, even: str
) -> None:
    assert encode(message) == bytes.fromhex(plain)
    assert encode(message, even=True) == bytes.fromhex(even)
    assert decode(bytes.fromhex(plain)).message == message
    assert decode(bytes.fromhex(even)).message == message


@pytest.mark.parametrize(
    ("line", "ident"),
    [(b"/Els6EK270\r\n", "EK270"), (b"/Els6\\2EK280\r\n", "\\2EK280")],
)
def test_real_identifications_tell_maker_speed_and_model(line: bytes, ident: str) -> None:
    assert decode(line) == Wire(Identification("Els", "6", ident))


def test_a_write_frame_of_another_iec_meter_has_the_captured_check() -> None:
    frame = bytes.fromhex("01 57 32 02 43 30 30 33 28 39 31 30 33 32 34 30 39 32 32 33 39 29 03 1B")
    assert decode(frame) == Wire(Command("W2", "C003(910324092239)"))
    assert encode(Command("W2", "C003(910324092239)")) == frame


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"\x02",
        b"\x02(1)",
        b"\x01R",
        b"/Els",
        b"\x06\x06",
        bytes.fromhex("AF 3F 21 0D 0A"),
        b"\x01r1\x03\x00",
    ],
)
def test_what_is_no_telegram_is_refused(data: bytes) -> None:
    with pytest.raises(CodecError):
        decode(data)


def test_a_telegram_with_a_wrong_check_is_a_checksum_error() -> None:
    with pytest.raises(ChecksumError, match="BCC is 72, its characters give 71"):
        decode(b"\x01B0\x03\x72")


def test_a_frame_with_a_fault_is_never_read() -> None:
    with pytest.raises(ChecksumError):
        decode_frame(Frame("block", encode(Block("(1)")), 0, "BCC is wrong"))
    with pytest.raises(CodecError):
        decode_frame(Frame("noise", b"zz"))


@given(st.binary(max_size=60))
def test_any_octets_are_a_message_that_gives_them_back_or_a_codec_error(data: bytes) -> None:
    try:
        wire = decode(data)
    except CodecError:
        return
    assert encode(wire.message, even=wire.even) == data


def test_a_blocks_check_over_eight_bits_is_kept() -> None:
    data = b"\x02" + "2:302.0(1*м3)\x03".encode("cp1251")
    check = 0
    for octet in data[1:]:
        check ^= octet
    assert check > 0x7F
    wire = decode(data + bytes([check]))
    assert encode(wire.message) == data + bytes([check])


# against PyPI's iec62056-21


def test_the_independent_client_says_the_same_to_a_meter() -> None:
    assert RequestMessage("17").to_bytes() == encode(Request("17"))
    assert AckOptionSelectMessage("6", "1").to_bytes() == encode(OptionSelect("6"))
    assert CommandMessage.for_single_read("1:180.0", "1").to_bytes() == encode(Command("R1", "1:180.0(1)"))
    assert CommandMessage.for_single_write("4:171.0", "00000000").to_bytes() == encode(
        Command("W1", "4:171.0(00000000)")
    )
    command = ArchiveReadoutCommand(
        archive=3, start="2014-05-01,00:00:00", end="2014-05-02,00:00:00", position=3, partial_blocks=True
    )
    assert command.to_bytes() == encode(Command("R3", "3:V.0(3;2014-05-01,00:00:00;2014-05-02,00:00:00;10)"))


def test_the_independent_client_reads_what_we_encode() -> None:
    answer = AnswerDataMessage.from_bytes(encode(Block(f"{ROW}\r\n{ROW}")))
    cells = [cell.value for cell in answer.data_block.data_lines[1].data_sets]
    assert cells == ROW[1:-1].split(")(")
    said = IdentificationMessage.from_bytes(encode(Identification("Els", "6", "\\2EK280")))
    assert (said.manufacturer, said.switchover_baudrate_char) == ("Els", "6")


def test_we_read_what_the_independent_client_encodes() -> None:
    line = IdentificationMessage("2EK280", "Els", "6").to_bytes()
    assert decode(line).message == Identification("Els", "6", "\\2EK280")
    read = CommandMessage.for_single_read("7:310.0", "1").to_bytes()
    assert decode(read).message == Command("R1", "7:310.0(1)")
