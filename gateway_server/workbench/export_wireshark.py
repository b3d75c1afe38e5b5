"""A meter profile as a Wireshark dissector in Lua: the same frames, the same fields, the same values.

What is written here is the profile as Lua tables; `dissector.lua` behind it cuts and takes apart. What Lua's numbers
cannot say exactly stands in comments at the head of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from gateway_server.codec.meter_profile.expressions import Binary, Call, Constant, Expression, Name, Tree, Unary
from gateway_server.codec.meter_profile.form import (
    Bcd,
    Bits,
    Bytes,
    Check,
    Choice,
    CountedTime,
    Crc,
    Digits,
    Field,
    Flags,
    Float,
    Framing,
    Group,
    Integer,
    Message,
    MeterProfile,
    Number,
    PackedTime,
    Parity,
    Part,
    PatternTime,
    Side,
    Text,
    Type,
    Written,
)
from gateway_server.codec.meter_profile.form import Constant as Value
from gateway_server.codec.meter_profile.layout import Layout, Seal, name_of
from gateway_server.codec.meter_profile.leaves import leaf_of
from gateway_server.codec.meter_profile.parts import sometimes
from gateway_server.codec.meter_profile.times import PARTS, pattern_parts
from gateway_server.workbench.pcapng import GATEWAY

RUNTIME = Path(__file__).with_name("dissector.lua")
_COMPARISONS = {"<", "<=", ">", ">="}
_BITS = {"&": "band", "|": "bor", "^": "bxor"}
_TIMES = {"YYYY": "year", "YY": "year", "MM": "month", "DD": "day", "hh": "hour", "mm": "minute", "ss": "second",
          "fff": "millisecond"}  # fmt: skip
_EPOCH = datetime(1970, 1, 1)
_CODE_PAGES = {"cp1251": "cp1251", "koi8-r": "koi8_r", "cp866": "cp866", "latin-1": "latin-1"}


def wireshark(profile: MeterProfile) -> str:
    """The dissector's file."""
    export = _Export(profile)
    body = export.profile()
    said = "".join(f"-- Not the same as in the gateway: {one}.\n" for one in dict.fromkeys(export.notes))
    return (
        f"-- {profile.name} {profile.version}: {_comment(profile.about)}\n"
        "-- A Wireshark dissector, exported from a meter profile by gateway-server: change the profile, not this.\n"
        "-- tshark -X lua_script:FILE -r SESSION.pcapng, for a session exported with --format pcapng. Else:\n"
        f"-- Analyze > Decode As, TCP port {GATEWAY[1]} stands for the gateway's side.\n"
        f"{said}\nlocal PROFILE\n{_INLINE}\n{body}\n{_rest()}"
    )


_RUNTIME_TEXT = RUNTIME.read_text("utf-8") if RUNTIME.is_file() else ""


def _split() -> tuple[str, str]:
    before, mark, behind = _RUNTIME_TEXT.partition("-- numbers\n")
    return before, mark + behind


# Expressions use the runtime's first part, and the rest of it uses PROFILE: so the profile stands between them.
_INLINE = _split()[0].replace("the profile itself stands above, in PROFILE", "the profile stands further down, PROFILE")


def _rest() -> str:
    return _split()[1]


def abbreviation(profile: MeterProfile) -> str:
    """The name of the protocol in display filters."""
    return f"meter_{re.sub('[^a-z0-9]', '_', profile.name)}"


