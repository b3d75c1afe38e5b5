"""A desk: a folder with a configuration and a store, and the command line called from there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import gateway_server
from gateway_server.cli import call
from gateway_server.cli.invocation import Invocation
from gateway_server.model import Column, Direction, Identify, Outcome
from gateway_server.store.open import open_store
from gateway_server.store.records import (
    EventToSave,
    RowToSave,
    SessionClosing,
    SessionOpening,
)
from gateway_server.store.sql import SqlStore

NOW_MS = 1_399_032_000_000  # 2014-05-02 16:00 in Moscow
SIGN_ON_MS = 1_399_010_400_000

# Samples 1, 4, 8 and 12 of lis200_samples.md as one session: sign-on, the clock, and the gas day's row.
IDENTIFICATION = b"/Els6EK270\r\n"
CLOCK = bytes.fromhex("02 31 3A 34 30 30 2E 32 28 32 30 31 38 2D 31 31 2D 30 31 2C 31 30 3A 35 36 3A 30 36 29 03 03")
ROW = (
    b"\x02(18484)(640)(2014-05-02,10:00:00)(882066.6309)(884266.5191)(67859)(68044)(12.9437)(10.16)(0.97417)"
    b"(13.57199)(7)(14)(0)(0)(0)(0x8103)(CRC Ok)\r\n\x03\x02"
)
TALK: tuple[tuple[int, Direction, bytes], ...] = (
    (0, Direction.NOTE, b"connected to 10.8.0.17:4001"),
    (3, Direction.TO_METER, b"/?!\r\n"),
    (311, Direction.FROM_METER, b"\0\0/Els"),
    (340, Direction.FROM_METER, b"6EK270\r\n"),
    (345, Direction.TO_METER, b"\x06061\r\n"),
    (600, Direction.FROM_METER, bytes.fromhex("01 50 30 02 28 31 32 33 34 35 36 37 29 03 50")),
    (610, Direction.TO_METER, b"\x01R1\x021:400.0(1)\x03\x73"),
    (2000, Direction.FROM_METER, CLOCK),
    (2010, Direction.TO_METER, b"\x01P1\x02(3:00000000)\x03\x68"),
    (2090, Direction.FROM_METER, b"\x06"),
    (2100, Direction.TO_METER, b"\x01R3\x023:V.0(3;2014-05-02,10:00:00;2014-05-02,10:00:00;1)\x03\x19"),
    (2400, Direction.FROM_METER, ROW),
    (2410, Direction.TO_METER, bytes.fromhex("01 42 30 03 71")),
)
ROW_START = 61
ROW_COLUMNS = (
    Column("base volume", "m3", "7-0:13.83.0", "Vb", "2:300", cumulative=True),
    Column("absolute pressure", "bar", "7-0:42.42.0", "p.MP", "7:310"),
)


@dataclass(frozen=True, slots=True)
class Ran:
    """What one call of the program gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document it must be."""
        return json.loads(self.out)


class Desk:
    """Somebody at a terminal in ``folder``, with ``gateway.toml`` in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.set_width(80)

    def set_width(self, columns: int) -> None:
        """Makes the window so wide."""
        self._monkeypatch.setenv("COLUMNS", str(columns))

    def run(self, *arguments: str) -> Ran:
        """Types a command line."""
        self._capsys.readouterr()
        status = call(arguments, Invocation(now_ms=lambda: NOW_MS))
        captured = self._capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    def environment(self) -> dict[str, str]:
        """The environment of a program started from here."""
        return {**os.environ, "PYTHONPATH": str(Path(gateway_server.__file__).parent.parent)}

    @contextmanager
    def store(self) -> Iterator[SqlStore]:
        """The store, to arrange what is in it."""
        store = open_store(f"sqlite:///{self.folder / 'gateway.db'}")
        try:
            yield store
        finally:
            store.close()

    def hold_session(
        self,
        talk: tuple[tuple[int, Direction, bytes], ...] = TALK,
        *,
        serial: str = "41203377",
        outcome: Outcome = Outcome.READ,
        detail: str = "",
        rows: tuple[RowToSave, ...] = (),
        events: tuple[EventToSave, ...] = (),
        transport: str = "tcp",
        started_ms: int = SIGN_ON_MS,
    ) -> int:
        """Puts a session into the store as the gateway does; gives its number."""
        with self.store() as store:
            opening = SessionOpening(transport, "10.8.0.17:4001", started_ms, serial, "lis200", "1")
            key = store.open_session(opening)
            if serial:
                store.identify(key, Identify(serial, "Elster", "EK270", "1.10"), started_ms)
            store.log([(key, started_ms + at, direction, data) for at, direction, data in talk])
            if rows or events:
                store.save(key, serial, rows, events)
            received = sum(len(data) for _, direction, data in talk if direction is Direction.FROM_METER)
            sent = sum(len(data) for _, direction, data in talk if direction is Direction.TO_METER)
            ended_ms = started_ms + max((at for at, _, _ in talk), default=0) + 10
            store.close_session(key, SessionClosing(ended_ms, outcome, detail, received, sent, serial))
            return key.id


def row(
    order_number: int, measured_at_ms: int, *values: str, archive: str = "interval", columns: tuple[Column, ...] = ()
) -> RowToSave:
    """One row of an archive."""
    return RowToSave(
        columns or ROW_COLUMNS[: len(values)],
        values,
        archive,
        measured_at_ms,
        SIGN_ON_MS + 2400,
        order_number,
        status="St.2=7",
        event="0x8103",
        span_start=ROW_START,
        span_end=ROW_START + len(ROW),
    )
