"""The cable to a modem."""

from __future__ import annotations

import random

from twisted.internet.task import Clock

from gateway_server.testing.modem.wire import Wire
from tests.testing.dialling import MemoryPort


def wired() -> tuple[Wire, Clock, MemoryPort]:
    clock, port = Clock(), MemoryPort()
    wire = Wire(clock, random.Random(1))
    wire.plug(port)
    return wire, clock, port


def test_what_is_said_later_never_overtakes() -> None:
    wire, clock, port = wired()
    wire.put(b"slow", 0.5)
    wire.put(b" and behind it", 0.1)
    wire.put(b" and at once")
    assert port.said == b""
    clock.advance(0.5)
    assert port.said == b"slow and behind it and at once"


def test_silenced_modem_does_not_finish_its_sentence() -> None:
    wire, clock, port = wired()
    wire.put(b"never", 0.5)
    wire.silence()
    clock.advance(1)
    assert port.said == b""
    assert clock.getDelayedCalls() == []


def test_what_is_said_to_nobody_is_gone() -> None:
    wire, _, port = wired()
    wire.plug(None)
    wire.put(b"hello")
    wire.plug(port)
    assert port.said == b""
    assert wire.speed == 0


def test_port_is_told_of_lines_that_moved_and_of_all_when_plugged_in() -> None:
    wire, _, port = wired()
    wire.set_lines(carrier=True)
    assert (port.carrier, port.ring) == (True, False)
    wire.set_lines(ring=True)
    late = MemoryPort()
    wire.plug(late)
    assert (late.carrier, late.ring) == (True, True)


def test_at_the_wrong_speed_nothing_readable_is_heard() -> None:
    wire, _, _ = wired()
    heard = wire.garbled(b"AT\r\nOK\r\n" * 20)
    assert heard
    assert not any(0x20 <= byte < 0x7F for byte in heard)
