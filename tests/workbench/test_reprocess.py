"""Stored sessions are read again: what is the same stays, what is read otherwise is told and replaced, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from gateway_server.codec.codec import Frame
from gateway_server.codec.dialogue import Findings, Found
from gateway_server.errors import OperatorError
from gateway_server.model import INTERVAL, Direction, MeterState, Outcome
from gateway_server.session.plan import Role
from gateway_server.session.registration import Heartbeats, RegistrationPattern
from gateway_server.session.remarks import kept_out
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, MeterRecord, SessionClosing, SessionOpening, SessionRecord
from gateway_server.store.sql import SqlStore
from gateway_server.testing.held_writer import HeldWriter
from gateway_server.transports.reception import Rule
from gateway_server.workbench.comparison import Change, SessionReadAgain
from gateway_server.workbench.reprocess import reprocess
from tests.session.conversations import NOW_MS, Scene, ToyCodec
from tests.transports.hall import REGISTRATION, Hall
from tests.workbench.lines_codec import Lines, Listener, registry

ALL = Filter()
DAY_MS = 86_400_000


@pytest.fixture
def store() -> SqlStore:
    store = open_store(":memory:")
    store.put_meter(MeterRecord("41", time_zone="UTC"))
    return store


def kept(store: SqlStore, *said: bytes, meter: str = "41", codec: str = "lines", days: int = 0) -> int:
    """A session in the store that only its bytes were kept of."""
    at_ms = NOW_MS + days * DAY_MS
    key = store.open_session(SessionOpening("tcp", "192.0.2.7:1", at_ms))
    store.log([(key, at_ms + number, Direction.FROM_METER, data) for number, data in enumerate(said)])
    store.close_session(key, SessionClosing(at_ms + 100, Outcome.READ, serial=meter, codec=codec, codec_version="0"))
    return key.id


def only(results: Sequence[SessionReadAgain]) -> SessionReadAgain:
    (one,) = results
    return one


def only_session(store: SqlStore) -> SessionRecord:
    (one,) = store.sessions(ALL)
    return one


def again(store: SqlStore, codec: object, *, dry_run: bool = False) -> SessionReadAgain:
    return only(list(reprocess(store, registry(codec), ALL, dry_run=dry_run)))


def values(store: SqlStore) -> list[tuple[str, ...]]:
    return [one.row.values for one in store.rows(ALL)]


def counts(result: SessionReadAgain) -> tuple[int, int, int, int, int]:
    return result.new, result.same, result.changed, result.conflicts, result.gone


DAY = b"S41\n1 100.0 1.5\n2 101.5 1.5\nE2 0x2504\n"


def test_rows_that_two_sessions_brought_are_new_once_whether_they_are_stored_or_not(store: SqlStore) -> None:
    kept(store, DAY)
    kept(store, b"S41\n2 101.5 1.5\n3 102.0 1.5\nE2 0x2504\n", days=1)
    kept(store, b"S41\n2 101.5 1.5\n", meter="41", days=2)
    dry = list(reprocess(store, registry(Lines()), ALL, dry_run=True))
    assert [counts(one) for one in dry] == [(3, 0, 0, 0, 0), (1, 2, 0, 0, 0), (0, 1, 0, 0, 0)]
    assert values(store) == []
    stored = list(reprocess(store, registry(Lines()), ALL))
    assert [counts(one) for one in stored] == [counts(one) for one in dry]


def test_what_two_sessions_brought_changes_once_whether_it_is_stored_or_not(store: SqlStore) -> None:
    kept(store, DAY)
    kept(store, DAY, days=1)
    assert [counts(one) for one in reprocess(store, registry(Lines("1")), ALL)] == [(3, 0, 0, 0, 0), (0, 3, 0, 0, 0)]
    dry = [counts(one) for one in reprocess(store, registry(Lines("2", scale="2")), ALL, dry_run=True)]
    assert dry == [counts(one) for one in reprocess(store, registry(Lines("2", scale="2")), ALL)]


def test_kept_bytes_become_readings_once(store: SqlStore) -> None:
    kept(store, DAY[:7], DAY[7:])
    assert counts(again(store, Lines(), dry_run=True)) == (3, 0, 0, 0, 0)
    assert values(store) == []
    assert counts(again(store, Lines())) == (3, 0, 0, 0, 0)
    assert values(store) == [("100.0", "1.5"), ("101.5", "1.5")]
    assert [event.code for event in store.events(ALL)] == ["0x2504"]
    for dry_run in (True, False):
        result = again(store, Lines(), dry_run=dry_run)
        assert counts(result) == (0, 3, 0, 0, 0)
        assert result.no_change
    assert len(values(store)) == 2


def test_live_session_read_again_is_no_change() -> None:
    scene = Scene()
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\nV=10")
    scene.clock.advance(0.75)
    session.received(b"42.5\r\nV=1043\r\n")
    scene.clock.advance(2)
    session.received(b"END\r\n")
    assert scene.values() == ["1042.5", "1043"]
    for dry_run in (True, False):
        result = only(list(reprocess(scene.store, registry(ToyCodec()), ALL, dry_run=dry_run)))
        assert result.no_change, result
        # Live values have no time but that of their bytes, which is the same in both.
        assert result.same == 2
    assert scene.values() == ["1042.5", "1043"]


def test_values_are_received_when_their_bytes_came_however_slow_the_store_was() -> None:
    scene = Scene()
    writer = HeldWriter(scene.writer)
    scene.use(writer)
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\nV=1\r\n")
    for value in (b"V=2\r\nV", b"=3\r\n", b"END\r\n"):
        scene.clock.advance(0.5)
        session.received(value)
    while writer.held:
        scene.clock.advance(3)
        writer.commit()
    assert [(one.value, one.received_at_ms - NOW_MS) for one in scene.store.readings(ALL)] == [
        ("1", 0),
        ("2", 500),
        ("3", 1000),
    ]
    assert only(list(reprocess(scene.store, registry(ToyCodec()), ALL))).no_change


def test_callers_registration_and_heartbeats_are_left_out_of_what_is_read_again() -> None:
    hall = Hall()
    hall.listens(
        rules=(Rule.REGISTRATION, Rule.CODEC),
        registration=RegistrationPattern(r"(?P<id>\d{15})\r?\n"),
        heartbeats=Heartbeats((b"hb\r\n",), answer=b"hb!\r\n"),
    )
    caller, line = hall.call()
    for came in (
        REGISTRATION[:5],
        REGISTRATION[5:] + b"SN=4120",
        b"3377\r\n",
        b"hb\r\n",
        b"hb\r\nV=1\r\nV=",
        b"2\r\nEND\r\n",
    ):
        hall.clock.advance(0.25)
        caller.received(came)
    assert hall.values() == ["1", "2"]
    assert line.written == [b"hb!\r\n", b"hb!\r\n", b"OK\r\n", b"OK\r\n"]
    result = only(list(reprocess(hall.store, registry(ToyCodec()), ALL)))
    assert result.no_change, result
    assert (result.same, result.notes) == (2, [])


def test_values_that_came_in_one_chunk_are_all_kept_when_read_again() -> None:
    scene = Scene()
    scene.store.put_meter(replace(scene.store.meter("41203377") or MeterRecord(""), state=MeterState.UNCLAIMED))
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\nV=1\r\nV=2\r\nV=1\r\nEND\r\n")
    assert scene.values() == []
    scene.store.claim("41203377")
    first, second = (only(list(reprocess(scene.store, registry(ToyCodec()), ALL))) for _ in range(2))
    assert (first.new, first.same, first.conflicts) == (1, 1, 1)
    assert second.no_change
    assert scene.values() == ["1", "2"]
    assert only_session(scene.store).readings == 2


def test_value_read_otherwise_is_told_and_replaced(store: SqlStore) -> None:
    session = kept(store, DAY)
    again(store, Lines())
    better = Lines("2", scale="10", status="St.2=14")
    for dry_run in (True, False):
        result = again(store, better, dry_run=dry_run)
        assert counts(result) == (0, 1, 2, 0, 0)
        assert not result.no_change
        assert result.changes[:2] == [
            Change(INTERVAL, 1709254800000, 1, "Vb", "100.0 m3", "1000.0 m3"),
            Change(INTERVAL, 1709254800000, 1, "status", "", "St.2=14"),
        ]
        assert (result.session, result.meter, result.codec, result.codec_version) == (session, "41", "lines", "2")
        assert len(values(store)) == 2
    assert values(store) == [("1000.0", "1.5"), ("1015.0", "1.5")]
    assert [(one.codec_version, one.variant) for one in store.rows(ALL)] == [("2", 0), ("2", 0)]
    assert again(store, better).no_change


def test_row_whose_time_was_read_otherwise_moves(store: SqlStore) -> None:
    kept(store, DAY)
    again(store, Lines())
    later = Lines("2", shift=3)
    for dry_run in (True, False):
        result = again(store, later, dry_run=dry_run)
        assert counts(result) == (0, 1, 2, 0, 0)
        assert result.changes[0] == Change(
            INTERVAL, 1709254800000, 1, "measured_at", "2024-03-01T01:00:00Z", "2024-03-01T04:00:00Z"
        )
    assert [one.row.measured_at_ms for one in store.rows(ALL)] == [1709265600000, 1709269200000]
    assert again(store, later).no_change


def test_event_in_other_words_is_told(store: SqlStore) -> None:
    kept(store, DAY)
    again(store, Lines())
    result = again(store, Lines("2", words="entry "))
    assert counts(result) == (0, 2, 1, 0, 0)
    assert result.changes == [Change("events", 1709258400000, 2, "text", "event 0x2504", "entry 0x2504")]
    assert [event.text for event in store.events(ALL)] == ["entry 0x2504"]


def test_column_by_another_name_is_a_change(store: SqlStore) -> None:
    kept(store, DAY)
    again(store, Lines())
    result = again(store, Lines("2", pressure="p1"))
    assert result.changed == 2
    assert {change.what for change in result.changes} == {"p", "p1", "quantity of p", "quantity of p1"}
    assert again(store, Lines("2", pressure="p1")).no_change


def test_row_that_is_not_read_any_more_stays_and_is_told(store: SqlStore) -> None:
    kept(store, DAY)
    again(store, Lines())
    result = again(store, Lines("2", blind_to="2"))
    assert counts(result) == (0, 2, 0, 0, 1)
    assert not result.no_change
    assert len(values(store)) == 2


def test_same_rows_of_two_sessions_are_stored_once(store: SqlStore) -> None:
    kept(store, DAY)
    kept(store, DAY, days=1)
    first, second = reprocess(store, registry(Lines()), ALL)
    assert (counts(first), counts(second)) == ((3, 0, 0, 0, 0), (0, 3, 0, 0, 0))
    first, second = reprocess(store, registry(Lines("2", scale="10")), ALL)
    assert first.changed == 2
    assert counts(second) == (0, 3, 0, 0, 0)
    assert len(values(store)) == 2


def test_what_contradicts_another_session_is_kept_beside_it(store: SqlStore) -> None:
    kept(store, DAY)
    kept(store, DAY.replace(b"101.5", b"999.0"), days=1)
    _, second = reprocess(store, registry(Lines()), ALL)
    assert counts(second) == (0, 2, 0, 1, 0)
    assert sorted(values(store)) == [("100.0", "1.5"), ("101.5", "1.5"), ("999.0", "1.5")]
    assert all(result.no_change for result in reprocess(store, registry(Lines()), ALL))


def test_only_wanted_sessions_are_read_again(store: SqlStore) -> None:
    first, second = kept(store, DAY), kept(store, DAY, days=1)
    wanted = Filter(serials=("41",), since_ms=NOW_MS + 1)
    assert [result.session for result in reprocess(store, registry(Lines()), wanted)] == [second]
    assert [result.session for result in reprocess(store, registry(Lines()), Filter(sessions=(first,)))] == [first]


def test_registration_is_left_out(store: SqlStore) -> None:
    key = store.open_session(SessionOpening("tcp", "192.0.2.7:1", NOW_MS))
    store.log(
        [
            (key, NOW_MS, Direction.FROM_METER, b"S867584\n" + DAY),
            (key, NOW_MS, Direction.NOTE, kept_out(0, 8, "registration").encode()),
        ]
    )
    store.close_session(key, SessionClosing(NOW_MS + 1, Outcome.READ, serial="41", codec="lines", codec_version="1"))
    assert counts(again(store, Lines())) == (3, 0, 0, 0, 0)
    assert next(store.rows(ALL)).row.span_start == 12


def test_readings_of_another_meter_are_left_out(store: SqlStore) -> None:
    kept(store, b"S42\n1 100.0 1.5\n")
    result = again(store, Lines())
    assert result.notes == ["what it tells of meter 42 is not meter 41's and is left out"]
    assert values(store) == []


def test_session_nobody_was_known_in_is_whose_the_codec_says(store: SqlStore) -> None:
    kept(store, DAY.replace(b"S41", b"S0041"), meter="")
    result = again(store, Lines())
    assert (result.meter, result.new) == ("41", 3)


def test_session_that_cannot_be_read_again_says_why(store: SqlStore) -> None:
    store.put_meter(MeterRecord("77", state=MeterState.UNCLAIMED))
    kept(store, DAY, meter="77")
    kept(store, DAY, codec="")
    kept(store, DAY, codec="morse")
    kept(store, b"1 100.0 1.5\n", meter="")
    kept(store, b"S99\n", meter="")
    store.open_session(SessionOpening("tcp", "192.0.2.7:1", NOW_MS, codec="lines"))
    said = [result.skipped for result in reprocess(store, registry(Lines()), ALL)]
    assert said == [
        "nobody has claimed meter 77: `gateway-server meter claim 77`",
        "no codec is known for it; name one",
        "there is no codec 'morse' any more",
        "it tells no meter",
        "meter 99 is not in the register",
        "it is still open",
    ]
    assert values(store) == []


class Stumbling(Lines):
    """Fails over one session."""

    def interpreter(self) -> Listener:
        class Stumbles(Listener):
            def received(self, frame: Frame) -> Sequence[Found]:
                if frame.text.startswith("13"):
                    raise OverflowError("int too large to convert")
                return super().received(frame)

        return Stumbles(self)


@pytest.mark.parametrize("dry_run", [True, False])
def test_session_that_a_codec_fails_over_does_not_keep_the_others_from_being_read(
    store: SqlStore, *, dry_run: bool
) -> None:
    kept(store, b"S41\n13 1 1\n")
    kept(store, DAY, days=1)
    first, second = reprocess(store, registry(Stumbling()), ALL, dry_run=dry_run)
    assert first.skipped == "the codec lines failed: OverflowError: int too large to convert"
    assert counts(second) == (3, 0, 0, 0, 0)


def test_number_that_no_meter_can_mean_is_told_and_the_rest_is_read(store: SqlStore) -> None:
    class Counting(Lines):
        def interpreter(self) -> Listener:
            class Counts(Listener):
                def received(self, frame: Frame) -> Sequence[Found]:
                    found = super().received(frame)
                    if not frame.text.startswith("2"):
                        return found
                    (one,) = found
                    assert isinstance(one, Findings)
                    return [Findings((one.rows[0]._replace(order_number=10**25),))]

            return Counts(self)

    kept(store, DAY)
    result = again(store, Counting())
    assert counts(result) == (2, 0, 0, 0, 0)
    assert result.notes == ["an order number of some 25 digits is none a meter can mean"]


def test_codec_is_the_one_named_or_the_sessions_or_the_meters(store: SqlStore) -> None:
    kept(store, DAY, codec="")
    with pytest.raises(OperatorError, match="no codec 'morse'"):
        list(reprocess(store, registry(Lines()), ALL, "morse"))
    assert only(list(reprocess(store, registry(Lines()), ALL, "lines", dry_run=True))).new == 3
    store.put_meter(MeterRecord("41", codec="lines", time_zone="UTC"))
    assert again(store, Lines()).new == 3


def test_long_session_is_read_in_portions_and_changes_are_counted_beyond_those_told(store: SqlStore) -> None:
    rows = b"".join(b"%d %d 1\nN%d\n" % (number % 24, number, number) for number in range(24))
    kept(store, b"S41\n" + rows)
    result = again(store, Lines())
    assert result.new == 24
    assert len(result.notes) == 24


def test_session_far_longer_than_a_portion_gives_every_row(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_server.workbench.reprocess._ROWS_AT_ONCE", 5)
    monkeypatch.setattr("gateway_server.workbench.comparison.MOST_CHANGES_TOLD", 7)
    rows = b"".join(b"%d %d 1\n" % (number, number) for number in range(20))
    kept(store, b"S41\n" + rows)
    assert counts(again(store, Lines())) == (20, 0, 0, 0, 0)
    result = again(store, Lines("2", scale="2"))
    assert counts(result) == (0, 1, 19, 0, 0)
    assert len(result.changes) == 7
    assert again(store, Lines("2", scale="2")).no_change
