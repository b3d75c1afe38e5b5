"""Nothing that was acknowledged is lost when the power fails, at any write and at any sync."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from gateway_server.model import Direction
from gateway_server.store.check import check_store
from gateway_server.store.connection import Connection
from gateway_server.store.secrets import Vault, new_key
from gateway_server.store.sql import SqlStore
from tests.store.power_loss import Disk, ForgetfulDialect, PowerFailedError
from tests.store.samples import NOON, entry, hour, known_session, opened

METER = "41203377"
RUNS = 200


def empty_store(folder: Path) -> bytes:
    """The file of a store that was just made."""
    with opened(folder / "new.db"):
        pass
    with closing(sqlite3.connect(folder / "new.db")) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (folder / "new.db").read_bytes()


def write_until_the_power_fails(disk: Disk, synchronous: str) -> int:
    """Saves row after row with what two sessions logged; gives how many were acknowledged. The inbox is folded now
    and then, and rows of the past come in between."""
    acknowledged = 0
    connection = None
    with suppress(PowerFailedError):
        connection = Connection(ForgetfulDialect(disk, synchronous=synchronous))
        store = SqlStore(connection, Vault(new_key()))
        key, other = known_session(store, METER), known_session(store, "41203378")
        while True:
            with store.connection.transaction("group commit"):
                store.log([(one, NOON + acknowledged, Direction.FROM_METER, b"row") for one in (key, other)])
                store.save(key, METER, [hour(acknowledged)], [entry(acknowledged)])
            acknowledged += 1
            if acknowledged % 5 == 0:
                store.fold()
            if acknowledged % 7 == 0:
                store.save(other, METER, [hour(acknowledged - 3)])
    return acknowledged


def lost_rows(folder: Path, seed: int, new: bytes, synchronous: str = "") -> int:
    """How many acknowledged rows are not there after the power came back; the store must be sound."""
    chance = random.Random(seed)
    disk = Disk(f"forgetful{seed}", {"gateway.db": new}, fails_after=chance.randrange(5, 600), chance=chance)
    acknowledged = write_until_the_power_fails(disk, synchronous)
    assert disk.found is not None
    for path, data in disk.found.items():
        (folder / path).write_bytes(data)
    with opened(folder / "gateway.db") as store:
        assert check_store(store).problems == ()
        stored = {row.row.order_number for row in store.rows()}
        events = {event.order_number for event in store.events()}
        logged = [{entry.at_ms - NOON for entry in store.session_log(session)} for session in (1, 2)]
        assert len(list(store.rows())) == len(stored)
    assert stored >= events
    disk.unregister()
    return len(set(range(acknowledged)) - (stored & events & logged[0] & logged[1]))


def test_power_that_fails_at_any_moment_takes_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    new = empty_store(tmp_path)
    for seed in range(RUNS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        assert lost_rows(folder, seed, new) == 0


def test_the_model_bites_without_a_sync_for_each_commit_rows_are_lost(tmp_path: Path) -> None:
    new = empty_store(tmp_path)
    lost = 0
    for seed in range(10):
        folder = tmp_path / str(seed)
        folder.mkdir()
        lost += lost_rows(folder, seed, new, synchronous="NORMAL")
    assert lost > 0
