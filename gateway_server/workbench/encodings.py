"""In which encoding a text is, told from its bytes: a guess that is good enough to show it, and said to be one."""

from __future__ import annotations

import math
from itertools import groupby

CYRILLIC = ("cp1251", "koi8-r", "cp866")
"""Windows, Unix and DOS, in the order in which they are taken when nothing speaks for one of them."""

# Letters of a million in Russian texts: Lyashevskaya and Sharov, frequency dictionary of the Russian National Corpus.
_LETTERS = {
    "о": 109700, "е": 84500, "а": 80100, "и": 73500, "н": 67000, "т": 62600, "с": 54700, "р": 47300, "в": 45400,
    "л": 44000, "к": 34900, "м": 32100, "д": 29800, "п": 28100, "у": 26200, "я": 20100, "ы": 19000, "ь": 17400,
    "г": 17000, "з": 16500, "б": 15900, "ч": 14400, "й": 12100, "х": 9700, "ж": 9400, "ш": 7300, "ю": 6400, "ц": 4800,
    "щ": 3600, "э": 3200, "ф": 2600, "ъ": 400, "ё": 400,
}  # fmt: skip
_OF_A_LETTER = {letter: math.log(count / 1_000_000) for letter, count in _LETTERS.items()}
# The rest is a guess: how unlikely in a report, against a letter, are other marks and a capital where none belongs.
_USUAL_MARKS = frozenset("№°«»–—…±²³·\u00a0")
_OF_A_USUAL_MARK = math.log(0.004)
_OF_A_FRAME = math.log(0.002)  # reports of DOS programs have tables in frames; a line of them counts once
_OF_ANYTHING_ELSE = math.log(0.0001)
_OF_A_CAPITAL_BEHIND_A_SMALL_ONE = math.log(0.01)
_OF_A_CAPITAL_WITHIN_A_WORD = math.log(0.75)
_OF_THE_FIRST = math.log(4)


def encoding_of(head: bytes) -> str:
    """The encoding of a text by its first bytes: empty for binary data; what is not Unicode is taken for Russian."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if any(byte < 0x20 and byte not in b"\t\n\r\f\x02\x03\x04\x1a" for byte in head):
        return ""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end < len(head) - 3:  # not only a character that was cut through at the end
            return _russian(head)
    return "utf-8"


def is_guess(head: bytes) -> bool:
    """Whether the encoding of a text is only the likeliest one."""
    return encoding_of(head) in CYRILLIC


def _russian(head: bytes) -> str:
    likely = {encoding: _likelihood(head.decode(encoding, "replace")) for encoding in CYRILLIC}
    likely[CYRILLIC[0]] += _OF_THE_FIRST
    return max(CYRILLIC, key=likely.__getitem__)


def _likelihood(text: str) -> float:
    """How much a text looks like Russian, as the logarithm of a probability; only what is not ASCII counts."""
    total = 0.0
    before = ""
    for mark, _ in groupby(text):
        if not mark.isascii():
            total += _of(mark, before)
        before = mark
    return total


def _of(mark: str, before: str) -> float:
    if (letter := _OF_A_LETTER.get(mark.lower())) is not None:
        if mark.isupper() and before.isalpha():
            return letter + (_OF_A_CAPITAL_BEHIND_A_SMALL_ONE if before.islower() else _OF_A_CAPITAL_WITHIN_A_WORD)
        return letter
    if mark in _USUAL_MARKS:
        return _OF_A_USUAL_MARK
    return _OF_A_FRAME if "\u2500" <= mark <= "\u259f" else _OF_ANYTHING_ELSE
