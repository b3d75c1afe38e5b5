"""Importing folders, as far as the command line does not show it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway_server.cli import file_import
from gateway_server.cli.file_import import Import, Verdict
from gateway_server.errors import StoreError, StoreFull
from gateway_server.store.open import open_store
from gateway_server.store.records import FileState
from gateway_server.transports.folder import Folder

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
