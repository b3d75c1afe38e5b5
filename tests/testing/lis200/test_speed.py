"""A simulated meter's own speed: another is not heard, and an optical head changes as IEC 62056-21 mode C says."""

from __future__ import annotations

import os
import pty
import termios

import pytest

from gateway_server.testing.lis200.speed import FakeSpeed, speed_of

SIGN_ON = b"/?!\r\n"


def test_meter_hears_its_own_speed_only() -> None:
    speed = FakeSpeed(9600)
    assert speed.heard(SIGN_ON, 19200) is None
    assert speed.heard(SIGN_ON, 9600) is not None


def test_request_takes_its_time_on_the_line_and_the_meter_its_reaction() -> None:
    waits = FakeSpeed(300).heard(SIGN_ON, 300)
    assert waits == pytest.approx(5 * 10 / 300 + 0.2)


@pytest.mark.parametrize("option", [b"\x06051\r\n", b"\x0605\xb1\x8d\n"])  # plain, and with even parity
def test_optical_head_changes_as_the_option_select_says_and_back_behind_the_sign_off(option: bytes) -> None:
    speed = FakeSpeed(300)
    speed.heard(option[:3], 300)
    speed.heard(option[3:], 300)
    assert speed.baud == 9600
    assert speed.said(b"\x01P0", 9600) == b"\x01P0"
    speed.heard(b"\x01B0\x03q", 9600)
    assert speed.baud == 300


def test_wire_of_a_fixed_speed_stays_at_it() -> None:
    speed = FakeSpeed(19200)
    speed.heard(b"\x06051\r\n", 19200)
    assert speed.baud == 19200


def test_who_listens_at_another_speed_gets_rubbish() -> None:
    heard = FakeSpeed(300).said(b"/Els6EK270\r\n", 19200)
    assert heard
    assert not any(octet in b"/Els6EK270\r\n" for octet in heard)


def test_head_that_was_left_begins_anew() -> None:
    speed = FakeSpeed(300)
    speed.heard(b"\x06061\r\n", 300)
    speed.fall_back()
    assert speed.baud == 300


def test_speed_of_a_terminal_is_what_was_set_there() -> None:
    ours, theirs = pty.openpty()
    try:
        settings = termios.tcgetattr(theirs)
        settings[4] = settings[5] = termios.B4800
        termios.tcsetattr(theirs, termios.TCSANOW, settings)
        assert speed_of(theirs) == 4800
    finally:
        os.close(ours)
        os.close(theirs)
