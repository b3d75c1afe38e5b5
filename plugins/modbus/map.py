"""What a register map says: which registers a meter has, what stands in them, and how it is to be asked."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from gateway_server import quantities
from gateway_server.codec.declaration import Declaration
from gateway_server.model import Column, Quantity

from .frames import Wire
from .pdu import Table
from .values import TYPES, Form, Kind

QUANTITIES = {one.name: one for one in vars(quantities).values() if isinstance(one, Quantity)}
TABLES = {"coil": Table.COIL, "discrete": Table.DISCRETE, "holding": Table.HOLDING, "input": Table.INPUT}
_ORDERS = {"high_first": False, "low_first": True}
_SETTINGS_MOST = 16
_SPEEDS = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
_FORMATS = ("8N1", "8E1", "8O1", "8N2", "7E1")


@dataclass(frozen=True, slots=True)
class Entry:
    """One value: where it stands, what it is. ``status`` puts it into the row's status instead of its values.

    ``simulated`` is from where to where a simulated device has it.
    """

    table: Table
    first: int
    count: int
    form: Form
    column: Column
    is_status: bool = False
    simulated: tuple[Decimal, Decimal] | None = None

    @property
    def behind(self) -> int:
        """The first address behind it."""
        return self.first + self.count


@dataclass(frozen=True, slots=True)
class Timing:
    """How long to wait, in seconds; ``pause`` parts an answer from the next request."""

    timeout: float
    gap: float
    pause: float
    repeats: int


@dataclass(frozen=True, slots=True)
class RegisterMap:
    """Everything that is known of meters of one kind. ``serial`` tells a meter's number, None if nothing does.

    ``probe`` are requests to which any answer, even a refusal, proves that somebody speaks Modbus here.
    """

    name: str
    version: str
    source: str
    about: str
    wire: Wire
    units: tuple[int, ...]
    settings: tuple[tuple[int, str], ...]
    most: int
    join: int
    timing: Timing
    serial: Entry | None
    entries: tuple[Entry, ...]
    probe: tuple[Entry, ...]
    names_itself: bool


def read_map(said: Declaration) -> RegisterMap:
    """A declaration as a register map. Raises `OperatorError`, naming the line."""
    said.text("reads")
    wire = said.word("framing", {wire.value: wire for wire in Wire}, "rtu")
    numbers = said.number("first_number", 0, 0, 400_001)
    defaults = (said.word("words", _ORDERS, "high_first"), said.word("bytes", _ORDERS, "high_first"))
    serial = said.table("serial")
    found = RegisterMap(
        name=said.text("name", said.name),
        version=said.text("version", said.digest),
        source=said.word("source", {word: word for word in ("manual", "capture", "guess")}, "manual"),
        about=said.text("about", ""),
        wire=wire,
        units=_units(said),
        settings=_settings(said) if wire is Wire.RTU else (),
        most=said.number("most_registers", 125, 1, 125),
        join=said.number("join_gaps_up_to", 8, 0, 124),
        timing=_timing(said),
        serial=_entry(serial, numbers, defaults, value=False) if serial is not None else None,
        entries=tuple(_entry(one, numbers, defaults) for one in said.tables("registers"))
        if "registers" in said
        else (),
        probe=tuple(_entry(one, numbers, defaults, value=False) for one in said.tables("probe"))
        if "probe" in said
        else (),
        names_itself=said.flag("ask_identification", default=False),
    )
    said.end()
    if not found.entries and not found.probe and not found.names_itself:
        raise said.wrong("registers", "is missing: which registers hold what (or `probe`, to find out who is there)")
    for entry in (*found.entries, *found.probe, *filter(None, (found.serial,))):
        if not entry.table.is_bits and entry.count > found.most:
            raise said.wrong("most_registers", f"is {found.most}, but {entry.column.name} takes {entry.count}")
    return found


def _units(said: Declaration) -> tuple[int, ...]:
    units = said.texts("unit", ("1",))
    for unit in units:
        if not unit.isdecimal() or not 0 <= int(unit) <= 255:
            raise said.wrong("unit", f"is {unit!r}; it is a number from 1 to 247 (0 to 255 on TCP), or a list to try")
    return tuple(int(unit) for unit in units)


def _settings(said: Declaration) -> tuple[tuple[int, str], ...]:
    """Speeds and formats that a probe tries; without any, the standard's own (19200 8E1) and those met most often."""
    texts = said.texts("speeds", ("19200 8E1", "9600 8N1", "9600 8E1", "19200 8N1"))
    found = []
    for text in texts:
        baud, _, form = text.partition(" ")
        if not baud.isdecimal() or int(baud) not in _SPEEDS or form not in _FORMATS:
            raise said.wrong("speeds", f"has {text!r}; one is such as `9600 8N1`")
        found.append((int(baud), form))
    if len(found) > _SETTINGS_MOST:
        raise said.wrong("speeds", f"has {len(found)} entries; it has {_SETTINGS_MOST} at most")
    return tuple(found)


