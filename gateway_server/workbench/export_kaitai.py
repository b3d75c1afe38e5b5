"""A meter profile as a Kaitai Struct format (``.ksy``): one frame, its messages and fields, as far as Kaitai goes.

Kaitai reads structures, not conversations and not streams: no checks, no byte stuffing, no choice by several fields,
no exact decimals. Numbers are raw, and what they mean stands beside them (`kaitai_meaning`). What is lost is said in
the file's ``doc``; where a part cannot be said, the bytes from there on are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from gateway_server.codec.meter_profile.form import (
    Bcd,
    Bits,
    Bytes,
    Choice,
    CountedTime,
    Extent,
    Field,
    Flags,
    Float,
    Framing,
    Group,
    Integer,
    Message,
    MeterProfile,
    Number,
    Order,
    PackedTime,
    Part,
    PatternTime,
    Sign,
    Text,
)
from gateway_server.codec.meter_profile.form import Constant as Value
from gateway_server.codec.meter_profile.layout import Layout, name_of
from gateway_server.codec.meter_profile.leaves import leaf_of
from gateway_server.codec.meter_profile.naming import names_of
from gateway_server.workbench.kaitai_expressions import Scope, Unsayable, condition_of, quoted, said
from gateway_server.workbench.kaitai_meaning import Attribute, Meanings, identifier
from gateway_server.workbench.kaitai_numbers import bcd, odd_integer

_ENCODINGS = {
    "ascii": "ASCII",
    "cp1251": "windows-1251",
    "koi8-r": "KOI8-R",
    "cp866": "IBM866",
    "utf-8": "UTF-8",
    "latin-1": "ISO-8859-1",
}


def kaitai(profile: MeterProfile) -> str:
    """The ``.ksy`` file. Its root is one frame: of the framing whose start it has, or of the profile's first one."""
    export = _Export(profile)
    root = export.root()
    lost = "".join(f"\n* {one}" for one in dict.fromkeys(export.lost))
    doc = (
        f"{profile.about or profile.name}. Exported from a meter profile by gateway-server: change that, not this."
        "\nNumbers are raw, as they are sent. NAME_word is one in words, NAME_scaled one times its scale (as a floating"
        " point number: nearly that); each framing has a type of its own, frame_NAME."
        f"\nNot said here, because Kaitai cannot say it:{lost}"
    )
    document: Attribute = {
        "meta": {"id": identifier(profile.name), "title": profile.name, "endian": "be", "bit-endian": "be"},
        "doc": doc,
        **root,
        "types": export.types,
        **({"enums": export.meanings.enums} if export.meanings.enums else {}),
    }
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120))


