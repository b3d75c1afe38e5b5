"""Whole sessions with simulated meters of every model: who it is, what is read, in which order, how it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway_server.codec.dialogue import Partly
from gateway_server.errors import UnknownMeter
from gateway_server.model import GAS_DAY_START, Identify, KnownMeter, LastRow, Outcome, ReadOrder
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.delivery import Reply
from gateway_server.testing.lis200.quirks import Quirks, from_options
from gateway_server.testing.play import play
from plugins.lis200 import codec
from plugins.lis200.messages import Block, Command, encode
from tests.plugins.lis200.visit import Visit, listen, visit

SERIAL = "41203377"
EK_ROW = (
    "(18484)(640)(2014-05-02,10:00:00)(882066.6309)(884266.5191)(67859)(68044)(12.9437)(10.16)(0.97417)(13.57199)"
    "(7)(14)(0)(0)(0)(0x8103)(CRC Ok)"
)
ARCHIVES = {"interval": 3, "daily": 7, "monthly": 1, "monthly2": 2, "changes": 5, "calibration": 9, "extended": 13}
EVERYTHING = [
    *("echo_prefix", "crlf_after_last_row", "russian_units", "split=7", "asleep", "lock_values", "lock_way_b"),
    *("noise_events", "noise_before", "noise_after", "second_master", "lose_every=7", "bad_bcc_every=6"),
    *("truncate_block=4", "endless_block=9", "rubbish", "twenty_cells", "extra_columns", "unknown_columns"),
    *("extra_rows", "autumn_hour", "order_gap", "counter_back", "check_failed", "error_in_read=109"),
]
ALONE = [[name] for name in EVERYTHING] + [
    ["seven_e1"],
    ["lock_all"],
    ["no_layout"],
    ["no_names"],
    ["period_minutes=15"],
    ["bcc_is_etx"],
    ["slow"],
]


def answer(text: str, *, last: bool = True) -> bytes:
    """A block of the device."""
    return encode(Block(text, last=last))


def asks(name: str, operand: str) -> bytes:
    """A command of ours."""
    return encode(Command(name, operand))


def test_a_row_is_stored_before_the_block_is_acknowledged() -> None:
    second = EK_ROW.replace("(18484)(640)", "(18485)(641)").replace("10:00:00", "11:00:00")
    order = ReadOrder(frozenset({"archive"}), ("interval",))
    memory = {"layout:2.05:3": "", "parity": "none"}
    last = {"interval": LastRow(640, datetime(2014, 5, 2, 10))}
    (
        play(codec, expected=KnownMeter(SERIAL, order, memory=memory, last=last))
        .sends(b"/?!\r\n")
        .receives(b"/Els6EK270\r\n")
        .sends(b"\x06061\r\n")
        .receives(b"\x01P0\x02(1234567)\x03P")
        .sends(asks("R1", "1:181.0(1)"))
        .receives(answer("1:181.0(EK270)"))
        .sends(asks("R1", "2:190.0(1)"))
        .receives(answer("2:190.0(2.05)"))
        .sends(asks("R1", "1:180.0(1)"))
        .receives(answer(f"1:180.0({SERIAL})"))
        .identifies(SERIAL, "Elster", "EK270", "2.05")
        .sends(asks("R1", "1:400.0(1)"))
        .receives(answer("1:400.2(2014-05-02,11:30:00)"))
        .saves_row({"clock": "2014-05-02,11:30:00"}, archive="current")
        .sends(asks("R3", "3:V.0(3;2014-05-02,10:00:00;;10)"))
        .receives(answer(EK_ROW, last=False))
        .saves_row({"VbT": "884266.5191", "pressure_mean": "12.9437"}, order_number=640, status="St.2=7 St.4=14")
        .sends(b"\x06")
        .receives(answer(second)[:40])
        .stays_silent()
        .stays_silent()
        .sends(b"\x15")
        .receives(answer(second))
        .saves_row({"base_volume": "882066.6309"}, order_number=641, measured_at=datetime(2014, 5, 2, 11))
        .sends(b"\x01B0\x03\x71")
        .ends(Outcome.READ)
    )


def missing(meter: FakeMeter, told: object) -> list[tuple[str, object]]:
    """Rows the meter holds and the session has not found, and the other way round."""
    holds = meter.holds()["archives"]
    assert isinstance(holds, dict)
    wrong: list[tuple[str, object]] = []
    for name, number in ARCHIVES.items():
        if str(number) in holds:
            wanted = {(row["order_number"], row["time"]) for row in holds[str(number)]["rows"]}
            rows = told.archive(name)  # type: ignore[attr-defined]  # a Visit
            got = {(row.order_number, f"{row.measured_at:%Y-%m-%d,%H:%M:%S}") for row in rows}
            wrong += [(name, row) for row in wanted ^ got]
    return wrong


@pytest.mark.parametrize("model", ["ek260", "ek270", "ek280", "tc210", "tc215", "tc220"])
@pytest.mark.parametrize("options", [[], EVERYTHING], ids=["well-behaved", "every quirk at once"])
def test_every_row_of_every_archive_is_found_and_the_log_tells_the_same(model: str, options: list[str]) -> None:
    meter = FakeMeter(model, days=20, quirks=from_options(options))
    told = visit(meter)
    assert told.outcome is None
    assert missing(meter, told) == []
    assert meter.writes == []
    assert listen(told) == (told.rows, told.events)


@pytest.mark.parametrize("options", ALONE, ids=lambda options: options[0])
def test_no_single_quirk_costs_a_row(options: list[str]) -> None:
    meter = FakeMeter(days=8, quirks=from_options(options))
    told = visit(meter)
    assert told.outcome is None
    assert missing(meter, told) == []
    assert listen(told) == (told.rows, told.events)


def test_the_meter_says_who_it_is_as_a_whole() -> None:
    told = visit(FakeMeter("ek280"))
    assert told.identity == Identify(SERIAL, "Elster", "EK280", "2.31")


def test_what_presses_most_is_read_first() -> None:
    told = visit(FakeMeter(days=40))
    order = list(dict.fromkeys(row.archive for row in told.rows))
    assert order == ["current", "interval", "daily", "monthly", "monthly2", "changes"]
    assert told.rows[0].columns[0].quantity == "clock"
    assert told.rows[-1].archive == "current"


def test_live_values_carry_the_devices_names_addresses_and_units() -> None:
    told = visit(FakeMeter(), KnownMeter(SERIAL, ReadOrder(frozenset({"current"}))))
    columns = {row.columns[0].quantity: row.columns[0] for row in told.rows}
    total = columns["base_volume_total"]
    assert (total.name, total.source, total.unit, total.obis, total.cumulative) == (
        "VbT", "2:302", "m3", "7-0:13.2.0", True,
    )  # fmt: skip
    assert columns["temperature"].unit == "°C"
    assert told.archive("interval") == []


def test_messages_of_the_status_are_asked_where_they_come_from() -> None:
    """Overall 6, 13 and 14: 13 is the system's, 6 that of status 2, 14 that of status 4; nobody asks further."""
    meter = FakeMeter()
    for address, text in (("1:100", "6 13 14"), ("2:100", "13"), ("2:110", "6"), ("4:110", "14"), ("1:101", "6")):
        meter.show(address, text)
    told = visit(meter, KnownMeter(SERIAL, ReadOrder(frozenset({"current"}))))
    said = {
        row.columns[0].name: str(row.values[0])
        for row in told.rows
        if row.columns[0].quantity in ("status", "status_register")
    }
    assert said == {"Stat": "6 13 14", "SReg": "6", "St.Sy": "13", "St.1": "0", "St.2": "6", "St.3": "0", "St.4": "14"}


