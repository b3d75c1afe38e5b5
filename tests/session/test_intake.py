"""Frames keep their place in the session's stream."""

from __future__ import annotations

from gateway_server.codec.buffer import LineFramer
from gateway_server.session.intake import Intake


def test_frames_are_placed_behind_bytes_that_were_not_the_codecs() -> None:
    intake = Intake(LineFramer())
    intake.feed(b"a\nb", 17)
    first = intake.next_frame()
    assert first is not None
    assert (first.start, first.end) == (17, 19)
    assert intake.next_frame() is None
    assert (intake.fed, intake.cut) == (3, 2)
    intake.feed(b"\n", 20)
    second = intake.next_frame()
    assert second is not None
    assert (second.start, second.data) == (19, b"b\n")


def test_bytes_kept_out_between_two_frames_move_what_follows() -> None:
    intake = Intake(LineFramer())
    intake.feed(b"a\n", 0)
    intake.next_frame()
    intake.feed(b"b\n", 5)  # three bytes of a heartbeat stood between
    frame = intake.next_frame()
    assert frame is not None
    assert frame.start == 5


def test_silence_gives_what_is_left_and_then_nothing() -> None:
    intake = Intake(LineFramer())
    intake.feed(b"half", 4)
    left = intake.flush()
    assert left is not None
    assert (left.data, left.start) == (b"half", 4)
    assert intake.flush() is None
    assert intake.fed == intake.cut


def test_everything_can_be_dropped() -> None:
    intake = Intake(LineFramer())
    intake.feed(b"a\nb\nhalf", 0)
    intake.drop()
    assert intake.next_frame() is None
    assert intake.flush() is None
    assert intake.fed == intake.cut
