"""Dialling, being on line, hanging up."""

from __future__ import annotations

import pytest

from gateway_server.testing.modem.phone import State
from tests.testing.dialling import NUMBER, Desk, dialled


def cause(desk: Desk) -> bytes:
    return desk.ask("AT+CEER").split(b"\r\n")[1]


# getting through


def test_call_takes_its_time_and_connects_at_9600() -> None:
    desk = Desk()
    desk.quiet()
    assert desk.ask(f"ATD{NUMBER}", 19.9) == b""
    assert desk.modem.off_hook
    desk.wait(0.2)
    assert desk.take() == b"\r\nCONNECT 9600\r\n"
    assert desk.port.carrier
    assert desk.modem.state is State.ONLINE


def test_octets_go_both_ways_through_the_air() -> None:
    desk = Desk()
    desk.online()
    assert desk.say(b"/?!\r\n", 0.6) == b"", "a round trip and twelve octets take longer"
    desk.wait(0.1)
    assert desk.take() == b"/?!\r\n"
    assert bytes(desk.parrot.heard) == b"/?!\r\n"


def test_number_that_is_not_in_the_book_is_refused_with_cause_1() -> None:
    desk = Desk()
    desk.quiet()
    assert desk.ask("ATD+79990000000", 3) == b"\r\nNO CARRIER\r\n"
    assert cause(desk) == b"+CEER: 8,1,0"
    assert desk.modem.calls[0].result == "NO CARRIER"


def test_number_in_a_call_is_busy_and_free_some_time_after_it() -> None:
    first = Desk(release_s=10)
    second = Desk(beside=first)
    first.online()
    second.quiet()
    assert second.ask(f"ATD{NUMBER}", 10) == b"\r\nBUSY\r\n"
    assert cause(second) == b"+CEER: 8,17,0"
    first.say(b"+++", 2)
    first.ask("ATH")
    assert second.ask(f"ATD{NUMBER}", 10) == b"\r\nBUSY\r\n"
    first.wait(5)
    assert second.ask(f"ATD{NUMBER}", 30) == b"\r\nCONNECT 9600\r\n"


@pytest.mark.parametrize(
    ("bearer", "reached", "result"),
    [("7", "7", b"CONNECT 9600"), ("71", "7", b"NO CARRIER"), ("7", "71", b"NO CARRIER"), ("0", "71", b"CONNECT 9600")],
)
def test_call_gets_through_on_a_bearer_that_both_ends_have(bearer: str, reached: str, result: bytes) -> None:
    desk = Desk(bearers=frozenset({reached}))
    desk.quiet()
    desk.ask(f"AT+CBST={bearer},0,1")
    assert desk.ask(f"ATD{NUMBER}", 30).strip() == result
    if result == b"NO CARRIER":
        assert cause(desk) == b"+CEER: 8,88,0"


def test_bearer_that_the_own_network_has_not_is_refused_with_cause_58() -> None:
    desk = Desk("bearers=7")
    desk.quiet()
    desk.ask("AT+CBST=71,0,1")
    assert desk.ask(f"ATD{NUMBER}", 3) == b"\r\nNO CARRIER\r\n"
    assert cause(desk) == b"+CEER: 8,58,0"


def test_modem_waits_no_longer_than_s7() -> None:
    desk = Desk(setup_s=40)
    desk.quiet()
    desk.ask("ATS7=30")
    assert desk.ask(f"ATD{NUMBER}", 29) == b""
    desk.wait(2)
    assert desk.take() == b"\r\nNO CARRIER\r\n"


@pytest.mark.parametrize("byte", [b"A", b"\r", b" "])
def test_any_byte_aborts_a_dial(byte: bytes) -> None:
    desk = Desk()
    desk.quiet()
    desk.ask(f"ATD{NUMBER}", 5)
    assert desk.say(byte) == b"\r\nNO CARRIER\r\n"
    desk.wait(60)
    assert desk.take() == b""
    assert not desk.modem.off_hook
    assert not desk.subscriber.occupied


def test_line_feed_right_behind_the_dial_aborts_nothing() -> None:
    desk = Desk()
    desk.quiet()
    assert desk.say(f"ATD{NUMBER}\r\n".encode("ascii"), 30) == b"\r\nCONNECT 9600\r\n"


