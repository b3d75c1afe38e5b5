"""What an upload leaves for the log and the store."""

from __future__ import annotations

from hashlib import sha256
from itertools import count

from gateway_server.model import Direction
from gateway_server.store.records import FileRecord, FileState
from gateway_server.transports.ftp.delivery import Delivery, stored_name
from gateway_server.transports.ftp.paths import text_of


def delivery(path: str = "/day.dat", former: FileRecord | None = None, offset: int = 0) -> Delivery:
    now = count(1000)
    return Delivery("STOR", path, "m1", "41203377", "drop", "10.0.0.1:4000", lambda: next(now), former, offset)


def test_words_and_bytes_stand_in_the_order_of_the_wire() -> None:
    one = delivery()
    one.said("ftp> STOR day.dat")
    one.received(b"ab")
    one.received(b"cd")
    assert one.pending == 4
    one.said("ftp< 226 Stored.")
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
