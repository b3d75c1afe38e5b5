"""The register's entries between SQL and `MeterRecord`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from gateway_server.model import GAS_DAY_START, MeterState
from gateway_server.store.queries import serial_core
from gateway_server.store.records import MeterRecord

METER_COLUMNS = (
    "m.id, m.serial, m.name, m.codec, m.profile, m.meter_group, m.time_zone, m.gas_day_start, m.state, m.manufacturer,"
    " m.model, m.software_version, m.address, m.access_code IS NOT NULL, c.first_ms, c.last_ms, g.value"
    " FROM meter m LEFT JOIN contact c ON c.meter_id = m.id"
    f" LEFT JOIN memory g ON g.meter_id = m.id AND g.name = '{GAS_DAY_START}'"
)

_USUAL_GAS_DAY = "10:00"
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def laid_over(target: MeterRecord, record: MeterRecord, wanted: MeterRecord) -> MeterRecord:
    """What is known of a meter of the register when another record turns out to be the same meter: what was said
    with the claim counts, else what the register had."""
    said = {
        field.name: value
        for field in fields(MeterRecord)
        if (value := getattr(wanted, field.name)) != getattr(record, field.name)
    }
    return replace(target, **said)


def columns_of(meter: MeterRecord) -> dict[str, str]:
    """What is written of an entry; its access code and routes have places of their own."""
    return {
        "serial": meter.serial,
        "serial_core": serial_core(meter.serial),
        "name": meter.name,
        "codec": meter.codec,
        "profile": meter.profile,
        "meter_group": meter.group,
        "time_zone": meter.time_zone,
        "gas_day_start": meter.gas_day_start,
        "state": meter.state.value,
        "manufacturer": meter.manufacturer,
        "model": meter.model,
        "software_version": meter.software_version,
        "address": meter.address,
    }


def meter_record(row: Sequence[Any], routes: tuple[str, ...]) -> MeterRecord:
    """What a row of `METER_COLUMNS` says."""
    return MeterRecord(
        id=row[0],
        serial=row[1],
        name=row[2],
        codec=row[3],
        profile=row[4],
        routes=routes,
        group=row[5],
        time_zone=row[6],
        gas_day_start=row[7],
        state=MeterState(row[8]),
        manufacturer=row[9],
        model=row[10],
        software_version=row[11],
        address=row[12],
        has_access_code=bool(row[13]),
        first_contact_ms=row[14],
        last_contact_ms=row[15],
        gas_day_told=row[16] if row[16] and _TIME_OF_DAY.fullmatch(row[16]) else "",
    )


def gas_day(meter: MeterRecord) -> tuple[str, str]:
    """When a meter's gas day starts (``HH:MM`` by its clock), and whether that is ``configured``, ``said by
    the meter`` or ``assumed``."""
    for start, source in ((meter.gas_day_start, "configured"), (meter.gas_day_told, "said by the meter")):
        if start:
            return start, source
    return _USUAL_GAS_DAY, "assumed"
