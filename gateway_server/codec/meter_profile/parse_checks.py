"""Reads checks: their rules by name or parameters, what they cover and how they are written."""

from __future__ import annotations

from difflib import get_close_matches

from gateway_server.codec.declaration import Declaration
from gateway_server.codec.meter_profile.catalogue import ALIASES, CATALOGUE, in_catalogue
from gateway_server.codec.meter_profile.form import Check, Crc, Fold, Sum, Written
from gateway_server.codec.meter_profile.scope import ORDERS, bytes_of, source_of

_WIDTHS = {
    Fold.FLETCHER: (16, 32),
    Fold.FLETCHER_MODULO_256: (16,),
    Fold.XOR: (8, 16, 32),
    Fold.INVERTED_XOR: (8, 16, 32),
}
SUMS = {one.name: one for fold in Fold for width in _WIDTHS.get(fold, (8, 16, 24, 32)) for one in [Sum(fold, width)]}
_WRITTEN = {written.value: written for written in Written}
_COVERS = ("start", "header", "body")


def parse_rule(said: Declaration, key: str) -> Crc | Sum:
    """The rule of a check: a sum by its word, a CRC by its name in the RevEng catalogue or by parameters."""
    if said.is_table(key):
        table = said.table(key)
        assert table is not None
        rule = _parameters(table)
        table.end()
        return rule
    word = said.text(key)
    if word in SUMS:
        return SUMS[word]
    found = in_catalogue(word)
    if found is None:
        raise said.wrong(
            key,
            f"is {word!r}{_near(word)}; it is one of {', '.join(SUMS)}, a CRC of the RevEng catalogue ({len(CATALOGUE)}"
            " algorithms by all their names, such as CRC-16/MODBUS), or a table with width, poly, init, refin, refout"
            " and xorout",
        )
    return found


def _near(word: str) -> str:
    """The names that are written nearly so."""
    names = {name.upper(): name for name in (*SUMS, *CATALOGUE, *ALIASES)}
    near = get_close_matches(word.upper(), names, n=3, cutoff=0.7)
    return f", which is like {' or '.join(names[one] for one in near)}" if near else ""


def _parameters(said: Declaration) -> Crc:
    width = said.number("width", 0, 3, 64)

    def number(key: str, default: str) -> int:
        text = said.text(key, default)
        try:
            value = int(text, 0)
        except ValueError:
            value = -1
        if not 0 <= value < 1 << width:
            raise said.wrong(key, f"is {text!r}; it is a number of {width} bits, such as 0x1021")
        return value

    refin = said.flag("refin", default=False)
    return Crc(
        said.text("name", f"crc{width}"),
        width,
        number("poly", ""),
        number("init", "0"),
        refin,
        said.flag("refout", default=refin),
        number("xorout", "0"),
    )


def parse_check(said: Declaration) -> Check:
    """The check of a frame."""
    rule = parse_rule(said, "rule")
    covers = said.text("covers", "header")
    if covers not in _COVERS:
        raise said.wrong("covers", f"is {covers!r}; what is covered begins at one of: {', '.join(_COVERS)}")
    mask_text = said.text("mask", "-1")
    try:
        mask = int(mask_text, 0)
    except ValueError:
        mask = -2
    if not -1 <= mask < 1 << rule.width:
        raise said.wrong("mask", f"is {mask_text!r}; it is a number of {rule.width} bits, such as 0x7F")
    order = said.word("order", {name: ORDERS[name] for name in ("big", "little")}, "big")
    check = Check(
        rule=rule,
        covers=covers,
        skip=said.number("skip", 0, 0, 64),
        trim=said.number("trim", 0, 0, 64),
        order=order,
        written=said.word("written", _WRITTEN, "binary"),
        separator=bytes_of(said, "separator"),
        after_end=said.word("place", {"before_end": False, "after_end": True}, "before_end"),
        on_wire=said.word("over", {"plain": False, "wire": True}, "plain"),
        mask=mask,
        source=source_of(said),
    )
    if check.on_wire and check.after_end:
        raise said.wrong("over", "is for a check before the end")
    if check.after_end and check.separator:
        raise said.wrong("separator", "is for a check before the end")
    said.end()
    return check
