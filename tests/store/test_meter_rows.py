"""The register's entries between SQL and records."""

from __future__ import annotations

from dataclasses import replace

from gateway_server.model import GAS_DAY_START, MeterState
from gateway_server.store.meter_rows import gas_day, laid_over
from gateway_server.store.records import MeterRecord
from gateway_server.store.sql import SqlStore

METER = MeterRecord(
    "0041203377", "Boiler house 4", "lis200", "ek270", ("ftp:m1", "caller:77"), "north/4", "Asia/Yekaterinburg",
    "08:00", MeterState.DISABLED, "Elster", "EK270", "1.1", "7",
)  # fmt: skip


def test_entry_comes_back_as_it_was_written(store: SqlStore) -> None:
    store.put_meter(METER, "s3cret")
    (found,) = store.meters()
    assert found == replace(METER, id=found.id, has_access_code=True)
    (without_zeros,) = store.connection.one("SELECT serial_core FROM meter")
    assert without_zeros == "41203377"


def test_what_was_said_with_a_claim_counts_else_what_the_register_had() -> None:
    caller = MeterRecord("caller:77", state=MeterState.UNCLAIMED)
    known = MeterRecord("41203377", "Boiler house 4", "lis200", group="north")
    claimed = laid_over(known, caller, replace(caller, serial="41203377", group="south", state=MeterState.ACTIVE))
    assert (claimed.name, claimed.codec, claimed.group) == ("Boiler house 4", "lis200", "south")
    assert (claimed.serial, claimed.state) == ("41203377", MeterState.ACTIVE)


def test_gas_day_is_the_operators_else_the_meters_else_the_usual_one(store: SqlStore) -> None:
    def now() -> tuple[str, str]:
        meter = store.meter("41")
        assert meter is not None
        return gas_day(meter)

    store.put_meter(MeterRecord("41"))
    assert now() == ("10:00", "assumed")
    store.remember("41", GAS_DAY_START, "06:00")
    assert now() == ("06:00", "said by the meter")
    store.remember("41", GAS_DAY_START, "26:00")
    assert now() == ("10:00", "assumed")
    store.put_meter(MeterRecord("41", gas_day_start="08:00"))
    assert now() == ("08:00", "configured")