def _timing(said: Declaration) -> Timing:
    def seconds(key: str, default: str, least: str, most: str) -> float:
        value = said.decimal(key, default)
        if not Decimal(least) <= value <= Decimal(most):
            raise said.wrong(key, f"is {value}; it is seconds from {least} to {most}")
        return float(value)

    return Timing(
        timeout=seconds("timeout", "2", "0.05", "60"),
        gap=seconds("gap", "0.5", "0.01", "10"),
        pause=seconds("pause", "0.05", "0", "10"),
        repeats=said.number("repeats", 3, 1, 10),
    )


def _entry(said: Declaration, numbers: int, defaults: tuple[bool, bool], *, value: bool = True) -> Entry:
    table = said.word("table", TABLES, "holding")
    first = _address(said, numbers)
    form, count = _form(said, table, defaults)
    if first + count > 0x10000:
        raise said.wrong("at", f"is {first + numbers}, and its {count} registers go beyond the last one")
    column, is_status = _column(said) if value else (Column("", name=said.text("name", "")), False)
    simulated = said.span("simulated") if value else None
    said.end()
    return Entry(table, first, count, form, _sourced(column, table, first + numbers), is_status, simulated)


def _address(said: Declaration, numbers: int) -> int:
    text = said.text("at")
    try:
        number = int(text, 0) if text.lower().startswith("0x") else int(text)
    except ValueError:
        number = -1
    if not numbers <= number < numbers + 0x10000:
        raise said.wrong("at", f"is {text!r}; it is a number from {numbers} to {numbers + 0xFFFF}, or hex as 0x0100")
    return number - numbers


def _form(said: Declaration, table: Table, defaults: tuple[bool, bool]) -> tuple[Form, int]:
    kind, registers = said.word("type", TYPES, "bit" if table.is_bits else "uint16")
    if table.is_bits != (kind is Kind.BIT):
        raise said.wrong("type", f"does not fit: coils and discrete inputs are bits, registers are not ({kind.value})")
    if kind is Kind.TEXT:
        registers = said.number("registers", 0, 1, 123)
    low_word, low_byte = defaults
    digits = said.number("digits", -1, -1, 12)
    bit = said.number("bit", -1, -1, 16 * max(registers, 1) - 1)
    form = Form(
        kind,
        registers,
        low_word_first=said.word("words", _ORDERS, "low_first" if low_word else "high_first"),
        low_byte_first=said.word("bytes", _ORDERS, "low_first" if low_byte else "high_first"),
        scale=said.decimal("scale", "1"),
        offset=said.decimal("offset", "0"),
        digits=None if digits < 0 else digits,
        absent=frozenset(_number(said, "absent", text) for text in said.texts("absent", ())),
        names=_words(said, "names"),
        bits=_words(said, "bits"),
        bit=None if bit < 0 else bit,
        encoding=_encoding(said),
    )
    if form.names and form.bits:
        raise said.wrong("bits", "stands beside `names`: a register is a code or a set of bits")
    return form, registers or 1


def _words(said: Declaration, key: str) -> Mapping[int, str]:
    table = said.table(key)
    if table is None:
        return {}
    words = {_number(table, word, word): table.text(word) for word in table}
    table.end()
    return words


def _number(said: Declaration, key: str, text: str) -> int:
    try:
        return int(text, 0) if text.lower().startswith("0x") else int(text)
    except ValueError:
        raise said.wrong(key, f"has {text!r}, which is no whole number") from None


def _encoding(said: Declaration) -> str:
    name = said.text("encoding", "ascii")
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise said.wrong("encoding", f"is {name!r}, which is none; such as ascii, cp1251, koi8-r, cp866") from None


def _column(said: Declaration) -> tuple[Column, bool]:
    name = said.text("quantity")
    known = QUANTITIES.get(name)
    if known is None and not said.flag("own", default=False):
        raise said.wrong(
            "quantity",
            f"is {name!r}, which is none of ours; write `own: yes` if it is meant, or one of: {', '.join(QUANTITIES)}",
        )
    said.flag("own", default=False)
    column = Column(
        name,
        said.text("unit", known.unit if known else ""),
        said.text("obis", known.obis if known else ""),
        said.text("name", ""),
        cumulative=said.flag("cumulative", default=known.cumulative if known else False),
    )
    return column, said.flag("status", default=False)


def _sourced(column: Column, table: Table, number: int) -> Column:
    source = f"{table.name.lower()} {number}"
    return Column(column.quantity, column.unit, column.obis, column.name or source, source, column.cumulative)