def test_reset_during_a_dial_ends_the_dial_and_must_be_repeated() -> None:
    desk = Desk()
    desk.quiet()
    desk.ask(f"ATD{NUMBER}", 5)
    assert desk.ask("ATZ") == b"\r\nNO CARRIER\r\n"
    assert desk.ask("ATZ") == b"\r\nOK\r\n"


def test_some_modems_abort_without_a_word() -> None:
    desk = Desk("silent_abort")
    desk.quiet()
    desk.ask(f"ATD{NUMBER}", 5)
    assert desk.say(b"\r") == b""


def test_semicolon_makes_it_a_voice_call() -> None:
    desk = Desk()
    desk.quiet()
    assert desk.ask(f"ATD{NUMBER};", 30) == b"\r\nOK\r\n"
    assert desk.parrot.answered == 0


def test_redial_takes_the_last_number() -> None:
    desk = Desk()
    desk.online()
    desk.wait(2)
    desk.say(b"+++", 2)
    desk.ask("ATH")
    assert desk.ask("ATDL", 30) == b"\r\nCONNECT 9600\r\n"
    assert [call.number for call in desk.modem.calls] == [NUMBER] * 2


def test_second_dial_during_a_call_is_an_error() -> None:
    desk = Desk()
    desk.online()
    desk.wait(2)
    desk.say(b"+++", 2)
    assert desk.ask(f"ATD{NUMBER}") == b"\r\nERROR\r\n"


# failing to


@pytest.mark.parametrize(
    ("fault", "within", "said", "told"),
    [
        ("busy", 6, b"\r\nBUSY\r\n", b"8,17,0"),
        ("no_answer", 21, b"\r\nNO ANSWER\r\n", b"8,19,0"),
        *((f"refused={number}", 3, b"\r\nNO CARRIER\r\n", f"8,{number},0".encode("ascii"))
          for number in (50, 57, 58, 63, 65, 69, 70, 79, 88, 8, 21, 68)),
        ("no_handshake=16", 21, b"\r\nNO CARRIER\r\n", b"8,16,0"),
        ("no_dialtone", 1, b"\r\nNO DIALTONE\r\n", b"0,0,0"),
        ("error", 1, b"\r\nERROR\r\n", b"0,0,0"),
        ("cme_error=30", 1, b"\r\n+CME ERROR: 30\r\n", b"0,0,0"),
        ("answers_ok", 21, b"\r\nOK\r\n", b"0,0,0"),
        ("delayed", 1, b"\r\nDELAYED\r\n", b"0,0,0"),
        ("blacklisted", 1, b"\r\nBLACKLISTED\r\n", b"0,0,0"),
    ],
)  # fmt: skip
def test_call_that_fails_says_how_and_why(fault: str, within: float, said: bytes, told: bytes) -> None:
    desk = Desk(call=(fault,))
    desk.quiet()
    desk.ask("AT+CMEE=1")
    assert desk.ask(f"ATD{NUMBER}", within) == said
    assert cause(desk) == b"+CEER: " + told
    assert not desk.modem.off_hook
    assert desk.modem.calls[0].result == said.strip().decode("ascii")


def test_call_that_fails_after_its_time_does_not_fail_at_once() -> None:
    assert dialled("no_handshake=31", seconds=19)[1] == b""
    assert dialled("no_answer", seconds=19)[1] == b""


def test_silent_dial_gives_no_result_and_a_byte_ends_it() -> None:
    desk, said = dialled("silence", seconds=600)
    assert said == b""
    assert desk.say(b"\r") == b"\r\nNO CARRIER\r\n"


def test_late_connect_comes_although_s7_is_long_over() -> None:
    desk, said = dialled("late_connect_s=120", seconds=100)
    assert said == b""
    desk.wait(41)
    assert desk.take() == b"\r\nCONNECT 9600\r\n"


# getting through, oddly


def test_connect_may_come_without_speed_or_with_noise_behind_it() -> None:
    assert dialled("connect_without_speed")[1] == b"\r\nCONNECT\r\n"
    said = dialled("noise_at_connect")[1]
    assert said.startswith(b"\r\nCONNECT 9600\r\n")
    assert len(said) > len(b"\r\nCONNECT 9600\r\n")
    assert dialled(faults=("connect_suffix=/RLP",))[1] == b"\r\nCONNECT 9600/RLP\r\n"


