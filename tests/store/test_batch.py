from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway_server.errors import StoreError, UnknownMeter
from gateway_server.model import Direction, Identify, Outcome, Saved
from gateway_server.store.batch import ITEM_WEIGHT, Batch, Pending
from gateway_server.store.callers import CallerContact, KnownCaller
from gateway_server.store.records import MeterRecord, RowToSave, SessionClosing, SessionKey
from gateway_server.store.sql import SqlStore
from tests.store.samples import NOON, OPENING, hour

METER = "41203377"
CLOSING = SessionClosing(NOON, Outcome.READ)


def told(answers: list[tuple[Any, Any]]) -> None:
    for done, answer in answers:
        done(answer)


def whole_session(key: SessionKey, heard: dict[str, Any], row: RowToSave | None = None) -> Batch:
    return Batch(
        openings=[(key, OPENING)],
        log=[(key, NOON, Direction.FROM_METER, b"abc")],
        saves=[(key, METER, [row or hour(1)], [])],
        saved=[lambda saved: heard.update(saved=saved)],
        calls=[(lambda store: store.meter(METER).state.value, lambda state: heard.update(state=state))],  # type: ignore[union-attr]  # it is there
        closings=[(key, CLOSING, lambda error: heard.update(closed=error))],
    )


def test_a_whole_session_is_one_transaction(store: SqlStore) -> None:
    key, heard = SessionKey(), dict[str, Any]()
    statements: list[str] = []
    store.connection.raw.set_trace_callback(statements.append)
    told(whole_session(key, heard).commit(store))
    assert heard == {"saved": Saved(new=1), "state": "unclaimed", "closed": None}
    assert statements.count("COMMIT") == 1
    assert [session.outcome for session in store.sessions()] == [Outcome.READ]


def test_a_caller_that_says_its_name_at_once_is_written_into_its_session_as_that_begins(store: SqlStore) -> None:
    store.put_meter(MeterRecord(METER, routes=("caller:356895",)))
    before, new = store.open_session(OPENING), SessionKey()
    heard: list[KnownCaller] = []
    statements: list[str] = []
    store.connection.raw.set_trace_callback(statements.append)
    calls = [CallerContact(key, "356895", NOON) for key in (before, new)]
    told(Batch(openings=[(new, OPENING)], contacts=calls, contacted=[heard.append] * 2).commit(store))
    store.connection.raw.set_trace_callback(None)
    assert [meter.serial for meter in heard] == [METER] * 2
    sessions = {session.id: (session.meter, session.caller) for session in store.sessions()}
    assert sessions == {before.id: (METER, "356895"), new.id: (METER, "356895")}
    (changed,) = [said for said in statements if said.startswith("UPDATE session")]
    assert f"({before.id}, " in changed
    assert f"({new.id}, " not in changed


def test_a_batch_that_fails_leaves_nothing_and_its_sessions_unopened(store: SqlStore) -> None:
    key, heard = SessionKey(), dict[str, Any]()
    batch = whole_session(key, heard, hour(1, values=("7",)))
    with pytest.raises(StoreError, match="2 columns"):
        batch.commit(store)
    assert key.id == 0
    assert list(store.sessions()) == []
    assert store.meter(METER) is None
    told(batch.refused(StoreError("no")))
    assert {name: str(answer) for name, answer in heard.items()} == {"saved": "no", "state": "no", "closed": "no"}


def test_what_the_database_cannot_take_is_an_error_of_the_store(store: SqlStore) -> None:
    key = SessionKey()
    batch = Batch(openings=[(key, OPENING)], log=[(key, 1 << 70, Direction.NOTE, b"")])
    with pytest.raises(StoreError, match="cannot keep: OverflowError"):
        batch.commit(store)


def test_each_thing_of_a_batch_can_be_tried_alone(store: SqlStore) -> None:
    key, heard = SessionKey(), dict[str, Any]()
    parts = whole_session(key, heard).one_by_one()
    assert [len(part) for part in parts] == [1] * 5
    for part in parts:
        told(part.commit(store))
    assert heard == {"saved": Saved(new=1), "state": "unclaimed", "closed": None}


def test_only_what_nobody_waits_for_is_kept_for_later() -> None:
    key, heard = SessionKey(), dict[str, Any]()
    batch = whole_session(key, heard)
    batch.closings.append((key, CLOSING, None))
    kept = batch.unheard()
    assert kept == Batch(openings=batch.openings, log=batch.log, closings=[(key, CLOSING, None)])
    assert kept.weight == 3 * ITEM_WEIGHT + 3


def test_what_was_kept_is_written_before_what_came_later() -> None:
    earlier, later = SessionKey(1), SessionKey(2)
    kept = Batch(log=[(earlier, NOON, Direction.NOTE, b"1")], closings=[(earlier, CLOSING, None)])
    batch = Batch(log=[(later, NOON, Direction.NOTE, b"2")], saves=[(later, METER, [hour(1)], [])], saved=[print])
    both = batch.behind(kept)
    assert [data for _, _, _, data in both.log] == [b"1", b"2"]
    assert (both.saves, both.saved, both.closings) == (batch.saves, batch.saved, kept.closings)


def test_what_is_taken_in_the_middle_of_a_session_has_what_it_depends_on() -> None:
    """Whatever moment the other thread takes at: no log without its opening, no reading without its log."""
    key = SessionKey()
    handed_over: list[Callable[[Pending], object]] = [
        lambda pending: pending.openings.append((key, OPENING)),
        lambda pending: pending.log.append((key, NOON, Direction.FROM_METER, b"abc")),
        lambda pending: pending.saves.append((key, METER, [hour(1)], [])),
        lambda pending: pending.saved.append(print),
        lambda pending: pending.calls.append((print, print)),
        lambda pending: pending.closings.append((key, CLOSING, None)),
    ]
    for before in range(len(handed_over) + 1):
        pending = Interrupted(handed_over[before:])
        for step in handed_over[:before]:
            step(pending)
        first = pending.take()
        second = pending.take()
        assert not first.log or first.openings
        assert not first.saves or first.log
        assert not first.closings or (first.saves and first.calls)
        assert len(first.saves) == len(first.saved)
        assert len(first) + len(second) == 5
        assert not pending


class Interrupted(Pending):
    """Whoever hands over does the next of its steps whenever the other thread has looked at one more queue."""

    def __init__(self, steps: list[Callable[[Pending], object]]) -> None:
        self._steps: Iterator[Callable[[Pending], object]] = iter([])  # until all queues are there
        super().__init__()
        self._steps = iter(steps)

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in Pending.__slots__ and (step := next(super().__getattribute__("_steps"), None)) is not None:
            step(_Bare(self))
        return found


class _Bare:
    """The queues themselves, looked at by nobody else."""

    def __init__(self, pending: Pending) -> None:
        self._pending = pending

    def __getattr__(self, name: str) -> Any:
        return object.__getattribute__(self._pending, name)


def test_work_that_fails_takes_only_itself_back(store: SqlStore) -> None:
    heard: list[Any] = []
    key = store.open_session(OPENING)

    def half(store: SqlStore) -> None:
        store.identify(key, Identify("1"), NOON)
        raise UnknownMeter("on second thought")

    def whole(store: SqlStore) -> str:
        return store.identify(key, Identify("2"), NOON).serial

    told(Batch(calls=[(half, heard.append), (whole, heard.append)]).commit(store))
    assert [str(answer) for answer in heard] == ["on second thought", "2"]
    assert [meter.serial for meter in store.meters()] == ["2"]
