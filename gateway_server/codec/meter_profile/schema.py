"""The JSON Schema of meter profiles: which keys there are and what they hold, for editors that check while you type.

It says less than the parser knows (an expression is any text here), never more: what the parser takes is valid. A test
holds the keys of both together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateway_server.codec.meter_profile.catalogue import CATALOGUE
from gateway_server.codec.meter_profile.form import (
    By,
    Given,
    Origin,
    Otherwise,
    Parity,
    Side,
    Sign,
    Written,
)
from gateway_server.codec.meter_profile.leaves import ENCODINGS
from gateway_server.codec.meter_profile.parse_checks import SUMS
from gateway_server.codec.meter_profile.parse_framing import CHARACTERS, ESCAPES
from gateway_server.codec.meter_profile.parse_types import TIME_PARTS, TYPES
from gateway_server.codec.meter_profile.scope import ORDERS

Schema = dict[str, Any]

TEXT: Schema = {"type": ["string", "number", "boolean"]}
TEXTS: Schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
EXPRESSION: Schema = {**TEXT, "description": "an expression: names of fields, numbers, 'texts', + - * // % & | ..."}
BYTES: Schema = {**TEXT, "description": "bytes: 7E A0, 'text', CR LF"}
SOURCE: Schema = {
    "type": "string",
    "pattern": f"^({'|'.join(origin.value for origin in Origin if origin.value)})( .*)?$",
    "description": "where this comes from: capture, manual, guess or invented, and where to look it up",
}
NAME: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"}
EACH: Schema = {
    "type": "string",
    "pattern": r"^[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39})*$",
    "description": "a repeated group, or one within others: channels.hours",
}
FLAG: Schema = {"enum": [True, False, "yes", "no", "true", "false", "on", "off"]}


def _one_of(words: Iterable[str]) -> Schema:
    return {"enum": list(words)}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _table(required: str = "", **properties: Schema) -> Schema:
    """A table with these keys and no others; a ``_`` behind a key keeps it from being a word of Python's."""
    named = {name.rstrip("_"): schema for name, schema in properties.items()}
    found: Schema = {"type": "object", "properties": named, "additionalProperties": False}
    return {**found, "required": required.split()} if required else found


def _some(item: Schema) -> Schema:
    """A list of tables, or a single one."""
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def _words(item: Schema | None = None) -> Schema:
    return {"type": "object", "additionalProperties": item or TEXT}


_ORDER = _one_of(ORDERS)
_SIDE = _one_of(side.value for side in Side)
_FIELDS: Schema = {"type": "array", "items": _ref("part"), "minItems": 1}
_WITH = _words(EXPRESSION)
_REPLY: Schema = {"anyOf": [NAME, _table("send", send=NAME, with_=_WITH)]}
_OTHERWISE = _one_of(one.value for one in Otherwise)


