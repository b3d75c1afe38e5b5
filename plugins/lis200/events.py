"""Event codes of LIS-200 logbooks and archive rows: the 16-bit rule in words (lis200.md 2.8).

Bit 15 clear: a status message. Low byte: status number. Bit 13: appears (else disappears). Bit 12: not an instance's
status but the system's (02) or the overall one (01). Bits 8-11: message number less one. Bit 15 set: an archive's or
clock's own event. The rule is inferred from a table of some 90 codes and checked against the EK280 manual.
"""

from __future__ import annotations

import re

from .status import meaning

EVENT = re.compile(r"0x[0-9A-Fa-f]{4}")

ARCHIVE_EVENTS = {
    0x8004: "clock set back",
    0x8101: "month boundary",  # general knowledge, not confirmed
    0x8102: "day boundary 1",  # general knowledge, not confirmed
    0x8103: "day boundary (gas day)",
    0x8104: "end of measurement period",
    0x8203: "relevant value changed: row after the change",
    0x8303: "relevant value changed: row before the change",
    0x8503: "freeze command",
}


def regular(code: str) -> bool:
    """Whether an archive row with this event belongs to the regular grid: ends of periods, days and months do."""
    return code[:4].lower() == "0x81"


def message_of(code: str) -> tuple[int, str, bool] | None:
    """Message number, status (``St.4``, ``St.Sy``, ``Stat``) and whether it appears; None for other events."""
    if not EVENT.fullmatch(code):
        return None
    value = int(code, 16)
    if value & 0xC000:
        return None
    instance = value & 0xFF
    if not value & 0x1000:
        status = f"St.{instance}"
    elif instance == 2:
        status = "St.Sy"
    elif instance == 1:
        status = "Stat"
    else:
        return None
    return ((value >> 8) & 0x0F) + 1, status, bool(value & 0x2000)


def in_words(code: str, model: str = "") -> str:
    """What an event code says; empty when nobody knows, the raw code stays beside it."""
    found = message_of(code)
    if found is not None:
        number, status, appears = found
        text = meaning(status, number, model)
        verb = "appears" if appears else "disappears"
        return f"message {number} {verb} in {status}" + (f": {text}" if text else "")
    return ARCHIVE_EVENTS.get(int(code, 16), "") if EVENT.fullmatch(code) else ""
