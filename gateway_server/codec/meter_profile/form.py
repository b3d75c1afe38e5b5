"""A meter profile as typed data: what a file said, checked, before anything is compiled of it.

The names are those of the language (docs/profile.md). The codec, the simulated meter and the exports all work from this
form; none of them sees YAML.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from gateway_server.codec.meter_profile.expressions import Expression
from gateway_server.codec.meter_profile.form_meaning import EventMap, IdentityMap, RefusalMap, RowMap, ValueMap
from gateway_server.codec.meter_profile.form_steps import (
    Ask,
    Assign,
    Assignments,
    By,
    Case,
    Given,
    LineChange,
    Listen,
    Loop,
    Otherwise,
    ReadArchive,
    Reply,
    Step,
    Variable,
    Wait,
)
from gateway_server.codec.meter_profile.form_types import (
    UNSTATED,
    Bcd,
    BitPart,
    Bits,
    BitSpan,
    Bytes,
    Check,
    Constant,
    CountedTime,
    Crc,
    Digits,
    FieldCheck,
    Flags,
    Float,
    Fold,
    Integer,
    Number,
    Order,
    Origin,
    PackedTime,
    PatternTime,
    Sign,
    Source,
    Sum,
    Text,
    Type,
    Written,
)

__all__ = [
    "UNSTATED",
    "Ask",
    "Assign",
    "Assignments",
    "Bcd",
    "BitPart",
    "BitSpan",
    "Bits",
    "By",
    "Bytes",
    "Case",
    "Check",
    "Choice",
    "Constant",
    "CountedTime",
    "Crc",
    "Digits",
    "Escape",
    "EventMap",
    "Extent",
    "Field",
    "FieldCheck",
    "Flags",
    "Float",
    "Fold",
    "Framing",
    "Given",
    "Group",
    "IdentityMap",
    "Integer",
    "Length",
    "LineChange",
    "Listen",
    "Loop",
    "Mask",
    "Message",
    "MeterProfile",
    "Number",
    "Order",
    "Origin",
    "Otherwise",
    "PackedTime",
    "Parity",
    "Part",
    "PatternTime",
    "ReadArchive",
    "RefusalMap",
    "Repeat",
    "Reply",
    "RowMap",
    "Side",
    "Sign",
    "Source",
    "Step",
    "Sum",
    "Text",
    "Type",
    "ValueMap",
    "Variable",
    "Wait",
    "Written",
]


class Side(enum.Enum):
    """Whose bytes: the meter's, the gateway's, or both speak so."""

    METER = "meter"
    GATEWAY = "gateway"
    BOTH = "both"

    def speaks(self, who: Side) -> bool:
        """Whether this is something that ``who`` says."""
        return self is Side.BOTH or who is Side.BOTH or self is who


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a field goes that is not of one size by its type: ``size`` bytes, or up to ``until`` (which is consumed).

    With neither it goes on to the end of what surrounds it. ``or_end``: at the end it may lack its ``until``.
    """

    size: Expression | None = None
    until: bytes = b""
    or_end: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One named value.

    ``must_be`` are the only values it may have: by these a message is known. ``equals`` is the one value that it may
    have, by the fields before it. ``value`` is what it gets in what is built, unless that says otherwise. Its number
    is multiplied with ``scale``. ``missing`` are raw numbers that mean that there is no value, ``absent`` bytes that
    stand there instead of one. ``words`` say what values mean.
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
    absent: tuple[bytes, ...] = ()
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
    """A header field tells the frame's size: the field's number times ``unit``, and ``uncounted`` bytes more.

    Where the frame is coded that is its size before it was, or with ``on_wire`` the size that it has on the wire.
    """

    field: str
    uncounted: int = 0
    unit: int = 1
    on_wire: bool = False


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
    A frame's size is known by ``length`` or ``size`` (an expression over the header, of the frame before it is coded),
    by its ``end``, or by the ``gap`` of silence, in seconds, behind it. ``characters`` are the only bytes that can
    stand in it (empty: any).
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


# messages, and the whole


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
