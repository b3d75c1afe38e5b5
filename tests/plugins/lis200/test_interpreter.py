"""Understanding a conversation by listening: what counts as an answer, and what is found in it."""

from __future__ import annotations

import contextlib
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.codec import Frame
from gateway_server.codec.dialogue import Findings, Found, Note, Remember
from gateway_server.codec.parity import add_even
from gateway_server.errors import CodecError
from gateway_server.model import Identify, KnownMeter, Row, Span
from plugins.lis200 import codec
from plugins.lis200.interpreter import (
    Block,
    Challenge,
    Damaged,
    Foreign,
    HungUp,
    Lis200Interpreter,
    Refused,
    Signed,
    Told,
)
from plugins.lis200.messages import Acknowledge, Command, Message, Refusal, Repeat, Wire, encode
from plugins.lis200.messages import Block as BlockMessage

EK_ROW = (
    "(18484)(640)(2014-05-02,10:00:00)(882066.6309)(884266.5191)(67859)(68044)(12.9437)(10.16)(0.97417)(13.57199)"
    "(7)(14)(0)(0)(0)(0x8103)(CRC Ok)"
)
CLOCK = bytes.fromhex("02 31 3A 34 30 30 2E 32 28 32 30 31 38 2D 31 31 2D 30 31 2C 31 30 3A 35 36 3A 30 36 29 03 03")
TEMPERATURE = bytes.fromhex("02 37 2D 36 3A 33 31 30 5F 31 2E 31 28 32 30 2E 31 36 2A 7B 43 29 03 6E")
SIGN_ON = b"/Els6EK270\r\n"


class Listening:
    """Both directions of a session, said to an interpreter."""

    def __init__(self, *, even: bool = False) -> None:
        self.interpreter = Lis200Interpreter()
        self.framer = codec.framer()
        self.even = even

    def asks(self, command: str, operand: str | None = None) -> None:
        """We send a command."""
        self.interpreter.sent(encode(Command(command, operand), even=self.even))

    def hears(self, data: bytes | Message) -> tuple[list[Found], object]:
        """The device sends octets of one frame."""
        octets = data if isinstance(data, bytes) else encode(data)
        self.framer.feed(add_even(octets) if self.even else octets)
        frame = self.framer.next_frame()
        assert frame is not None
        return self.interpreter.hear(frame)

    def value(self, address: str, text: str) -> list[Found]:
        """A value asked and answered."""
        self.asks("R1", f"{address}.0(1)")
        return self.hears(BlockMessage(f"{address}.0({text})"))[0]

    def identified(self) -> list[Found]:
        """Sign-on and identity."""
        self.hears(SIGN_ON)
        self.value("1:181", "EK270")
        self.value("2:190", "2.05")
        return self.value("1:180", "0041203377")


def row_of(found: list[Found]) -> Row:
    (findings,) = found
    assert isinstance(findings, Findings)
    (row,) = findings.rows
    return row


@pytest.mark.parametrize("even", [False, True])
def test_the_captured_clock_answer_is_a_live_value_at_its_place(even: bool) -> None:
    session = Listening(even=even)
    session.asks("R1", "1:400.0(1)")
    found, answer = session.hears(CLOCK)
    row = row_of(found)
    assert (row.columns[0].quantity, row.values) == ("clock", ("2018-11-01,10:56:06",))
    assert row.archive == "current"
    assert row.measured_at is None
    assert row.span == Span(0, 31)
    assert answer == Told("1:400", "2018-11-01,10:56:06")


@pytest.mark.parametrize("even", [False, True])
def test_the_captured_temperature_echoed_with_prefix_and_attribute_counts(even: bool) -> None:
    session = Listening(even=even)
    session.asks("R1", "6:310_1.0(1)")
    row = row_of(session.hears(TEMPERATURE)[0])
    assert row.values == (Decimal("20.16"),)
    column = row.columns[0]
    assert (column.quantity, column.unit, column.name, column.source) == ("temperature", "°C", "T", "6:310_1")


