"""Stored files are decoded one after the other, whatever happens to one of them."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from twisted.internet.task import Clock

from gateway_server.codec.registry import Registry
from gateway_server.errors import StoreError
from gateway_server.model import Direction, Outcome
from gateway_server.scheduler import decoding as under_test
from gateway_server.scheduler.decoding import Decoding
from gateway_server.session.plan import Facilities
from gateway_server.session.sweep import Sweep
from gateway_server.store.open import open_store
from gateway_server.store.records import (
    FileState,
    Filter,
    MeterRecord,
    SessionClosing,
    SessionOpening,
    Upload,
    UploadEnd,
)
from gateway_server.store.sql import SqlStore
from gateway_server.store.writer import DirectWriter
from gateway_server.workbench.containers import DEFAULT_LIMITS, ContainerLimits

NOW_MS = 1_790_000_000_000


class Desk:
    """A store with files, and a decoder whose thread hands over to here."""

    def __init__(self, folder: Path, limits: ContainerLimits = DEFAULT_LIMITS) -> None:
        self.calls: SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]]] = SimpleQueue()
        self.store: SqlStore = open_store(f"sqlite:///{folder / 'g.db'}")
        self.store.put_meter(MeterRecord("1", routes=("ftp:m1",)))
        self.clock = Clock()
        facilities = Facilities(DirectWriter(self.store), self.clock, lambda: NOW_MS, Sweep(self.clock))
        self.decoding = Decoding(self, facilities, Registry(), limits=limits)

    def callFromThread(self, f: Callable[..., Any], /, *args: Any) -> None:
        self.calls.put((f, args))

    def turn(self) -> None:
        """What the thread has for us, and the rest after it."""
        f, args = self.calls.get(timeout=10)
        f(*args)
        self.clock.advance(1000)

    def upload(self, name: str, content: bytes = b"?") -> int:
        upload = Upload(name)
        key = self.store.open_session(
            SessionOpening("ftp", "10.0.0.1:4", NOW_MS, serial="1", caller="m1", upload=upload)
        )
        content += name.encode()
        self.store.log([(key, NOW_MS, Direction.FROM_METER, content)])
        end = UploadEnd(True, len(content), sha256(content).hexdigest())
        return self.store.finish_upload(key, end, SessionClosing(NOW_MS, Outcome.READ, serial="1")).id

    def states(self) -> list[FileState]:
        return [file.state for file in self.store.files(Filter())]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_file_that_nobody_can_read_becomes_unknown(desk: Desk) -> None:
    desk.decoding.start()
    desk.decoding.add([desk.upload("a")])
    desk.turn()
    assert desk.states() == [FileState.UNKNOWN]
    desk.decoding.stop()


def test_files_left_by_the_last_run_are_found_at_the_start(desk: Desk) -> None:
    for name in "abc":
        desk.upload(name)
    desk.decoding.start()
    for _ in range(3):
        desk.turn()
    assert desk.states() == [FileState.UNKNOWN] * 3
    desk.decoding.stop()


def test_files_that_do_not_fit_into_memory_wait_in_the_store(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "MOST_REMEMBERED", 2)
    desk.decoding.start()
    desk.decoding.add([desk.upload(name) for name in "abcde"])
    for _ in range(5):
        desk.turn()
    assert desk.states() == [FileState.UNKNOWN] * 5
    desk.decoding.stop()


def test_codec_that_fails_costs_only_the_file_it_failed_over(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def examine(registry: Registry, waiting: Any) -> Any:
        raise RuntimeError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr(under_test, "examine", examine)
        desk.decoding.start()
        desk.decoding.add([desk.upload("a")])
        desk.turn()
    (file,) = desk.store.files(Filter())
    assert file.state is FileState.FAILED
    assert "RuntimeError: a defect" in file.detail
    desk.decoding.add([desk.upload("b")])
    desk.turn()
    assert desk.states() == [FileState.FAILED, FileState.UNKNOWN]
    desk.decoding.stop()


def test_file_too_large_to_be_decoded_is_a_warning_that_says_what_to_do(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(tmp_path, ContainerLimits(size=10))
    desk.decoding.start()
    number = desk.upload("a", bytes(10))
    desk.decoding.add([number])
    desk.turn()
    desk.decoding.stop()
    assert desk.states() == [FileState.FAILED]
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert f"raise `largest_decoded_mb` of [limits], then `gateway-server file reprocess {number}`" in caplog.text


def test_file_waits_while_the_store_fails(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    number = desk.upload("a")
    with monkeypatch.context() as patch:

        def fails(*_: object, **__: object) -> None:
            raise StoreError("locked")

        patch.setattr(SqlStore, "files", fails)
        desk.decoding.start()
    assert desk.states() == [FileState.STORED]
    desk.clock.advance(61)
    desk.turn()
    assert desk.states() == [FileState.UNKNOWN]
    assert number == 1
    desk.decoding.stop()


def test_file_that_is_decoded_or_grown_meanwhile_is_left_alone(desk: Desk) -> None:
    desk.decoding.start()
    number = desk.upload("a")
    desk.store.set_file_state(number, FileState.DECODED)
    desk.decoding.add([number, 999])
    desk.clock.advance(1000)
    desk.decoding.add([desk.upload("b")])
    desk.turn()
    assert desk.states() == [FileState.DECODED, FileState.UNKNOWN]
    desk.decoding.stop()


def test_file_that_gets_another_name_while_it_is_read_is_decoded_by_that(desk: Desk) -> None:
    desk.decoding.start()
    number = desk.upload("tmp.1")
    desk.decoding.add([number])
    desk.store.rename_file(number, "day.dat", b"", NOW_MS)
    desk.turn()
    assert desk.states() == [FileState.STORED]
    desk.decoding.add([number])
    desk.turn()
    assert desk.states() == [FileState.UNKNOWN]
    desk.decoding.stop()


def test_nothing_is_begun_after_the_end(desk: Desk) -> None:
    desk.decoding.start()
    desk.decoding.stop()
    desk.decoding.add([desk.upload("a")])
    desk.clock.advance(1000)
    assert desk.states() == [FileState.STORED]


@pytest.mark.parametrize(("files", "quiet", "rest"), [(2, 0.0, 9.0), (50, 0.0, 49.0), (2, 5.0, 0.5), (50, 5.0, 0.5)])
def test_uploads_that_go_on_get_most_of_the_disk(desk: Desk, files: int, quiet: float, rest: float) -> None:
    desk.decoding.start()
    desk.decoding.add([desk.upload(str(number)) for number in range(files)])
    f, args = desk.calls.get(timeout=10)
    desk.clock.advance(quiet + 1)  # how long the first took
    f(*args)
    wait = rest * (quiet + 1)
    desk.clock.advance(wait - 0.1)
    assert desk.calls.empty()
    desk.clock.advance(0.2)
    desk.turn()
    assert desk.states()[:3] == [FileState.UNKNOWN, FileState.UNKNOWN, FileState.STORED][:files]
    desk.decoding.stop()
