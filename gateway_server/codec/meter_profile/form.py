"""A meter profile as typed data: what a file said, checked, before anything is compiled of it.

The names are those of the language (docs/profile.md). The codec, the simulated meter and the exports all work from this
form; none of them sees YAML.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gateway_server.codec.meter_profile.expressions import Expression
from gateway_server.model import Column


class Side(enum.Enum):
    """Whose bytes: the meter's, the gateway's, or both speak so."""

    METER = "meter"
    GATEWAY = "gateway"
    BOTH = "both"

    def speaks(self, who: Side) -> bool:
        """Whether this is something that ``who`` says."""
        return self is Side.BOTH or who is Side.BOTH or self is who


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


# types of fields


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
    FLETCHER = "fletcher"


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum, exclusive or, or Fletcher check of ``width`` bits."""

    fold: Fold
    width: int = 8


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
    """A field that is the check of what stands before it, from the field ``covers`` on (empty: from the beginning)."""

    rule: Crc | Sum
    covers: str = ""


# parts of messages


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a field goes that is not of one size by its type: ``size`` bytes, or up to ``until`` (which is consumed).

    With neither it goes on to the end of what surrounds it. ``or_end``: at the end it may lack its ``until``.
    """

    size: Expression | None = None
    until: bytes = b""
    or_end: bool = False


Constant = int | Decimal | str | bytes


@dataclass(frozen=True, slots=True)
class Field:
    """One named value.

    ``must_be`` are the only values it may have: by these a message is known. ``equals`` is the one value that it may
    have, by the fields before it. ``value`` is what it gets in what is built, unless that says otherwise. Its number
    is multiplied with ``scale``. ``missing`` are raw numbers that mean that there is no value. ``words`` say what
    values mean.
    """

    name: str
    type: Type
    extent: Extent = Extent()
    must_be: tuple[Constant, ...] = ()
    equals: Expression | None = None
    value: Expression | None = None
    condition: Expression | None = None
    scale: Expression | None = None
    words: tuple[tuple[Constant, str], ...] = ()
    missing: tuple[Constant, ...] = ()
    check: FieldCheck | None = None
    secret: bool = False
    source: Source = UNSTATED
    about: str = ""


@dataclass(frozen=True, slots=True)
class Repeat:
    """How often a group comes: ``count`` times, until the bytes ``until`` follow, or as long as there are bytes."""

    count: Expression | None = None
    until: bytes = b""


@dataclass(frozen=True, slots=True)
class Mask:
    """What was done to every byte of a group before it was sent: ``add`` added, or exclusive or with ``xor``."""

    add: int = 0
    xor: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Parts that belong together; a list of such if it is repeated. With ``size`` it has so many bytes, all in all."""

    name: str
    parts: tuple[Part, ...]
    repeat: Repeat | None = None
    size: Expression | None = None
    mask: Mask | None = None
    condition: Expression | None = None
    source: Source = UNSTATED
    about: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several sequences of parts, by the value of ``on``; they have ``size`` bytes, if that is said.

    Without ``otherwise`` any other value is an error of the meter's.
    """

    on: Expression
    cases: tuple[tuple[tuple[Constant, ...], tuple[Part, ...]], ...]
    otherwise: tuple[Part, ...] | None = None
    size: Expression | None = None
    condition: Expression | None = None
    source: Source = UNSTATED


Part = Field | Group | Choice

# framing


@dataclass(frozen=True, slots=True)
class Length:
    """A header field tells the frame's size: the field's number times ``unit``, and ``uncounted`` bytes more."""

    field: str
    uncounted: int = 0
    unit: int = 1


@dataclass(frozen=True, slots=True)
class Escape:
    """Byte stuffing: ``byte`` announces one that stands for another: by ``table`` (what is meant, what is sent behind
    the escape), or changed by exclusive or with ``xor``. ``also`` are sent escaped although no table names them.
    """

    byte: int
    table: tuple[tuple[int, int], ...] = ()
    xor: int = 0
    also: bytes = b""


@dataclass(frozen=True, slots=True)
class Framing:
    """One way in which frames stand in the stream.

    On the wire: ``start``, then header, body and checks (together coded by ``escape`` or as ``hex`` digits), ``end``.
    A frame's size is known by ``length`` or ``size`` (an expression over the header), by its ``end``, or by the ``gap``
    of silence, in seconds, behind it. ``characters`` are the only bytes that can stand in it (empty: any).
    """

    name: str
    side: Side = Side.BOTH
    start: bytes = b""
    end: bytes = b""
    header: tuple[Field, ...] = ()
    length: Length | None = None
    size: Expression | None = None
    gap: float = 0.0
    escape: Escape | None = None
    hex: bool = False
    characters: bytes = b""
    shared_end: bool = False
    checks: tuple[Check, ...] = ()
    most: int = 1024
    source: Source = UNSTATED
    about: str = ""


class Parity(enum.Enum):
    """What bit 7 of every byte on the wire is."""

    NONE = "none"
    EVEN = "even"
    ODD = "odd"
    IGNORED = "ignored"  # stripped, whatever it is; sent as 0


# what a message means


@dataclass(frozen=True, slots=True)
class ValueMap:
    """One value of a row: what to take, and what it is."""

    value: Expression
    column: Column
    condition: Expression | None = None
    source: Source = UNSTATED


@dataclass(frozen=True, slots=True)
class RowMap:
    """Readings that belong together: once for the message, or for each element of the group ``each``.

    ``at`` names the fields that make up the time: one, or a date and a time of day; empty for "now". With ``utc`` that
    is UTC, else the meter's own clock. ``archive`` is a name; ``quality`` words that every row gets.
    """

    values: tuple[ValueMap, ...]
    each: str = ""
    archive: str = "current"
    at: tuple[str, ...] = ()
    utc: bool = False
    order_number: Expression | None = None
    status: Expression | None = None
    event: Expression | None = None
    quality: str = ""
    condition: Expression | None = None
    source: Source = UNSTATED


@dataclass(frozen=True, slots=True)
class EventMap:
    """An entry of the event log: once for the message, or for each element of the group ``each``."""

    code: Expression
    each: str = ""
    text: Expression | None = None
    at: tuple[str, ...] = ()
    utc: bool = False
    order_number: Expression | None = None
    condition: Expression | None = None
    source: Source = UNSTATED


@dataclass(frozen=True, slots=True)
class IdentityMap:
    """The message says who the meter is."""

    serial: Expression
    manufacturer: Expression | None = None
    model: Expression | None = None
    software_version: Expression | None = None


@dataclass(frozen=True, slots=True)
class RefusalMap:
    """The message says that the meter will not do what it was asked."""

    code: Expression
    meaning: Expression | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of message: in which framing it stands, by what it is known, its parts, and what they mean.

    It is known by ``when`` (header fields and their values) together with the ``must_be`` of its own fields.
    """

    name: str
    framing: str
    side: Side = Side.METER
    when: tuple[tuple[str, tuple[Constant, ...]], ...] = ()
    parts: tuple[Part, ...] = ()
    rows: tuple[RowMap, ...] = ()
    events: tuple[EventMap, ...] = ()
    identity: IdentityMap | None = None
    refusal: RefusalMap | None = None
    source: Source = UNSTATED
    about: str = ""


