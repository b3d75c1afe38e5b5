"""Whose an uploaded file is: its account's meter, else the one that its content or its name says."""

from __future__ import annotations

from gateway_server.codec.registry import load_codecs
from gateway_server.model import MeterState
from gateway_server.store.file_records import FileState
from gateway_server.store.sql import SqlStore
from gateway_server.workbench.files import decode_file
from tests.workbench.reports import REPORT, Report
from tests.workbench.uploads import SERIAL, hourly, in_care, registry_of, uploaded

LIS200 = load_codecs()


def test_file_in_a_shared_account_belongs_to_the_meter_it_names(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT)
    assert decode_file(store, registry_of([Report()]), file).meter == SERIAL
    assert store.file(file).meter == SERIAL  # type: ignore[union-attr]
    assert decode_file(store, registry_of([Report()]), file).no_change


def test_meter_nobody_knows_is_registered_and_its_file_waits_for_the_claim(store: SqlStore) -> None:
    file = uploaded(store, "DAY.TXT", REPORT)
    first = decode_file(store, registry_of([Report()]), file)
    assert (first.state, store.file(file).meter) == (FileState.UNKNOWN, SERIAL)  # type: ignore[union-attr]
    assert [(meter.serial, meter.state) for meter in store.meters()] == [(SERIAL, MeterState.UNCLAIMED)]
    assert list(store.readings()) == []
    store.claim(SERIAL)
    assert decode_file(store, registry_of([Report()]), file).new == 3


def test_file_of_another_meter_than_the_accounts_is_not_read(store: SqlStore) -> None:
    in_care(store, "77000001")
    file = uploaded(store, "DAY.TXT", REPORT, login="m1", serial="77000001")
    told = decode_file(store, registry_of([Report()]), file)
    assert told.state is FileState.FAILED
    assert "tells of meter 41203377, but it came for meter 77000001" in told.detail
    assert list(store.readings()) == []


def test_leading_zeros_are_no_other_meter(store: SqlStore) -> None:
    in_care(store, f"00{SERIAL}")
    file = uploaded(store, "DAY.TXT", REPORT, serial=f"00{SERIAL}")
    assert decode_file(store, registry_of([Report()]), file).meter == f"00{SERIAL}"


def test_name_tells_whose_a_file_is_when_its_content_does_not(store: SqlStore) -> None:
    in_care(store)
    in_care(store, "77000001")
    file = uploaded(store, f"/in/EK{SERIAL}202603142105000900.abl", hourly())
    told = decode_file(store, LIS200, file)
    assert (told.meter, told.new, told.state) == (SERIAL, 24, FileState.DECODED)


def test_name_that_fits_no_meter_or_several_is_said(store: SqlStore) -> None:
    file = uploaded(store, f"EK{SERIAL}202603142105000900.abl", hourly())
    assert "its name says 41203377 or EK41203377, which is no meter" in decode_file(store, LIS200, file).detail
    in_care(store, f"EK{SERIAL}")
    in_care(store)
    assert "which is several meters" in decode_file(store, LIS200, file).detail


def test_zeros_in_front_of_a_number_in_the_name_may_be_missing_in_the_register(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, f"00000{SERIAL}202603142105000900.abl", hourly())
    assert decode_file(store, LIS200, file).meter == SERIAL


def test_file_that_says_nothing_of_its_meter_waits_until_somebody_says_it(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DATA.TXT", hourly())
    first = decode_file(store, LIS200, file)
    assert first.state is FileState.UNKNOWN
    assert "does not say of which meter" in first.detail
    assert decode_file(store, LIS200, file, serial=SERIAL).new == 24
    assert "not in the register" in decode_file(store, LIS200, file, serial="5").skipped


def test_meter_that_is_switched_off_gets_no_readings(store: SqlStore) -> None:
    in_care(store)
    store.set_meter_state(SERIAL, MeterState.DISABLED)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    assert "switched off" in decode_file(store, registry_of([Report()]), file).detail
