"""Is a stored session what its record says?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway_server.codec.registry import load_codecs
from gateway_server.model import Direction, Identify, Outcome
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, MeterRecord, SessionClosing, SessionKey, SessionOpening
from gateway_server.store.sql import SqlStore
from gateway_server.workbench.reprocess import reprocess
from gateway_server.workbench.verify import verify_session

AT = 1_399_010_400_000
CODECS = load_codecs()
# Sample 8 of lis200_samples.md: the clock of an EK270, as the answer to its request.
REQUEST = b"\x01R1\x021:400.0(1)\x03\x73"
CLOCK = bytes.fromhex("02 31 3A 34 30 30 2E 32 28 32 30 31 38 2D 31 31 2D 30 31 2C 31 30 3A 35 36 3A 30 36 29 03 03")


@pytest.fixture
def store() -> Iterator[SqlStore]:
    """A store with one session that has asked a meter for its clock."""
    store = open_store(":memory:")
    store.put_meter(MeterRecord("41203377"))
    key = store.open_session(SessionOpening("tcp", "10.8.0.17:4001", AT, "41203377", "lis200", "1"))
    store.identify(key, Identify("41203377"), AT)
    store.log([(key, AT + 5, Direction.TO_METER, REQUEST), (key, AT + 300, Direction.FROM_METER, CLOCK)])
    store.close_session(
        key, SessionClosing(AT + 310, Outcome.READ, "", len(CLOCK), len(REQUEST), "41203377", "lis200", "1")
    )
    for _ in reprocess(store, CODECS, Filter()):
        pass
    yield store
    store.close()


def failed(store: SqlStore) -> list[str]:
    record = store.session(1)
    assert record is not None
    return [check.name for check in verify_session(store, record, CODECS.get("lis200")) if not check.ok]


def change(store: SqlStore, statement: str) -> None:
    store.connection.raw.execute(statement)
    store.connection.raw.commit()


def test_session_as_the_gateway_left_it_holds_every_check(store: SqlStore) -> None:
    assert [row.row.values[0] for row in store.rows()]
    assert failed(store) == []


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE session SET bytes_received = 1", "bytes received"),
        ("UPDATE session SET bytes_sent = 1", "bytes sent"),
        ("UPDATE session SET ended_ms = started_ms", "times"),
        ("UPDATE session SET ended_ms = NULL, outcome = NULL", "ended"),
        ("UPDATE archive_row SET span_end = 999", "byte spans"),
        ("UPDATE archive_row SET vals = 'x' || vals", "replay"),
    ],
)
def test_whatever_differs_is_found(store: SqlStore, statement: str, name: str) -> None:
    change(store, statement)
    assert failed(store) == [name]


def test_readings_of_a_codec_that_is_gone_cannot_be_verified(store: SqlStore) -> None:
    record = store.session(1)
    assert record is not None
    assert [check.name for check in verify_session(store, record, None) if not check.ok] == ["replay"]


def test_session_that_was_killed_before_its_log_is_told_as_not_ended(store: SqlStore) -> None:
    key: SessionKey = store.open_session(SessionOpening("tcp", "10.8.0.18:4001", AT))
    record = store.session(key.id)
    assert record is not None
    assert [check.name for check in verify_session(store, record, None) if not check.ok] == ["ended"]
