"""Reads the framings of a profile."""

from __future__ import annotations

from gateway_server.codec.declaration import Declaration
from gateway_server.codec.meter_profile.expressions import Constant, constant
from gateway_server.codec.meter_profile.form import (
    Bytes,
    Check,
    Escape,
    Extent,
    Field,
    Framing,
    Integer,
    Length,
    Side,
)
from gateway_server.codec.meter_profile.layout import Layout
from gateway_server.codec.meter_profile.parse_checks import parse_check, parse_rule
from gateway_server.codec.meter_profile.parse_parts import name_of, parse_header
from gateway_server.codec.meter_profile.scope import ORDERS, Scope, bytes_of, seconds_of, source_of, tables_of

MOST_BYTES = 1 << 16
DEFAULT_MOST = 1024
SIDES = {side.value: side for side in Side}
CHARACTERS = {
    "any": b"",
    "text": b"\t\r\n" + bytes(range(0x20, 0x7F)),
    "printable": bytes(range(0x20, 0x7F)),
    "digits": b"0123456789",
    "hex": b"0123456789ABCDEFabcdef",
}
ESCAPES = {
    "hdlc": Escape(0x7D, xor=0x20, also=b"\x7e"),
    "slip": Escape(0xDB, ((0xC0, 0xDC), (0xDB, 0xDD))),
    "dle": Escape(0x10, ((0x10, 0x10),)),
}


def parse_framing(said: Declaration, scope: Scope) -> Framing:
    """One framing."""
    header_scope = Scope(order=scope.order)
    start, end = bytes_of(said, "start"), bytes_of(said, "end")
    header_scope.start = start
    length, header = _length(said, header_scope, len(start))
    escape, hex_digits = _coding(said)
    framing = Framing(
        name=name_of(said),
        side=said.word("from", SIDES, "both"),
        start=start,
        end=end,
        header=header,
        length=length,
        size=header_scope.expression(said, "size"),
        gap=seconds_of(said, "gap", "0", 60),
        escape=escape,
        hex=hex_digits,
        characters=_characters(said),
        shared_end=said.flag("shared_end", default=False),
        checks=_checks(said),
        most=said.number("most", DEFAULT_MOST, 1, MOST_BYTES),
        source=source_of(said),
        about=said.text("about", ""),
    )
    _agree(said, framing)
    said.end()
    return framing


def _length(said: Declaration, scope: Scope, start: int) -> tuple[Length | None, tuple[Field, ...]]:
    """The length field and the header, one of which may tell the other."""
    if said.is_table("length"):
        table = said.table("length")
        assert table is not None
        if "at" in table:
            if "header" in said:
                raise said.wrong("header", "goes not with a length `at` a place: name the length's field instead")
            found = _placed(table, scope, start)
            table.end()
            return found
        header = parse_header(tables_of(said, "header"), scope)
        name = table.text("field")
        if name not in {field.name for field in header}:
            raise table.wrong("field", f"is {name!r}, which is no field of the header; {scope.known()}")
        before = start + _size_up_to(header, name)
        length = _told_by(table, name, before)
        table.end()
        return length, header
    return None, parse_header(tables_of(said, "header"), scope)


def _size_up_to(header: tuple[Field, ...], name: str) -> int:
    names = [field.name for field in header]
    return Layout(Framing("before", header=header[: names.index(name) + 1])).header_size


def _placed(table: Declaration, scope: Scope, start: int) -> tuple[Length, tuple[Field, ...]]:
    at, size = table.number("at", 0, start, 64), table.number("size", 1, 1, 4)
    order = table.word("order", {name: ORDERS[name] for name in ("big", "little")}, scope.order.value)
    fields = []
    if at > start:
        fields.append(Field("before_length", Bytes(), Extent(constant(at - start))))
    fields.append(Field("length", Integer(size, order=order)))
    scope.names.update(field.name for field in fields)
    return _told_by(table, "length", at + size), tuple(fields)


