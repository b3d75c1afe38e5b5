"""Phone numbers: what may reach a modem, which two are one, and how much of one a log may show."""

from __future__ import annotations

import re

from gateway_server.errors import OperatorError

SHOWN_DIGITS = 4
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_IN_TEXT = re.compile(rb"\+?[0-9]{7,}")
_PIN = re.compile(rb"(?i)(PIN\s*=[\s\"]*)([0-9]+)")
EMERGENCY = frozenset(
    {"112", "911", "000", "08", "110", "118", "119", "999"}
    | {f"{first}{last}" for first in ("0", "10") for last in "1234"}
)
"""3GPP TS 22.101 clause 10.1.1 (what a phone without a SIM takes for an emergency); Russia's 01 to 04, 101 to 104."""


def checked(number: str) -> str:
    """The number, if it is one and nothing else: whatever else reached a modem would be a command of somebody's.

    Raises `OperatorError`.
    """
    if not _NUMBER.fullmatch(number):
        raise OperatorError(
            f"{masked(number)!r} is no phone number: write 3 to 20 digits, behind a + for the international form"
        )
    if is_emergency(number):
        raise OperatorError(
            f"{number} is an emergency number, and no meter's: an automatic dialler must not call it; correct the route"
        )
    return number


def is_emergency(number: str) -> bool:
    """Whether people in need call it: no automatic dialler may, whatever stands in a register."""
    return number.removeprefix("+") in EMERGENCY


def same_number(one: str, other: str, last_digits: int = 10) -> bool:
    """Whether two numbers are one: their last digits are compared, because 8 916 ... is +7 916 ...

    Shorter ones have to be equal.
    """
    first, second = _digits(one), _digits(other)
    if not first or not second:
        return False
    if last_digits <= 0 or len(first) < last_digits or len(second) < last_digits:
        return first == second
    return first[-last_digits:] == second[-last_digits:]


def masked(number: str) -> str:
    """The number for a log: its last four digits."""
    shown = number[-SHOWN_DIGITS:] if len(number) > SHOWN_DIGITS else ""
    return "*" * (len(number) - len(shown)) + shown


def masked_bytes(data: bytes) -> bytes:
    """The same for numbers anywhere in what a modem said, and of the same length; of a PIN no digit is left."""
    data = _PIN.sub(lambda found: found[1] + b"*" * len(found[2]), data)
    return _IN_TEXT.sub(lambda found: b"*" * (len(found[0]) - SHOWN_DIGITS) + found[0][-SHOWN_DIGITS:], data)


def _digits(number: str) -> str:
    return re.sub(r"[^0-9]", "", number)
