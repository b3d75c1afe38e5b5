"""What a pool makes of modems that a crash left on line."""

from __future__ import annotations

from gateway_server.model import CallResult
from gateway_server.store.records import CallRecord
from tests.transports.office import Office, number_of


def test_modem_left_on_line_by_a_crash_is_brought_back_before_any_command() -> None:
    office = Office(f"left_online={number_of(1)}", with_lines=False, start=False)
    office.wait(20)
    assert office.in_call()
    office.pool.start()
    office.wait(60)
    assert "+++ATH" in office.written()
    assert office.state() == "ready"
    assert not office.modems[0].off_hook
    office.call()
    office.wait(60)
    assert [call.result for call in office.calls()] == [CallResult.OK]


def test_call_whose_modem_is_found_on_line_is_paid_for_until_then() -> None:
    office = Office(f"left_online={number_of(1)}", with_lines=False, start=False)
    office.wait(20)
    began = office.facilities.now_ms() - 300_000
    broken = CallRecord(
        0, "41203377", "m1", number_of(1), began, began, began + 20_000, CallResult.INTERRUPTED, airtime_ms=20_000
    )
    office.store.open_call(broken)
    office.pool.start()
    office.wait(60)
    assert "+++ATH" in office.written()
    assert office.state() == "ready"
    (call,) = office.calls()
    assert call.airtime_ms == 20_000
    assert 300_000 < call.paid_ms < 315_000


def test_modem_that_was_on_hook_adds_nothing_to_a_broken_call() -> None:
    office = Office(with_lines=False, start=False)
    office.wait(20)
    began = office.facilities.now_ms() - 300_000
    broken = CallRecord(
        0, "41203377", "m1", number_of(1), began, began, began + 20_000, CallResult.INTERRUPTED, airtime_ms=20_000
    )
    office.store.open_call(broken)
    office.pool.start()
    office.wait(60)
    assert [call.paid_ms for call in office.calls()] == [20_000]
