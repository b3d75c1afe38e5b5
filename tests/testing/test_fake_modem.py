"""A simulated modem at its command line."""

from __future__ import annotations

import pytest

from gateway_server.testing.modem.phone import State
from tests.testing.dialling import NUMBER, Desk


def test_echo_is_still_on_for_the_line_that_turns_it_off() -> None:
    desk = Desk()
    assert desk.ask("ATE0") == b"ATE0\r\r\nOK\r\n"
    assert desk.ask("AT") == b"\r\nOK\r\n"
    assert desk.ask("ATZ") == b"\r\nOK\r\n"
    assert desk.ask("AT") == b"AT\r\r\nOK\r\n", "a reset brings the echo back"


def test_echo_may_stay_whatever_is_asked() -> None:
    desk = Desk("echo_stays")
    desk.ask("ATE0")
    assert desk.ask("AT") == b"AT\r\r\nOK\r\n"


def test_command_is_found_behind_rubbish_and_a_line_without_one_is_not_answered() -> None:
    desk = Desk()
    desk.quiet()
    assert desk.ask("~~xAT") == b"\r\nOK\r\n"
    assert desk.ask("hello") == b""
    assert desk.ask("") == b""
    assert desk.ask("at") == b"\r\nOK\r\n"


def test_backspace_takes_a_character_back() -> None:
    desk = Desk()
    desk.quiet()
    assert desk.say(b"ATX\x08\r") == b"\r\nOK\r\n"


def test_command_cut_anywhere_is_one_command() -> None:
    desk = Desk()
    desk.quiet()
    for byte in b"AT+CSQ":
        assert desk.say(bytes((byte,))) == b""
    assert desk.say(b"\r") == b"\r\n+CSQ: 18,99\r\n\r\nOK\r\n"


def test_lines_without_end_are_cut_and_nothing_grows() -> None:
    desk = Desk()
    desk.quiet()
    desk.say(b"A" * 100_000)
    assert desk.ask("") == b""
    assert desk.ask("AT") == b"\r\nOK\r\n"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("ATE0V1Q0X4", b"\r\nOK\r\n"),
        ("AT&C1&D2S0=0S7=60", b"\r\nOK\r\n"),
        ("ATS7?", b"\r\n060\r\n\r\nOK\r\n"),
        ("ATI", b"\r\nGSM CSD modem\r\n\r\nOK\r\n"),
        ("ATX9", b"\r\nERROR\r\n"),
        ("ATS7=300", b"\r\nERROR\r\n"),
        ("ATS99=1", b"\r\nERROR\r\n"),
        ("AT&D7", b"\r\nERROR\r\n"),
        ("AT%", b"\r\nERROR\r\n"),
        ("ATG", b"\r\nERROR\r\n"),
        ("ATD", b"\r\nERROR\r\n"),
        ("ATDHELLO", b"\r\nERROR\r\n"),
        ("ATDL", b"\r\nERROR\r\n"),
        ("ATA", b"\r\nERROR\r\n"),
        ("ATH", b"\r\nOK\r\n"),
        ("AT+CMEE=1;+CRC=1;+CSQ", b"\r\n+CSQ: 18,99\r\n\r\nOK\r\n"),
    ],
)
def test_command_line_is_answered(command: str, answer: bytes) -> None:
    desk = Desk()
    desk.quiet()
    assert desk.ask(command) == answer


def test_registers_and_switches_are_kept_and_stored_only_when_asked() -> None:
    desk = Desk()
    desk.quiet()
    desk.ask("ATS7=90X1")
    assert desk.ask("ATS7?").startswith(b"\r\n090\r\n")
    desk.ask("ATZ")
    desk.quiet()
    assert desk.ask("ATS7?").startswith(b"\r\n060\r\n")
    assert desk.modem.stores == 0
    desk.ask("ATS7=90&W")
    desk.ask("AT&F")
    desk.quiet()
    assert desk.ask("ATS7?").startswith(b"\r\n060\r\n")
    desk.ask("ATZ")
    assert desk.ask("ATS7?").startswith(b"\r\n090\r\n")
    assert desk.modem.stores == 1
    assert b"\r\nX4\r\n" in desk.ask("AT&V")


