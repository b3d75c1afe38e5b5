"""Phone numbers before they reach a modem, and in logs."""

from __future__ import annotations

import pytest

from gateway_server.errors import OperatorError
from gateway_server.transports.numbers import checked, is_emergency, masked, masked_bytes, same_number


@pytest.mark.parametrize("number", ["+79161234567", "89161234567", "115"])
def test_number_is_a_number(number: str) -> None:
    assert checked(number) == number


@pytest.mark.parametrize("number", ["", "12", "+7916;", "7916\r", "7 916", "+", "1" * 21, "79161234567T", "٣٣٣٣"])
def test_whatever_else_is_refused_without_showing_it(number: str) -> None:
    with pytest.raises(OperatorError, match="no phone number"):
        checked(number)


@pytest.mark.parametrize("number", ["112", "+112", "911", "101", "102", "103", "104", "999", "000"])
def test_emergency_number_never_reaches_a_modem(number: str) -> None:
    with pytest.raises(OperatorError, match="emergency number"):
        checked(number)


def test_number_that_only_contains_an_emergency_number_is_a_meters() -> None:
    assert not any(map(is_emergency, ("1125", "5112", "+79161120112", "105")))


def test_pin_in_an_echo_does_not_show() -> None:
    assert masked_bytes(b"AT+CPIN=4321\r") == b"AT+CPIN=****\r"
    assert masked_bytes(b'\x00t+cpin="4321"') == b'\x00t+cpin="****"'
    assert masked_bytes(b"+CPIN: READY") == b"+CPIN: READY"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+79161234567", "89161234567", True),
        ("+7 (916) 123-45-67", "9161234567", True),
        ("+79161234567", "+79161234568", False),
        ("112", "112", True),
        ("112", "5112", False),
        ("", "", False),
    ],
)
def test_numbers_are_compared_by_their_last_ten_digits(one: str, other: str, *, same: bool) -> None:
    assert same_number(one, other) is same


def test_other_rule_compares_whole_numbers() -> None:
    assert not same_number("+79161234567", "89161234567", 0)
    assert same_number("+3725123", "5123", 4)


def test_log_shows_the_last_four_digits() -> None:
    assert masked("+79161234567") == "********4567"
    assert masked("112") == "***"
    assert masked("") == ""
    assert masked_bytes(b'+CLIP: "+79161234567",145\r') == b'+CLIP: "********4567",145\r'
    assert masked_bytes(b"+CSQ: 18,99") == b"+CSQ: 18,99"
