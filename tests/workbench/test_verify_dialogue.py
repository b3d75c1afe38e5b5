"""A profile's replies against those that a meter got."""

from __future__ import annotations

from gateway_server.workbench.verify import Check
from gateway_server.workbench.verify_profile import verify_capture
from tests.codec.meter_profile.profiles import codec_of
from tests.workbench.test_verify_profile import capture

PUSHED = """
        reads: meter_profile
        framing: {name: frame, start: AA, header: [{name: kind, type: u8}], size: 5}
        messages:
          - {name: hello, when: {kind: 1}, fields: [{name: serial, type: text}], identify: {serial: serial}}
          - {name: hour, when: {kind: 2}, fields: [{name: number, type: u8}, {name: volume, type: u16}],
             rows: {order_number: number, values: {value: volume, quantity: pressure}}}
          - {name: welcome, from: gateway, when: {kind: 0x81}, fields: [{name: address, type: u24}]}
          - {name: ok, from: gateway, when: {kind: 0x82}, fields: [{name: number, type: u24}]}
        variables: {station: {from: address, start: 1}}
        answer:
          - listen:
              on:
                - {message: hello, reply: {send: welcome, with: {address: station}}}
                - {message: hour, reply: {send: ok, with: {number: number}}}
"""
HELLO, HOUR, NEXT_HOUR = "< AA 01 31 32 33", "< AA 02 07 00 10", "< AA 02 08 00 11"
WELCOME, OK, NEXT_OK = "> AA 81 00 00 05", "> AA 82 00 00 07", "> AA 82 00 00 08"


def replies(*lines: str, profile: str = PUSHED) -> Check:
    """The check of the replies; every other check is met."""
    heard = capture(*(f"2026-08-22T07:00:0{number}.000Z {line}" for number, line in enumerate(lines)))
    checks = {check.name: check for check in verify_capture(codec_of(profile), heard).checks}
    assert [name for name, check in checks.items() if not check.ok] in ([], ["replies"])
    return checks["replies"]


def test_replies_are_those_that_the_meter_got() -> None:
    check = replies(HELLO, WELCOME, HOUR, OK, NEXT_HOUR, NEXT_OK)
    assert (check.ok, check.detail) == (True, "3 of 3 are those that the meter got")


def test_replies_need_not_come_at_once() -> None:
    assert replies(HELLO, HOUR, NEXT_HOUR, WELCOME, OK, NEXT_OK).ok


def test_reply_with_another_number_is_told_with_both() -> None:
    check = replies(
        HELLO, WELCOME, HOUR, OK, NEXT_HOUR, NEXT_OK, profile=PUSHED.replace("number: number}", "number: volume}")
    )
    assert not check.ok
    assert check.detail == (
        "1 of 3 are those that the meter got; "
        "the meter got AA 82 00 00 07 (ok) and 1 more where it would get AA 82 00 00 10 (ok) and 1 more"
    )


def test_reply_that_the_profile_does_not_know_of_and_one_that_nobody_sent_are_told() -> None:
    silent = PUSHED.replace("{message: hour, reply: {send: ok, with: {number: number}}}", "{message: hour}")
    assert replies(HELLO, WELCOME, HOUR, OK, profile=silent).detail == (
        "1 of 2 are those that the meter got; the meter got AA 82 00 00 07 (ok) where it would get nothing"
    )
    assert replies(HELLO, WELCOME, HOUR, NEXT_HOUR, NEXT_OK).detail == (
        "2 of 2 are those that the meter got; the meter got nothing where it would get AA 82 00 00 07 (ok)"
    )


def test_reply_behind_the_end_of_the_capture_is_no_difference() -> None:
    assert replies(HELLO, WELCOME, HOUR, OK, NEXT_HOUR).ok


def test_capture_of_one_direction_has_no_replies_to_check() -> None:
    check = replies(HELLO, HOUR)
    assert (check.ok, check.remark) == (True, True)
    assert check.detail == "nothing to check: the meter got no reply here, it would get 2"


def test_session_that_would_not_be_whole_is_told() -> None:
    heard = capture(f"2026-08-22T07:00:00.000Z {HOUR}", f"2026-08-22T07:00:00.000Z {HELLO}")
    checks = {check.name: check for check in verify_capture(codec_of(PUSHED), heard).checks}
    assert checks["dialogue"].detail == (
        "a session like this would not be whole: 1 message was not kept; "
        "the first: readings came before the meter said who it is"
    )


def test_protocol_that_names_no_meter_leaves_it_to_the_line_and_says_so() -> None:
    nameless = PUSHED.replace(", identify: {serial: serial}", "")
    heard = capture(f"2026-08-22T07:00:00.000Z {HOUR}")
    checks = {check.name: check for check in verify_capture(codec_of(nameless), heard).checks}
    assert "dialogue" not in checks
    assert checks["identity"].remark
    assert "its listener has to know it by registration or address" in checks["identity"].detail


def test_long_capture_is_compared_up_to_where_it_differs_for_good() -> None:
    hours = [
        line
        for number in range(1200)
        for line in (f"< AA 02 {number % 256:02X} 00 10", f"> AA 82 00 00 {number % 256:02X}")
    ]
    assert replies_at_once(HELLO, WELCOME, *hours).detail == "1201 of 1201 are those that the meter got"
    other = [line if number < 600 else line.replace("> AA 82 00", "> AA 82 01") for number, line in enumerate(hours)]
    check = replies_at_once(HELLO, WELCOME, *other)
    assert not check.ok
    assert check.detail.startswith("the first 301 are those that the meter got; then the meter got AA 82 01 00 2C (ok)")


def replies_at_once(*lines: str) -> Check:
    """The same for more lines than there are seconds in the others' minute."""
    heard = capture(*(f"2026-08-22T07:00:00.000Z {line}" for line in lines))
    return next(check for check in verify_capture(codec_of(PUSHED), heard).checks if check.name == "replies")
