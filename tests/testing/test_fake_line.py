"""The line without a wire."""

from __future__ import annotations

import pytest

from gateway_server.testing.fake_line import FakeLine


class Ear:
    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def received(self, data: bytes) -> None:
        self.heard.append(data)


def test_line_answers_while_it_is_written_to_and_only_what_the_script_says() -> None:
    line, ear = FakeLine(), Ear()
    line.answers(ear, (b"?", b"!"), (b"V", b"7"))
    line.write(b"V")
    line.write(b"?")
    line.write(b"V")
    assert ear.heard == [b"!", b"7"]
    assert line.said == b"V?V"


def test_line_that_was_ended_takes_no_more() -> None:
    line = FakeLine()
    line.write(b"x")
    line.close()
    assert line.ended
    with pytest.raises(AssertionError, match="had been closed"):
        line.write(b"x")
    other = FakeLine()
    other.abort()
    assert other.ended


def test_line_records_speeds_and_waiting() -> None:
    line = FakeLine()
    line.change(300, "7E1")
    waiting = []
    for step in (line.pause, line.resume):
        step()
        waiting.append(line.paused)
    assert (line.changes, waiting) == ([(300, "7E1")], [True, False])