def test_calm_device_is_not_asked_for_the_parts_of_its_status() -> None:
    meter = FakeMeter()
    meter.show("1:100", "0")
    told = visit(meter, KnownMeter(SERIAL, ReadOrder(frozenset({"current"}))))
    assert not [data for data in told.sent if b"2:100" in data or b":110" in data]


def test_objects_a_device_does_not_have_are_asked_once_a_software_version() -> None:
    meter = FakeMeter()
    live = KnownMeter(SERIAL, ReadOrder(frozenset({"current"})))
    first = visit(meter, live)
    again = visit(meter, replace(live, memory=first.memory))
    absent = first.memory.get("absent:2.05", "").split()
    assert absent
    assert len(first.sent) - len(again.sent) == len(absent)
    assert again.memory == {}


@pytest.mark.parametrize("registered", ["41203377", "0041203377"])
def test_the_expected_meter_is_recognised_with_or_without_leading_zeros(registered: str) -> None:
    told = visit(FakeMeter(), KnownMeter(registered, ReadOrder(frozenset({"current"}))))
    assert told.identity is not None
    assert told.identity.serial == registered


def test_another_meter_at_the_place_is_refused_with_both_serial_numbers() -> None:
    told = visit(FakeMeter(quirks=Quirks(other_serial="999")), KnownMeter(SERIAL))
    assert isinstance(told.outcome, UnknownMeter)
    assert SERIAL in str(told.outcome)
    assert "999" in str(told.outcome)
    assert told.rows == []
    assert told.sent[-1] == b"\x01B0\x03\x71"


