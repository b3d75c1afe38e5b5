"""Files that another FTP server received."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_server.errors import OperatorError, StoreError
from gateway_server.model import Outcome
from gateway_server.store.open import open_store
from gateway_server.store.records import FileRecord, FileState, MeterRecord
from gateway_server.store.sql import SqlStore
from gateway_server.store.writer import DirectWriter
from gateway_server.transports.folder import PIECE, Folder, FolderFile, LeftOut, Why, deliver, known_as

NOW = 1_700_000_000_000
WRITTEN = NOW - 86_400_000


@pytest.fixture
def store() -> Iterator[SqlStore]:
    store = open_store(":memory:")
    yield store
    store.close()


def put(path: Path, data: bytes, written_ms: int = WRITTEN) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, ns=(written_ms * 1_000_000, written_ms * 1_000_000))
    return path


def found(folder: Folder) -> list[FolderFile]:
    return [one for one in folder.files() if isinstance(one, FolderFile)]


def left_out(folder: Folder) -> list[LeftOut]:
    return [one for one in folder.files() if isinstance(one, LeftOut)]


def take_in(store: SqlStore, file: FolderFile, serial: str = "") -> FileRecord:
    answers: list[FileRecord | StoreError] = []
    for _ in deliver(DirectWriter(store), file, serial, "old", lambda: NOW, answers.append):
        pass
    (record,) = answers
    assert isinstance(record, FileRecord)
    return record


def test_files_are_named_by_their_place_below_the_folder(tmp_path: Path) -> None:
    put(tmp_path / "b" / "c" / "3", b"333")
    put(tmp_path / "1", b"1", WRITTEN + 5)
    files = found(Folder(tmp_path, "boiler4"))
    assert [(one.name, one.login, one.size, one.modified_ms) for one in files] == [
        ("1", "boiler4", 1, WRITTEN + 5),
        ("b/c/3", "boiler4", 3, WRITTEN),
    ]


def test_folders_are_accounts_where_they_are_named_so(tmp_path: Path) -> None:
    put(tmp_path / "boiler4" / "2014" / "1", b"1")
    put(tmp_path / "nobody's", b"2")
    (only,) = found(Folder(tmp_path, by_login=True))
    assert (only.login, only.name) == ("boiler4", "2014/1")
    assert [str(one) for one in left_out(Folder(tmp_path, by_login=True))] == [
        f"{tmp_path}/nobody's: beside the folders of the accounts, so nobody's"
    ]


def test_a_single_file_is_in_no_accounts_folder(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"day\.dat is a file, and its folder says nothing of an account; name the"):
        found(Folder(put(tmp_path / "day.dat", b"1"), by_login=True))


def test_a_single_file_is_a_folder_of_one(tmp_path: Path) -> None:
    (only,) = found(Folder(put(tmp_path / "DAY.TXT", b"1")))
    assert only.name == "DAY.TXT"


def test_what_others_have_not_finished_links_and_pipes_are_left_alone(tmp_path: Path) -> None:
    put(tmp_path / "x.part", b"")
    put(tmp_path / ".hidden" / "y", b"")
    put(tmp_path / "z.TMP", b"")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "out").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    assert [one.name for one in found(Folder(tmp_path))] == ["z.TMP"]
    assert [(one.path.name, one.why) for one in left_out(Folder(tmp_path))] == [
        (".hidden", Why.IGNORED),
        ("loop", Why.NO_FILE),
        ("out", Why.NO_FILE),
        ("pipe", Why.NO_FILE),
        ("x.part", Why.IGNORED),
    ]
    assert found(Folder(tmp_path, ignore=("*.TMP", "*.part", ".*"))) == []


def test_a_name_that_is_no_text_keeps_its_bytes(tmp_path: Path, store: SqlStore) -> None:
    raw = "архив".encode("cp1251")
    put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + raw)), b"1")
    (only,) = found(Folder(tmp_path))
    record = take_in(store, only)
    assert record.raw_name == raw
    assert record.name == "\ufffd" * 5
    assert known_as(store, only)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="gone: cannot be read: No such file or directory"):
        found(Folder(tmp_path / "gone"))


def test_a_subfolder_that_is_not_for_us_is_told_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "a" / "1", b"1")
    put(tmp_path / "b" / "2", b"2")
    scandir = os.scandir

    def forbidding(path: Path) -> object:  # root, who runs these tests at times, may read everything
        if path == tmp_path / "a":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidding)
    assert [one.name for one in found(Folder(tmp_path))] == ["b/2"]
    assert [str(one) for one in left_out(Folder(tmp_path))] == [f"{tmp_path}/a: cannot be read (Permission denied)"]


def test_a_file_becomes_a_session_in_which_only_the_meter_speaks(tmp_path: Path, store: SqlStore) -> None:
    store.put_meter(MeterRecord("41203377"))
    data = os.urandom(2 * PIECE + 5)
    (file,) = found(Folder(put(tmp_path / "DAY.BIN", data).parent, "boiler4"))
    record = take_in(store, file, "41203377")
    assert (record.state, record.size, record.sha256) == (
        FileState.STORED, len(data), hashlib.sha256(data).hexdigest(),
    )  # fmt: skip
    assert (record.meter, record.login, record.received_at_ms) == ("41203377", "boiler4", WRITTEN)
    assert b"".join(store.file_bytes(record.id)) == data
    (session,) = store.sessions()
    assert (session.transport, session.remote, session.listener) == ("file", str(file.path), "old")
    assert (session.outcome, session.meter, session.bytes_received) == (Outcome.READ, "41203377", len(data))
    assert (session.started_ms, session.ended_ms) == (NOW, NOW)
    assert file.path.read_bytes() == data


def test_a_file_is_known_by_name_size_and_time_without_being_read(tmp_path: Path, store: SqlStore) -> None:
    path = put(tmp_path / "DAY.TXT", b"1234")
    (file,) = found(Folder(tmp_path))
    assert not known_as(store, file)
    take_in(store, file)
    path.unlink()
    assert known_as(store, file)


def test_files_of_two_meters_that_are_named_sized_and_dated_alike_are_two_files(
    tmp_path: Path, store: SqlStore
) -> None:
    store.put_meter(MeterRecord("1001"))
    store.put_meter(MeterRecord("1002"))
    put(tmp_path / "A" / "day.dat", b"1001;5")
    put(tmp_path / "B" / "day.dat", b"1002;7")
    (one,), (other,) = found(Folder(tmp_path / "A")), found(Folder(tmp_path / "B"))
    assert (one.name, one.size, one.modified_ms) == (other.name, other.size, other.modified_ms)
    take_in(store, one, "1001")
    assert known_as(store, other, "1002") is None
    assert known_as(store, other) is None
    take_in(store, other, "1002")
    assert [b"".join(store.file_bytes(record.id)) for record in store.files()] == [b"1001;5", b"1002;7"]
    assert known_as(store, one, "1001") is not None
    assert known_as(store, other, "1002") is not None


def test_the_same_content_in_the_folders_of_two_meters_is_a_file_of_each(tmp_path: Path, store: SqlStore) -> None:
    store.put_meter(MeterRecord("1001"))
    put(tmp_path / "A" / "day.dat", b"0;0")
    put(tmp_path / "B" / "day.dat", b"0;0")
    (one,), (other,) = found(Folder(tmp_path / "A")), found(Folder(tmp_path / "B"))
    take_in(store, one, "1001")
    assert known_as(store, other, "1002") is None
    assert known_as(store, other, "1001") is not None  # somebody moved the folder
    assert known_as(store, other) is not None
    assert known_as(store, one, "1002") is not None  # this very file is there, whoever has the account by now


def test_a_file_is_the_same_however_its_path_is_written(
    tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path / "A" / "day.dat", b"1")
    monkeypatch.chdir(tmp_path)
    take_in(store, found(Folder(Path("A")))[0])
    (file,) = found(Folder(tmp_path / "A"))
    path.unlink()
    assert known_as(store, file) is not None


def test_a_file_written_in_the_future_was_received_now(tmp_path: Path, store: SqlStore) -> None:
    (file,) = found(Folder(put(tmp_path / "DAY.TXT", b"1", NOW + 86_400_000)))
    assert take_in(store, file).received_at_ms == NOW
    assert known_as(store, file) is not None


def test_a_file_of_another_time_is_known_by_its_content(tmp_path: Path, store: SqlStore) -> None:
    put(tmp_path / "DAY.TXT", b"1234")
    take_in(store, found(Folder(tmp_path))[0])
    put(tmp_path / "DAY.TXT", b"1234", WRITTEN + 99)
    assert known_as(store, found(Folder(tmp_path))[0])
    put(tmp_path / "DAY.TXT", b"1235", WRITTEN + 99)
    assert not known_as(store, found(Folder(tmp_path))[0])
    assert not known_as(store, found(Folder(tmp_path, "boiler4"))[0])


def test_a_file_that_grows_while_it_is_read_is_incomplete_and_taken_in_later(tmp_path: Path, store: SqlStore) -> None:
    path = put(tmp_path / "DAY.TXT", b"12")
    (file,) = found(Folder(tmp_path))
    put(path, b"1234", WRITTEN + 1)
    record = take_in(store, file)
    assert record.state is FileState.INCOMPLETE
    (session,) = store.sessions()
    assert session.outcome is Outcome.PARTIAL
    assert "changed while it was read" in session.detail
    (file,) = found(Folder(tmp_path))
    assert not known_as(store, file)
    assert take_in(store, file).state is FileState.STORED


def test_a_file_that_went_away_leaves_nothing_in_the_store(tmp_path: Path, store: SqlStore) -> None:
    path = put(tmp_path / "DAY.TXT", b"12")
    (file,) = found(Folder(tmp_path))
    path.unlink()
    with pytest.raises(FileNotFoundError):
        take_in(store, file)
    assert list(store.sessions()) == []