def test_stored_profile_may_speak_in_digits() -> None:
    desk = Desk("numeric_profile")
    assert desk.ask("ATE0") == b"ATE0\r0\r"
    assert desk.ask(f"ATD{NUMBER}", 30) == b"12\r"


def test_quiet_modem_says_no_results() -> None:
    desk = Desk()
    desk.quiet()
    assert desk.ask("ATQ1") == b""
    assert desk.ask("AT+CSQ") == b"\r\n+CSQ: 18,99\r\n"


def test_first_reset_after_power_up_may_fail() -> None:
    desk = Desk("first_reset_fails")
    desk.quiet()
    assert desk.ask("ATZ") == b"\r\nERROR\r\n"
    assert desk.ask("ATZ") == b"\r\nOK\r\n"


def test_rubbish_comes_when_the_port_is_opened() -> None:
    desk = Desk("rubbish_at_start")
    desk.modem.plug(desk.port)
    assert desk.take() == b"\x00\xff\x00\xfe~\x80\xff"


def test_modem_may_say_unasked_that_it_is_ready_for_calls() -> None:
    desk = Desk("call_ready", ready=False)
    desk.wait(5)
    assert desk.take() == b"\r\nCall Ready\r\n"


def test_command_that_comes_too_soon_is_not_heard() -> None:
    desk = Desk("needs_pause_s=0.5")
    desk.wait(1)
    assert desk.ask("ATE0", 0.1).endswith(b"OK\r\n")
    assert desk.ask("AT") == b""
    desk.wait(1)
    assert desk.ask("AT") == b"\r\nOK\r\n"


def test_mute_modem_says_nothing_and_one_may_fall_mute_at_its_nth_command() -> None:
    assert Desk("mute").ask("AT", 60) == b""
    desk = Desk("mute_after=3")
    assert desk.ask("ATE0").endswith(b"OK\r\n")
    assert desk.ask("AT") == b"\r\nOK\r\n"
    assert desk.ask("AT", 600) == b""
    assert desk.modem.hung


def test_modem_that_hangs_may_come_back_by_itself() -> None:
    desk = Desk("mute_after=2", "mute_s=30")
    desk.quiet()
    assert desk.ask("AT", 20) == b""
    desk.wait(15)
    assert desk.ask("AT") == b"\r\nOK\r\n"


def test_modem_left_on_line_delivers_commands_to_its_meter() -> None:
    desk = Desk(f"left_online={NUMBER}")
    assert desk.modem.state is State.ONLINE
    assert desk.ask("ATZ", 2) == b"ATZ\r"
    assert bytes(desk.parrot.heard) == b"ATZ\r"
    desk.wait(1)
    assert desk.say(b"+++", 3).endswith(b"\r\nOK\r\n")
    assert desk.ask("ATH", 1).endswith(b"\r\nOK\r\n")
    assert not desk.modem.off_hook


def test_nobody_is_left_on_line_with_an_unknown_number() -> None:
    with pytest.raises(ValueError, match="not in the phone book"):
        Desk("left_online=123")


def test_port_at_the_wrong_speed_gets_and_gives_rubbish() -> None:
    desk = Desk("fixed_speed=19200")
    desk.port.speed = 9600
    assert b"OK" not in desk.ask("AT" * 30)
    desk.port.speed = 19200
    desk.ask("")
    assert desk.ask("AT").endswith(b"\r\nOK\r\n")
    assert b"OK" not in Desk("wrong_speed").ask("AT")


def test_power_that_is_cycled_ends_everything_and_forgets_everything() -> None:
    desk = Desk()
    desk.online()
    desk.modem.cycle_power()
    assert not desk.modem.off_hook
    assert not desk.modem.powered
    assert desk.modem.calls[0].result == "power lost"
    assert desk.ask("AT", 1) == b""
    desk.wait(10)
    assert desk.ask("AT") == b"AT\r\r\nOK\r\n"
    assert desk.modem.power_cycles == 1


def test_stopped_modem_leaves_nothing_to_come() -> None:
    desk = Desk()
    desk.online()
    desk.modem.stop()
    desk.wait(2)
    assert desk.clock.getDelayedCalls() == []
