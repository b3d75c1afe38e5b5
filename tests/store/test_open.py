from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway_server.errors import GatewayError, OperatorError, StoreBroken, StoreError, StoreFull
from gateway_server.model import Outcome
from gateway_server.store.open import open_store, store_path
from gateway_server.store.records import MeterRecord
from gateway_server.store.sessions import KILLED
from tests.store.samples import OPENING, opened


def test_the_first_start_makes_the_store_and_its_key(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    with opened(path) as store:
        assert store.meters() == []
    key = tmp_path / "gateway.db.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with opened(path):
        pass


def test_what_was_stored_is_there_at_the_next_start(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as store:
        store.put_meter(MeterRecord("1"), "87654321")
    with opened(tmp_path / "gateway.db") as store:
        assert store.known_meter("1").access_code == "87654321"


def test_a_store_survives_power_loss_and_refuses_what_refers_to_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as store:
        said = {
            name: store.connection.one(f"PRAGMA {name}")[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert said == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_another_key_is_noticed_before_it_is_used(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db") as store:
        store.put_meter(MeterRecord("1"), "87654321")
    with opened(tmp_path / "other.db"):
        pass
    with pytest.raises(OperatorError, match="not the key this store's access codes were encrypted with"):
        open_store(f"sqlite:///{tmp_path}/gateway.db", tmp_path / "other.db.key")


def test_a_lost_key_is_asked_for_while_access_codes_need_it_and_made_anew_if_not(tmp_path: Path) -> None:
    key = tmp_path / "gateway.db.key"
    with opened(tmp_path / "gateway.db") as store:
        store.put_meter(MeterRecord("1"))
    key.unlink()
    with opened(tmp_path / "gateway.db") as store:
        store.put_meter(MeterRecord("1"), "87654321")
    key.unlink()
    with pytest.raises(OperatorError, match="restore it"):
        open_store(f"sqlite:///{tmp_path}/gateway.db")


def test_a_key_file_others_may_read_stops_the_start(tmp_path: Path) -> None:
    with opened(tmp_path / "gateway.db"):
        pass
    (tmp_path / "gateway.db.key").chmod(0o644)
    with pytest.raises(OperatorError, match="chmod 600"):
        open_store(f"sqlite:///{tmp_path}/gateway.db")


@pytest.mark.parametrize("url", ["postgresql://db/gateway", "gateway.db", "sqlite://gateway.db", "sqlite:///", ""])
def test_a_place_we_cannot_keep_a_store_in_is_named(url: str) -> None:
    with pytest.raises(OperatorError, match="sqlite:///PATH"):
        open_store(url)


def test_paths_are_relative_or_absolute_as_written() -> None:
    assert store_path("sqlite:///gateway.db") == Path("gateway.db")
    assert store_path("sqlite:////var/lib/gateway.db") == Path("/var/lib/gateway.db")
    assert store_path(":memory:") is store_path("sqlite:///:memory:") is None


def test_a_store_that_should_be_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="there is none"):
        open_store(f"sqlite:///{tmp_path}/gateway.db", create=False)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OperatorError, match=r"folder .* is missing"):
        open_store(f"sqlite:///{tmp_path}/no/gateway.db")
    with pytest.raises(OperatorError, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path}")


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear gas company, " * 100)
    with pytest.raises(OperatorError, match="not a database"):
        open_store(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear gas company")


def test_a_store_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    with opened(path):
        pass
    with closing(sqlite3.connect(path)) as newer, newer:
        newer.execute("UPDATE _sqlite_migrations SET name = 'the_web' WHERE name = 'files'")
    with pytest.raises(OperatorError, match=r"newer program \(schema step 'the_web'\); update this one"):
        open_store(f"sqlite:///{path}")


def test_sessions_of_a_process_that_is_gone_are_ended_and_those_of_a_living_one_stay(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    with opened(path) as gateway:
        gateway.open_session(OPENING)
        gateway.open_session(OPENING)
        gateway.connection.execute("UPDATE session SET owner = 'another boot:1:1' WHERE id = 1")
        with opened(path) as command_line:
            ended = {session.id: session.detail for session in command_line.sessions() if session.outcome}
            assert ended == {1: KILLED}
            first = command_line.session(1)
            assert first is not None
            assert first.outcome is Outcome.GATEWAY_FAULT


def test_database_of_another_program_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE meter (a)")
        theirs.commit()
    with pytest.raises(OperatorError, match="another program"):
        open_store(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as theirs:
        assert theirs.execute("SELECT name FROM sqlite_master").fetchall() == [("meter",)]


def test_place_that_may_not_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path / "gateway.db"):
        pass
    monkeypatch.setattr(os, "access", lambda place, mode: place != tmp_path)  # root may write everywhere
    with pytest.raises(OperatorError, match=f"{tmp_path} may not be written to"):
        open_store(f"sqlite:///{tmp_path / 'gateway.db'}")


def test_a_store_for_which_there_is_no_room_is_not_called_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite calls a full disk an input/output error when it is its shared memory that does not fit."""

    def fails(error: StoreError, free: int) -> type[Exception]:
        def migrate(connection: object) -> None:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr("gateway_server.store.open.migrate", migrate)
            patched.setattr("gateway_server.store.open.shutil.disk_usage", lambda _: Usage(1 << 30, 0, free))
            with pytest.raises(GatewayError) as raised:
                open_store(f"sqlite:///{tmp_path}/gateway.db")
        assert "gateway.db" in str(raised.value)
        return type(raised.value)

    assert fails(StoreFull("full"), 1 << 30) is StoreFull
    assert fails(StoreBroken("disk I/O error"), 4096) is StoreFull
    assert fails(StoreBroken("disk I/O error"), 1 << 30) is OperatorError


class Usage(NamedTuple):
    """As `shutil.disk_usage` gives it."""

    total: int
    used: int
    free: int
