"""The error codes of a LIS-200 device as errors with their meaning and what to do (lis200.md 2.2)."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_server.errors import MeterRefused


class Lis200Refused(MeterRefused):
    """The device answered with an error telegram. ``code`` is four digits as on the wire, ``advice`` what to do."""

    def __init__(self, code: str, *, asked: str = "", meter: str = "") -> None:
        known = CODES.get(number(code))
        self.asked = asked
        self.advice = known.advice if known else "report this code with the session's log"
        meaning = known.meaning if known else "a code that is not in the documentation"
        who = f"meter {meter}" if meter else "the meter"
        about = f" when asked {asked}" if asked else ""
        super().__init__(f"{who} answers #{code}{about}: {meaning}; {self.advice}", code=code, meaning=meaning)


class Absent(Lis200Refused):
    """This device has no such address, object, attribute, archive or column."""


class NothingThere(Lis200Refused):
    """The archive has no rows in the range asked for: not a fault."""


class NotAllowed(Lis200Refused):
    """A lock is in the way, or the code for it is wrong."""


class BadInput(Lis200Refused):
    """The device did not accept the telegram or a value in it."""


class RowDamaged(Lis200Refused):
    """The row asked for was overwritten meanwhile, or the device's own check of it fails: the others can be read."""


class DeviceFault(Lis200Refused):
    """The device failed at something of its own."""


@dataclass(frozen=True, slots=True)
class Code:
    """What one error number means."""

    meaning: str
    advice: str
    kind: type[Lis200Refused]


_SKIP = "this model or software version does not have it, it is left out"
_LOCK = "store the right code with `meter add SERIAL --password-file FILE`"
_REPORT = "report it with the session's log"
_RANGE = "nothing to do"

CODES = {
    1: Code("unknown address", _SKIP, Absent),
    2: Code("object not available", _SKIP, Absent),
    3: Code("entity of the object not available", _SKIP, Absent),
    4: Code("unknown attribute", _SKIP, Absent),
    5: Code("attribute not available for the object", _SKIP, Absent),
    6: Code("value out of range", _REPORT, BadInput),
    9: Code("a constant cannot be written", _REPORT, BadInput),
    11: Code("no value range, input not allowed", _REPORT, BadInput),
    13: Code("wrong input", _REPORT, BadInput),
    14: Code("unknown unit code", _REPORT, BadInput),
    17: Code("wrong access code", _LOCK, NotAllowed),
    18: Code("no read authorisation", "a lock has to be open: " + _LOCK, NotAllowed),
    19: Code("no write authorisation", "a lock has to be open: " + _LOCK, NotAllowed),
    20: Code("function locked", "ask the meter's owner to release it", NotAllowed),
    100: Code("archive number not available", _SKIP, Absent),
    101: Code("value position not available", _SKIP, Absent),
    103: Code("archive empty", _RANGE, NothingThere),
    104: Code("lower limit not found", _RANGE, NothingThere),
    105: Code("upper limit not found", _RANGE, NothingThere),
    108: Code("too many archives open at once", "read again later", DeviceFault),
    109: Code("archive entry overwritten while reading", "it is read again", RowDamaged),
    110: Code("CRC error in the record", "the row is left out, the others are read", RowDamaged),
    180: Code("source not allowed", _REPORT, BadInput),
    200: Code("telegram syntax error", _REPORT, BadInput),
    201: Code("wrong password in the telegram", _LOCK, NotAllowed),
    222: Code("EEPROM read error", "have the device checked", DeviceFault),
    223: Code("EEPROM write error", "have the device checked", DeviceFault),
    249: Code("encoder mode impossible or counter cannot be changed", _REPORT, DeviceFault),
}


def number(code: str) -> int:
    """The code as a number; -1 if it is none."""
    return int(code) if code.isascii() and code.isdecimal() else -1


def refusal(code: str, *, asked: str = "", meter: str = "") -> Lis200Refused:
    """The typed error for a code from the wire."""
    known = CODES.get(number(code))
    return (known.kind if known else Lis200Refused)(code, asked=asked, meter=meter)
