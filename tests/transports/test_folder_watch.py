"""A folder of another FTP server, watched."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from twisted.internet.task import Clock

from gateway_server.errors import StoreError, StoreFull
from gateway_server.session.plan import Facilities
from gateway_server.session.sweep import Sweep
from gateway_server.store.open import open_store
from gateway_server.store.records import FileState, MeterRecord
from gateway_server.store.sql import SqlStore
from gateway_server.store.store import Store
from gateway_server.store.writer import DirectWriter
from gateway_server.transports.folder import PIECE, Folder
from gateway_server.transports.folder_watch import FolderWatch, Watcher

START_MS = 1_700_000_000_000
T = TypeVar("T")


class Weak:
    """A writer that has no room while ``full``."""

    def __init__(self, store: SqlStore) -> None:
        self._writer = DirectWriter(store)
        self.full = False
        self.open_session = self._writer.open_session
        self.log = self._writer.log
        self.save = self._writer.save
        self.contact = self._writer.contact
        self.close_session = self._writer.close_session

    def call(self, work: Callable[[Store], T], done: Callable[[T | StoreError], None]) -> None:
        if self.full:
            done(StoreFull("no room"))
        else:
            self._writer.call(work, done)

    def call_from_thread(self, work: Callable[[Store], T], done: Callable[[T | StoreError], None]) -> None:
        self.call(work, done)


class Site:
    """A site with its own FTP server, and the gateway watching that server's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.store = open_store(":memory:")
        self.writer = Weak(self.store)
        self.stored: list[int] = []
        self.watcher = self._watcher()

    def _watcher(self) -> Watcher:
        facilities = Facilities(self.writer, self.clock, self.now_ms, Sweep(self.clock))
        watch = FolderWatch("site", Folder(self.path, by_login=True), every=60, rest=10, most_bytes=1 << 20)

        def stored(numbers: Sequence[int]) -> None:
            self.stored.extend(numbers)

        return Watcher(facilities, watch, stored)

    def now_ms(self) -> int:
        return START_MS + int(self.clock.seconds() * 1000)

    def upload(self, name: str, data: bytes, age: float = 3600) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        at_ms = self.now_ms() - int(age * 1000)
        os.utime(path, ns=(at_ms * 1_000_000, at_ms * 1_000_000))

    def wait(self, seconds: float) -> None:
        """Lets time pass; whatever is due happens before and after."""
        self.clock.advance(0)
        self.clock.advance(seconds)

    def turn(self) -> None:
        """One turn of the reactor: what is due now, and not what that makes due."""
        for call in [call for call in self.clock.calls if call.getTime() <= self.clock.seconds()]:
            self.clock.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)

    def restart(self) -> None:
        self.watcher.stop()
        self.watcher = self._watcher()
        self.watcher.start()

    def names(self) -> list[str]:
        return [f"{one.login}/{one.name}" for one in self.store.files()]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.watcher.stop()
    site.store.close()
    assert not site.clock.getDelayedCalls()


def test_what_rests_in_the_folder_is_taken_in_once_and_handed_on(site: Site) -> None:
    site.store.put_meter(MeterRecord("41203377", routes=("ftp:boiler4",)))
    site.upload("boiler4/DAY.TXT", b"1" * (PIECE + 1))
    site.watcher.start()
    site.wait(0)
    (record,) = site.store.files()
    assert (record.state, record.meter, record.size) == (FileState.STORED, "41203377", PIECE + 1)
    assert site.stored == [record.id]
    site.wait(600)
    assert site.names() == ["boiler4/DAY.TXT"]
    assert site.stored == [record.id]


def test_what_comes_later_is_taken_in_when_nobody_has_written_it_for_a_while(site: Site) -> None:
    site.watcher.start()
    site.wait(0)
    site.upload("boiler4/DAY.TXT", b"1", age=-55)
    site.wait(60)
    assert site.names() == []
    site.wait(60)
    assert site.names() == ["boiler4/DAY.TXT"]


def test_the_same_name_with_new_content_is_another_file(site: Site) -> None:
    site.upload("boiler4/DAY.TXT", b"monday")
    site.watcher.start()
    site.wait(0)
    site.upload("boiler4/DAY.TXT", b"tuesday", age=60)
    site.wait(60)
    assert [b"".join(site.store.file_bytes(one.id)) for one in site.store.files()] == [b"monday", b"tuesday"]


def test_after_a_restart_nothing_is_taken_in_twice(site: Site) -> None:
    site.upload("boiler4/DAY.TXT", b"1")
    site.watcher.start()
    site.wait(0)
    site.restart()
    site.wait(600)
    assert site.names() == ["boiler4/DAY.TXT"]
    assert len(site.stored) == 1


