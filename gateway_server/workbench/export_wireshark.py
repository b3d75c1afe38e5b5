"""A meter profile as a Wireshark dissector in Lua: the same frames, the same fields, the same values.

What is written here is the profile as Lua tables; `dissector.lua` behind it cuts and takes apart. What Lua's numbers
cannot say exactly stands in comments at the head of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from gateway_server.codec.meter_profile.expressions import Expression
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
from gateway_server.codec.meter_profile.layout import Layout, Seal, name_of
from gateway_server.codec.meter_profile.leaves import leaf_of
from gateway_server.codec.meter_profile.naming import sometimes
from gateway_server.codec.meter_profile.times import PARTS, pattern_parts
from gateway_server.workbench.lua import (
    comment,
    flag,
    lua,
    lua_bytes,
    power,
    quoted,
    table,
    value_of,
    values_of,
    words_of,
)
from gateway_server.workbench.pcapng import GATEWAY

RUNTIME = Path(__file__).with_name("dissector.lua")
_TIMES = {"YYYY": "year", "YY": "year", "MM": "month", "DD": "day", "hh": "hour", "mm": "minute", "ss": "second",
          "fff": "millisecond"}  # fmt: skip
_EPOCH = datetime(1970, 1, 1)
_CODE_PAGES = {"cp1251": "cp1251", "koi8-r": "koi8_r", "cp866": "cp866", "latin-1": "latin-1"}


def wireshark(profile: MeterProfile) -> str:
    """The dissector's file."""
    export = _Export(profile)
    body = export.profile()
    before, behind = _runtime()
    said = "".join(f"-- Not the same as in the gateway: {one}.\n" for one in dict.fromkeys(export.notes))
    return (
        f"-- {profile.name} {profile.version}: {comment(profile.about)}\n"
        "-- A Wireshark dissector, exported from a meter profile by gateway-server: change the profile, not this.\n"
        "-- tshark -X lua_script:FILE -r SESSION.pcapng, for a session exported with --format pcapng. Else:\n"
        f"-- Analyze > Decode As, TCP port {GATEWAY[1]} stands for the gateway's side.\n"
        f"{said}\nlocal PROFILE\n{before}\n{body}\n{behind}"
    )