class _Export:
    def __init__(self, profile: MeterProfile) -> None:
        self._profile = profile
        self.notes: list[str] = []

    def profile(self) -> str:
        """The table that the runtime works with."""
        profile = self._profile
        fields = {"start": "start", "separator": "separator", "check": "check", "end": "end"}
        for framing in profile.framings:
            fields.update({name: name for name in _paths(framing.header, "")})
        for message in profile.messages:
            fields.update({name: name for name in _paths(message.parts, "")})
        if profile.parity in (Parity.EVEN, Parity.ODD):
            self.notes.append("parity is stripped and not checked")
        return "\n".join(
            [
                "PROFILE = {",
                f"  abbreviation = {_quoted(abbreviation(profile))},",
                f"  title = {_quoted(profile.name)},",
                f"  gateway_port = {GATEWAY[1]},",
                f"  strip_parity = {_flag(profile.parity is not Parity.NONE)},",
                "  framings = {},",
                "  by_name = {},",
                "  messages = {},",
                "  fields = {",
                *(f"    {{{_quoted(name)}, {_quoted(label)}}}," for name, label in fields.items()),
                "  },",
                "}",
                *(
                    f"PROFILE.framings[{number}] = {self._framing(one)}"
                    for number, one in enumerate(profile.framings, 1)
                ),
                "for _, one in ipairs(PROFILE.framings) do PROFILE.by_name[one.name] = one end",
                *(
                    f"PROFILE.messages[{number}] = {self._message(one)}"
                    for number, one in enumerate(profile.messages, 1)
                ),
            ]
        )

    def _framing(self, framing: Framing) -> str:
        layout = Layout(framing)
        size = "nil"
        if framing.length is not None:
            length = framing.length
            size = f"function(v) return name(v, {_quoted(length.field)}) * {length.unit} + {length.uncounted} end"
        elif framing.size is not None:
            size = self._function(framing.size)
        escape = "nil"
        if framing.escape is not None:
            table = ", ".join(f"[{sent}] = {meant}" for meant, sent in framing.escape.table)
            escape = f"{{byte = {framing.escape.byte}, xor = {framing.escape.xor}, table = {{{table}}}}}"
        illegal = "nil"
        if framing.characters:
            allowed = b"".join(
                bytes([one]) if chr(one).isalnum() or one < 0x21 or one > 0x7E else bytes((ord("%"), one))
                for one in framing.characters
            )
            illegal = _bytes(b"[^" + allowed + b"]")
        if framing.gap and framing.length is None and framing.size is None and not framing.end:
            self.notes.append(f"frames of the framing {framing.name} end by silence: a segment is taken for a frame")
        return _table(
            name=_quoted(framing.name),
            **{"from": _sides(framing.side)},
            start=_bytes(framing.start),
            end_=_bytes(framing.end),
            header=self._parts(framing.header),
            header_size=str(layout.header_size),
            size_of=size,
            escape=escape,
            hex=_flag(framing.hex),
            illegal=illegal,
            shared_end=_flag(framing.shared_end),
            checks="{" + ", ".join(self._check(one) for one in (*layout.inner, *layout.outer)) + "}",
            tail=str(layout.tail),
            behind=str(layout.behind),
            least=str(layout.least),
            most=str(framing.most),
        )

    def _check(self, seal: Seal) -> str:
        check: Check = seal.check
        unknown = check.on_wire or check.rule.width > 32
        if unknown:
            self.notes.append(f"the check {name_of(check)} is shown, but not verified")
        if isinstance(check.rule, Crc):
            crc = check.rule
            rule = (
                f"{{width = {crc.width}, poly = {crc.poly}, init = {crc.init}, refin = {_flag(crc.refin)},"
                f" refout = {_flag(crc.refout)}, xorout = {crc.xorout}}}"
            )
        else:
            rule = f"{{width = {check.rule.width}, fold = {_quoted(check.rule.fold.value)}}}"
        return _table(
            name=_quoted(name_of(check)),
            rule=rule,
            covers=_quoted(check.covers),
            skip=str(check.skip),
            trim=str(check.trim),
            little=_flag(check.order.value == "little"),
            written=_quoted("binary" if check.written is Written.BINARY else "hex"),
            separator=_bytes(check.separator),
            after_end=_flag(check.after_end),
            mask=str(check.mask) if check.mask >= 0 else "nil",
            size=str(seal.size),
            unknown=_flag(unknown),
        )

    def _message(self, message: Message) -> str:
        when = ", ".join(f"{{{_quoted(name)}, {_values(allowed)}}}" for name, allowed in message.when)
        return _table(
            name=_quoted(message.name),
            framing=_quoted(message.framing),
            **{"from": _sides(message.side)},
            when=f"{{{when}}}",
            parts=self._parts(message.parts),
        )

    # parts

    def _parts(self, parts: Iterable[Part]) -> str:
        return "{" + ", ".join(map(self._part, parts)) + "}"

    def _part(self, part: Part) -> str:
        condition = self._function(part.condition)
        match part:
            case Field():
                return self._field(part, condition)
            case Group():
                return self._group(part, condition)
            case Choice():
                cases = ", ".join(
                    f"{{values = {_values(values)}, parts = {self._parts(inner)}}}" for values, inner in part.cases
                )
                return _table(
                    kind=_quoted("choice"),
                    on=self._function(part.on),
                    cases=f"{{{cases}}}",
                    otherwise="nil" if part.otherwise is None else self._parts(part.otherwise),
                    size=self._function(part.size),
                    cond=condition,
                )

    def _field(self, field: Field, condition: str) -> str:
        places = None if field.scale is None else _power(field.scale)
        if field.scale is not None and places is None:
            self.notes.append(f"{field.name} is scaled by an expression and shown as a rounded number")
        if isinstance(field.type, Integer) and field.type.size > 6:
            self.notes.append(f"{field.name} is calculated with as a rounded number beyond 2^53, and shown exactly")
        extent = field.extent
        return _table(
            kind=_quoted("field"),
            name=_quoted(field.name),
            type=self._type(field.type),
            size=self._function(extent.size) if leaf_of(field.type).size is None else "nil",
            until_=_bytes(extent.until) if extent.until else "nil",
            or_end=_flag(extent.or_end),
            must=_values(field.must_be) if field.must_be else "nil",
            equals=self._function(field.equals),
            cond=condition,
            scale=self._function(field.scale),
            moved=str(places) if places is not None else "nil",
            words="nil"
            if not field.words
            else "{" + ", ".join(f"[{_value(key)}] = {_quoted(word)}" for key, word in field.words) + "}",
            missing=_values(field.missing) if field.missing else "nil",
            secret=_flag(field.secret),
        )

    def _group(self, group: Group, condition: str) -> str:
        repeat = group.repeat
        mask = group.mask
        vanishing = ", ".join(_quoted(name) for name in sometimes(group.parts)) if repeat is not None else ""
        return _table(
            kind=_quoted("group"),
            name=_quoted(group.name),
            parts=self._parts(group.parts),
            repeated=_flag(repeat is not None),
            count=self._function(repeat.count) if repeat is not None else "nil",
            until_=_bytes(repeat.until) if repeat is not None and repeat.until else "nil",
            size=self._function(group.size),
            mask=f"{{add = {mask.add}, xor = {mask.xor}}}" if mask is not None else "nil",
            vanishing=f"{{{vanishing}}}",
            cond=condition,
        )

    def _type(self, type_: Type) -> str:
        match type_:
            case Integer(size, signed, order):
                return f'{{is = "integer", size = {size}, signed = {_flag(signed)}, order = {_quoted(order.value)}}}'
            case Bits(size, order, parts):
                inner = ", ".join(
                    f"{{name = {_quoted(one.name)}, low = {one.span.low}, width = {one.span.width}"
                    + (f", words = {_words(one.words)}" if one.words else "")
                    + "}"
                    for one in parts
                )
                return f'{{is = "bits", size = {size}, order = {_quoted(order.value)}, parts = {{{inner}}}}}'
            case Flags(size, order):
                return f'{{is = "flags", size = {size}, order = {_quoted(order.value)}}}'
            case Bcd(size, order, sign, swapped):
                return (
                    f'{{is = "bcd", size = {size}, order = {_quoted(order.value)}, sign = {_quoted(sign.value)},'
                    f" swapped = {_flag(swapped)}}}"
                )
            case Float(size, order, digits, places):
                return (
                    f'{{is = "float", size = {size}, order = {_quoted(order.value)}, precision = {digits or 17},'
                    f" places = {'nil' if places is None else places}}}"
                )
            case Number(base, _, _, mark):
                return f'{{is = "number", base = {base}, mark = {_quoted(mark)}}}'
            case Text():
                return self._text(type_)
            case Bytes():
                return '{is = "bytes"}'
            case CountedTime(size, order, since, unit_ms):
                since_ms = round((since - _EPOCH).total_seconds() * 1000)
                return (
                    f'{{is = "counted", size = {size}, order = {_quoted(order.value)}, unit_ms = {unit_ms},'
                    f" since_ms = {since_ms}}}"
                )
            case PatternTime():
                return self._pattern(type_)
            case PackedTime(size, order, parts, year):
                inner = ", ".join(
                    f"{{name = {_quoted(name)}, spans = {{"
                    + ", ".join(f"{{{span.low}, {span.width}}}" for span in spans)
                    + "}}"
                    for name, spans in parts
                )
                return (
                    f'{{is = "packed", size = {size}, order = {_quoted(order.value)}, year = {year},'
                    f" parts = {{{inner}}}}}"
                )

    def _text(self, type_: Text) -> str:
        mapped = "nil"
        if type_.encoding in _CODE_PAGES:
            page = bytes(range(128, 256)).decode(_CODE_PAGES[type_.encoding], "replace")
            pairs = ", ".join(f'["\\{128 + number}"] = {_bytes(letter.encode())}' for number, letter in enumerate(page))
            mapped = f"{{{pairs}}}"
        return _table(
            **{"is": _quoted("text")},
            encoding=_quoted(type_.encoding),
            pad=_bytes(type_.pad) if type_.pad else "nil",
            left=_flag(type_.pad_left),
            map=mapped,
        )

    def _pattern(self, type_: PatternTime) -> str:
        text = type_.digits is Digits.TEXT
        parts, size = [], 0
        for part in pattern_parts(type_.pattern):
            if part not in PARTS:
                if text:
                    parts.append(f"{{size = {len(part)}, literal = {_bytes(part.encode())}}}")
                    size += len(part)
                continue
            wide = 2 if type_.digits is Digits.BINARY and part in ("YYYY", "fff") else 1
            width = len(part) if text else wide if type_.digits is Digits.BINARY else (len(part) + 1) // 2
            name = f", name = {_quoted(_TIMES[part])}" if part in _TIMES else ""
            add = f", add = {type_.century}" if part == "YY" else ""
            parts.append(f"{{size = {width}{name}{add}}}")
            size += width
        fixed = "nil" if text else str(size)
        return (
            f'{{is = "pattern", size = {fixed}, digits = {_quoted(type_.digits.value)},'
            f" order = {_quoted(type_.order.value)}, parts = {{{', '.join(parts)}}}}}"
        )

    # expressions

    def _function(self, expression: Expression | None) -> str:
        return "nil" if expression is None else f"function(v) return {_lua(expression.tree)} end"