def test_a_store_without_room_is_tried_again_and_complained_of_once(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.upload("boiler4/DAY.TXT", b"1")
    site.writer.full = True
    with caplog.at_level(logging.WARNING):
        site.watcher.start()
        site.wait(60)
        site.wait(60)
    assert site.names() == []
    assert [record.getMessage() for record in caplog.records] == [
        f"folder site: {site.path}/boiler4/DAY.TXT was not taken in: no room; it is tried again"
    ]
    site.writer.full = False
    site.wait(60)
    assert site.names() == ["boiler4/DAY.TXT"]


def test_a_file_above_the_limit_is_left_and_said_once(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.store.put_meter(MeterRecord("41203377", routes=("ftp:boiler4",)))
    site.upload("boiler4/BIG", bytes((1 << 20) + 1))
    site.upload("boiler4/DAY.TXT", b"1")
    with caplog.at_level(logging.WARNING):
        site.watcher.start()
        site.wait(60)
        site.wait(60)
    assert site.names() == ["boiler4/DAY.TXT"]
    assert len(caplog.records) == 1
    assert "more than the 1048576 allowed" in caplog.text


def test_an_account_that_no_meter_has_is_said_once(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.upload("ghost/1.TXT", b"1")
    site.upload("ghost/2.TXT", b"2")
    with caplog.at_level(logging.WARNING):
        site.watcher.start()
        site.wait(60)
    assert site.names() == ["ghost/1.TXT", "ghost/2.TXT"]
    (record,) = caplog.records
    assert record.getMessage() == (
        "folder site: no meter has the route ftp:ghost (`gateway-server meter add SERIAL --route ftp:ghost`);"
        " its files wait unless they say whose they are"
    )


def test_a_file_beside_the_folders_of_the_accounts_is_said_once(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.upload("DAY.TXT", b"1")
    site.upload(".hidden", b"1")
    with caplog.at_level(logging.WARNING):
        site.watcher.start()
        site.wait(60)
        site.wait(60)
    assert site.names() == []
    assert [record.getMessage() for record in caplog.records] == [
        f"folder site: {site.path}/DAY.TXT: beside the folders of the accounts, so nobody's"
    ]


def test_a_file_from_the_future_is_taken_in_when_it_has_not_changed_between_two_looks(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.store.put_meter(MeterRecord("41203377", routes=("ftp:boiler4",)))
    with caplog.at_level(logging.WARNING):
        site.watcher.start()
        site.upload("boiler4/DAY.TXT", b"1", age=-86_400)
        site.wait(60)
        assert site.names() == []
        site.upload("boiler4/DAY.TXT", b"12", age=-86_400)  # somebody writes it still
        site.wait(60)
        assert site.names() == []
        site.wait(60)
        site.wait(60)
    (record,) = site.store.files()
    assert (record.state, record.size) == (FileState.STORED, 2)
    assert record.received_at_ms <= site.now_ms()
    assert len(caplog.records) == 1
    assert "DAY.TXT was written in the future" in caplog.text
    site.restart()
    site.wait(60)
    site.wait(60)
    assert site.names() == ["boiler4/DAY.TXT"]


def test_a_folder_that_goes_away_and_comes_back_is_watched_on(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    away = site.path.with_name("away")
    site.path.rename(away)
    with caplog.at_level(logging.WARNING):
        site.watcher.start()
        site.wait(60)
        site.wait(60)
    assert len(caplog.records) == 1
    assert "cannot be read" in caplog.text
    away.rename(site.path)
    site.upload("boiler4/DAY.TXT", b"1")
    site.wait(60)
    assert site.names() == ["boiler4/DAY.TXT"]


def test_a_watcher_that_is_stopped_within_a_file_leaves_it_for_the_next_start(site: Site) -> None:
    site.upload("boiler4/DAY.TXT", b"1" * (4 * PIECE))
    site.watcher.start()
    for _ in range(4):
        site.turn()
    site.watcher.stop()
    site.wait(600)
    assert [one.state for one in site.store.files()] == [FileState.INCOMPLETE]
    site.restart()
    site.wait(0)
    assert sorted(one.state.value for one in site.store.files()) == ["incomplete", "stored"]


def test_others_get_their_turn_between_the_pieces_of_a_file(site: Site) -> None:
    site.upload("boiler4/DAY.TXT", b"1" * (8 * PIECE))
    site.watcher.start()
    turns = 0
    while not site.stored:
        site.turn()
        turns += 1
        assert turns < 100
    assert turns >= 8
