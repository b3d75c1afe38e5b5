"""Calls by a pool of modems, whatever goes wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from gateway_server.errors import OperatorError
from gateway_server.model import CallResult, Outcome, ReadOrder
from gateway_server.store.records import CallRecord, Filter
from gateway_server.testing.air_line import CSD
from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.modem.faults import EVERY_WAY
from gateway_server.transports.calls import CallOrder
from tests.transports.office import FIRST, Office, number_of, pin_file


def test_meter_is_called_read_and_the_call_noted() -> None:
    office = Office()
    assert office.state() == "ready"
    assert office.call() == "m1"
    office.wait(60)
    assert [ending.outcome for ending in office.endings] == [Outcome.READ]
    (call,) = office.calls()
    assert (call.meter, call.modem, call.number, call.result) == (str(FIRST), "m1", number_of(0), CallResult.OK)
    assert call.bearer == "7,0,1"
    assert call.signal == 18
    assert call.connected_ms is not None
    assert call.airtime_ms > 1000
    assert call.bytes > 500
    assert call.session == 1
    assert office.rows() >= 3
    assert office.state() == "ready"
    assert not office.modems[0].off_hook


def test_modem_dialogue_stands_in_the_sessions_log_with_its_number_masked() -> None:
    office = Office()
    office.call()
    office.wait(60)
    said = office.modem_log()
    assert "} ATD********0000" in said
    assert "{ CONNECT 9600" in said
    assert number_of(0) not in " ".join(said)


# What becomes of the call in each way of failing: dossier A.3 says whose fault it is.
RESULTS = {
    "busy": CallResult.BUSY,
    "no_answer": CallResult.NO_ANSWER,
    "refused=57": CallResult.BARRED,
    "refused=8": CallResult.BARRED,
    "refused=41": CallResult.NO_CARRIER,
    "no_handshake=16": CallResult.NO_CARRIER,
    "no_dialtone": CallResult.NO_DIALTONE,
    "error": CallResult.MODEM_FAULT,
    "cme_error=30": CallResult.MODEM_FAULT,
    "answers_ok": CallResult.MODEM_FAULT,
    "delayed": CallResult.DELAYED,
    "silence": CallResult.NO_CARRIER,
    "late_connect_s=120": CallResult.NO_CARRIER,
    "connect_without_speed": CallResult.OK,
    "noise_at_connect": CallResult.OK,
    "no_carrier_in_data=60": CallResult.OK,
    "far_silent": CallResult.SILENT,
    "far_garbled": CallResult.SILENT,
    "lost_after=300": CallResult.LOST,
    "lost_silently_after=300": CallResult.LOST,
    "escape_lost=1": CallResult.OK,
    "hang_up=none": CallResult.OK,
    "hang_up=no-carrier": CallResult.OK,
    "hangs=dialling": CallResult.MODEM_FAULT,
    "hangs=online": CallResult.SILENT,
    "hangs=hang-up": CallResult.OK,
    "unplugged_after=200": CallResult.MODEM_FAULT,
}


@pytest.mark.parametrize("with_lines", [True, False], ids=["with DTR and DCD", "three wires"])
@pytest.mark.parametrize("way", EVERY_WAY)
def test_call_that_fails_is_recorded_and_the_next_meter_called(way: str, *, with_lines: bool) -> None:
    office = Office("mute_s=100", call=(way,), with_lines=with_lines, power_cycle=("relay", "m1"))
    assert office.call() == "m1"
    for _ in range(40):
        office.wait(30)
        if office.state() == "ready" and office.ends:
            break
    assert office.state() == "ready", office.why()
    (end,) = office.ends
    if with_lines or way != "lost_silently_after=300":
        assert end.result is RESULTS[way], end
    assert len(office.endings) == 1
    assert not office.modems[0].off_hook
    assert office.call(1) == "m1"
    office.wait(60)
    assert [call.result for call in office.calls()][1] is CallResult.OK
    assert all(call.ended_ms is not None for call in office.calls())


@pytest.mark.parametrize(
    "oddity",
    [
        "echo_stays",
        "numeric_profile",
        "lf_only",
        "cr_only",
        "rubbish_at_start",
        "no_ok_after_pin",
        "text_after_ok",
        "first_reset_fails",
        "urc_every=2",
        "ring_every=2",
        "reaction_s=0.8",
        "needs_pause_s=0.08",
        "causes=text",
        "connect_suffix=/RLP",
        "sim_busy_s=15",
        "registration=roaming",
        "registration_s=40",
        "bearers=71",
        "no_lines",
        "signal=99",
    ],
)
def test_modem_with_an_oddity_of_its_own_serves_all_the_same(oddity: str) -> None:
    office = Office(oddity)
    office.wait(60)
    assert office.state() == "ready", office.why()
    office.call()
    office.wait(120)
    assert [call.result for call in office.calls()] == [CallResult.OK]
    assert office.state() == "ready"


def test_other_bearer_is_tried_and_remembered_for_this_meter() -> None:
    office = Office(bearers=frozenset({"71"}))
    office.call()
    office.wait(60)
    (call,) = office.calls()
    assert (call.result, call.bearer) == (CallResult.OK, "71,0,1")
    office.call()
    office.wait(60)
    dialled = [line for line in office.written() if line.startswith(("AT+CBST", "ATD"))]
    assert dialled == [
        "AT+CBST=7,0,1",
        f"ATD{number_of(0)}",
        "AT+CBST=71,0,1",
        f"ATD{number_of(0)}",
        f"ATD{number_of(0)}",
    ]


def test_modem_that_has_rested_longest_makes_the_next_call() -> None:
    office = Office(modems=3, meters=4)
    assert [office.call(index) for index in range(4)] == ["m1", "m2", "m3", ""]
    office.wait(60)
    assert office.call(3) == "m1"


def test_modem_can_be_named_avoided_or_chosen_by_its_operator() -> None:
    office = Office(modems=2, meters=1, operator="MTS")
    assert office.call(modem="m2") == "m2"
    assert office.call(modem="m2") == ""
    office.wait(60)
    assert office.call(avoid="m1") == "m2"
    office.wait(60)
    assert office.call(operator="Beeline") == ""
    assert office.call(operator="MTS") == "m1"


@pytest.mark.parametrize("number", ["+7916;H", "79161234567\rATD900", "", "12", "+", "٣٣٣٣٣"])
def test_what_is_no_number_never_reaches_a_modem(number: str) -> None:
    office = Office()
    before = list(office.written())
    with pytest.raises(OperatorError, match="no phone number"):
        office.pool.call(CallOrder(number, office.errand()), office.ends.append)
    office.wait(1)
    assert office.written() == before


def test_wrong_pin_is_tried_once_and_never_again_until_its_file_changes(tmp_path: Path) -> None:
    file = pin_file(tmp_path, "1111")
    office = Office("pin=4321", pin_file=file)
    office.wait(4000)  # it comes back to see whether anything has changed
    assert office.state() == "out"
    assert "not tried again until the file changes" in office.why()
    assert office.modems[0].sim.entered == ["1111"]
    file.write_text("4321 \n")
    office.wait(1000)
    assert office.state() == "ready"
    assert office.modems[0].sim.entered == ["1111", "4321"]
    assert "4321" not in " ".join(office.modem_log())


def test_right_pin_is_given_and_forgotten(tmp_path: Path) -> None:
    office = Office("pin=4321", pin_file=pin_file(tmp_path, "4321"))
    assert office.state() == "ready"
    assert office.store.pin_tried("m1") == ""


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("sim_missing", "no SIM is in it"),
        ("pin=1234", "name a file that holds it in `pin_file`"),
        ("registration=denied", "denied"),
        ("mute", "no modem answers"),
    ],
)
def test_modem_of_no_use_is_out_of_the_pool_with_a_reason_and_tried_again(fault: str, why: str) -> None:
    office = Office(fault)
    office.wait(600)
    assert office.state() in ("out", "finding", "registering", "resetting")
    assert office.call() == ""
    for _ in range(100):
        if office.state() == "out":
            break
        office.wait(10)
    assert why in office.why()


def test_modem_that_hangs_again_and_again_is_taken_out_reported_and_tried_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    office = Office(call=("hangs=dialling",), power_cycle=("relay",))
    made = 0
    for _ in range(1500):
        if office.call():
            made += 1
        office.wait(60)
        if made >= 100:
            break
    assert made >= 100
    assert {call.result for call in office.calls()[:-1]} == {CallResult.MODEM_FAULT}
    assert any("out of service" in record.message for record in caplog.records)
    assert len(office.cycled) >= 3
    assert office.modems[0].power_cycles == len(office.cycled)


def test_meter_that_fails_does_not_count_against_the_modems() -> None:
    office = Office(call=("no_answer",))
    for _ in range(8):
        assert office.call() == "m1"
        office.wait(120)
    assert office.cycled == []
    assert office.written().count("ATZ") == 1


def test_refused_calls_get_the_modem_prepared_anew_then_reset_then_taken_out() -> None:
    office = Office(call=("refused=57",))
    states = []
    for _ in range(300):
        office.call()
        office.wait(5)
        states.append(office.state())
        if states[-1] == "out":
            break
    assert states[-1] == "out"
    assert office.written().count("AT+CFUN=1,1") == 3
    assert office.written().count("ATZ") >= 9


def test_call_that_outlives_its_budget_is_hung_up() -> None:
    office = Office(call=("far_silent",))
    office.call(budget_s=20.0)
    office.wait(60)
    (call,) = office.calls()
    assert call.result is CallResult.OVER_BUDGET
    assert call.airtime_ms == 20_000
    assert not office.modems[0].off_hook


def test_unplugged_modem_needs_no_restart() -> None:
    office = Office()
    office.ports["/dev/m1"].unplug(30)
    assert office.state() == "waiting"
    office.wait(120)
    assert office.state() == "ready"


def test_pool_that_stops_hangs_up_and_leaves_no_modem_off_hook() -> None:
    office = Office(modems=2)
    office.call()
    office.wait(12)
    assert office.in_call()
    stopped: list[object] = []
    Deferred.fromCoroutine(office.pool.stop()).addCallback(stopped.append)
    office.wait(30)
    assert stopped == [None]
    assert not office.in_call()
    assert [call.result for call in office.calls()] == [CallResult.INTERRUPTED]
    assert office.call() == ""


def test_order_that_waits_is_served_when_a_modem_is_ready() -> None:
    office = Office(meters=2)
    office.call()
    gone: list[str] = []
    office.pool.call_when_ready(CallOrder(number_of(1), office.errand(1)), office.ends.append, gone.append, 300.0)
    assert any("waits for a modem" in text for text in office.progress)
    office.wait(120)
    assert [call.result for call in office.calls()] == [CallResult.OK, CallResult.OK]
    assert gone == []


def test_order_that_waits_in_vain_hears_why() -> None:
    office = Office("mute")
    gone: list[str] = []
    office.pool.call_when_ready(CallOrder(number_of(0), office.errand()), office.ends.append, gone.append, 60.0)
    office.wait(70)
    assert len(gone) == 1
    assert "modem m1" in gone[0]


def test_known_meter_is_asked_for_its_rows_in_three_round_trips() -> None:
    office = Office()
    for _ in range(2):
        office.call(order=ReadOrder(frozenset({"archive"}), ("daily",)))
        office.wait(60)
    sent = [entry for entry in office.store.session_log(2) if entry.direction.value == ">"]
    assert [entry.data[:4] for entry in sent] == [b"/?!\r", b"\x06061", b"\x01R3\x02", b"\x01B0\x03"]


def month_of(early: Sequence[str], quirks: Quirks) -> tuple[Office, CallRecord, float]:
    """A month of hourly rows in blocks of ten over a paced line, by a meter met before; and the line's own floor."""
    office = Office(shape=CSD, days=40, quirks=quirks, early_acknowledge=early)
    office.call()
    office.wait(200)
    since, until = datetime(2024, 1, 31, 0, 0), datetime(2024, 2, 29, 23, 0)
    order = ReadOrder(frozenset({"archive"}), ("interval",), since, until)
    layout = ReadOrder(frozenset({"archive"}), ("interval",), until, until)
    for one in (layout, order):
        office.call(order=one)
        office.wait(600)
    call = office.calls()[-1]
    assert call.result is CallResult.OK
    return office, call, 0.6 + call.bytes / 960


