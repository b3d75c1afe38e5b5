"""The writer whose commits the test decides on."""

from __future__ import annotations

from gateway_server.errors import StoreError, StoreFull
from gateway_server.model import Column, Direction, Outcome, Saved
from gateway_server.store.open import open_store
from gateway_server.store.records import RowToSave, SessionClosing, SessionOpening
from gateway_server.store.writer import DirectWriter
from gateway_server.testing.held_writer import HeldWriter

ROW = RowToSave((Column("v"),), ("1",), "current", 1000, 1000)


def test_only_saves_wait() -> None:
    store = open_store(":memory:")
    writer = HeldWriter(DirectWriter(store))
    key = writer.open_session(SessionOpening("tcp", "a:1", 1000))
    writer.log(key, 1000, Direction.FROM_METER, b"x")
    answers: list[Saved | StoreError] = []
    writer.save(key, "1", [ROW], [], answers.append)
    writer.save(key, "1", [ROW], [], answers.append)
    writer.close_session(key, SessionClosing(2000, Outcome.READ))
    counted: list[object] = []
    writer.call(lambda store: 7, counted.append)
    assert (writer.held, answers, counted, len(list(store.session_log(key.id)))) == (2, [], [7], 1)
    writer.commit()
    writer.fail(StoreFull("full"))
    assert isinstance(answers[0], Saved)
    assert isinstance(answers[1], StoreFull)
    assert len(list(store.rows())) == 1