def schema() -> Schema:
    """The whole schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "meter profile",
        "description": "How meters of one manufacturer and model are spoken to. Reference: docs/profile.md",
        **_profile(),
        "$defs": {
            "framing": _framing(),
            "check": _check(),
            "rule": _rule(),
            "part": {"anyOf": [_field(), _group(), _choice()]},
            "field": _field(),
            "message": _message(),
            "rows": _rows(),
            "events": _events(),
            "step": {"anyOf": _steps()},
        },
    }


def _profile() -> Schema:
    return _table(
        "reads framing messages",
        reads={"const": "meter_profile"},
        name={"type": "string", "pattern": "^[a-z][a-z0-9_-]*$"},
        version=TEXT,
        about=TEXT,
        source=SOURCE,
        manufacturer=TEXT,
        model=TEXT,
        byte_order=_ORDER,
        parity=_one_of(parity.value for parity in Parity),
        framing=_some(_ref("framing")),
        variables=_words(
            _table(
                from_=_one_of(given.value for given in Given),
                start=TEXT,
                secret=FLAG,
            )
        ),
        messages={"type": "array", "items": _ref("message"), "minItems": 1},
        answer={"type": "array", "items": _ref("step"), "minItems": 1},
        read={"type": "array", "items": _ref("step"), "minItems": 1},
    )


def _framing() -> Schema:
    escape = _table("escape", escape=BYTES, table=_words(BYTES), xor=TEXT, also=BYTES)
    return _table(
        "name",
        name=NAME,
        from_=_SIDE,
        start=BYTES,
        end=BYTES,
        header=_some(_ref("field")),
        length=_table(
            field=NAME,
            at=TEXT,
            size=TEXT,
            order=_one_of(("big", "little")),
            over=_one_of(["plain", "wire"]),
            counts=_one_of(("whole", "rest")),
            uncounted=TEXT,
            unit=TEXT,
        ),
        size=EXPRESSION,
        gap=TEXT,
        coding={"anyOf": [_one_of(("none", "hex", *ESCAPES)), escape]},
        characters={"anyOf": [_one_of(CHARACTERS), BYTES]},
        shared_end=FLAG,
        check={"anyOf": [_ref("rule"), _ref("check"), {"type": "array", "items": _ref("check")}]},
        most=TEXT,
        source=SOURCE,
        about=TEXT,
    )


def _rule() -> Schema:
    parameters = _table("width poly", name=TEXT, width=TEXT, poly=TEXT, init=TEXT, refin=FLAG, refout=FLAG, xorout=TEXT)
    named = {"type": "string", "examples": [*SUMS, *CATALOGUE]}
    return {"anyOf": [named, parameters]}


def _check() -> Schema:
    return _table(
        "rule",
        rule=_ref("rule"),
        covers=_one_of(("start", "header", "body")),
        skip=TEXT,
        trim=TEXT,
        order=_one_of(("big", "little")),
        written=_one_of(written.value for written in Written),
        separator=BYTES,
        place=_one_of(("before_end", "after_end")),
        over=_one_of(("plain", "wire")),
        mask=TEXT,
        source=SOURCE,
    )


def _field() -> Schema:
    return _table(
        "name type",
        name=NAME,
        type=_one_of(TYPES),
        order=_ORDER,
        size=EXPRESSION,
        until=BYTES,
        or_end=FLAG,
        is_=TEXTS,
        equals=EXPRESSION,
        value=EXPRESSION,
        if_=EXPRESSION,
        scale=EXPRESSION,
        words=_words(),
        missing=TEXTS,
        check={"anyOf": [_ref("rule"), _table("rule", rule=_ref("rule"), covers=NAME)]},
        covers=NAME,
        secret=FLAG,
        source=SOURCE,
        about=TEXT,
        sign=_one_of(sign.value for sign in Sign),
        low_nibble_first=FLAG,
        places=TEXT,
        digits=TEXT,
        mark=_one_of((".", ",")),
        base={"enum": [10, 16, "10", "16"]},
        encoding=_one_of(ENCODINGS),
        pad=BYTES,
        pad_side=_one_of(("left", "right")),
        since=TEXT,
        unit=_one_of(("milliseconds", "seconds", "minutes", "hours", "days")),
        bcd=TEXT,
        binary=TEXT,
        text=TEXT,
        packed=_table("", **dict.fromkeys(TIME_PARTS, TEXTS)),
        century=TEXT,
        year=TEXT,
        parts={"type": "array", "items": _table("name bits", name=NAME, bits=TEXT, words=_words())},
    )


def _group() -> Schema:
    return _table(
        "group fields",
        group=NAME,
        fields=_FIELDS,
        count=EXPRESSION,
        until=BYTES,
        repeat=_one_of(("to_end", "once")),
        size=EXPRESSION,
        add=TEXT,
        xor=TEXT,
        if_=EXPRESSION,
        source=SOURCE,
        about=TEXT,
    )


def _choice() -> Schema:
    case = _table("is", is_=TEXTS, fields=_some(_ref("part")))
    return _table(
        "choose cases",
        choose=EXPRESSION,
        cases={"type": "array", "items": case, "minItems": 1},
        otherwise=_FIELDS,
        size=EXPRESSION,
        if_=EXPRESSION,
        source=SOURCE,
    )


def _message() -> Schema:
    return _table(
        "name",
        name=NAME,
        framing=NAME,
        from_=_SIDE,
        when=_words(TEXTS),
        fields=_some(_ref("part")),
        rows=_some(_ref("rows")),
        events=_some(_ref("events")),
        identify=_table(
            "serial", serial=EXPRESSION, manufacturer=EXPRESSION, model=EXPRESSION, software_version=EXPRESSION
        ),
        refuses=_table("code", code=EXPRESSION, meaning=EXPRESSION),
        source=SOURCE,
        about=TEXT,
    )


def _rows() -> Schema:
    value = _table(
        "value quantity",
        value=EXPRESSION,
        quantity=TEXT,
        unit=TEXT,
        obis=TEXT,
        name=TEXT,
        address=TEXT,
        cumulative=FLAG,
        simulated=TEXT,
        if_=EXPRESSION,
        source=SOURCE,
    )
    return _table(
        "values",
        each=EACH,
        archive=TEXT,
        at=TEXTS,
        utc=FLAG,
        order_number=EXPRESSION,
        status=EXPRESSION,
        event=EXPRESSION,
        quality=TEXT,
        values=_some(value),
        if_=EXPRESSION,
        source=SOURCE,
    )


def _events() -> Schema:
    return _table(
        "code",
        each=EACH,
        code=EXPRESSION,
        text=EXPRESSION,
        at=TEXTS,
        utc=FLAG,
        order_number=EXPRESSION,
        if_=EXPRESSION,
        source=SOURCE,
    )


def _steps() -> list[Schema]:
    case = _table("message", message=TEXTS, reply=_REPLY, with_=_WITH, set=_WITH, then_end=FLAG)
    listen = _table(
        "on",
        on={"type": "array", "items": case, "minItems": 1},
        timeout=TEXT,
        on_error=_REPLY,
        with_=_WITH,
        source=SOURCE,
    )
    asking: dict[str, Schema] = {
        "send": _REPLY,
        "with_": _WITH,
        "receive": TEXTS,
        "timeout": TEXT,
        "gap": TEXT,
        "retries": TEXT,
        "if_silent": _OTHERWISE,
        "if_refused": _OTHERWISE,
        "set": _WITH,
        "want": _one_of(("current", "archive", "events")),
        "if_": EXPRESSION,
        "source": SOURCE,
    }
    reading: dict[str, Schema] = {
        "archive": TEXT,
        "by": _one_of(by.value for by in By),
        "first": EXPRESSION,
        "next": EXPRESSION,
        "done": EXPRESSION,
        "step": TEXT,
        "most": TEXT,
    }
    return [
        _table("listen", listen=listen),
        _table("", **asking),
        _table("archive send receive", **asking, **reading),
        _table("while do", while_=EXPRESSION, do={"type": "array", "items": _ref("step"), "minItems": 1}, most=TEXT),
        _table("set", set=_WITH),
        _table("pause", pause=TEXT),
        _table("drain", drain=TEXT),
        _table("baud", baud=TEXT, format=TEXT),
    ]
