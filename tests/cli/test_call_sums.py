"""What calls come to."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway_server.cli.call_sums import CallSum, say_total, sums
from gateway_server.store.calls import CallTotal
from tests.cli.test_call import BUSY, CALL

PRICE = Decimal("1.80")


def test_minutes_are_begun_call_by_call() -> None:
    (one,) = sums([CALL, CALL, BUSY], PRICE, lambda _: "")
    assert one == CallSum("", 3, 0, 2, 120_002, 140_000, Decimal("7.20"))


def test_call_taken_counts_and_costs_its_caller() -> None:
    (one,) = sums([replace(CALL, inbound=True)], PRICE, lambda _: "")
    assert (one.calls, one.taken, one.airtime_ms, one.cost) == (1, 1, 0, Decimal(0))


def test_sums_stand_in_the_order_of_their_keys() -> None:
    calls = [replace(CALL, modem="m2"), CALL, replace(CALL, modem="m2")]
    assert [(one.key, one.calls) for one in sums(calls, None, lambda call: call.modem)] == [("m1", 1), ("m2", 2)]


def test_total_of_no_calls_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    say_total(CallTotal(), PRICE, "RUB")
    say_total(CallTotal(1), None, "RUB")
    say_total(CallTotal(3, 1, 2, 61_000, 70_000, 2), PRICE, "RUB")
    assert capsys.readouterr().out == (
        "\n1 call, 0 ok, 0.000 s of air time\n\n3 calls (1 taken), 2 ok, 1 min 1 s of air time, 3.60 RUB\n"
    )
