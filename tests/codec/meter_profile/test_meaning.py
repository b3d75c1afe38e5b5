"""What messages mean: rows, events, an identity, a refusal."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gateway_server.codec.codec import Frame
from gateway_server.codec.dialogue import Findings, Identify
from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.meter_profile.meaning import as_value, plain_text
from gateway_server.errors import CodecError, MeterRefused
from gateway_server.model import Event, Span
from tests.codec.meter_profile.profiles import with_fields

ROWS = """
- {name: serial, type: text, size: "2"}
- group: hour
  repeat: to_end
  fields:
    - {name: at, type: time, since: unix}
    - {name: number, type: u8}
    - {name: volume, type: u16, scale: 0.1, missing: 0xFFFF}
    - {name: state, type: flags, words: {0: low, 1: open}}
"""
HOUR = bytes.fromhex("65920080 07 0402 03")  # 2024-01-01


def found(codec: ProfileCodec, body: bytes) -> list[object]:
    """What an interpreter finds in a frame with this body."""
    return list(codec.interpreter().received(Frame("frame", bytes([len(body)]) + body, 100)))


def findings(codec: ProfileCodec, body: bytes) -> Findings:
    (only,) = [one for one in found(codec, body) if isinstance(one, Findings)]
    return only


MEANING = """
identify: {serial: serial, manufacturer: "'ACW'", software_version: "'1.' + serial"}
rows:
  each: hour
  archive: interval
  at: at
  order_number: number
  status: state.word
  values:
    - {value: volume, quantity: base_volume_total}
    - {value: volume * 2, quantity: actual_volume_total, if: number > 7}
"""


def test_every_element_of_a_group_is_a_row_with_time_number_and_status() -> None:
    codec = with_fields(ROWS, MEANING)
    identity, rows = found(codec, b"41" + HOUR + HOUR.replace(b"\x07", b"\x08"))
    assert identity == Identify("41", "ACW", "", "1.41")
    assert isinstance(rows, Findings)
    first, second = rows.rows
    assert (first.archive, first.measured_at, first.order_number) == ("interval", datetime(2024, 1, 1), 7)
    assert (first.status, first.values, first.span) == ("low open", (Decimal("102.6"),), Span(100, 119))
    assert [column.quantity for column in second.columns] == ["base_volume_total", "actual_volume_total"]
    assert second.values == (Decimal("102.6"), Decimal("205.2"))


def test_number_that_means_no_value_is_left_out_and_a_row_without_values_too() -> None:
    codec = with_fields(ROWS, MEANING)
    assert found(codec, b"41" + bytes.fromhex("65920080 07 FFFF 00")) == [Identify("41", "ACW", "", "1.41")]


def test_rows_of_a_guess_are_marked_and_so_is_what_the_profile_says_of_quality() -> None:
    for source, quality in (("source: guess", "extra_row inferred"), ("source: manual 3", "extra_row")):
        codec = with_fields(
            "{name: v, type: u8}", f"rows: {{quality: extra_row, values: {{value: v, quantity: pressure, {source}}}}}"
        )
        assert findings(codec, b"\x01").rows[0].quality == quality


def test_date_and_time_of_day_make_one_time_and_utc_is_kept() -> None:
    codec = with_fields(
        "{name: clock, type: time, text: hhmm}\n{name: day, type: time, text: DDMMYY}\n{name: v, type: u8}",
        "rows: {at: [clock, day], utc: yes, values: {value: v, quantity: pressure}}",
    )
    assert findings(codec, b"0915220826\x01").rows[0].measured_at == datetime(2026, 8, 22, 9, 15, tzinfo=UTC)


def test_date_alone_is_no_time_of_a_row() -> None:
    codec = with_fields(
        "{name: v, type: u8}\n{choose: v, cases: [{is: 1, fields: [{name: day, type: time, text: DDMMYY}]},"
        " {is: 2, fields: [{name: day, type: time, text: DDMMYYhhmm}]}]}",
        "rows: {at: day, values: {value: v, quantity: pressure}}",
    )
    assert findings(codec, b"\x022208260915").rows[0].measured_at == datetime(2026, 8, 22, 9, 15)
    with pytest.raises(CodecError, match="day is no whole time"):
        found(codec, b"\x01220826")


def test_events_with_their_words() -> None:
    codec = with_fields(
        "{group: e, repeat: to_end, fields: [{name: code, type: u8, words: {1: opened}}, {name: n, type: u8}]}",
        "events: {each: e, code: code, text: code.word, order_number: n, if: code != 9}",
    )
    span = Span(100, 107)
    assert findings(codec, bytes([1, 5, 2, 6, 9, 7])).events == (
        Event("1", "opened", None, 5, span=span),
        Event("2", "2", None, 6, span=span),
    )


def test_refusal_carries_the_meters_own_code() -> None:
    codec = with_fields("{name: why, type: u8, words: {3: busy}}", "refuses: {code: why, meaning: why.word}")
    with pytest.raises(MeterRefused, match="the meter refuses: message 3, busy") as refused:
        found(codec, b"\x03")
    assert (refused.value.code, refused.value.meaning) == ("3", "busy")


def test_message_without_a_serial_number_where_it_should_be_is_an_error() -> None:
    codec = with_fields('{name: serial, type: text, pad: "20"}', "identify: {serial: serial}")
    with pytest.raises(CodecError, match="has no serial number in it"):
        found(codec, b"   ")


def test_values_as_readings_hold_them() -> None:
    assert [as_value(one) for one in (5, True, Decimal("0.5"), "x")] == [Decimal(5), Decimal(1), Decimal("0.5"), "x"]
    assert as_value(datetime(2026, 8, 22, 9)) == "2026-08-22 09:00:00"
    assert plain_text(b"\x0a") == "0A"
    assert plain_text(None) == ""
