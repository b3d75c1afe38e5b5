"""Times as devices write them."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.meter_profile import times
from gateway_server.codec.meter_profile.form import BitSpan, CountedTime, Digits, Order, PackedTime, PatternTime
from gateway_server.errors import CodecError

# EN 13757-3, annex A, type F: minute, hour, day, month, year in 32 bits, the year's seven bits in two places.
TYPE_F = PackedTime(
    4,
    Order.LITTLE,
    (
        ("minute", (BitSpan(0, 6),)),
        ("hour", (BitSpan(8, 5),)),
        ("day", (BitSpan(16, 5),)),
        ("month", (BitSpan(24, 4),)),
        ("year", (BitSpan(21, 3), BitSpan(28, 4))),
    ),
)


@pytest.mark.parametrize(
    ("type_", "wire", "moment"),
    [
        (CountedTime(4), "65920080", datetime(2024, 1, 1)),
        (CountedTime(8, unit_ms=1), "0000018CC251F400", datetime(2024, 1, 1)),
        (CountedTime(4, Order.LITTLE, datetime(2000, 1, 1)), "80510100", datetime(2000, 1, 2)),
        (CountedTime(2, since=datetime(1900, 1, 1), unit_ms=86_400_000), "0001", datetime(1900, 1, 2)),
    ],
)
def test_counted_times_since_any_day(type_: CountedTime, wire: str, moment: datetime) -> None:
    raw = bytes.fromhex(wire)
    assert times.counted_reader(type_)(raw) == moment
    assert times.counted_writer(type_)(moment) == raw


def test_count_beyond_all_time_is_an_error_of_the_meter() -> None:
    with pytest.raises(CodecError, match="is no time"):
        times.counted_reader(CountedTime(8))(b"\xff" * 8)


@pytest.mark.parametrize(
    ("digits", "pattern", "wire", "moment"),
    [
        (Digits.BCD, "ss mm hh DD MM YY", bytes.fromhex("30 15 09 22 08 26"), datetime(2026, 8, 22, 9, 15, 30)),
        (Digits.BCD, "YY MM DD ww hh mm ss", bytes.fromhex("26 08 22 06 09 15 30"), datetime(2026, 8, 22, 9, 15, 30)),
        (Digits.BCD, "YYYY MM DD", bytes.fromhex("20 26 08 22"), date(2026, 8, 22)),
        (Digits.BINARY, "YYYY MM DD hh mm ss", bytes.fromhex("07 EA 08 16 09 0F 1E"), datetime(2026, 8, 22, 9, 15, 30)),
        (Digits.BINARY, "hh mm", bytes.fromhex("17 3B"), time(23, 59)),
        (Digits.TEXT, "YYYY-MM-DD,hh:mm:ss", b"2026-08-22,09:15:30", datetime(2026, 8, 22, 9, 15, 30)),
        (Digits.TEXT, "hhmmss.fff", b"123519.250", time(12, 35, 19, 250_000)),
        (Digits.TEXT, "DDMMYY", b"220826", date(2026, 8, 22)),
    ],
)
def test_times_by_pattern(digits: Digits, pattern: str, wire: bytes, moment: times.Moment) -> None:
    type_ = PatternTime(digits, pattern)
    assert times.pattern_size(type_) == len(wire)
    assert times.pattern_reader(type_)(wire) == moment
    assert times.pattern_writer(type_)(moment) == wire


def test_clock_that_was_never_set_has_no_time() -> None:
    assert times.pattern_reader(PatternTime(Digits.BCD, "YY MM DD hh mm ss"))(bytes(6)) is None
    assert times.pattern_reader(PatternTime(Digits.TEXT, "YYYY-MM-DD"))(b"          ") is None


def test_thirtieth_of_february_is_no_time() -> None:
    with pytest.raises(CodecError, match="is no time"):
        times.pattern_reader(PatternTime(Digits.BCD, "YY MM DD"))(bytes.fromhex("26 02 30"))
    with pytest.raises(CodecError, match="is no time in BCD"):
        times.pattern_reader(PatternTime(Digits.BCD, "YY MM DD"))(bytes.fromhex("26 0A 01"))
    with pytest.raises(CodecError, match="is no time like hh:mm"):
        times.pattern_reader(PatternTime(Digits.TEXT, "hh:mm"))(b"12-30")


def test_packed_time_of_the_m_bus() -> None:
    # 2026-08-22 09:15: minute 15, hour 9, day 22 with the year's low bits 26 & 7 = 2, month 8 with the high ones 3.
    raw = bytes([15, 9, 22 | 2 << 5, 8 | 3 << 4])
    assert times.packed_reader(TYPE_F)(raw) == datetime(2026, 8, 22, 9, 15)
    assert times.packed_writer(TYPE_F)(datetime(2026, 8, 22, 9, 15)) == raw


@given(moment=st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31, 23, 59, 59)))
def test_every_minute_of_the_century_comes_back(moment: datetime) -> None:
    minute = moment.replace(second=0, microsecond=0)
    assert times.packed_reader(TYPE_F)(times.packed_writer(TYPE_F)(minute)) == minute
    second = moment.replace(microsecond=0)
    for digits in Digits:
        type_ = PatternTime(digits, "YY MM DD hh mm ss")
        assert times.pattern_reader(type_)(times.pattern_writer(type_)(second)) == second


def test_value_that_is_no_time_cannot_be_written() -> None:
    with pytest.raises(CodecError, match="has no hour"):
        times.pattern_writer(PatternTime(Digits.BCD, "hh mm"))(date(2026, 8, 22))
    with pytest.raises(CodecError, match="not within a hundred years"):
        times.pattern_writer(PatternTime(Digits.BCD, "YY MM DD"))(date(1999, 1, 1))
    with pytest.raises(CodecError, match="between two counts"):
        times.counted_writer(CountedTime(4))(datetime(2026, 1, 1, microsecond=5))