def _lua(tree: Tree) -> str:
    match tree:
        case Constant(value):
            return _value(value)
        case Name(said):
            return f"name(v, {_quoted(said)})"
        case Unary("not", of):
            return f"(not truth({_lua(of)}))"
        case Unary("~", of):
            return f"(-1 - {_lua(of)})"
        case Unary(_, of):
            return f"(-{_lua(of)})"
        case Binary("and", left, right):
            return f"(truth({_lua(left)}) and truth({_lua(right)}))"
        case Binary("or", left, right):
            return f"(truth({_lua(left)}) or truth({_lua(right)}))"
        case Binary("==", left, right):
            return f"same({_lua(left)}, {_lua(right)})"
        case Binary("!=", left, right):
            return f"(not same({_lua(left)}, {_lua(right)}))"
        case Binary(said, left, right) if said in _BITS:
            return f"{_BITS[said]}({_lua(left)}, {_lua(right)})"
        case Binary("<<", left, right):
            return f"({_lua(left)} * 2 ^ {_lua(right)})"
        case Binary(">>", left, right):
            return f"math.floor({_lua(left)} / 2 ^ {_lua(right)})"
        case Binary("//", left, right):
            return f"math.floor({_lua(left)} / {_lua(right)})"
        case Binary("+", left, right):
            return f"add({_lua(left)}, {_lua(right)})"
        case Binary(said, left, right):
            return f"({_lua(left)} {said} {_lua(right)})"
        case Call("if", (condition, then, other)):
            return f"(function() if truth({_lua(condition)}) then return {_lua(then)} end return {_lua(other)} end)()"
        case Call("default", (wanted, other)):
            return f"otherwise(function() return {_lua(wanted)} end, function() return {_lua(other)} end)"
        case Call("pow10", (of,)):
            return f"(10 ^ {_lua(of)})"
        case Call("size", (of,)):
            return f"count_of({_lua(of)})"
        case Call(function, arguments):
            work = {"min": "math.min", "max": "math.max", "abs": "math.abs"}.get(function, function)
            return f"{work}({', '.join(map(_lua, arguments))})"