def test_an_unclaimed_meter_gives_identity_and_live_values_only() -> None:
    told = visit(FakeMeter(), known=KnownMeter(SERIAL, claimed=False))
    assert {row.archive for row in told.rows} == {"current"}
    assert not [data for data in told.sent if b":V." in data]
    assert told.events == []


def test_monthly_means_both_monthly_archives() -> None:
    told = visit(FakeMeter(days=70), KnownMeter(SERIAL, ReadOrder(frozenset({"archive"}), ("monthly",))))
    assert {row.archive for row in told.rows} == {"current", "monthly", "monthly2"}


def test_events_are_the_logs_and_no_archive() -> None:
    told = visit(FakeMeter("ek280"), KnownMeter(SERIAL, ReadOrder(frozenset({"events"}))))
    assert told.events
    assert {row.archive for row in told.rows} <= {"current", "changes", "calibration"}


def test_an_archive_the_model_does_not_have_is_said() -> None:
    told = visit(FakeMeter("tc210"), KnownMeter(SERIAL, ReadOrder(frozenset({"archive"}), ("daily",))))
    assert isinstance(told.outcome, Partly)
    assert "daily" in told.outcome.reason


def test_the_end_is_one_sign_off_that_is_not_waited_for() -> None:
    meter = FakeMeter(days=1)
    told = visit(meter)
    assert told.sent[-1] == b"\x01B0\x03\x71"
    assert meter.sign_offs == 1
    assert told.seconds < 1


def test_a_meter_that_falls_silent_keeps_what_it_gave() -> None:
    class Tired(FakeMeter):
        """Answers so often and then no more."""

        left = 12

        def received(self, data: bytes) -> list:  # type: ignore[type-arg]  # replies
            self.left -= 1
            return super().received(data) if self.left > 0 else []

    told = visit(Tired(days=5))
    assert isinstance(told.outcome, Partly)
    assert "nothing came" in told.outcome.reason
    assert told.archive("interval")


PAID = KnownMeter(SERIAL, ReadOrder(frozenset({"archive"}), ("daily",)), airtime=True)


def telegrams(told: Visit) -> list[str]:
    return [data.decode("latin-1").strip("\x01\x02\x03\r\n")[:2] for data in told.sent]


def test_meter_met_before_is_asked_over_a_paid_line_for_nothing_but_its_rows() -> None:
    meter = FakeMeter(days=5)
    first = visit(meter, PAID)
    assert first.memory["device"] == "EK270|2.05"
    assert first.memory["trust"] == "30"
    second = visit(meter, replace(PAID, memory=first.memory, last=first.last()))
    assert telegrams(second) == ["/?", "\x060", "R3", "B0"]
    assert second.identity == Identify(SERIAL)
    assert second.memory["trust"] == "29"
    assert second.archive("daily")[0].columns == first.archive("daily")[0].columns


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("memory", {"trust": "0"}),
        ("memory", {"device": ""}),
        ("memory", {"device": "TC215|1.00"}),
        ("memory", {"layout:2.05:7": ""}),
        ("order", ReadOrder(frozenset({"archive", "current"}), ("daily",))),
        ("claimed", False),
        ("airtime", False),
    ],
)
def test_meter_is_asked_who_it_is_unless_all_that_is_needed_is_known(change: str, value: object) -> None:
    meter = FakeMeter(days=5)
    known = replace(PAID, memory=visit(meter, PAID).memory)
    if isinstance(value, dict):
        known = replace(known, memory={**known.memory, **value})
    else:
        known = replace(known, **{change: value})  # type: ignore[arg-type]  # what the case names
    assert b"\x01R1\x021:180.0(1)\x03~" in visit(meter, known).sent