def _runtime() -> tuple[str, str]:
    """What expressions call, and what runs the profile: the profile stands between them."""
    before, mark, behind = RUNTIME.read_text("utf-8").partition("-- numbers\n")
    return before, mark + behind


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
                f"  abbreviation = {quoted(abbreviation(profile))},",
                f"  title = {quoted(profile.name)},",
                f"  gateway_port = {GATEWAY[1]},",
                f"  strip_parity = {flag(profile.parity is not Parity.NONE)},",
                "  framings = {},",
                "  by_name = {},",
                "  messages = {},",
                "  fields = {",
                *(f"    {{{quoted(name)}, {quoted(label)}}}," for name, label in fields.items()),
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
            size = f"function(v) return name(v, {quoted(length.field)}) * {length.unit} + {length.uncounted} end"
        elif framing.size is not None:
            size = self._function(framing.size)
        escape = "nil"
        if framing.escape is not None:
            meanings = ", ".join(f"[{sent}] = {meant}" for meant, sent in framing.escape.table)
            escape = f"{{byte = {framing.escape.byte}, xor = {framing.escape.xor}, table = {{{meanings}}}}}"
        illegal = "nil"
        if framing.characters:
            allowed = b"".join(
                bytes([one]) if chr(one).isalnum() or one < 0x21 or one > 0x7E else bytes((ord("%"), one))
                for one in framing.characters
            )
            illegal = lua_bytes(b"[^" + allowed + b"]")
        if framing.gap and framing.length is None and framing.size is None and not framing.end:
            self.notes.append(f"frames of the framing {framing.name} end by silence: a segment is taken for a frame")
        return table(
            name=quoted(framing.name),
            **{"from": _sides(framing.side)},
            start=lua_bytes(framing.start),
            end_=lua_bytes(framing.end),
            header=self._parts(framing.header),
            header_size=str(layout.header_size),
            size_of=size,
            escape=escape,
            hex=flag(framing.hex),
            counts_wire=flag(framing.length is not None and framing.length.on_wire),
            illegal=illegal,
            shared_end=flag(framing.shared_end),
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
                f"{{width = {crc.width}, poly = {crc.poly}, init = {crc.init}, refin = {flag(crc.refin)},"
                f" refout = {flag(crc.refout)}, xorout = {crc.xorout}}}"
            )
        else:
            rule = f"{{width = {check.rule.width}, fold = {quoted(check.rule.fold.value)}}}"
        return table(
            name=quoted(name_of(check)),
            rule=rule,
            covers=quoted(check.covers),
            skip=str(check.skip),
            trim=str(check.trim),
            little=flag(check.order.value == "little"),
            written=quoted("binary" if check.written is Written.BINARY else "hex"),
            separator=lua_bytes(check.separator),
            after_end=flag(check.after_end),
            mask=str(check.mask) if check.mask >= 0 else "nil",
            size=str(seal.size),
            unknown=flag(unknown),
        )

    def _message(self, message: Message) -> str:
        when = ", ".join(f"{{{quoted(name)}, {values_of(allowed)}}}" for name, allowed in message.when)
        return table(
            name=quoted(message.name),
            framing=quoted(message.framing),
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
                    f"{{values = {values_of(values)}, parts = {self._parts(inner)}}}" for values, inner in part.cases
                )
                return table(
                    kind=quoted("choice"),
                    on=self._function(part.on),
                    cases=f"{{{cases}}}",
                    otherwise="nil" if part.otherwise is None else self._parts(part.otherwise),
                    size=self._function(part.size),
                    cond=condition,
                )

    def _field(self, field: Field, condition: str) -> str:
        places = None if field.scale is None else power(field.scale)
        if field.scale is not None and places is None:
            self.notes.append(f"{field.name} is scaled by an expression and shown as a rounded number")
        if isinstance(field.type, Integer) and field.type.size > 6:
            self.notes.append(f"{field.name} is calculated with as a rounded number beyond 2^53, and shown exactly")
        extent = field.extent
        return table(
            kind=quoted("field"),
            name=quoted(field.name),
            type=self._type(field.type),
            size=self._function(extent.size) if leaf_of(field.type).size is None else "nil",
            until_=lua_bytes(extent.until) if extent.until else "nil",
            or_end=flag(extent.or_end),
            must=values_of(field.must_be) if field.must_be else "nil",
            equals=self._function(field.equals),
            cond=condition,
            scale=self._function(field.scale),
            moved=str(places) if places is not None else "nil",
            words="nil"
            if not field.words
            else "{" + ", ".join(f"[{value_of(key)}] = {quoted(word)}" for key, word in field.words) + "}",
            missing=values_of(field.missing) if field.missing else "nil",
            absent=values_of(field.absent) if field.absent else "nil",
            secret=flag(field.secret),
        )

    def _group(self, group: Group, condition: str) -> str:
        repeat = group.repeat
        mask = group.mask
        vanishing = ", ".join(quoted(name) for name in sometimes(group.parts)) if repeat is not None else ""
        return table(
            kind=quoted("group"),
            name=quoted(group.name),
            parts=self._parts(group.parts),
            repeated=flag(repeat is not None),
            count=self._function(repeat.count) if repeat is not None else "nil",
            until_=lua_bytes(repeat.until) if repeat is not None and repeat.until else "nil",
            size=self._function(group.size),
            mask=f"{{add = {mask.add}, xor = {mask.xor}}}" if mask is not None else "nil",
            vanishing=f"{{{vanishing}}}",
            cond=condition,
        )

    def _type(self, type_: Type) -> str:
        match type_:
            case Integer(size, signed, order):
                return f'{{is = "integer", size = {size}, signed = {flag(signed)}, order = {quoted(order.value)}}}'
            case Bits(size, order, parts):
                inner = ", ".join(
                    f"{{name = {quoted(one.name)}, low = {one.span.low}, width = {one.span.width}"
                    + (f", words = {words_of(one.words)}" if one.words else "")
                    + "}"
                    for one in parts
                )
                return f'{{is = "bits", size = {size}, order = {quoted(order.value)}, parts = {{{inner}}}}}'
            case Flags(size, order):
                return f'{{is = "flags", size = {size}, order = {quoted(order.value)}}}'
            case Bcd(size, order, sign, swapped):
                return (
                    f'{{is = "bcd", size = {size}, order = {quoted(order.value)}, sign = {quoted(sign.value)},'
                    f" swapped = {flag(swapped)}}}"
                )
            case Float(size, order, digits, places):
                return (
                    f'{{is = "float", size = {size}, order = {quoted(order.value)}, precision = {digits or 17},'
                    f" places = {'nil' if places is None else places}}}"
                )
            case Number(base, _, _, mark):
                return f'{{is = "number", base = {base}, mark = {quoted(mark)}}}'
            case Text():
                return self._text(type_)
            case Bytes():
                return '{is = "bytes"}'
            case CountedTime(size, order, since, unit_ms):
                since_ms = round((since - _EPOCH).total_seconds() * 1000)
                return (
                    f'{{is = "counted", size = {size}, order = {quoted(order.value)}, unit_ms = {unit_ms},'
                    f" since_ms = {since_ms}}}"
                )
            case PatternTime():
                return self._pattern(type_)
            case PackedTime(size, order, parts, year):
                inner = ", ".join(
                    f"{{name = {quoted(name)}, spans = {{"
                    + ", ".join(f"{{{span.low}, {span.width}}}" for span in spans)
                    + "}}"
                    for name, spans in parts
                )
                return (
                    f'{{is = "packed", size = {size}, order = {quoted(order.value)}, year = {year},'
                    f" parts = {{{inner}}}}}"
                )

    def _text(self, type_: Text) -> str:
        mapped = "nil"
        if type_.encoding in _CODE_PAGES:
            page = bytes(range(128, 256)).decode(_CODE_PAGES[type_.encoding], "replace")
            pairs = ", ".join(
                f'["\\{128 + number}"] = {lua_bytes(letter.encode())}' for number, letter in enumerate(page)
            )
            mapped = f"{{{pairs}}}"
        return table(
            **{"is": quoted("text")},
            encoding=quoted(type_.encoding),
            pad=lua_bytes(type_.pad) if type_.pad else "nil",
            left=flag(type_.pad_left),
            map=mapped,
        )

    def _pattern(self, type_: PatternTime) -> str:
        text = type_.digits is Digits.TEXT
        parts, size = [], 0
        for part in pattern_parts(type_.pattern):
            if part not in PARTS:
                if text:
                    parts.append(f"{{size = {len(part)}, literal = {lua_bytes(part.encode())}}}")
                    size += len(part)
                continue
            wide = 2 if type_.digits is Digits.BINARY and part in ("YYYY", "fff") else 1
            width = len(part) if text else wide if type_.digits is Digits.BINARY else (len(part) + 1) // 2
            name = f", name = {quoted(_TIMES[part])}" if part in _TIMES else ""
            add = f", add = {type_.century}" if part == "YY" else ""
            parts.append(f"{{size = {width}{name}{add}}}")
            size += width
        fixed = "nil" if text else str(size)
        return (
            f'{{is = "pattern", size = {fixed}, digits = {quoted(type_.digits.value)},'
            f" order = {quoted(type_.order.value)}, parts = {{{', '.join(parts)}}}}}"
        )

    # expressions

    def _function(self, expression: Expression | None) -> str:
        return "nil" if expression is None else f"function(v) return {lua(expression.tree)} end"


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


def _sides(side: Side) -> str:
    meter, gateway = side.speaks(Side.METER), side.speaks(Side.GATEWAY)
    return f"{{[true] = {flag(meter)}, [false] = {flag(gateway)}}}"
