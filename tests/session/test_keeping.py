"""What a session keeps is in the store before the meter hears of it, and belongs to the meter that answered."""

from __future__ import annotations

import pytest

from gateway_server.codec.dialogue import Dialogue, Findings, Remember
from gateway_server.errors import StoreFull
from gateway_server.model import Column, Identify, KnownMeter, MeterState, Outcome, Row
from gateway_server.session.plan import Role
from gateway_server.store.records import Filter, MeterRecord
from gateway_server.testing.held_writer import HeldWriter
from tests.session.conversations import NOW_MS, Scene, said


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_reading_is_durable_before_the_meter_may_delete_it(scene: Scene) -> None:
    writer = HeldWriter(scene.writer)
    scene.use(writer)
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\nV=1\r\n")
    assert writer.held == 1
    assert scene.line.said == b""
    writer.commit()
    assert scene.line.said == b"OK\r\n"
    assert scene.values() == ["1"]


def test_frames_that_arrive_during_a_commit_wait_their_turn(scene: Scene) -> None:
    writer = HeldWriter(scene.writer)
    scene.use(writer)
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\nV=1\r\n")
    session.received(b"V=2\r\nV=3")
    session.received(b"\r\n")
    assert writer.held == 1
    for _ in range(3):
        writer.commit()
    assert scene.line.written == [b"OK\r\n"] * 3
    assert scene.values() == ["1", "2", "3"]


def test_failed_commit_is_never_acknowledged(scene: Scene) -> None:
    writer = HeldWriter(scene.writer)
    scene.use(writer)
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\nV=1\r\nV=2\r\n")
    writer.fail(StoreFull("no space left on device"))
    assert scene.line.said == b""
    assert scene.ending.outcome is Outcome.GATEWAY_FAULT
    assert "make room" in scene.ending.detail
    session.received(b"V=3\r\n")
    assert writer.held == 0


def test_line_lost_while_storing_keeps_what_came(scene: Scene) -> None:
    writer = HeldWriter(scene.writer)
    scene.use(writer)
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\nV=1\r\n")
    session.line_lost("the connection broke off")
    assert not scene.heard.endings
    writer.commit()
    assert scene.ending.outcome is Outcome.PARTIAL
    assert "broke off" in scene.ending.detail
    assert scene.ending.stored == 1
    assert scene.values() == ["1"]
    assert scene.line.said == b""


def test_later_trouble_leaves_what_is_stored(scene: Scene) -> None:
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\nV=1\r\n")
    session.received(b"X=1\r\n")
    assert (scene.ending.outcome, scene.ending.stored) == (Outcome.PARTIAL, 1)


def test_meter_is_remembered_for_the_next_time(scene: Scene) -> None:
    def dialogue() -> Dialogue:
        yield Identify("41203377", model="EK270")
        yield Remember("parity", "even")
        return None

    said(scene, dialogue())
    assert scene.store.known_meter("41203377").memory == {"parity": "even"}


def test_dialogue_that_reports_before_it_identifies_is_our_fault(scene: Scene) -> None:
    def dialogue() -> Dialogue:
        yield Remember("parity", "even")
        return None

    said(scene, dialogue())
    assert scene.ending.outcome is Outcome.GATEWAY_FAULT


def test_other_meter_than_expected_is_unknown(scene: Scene) -> None:
    session = scene.session(Role.ASK, expected="41203377")
    session.received(b"SN=99\r\n")
    assert scene.ending.outcome is Outcome.UNKNOWN_METER
    assert "41203377 was expected, but 99 answered" in scene.ending.detail
    assert scene.store.meter("99") is None


def test_leading_zeros_make_no_other_meter(scene: Scene) -> None:
    session = scene.session(Role.ASK, expected="41203377")
    session.received(b"SN=00041203377\r\n")
    assert [meter.serial for meter in scene.heard.identified] == ["41203377"]


def test_meter_that_is_switched_off_is_not_read(scene: Scene) -> None:
    scene.store.put_meter(MeterRecord("41203377", state=MeterState.DISABLED))
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\nV=1\r\n")
    assert scene.ending.outcome is Outcome.UNKNOWN_METER
    assert scene.values() == []


def test_bytes_of_a_stranger_are_kept_and_he_is_on_the_list(scene: Scene) -> None:
    session = scene.session(Role.LISTEN)
    session.received(b"SN=777\r\nV=1\r\nEND\r\n")
    assert scene.ending.outcome is Outcome.UNKNOWN_METER
    assert "meter claim 777" in scene.ending.detail
    assert scene.values() == []
    assert scene.log()[0] == ("<", b"SN=777\r\nV=1\r\nEND\r\n")
    stranger = scene.store.meter("777")
    assert stranger is not None
    assert stranger.state is MeterState.UNCLAIMED
    (record,) = scene.store.sessions(Filter(serials=("777",)))
    assert record.outcome is Outcome.UNKNOWN_METER


def test_stranger_who_comes_again_is_asked_for_little(scene: Scene) -> None:
    orders = []

    def dialogue() -> Dialogue:
        meter: KnownMeter = yield Identify("777")
        orders.append((meter.claimed, sorted(meter.order.what)))
        return None

    said(scene, dialogue())
    said(scene, dialogue())
    assert orders == [(False, ["archive", "current", "events"]), (False, ["current"])]


def test_time_of_arrival_is_the_clocks(scene: Scene) -> None:
    scene.clock.advance(7)
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\nV=1\r\n")
    (reading,) = scene.store.readings(Filter())
    assert reading.received_at_ms == NOW_MS + 7000


def clocks(*times: str) -> Dialogue:
    yield Identify("41203377")
    for at in times:
        yield Findings(rows=(Row((Column("clock", name="Time"),), (at,)),))
    yield Row((Column("clock", name="Time"),), (times[-1],))
    return None


def remarks(scene: Scene) -> list[str]:
    return [data.decode() for kind, data in scene.log() if kind == "-"]


def test_clock_years_off_is_told_once_a_session(scene: Scene) -> None:
    said(scene, clocks("2027-03-01,11:00:00", "2027-03-01,11:00:10"))
    assert scene.ending.outcome is Outcome.READ
    (remark,) = remarks(scene)
    assert remark.startswith("the meter's clock is 1094 d ahead: its rows are stored at its time and marked clock_off")


def test_clock_that_is_right_within_minutes_is_not_told(scene: Scene) -> None:
    said(scene, clocks("2024-03-01,14:04:00"))  # 11:00 UTC is 14:00 in Moscow
    assert remarks(scene) == []
