"""One command at a time, each with a deadline that nothing moves."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from gateway_server.model import Direction
from gateway_server.testing.line_to_meter import run
from gateway_server.transports.at import CALLING, AtCommand, Reply, Result
from gateway_server.transports.modem.talk import ModemSilent, ModemTalk

AT = AtCommand("AT", 1.0)


class Desk:
    def __init__(self) -> None:
        self.clock = Clock()
        self.written: list[tuple[float, bytes]] = []
        self.logged: list[tuple[Direction, bytes]] = []
        self.unasked: list[str] = []
        self.data: list[bytes] = []
        self.talk = ModemTalk(
            self.clock,
            lambda data: self.written.append((round(self.clock.seconds(), 3), data)),
            lambda direction, data: self.logged.append((direction, data)),
            self.unasked.append,
            self.data.append,
        )
        self.answers: list[Any] = []

    def start(self, work: Coroutine[Any, Any, Any]) -> Deferred[Any]:
        deferred = Deferred.fromCoroutine(work)
        deferred.addCallbacks(self.answers.append, lambda failure: self.answers.append(failure.value))
        return deferred

    def wait(self, seconds: float) -> None:
        run(self.clock, seconds)


def test_command_is_sent_with_a_return_and_answered() -> None:
    desk = Desk()
    desk.start(desk.talk.ask(AT))
    desk.talk.received(b"AT\r\r\nOK\r\n")
    assert desk.written == [(0.0, b"AT\r")]
    assert desk.answers == [Reply(Result.OK, "OK")]
    assert desk.logged == [
        (Direction.TO_MODEM, b"AT\r"),
        (Direction.FROM_MODEM, b"AT\r"),
        (Direction.FROM_MODEM, b"OK\r"),
    ]


def test_unasked_lines_do_not_move_the_deadline() -> None:
    desk = Desk()
    desk.start(desk.talk.ask(AT))
    for _ in range(12):
        desk.wait(0.1)
        desk.talk.received(b"\r\n+CREG: 1\r\n")
    assert isinstance(desk.answers[0], ModemSilent)
    assert desk.unasked == ["+CREG: 1"] * 12


def test_next_command_waits_a_moment_behind_the_last_answer() -> None:
    desk = Desk()
    desk.start(desk.talk.ask(AT))
    desk.talk.received(b"\r\nOK\r\n")
    desk.start(desk.talk.ask(AtCommand("ATZ")))
    desk.wait(1)
    assert desk.written == [(0.0, b"AT\r"), (0.1, b"ATZ\r")]


def test_answer_without_its_ok_is_not_waited_for_to_the_end() -> None:
    desk = Desk()
    desk.start(desk.talk.ask(AtCommand("AT+CPIN?", 60.0, prefix="+CPIN")))
    desk.talk.received(b"\r\n+CPIN: READY\r\n")
    desk.wait(1.1)
    assert [answer.value("+CPIN") for answer in desk.answers] == ["READY"]


def test_secret_and_number_do_not_show_in_the_log() -> None:
    desk = Desk()
    desk.start(desk.talk.ask(AtCommand("AT+CPIN=4321", 5.0, shown="AT+CPIN=****")))
    desk.talk.received(b'\r\n+CLIP: "+79161234567",145\r\n\r\nOK\r\n')
    assert desk.written == [(0.0, b"AT+CPIN=4321\r")]
    assert b"4321" not in b"".join(data for _, data in desk.logged)
    assert b"+7916123" not in b"".join(data for _, data in desk.logged)


def test_echo_shows_no_more_than_the_command_did() -> None:
    desk = Desk()
    desk.start(desk.talk.ask(AtCommand("AT+CPIN=4321", 5.0, shown="AT+CPIN=****")))
    desk.talk.received(b"\xffAT+CPIN=4321\r4321\r\r\nOK\r\n")
    desk.start(desk.talk.ask(AtCommand("ATD12345", 5.0, ends=CALLING, shown="ATD*2345")))
    desk.wait(0.2)
    desk.talk.received(b"ATD12345\r")
    assert [data for _, data in desk.logged] == [
        b"AT+CPIN=****\r",
        b"\xffAT+CPIN=****\r",
        b"****\r",
        b"OK\r",
        b"ATD*2345\r",
        b"ATD*2345\r",
    ]


def test_half_an_echo_of_a_pin_shows_nothing_of_it() -> None:
    desk = Desk()
    desk.start(desk.talk.ask(AtCommand("AT+CPIN=4321", 5.0, shown="AT+CPIN=****")))
    desk.talk.received(b"AT+CPIN=432")
    desk.wait(6)
    assert desk.logged[-1] == (Direction.FROM_MODEM, b"AT+CPIN=***")


def test_escape_has_silence_before_it_and_waits_for_its_answer() -> None:
    desk = Desk()
    desk.start(desk.talk.ask(AtCommand("ATD112", ends=CALLING)))
    desk.talk.received(b"\r\nCONNECT 9600\r\nSN=1")
    assert desk.talk.online
    assert desk.data == [b"SN=1"]
    desk.wait(0.5)
    desk.talk.written()
    desk.start(desk.talk.escape(1.2))
    desk.talk.received(b"still talking")
    desk.wait(1.3)
    assert desk.written[-1] == (1.7, b"+++")
    desk.wait(1.2)
    desk.talk.received(b"\r\nOK\r\n")
    assert desk.answers[-1].ok
    assert not desk.talk.online


def test_escape_that_nobody_answers_is_none() -> None:
    desk = Desk()
    desk.start(desk.talk.escape(1.2))
    desk.wait(20)
    assert desk.answers == [None]


def test_work_that_is_dropped_leaves_nothing_behind() -> None:
    desk = Desk()
    work = desk.start(desk.talk.ask(AtCommand("AT", 60.0)))
    work.cancel()
    pausing = desk.start(desk.talk.pause(60.0))
    pausing.cancel()
    assert desk.clock.getDelayedCalls() == []
    desk.start(desk.talk.ask(AT))
    desk.wait(0.2)
    desk.talk.received(b"\r\nOK\r\n")
    assert desk.answers[-1].ok


def test_result_that_nobody_asked_for_now_can_be_waited_for() -> None:
    desk = Desk()
    desk.talk.nudge()
    desk.start(desk.talk.quiet(5.0))
    desk.talk.received(b"\r\nNO CARRIER\r\n")
    assert desk.answers == [Reply(Result.NO_CARRIER, "NO CARRIER")]


@pytest.mark.parametrize("left", [b"half a li", b""])
def test_half_a_line_stands_in_the_log_when_the_time_is_over(left: bytes) -> None:
    desk = Desk()
    desk.start(desk.talk.ask(AT))
    desk.talk.received(left)
    desk.wait(2)
    assert ((Direction.FROM_MODEM, left) in desk.logged) is bool(left)
