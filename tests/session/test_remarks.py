"""What a session remarks, a replay understands."""

from __future__ import annotations

from gateway_server.model import Direction, Span
from gateway_server.session.remarks import (
    ANSWERED_HEARTBEAT,
    IDENTIFIED,
    IDLE,
    is_answered,
    is_identified,
    is_idle,
    kept_out,
    spans_kept_out,
)
from gateway_server.store.records import LogEntry


def note(text: str) -> LogEntry:
    return LogEntry(0, Direction.NOTE, text.encode())


def test_registration_and_heartbeats_are_found_again() -> None:
    log = [
        note("registered as 867584030000017"),
        note(kept_out(40, 44, "heartbeat")),
        LogEntry(0, Direction.FROM_METER, kept_out(1, 2, "no remark").encode()),
        note(kept_out(0, 17, "registration")),
    ]
    assert spans_kept_out(log) == [Span(0, 17), Span(40, 44)]


def test_answer_to_a_heartbeat_is_told_from_the_dialogues_bytes() -> None:
    assert is_answered(note(kept_out(40, 44, ANSWERED_HEARTBEAT)))
    assert spans_kept_out([note(kept_out(40, 44, ANSWERED_HEARTBEAT))]) == [Span(40, 44)]
    assert not is_answered(note(kept_out(40, 44, "heartbeat")))


def test_spans_that_touch_become_one() -> None:
    log = [note(kept_out(0, 4, "heartbeat")), note(kept_out(4, 8, "heartbeat")), note(kept_out(6, 7, "heartbeat"))]
    assert spans_kept_out(log) == [Span(0, 8)]


def test_other_remarks_keep_nothing_out() -> None:
    log = [
        note(""),
        note("bytes 1 to 2"),
        note(kept_out(5, 5, "nothing")),
        note("about bytes 0 to 9 are not the meter's: x"),
    ]
    assert spans_kept_out(log) == []


def test_record_of_a_parked_line_has_nothing_for_the_codec() -> None:
    log = [note(IDLE), LogEntry(0, Direction.FROM_METER, b"LOG")]
    assert [is_idle(entry) for entry in log] == [True, False]
    (everything,) = spans_kept_out(log)
    assert (everything.start, everything.end > 1 << 40) == (0, True)


def test_place_where_a_calls_sign_on_ended_is_found_again() -> None:
    assert is_identified(note(IDENTIFIED))
    assert not is_identified(note("the meter is"))
    assert not is_identified(LogEntry(1, Direction.FROM_METER, IDENTIFIED.encode()))
