"""Importing folders, as far as the command line does not show it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway_server.cli import file_import
from gateway_server.cli.file_import import Import, Verdict, aside_lines
from gateway_server.codec.registry import Registry
from gateway_server.errors import StoreError, StoreFull
from gateway_server.store.open import open_store
from gateway_server.store.records import FileState
from gateway_server.transports.folder import Folder, LeftOut, Why

NOW = 1_700_000_000_000


def put(folder: Path, name: str, data: bytes, written_ms: int) -> None:
    (folder / name).write_bytes(data)
    os.utime(folder / name, ns=(written_ms * 1_000_000, written_ms * 1_000_000))


def nothing(text: str, done: int, total: int) -> None:
    """Nobody watches."""


def test_files_are_taken_in_as_they_were_received_the_oldest_first(tmp_path: Path) -> None:
    put(tmp_path, "new", b"new", NOW - 1000)
    put(tmp_path, "old", b"old", NOW - 2000)
    store = open_store(":memory:")
    shown: list[tuple[str, int, int]] = []
    job = Import(store, None, lambda: NOW)
    taken = list(job.run([Folder(tmp_path)], lambda *one: shown.append(one)))
    assert [(one.file.name, one.verdict) for one in taken] == [("old", Verdict.NEW), ("new", Verdict.NEW)]
    assert [one.received_at_ms for one in store.files()] == [NOW - 2000, NOW - 1000]
    assert [one.started_ms for one in store.sessions()] == [NOW, NOW]
    assert shown[-1] == ("importing: files", 2, 2)
    assert str(job) == "2 files: 2 new; 6 bytes, 2 stored, 0 readings"
    store.close()


def test_portions_are_bounded_by_files_and_by_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        put(tmp_path, str(number), bytes(100), NOW - 1000 + number)
    monkeypatch.setattr(file_import, "_BYTES_TOGETHER", 250)
    store = open_store(":memory:")
    commits: list[str] = []
    store.connection.raw.set_trace_callback(lambda said: commits.append(said) if said == "COMMIT" else None)
    taken = list(Import(store, None, lambda: NOW).run([Folder(tmp_path)], nothing))
    assert len(commits) == 3
    assert [one.verdict for one in taken] == [Verdict.NEW] * 5
    store.close()


def test_a_file_that_cannot_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    put(tmp_path, "bad", b"bad", NOW - 2000)
    put(tmp_path, "good", b"good", NOW - 1000)

    def somebody_removes_it(text: str, done: int, total: int) -> None:
        if (text, done) == ("looking for files", 2):
            (tmp_path / "bad").unlink()

    store = open_store(":memory:")
    job = Import(store, None, lambda: NOW)
    bad, good = job.run([Folder(tmp_path)], somebody_removes_it)
    assert (bad.verdict, bad.trouble, good.verdict) == (Verdict.FAILED, "No such file or directory", Verdict.NEW)
    assert job.failed == 1
    assert [one.name for one in store.files()] == ["good"]
    store.close()


def test_a_full_disk_ends_the_import_and_leaves_nothing_of_its_portion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "one", b"1", NOW - 2000)
    put(tmp_path, "two", b"2", NOW - 1000)
    store = open_store(":memory:")
    logged = store.log
    calls: list[int] = []

    def full(chunks: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise StoreFull("no room")
        logged(chunks)  # type: ignore[arg-type]  # as it was called

    with monkeypatch.context() as patch:
        patch.setattr(store, "log", full)
        with pytest.raises(StoreError, match="no room"):
            list(Import(store, None, lambda: NOW).run([Folder(tmp_path)], nothing))
    assert list(store.files()) == []
    assert list(store.sessions()) == []
    assert len(list(Import(store, None, lambda: NOW).run([Folder(tmp_path)], nothing))) == 2
    assert [one.state for one in store.files()] == [FileState.STORED] * 2
    store.close()


def test_what_a_killed_import_had_taken_in_is_decoded_by_the_next(tmp_path: Path) -> None:
    put(tmp_path, "one", b"1", NOW - 2000)
    put(tmp_path, "two", b"2", NOW - 1000)
    store = open_store(":memory:")
    list(Import(store, None, lambda: NOW).run([Folder(tmp_path)], nothing))  # killed before it decoded anything
    assert [one.state for one in store.files()] == [FileState.STORED] * 2
    job = Import(store, Registry(), lambda: NOW)
    taken = list(job.run([Folder(tmp_path)], nothing))
    assert [(one.verdict, one.decoded) for one in taken] == [(Verdict.KNOWN, True)] * 2
    assert [one.state for one in store.files()] == [FileState.UNKNOWN] * 2
    assert str(job) == "2 files: 0 new, 2 known (2 of them had not been decoded); 0 bytes, 2 unknown, 0 readings"
    job = Import(store, Registry(), lambda: NOW)
    assert not any(one.decoded for one in job.run([Folder(tmp_path)], nothing))
    assert str(job) == "2 files: 0 new, 2 known"
    store.close()


def test_what_is_left_out_is_counted_and_what_is_unreadable_is_named(tmp_path: Path) -> None:
    store = open_store(":memory:")
    job = Import(store, None, lambda: NOW)
    job.left_out.extend(LeftOut(tmp_path / name, Why.NOBODYS) for name in ("a", "b"))
    job.left_out.extend(LeftOut(tmp_path / name, Why.UNREADABLE, "Permission denied") for name in ("c", "d"))
    job.nobodys["ghost"] = 3
    assert list(aside_lines(job)) == [
        f"{tmp_path}/c: cannot be read (Permission denied)",
        f"{tmp_path}/d: cannot be read (Permission denied)",
        f"not taken in, beside the folders of the accounts, so nobody's: 2, as {tmp_path}/a",
        (
            "no meter has the route ftp:ghost (`gateway-server meter add SERIAL --route ftp:ghost`): 3 files do not say"
            " themselves whose they are; with that route `gateway-server file reprocess --login ghost` reads them"
        ),
    ]
    store.close()