def test_a_russian_unit_of_eight_bits_is_read() -> None:
    session = Listening()
    session.asks("R1", "2:302.0(1)")
    body = "2:302.2(260.63*м3)".encode("cp1251").decode("latin-1")
    row = row_of(session.hears(BlockMessage(body))[0])
    assert (row.values, row.columns[0].unit) == ((Decimal("260.63"),), "m3")


def test_a_value_that_was_not_asked_is_another_masters() -> None:
    session = Listening()
    session.asks("R1", "2:302.0(1)")
    assert session.hears(CLOCK) == ([], Foreign())
    assert row_of(session.hears(BlockMessage("2:302.0(1.5*m3)"))[0]).values == (Decimal("1.5"),)


def test_rows_that_another_master_asked_for_are_not_ours() -> None:
    session = Listening()
    session.asks("R3", "3:V.0(3;;;10)")
    assert session.hears(encode(Command("R3", "7:V.0(3;;;10)"))) == ([], Foreign())
    assert session.hears(BlockMessage(EK_ROW)) == ([], Foreign())
    assert session.hears(BlockMessage(EK_ROW))[1] == Block(last=True, rows=1)


def test_an_echo_of_our_own_request_changes_nothing() -> None:
    session = Listening()
    session.asks("R3", "3:V.0(3;;;10)")
    session.hears(encode(Command("R3", "3:V.0(3;;;10)")))
    assert session.hears(BlockMessage(EK_ROW))[1] == Block(last=True, rows=1)


def test_identity_comes_with_the_serial_number_and_once() -> None:
    session = Listening()
    assert session.identified() == [
        Identify("0041203377", "Elster", "EK270", "2.05"),
        Remember("parity", "none"),
    ]
    assert session.value("1:180", "0041203377") == []


def test_a_stranger_in_another_order_is_identified_again_when_more_is_known() -> None:
    session = Listening()
    session.hears(SIGN_ON)
    assert session.value("1:180", "1")[0] == Identify("1", "Elster", "EK270", "")
    assert session.value("2:190", "3.1") == [Identify("1", "Elster", "EK270", "3.1")]


def test_an_error_telegram_is_a_typed_refusal_of_what_was_asked() -> None:
    session = Listening()
    session.asks("R1", "2:302.0(1)")
    found, answer = session.hears(b"\x02(#0018)\x03\x28")
    assert found == []
    assert isinstance(answer, Refused)
    assert answer.error.code == "0018"
    assert answer.error.asked == "2:302.0"


def test_the_password_operand_is_the_entry_into_programming_mode() -> None:
    session = Listening()
    assert isinstance(session.hears(SIGN_ON)[1], Signed)
    assert session.hears(b"\x01P0\x02(1234567)\x03P")[1] == Challenge()


def test_a_layout_is_learnt_from_three_answers_and_worth_remembering() -> None:
    session = Listening()
    session.identified()
    told = {"2": "(Time)(Vb)(Z9)", "3": "()(m3)(x)", "4": "(0001:0400)(0002:0300)(0099:0001)"}
    found: list[Found] = []
    for attribute, body in told.items():
        session.asks("R1", f"3:V.{attribute}(1)")
        found = session.hears(BlockMessage(body))[0]
    (remembered,) = found
    assert isinstance(remembered, Remember)
    assert remembered.name == "layout:2.05:3"
    session.asks("R3", "3:V.0(1;;;10)")
    row = row_of(session.hears(BlockMessage("(2014-05-02,10:00:00)(5.5)(7)"))[0])
    assert [column.quantity for column in row.columns] == ["base_volume", "Z9"]

    later = Listening()
    later.identified()
    later.interpreter.recall(KnownMeter("41203377", memory={remembered.name: remembered.value}))
    later.asks("R3", "3:V.0(1;;;10)")
    assert row_of(later.hears(BlockMessage("(2014-05-02,10:00:00)(5.5)(7)"))[0]).columns == row.columns


