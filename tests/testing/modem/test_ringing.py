"""Calls that come in."""

from __future__ import annotations

from tests.testing.dialling import NUMBER, Desk


def ringing(*settings: str, bearer: bool = True, rings: int = 3, goes_quietly: bool = True) -> Desk:
    desk = Desk()
    desk.quiet()
    for setting in settings:
        assert desk.ask(setting) == b"\r\nOK\r\n"
    assert desk.modem.ring(desk.subscriber, bearer=bearer, rings=rings, goes_quietly=goes_quietly)
    return desk


def test_modem_rings_every_five_seconds_until_the_caller_gives_up_without_a_word() -> None:
    desk = ringing()
    assert desk.port.ring
    desk.wait(60)
    assert desk.take() == b"\r\nRING\r\n" * 3
    assert not desk.port.ring


def test_some_networks_say_that_the_caller_has_gone() -> None:
    desk = ringing(rings=1, goes_quietly=False)
    desk.wait(60)
    assert desk.take() == b"\r\nRING\r\n\r\nNO CARRIER\r\n"


def test_kind_of_call_and_callers_number_are_said_if_asked_for() -> None:
    desk = ringing("AT+CRC=1", "AT+CLIP=1", rings=1)
    assert desk.take() == f'\r\n+CRING: REL ASYNC\r\n\r\n+CLIP: "{NUMBER}",145\r\n'.encode("ascii")


def test_call_without_bearer_is_voice_unless_the_modem_was_told_otherwise() -> None:
    assert ringing("AT+CRC=1", bearer=False).take() == b"\r\n+CRING: VOICE\r\n"
    assert ringing("AT+CRC=1", "AT+CSNS=4", bearer=False).take() == b"\r\n+CRING: REL ASYNC\r\n"


def test_voice_call_that_is_answered_gives_ok_and_no_carrier_comes() -> None:
    desk = ringing(bearer=False)
    desk.take()
    assert desk.ask("ATA", 30) == b"\r\nOK\r\n"
    assert desk.parrot.answered == 0


def test_answered_call_connects_and_carries_data() -> None:
    desk = ringing()
    desk.take()
    assert desk.ask("ATA", 10) == b"\r\nCONNECT 9600\r\n"
    assert desk.say(b"/?!\r\n", 2) == b"/?!\r\n"
    assert desk.modem.calls[0].inbound
    assert desk.port.carrier


def test_modem_with_s0_answers_by_itself() -> None:
    desk = ringing("ATS0=2")
    desk.wait(20)
    assert desk.take() == b"\r\nRING\r\n\r\nRING\r\n\r\nCONNECT 9600\r\n"


def test_modem_without_dtr_does_not_answer_by_itself() -> None:
    desk = Desk()
    desk.quiet()
    desk.ask("ATS0=1")
    desk.modem.dtr(on=False)
    desk.modem.ring(desk.subscriber, rings=2)
    desk.wait(60)
    assert desk.take() == b"\r\nRING\r\n" * 2


def test_answering_a_caller_who_has_gone_is_an_error() -> None:
    desk = ringing(rings=1)
    desk.wait(20)
    desk.take()
    assert desk.ask("ATA") == b"\r\nERROR\r\n"


def test_dialling_into_a_ring_finds_no_carrier() -> None:
    desk = ringing()
    desk.take()
    assert desk.ask(f"ATD{NUMBER}") == b"\r\nNO CARRIER\r\n"


def test_modem_in_a_call_is_not_rung() -> None:
    desk = Desk()
    desk.online()
    assert not desk.modem.ring(desk.subscriber)