# dialogues


@dataclass(frozen=True, slots=True)
class Reply:
    """A message of ours and what stands in its fields, told by expressions."""

    message: str
    fields: tuple[tuple[str, Expression], ...] = ()


Assignments = tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Case:
    """What to do when one of these messages comes: keep what it tells, then reply, then go on or end."""

    messages: tuple[str, ...]
    reply: Reply | None = None
    assign: Assignments = ()
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Listen:
    """Hears what the meter pushes until it is silent for ``timeout`` seconds. ``on_error`` answers a damaged frame."""

    cases: tuple[Case, ...]
    timeout: float = 3600.0
    on_error: Reply | None = None
    source: Source = UNSTATED


class Otherwise(enum.Enum):
    """What follows when no answer, or a refusal, came."""

    FAIL = "fail"  # the session ends with that outcome
    SKIP = "skip"  # it goes on, and counts as partial
    IGNORE = "ignore"  # it goes on as if that were an answer


@dataclass(frozen=True, slots=True)
class Ask:
    """Says something (or nothing) and awaits one of some messages (or none).

    A silent meter, or a damaged answer, is asked again ``retries`` times. ``want`` does it only when the order is for
    that: ``current``, ``archive`` or ``events``.
    """

    send: Reply | None = None
    receive: tuple[str, ...] = ()
    timeout: float = 10.0
    gap: float | None = None
    retries: int = 2
    if_silent: Otherwise = Otherwise.FAIL
    if_refused: Otherwise = Otherwise.FAIL
    assign: Assignments = ()
    want: str = ""
    condition: Expression | None = None
    source: Source = UNSTATED


