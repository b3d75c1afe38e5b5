"""A meter's clock and numbers on their way into the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.dialogue import Findings
from gateway_server.errors import CodecError
from gateway_server.model import DAILY, Column, Event, Quality, Quantity, Reading, Row, Span
from gateway_server.session.edge import plain, to_save, utc_ms
from gateway_server.store.zones import meter_clock

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
ARRIVED = 1_709_290_800_000  # 2024-03-01T11:00:00Z

VOLUME = Column("volume_base_total", "m3", "7-0:13.0.0", "VbT", "2:302", cumulative=True)


def saved_row(row: Row, zone: ZoneInfo = MOSCOW, arrived: int = ARRIVED):  # type: ignore[no-untyped-def]
    rows, events = to_save(Findings(rows=(row,)), zone, arrived)
    assert events == []
    (one,) = rows
    return one


def test_archive_row_is_kept_in_utc_with_everything_the_meter_said() -> None:
    row = Row(
        (VOLUME,),
        (Decimal("260.630"),),
        DAILY,
        datetime(2024, 3, 1, 10),
        4711,
        "St.2=7",
        "0x8104",
        "extra_row",
        Span(7, 90),
    )
    one = saved_row(row)
    assert one.measured_at_ms == 1_709_276_400_000  # 2024-03-01T07:00:00Z: Moscow is three hours ahead
    assert one.values == ("260.630",)
    assert one.columns is row.columns
    assert (one.archive, one.order_number, one.status, one.event) == (DAILY, 4711, "St.2=7", "0x8104")
    assert (one.quality, one.span_start, one.span_end, one.received_at_ms) == ("extra_row", 7, 90, ARRIVED)


def test_live_values_are_as_old_as_their_arrival() -> None:
    one = saved_row(Row((VOLUME,), (Decimal(1),)))
    assert one.measured_at_ms == one.received_at_ms == ARRIVED
    assert one.quality == ""


def test_the_two_equal_autumn_hours_stay_apart() -> None:
    first = datetime(2023, 10, 29, 2, 30)
    assert utc_ms(first.replace(fold=1), BERLIN) - utc_ms(first, BERLIN) == 3_600_000
    assert utc_ms(first, BERLIN) == 1_698_539_400_000  # 00:30Z, still summer time


ZONES = [MOSCOW, BERLIN, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kolkata"), ZoneInfo("UTC")]


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.sampled_from(ZONES), st.integers(0, 1), st.booleans()
)
def test_every_time_is_what_the_zone_says_of_it(moment: datetime, zone: ZoneInfo, fold: int, seen: bool) -> None:
    moment = moment.replace(fold=fold)
    if seen:  # its hour is known from an earlier row
        utc_ms(moment.replace(minute=0, second=0, microsecond=0), zone)
    said = moment.replace(tzinfo=zone).astimezone(UTC)
    assert utc_ms(moment, zone) == (said - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def test_time_of_a_protocol_that_speaks_utc_does_not_depend_on_the_meters_zone() -> None:
    noon = datetime(2026, 8, 22, 12, tzinfo=UTC)
    assert utc_ms(noon, BERLIN) == utc_ms(noon, ZoneInfo("UTC")) == 1_787_400_000_000


def test_an_hour_in_which_the_offset_changes_is_not_taken_for_granted() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")  # half an hour forward at 2:00, and Liberia's odd change at 0:00
    monrovia = ZoneInfo("Africa/Monrovia")
    for moment in (datetime(2023, 10, 1, 2, 10), datetime(2023, 10, 1, 2, 40), datetime(1972, 1, 7, 0, 30)):
        for zone in (lord_howe, monrovia):
            expected = moment.replace(tzinfo=zone).timestamp()
            assert utc_ms(moment, zone) == round(expected * 1000)


@pytest.mark.parametrize(
    ("measured_at", "doubted"),
    [
        (datetime(1999, 12, 31), True),
        (datetime(2000, 1, 2), False),
        (datetime(2024, 3, 2, 13, 59), False),
        (datetime(2024, 3, 2, 14, 1), True),
        (datetime(1, 1, 1), True),
        (datetime(9999, 12, 31, 23, 59, 59), True),
    ],
)
def test_clock_that_cannot_be_true_is_marked_and_the_row_kept(measured_at: datetime, *, doubted: bool) -> None:
    one = saved_row(Row((VOLUME,), (Decimal(1),), measured_at=measured_at, quality="extra_row"))
    assert one.quality == ("extra_row clock_off" if doubted else "extra_row")
    _, (event,) = to_save(Findings(events=(Event("0x2504", "reset", measured_at, 3),)), MOSCOW, ARRIVED)
    assert event.quality == (Quality.CLOCK_OFF if doubted else "")


def test_device_clock_gives_its_drift_beside_it() -> None:
    one = saved_row(
        Row((Column("clock", name="clock"), VOLUME), ("2024-03-01,14:00:05", Decimal("2.50"))), arrived=ARRIVED + 250
    )
    assert [column.quantity for column in one.columns] == ["clock", "volume_base_total", "clock_drift"]
    assert one.values == ("2024-03-01,14:00:05", "2.50", "4.750")
    assert one.columns[-1].unit == "s"


def test_device_clock_behind_ours_drifts_backwards() -> None:
    assert saved_row(Row((Column("clock"),), ("2024-03-01,13:00:00",))).values[-1] == "-3600.000"


def test_device_clock_that_is_no_time_is_kept_as_it_is() -> None:
    one = saved_row(Row((Column("clock"),), ("2024-13-01,00:00:00",)))
    assert one.values == ("2024-13-01,00:00:00",)


def test_reading_is_a_row_of_one_column_and_equal_quantities_share_it() -> None:
    quantity = Quantity("volume_base_total", "7-0:13.0.0", "m3", cumulative=True)
    reading = Reading("41203377", quantity, Decimal("1042.5"), span=Span(3, 11), name="V")
    rows, _ = to_save(Findings(readings=(reading, reading)), MOSCOW, ARRIVED)
    assert rows[0].columns == (Column("volume_base_total", "m3", "7-0:13.0.0", "V", cumulative=True),)
    assert rows[0].columns is rows[1].columns
    assert (rows[0].values, rows[0].span_start, rows[0].span_end) == (("1042.5",), 3, 11)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1E+2", "100"),
        ("0.10", "0.10"),
        ("1E-8", "0.00000001"),
        ("-0.00", "-0.00"),
        ("007", "7"),
        ("1.20E+5", "120000"),
    ],
)
def test_numbers_are_exact_plain_text(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e40"), max_value=Decimal("1e40"), places=12)
)
def test_no_number_changes_on_its_way(value: Decimal) -> None:
    text = plain(value)
    assert "E" not in text
    assert Decimal(text) == value


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+99999", "1E-99999"])
def test_number_no_meter_can_mean_is_the_meters_fault(value: str) -> None:
    with pytest.raises(CodecError):
        saved_row(Row((VOLUME,), (Decimal(value),)))


EVERY_SIDE = [ZoneInfo("UTC"), MOSCOW, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")]
CALENDARS_ENDS = [
    datetime(1, 1, 1),
    datetime(1, 1, 1, 0, 30),
    datetime(1, 1, 2),
    datetime(9999, 12, 31, 23, 59, 59, 999999),
]


@pytest.mark.parametrize("zone", EVERY_SIDE, ids=lambda zone: zone.key)
@pytest.mark.parametrize("shown", CALENDARS_ENDS, ids=str)
def test_time_at_an_end_of_the_calendar_is_kept_where_every_zone_can_show_it(shown: datetime, zone: ZoneInfo) -> None:
    for said in (shown, shown.replace(tzinfo=UTC), shown.replace(tzinfo=zone)):
        one = saved_row(Row((VOLUME,), (Decimal(1),), measured_at=said), zone)
        assert one.quality == Quality.CLOCK_OFF
        for other in EVERY_SIDE:
            assert abs(meter_clock(other.key)(one.measured_at_ms) - shown) <= timedelta(days=2)


@pytest.mark.parametrize("clock", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0001-01-01,00:00:00"])
def test_drift_of_a_clock_at_an_end_of_the_calendar_is_long_and_finite(clock: str) -> None:
    drift = saved_row(Row((Column("clock"),), (clock,))).values[-1]
    assert abs(Decimal(drift)) > 60_000_000_000


@pytest.mark.parametrize("number", [-1, 10**18, 2**63, 10**25, 10**5000], ids=int.bit_length)
def test_order_number_that_the_store_cannot_count_with_is_the_meters_fault(number: int) -> None:
    with pytest.raises(CodecError, match="order number"):
        saved_row(Row((VOLUME,), (Decimal(1),), order_number=number))
    with pytest.raises(CodecError, match="order number"):
        to_save(Findings(events=(Event("0x2504", order_number=number),)), MOSCOW, ARRIVED)
    assert saved_row(Row((VOLUME,), (Decimal(1),), order_number=10**18 - 1)).order_number == 10**18 - 1
