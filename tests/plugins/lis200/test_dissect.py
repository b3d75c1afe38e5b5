"""The auditor's view: every octet in exactly one field, access codes in none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.codec import SENT, Field, Frame
from gateway_server.codec.parity import add_even
from plugins.lis200 import codec
from plugins.lis200.gate import outgoing
from plugins.lis200.messages import Block as BlockMessage
from plugins.lis200.messages import Command, OptionSelect, Refusal, Request, encode

EK_ROW = (
    "(18484)(640)(2014-05-02,10:00:00)(882066.6309)(884266.5191)(67859)(68044)(12.9437)(10.16)(0.97417)(13.57199)"
    "(7)(14)(0)(0)(0)(0x8103)(CRC Ok)"
)


def fields_of(data: bytes, kind: str = "block") -> list[Field]:
    fields = list(codec.dissect(Frame(kind, data)))
    at = 0
    for field in fields:
        assert field.start == at < field.end
        at = field.end
    assert at == len(data)
    return fields


def told(fields: list[Field]) -> list[tuple[str, str, str]]:
    return [(field.name, field.value, field.meaning) for field in fields]


@pytest.mark.parametrize("even", [False, True])
def test_a_value_names_its_object_unit_and_check(even: bool) -> None:
    captured = bytes.fromhex("02 37 2D 36 3A 33 31 30 5F 31 2E 31 28 32 30 2E 31 36 2A 7B 43 29 03 6E")
    assert told(fields_of(add_even(captured) if even else captured)) == [
        ("STX", "02", ""),
        ("address", "7-6:310_1.1", "6:310_1 T gas temperature"),
        ("(", "(", ""),
        ("value", "20.16", ""),
        ("*", "*", ""),
        ("unit", "°C", ""),
        (")", ")", ""),
        ("ETX", "03", ""),
        ("BCC", "6E", "ok"),
    ]


def test_each_cell_of_a_row_has_its_columns_name() -> None:
    fields = fields_of(encode(BlockMessage(f"{EK_ROW}\r\n{EK_ROW}")))
    by_name = {field.name: field for field in fields}
    assert by_name["VbT"].value == "884266.5191"
    assert by_name["St.4"].meaning == "14 report: customer lock open"
    assert by_name["Event"].meaning == "day boundary (gas day)"
    assert [field.name for field in fields].count("Check") == 2


def test_a_request_for_rows_says_which_archive_and_range() -> None:
    fields = fields_of(encode(Command("R3", "3:V.0(3;2014-05-01,00:00:00;;10)")), SENT)
    assert ("command", "R3", "read rows in blocks") in told(fields)
    assert ("archive", "3:V.0", "archive 3: rows") in told(fields)
    (span,) = [field for field in fields if field.name == "range"]
    assert span.meaning == "column 3 from 2014-05-01,00:00:00 to the newest, 10 rows a block"


def test_an_error_says_what_it_means_and_what_to_do() -> None:
    (error,) = [field for field in fields_of(encode(Refusal("0018")), "error") if field.name == "error"]
    assert error.value == "#0018"
    assert error.meaning.startswith("no read authorisation")


def test_an_identification_tells_maker_speed_and_model() -> None:
    assert told(fields_of(b"/Els6\\2EK280\r\n", "identification")) == [
        ("start", "/", ""),
        ("maker", "Els", "reacts within 20 ms"),
        ("speed", "6", "up to 19200 baud"),
        ("identification", "\\2EK280", "taken for EK280"),
        ("end", "CR LF", ""),
    ]


@pytest.mark.parametrize("even", [False, True])
def test_what_we_send_is_named_too(even: bool) -> None:
    select = fields_of(encode(OptionSelect("6"), even=even), SENT)
    assert told(select)[2:4] == [("speed", "6", "19200 baud"), ("mode", "1", "programming")]
    request = fields_of(encode(Request("17"), even=even), SENT)
    assert told(request)[0] == ("request", "/?", "who is there?")
    assert fields_of(b"\0" * 53, SENT)[0].name == "wake-up"


def test_a_wrong_check_shows_the_right_one() -> None:
    fields = fields_of(b"\x02(1)\x03\x00")
    assert fields[-1].meaning.startswith("wrong, expected ")


@pytest.mark.parametrize(
    "message", [Command("W1", "4:171.0(87654321)"), Command("P1", "(3:87654321)"), Command("W1", "2:300.0(87654321)")]
)
def test_an_access_code_is_shown_nowhere(message: Command) -> None:
    fields = fields_of(encode(message), SENT)
    assert any(field.secret for field in fields)
    assert not any("8765" in field.value + field.meaning for field in fields)
    assert all(field.secret for field in fields if field.name == "BCC")


def test_a_masked_code_in_the_log_is_secret_as_well() -> None:
    shown = outgoing(Command("W1", "4:171.0(87654321)"), even=True).shown
    assert shown is not None
    assert [field.name for field in fields_of(shown, SENT) if field.secret] == ["access code", "BCC"]


PARTS = st.lists(
    st.sampled_from(
        [b"\x01", b"\x02", b"\x03", b"\x04", b"R1", b"W1", b"P1", b"4:171.0(", b"12", b")", b"(", b"\r\n", b"/", b"/?",
         b"!", b"Els6", b"*", b"\xff", b"\0", b"\x06", b"0", EK_ROW.encode(), b"(#0018)", b"3:V.0(1;2;3;4)"]
    ),
    max_size=10,
).map(b"".join)  # fmt: skip


@given(PARTS | PARTS.map(add_even) | st.binary(max_size=60), st.sampled_from([SENT, "block", "noise", "command"]))
def test_any_frame_is_covered_by_its_fields(data: bytes, kind: str) -> None:
    fields_of(data, kind)
