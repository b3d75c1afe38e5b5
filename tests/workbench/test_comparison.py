"""What is told today against what is stored; values of the same instant are told apart by where they stand."""

from __future__ import annotations

from gateway_server.model import CURRENT, Column, Identify, Outcome
from gateway_server.store.open import open_store
from gateway_server.store.records import MeterRecord, RowToSave, SessionClosing, SessionOpening
from gateway_server.workbench.comparison import Change, Comparison, SessionReadAgain
from gateway_server.workbench.extents import Extents

AT = 1_709_280_000_000


def live(name: str, value: str, unit: str, start: int) -> RowToSave:
    return RowToSave((Column(name, unit, name=name),), (value,), CURRENT, AT, AT, span_start=start, span_end=start + 20)


def test_unit_that_is_read_otherwise_is_told_of_its_own_value() -> None:
    store = open_store(":memory:")
    store.put_meter(MeterRecord("41"))
    session = store.open_session(SessionOpening("tcp", "192.0.2.7:1", AT, "41", "lis200", "1"))
    store.identify(session, Identify("41"), AT)
    store.save(
        session, "41", [live("C", "13.86", "", 100), live("T", "8.41", "°C", 200), live("p", "13.1", "bar", 300)]
    )
    store.close_session(session, SessionClosing(AT, Outcome.READ, "", 400, 0, "41"))
    result = SessionReadAgain(session.id, codec="lis200", codec_version="2")
    comparison = Comparison(store, [session.id], "41", result, Extents(store))
    comparison.compare([live("C", "13.86", "", 100), live("T", "8.41", "Cel", 200), live("p", "13.1", "bar", 300)], [])
    assert result.changed == 1
    assert result.changes == [Change(CURRENT, AT, None, "T", "8.41 °C", "8.41 Cel")]
