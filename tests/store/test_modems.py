"""How modems are, for other processes than the one that has them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway_server.store.modems import ModemRecord
from gateway_server.store.sql import SqlStore
from tests.store.samples import NOON

READY = ModemRecord("m1", "ready", NOON, "", "MTS RUS", 18)
OUT = ModemRecord("m2", "out", NOON, "the SIM wants its PIN", next_ms=NOON + 60_000)


def test_modem_is_as_it_was_said_to_be_last(store: SqlStore) -> None:
    store.note_modem(OUT)
    store.note_modem(READY)
    store.note_modem(replace(READY, state="dialling", since_ms=NOON + 1, signal=None))
    assert store.modems() == [replace(READY, state="dialling", since_ms=NOON + 1, signal=None), OUT]


def test_modem_of_a_gateway_that_is_gone_is_how_it_was(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.note_modem(OUT)
    monkeypatch.setattr(store, "_owner", "boot:1:1")
    assert store.modems() == [OUT], "another process sees that we live"
    store.note_modem(OUT)
    monkeypatch.setattr(store, "_owner", "boot:2:2")
    assert store.modems() == [replace(OUT, live=False)]
