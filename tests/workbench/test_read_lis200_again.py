"""Live sessions with simulated correctors, read again from their own log: nothing may differ."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

import pytest
from twisted.internet.task import Clock

from gateway_server.codec.registry import load_codecs
from gateway_server.model import KnownMeter, MeterState, ReadOrder
from gateway_server.session.plan import Facilities, Plan
from gateway_server.session.session import Session
from gateway_server.session.sweep import Sweep
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, MeterRecord, SessionOpening
from gateway_server.store.sql import SqlStore
from gateway_server.store.writer import DirectWriter
from gateway_server.testing.fake_line import FakeLine
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.quirks import Quirks, from_options
from gateway_server.testing.meter_lines import MeterClock, MeterOnLine
from gateway_server.workbench.reprocess import reprocess
from tests.session.conversations import Heard

NOW = datetime(2024, 4, 3, 12, 5)
NOW_MS = 1_712_145_900_000  # 2024-04-03T12:05:00Z
ALL = Filter()
MINUTES = 90

# What ends the session before anything is read, or hides the meter from one who does not know it.
NOT_ALONE = {"never_answers", "other_serial", "bus_address", "seven_e1", "asleep"}


class MeterLine(FakeLine):
    """A line with a simulated meter at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.end: MeterOnLine | None = None

    def write(self, data: bytes) -> None:
        if self.end is not None and not self.closed:
            self.end.received(data)


def visit(store: SqlStore, meter: FakeMeter, order: ReadOrder, *, speed: float = 0.0) -> Heard:
    """One session with the meter, in its own time."""
    clock, line, heard = Clock(), MeterLine(), Heard()
    facilities = Facilities(DirectWriter(store), clock, lambda: NOW_MS + int(clock.seconds() * 1000), Sweep(clock))
    session = Session(line, facilities, heard, SessionOpening("tcp", line.remote, NOW_MS))
    line.end = MeterOnLine(
        meter, clock, MeterClock(clock, NOW), session.received, lambda: session.line_lost("hung up"), speed
    )
    known: KnownMeter | None = store.known_meter(meter.serial) if store.meter(meter.serial) else None
    session.begin(
        Plan((load_codecs().get("lis200"),), order=order, serial=known.serial if known else "", expected=known)
    )
    for _ in range(MINUTES * 600):
        if session.over:
            return heard
        clock.advance(0.1)
    raise AssertionError(f"the session is not over after {MINUTES} minutes: {meter.quirks}")


def switched_on(name: str) -> Quirks:
    default = getattr(Quirks(), name)
    return from_options([name if isinstance(default, bool) else f"{name}={109 if name == 'error_in_read' else 3}"])


@pytest.fixture
def store() -> SqlStore:
    store = open_store(":memory:")
    store.put_meter(MeterRecord("41203377", time_zone="Europe/Moscow", codec="lis200"))
    return store


def read_again_is_no_change(store: SqlStore) -> None:
    codecs = load_codecs()
    for dry_run in (True, False):
        for result in reprocess(store, codecs, ALL, dry_run=dry_run):
            assert not result.skipped
            assert result.no_change, (result, [note.data for note in store.session_log(result.session)][-5:])


@pytest.mark.parametrize("model", ["ek260", "ek270", "ek280", "tc215", "tc220"])
def test_corrector_of_every_model_read_again_is_no_change(store: SqlStore, model: str) -> None:
    heard = visit(store, FakeMeter(model, now=NOW, days=3), ReadOrder(), speed=960)
    assert heard.endings[0].stored > 20, heard.endings
    read_again_is_no_change(store)


@pytest.mark.parametrize("quirk", [field.name for field in fields(Quirks) if field.name not in NOT_ALONE])
def test_corrector_with_a_quirk_read_again_is_no_change(store: SqlStore, quirk: str) -> None:
    meter = FakeMeter("ek270", quirks=switched_on(quirk), now=NOW, days=3)
    visit(store, meter, ReadOrder())
    read_again_is_no_change(store)


def test_second_session_with_remembered_layouts_read_again_is_no_change(store: SqlStore) -> None:
    visit(store, FakeMeter("ek270", now=NOW, days=2), ReadOrder())
    visit(store, FakeMeter("ek270", now=NOW, days=3), ReadOrder())
    read_again_is_no_change(store)


def test_kept_bytes_of_an_unclaimed_corrector_become_its_readings() -> None:
    claimed, unclaimed = open_store(":memory:"), open_store(":memory:")
    claimed.put_meter(MeterRecord("41203377", codec="lis200"))
    for store in (claimed, unclaimed):
        visit(store, FakeMeter("ek270", now=NOW, days=2), ReadOrder())
    assert list(unclaimed.rows(ALL)) == []
    record = unclaimed.meter("41203377")
    assert record is not None
    assert record.state is MeterState.UNCLAIMED
    unclaimed.claim("41203377", record)
    (result,) = reprocess(unclaimed, load_codecs(), ALL)
    assert result.new > 0

    def live(store: SqlStore) -> dict[str, str]:
        # The clock and what follows from it differ, because the two sessions took different time.
        return {
            one.name: one.value for one in store.readings(Filter(archives=("current",))) if "lock" not in one.quantity
        }

    assert live(unclaimed) == live(claimed)
    assert {"Vb", "VbT", "Vm"} & set(live(unclaimed))
    assert all(one.session == result.session for one in unclaimed.rows(ALL))
    assert [one.no_change for one in reprocess(unclaimed, load_codecs(), ALL, dry_run=True)] == [True]