def test_silent_far_end_answers_nothing_and_a_garbled_one_nothing_sound() -> None:
    desk, _ = dialled("far_silent")
    assert desk.say(b"/?!\r\n", 10) == b""
    desk, _ = dialled("far_garbled")
    said = desk.say(bytes(100), 10)
    assert len(said) == 100
    assert said != bytes(100)


def test_modems_words_may_stand_within_the_meters_data() -> None:
    desk, _ = dialled("no_carrier_in_data=3")
    assert desk.say(b"abcdef", 2) == b"abc\r\nNO CARRIER\r\ndef"
    assert desk.modem.off_hook
    desk, _ = dialled("ring_in_data=3")
    assert desk.say(b"abcdef", 2) == b"abc\r\nRING\r\ndef"


# losing the carrier


def test_carrier_lost_behind_the_nth_byte_is_said_and_shown() -> None:
    desk, _ = dialled("lost_after=30")
    assert desk.say(bytes(100), 5) == bytes(30) + b"\r\nNO CARRIER\r\n"
    assert not desk.port.carrier
    assert desk.parrot.lost_times == 1
    assert desk.ask("AT") == b"\r\nOK\r\n"
    assert desk.modem.calls[0].received == 30


def test_carrier_may_be_lost_without_a_word() -> None:
    desk, _ = dialled("lost_silently_after=30")
    assert desk.say(bytes(100), 5) == bytes(30)
    assert not desk.port.carrier


def test_dcd_may_stay_when_the_carrier_is_lost() -> None:
    desk = Desk(call=())
    desk.subscriber.faults = Desk(call=("lost_after=30", "carrier_stuck")).subscriber.faults
    desk.online()
    desk.say(bytes(100), 5)
    assert desk.port.carrier
    assert not desk.modem.off_hook


def test_far_end_that_hangs_up_is_heard_to_its_last_octet() -> None:
    desk, _ = dialled()
    desk.parrot.deliver(b"goodbye")
    desk.parrot.hang_up()
    desk.wait(1)
    assert desk.take() == b"goodbye\r\nNO CARRIER\r\n"


# a conversation


def test_turns_of_a_conversation_are_counted() -> None:
    desk = Desk()
    desk.online()
    for said in (b"a", b"b", b"c"):
        desk.say(said, 2)
    desk.say(b"d", 0.1)
    desk.say(b"e", 0.1)
    assert desk.modem.calls[0].turns == 4, "d and e are one: nothing was heard between them"


# its carrier


def test_dcd_follows_the_carrier_or_is_always_on() -> None:
    desk = Desk()
    desk.quiet()
    shown = [desk.port.carrier]
    for command in ("AT&C0", "AT&C1"):
        desk.ask(command)
        shown.append(desk.port.carrier)
    assert shown == [False, True, False]
    assert Desk("no_lines").port.carrier


# troubles that come with calls


def test_registration_may_be_lost_with_the_nth_call_and_a_restart_brings_it_back() -> None:
    desk = Desk("registration_lost_after=1")
    desk.online()
    desk.wait(2)
    desk.say(b"+++", 2)
    desk.ask("ATH")
    assert b"+CREG: 0,2" in desk.ask("AT+CREG?")
    assert desk.ask(f"ATD{NUMBER}") == b"\r\nNO DIALTONE\r\n"
    desk.ask("AT+CFUN=1,1")
    desk.wait(20)
    assert b"+CREG: 0,1" in desk.ask("AT+CREG?")


def test_modem_is_unplugged_behind_the_nth_byte() -> None:
    desk, _ = dialled("unplugged_after=10")
    desk.say(bytes(100), 5)
    assert desk.port.unplugged == [10.0]


@pytest.mark.parametrize("point", ["dialling", "connected", "online", "escape", "hang-up"])
def test_modem_may_hang_at_any_point_until_its_power_is_cycled(point: str) -> None:
    desk, _ = dialled(f"hangs={point}")
    desk.wait(2)
    desk.say(b"+++", 2)
    desk.ask("ATH", 2)
    assert desk.modem.hung
    assert desk.ask("AT", 600) == b""
    desk.modem.cycle_power()
    desk.wait(10)
    assert desk.ask("AT").endswith(b"\r\nOK\r\n")
    assert not desk.modem.off_hook
    assert not desk.subscriber.occupied