def test_a_device_that_does_not_describe_its_columns_is_remembered_as_such() -> None:
    session = Listening()
    session.identified()
    session.asks("R1", "3:V.4(1)")
    assert session.hears(Refusal("0004"))[0] == [Remember("layout:2.05:3", "")]


def test_rows_in_blocks_are_found_block_by_block_with_their_own_bytes() -> None:
    session = Listening()
    session.asks("R3", "3:V.0(;;;1)")
    found, answer = session.hears(BlockMessage(EK_ROW, last=False))
    assert answer == Block(last=False, rows=1)
    assert row_of(found).span == Span(1, 1 + len(EK_ROW))
    session.interpreter.sent(encode(Acknowledge()))
    second = EK_ROW.replace("640", "641").replace("10:00:00", "11:00:00")
    found, answer = session.hears(BlockMessage(second))
    assert answer == Block(last=True, rows=1)
    assert row_of(found).span == Span(len(EK_ROW) + 4, 2 * len(EK_ROW) + 4)
    assert row_of(found).measured_at == datetime(2014, 5, 2, 11)


def test_a_damaged_frame_tells_nothing_but_its_fault() -> None:
    session = Listening()
    session.asks("R1", "1:400.0(1)")
    assert session.hears(CLOCK[:-1] + b"\x04") == ([], Damaged("BCC is 04, its characters give 03", 31))


def test_no_carrier_is_the_end_of_the_line() -> None:
    assert Listening().hears(b"NO CARRIER") == ([], HungUp())


def test_a_masked_access_code_does_not_confuse_the_reading_of_a_log() -> None:
    session = Listening()
    session.interpreter.sent(b"\x01W1\x024:171.0(********)\x03*")
    assert session.hears(encode(Acknowledge()))[0] == []
    assert session.value("4:302", "5.5*m3") != []


def test_a_recording_of_the_devices_side_alone_still_gives_its_values() -> None:
    assert row_of(Listening().hears(TEMPERATURE)[0]).values == (Decimal("20.16"),)


def test_a_tc215_with_a_period_of_one_day_keeps_days_in_its_archive() -> None:
    session = Listening()
    session.hears(b"/Els6TC215\r\n")
    session.value("4:150", "1*D")
    assert session.interpreter.profile.archive_of(3) == "daily"


def test_a_row_that_cannot_be_read_is_noted() -> None:
    session = Listening()
    session.asks("R3", "3:V.0(;;;10)")
    (note,) = session.hears(BlockMessage("(1)(2)"))[0]
    assert isinstance(note, Note)


OCTETS = st.binary(max_size=40) | st.sampled_from(
    [SIGN_ON, CLOCK, TEMPERATURE, encode(BlockMessage(EK_ROW)), encode(Refusal("0018")), encode(Repeat()), b"\x06"]
)
SENT = st.binary(max_size=20) | st.sampled_from(
    [encode(Command("R3", "3:V.0(;;;1)")), encode(Command("R1", "1:400.0(1)")), encode(Command("R1", "3:V.2(1)"))]
)


@given(st.lists(st.tuples(SENT, OCTETS), max_size=12))
def test_any_conversation_raises_nothing_but_codec_errors(said: list[tuple[bytes, bytes]]) -> None:
    interpreter = codec.interpreter()
    framer = codec.framer()
    for sent, heard in said:
        interpreter.sent(sent)
        framer.feed(heard)
        while frame := framer.next_frame() or framer.flush():
            with contextlib.suppress(CodecError):
                interpreter.received(frame)


def test_the_codec_encodes_what_it_decodes() -> None:
    frame = Frame("block", CLOCK)
    assert codec.encode(codec.decode(frame)) == CLOCK
    with pytest.raises(CodecError):
        codec.encode(Wire)
