"""The record of a line on which only its modem speaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_server.codec.registry import Registry
from gateway_server.model import Outcome
from gateway_server.store.records import Filter, SessionOpening
from gateway_server.transports.idle import GATHERED_BYTES, MOST_ENTRIES, ONE_BY_ONE, IdleRecord
from gateway_server.workbench.reprocess import replay_stored, reprocess
from gateway_server.workbench.verify import verify_session
from tests.session.conversations import NOW_MS, Scene, ToyCodec

MINUTE = 60.0


@pytest.fixture
def scene() -> Scene:
    return Scene()


def record_of(scene: Scene) -> IdleRecord:
    return IdleRecord(scene.facilities, SessionOpening("tcp", "192.0.2.7:1", NOW_MS, "41203377"))


def beat(scene: Scene, idle: IdleRecord, times: int, *, every: float = MINUTE, answer: bytes = b"") -> None:
    for _ in range(times):
        scene.clock.advance(every)
        idle.heard(b"LOG", 1, answer)


def received(scene: Scene) -> bytes:
    return b"".join(data for direction, data in scene.log() if direction == "<")


def test_heartbeat_is_on_record_at_once_with_its_time(scene: Scene) -> None:
    idle = record_of(scene)
    beat(scene, idle, 2, answer=b"OK")
    entries = list(scene.store.session_log(1))[1:]
    assert [(entry.direction.value, entry.data) for entry in entries] == [("<", b"LOG"), (">", b"OK")] * 2
    assert [entry.at_ms - NOW_MS for entry in entries] == [60_000, 60_000, 120_000, 120_000]


def test_line_that_beats_for_a_month_costs_some_hundred_entries_and_loses_no_byte(scene: Scene) -> None:
    idle = record_of(scene)
    month = 30 * 24 * 60
    beat(scene, idle, month)
    idle.end()
    assert received(scene) == b"LOG" * month
    assert len(scene.log()) < ONE_BY_ONE + 30 * 24 + 4  # one an hour
    assert not idle.full
    (session,) = scene.store.sessions(Filter())
    assert (session.outcome, session.detail) == (Outcome.IDLE, f"{month} heartbeats while nobody spoke with the meter")


def test_line_that_beats_all_the_time_is_gathered_by_bytes_and_its_record_is_full_one_day(scene: Scene) -> None:
    idle = record_of(scene)
    times = 0
    while not idle.full:
        beat(scene, idle, 1000, every=0.01, answer=b"LOG")
        times += 1000
        assert times < GATHERED_BYTES * MOST_ENTRIES
    assert max(len(data) for direction, data in scene.log() if direction != "-") < GATHERED_BYTES


@pytest.mark.parametrize("killed", [False, True])
def test_nothing_of_it_is_the_codecs_when_it_is_read_again(scene: Scene, killed: bool) -> None:
    idle = record_of(scene)
    idle.heard(b"SN=41203377\r\nV=1\r\n", 1, b"OK\r\n")
    if not killed:
        idle.end()
    session = scene.store.session(1)
    assert session is not None
    told = list(replay_stored(scene.store, session, ToyCodec(), scene.store.meter("41203377")))
    assert not any(one.rows or one.identity for one in told)
    registry = Registry()
    registry.add(ToyCodec(), Path("toy.py"))
    again = reprocess(scene.store, registry, Filter(), "toy", dry_run=True)
    assert [one.skipped for one in again] == (["it is still open"] if killed else [])


def test_record_stands_every_check(scene: Scene) -> None:
    idle = record_of(scene)
    beat(scene, idle, 200, answer=b"OK")
    idle.end(b"LO")
    session = scene.store.session(1)
    assert session is not None
    assert (session.bytes_received, session.bytes_sent) == (602, 400)
    for codec in (None, ToyCodec()):
        assert [check for check in verify_session(scene.store, session, codec) if not check.ok] == []
