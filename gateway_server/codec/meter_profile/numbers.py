"""Numbers as devices write them, integers in any order, BCD, IEEE 754, characters: raw bytes in, exact numbers out."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal

from gateway_server.codec.meter_profile.as_written import AsWritten
from gateway_server.codec.meter_profile.form import Bcd, Float, Integer, Number, Order, Sign
from gateway_server.errors import CodecError

Read = Callable[[bytes], int | Decimal | None]
Write = Callable[[int | Decimal], bytes]
Reorder = Callable[[bytes], bytes]

_WIDE = Context(prec=400, rounding=ROUND_HALF_EVEN, Emax=999, Emin=-999)
"""Wide enough for every double, written out."""

_PATTERNS = {
    10: re.compile(rb" *([+-]? *[0-9]{1,40})(?:([.,])([0-9]{0,40}))? *"),
    16: re.compile(rb" *([0-9A-Fa-f]{1,40}) *"),
}


def in_order(data: bytes, order: Order) -> bytes:
    """Bytes that stand in this order, most significant first; the same again puts them back."""
    if order is Order.BIG:
        return data
    if order is Order.LITTLE:
        return data[::-1]
    words = [data[at : at + 2] for at in range(0, len(data), 2)]
    if order is Order.WORD_SWAPPED:
        return b"".join(reversed(words))
    return b"".join(word[::-1] for word in words)


def integer_reader(type_: Integer) -> Callable[[bytes], int]:
    """Reads an integer."""
    signed = type_.signed
    if type_.order in (Order.BIG, Order.LITTLE):
        endian = "big" if type_.order is Order.BIG else "little"
        if type_.size == 1 and not signed:
            return lambda raw: raw[0]
        return lambda raw: int.from_bytes(raw, endian, signed=signed)  # type: ignore[arg-type]  # one of the two words
    order = type_.order
    return lambda raw: int.from_bytes(in_order(raw, order), "big", signed=signed)


def integer_writer(type_: Integer) -> Write:
    """Writes an integer."""

    def write(value: int | Decimal) -> bytes:
        try:
            data = whole(value).to_bytes(type_.size, "big", signed=type_.signed)
        except OverflowError:
            raise CodecError(f"{value} does not fit into {type_.size} bytes") from None
        return in_order(data, type_.order)

    return write


def whole(value: int | Decimal | str) -> int:
    """A number that must be a whole one. Raises `CodecError`."""
    if type(value) is int:
        return value
    if isinstance(value, int):
        return int(value)  # a yes or no, or a number that remembers how it was written
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 40:
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value)
    raise CodecError(f"{value} is no whole number")


def bcd_reader(type_: Bcd) -> Callable[[bytes], int]:
    """Reads BCD digits. Raises `CodecError` for a nibble that is none."""

    def read(raw: bytes) -> int:
        data = in_order(raw, type_.order)
        text = data.hex()
        if type_.swapped:
            text = "".join(text[at + 1] + text[at] for at in range(0, len(text), 2))
        negative = False
        if type_.sign is Sign.HIGH_BIT and data[0] & 0x80:
            negative, text = True, f"{int(text[0], 16) & 7:x}{text[1:]}"
        elif type_.sign is Sign.NIBBLE_F and text[0] == "f":
            negative, text = True, "0" + text[1:]
        if not text.isdecimal():
            raise CodecError(f"{raw.hex(' ').upper()} is no BCD number")
        return -int(text) if negative else int(text)

    return read


def bcd_writer(type_: Bcd) -> Write:
    """Writes BCD digits."""

    def write(value: int | Decimal) -> bytes:
        number = whole(value)
        text = str(abs(number)).rjust(2 * type_.size, "0")
        highest = {Sign.HIGH_BIT: "8", Sign.NIBBLE_F: "1"}.get(type_.sign, "g")
        if len(text) > 2 * type_.size or (number < 0 and (type_.sign is Sign.NONE or text[0] >= highest)):
            raise CodecError(f"{number} does not fit into {type_.size} BCD bytes")
        if number < 0:
            text = ("f" if type_.sign is Sign.NIBBLE_F else f"{int(text[0]) | 8:x}") + text[1:]
        if type_.swapped:
            text = "".join(text[at + 1] + text[at] for at in range(0, len(text), 2))
        return in_order(bytes.fromhex(text), type_.order)

    return write


def float_reader(type_: Float) -> Read:
    """Reads an IEEE 754 number as the decimal that the device prints; None for one that is none."""
    form = struct.Struct(">f" if type_.size == 4 else ">d")
    order = type_.order
    context = Context(prec=type_.digits or 17, rounding=ROUND_HALF_EVEN)
    places = type_.places
    quantum = None if places is None else Decimal(1).scaleb(-places)

    def read(raw: bytes) -> Decimal | None:
        (number,) = form.unpack(in_order(raw, order))
        exact = Decimal(number)
        if not exact.is_finite():
            return None
        if quantum is not None:
            return exact.quantize(quantum, context=_WIDE)
        rounded = context.create_decimal(exact)
        return _plain(rounded)

    return read


def _plain(value: Decimal) -> Decimal:
    """The number without zeros that only the rounding put behind it, and without an exponent above zero."""
    if value == 0:
        return Decimal(0)
    value = value.normalize()
    exponent = value.as_tuple().exponent
    return value.quantize(Decimal(1), context=_WIDE) if isinstance(exponent, int) and exponent > 0 else value


def float_writer(type_: Float) -> Write:
    """Writes the IEEE 754 number nearest to a decimal."""
    form = struct.Struct(">f" if type_.size == 4 else ">d")

    def write(value: int | Decimal) -> bytes:
        try:
            return in_order(form.pack(float(value)), type_.order)
        except OverflowError:
            raise CodecError(f"{value} does not fit into {type_.size} bytes") from None

    return write


def number_reader(type_: Number) -> Read:
    """Reads a number in characters; None if there are only blanks, `CodecError` if it is none."""
    pattern = _PATTERNS[type_.base]
    plain_mark = type_.mark == "."

    def read(raw: bytes) -> int | Decimal | None:
        if type_.base == 10 and raw.isdigit() and len(raw) <= 40:
            return int(raw)
        found = pattern.fullmatch(raw)
        if found is None:
            if not raw.strip():
                return None
            raise CodecError(f"{raw[:40].decode('latin-1')!r} is no number")
        if type_.base == 16:
            return int(found.group(1), 16)
        before, mark, behind = found.groups()
        if mark is None:
            return int(before.replace(b" ", b""))
        if mark.decode() != type_.mark:
            raise CodecError(f"{raw[:40].decode('latin-1')!r} is no number with {type_.mark!r}")
        text = raw.strip().decode("ascii")
        if not plain_mark or b" " in before:
            text = f"{before.replace(b' ', b'').decode('ascii')}.{behind.decode('ascii')}"
        return Decimal(text)

    def read_plain(raw: bytes) -> int | Decimal | None:
        # The ordinary shape, without the pattern's costs: digits, with a point among them.
        if raw.replace(b".", b"", 1).isdigit() and len(raw) <= 40:
            return Decimal(raw.decode("ascii")) if b"." in raw else int(raw)
        return read(raw)

    return read_plain if plain_mark and type_.base == 10 else read


def _is_written_out(value: object, type_: Number) -> bool:
    """Whether these are digits that somebody wrote, and that nothing is to be done to: zeros before them stay."""
    return not type_.places and (isinstance(value, AsWritten) or (isinstance(value, str) and value.isdecimal()))


def number_writer(type_: Number) -> Write:
    """Writes a number in characters."""

    def write(value: int | Decimal) -> bytes:
        if type_.base == 16:
            text = f"{whole(value):0{type_.digits}X}"
        else:
            number = Decimal(value)
            if type_.places:
                number = number.quantize(Decimal(1).scaleb(-type_.places), context=_WIDE)
            text = str(value) if _is_written_out(value, type_) else f"{number:f}"
            if type_.digits:
                sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
                text = sign + digits.rjust(type_.digits - len(sign), "0")
            text = text.replace(".", type_.mark)
        if type_.digits and len(text) > type_.digits:
            raise CodecError(f"{value} does not fit into {type_.digits} characters")
        return text.encode("ascii")

    return write


PRODUCT = Context(prec=80, Emax=999, Emin=-999)


def exact_product(value: object, factor: object) -> Decimal:
    """A number times its scale, exactly. Raises `CodecError` if one of them is no number."""
    if isinstance(value, (int, Decimal)) and isinstance(factor, (int, Decimal)):
        return PRODUCT.multiply(Decimal(value), Decimal(factor))
    raise CodecError(f"{value} times {factor} is no number")


def exact_quotient(value: object, factor: object) -> int | Decimal:
    """The number that times its scale gives ``value``. Raises `CodecError` if no short one does."""
    if not isinstance(value, (int, Decimal)) or not isinstance(factor, (int, Decimal)) or not factor:
        raise CodecError(f"{value} cannot be divided by {factor}")
    quotient = PRODUCT.divide(Decimal(value), Decimal(factor))
    if PRODUCT.multiply(quotient, Decimal(factor)) != value:
        raise CodecError(f"{value} is no multiple of {factor}")
    return int(quotient) if quotient == quotient.to_integral_value() else quotient
