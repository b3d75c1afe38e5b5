"""What an upload leaves for the log and the store."""

from __future__ import annotations

from hashlib import sha256
from itertools import count

from gateway_server.model import Direction
from gateway_server.store.records import FileRecord, FileState
from gateway_server.transports.ftp.delivery import TOGETHER_MS, Delivery, notes, stored_name
from gateway_server.transports.ftp.paths import text_of


def delivery(path: str = "/day.dat", former: FileRecord | None = None, offset: int = 0) -> Delivery:
    now = count(1000)
    return Delivery("STOR", path, "m1", "41203377", "drop", "10.0.0.1:4000", lambda: next(now), former, offset)


def test_words_and_bytes_stand_in_the_order_of_the_wire() -> None:
    one = delivery()
    one.remark("ftp> STOR day.dat")
    one.received(b"ab")
    one.received(b"cd")
    assert one.pending == 4
    one.remark("ftp< 226 Stored.")
    one.received(b"e")
    assert [(direction, data) for _, direction, data in one.take()] == [
        (Direction.NOTE, b"ftp> STOR day.dat"),
        (Direction.FROM_METER, b"abcd"),
        (Direction.NOTE, b"ftp< 226 Stored."),
        (Direction.FROM_METER, b"e"),
    ]
    assert one.take() == []
    assert one.pending == 0
    assert (one.size, one.sha256) == (5, sha256(b"abcde").hexdigest())


def test_lines_that_wait_for_something_keep_their_times() -> None:
    lines = [(0, "a"), (TOGETHER_MS - 1, "b"), (TOGETHER_MS, "c"), (9000, "d"), (8999, "e")]
    assert notes(lines) == [
        (0, Direction.NOTE, b"a\nb"), (TOGETHER_MS, Direction.NOTE, b"c"), (9000, Direction.NOTE, b"d"),
        (8999, Direction.NOTE, b"e"),
    ]  # fmt: skip
    assert notes([]) == []


def test_session_of_an_upload_begins_with_what_was_said_before_it() -> None:
    one = delivery()
    one.said([(400, "ftp< 220 ready"), (700, "ftp> STOR day.dat")])
    assert one.opening().started_ms == 400


def test_store_is_told_who_uploads_what_and_what_it_goes_on_with() -> None:
    former = FileRecord(7, "41203377", "m1", "day.dat", 100, "", 0, FileState.INCOMPLETE)
    opening = delivery(former=former, offset=60).opening()
    assert (opening.transport, opening.remote, opening.caller) == ("ftp", "10.0.0.1:4000", "m1")
    assert (opening.serial, opening.listener, opening.started_ms) == ("41203377", "drop", 1000)
    assert opening.upload is not None
    assert (opening.upload.name, opening.upload.continues, opening.upload.offset) == ("day.dat", 7, 60)
    assert delivery(former=former, offset=60).whole_size == 60


def test_name_that_is_not_utf8_keeps_its_bytes() -> None:
    raw = "a/сутки.dat".encode("cp1251")
    assert stored_name("/" + text_of(raw)) == ("a/сутки.dat", raw)
    assert stored_name("/a/сутки.dat") == ("a/сутки.dat", b"")
