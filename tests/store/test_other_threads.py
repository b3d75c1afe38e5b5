"""Threads beside the reactor's ask the writer, and are answered by the store's thread without it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from gateway_server.errors import StoreBroken, StoreError
from gateway_server.model import Direction
from gateway_server.store.open import open_store
from gateway_server.store.store import Store
from gateway_server.store.writer import ThreadWriter
from tests.store.fake_reactor import FakeReactor
from tests.store.samples import NOON, OPENING

PATIENCE = 10


class Place:
    def __init__(self, path: Path) -> None:
        self.reactor = FakeReactor()
        self.fatal: list[StoreBroken] = []
        self.answers: SimpleQueue[Any] = SimpleQueue()
        self.writer = ThreadWriter(self.reactor, lambda: open_store(f"sqlite:///{path}"), on_fatal=self.fatal.append)
        self.writer.start()

    def answered(self, answer: object) -> None:
        self.answers.put((threading.current_thread().name, answer))

    def next(self) -> tuple[str, Any]:
        answer: tuple[str, Any] = self.answers.get(timeout=PATIENCE)
        return answer


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "gateway.db")
    yield place
    ended: list[None] = []
    place.writer.stop().addCallback(ended.append)
    while not ended:
        place.reactor.turn()


def test_answer_comes_from_the_stores_thread_while_the_reactor_does_nothing(place: Place) -> None:
    place.writer.call_from_thread(lambda store: len(list(store.sessions())), place.answered)
    assert place.next() == ("store", 0)


def test_what_the_reactor_handed_over_before_is_written_first(place: Place) -> None:
    key = place.writer.open_session(OPENING)
    place.writer.log(key, NOON, Direction.NOTE, b"before")
    place.writer.call_from_thread(lambda store: [entry.data for entry in store.session_log(key.id)], place.answered)
    assert place.next() == ("store", [b"before"])


def test_work_that_fails_is_told_to_whoever_asked_and_to_nobody_else(place: Place) -> None:
    def fails(_: object) -> None:
        raise ValueError("a defect")

    place.writer.call_from_thread(fails, place.answered)
    place.writer.call_from_thread(lambda _: 1, place.answered)
    (_, failed), (_, done) = place.next(), place.next()
    assert isinstance(failed, StoreError)
    assert "ValueError: a defect" in str(failed)
    assert done == 1


def test_thread_that_fails_over_its_answer_keeps_no_answer_from_others(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: object) -> None:
        raise RuntimeError("a defect")

    place.writer.call_from_thread(lambda _: 1, fails)
    place.writer.call_from_thread(lambda _: 2, place.answered)
    assert place.next() == ("store", 2)
    assert "RuntimeError: a defect" in caplog.text


def same(number: int, _: Store) -> int:
    return number


def test_no_request_is_lost_whoever_asks_at_the_same_time(place: Place) -> None:
    def ask(lost: list[int]) -> None:
        mine: SimpleQueue[object] = SimpleQueue()
        for number in range(300):
            place.writer.call_from_thread(partial(same, number), lambda answer: mine.put(answer))
            if mine.get(timeout=PATIENCE) != number:
                lost.append(number)

    lost: list[int] = []
    threads = [threading.Thread(target=ask, args=(lost,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    heard: list[object] = []
    for number in range(100):
        place.writer.call(partial(same, number), heard.append)
        while len(heard) <= number:
            place.reactor.turn()
    for thread in threads:
        thread.join()
    assert lost == []
    assert heard == list(range(100))
