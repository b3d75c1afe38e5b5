"""The types of fields and checks, as a profile states them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

Constant = int | Decimal | str | bytes


class Origin(enum.Enum):
    """How a fact is known."""

    CAPTURE = "capture"
    MANUAL = "manual"
    GUESS = "guess"
    INVENTED = "invented"  # for simulators: no device speaks so
    UNSTATED = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a part of the profile comes from: how it is known, and where that can be looked up."""

    origin: Origin = Origin.UNSTATED
    where: str = ""


UNSTATED = Source()


class Order(enum.Enum):
    """In which order the bytes of a number stand; 12 34 56 78 is the number 0x12345678 in order ``big``."""

    BIG = "big"
    LITTLE = "little"  # 78 56 34 12
    WORD_SWAPPED = "word_swapped"  # 56 78 12 34: words of two bytes, the low one first
    BYTE_SWAPPED = "byte_swapped"  # 34 12 78 56: the high word first, the low byte of each word first


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number of 1 to 8 bytes."""

    size: int
    signed: bool = False
    order: Order = Order.BIG


class Sign(enum.Enum):
    """How a BCD number says that it is negative."""

    NONE = "none"
    HIGH_BIT = "high_bit"  # bit 7 of its most significant byte
    NIBBLE_F = "nibble_f"  # F in place of its most significant digit


@dataclass(frozen=True, slots=True)
class Bcd:
    """Decimal digits, two to a byte; with ``swapped`` the low nibble holds the more significant digit."""

    size: int
    order: Order = Order.BIG
    sign: Sign = Sign.NONE
    swapped: bool = False


@dataclass(frozen=True, slots=True)
class Float:
    """IEEE 754, single or double, as the decimal that the device would print.

    That has ``places`` decimal places, or ``digits`` significant ones.
    """

    size: int
    order: Order = Order.BIG
    digits: int = 0
    places: int | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A number written in characters. ``digits`` is how many are written, zeros before; 0 as many as it takes.

    ``places`` is how many stand behind the decimal mark ``mark``.
    """

    base: int = 10
    digits: int = 0
    places: int = 0
    mark: str = "."


@dataclass(frozen=True, slots=True)
class Text:
    """Characters. The bytes of ``pad`` behind them, or before them with ``pad_left``, only fill the place."""

    encoding: str = "ascii"
    pad: bytes = b""
    pad_left: bool = False


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes as they are, shown in hex."""


@dataclass(frozen=True, slots=True)
class CountedTime:
    """A time as a number of ``unit_ms`` milliseconds since ``since``, in ``digits`` characters if that is said."""

    size: int
    order: Order = Order.BIG
    since: datetime = datetime(1970, 1, 1)
    unit_ms: int = 1000
    digits: int = 0


class Digits(enum.Enum):
    """What the parts of a time are written in: characters, BCD digits, or one binary byte each (YYYY two)."""

    TEXT = "text"
    BCD = "bcd"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class PatternTime:
    """A time by pattern: ``YYYY YY MM DD hh mm ss fff`` are its parts, ``..`` any two digits, ``ww`` a day of the week.

    Everything else in a pattern of text stands for itself, in the others blanks separate. ``century`` is added to YY.
    """

    digits: Digits
    pattern: str
    order: Order = Order.BIG
    century: int = 2000


@dataclass(frozen=True, slots=True)
class BitSpan:
    """Bits of a number: the lowest one (0 is the least significant) and how many."""

    low: int
    width: int


@dataclass(frozen=True, slots=True)
class PackedTime:
    """A time in the bits of a number: per part its bits, the lower ones first. ``year`` is added to the year's."""

    size: int
    order: Order
    parts: tuple[tuple[str, tuple[BitSpan, ...]], ...]
    year: int = 2000


@dataclass(frozen=True, slots=True)
class BitPart:
    """A named number within a number."""

    name: str
    span: BitSpan
    words: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Bits:
    """A number whose bits are numbers of their own, each known by its name."""

    size: int
    order: Order
    parts: tuple[BitPart, ...]


@dataclass(frozen=True, slots=True)
class Flags:
    """A number each of whose bits is a statement: its value is the words of those that are set."""

    size: int
    order: Order
    words: tuple[tuple[int, str], ...]


Type = Integer | Bcd | Float | Number | Text | Bytes | CountedTime | PatternTime | PackedTime | Bits | Flags

# checks


@dataclass(frozen=True, slots=True)
class Crc:
    """A cyclic redundancy check, by the parameters of the RevEng catalogue."""

    name: str
    width: int
    poly: int
    init: int
    refin: bool
    refout: bool
    xorout: int


class Fold(enum.Enum):
    """A check that is no CRC. Of the sums the low bits are kept, as many as the check has."""

    SUM = "sum"
    NEGATED_SUM = "negated_sum"  # what makes the sum zero
    INVERTED_SUM = "inverted_sum"  # the one's complement of the sum
    XOR = "xor"
    INVERTED_XOR = "inverted_xor"
    FLETCHER = "fletcher"  # modulo 255, and 65535 over words of two bytes (RFC 1146)
    FLETCHER_MODULO_256 = "fletcher_mod256"  # of bytes, what runs over is dropped: the 8-bit Fletcher of UBX


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum, exclusive or, or Fletcher check of ``width`` bits."""

    fold: Fold
    width: int = 8

    @property
    def name(self) -> str:
        """Its word in profiles."""
        before, mark, behind = self.fold.value.partition("_mod")
        return f"{before}{self.width}{mark}{behind}"


class Written(enum.Enum):
    """How a check stands in the frame."""

    BINARY = "binary"
    HEX = "hex"  # upper-case digits; either case is understood
    LOWER_HEX = "lower_hex"


@dataclass(frozen=True, slots=True)
class Check:
    """The check of a frame: its rule, which bytes it covers and how it stands there.

    ``covers`` is where the covered bytes begin: at the ``start`` bytes, the ``header`` or the ``body``. They end where
    the check (or the ``separator`` before it) begins, the end bytes included if it stands ``after_end``.
    ``skip`` and ``trim`` leave out so many bytes more at either end. With ``on_wire`` the escaped bytes are covered.
    """

    rule: Crc | Sum
    covers: str = "header"
    skip: int = 0
    trim: int = 0
    order: Order = Order.BIG
    written: Written = Written.BINARY
    separator: bytes = b""
    after_end: bool = False
    on_wire: bool = False
    mask: int = -1  # which bits of the check are compared and written: 7F for the BCC of IEC 62056-21
    source: Source = UNSTATED


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """A field that is the check of what stands before it, from the field ``covers`` on (empty: from the header on).

    ``start`` are the start bytes of the frame, if it covers them, too.
    """

    rule: Crc | Sum
    covers: str = ""
    start: bytes = b""