def test_month_in_small_blocks_costs_no_round_trip_a_block_where_blocks_are_acknowledged_early() -> None:
    _, usual, _ = month_of((), Quirks(largest_block=10))
    office, call, floor = month_of(("ek270",), Quirks(largest_block=10))
    assert office.rows("interval") == 720
    sign_on_s = 3 * 0.6
    assert call.airtime_ms / 1000 <= 1.03 * (floor + sign_on_s)
    assert usual.airtime_ms / 1000 >= 1.3 * floor


def test_block_damaged_behind_an_early_acknowledgement_loses_no_row() -> None:
    office, call, _ = month_of(("EK270",), Quirks(largest_block=10, bad_bcc_every=50))
    stored = [row.row.order_number or 0 for row in office.store.rows(Filter(archives=("interval",)))]
    assert len(stored) == 720
    assert sorted(stored) == list(range(min(stored), min(stored) + 720))
    sent = [entry.data for entry in office.store.session_log(call.session) if entry.direction.value == ">"]
    assert b"\x15" not in sent
    assert sum(data.startswith(b"\x01R3") for data in sent) > 1


def test_block_that_begins_is_on_record_before_it_is_acknowledged() -> None:
    office, call, _ = month_of(("EK270",), Quirks(largest_block=10))
    log = [(entry.direction.value, entry.data) for entry in office.store.session_log(call.session)]
    first, second = [at for at, entry in enumerate(log) if entry == (">", b"\x06")][:2]
    heard = b"".join(data for direction, data in log[first:second] if direction == "<")
    assert heard.startswith(b"\x02(")
    assert b"\x04" not in heard


def test_call_without_a_valid_frame_is_hung_up_before_its_budget_is_spent() -> None:
    office = Office(call=("far_silent",), frame_limit=12.0)
    office.call()
    office.wait(120)
    (call,) = office.calls()
    assert call.result is CallResult.SILENT
    assert "hung up" in call.detail
    assert 12_000 <= call.airtime_ms <= 13_000
    assert office.state() == "ready"
