from __future__ import annotations

from typing import Any

import pytest

from gateway_server.errors import StoreError, UnknownMeter
from gateway_server.model import Direction, Identify, Outcome, Saved
from gateway_server.store.direct import DirectWriter
from gateway_server.store.open import open_store
from gateway_server.store.records import SessionClosing, SessionKey
from gateway_server.store.sql import SqlStore
from tests.store.samples import NOON, OPENING, entry, hour

METER = "41203377"
READ = SessionClosing(NOON + 9, Outcome.READ, "30 rows", 100, 20, METER, "lis200", "1")


def test_what_is_handed_to_the_direct_writer_is_stored_when_it_returns(store: SqlStore) -> None:
    writer = DirectWriter(store)
    answers: list[object] = []
    key = writer.open_session(OPENING)
    assert key.id
    writer.log(key, NOON, Direction.FROM_METER, b"/Els6EK270\r\n")
    writer.call(lambda store: store.identify(key, Identify(METER), NOON).serial, answers.append)
    writer.save(key, METER, [hour(1)], [entry(1)], answers.append)
    writer.close_session(key, READ, answers.append)
    writer.close_session(writer.open_session(OPENING), READ)
    assert answers == [METER, Saved(new=2), None]
    writer.contact(key, "356895", NOON, lambda told: answers.append(told.serial))  # type: ignore[union-attr]
    assert answers[3:] == ["caller:356895"]
    assert [record.data for record in store.session_log(key.id)] == [b"/Els6EK270\r\n"]
    first, second = store.sessions()
    assert (first.outcome, second.outcome) == (Outcome.READ, Outcome.READ)


def test_the_direct_writer_tells_what_could_not_be_stored(store: SqlStore) -> None:
    writer = DirectWriter(store)
    answers: list[Any] = []
    writer.save(writer.open_session(OPENING), METER, [hour(1, values=())], [], answers.append)
    writer.call(lambda store: store.known_meter("nobody"), answers.append)
    assert [type(answer) for answer in answers] == [StoreError, UnknownMeter]


def test_within_a_transaction_a_direct_writer_joins_it_and_its_failure_ends_it() -> None:
    store = open_store(":memory:")
    writer = DirectWriter(store)
    with store.connection.transaction("import"):
        writer.log(writer.open_session(OPENING), NOON, Direction.FROM_METER, b"kept")
    assert store.session(1) is not None

    def two() -> None:
        with store.connection.transaction("import"):
            writer.open_session(OPENING)
            writer.log(SessionKey(99), NOON, Direction.FROM_METER, b"of no session")

    with pytest.raises(StoreError):
        two()
    assert store.session(2) is None
    store.close()