def test_trust_is_renewed_by_asking_again() -> None:
    meter = FakeMeter(days=5)
    memory = {**visit(meter, PAID).memory, "trust": "0"}
    assert visit(meter, replace(PAID, memory=memory)).memory["trust"] == "30"


def test_other_meter_behind_a_trusted_number_is_found_out_when_trust_ends() -> None:
    memory = {**visit(FakeMeter(days=5), PAID).memory, "trust": "0"}
    told = visit(FakeMeter(serial="999", days=5), replace(PAID, memory=memory))
    assert isinstance(told.outcome, UnknownMeter)
    assert not told.archive("daily")


def test_exchanged_meter_behind_a_trusted_number_is_found_out_before_a_row_is_stored() -> None:
    first = visit(FakeMeter(days=5), PAID)
    known = replace(PAID, memory=first.memory, last=first.last())
    told = visit(FakeMeter(serial="999", days=40), known)
    assert isinstance(told.outcome, UnknownMeter)
    assert not told.rows


def test_trusted_meter_whose_rows_leave_a_gap_is_asked_once_and_loses_none() -> None:
    meter = FakeMeter(days=31, quirks=Quirks(largest_block=5))
    order = ReadOrder(frozenset({"archive"}), ("interval",))
    first = visit(meter, replace(PAID, order=order))
    newest = first.last()["interval"]
    assert newest.order_number is not None
    assert newest.measured_at is not None
    odd = {"interval": replace(newest, measured_at=newest.measured_at - timedelta(hours=99))}
    told = visit(meter, replace(PAID, order=order, memory=first.memory, last=odd))
    assert telegrams(told).count("R1") == 3
    assert told.outcome is None
    assert told.memory["trust"] == "30"
    assert {row.order_number for row in told.rows} >= {row.order_number for row in first.rows[-99:]}


def test_trusted_meter_without_a_stored_row_is_asked_who_it_is() -> None:
    meter = FakeMeter(days=5)
    told = visit(meter, replace(PAID, memory=visit(meter, PAID).memory))
    assert telegrams(told).count("R1") >= 3


def test_gas_day_is_asked_once_where_days_are_read_and_never_over_a_paid_line() -> None:
    order = ReadOrder(frozenset({"archive"}), ("daily",))
    asking = asks("R1", "2:141.0(1)")
    first = visit(FakeMeter("ek280", serial=SERIAL), KnownMeter(SERIAL, order))
    assert first.memory[GAS_DAY_START] == "10:00"
    assert asking in first.sent
    for known in (
        KnownMeter(SERIAL, order, memory=first.memory),
        KnownMeter(SERIAL, order, airtime=True),
        KnownMeter(SERIAL, ReadOrder(frozenset({"archive"}), ("interval",))),
    ):
        assert asking not in visit(FakeMeter("ek280", serial=SERIAL), known).sent


class HardOfHearing:
    """A meter that does not answer when asked for its gas day."""

    def __init__(self, meter: FakeMeter) -> None:
        self._meter = meter

    def tick(self, now: datetime) -> None:
        self._meter.tick(now)

    def received(self, data: bytes) -> list[Reply]:
        return [] if b"2:141" in data else self._meter.received(data)


def test_meter_that_does_not_hear_the_question_for_its_gas_day_is_read_all_the_same() -> None:
    meter = HardOfHearing(FakeMeter("ek280", serial=SERIAL))
    told = visit(meter, KnownMeter(SERIAL, ReadOrder(frozenset({"archive"}), ("daily",))))
    assert told.outcome is None
    assert told.archive("daily")
    assert GAS_DAY_START not in told.memory
    (absent,) = (value for name, value in told.memory.items() if name.startswith("absent:"))
    assert absent == "2:141"
