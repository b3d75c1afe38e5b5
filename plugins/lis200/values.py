"""Values as LIS-200 devices print them: numbers, times, units, escapes, and characters of 8 bits (lis200.md 2.1)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal

from gateway_server.model import Value

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?|[+-]?\.\d+", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d,\d\d:\d\d:\d\d", re.ASCII)
_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})")
_CODE_PAGES = ("cp1251", "cp866", "koi8_r")
_UNITS = {"м3": "m3", "м³": "m3", "m³": "m3", "м3/ч": "m3/h", "m³/h": "m3/h", "{C": "°C", "бар": "bar", "кПа": "kPa"}


def characters(text: str) -> str:
    """Text of 8-bit characters (one per octet) in the Russian code page that makes the most letters of it."""
    if text.isascii():
        return text
    try:
        octets = text.encode("latin-1")
    except UnicodeEncodeError:
        return text  # resolved before
    if octets == b"\xb0" or (b"\xb0" in octets and octets.replace(b"\xb0", b"").isascii()):
        return text  # a degree sign, as newer devices know it
    best = max(_CODE_PAGES, key=lambda page: _letters(octets.decode(page, "replace")))
    return octets.decode(best, "replace")


def _letters(text: str) -> int:
    """How much a text looks like Russian: small letters count more, they are the usual ones in units."""
    return sum(2 if "а" <= char <= "я" else 1 if "А" <= char <= "Я" else 0 for char in text)


def plain(text: str) -> str:
    r"""Text as meant: escapes (``\x2f`` for a slash, ``\xb0`` for a degree sign) and code pages resolved."""
    text = characters(text)
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "\\x" in text else text


def unit(text: str) -> str:
    """A unit in one spelling: ``m3``, ``°C``; what is not known stays as the device has it."""
    said = plain(text.strip())
    return _UNITS.get(said, said.replace("{C", "°C"))


def value(text: str) -> Value:
    """A number as exact decimal, everything else as text."""
    return Decimal(text) if _NUMBER.fullmatch(text.strip()) else plain(text)


def split_unit(text: str) -> tuple[str, str]:
    """``260.63*m3`` as value and unit."""
    bare, _, behind = text.partition("*")
    return bare, behind


def time(text: str) -> datetime | None:
    """``2014-05-02,10:00:00`` as a time of the device's own clock, None if it is none."""
    if not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def moved(moment: datetime, by: timedelta) -> datetime:
    """A time so much later; itself where the calendar ends before that, as with a clock that was never set."""
    try:
        return moment + by
    except OverflowError:
        return moment


def time_text(moment: datetime) -> str:
    """A time as the device writes it."""
    return moment.isoformat(sep=",", timespec="seconds")
