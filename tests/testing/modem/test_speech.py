"""What a modem says, and in which form."""

from __future__ import annotations

import random

from twisted.internet.task import Clock

from gateway_server.testing.modem.faults import modem_faults
from gateway_server.testing.modem.results import Result
from gateway_server.testing.modem.settings import Settings
from gateway_server.testing.modem.speech import Speech
from gateway_server.testing.modem.wire import Wire
from tests.testing.dialling import MemoryPort


def speaking(*faults: str) -> tuple[Speech, Clock, MemoryPort]:
    clock, port = Clock(), MemoryPort()
    wire = Wire(clock, random.Random(1))
    wire.plug(port)
    return Speech(clock, wire, Settings(), modem_faults(faults)), clock, port


def reply(speech: Speech, clock: Clock, port: MemoryPort) -> bytes:
    speech.reply(["+CSQ: 18,99"], speech.result(Result.OK), 1)
    clock.advance(1)
    said = bytes(port.said)
    port.said.clear()
    return said


def test_information_comes_before_its_result_after_a_moment() -> None:
    speech, clock, port = speaking()
    speech.reply(["+CSQ: 18,99"], speech.result(Result.OK), 1)
    assert port.said == b""
    clock.advance(0.02)
    assert port.said == b"\r\n+CSQ: 18,99\r\n\r\nOK\r\n"
    assert speech.result_at == 0.02


def test_information_may_come_behind_its_result() -> None:
    assert reply(*speaking("text_after_ok")) == b"\r\nOK\r\n\r\n+CSQ: 18,99\r\n"


def test_something_nobody_asked_for_stands_in_every_nth_reply() -> None:
    speech, clock, port = speaking("urc_every=2", "ring_every=3")
    said = [reply(speech, clock, port) for _ in range(3)]
    assert said == [
        b"\r\n+CSQ: 18,99\r\n\r\nOK\r\n",
        b"\r\n+CSQ: 18,99\r\n\r\n+CREG: 1\r\n\r\nOK\r\n",
        b"\r\n+CSQ: 18,99\r\n\r\nRING\r\n\r\nOK\r\n",
    ]


def test_refusal_is_as_detailed_as_was_asked_for() -> None:
    speech, _, _ = speaking()
    said = []
    for mode in "012":
        speech.settings.plus["CMEE"] = mode
        said.append(speech.error(14))
    assert said == [b"\r\nERROR\r\n", b"\r\n+CME ERROR: 14\r\n", b"\r\n+CME ERROR: SIM busy\r\n"]


def test_mute_modem_says_nothing() -> None:
    speech, clock, port = speaking()
    speech.mute = True
    assert reply(speech, clock, port) == b""


def test_port_at_another_speed_hears_rubbish() -> None:
    speech, clock, port = speaking()
    speech.settings.plus["IPR"] = "19200"
    port.speed = 9600
    assert speech.wrong_speed
    assert b"OK" not in reply(speech, clock, port)
    port.speed = 19200
    assert not speech.wrong_speed


def test_in_digits_information_has_no_line_end_before_it() -> None:
    speech, clock, port = speaking()
    speech.settings.basic["V"] = 0
    assert reply(speech, clock, port) == b"+CSQ: 18,99\r\n0\r"


def test_what_it_says_may_come_octet_by_octet() -> None:
    speech, clock, port = speaking("piecemeal")
    speech.say(b"\r\nOK\r\n")
    assert port.said == b"\r"
    clock.pump([0.005] * 2)
    assert port.said == b"\r\nO"
    clock.pump([0.005] * 3)
    assert port.said == b"\r\nOK\r\n"