def _told_by(table: Declaration, name: str, before: int) -> Length:
    """What a length field counts; ``before`` are the bytes up to its end, before they were coded."""
    counts = table.word("counts", {"whole": 0, "rest": before}, "rest")
    on_wire = table.word("over", {"plain": False, "wire": True}, "plain")
    if on_wire and not ({"counts", "uncounted"} & set(table)):
        raise table.wrong("over", "goes with `counts: whole` or `uncounted`: how many wire bytes come first may differ")
    if on_wire and counts and "uncounted" not in table:
        raise table.wrong("counts", "is `rest`, but over the wire nobody knows how many bytes come before it")
    uncounted = table.number("uncounted", counts, -256, MOST_BYTES)
    return Length(name, uncounted, table.number("unit", 1, 1, 256), on_wire)


def _coding(said: Declaration) -> tuple[Escape | None, bool]:
    if said.is_table("coding"):
        table = said.table("coding")
        assert table is not None
        escape = Escape(
            _one_byte(table, "escape"),
            _escape_table(table),
            table.number("xor", 0, 0, 255),
            bytes_of(table, "also"),
        )
        if not escape.table and not escape.xor:
            raise table.wrong("escape", "needs a `table` or an `xor`: what an escaped byte means")
        if escape.table and escape.byte not in {meant for meant, _ in escape.table}:
            raise table.wrong("table", f"does not say how the escape {escape.byte:02X} itself is sent")
        table.end()
        return escape, False
    word = said.word("coding", {"none": "", "hex": "hex", **{name: name for name in ESCAPES}}, "none")
    return ESCAPES.get(word), word == "hex"


def _one_byte(said: Declaration, key: str) -> int:
    data = bytes_of(said, key)
    if len(data) != 1:
        raise said.wrong(key, "is one byte")
    return data[0]


def _escape_table(said: Declaration) -> tuple[tuple[int, int], ...]:
    table = said.table("table")
    if table is None:
        return ()
    found = []
    for key in table:
        if len(key) != 2 or not all(digit in "0123456789abcdefABCDEF" for digit in key):
            raise table.wrong(key, "is the hex pair of a byte that is sent escaped")
        found.append((int(key, 16), _one_byte(table, key)))
    if len({sent for _, sent in found}) < len(found):
        raise said.wrong("table", "sends two bytes alike")
    return tuple(found)


def _characters(said: Declaration) -> bytes:
    word = said.text("characters", "any")
    if word in CHARACTERS:
        return CHARACTERS[word]
    found = bytes_of(said, "characters")
    return bytes(sorted(set(found)))


def _checks(said: Declaration) -> tuple[Check, ...]:
    if not said.has("check"):
        return ()
    if not said.is_table("check") and not said.is_list("check"):
        return (Check(parse_rule(said, "check")),)
    return tuple(parse_check(table) for table in tables_of(said, "check"))


def _agree(said: Declaration, framing: Framing) -> None:
    """Raises `OperatorError` for keys that make no framing together."""
    ways = [name for name, there in (("length", framing.length), ("size", framing.size)) if there is not None]
    if len(ways) > 1:
        raise said.wrong("size", "goes not with `length`: one of them tells the size")
    if not ways and not framing.end and not framing.gap:
        raise said.wrong("name", "does not say where a frame ends: give `length`, `size`, `end` or `gap`")
    coded = framing.escape is not None or framing.hex
    if coded and not framing.end and not ways:
        raise said.wrong("coding", "needs an `end`, a `length` or a `size`")
    if coded and ways and framing.shared_end:
        raise said.wrong("shared_end", f"goes not with `coding` and `{ways[0]}`")
    if framing.length is not None and framing.length.on_wire and not coded:
        raise said.wrong("length", "is `over: wire`, but without a `coding` there is no difference: leave it out")
    if framing.shared_end and not framing.end:
        raise said.wrong("shared_end", "needs an `end`")
    layout = Layout(framing)
    if layout.least > framing.most:
        raise said.wrong("most", f"is {framing.most}, but no frame has less than {layout.least} bytes")
    size = framing.size
    said_size = size.tree.value if size is not None and isinstance(size.tree, Constant) else layout.least
    if not isinstance(said_size, int) or not layout.least <= said_size <= framing.most:
        raise said.wrong("size", f"is {size}; it is from {layout.least} to {framing.most}")