class _Export:
    def __init__(self, profile: MeterProfile) -> None:
        self._profile = profile
        self.types: dict[str, Attribute] = {}
        self.lost: list[str] = [
            "who says what when, which rows and quantities that makes, and checks: they are shown, not verified",
            "what is secret",
        ]
        self.meanings = Meanings(self.lost.append)

    def root(self) -> Attribute:
        """What the root consists of; all types are known then."""
        framings = self._profile.framings
        names = [self._framing(framing) for framing in framings]
        starts = {framing.start[:1]: name for framing, name in zip(framings, names, strict=True)}
        if len(names) == 1 or b"" in starts or len(starts) < len(names):
            if len(names) > 1:
                told = "which framing a frame has, of those that begin alike or with nothing of their own"
                self.lost.append(f"{told}: the root is {names[0]}; {', '.join(names[1:])} can be used in its place")
            return {"seq": [{"id": "frame", "type": names[0]}]}
        cases = {start[0]: name for start, name in starts.items()}
        return {
            "seq": [{"id": "frame", "type": {"switch-on": "first_byte", "cases": cases}}],
            "instances": {"first_byte": {"pos": 0, "type": "u1"}},
        }

    # frames

    def _framing(self, framing: Framing) -> str:
        type_name = f"frame_{framing.name}"
        layout = Layout(framing)
        seq: list[Attribute] = []
        self.types[type_name] = {"seq": seq}
        if framing.shared_end:
            self.lost.append(f"that an end of {framing.name} may be the start of the next frame")
        if framing.start:
            seq.append({"id": "start_mark", "contents": list(framing.start)})
        scope = Scope()
        if (framing.length is None and framing.size is None) or layout.coding.changes:
            self._delimited(framing, layout, seq, scope)
        else:
            self._sized(framing, layout, seq, scope)
        for number, seal in enumerate(layout.outer, 1):
            seq.append({"id": f"check_behind{number}", "size": seal.size, "doc": name_of(seal.check)})
        self._finish(type_name, scope)
        return type_name

    def _finish(self, type_name: str, scope: Scope) -> None:
        """The values that a type has beside its attributes, which have their names first."""
        type_ = self.types[type_name]
        taken = {attribute["id"] for attribute in type_["seq"]}
        if instances := {name: one for name, one in scope.instances.items() if name not in taken}:
            type_["instances"] = instances

    def _sized(self, framing: Framing, layout: Layout, seq: list[Attribute], scope: Scope) -> None:
        self._parts(framing.header, seq, scope, f"header_{framing.name}")
        fixed = len(framing.start) + layout.header_size + layout.tail + layout.behind
        if framing.length is not None:
            length = framing.length
            size = f"{scope.path(length.field)} * {length.unit} + {length.uncounted - fixed}"
        else:
            assert framing.size is not None
            size = f"{said(framing.size, scope)} - {fixed}"
        seq.append({"id": "body", "size": size, **self._body(framing, scope)})
        self._seals(layout, seq)
        if framing.end:
            seq.append({"id": "end_mark", "contents": list(framing.end)})

    def _delimited(self, framing: Framing, layout: Layout, seq: list[Attribute], scope: Scope) -> None:
        content: Attribute = {"id": "content"}
        if len(framing.end) == 1 and framing.length is None and framing.size is None:
            content["terminator"] = framing.end[0]
        elif framing.end:
            content["size"] = f"_io.size - _io.pos - {layout.behind}"
            self.lost.append(f"where a frame of {framing.name} ends: the data must hold one frame and nothing else")
        else:
            content["size-eos"] = True
            self.lost.append(f"the silence or the coded length that ends a frame of {framing.name}")
        seq.append(content)
        if "size" in content:
            seq.append({"id": "end_mark", "contents": list(framing.end)})
        if framing.escape is not None or framing.hex:
            self.lost.append(f"the coding of {framing.name}: its content is kept as it stands on the wire")
            return
        inner = f"content_{framing.name}"
        content["type"] = inner
        parts: list[Attribute] = []
        self.types[inner] = {"seq": parts}
        within = Scope(scope)
        self._parts(framing.header, parts, within, f"header_{framing.name}")
        parts.append({"id": "body", "size": f"_io.size - _io.pos - {layout.tail}", **self._body(framing, within)})
        self._seals(layout, parts)
        self._finish(inner, within)

    def _seals(self, layout: Layout, seq: list[Attribute]) -> None:
        for number, seal in enumerate(layout.inner, 1):
            if seal.check.separator:
                seq.append({"id": f"separator{number}", "contents": list(seal.check.separator)})
            seq.append({"id": f"check{number}", "size": seal.size, "doc": name_of(seal.check)})

    def _body(self, framing: Framing, scope: Scope) -> Attribute:
        """The type of a body: that of the only message, or one chosen by the one header field that tells them apart."""
        messages = [one for one in self._profile.messages if one.framing == framing.name]
        named = {one.name: self._message(one, scope) for one in messages}
        if not messages:
            return {}
        if len(messages) == 1:
            return {"type": named[messages[0].name]}
        on = {name for one in messages for name, _ in one.when}
        cases: dict[Any, str] = {}
        for one in messages:
            for name, allowed in one.when:
                for value in allowed:
                    if len(one.when) != 1 or len(on) != 1 or value in cases:
                        return self._untold(framing)
                    cases[self._case(value)] = named[one.name]
                assert name in on
        if len(on) != 1 or not all(one.when for one in messages):
            return self._untold(framing)
        return {"type": {"switch-on": scope.path(on.pop()), "cases": cases}}

    def _untold(self, framing: Framing) -> Attribute:
        self.lost.append(f"which message a frame of {framing.name} holds: more than one field, or its body, tells it")
        return {}

    def _message(self, message: Message, scope: Scope) -> str:
        type_name = f"message_{message.name}"
        seq: list[Attribute] = []
        self.types[type_name] = {"seq": seq}
        if message.about:
            self.types[type_name]["doc"] = message.about
        within = Scope(scope)
        self._parts(message.parts, seq, within, type_name)
        self._finish(type_name, within)
        return type_name

    # parts

    def _parts(self, parts: Sequence[Part], seq: list[Attribute], scope: Scope, place: str) -> None:
        for number, part in enumerate(parts, 1):
            try:
                seq.extend(self._part(part, scope, f"{place}_{number}"))
            except Unsayable as why:
                named = part.name if isinstance(part, (Field, Group)) else f"the choice by {part.on}"
                self.lost.append(f"{named} of {place}, and what follows it there: {why}")
                seq.append({"id": f"rest{number}", "size-eos": True})
                scope.unsayable.update(_names(parts[number - 1 :]))
                return

    def _within(self, parts: Sequence[Part], scope: Scope, type_name: str) -> None:
        """A type of its own for parts within others."""
        seq: list[Attribute] = []
        self.types[type_name] = {"seq": seq}
        within = Scope(scope)
        self._parts(parts, seq, within, type_name)
        self._finish(type_name, within)

    def _part(self, part: Part, scope: Scope, place: str) -> list[Attribute]:
        condition = {} if part.condition is None else {"if": condition_of(part.condition, scope)}
        match part:
            case Field():
                attributes = [{**attribute, **condition} for attribute in self._field(part, scope)]
                scope.instances |= self.meanings.of(part, scope, condition)
                return attributes
            case Group():
                return [{**self._group(part, scope, place), **condition}]
            case Choice():
                return [{**self._choice(part, scope, place), **condition}]

    def _field(self, field: Field, scope: Scope) -> list[Attribute]:
        attribute: Attribute = {"id": field.name}
        scope.paths[field.name] = field.name
        match field.type:
            case Integer(size, signed, order):
                self._integer(attribute, field.name, size, scope, signed=signed, order=order)
            case Flags(size, order) | CountedTime(size, order):
                self._integer(attribute, field.name, size, scope, signed=False, order=order)
            case Bcd():
                attribute["type"] = self._bcd(field.type)
                scope.paths[field.name] = f"{field.name}.value"
            case Float(size, order):
                if order not in (Order.BIG, Order.LITTLE):
                    self.lost.append(f"the float {field.name} in the order {order.value}: its bytes are kept")
                    attribute["size"] = size
                else:
                    attribute["type"] = f"f{size}{'be' if order is Order.BIG else 'le'}"
            case Bits():
                self._bits(attribute, field.name, field.type, scope)
            case Text(encoding):
                attribute |= {"type": "str", "encoding": _ENCODINGS[encoding], **self._extent(field, scope)}
                pad = field.type.pad
                if len(pad) == 1 and not field.type.pad_left and "size" in attribute:
                    attribute["pad-right"] = pad[0]
                elif pad:
                    self.lost.append(f"what fills {field.name} up")
            case Number(base):
                attribute |= {"type": "str", "encoding": "ASCII", **self._extent(field, scope)}
                scope.paths[field.name] = f"{field.name}.to_i({base})" if base != 10 else f"{field.name}.to_i"
            case PatternTime() | PackedTime():
                fixed = leaf_of(field.type).size
                attribute |= {"size": fixed} if fixed is not None else self._extent(field, scope)
                self.lost.append(f"the time in {field.name}: its bytes are kept")
            case Bytes():
                attribute |= self._extent(field, scope)
        if field.about:
            attribute["doc"] = field.about
        if field.must_be:
            self._valid(attribute, field.must_be)
        rest = field.extent.until[1:]
        if not rest or "terminator" not in attribute:
            return [attribute]
        there = {"if": "not _io.eof"} if field.extent.or_end else {}
        return [attribute, {"id": f"{field.name}_end", "contents": list(rest), **there}]

    def _valid(self, attribute: Attribute, allowed: Iterable[Value]) -> None:
        values = list(allowed)
        if attribute.get("type") == "str" and all(isinstance(one, str) for one in values):
            attribute["valid"] = {"any-of": [quoted(str(one)) for one in values]}
        elif len(values) == 1 and isinstance(values[0], bytes):
            attribute.pop("size", None)
            attribute["contents"] = list(values[0])
        elif isinstance(attribute.get("type"), str) and attribute["type"][0] in "us" and attribute["type"] != "str":
            attribute["valid"] = {"any-of": [one for one in values if isinstance(one, int)]}

    def _integer(self, attribute: Attribute, name: str, size: int, scope: Scope, *, signed: bool, order: Order) -> None:
        letter = "s" if signed else "u"
        if order in (Order.BIG, Order.LITTLE) and size in (1, 2, 4, 8):
            attribute["type"] = f"{letter}{size}" + ("" if size == 1 else "be" if order is Order.BIG else "le")
            return
        type_name = f"{letter}{8 * size}_{order.value}"
        self.types[type_name] = odd_integer(size, order, signed=signed)
        attribute["type"] = type_name
        scope.paths[name] = f"{name}.value"

    def _bcd(self, type_: Bcd) -> str:
        if type_.sign is not Sign.NONE:
            self.lost.append("the sign of BCD numbers")
        type_name = f"bcd{type_.size}_{type_.order.value}" + ("_swapped" if type_.swapped else "")
        self.types[type_name] = bcd(type_)
        return type_name

    def _bits(self, attribute: Attribute, name: str, type_: Bits, scope: Scope) -> None:
        if type_.order not in (Order.BIG, Order.LITTLE):
            raise Unsayable(f"bits in the order {type_.order.value}")
        type_name = f"bits_{name}"
        little = type_.order is Order.LITTLE and type_.size > 1
        seq: list[Attribute] = []
        taken = 0
        for part in sorted(type_.parts, key=lambda one: one.span.low):
            if part.span.low < taken:
                raise Unsayable(f"bits of {name} overlap")
            if part.span.low > taken:
                seq.append({"id": f"unnamed{taken}", "type": f"b{part.span.low - taken}"})
            seq.append({"id": part.name, "type": f"b{part.span.width}"})
            taken = part.span.low + part.span.width
            # A field of one bit would be a truth value in Kaitai; as a number it is compared like in the profile.
            scope.paths[part.name] = f"{name}.{part.name}" + (".to_i" if part.span.width == 1 else "")
        if taken < 8 * type_.size:
            seq.append({"id": f"unnamed{taken}", "type": f"b{8 * type_.size - taken}"})
        self.types[type_name] = {"seq": seq if little else seq[::-1]}
        if little:
            self.types[type_name]["meta"] = {"bit-endian": "le"}
        attribute["type"] = type_name
        del scope.paths[name]
        scope.unsayable.add(name)

    def _extent(self, field: Field, scope: Scope) -> Attribute:
        extent: Extent = field.extent
        if extent.until:
            if len(extent.until) > 1:
                self.lost.append(f"that {field.name} ends by {extent.until.hex(' ')} and not by the first byte of it")
            return {"terminator": extent.until[0], **({"eos-error": False} if extent.or_end else {})}
        if extent.size is None:
            return {"size-eos": True}
        return {"size": said(extent.size, scope)}

    def _group(self, group: Group, scope: Scope, place: str) -> Attribute:
        attribute: Attribute = {"id": group.name, "type": f"{place}_{group.name}"}
        repeat = group.repeat
        if repeat is not None and repeat.until:
            raise Unsayable("it is repeated until some bytes follow")
        if repeat is not None:
            count = repeat.count
            attribute |= {"repeat": "eos"} if count is None else {"repeat": "expr", "repeat-expr": said(count, scope)}
        if group.size is not None:
            attribute["size"] = said(group.size, scope)
        if group.mask is not None:
            if group.mask.add:
                raise Unsayable(f"{group.mask.add} was added to each of its bytes")
            if "size" not in attribute:
                attribute["size-eos"] = True
            attribute["process"] = f"xor({group.mask.xor})"
        if repeat is not None and ("size" in attribute or "process" in attribute):
            raise Unsayable("it is repeated within a size or a mask of its own")
        self._within(group.parts, scope, attribute["type"])
        scope.paths[group.name] = group.name
        scope.unsayable.update(_names(group.parts))
        return attribute

    def _choice(self, choice: Choice, scope: Scope, place: str) -> Attribute:
        on = said(choice.on, scope)
        cases: dict[Any, str] = {}
        for number, (values, parts) in enumerate(choice.cases, 1):
            type_name = f"{place}_case{number}"
            self._within(parts, scope, type_name)
            cases |= {self._case(value): type_name for value in values}
        if choice.otherwise is not None:
            self._within(choice.otherwise, scope, f"{place}_otherwise")
            cases["_"] = f"{place}_otherwise"
        scope.unsayable.update(_names([choice]))
        size = {} if choice.size is None else {"size": said(choice.size, scope)}
        return {"id": f"chosen_{place.rpartition('_')[2]}", **size, "type": {"switch-on": on, "cases": cases}}

    def _case(self, value: Value) -> Any:
        if isinstance(value, int):
            return value
        if isinstance(value, str):
            return quoted(value)
        raise Unsayable(f"a choice by {value!r}")


def _names(parts: Iterable[Part]) -> list[str]:
    return names_of(tuple(parts))
