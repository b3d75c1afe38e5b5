from __future__ import annotations

from typing import Any

import pytest

from gateway_server.errors import StoreError, UnknownMeter
from gateway_server.model import Direction, Identify, Outcome, Saved
from gateway_server.store.batch import CALL, CLOSE, ITEM_WEIGHT, LOG, OPEN, SAVE, Batch, Item
from gateway_server.store.records import SessionClosing, SessionKey
from gateway_server.store.sql import SqlStore
from tests.store.samples import NOON, OPENING, hour

METER = "41203377"
CLOSING = SessionClosing(NOON, Outcome.READ)


def told(answers: list[tuple[Any, Any]]) -> None:
    for done, answer in answers:
        done(answer)


def whole_session(key: SessionKey, heard: dict[str, Any], row: int = 1) -> list[Item]:
    return [
        (OPEN, (key, OPENING), 1),
        (LOG, (key, NOON, Direction.FROM_METER, b"abc"), 1),
        (SAVE, ((key, METER, [hour(row)], []), lambda saved: heard.update(saved=saved)), 1),
        (CALL, (lambda store: store.meter(METER).state.value, lambda state: heard.update(state=state)), 1),
        (CLOSE, (key, CLOSING, lambda error: heard.update(closed=error)), 1),
    ]


def test_a_whole_session_is_one_transaction(store: SqlStore) -> None:
    key, heard = SessionKey(), dict[str, Any]()
    statements: list[str] = []
    store.connection.raw.set_trace_callback(statements.append)
    told(Batch.of(whole_session(key, heard)).commit(store))
    assert heard == {"saved": Saved(new=1), "state": "unclaimed", "closed": None}
    assert statements.count("COMMIT") == 1
    assert [session.outcome for session in store.sessions()] == [Outcome.READ]


def test_a_batch_that_fails_leaves_nothing_and_its_sessions_unopened(store: SqlStore) -> None:
    key, heard = SessionKey(), dict[str, Any]()
    items = whole_session(key, heard)
    items[2] = (SAVE, ((key, METER, [hour(1, values=("7",))], []), lambda saved: heard.update(saved=saved)), 1)
    batch = Batch.of(items)
    with pytest.raises(StoreError, match="2 columns"):
        batch.commit(store)
    assert key.id == 0
    assert list(store.sessions()) == []
    assert store.meter(METER) is None
    told(batch.refused(StoreError("no")))
    assert {name: str(answer) for name, answer in heard.items()} == {"saved": "no", "state": "no", "closed": "no"}


def test_what_the_database_cannot_take_is_an_error_of_the_store(store: SqlStore) -> None:
    key = SessionKey()
    batch = Batch.of([(OPEN, (key, OPENING), 1), (LOG, (key, 1 << 70, Direction.NOTE, b""), 1)])
    with pytest.raises(StoreError, match="cannot keep: OverflowError"):
        batch.commit(store)


def test_each_thing_of_a_batch_can_be_tried_alone(store: SqlStore) -> None:
    key, heard = SessionKey(), dict[str, Any]()
    parts = Batch.of(whole_session(key, heard)).one_by_one()
    assert [len(part) for part in parts] == [1] * 5
    for part in parts:
        told(part.commit(store))
    assert heard == {"saved": Saved(new=1), "state": "unclaimed", "closed": None}


def test_only_what_nobody_waits_for_is_kept_for_later() -> None:
    key, heard = SessionKey(), dict[str, Any]()
    batch = Batch.of([*whole_session(key, heard), (CLOSE, (key, CLOSING, None), 1)])
    assert batch.unheard() == [
        (OPEN, (key, OPENING), ITEM_WEIGHT),
        (LOG, (key, NOON, Direction.FROM_METER, b"abc"), ITEM_WEIGHT + 3),
        (CLOSE, (key, CLOSING, None), ITEM_WEIGHT),
    ]


def test_work_that_fails_takes_only_itself_back(store: SqlStore) -> None:
    heard: list[Any] = []
    key = store.open_session(OPENING)

    def half(store: SqlStore) -> None:
        store.identify(key, Identify("1"), NOON)
        raise UnknownMeter("on second thought")

    def whole(store: SqlStore) -> str:
        return store.identify(key, Identify("2"), NOON).serial

    told(Batch.of([(CALL, (half, heard.append), 1), (CALL, (whole, heard.append), 1)]).commit(store))
    assert [str(answer) for answer in heard] == ["on second thought", "2"]
    assert [meter.serial for meter in store.meters()] == ["2"]
