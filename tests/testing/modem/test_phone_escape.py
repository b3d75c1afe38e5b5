"""How one gets back from a call to command state, and hangs up: three pluses, DTR."""

from __future__ import annotations

import pytest

from gateway_server.testing.modem.phone import State
from tests.testing.dialling import NUMBER, Desk, dialled


def escaped(*call: str) -> Desk:
    desk, _ = dialled(*call)
    desk.wait(2)
    assert desk.say(b"+++", 2) == b"+++\r\nOK\r\n"
    return desk


def test_three_pluses_reach_the_meter_and_command_state() -> None:
    desk = escaped()
    assert bytes(desk.parrot.heard) == b"+++"
    assert desk.modem.state is State.ESCAPED
    assert desk.modem.off_hook


def test_what_the_meter_says_meanwhile_comes_when_one_is_back_on_line() -> None:
    desk = escaped()
    desk.parrot.deliver(b"late")
    desk.wait(1)
    assert desk.take() == b""
    assert desk.ask("ATO") == b"\r\nCONNECT 9600\r\nlate"
    assert desk.say(b"x", 1) == b"x"


def test_nobody_is_on_line_behind_ato_without_a_call() -> None:
    desk = Desk()
    desk.quiet()
    assert desk.ask("ATO") == b"\r\nNO CARRIER\r\n"


def test_lost_escape_leaves_the_commands_to_the_meter() -> None:
    desk, _ = dialled("escape_lost=1")
    desk.wait(2)
    assert desk.say(b"+++", 2) == b"+++"
    assert desk.ask("ATH", 2) == b"ATH\r"
    desk.wait(2)
    assert desk.say(b"+++", 2).endswith(b"\r\nOK\r\n")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("ok", b"\r\nOK\r\n"),
        ("no-carrier-ok", b"\r\nNO CARRIER\r\n\r\nOK\r\n"),
        ("ok-no-carrier", b"\r\nOK\r\n\r\nNO CARRIER\r\n"),
        ("no-carrier", b"\r\nNO CARRIER\r\n"),
        ("none", b""),
    ],
)
def test_hanging_up_is_answered_in_many_ways_and_ends_the_call_in_each(how: str, said: bytes) -> None:
    desk = Desk(call=() if how == "ok" else (f"hang_up={how}",))
    desk.online()
    desk.wait(2)
    desk.say(b"+++", 2)
    assert desk.ask("ATH", 1) == said
    assert not desk.modem.off_hook
    assert desk.parrot.lost_times == 1
    assert not desk.port.carrier
    assert desk.ask("ATH") == b"\r\nOK\r\n"


def test_hanging_up_costs_what_was_on_line() -> None:
    desk = escaped()
    desk.ask("ATH")
    assert desk.modem.calls[0].online_s == pytest.approx(130 - 20 + 4.1, abs=0.2)
    assert desk.modem.calls[0].result == "hung up"


def test_caller_leaves_when_he_begins_to_escape_or_drops_dtr_and_not_when_he_comes_back() -> None:
    desk = escaped()
    (call,) = desk.modem.calls
    assert call.leaving == pytest.approx(desk.clock.seconds() - 2)
    desk.ask("ATO", 5)
    desk.say(b"x", 5)
    assert call.leaving == -1
    desk.modem.dtr(on=False)
    desk.wait(2)
    assert call.leaving == pytest.approx(call.ended - 0.5)
    assert call.air_s == pytest.approx(call.online_s - 0.5)


@pytest.mark.parametrize(("mode", "off_hook", "said"), [(0, True, b""), (1, True, b"OK"), (2, False, b"OK")])
def test_dropping_dtr_does_what_the_modem_was_told(mode: int, off_hook: bool, said: bytes) -> None:
    desk = Desk()
    desk.quiet()
    desk.ask(f"AT&D{mode}")
    desk.ask(f"ATD{NUMBER}", 30)
    desk.modem.dtr(on=False)
    desk.wait(1)
    assert desk.modem.off_hook is off_hook
    assert desk.take().strip() == said
    assert desk.modem.state is (State.ONLINE, State.ESCAPED, State.COMMAND)[mode]


def test_short_drop_of_dtr_means_nothing_and_a_three_wire_cable_carries_none() -> None:
    desk = Desk()
    desk.online()
    desk.modem.dtr(on=False)
    desk.wait(0.3)
    desk.modem.dtr(on=True)
    desk.wait(2)
    assert desk.modem.off_hook
    wired = Desk("no_lines")
    wired.online()
    wired.modem.dtr(on=False)
    wired.wait(2)
    assert wired.modem.off_hook