class By(enum.Enum):
    """What an archive is asked by."""

    INDEX = "index"
    TIME = "time"
    CURSOR = "cursor"


@dataclass(frozen=True, slots=True)
class ReadArchive:
    """Reads an archive in as many questions as it takes.

    In the expressions ``begin`` and ``end`` are where this question begins and where the archive is wanted to end
    (order numbers, times, or what the device calls a place). The first ``begin`` follows the last row in the store;
    ``first`` is that of an archive of which there is none. ``next`` is the following ``begin``, by the fields of the
    answer; without it, what follows the answer's last row. It is over when ``done`` holds, when an answer has no rows
    and when it is refused. ``step`` is what lies between two rows: 1, or so many seconds.
    """

    archive: str
    by: By
    ask: Ask
    first: Expression | None = None
    next: Expression | None = None
    done: Expression | None = None
    step: int = 1
    most: int = 10_000
    source: Source = UNSTATED


@dataclass(frozen=True, slots=True)
class Loop:
    """Says its steps again and again as long as ``condition`` holds, ``most`` times at most."""

    condition: Expression
    steps: tuple[Step, ...]
    most: int = 1000


@dataclass(frozen=True, slots=True)
class Assign:
    """Gives variables values."""

    values: Assignments


@dataclass(frozen=True, slots=True)
class Wait:
    """Says nothing for a while; with ``drain`` it drops what comes, until so much silence."""

    seconds: float
    drain: bool = False


@dataclass(frozen=True, slots=True)
class LineChange:
    """Goes on at another speed and format."""

    baud: int
    format: str = ""


Step = Listen | Ask | ReadArchive | Loop | Assign | Wait | LineChange


class Given(enum.Enum):
    """Where the value of a variable comes from at the beginning of a session."""

    START = "start"  # its ``start``
    ADDRESS = "address"  # the meter's bus address
    ACCESS_CODE = "access_code"
    SERIAL = "serial"
    MEMORY = "memory"  # what the last session left in it


@dataclass(frozen=True, slots=True)
class Variable:
    """A named value of a dialogue. One that is ``secret`` is masked wherever bytes are shown."""

    name: str
    given: Given = Given.START
    start: Constant = 0
    secret: bool = False


@dataclass(frozen=True, slots=True)
class MeterProfile:
    """How meters of one manufacturer and model are spoken to."""

    name: str
    version: str
    about: str
    source: Source
    manufacturer: str
    model: str
    parity: Parity
    framings: tuple[Framing, ...]
    messages: tuple[Message, ...]
    variables: tuple[Variable, ...] = ()
    answer: tuple[Step, ...] | None = None
    read: tuple[Step, ...] | None = None

    def framing(self, name: str) -> Framing:
        """The framing of this name."""
        return next(one for one in self.framings if one.name == name)

    def message(self, name: str) -> Message:
        """The message of this name."""
        return next(one for one in self.messages if one.name == name)