def _power(scale: Expression) -> int | None:
    """How many places a constant scale moves the decimal point to the left; None if it is no power of ten."""
    if not isinstance(scale.tree, Constant) or isinstance(scale.tree.value, str):
        return None
    value = Decimal(scale.tree.value)
    _, digits, exponent = value.normalize().as_tuple()
    return -exponent if digits == (1,) and isinstance(exponent, int) and value > 0 else None


def _paths(parts: Iterable[Part], before: str) -> Iterator[str]:
    for part in parts:
        match part:
            case Field():
                yield before + part.name
            case Group():
                yield from _paths(part.parts, f"{before}{part.name}.")
            case Choice():
                for _, inner in part.cases:
                    yield from _paths(inner, before)
                yield from _paths(part.otherwise or (), before)


# Lua's own notation


def _table(**entries: str) -> str:
    return "{" + ", ".join(f'["{key}"] = {value}' for key, value in entries.items() if value != "nil") + "}"


def _escape(data: bytes) -> str:
    return "".join(f"\\{byte:03d}" for byte in data)


def _bytes(data: bytes) -> str:
    return f'"{_escape(data)}"'


def _quoted(text: str) -> str:
    return "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\' else _escape(letter.encode())
        for letter in text
    ).join('""')


def _comment(text: str) -> str:
    return " ".join(text.split())


def _value(value: Value) -> str:
    match value:
        case bytes():
            return _bytes(value)
        case str():
            return _quoted(value)
        case _:
            return str(value)


def _values(values: Iterable[Value]) -> str:
    return "{" + ", ".join(map(_value, values)) + "}"


def _words(words: Iterable[tuple[int, str]]) -> str:
    return "{" + ", ".join(f"[{number}] = {_quoted(word)}" for number, word in words) + "}"


def _sides(side: Side) -> str:
    meter, gateway = side.speaks(Side.METER), side.speaks(Side.GATEWAY)
    return f"{{[true] = {_flag(meter)}, [false] = {_flag(gateway)}}}"


def _flag(value: bool) -> str:
    return "true" if value else "false"
