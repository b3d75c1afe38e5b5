"""A conversation understood by listening."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway_server.codec.codec import NOISE, Frame
from gateway_server.codec.dialogue import Findings
from gateway_server.errors import CodecError, MeterRefused
from tests.codec.meter_profile.profiles import codec_of

CODEC = codec_of(
    """
    reads: meter_profile
    framing: {name: frame, start: STX, end: ETX}
    messages:
      - {name: volume, fields: [{name: v, type: u8}], rows: {values: {value: v, quantity: base_volume_total}}}
      - {name: pressure, fields: [{name: p, type: u8}], rows: {values: {value: p, quantity: pressure}}}
      - {name: no, fields: [{name: word, type: text, is: NO}], refuses: {code: word}}
      - {name: ask_volume, from: gateway, fields: [{name: word, type: text, is: V}]}
      - {name: ask_pressure, from: gateway, fields: [{name: word, type: text, is: P}]}
    read:
      - {send: ask_volume, receive: volume}
      - {send: ask_pressure, receive: pressure}
    """
)


def quantity(found: object) -> tuple[str, object]:
    assert isinstance(found, Findings)
    (row,) = found.rows
    return row.columns[0].quantity, row.values[0]


def test_answer_that_alone_does_not_say_what_it_is_is_known_by_the_question() -> None:
    listener = CODEC.interpreter()
    answer = Frame("frame", b"\x02\x07\x03")
    for question, wanted in ((b"\x02V\x03", "base_volume_total"), (b"\x02P\x03", "pressure")):
        listener.sent(question)
        assert [quantity(one) for one in listener.received(answer)] == [(wanted, Decimal(7))]


def test_answer_to_an_unknown_question_is_read_only_if_it_says_itself_what_it_is() -> None:
    listener = CODEC.interpreter()
    listener.sent(b"\x02X\x03")
    with pytest.raises(CodecError, match="matches two messages, volume and pressure"):
        listener.received(Frame("frame", b"\x02\x07\x03"))


def test_refusal_is_told_and_noise_tells_nothing() -> None:
    listener = CODEC.interpreter()
    with pytest.raises(MeterRefused, match="the meter refuses: no NO"):
        listener.received(Frame("frame", b"\x02NO\x03"))
    assert listener.received(Frame(NOISE, b"\x00")) == ()
