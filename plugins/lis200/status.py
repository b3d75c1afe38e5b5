"""Status lists of LIS-200 devices in words (lis200.md 2.7).

A status is a list of message numbers 1 to 16 separated by spaces, ``0`` for none: 1-2 alarm, 3-8 warning, 9-14 report,
15-16 information. The texts are those of EK260/EK270 (MX) and DL210 (its manual, p. 64); where a model's texts are
unknown the number stands alone.
"""

from __future__ import annotations

import re

_LIST = re.compile(r"\d{1,2}(?: \d{1,2})*")

EK: dict[str, dict[int, str]] = {
    "St.Sy": {
        1: "restart",
        3: "data restored",
        4: "low supply voltage",
        5: "data error",
        7: "software error",
        8: "settings error",
        9: "battery life below limit",
        10: "revision mode on",
        11: "clock not set",
        13: "interface active",
        14: "remote time synchronisation started",
        15: "running on battery",
        16: "summer time",
    },
    "St.1": {
        2: "input 1 error",
        4: "output 1 error",
        6: "W warning limit",
        11: "encoder error",
        14: "calibration lock open",
        15: "additional call window active",
        16: "call window 1 active",
    },
    "St.2": {
        4: "output 2 error",
        5: "pulse comparison error input 2",
        6: "Qb warning limits",
        8: "warning signal input 2",
        13: "report signal input 2",
        14: "manufacturer lock open",
        16: "call window 2 active",
    },
    "St.3": {
        4: "output 3 error",
        8: "warning signal input 3",
        13: "report signal input 3",
        14: "supplier lock open",
    },
    "St.4": {
        1: "Qm alarm limits",
        4: "output 4 error",
        6: "Qm warning limits",
        14: "customer lock open",
    },
    "St.5": {1: "C cannot be computed", 2: "T sensor signal out of range"},
    "St.6": {1: "T alarm limits", 2: "p sensor signal out of range", 6: "T warning"},
    "St.7": {1: "p alarm limits", 6: "p warning"},
    "St.8": {1: "K cannot be computed"},
    "St.9": {1: "z cannot be computed"},
}
EK280: dict[str, dict[int, str]] = {
    **EK,
    "St.3": {**EK["St.3"], 16: "call window 3 active"},
    "St.4": {**EK["St.4"], 16: "call window 4 active"},
    "St.5": {**EK["St.5"], 16: "call window 5 active"},
    "St.6": {**EK["St.6"], 16: "call window 6 active"},
}
DL: dict[str, dict[int, str]] = {
    "St.Sy": {
        1: "restart",
        3: "data restored",
        8: "settings error",
        9: "battery low",
        11: "clock not set",
        13: "online",
        15: "battery operation",
        16: "daylight saving time",
    },
    "St.1": {6: "warning limit", 8: "warning signal", 14: "calibration lock open", 16: "call window 1 active"},
    "St.2": {6: "warning limit", 8: "warning signal", 14: "manufacturer lock open", 16: "call window 2 active"},
    "St.3": {6: "warning limit", 8: "warning signal", 14: "supplier lock open", 16: "call window 3 active"},
    "St.4": {6: "warning limit", 8: "warning signal", 14: "customer lock open", 16: "call window 4 active"},
}

_TABLES = {"EK280": EK280, "EK290": EK280}


def canonical(name: str) -> str:
    """A status column's name in one spelling: ``St.2``, ``St.Sy``, ``Stat``; others are left as they are."""
    bare = name.strip().replace(" ", "").replace("_", ".").rstrip(".")
    found = re.fullmatch(r"(?:St|S)\.?(\d+|Sy)", bare, re.IGNORECASE)
    if found:
        return f"St.{'Sy' if found[1].lower() == 'sy' else int(found[1])}"
    return "Stat" if bare.lower() in ("stat", "status", "st") else name


def numbers(text: str) -> tuple[int, ...] | None:
    """The message numbers in a status list, none for ``0``; None if the text is no such list."""
    if not _LIST.fullmatch(text):
        return None
    found = tuple(int(part) for part in text.split())
    return found if found != (0,) else ()


def severity(number: int) -> str:
    """What kind of message a number is, the same in every status."""
    if number <= 2:
        return "alarm"
    if number <= 8:
        return "warning"
    return "report" if number <= 14 else "information"


def meaning(status: str, number: int, model: str = "") -> str:
    """The text of one message of one status, empty where it is unknown."""
    table = _TABLES.get(model[:5], DL if model.startswith("DL") else EK)
    name = canonical(status)
    if name == "Stat":
        return ""
    return table.get(name, {}).get(number, "")


def in_words(status: str, text: str, model: str = "") -> str:
    """A status list in words: ``6 warning: Qm warning limits, 14 report: customer lock open``; empty for none."""
    parts = []
    for number in numbers(text) or ():
        known = meaning(status, number, model)
        parts.append(f"{number} {severity(number)}" + (f": {known}" if known else ""))
    return ", ".join(parts)
