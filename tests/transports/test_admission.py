"""Who may hold a line."""

from __future__ import annotations

import logging

import pytest
from twisted.internet.task import Clock

from gateway_server.transports.admission import Admission


def test_lines_are_bounded_in_all_and_per_address() -> None:
    admission = Admission(Clock(), 3, 2)
    assert [admission.admit(host) for host in ("a", "a", "a", "b", "c")] == [True, True, False, True, False]
    admission.release("a")
    assert admission.admit("c")
    assert (admission.lines, admission.refused) == (3, 2)


def test_thousand_refusals_are_logged_in_a_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    clock = Clock()
    admission = Admission(clock, 0, 1)
    for _ in range(1000):
        admission.admit("198.51.100.9")
        clock.advance(0.025)
    assert admission.refused == 1000
    assert 2 <= len(caplog.records) <= 4
    assert "limits.sessions" in caplog.text
    assert "198.51.100.9" in caplog.text


def test_nobody_is_taken_in_while_nothing_could_be_acknowledged(caplog: pytest.LogCaptureFixture) -> None:
    admission = Admission(Clock(), 10, 10)
    admission.closed_because = "the store's disk is full"
    assert not admission.admit("a")
    assert "disk is full" in caplog.text
    admission.closed_because = ""
    assert admission.admit("a")
