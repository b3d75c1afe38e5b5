"""What an operator waits for, out of our store and the barest one: every meter's last reading, a year of one meter."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from time import perf_counter

from benchmarks.anchors.archive import Archive, Row
from benchmarks.figures import Figure
from benchmarks.plugins.push64 import COLUMNS
from gateway_server.model import INTERVAL
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, MeterRecord, RowToSave, SessionOpening
from gateway_server.store.sql import SqlStore

HOURS = 8760
FIRST_MS = 1_735_689_600_000  # 2025-01-01
HOUR_MS = 3_600_000
DAYS_AT_ONCE = 30  # rows come as they do in life: a month of each meter, then the next month
ASKED_OFTEN = 5


def values(meter: int, hour: int) -> tuple[str, str, str, str]:
    """What a meter reported: volumes that grow, pressure, temperature."""
    volume = Decimal(100_000 + meter) + Decimal(hour) * 5 / 4
    return f"{volume:.4f}", f"{volume * 2 / 3:.4f}", f"{4 + hour % 50 / 100:.4f}", f"{10 + hour % 90 / 10:.2f}"


def portions(meters: int) -> Iterator[tuple[int, range]]:
    """A month of each meter, then the next month."""
    for start in range(0, HOURS, 24 * DAYS_AT_ONCE):
        for meter in range(1, meters + 1):
            yield meter, range(start, min(start + 24 * DAYS_AT_ONCE, HOURS))


def bare_rows(meter: int, hours: range) -> list[Row]:
    """Rows for the anchor."""
    return [(meter, FIRST_MS + hour * HOUR_MS, hour, *values(meter, hour), "0") for hour in hours]


def our_rows(meter: int, hours: range) -> list[RowToSave]:
    """The same rows at our store's door."""
    rows = []
    for hour in hours:
        at = FIRST_MS + hour * HOUR_MS
        rows.append(RowToSave(COLUMNS, values(meter, hour), INTERVAL, at, at + 5000, hour, "0"))
    return rows


def filled(folder: Path, meters: int) -> tuple[SqlStore, Archive, list[float], list[float]]:
    """Both stores with the same rows, and how many rows a second each took (rows made beforehand, in turn)."""
    store, archive = open_store(f"sqlite:///{folder}/ours.db"), Archive(folder / "bare.db")
    with store.connection.transaction("register"):
        for meter in range(1, meters + 1):
            store.put_meter(MeterRecord(f"{meter:06d}", name=f"meter {meter}"))
    ours: list[float] = []
    bare: list[float] = []
    for meter, hours in portions(meters):
        mine, others = our_rows(meter, hours), bare_rows(meter, hours)
        began = perf_counter()
        with store.connection.transaction("a session"):
            key = store.open_session(SessionOpening("tcp", "127.0.0.1", FIRST_MS, f"{meter:06d}", "push64", "1"))
            store.save(key, f"{meter:06d}", mine)
        between = perf_counter()
        archive.load(others)
        ours.append(len(hours) / (between - began))
        bare.append(len(hours) / (perf_counter() - between))
    return store, archive, ours, bare


def milliseconds(work: Callable[[], object], times: int) -> float:
    """How long it takes at best of several times: what a warm cache gives."""
    best = float("inf")
    for _ in range(times):
        began = perf_counter()
        work()
        best = min(best, perf_counter() - began)
    return 1000 * best


def measure(place: Path, *, runs: int, meters: int) -> list[Figure]:
    """Fills both once, then asks both in turn, ``runs`` times."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        store, archive, loaded, bare_loaded = filled(Path(folder), meters)
        serial, last_ms = f"{meters // 2:06d}", FIRST_MS + HOURS * HOUR_MS
        year = Filter(serials=(serial,), archives=(INTERVAL,), since_ms=FIRST_MS, until_ms=last_ms)
        raw = store.connection.all
        number = store.meter_id(serial)
        ask: dict[str, Callable[[], list[object]]] = {
            "bare last": lambda: list(archive.last_rows()),
            "bare year": lambda: list(archive.rows(meters // 2, FIRST_MS, last_ms)),
            "sql last": lambda: raw("SELECT * FROM last_row WHERE archive = ? ORDER BY meter_id", (INTERVAL,)),
            "sql year": lambda: raw(
                "SELECT * FROM archive_row WHERE meter_id = ? AND archive = ? AND measured_at_ms BETWEEN ? AND ?"
                " ORDER BY measured_at_ms, order_number, variant",
                (number, INTERVAL, FIRST_MS, last_ms),
            ),
            "our last": lambda: list(store.last_readings(Filter(archives=(INTERVAL,)))),
            "our year": lambda: list(store.rows(year)),
        }
        found: dict[str, list[float]] = defaultdict(list)
        for _ in range(runs):
            for name, work in ask.items():
                found[name].append(milliseconds(work, ASKED_OFTEN))
        expected = {"last": meters, "year": HOURS}
        for name in ("bare last", "sql last", "bare year", "sql year", "our year"):
            assert len(ask[name]()) == expected[name.split()[1]], name
        assert len(ask["our last"]()) == meters * len(COLUMNS)
        store.close()
        archive.connection.close()
        sizes = [(Path(folder) / name).stat().st_size / meters / HOURS for name in ("ours.db", "bare.db")]
    last, all_year, bare = (
        f"last reading of {meters} meters",
        f"a year of one of {meters} meters",
        "bare clustered rows",
    )
    return [
        Figure(
            f"{last}, from the tables",
            "ms",
            found["sql last"],
            bare,
            found["bare last"],
            higher_is_better=False,
            wanted=2,
        ),
        Figure(f"{last}, as typed readings", "ms", found["our last"], bare, found["bare last"], higher_is_better=False),
        Figure(
            f"{all_year}, from the tables",
            "ms",
            found["sql year"],
            bare,
            found["bare year"],
            higher_is_better=False,
            wanted=2,
        ),
        Figure(f"{all_year}, as typed rows", "ms", found["our year"], bare, found["bare year"], higher_is_better=False),
        Figure("rows stored in months", "rows/s", loaded, bare, bare_loaded),
        Figure("on disk", "B/row", (sizes[0],), bare, (sizes[1],), higher_is_better=False),
    ]
