"""What of the register's entry a caller is known by."""

from __future__ import annotations

from gateway_server.model import MeterState
from gateway_server.store.callers import KnownCaller
from gateway_server.store.records import MeterRecord


def test_caller_is_known_by_what_it_takes_to_speak_with_it() -> None:
    meter = MeterRecord("41", name="Boiler house", profile="ek270", state=MeterState.DISABLED)
    assert KnownCaller.of(meter) == ("41", "", "ek270", MeterState.DISABLED)
