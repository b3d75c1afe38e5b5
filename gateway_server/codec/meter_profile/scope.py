"""What can be said at one place of a profile: the names that are known there, and how much of the profile is left.

Everything that reads a profile goes through here for expressions, bytes, constants and sources, so that each mistake is
told with its line, its key and what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from gateway_server.codec.declaration import Declaration
from gateway_server.codec.meter_profile.expressions import Expression, parse_expression
from gateway_server.codec.meter_profile.form import (
    UNSTATED,
    Bytes,
    Constant,
    Field,
    Number,
    Order,
    Origin,
    Source,
    Text,
    Type,
)
from gateway_server.codec.meter_profile.notation import parse_bytes
from gateway_server.errors import OperatorError

MOST_PARTS = 2000
DEEPEST = 8
_ORIGINS = {origin.value: origin for origin in Origin if origin.value}
ORDERS = {order.value: order for order in Order}


class Scope:
    """The names that an expression may use here. ``order`` is the byte order where a field does not say its own.

    ``start`` are the start bytes of the frames whose parts are read here. ``elsewhere`` says of names that
    cannot be used here where they stand. A scope becomes ``uncertain`` by a part that could not be read: whether what
    is not known is a mistake, or only follows from that one, nobody can say.
    ``fields`` are those of the names that are fields.
    """

    def __init__(self, names: Iterable[str] = (), order: Order = Order.BIG, depth: int = 0) -> None:
        self.names = set(names)
        self.order = order
        self.depth = depth
        self.variables: set[str] = set()
        self.start = b""
        self.elsewhere: dict[str, str] = {}
        self.uncertain = False
        self.fields: dict[str, Field] = {}
        self._budget = [MOST_PARTS]

    def within(self, said: Declaration) -> Scope:
        """The scope of what stands inside a part. Raises `OperatorError` if that is too deep."""
        if self.depth >= DEEPEST:
            raise said.wrong("", f"parts are nested more than {DEEPEST} deep")
        inner = Scope(self.names, self.order, self.depth + 1)
        inner.variables = set(self.variables)
        inner.start = self.start
        inner.uncertain = self.uncertain
        inner.fields = dict(self.fields)
        inner._budget = self._budget
        return inner

    def for_building(self) -> Scope:
        """The scope of a value that we send: variables are known, too."""
        return self.with_names(self.variables) if self.variables else self

    def with_names(self, names: Iterable[str]) -> Scope:
        """This scope with some names more."""
        inner = Scope({*self.names, *names}, self.order)
        inner.uncertain = self.uncertain
        inner.fields = dict(self.fields)
        return inner

    def spend(self, said: Declaration) -> None:
        """One part more. Raises `OperatorError` if there are too many."""
        self._budget[0] -= 1
        if self._budget[0] < 0:
            raise said.wrong("", f"the profile has more than {MOST_PARTS} parts")

    def expression(self, said: Declaration, key: str) -> Expression | None:
        """An expression; None if the key is not there."""
        if not said.has(key):
            return None
        return self.wanted(said, key)

    def wanted(self, said: Declaration, key: str) -> Expression:
        """An expression that must be there."""
        text = said.text(key)
        try:
            found = parse_expression(text)
        except OperatorError as error:
            raise said.wrong(key, f"is {text!r}: {error}") from None
        for one in sorted(found.names):
            if one not in self.names and not self.uncertain:
                raise said.wrong(key, f"uses {one!r}, {self.unknown(one)}")
        return found

    def unknown(self, name: str, why: str = "is not known here") -> str:
        """Why a name cannot be used, for a message."""
        if name in self.elsewhere:
            return self.elsewhere[name]
        return f"which {why}; {self.known()}"

    def known(self) -> str:
        """What can be named here, for a message."""
        return f"known are: {', '.join(sorted(self.names))}" if self.names else "nothing is known here"


def source_of(said: Declaration) -> Source:
    """The ``source`` of a part: ``capture``, ``manual``, ``guess`` or ``invented``, and where it can be looked up."""
    if not said.has("source"):
        return UNSTATED
    word, _, where = said.text("source").partition(" ")
    if word not in _ORIGINS:
        raise said.wrong("source", f"begins with {word!r}; it begins with one of: {', '.join(_ORIGINS)}")
    return Source(_ORIGINS[word], where.strip())


def bytes_of(said: Declaration, key: str) -> bytes:
    """Bytes in our notation; none if the key is not there."""
    text = said.text(key, "")
    try:
        return parse_bytes(text)
    except OperatorError as error:
        raise said.wrong(key, str(error)) from None


def constants_of(said: Declaration, key: str, type_: Type | None) -> tuple[Constant, ...]:
    """One value or several, as the type writes them."""
    return tuple(constant_of(said, key, text, type_) for text in said.texts(key, ()))


def constant_of(said: Declaration, key: str, text: str, type_: Type | None) -> Constant:
    """A value as the type writes it; without a type a number if it is one, else a text."""
    if isinstance(type_, Text):
        return text
    if isinstance(type_, Bytes):
        try:
            return parse_bytes(text)
        except OperatorError as error:
            raise said.wrong(key, str(error)) from None
    try:
        if text[:2].lower() == "0x":
            return int(text, 16)
        number = Decimal(text)
        if not number.is_finite() or abs(number.adjusted()) > 40:
            raise ValueError
        if "." in text or "e" in text.lower():
            return number
        return int(text)
    except (ValueError, ArithmeticError):
        if type_ is None:
            return text
        allowed = "a number such as 3, 0x1F or 0.5" if isinstance(type_, Number) else "a number such as 3 or 0x1F"
        raise said.wrong(key, f"is {text!r}; it is {allowed}") from None


def tables_of(said: Declaration, key: str) -> list[Declaration]:
    """A list of tables, or a single one; none if the key is not there."""
    if not said.has(key):
        return []
    if said.is_table(key):
        table = said.table(key)
        return [] if table is None else [table]
    return said.tables(key)


def seconds_of(said: Declaration, key: str, default: str, most: int = 86_400) -> float:
    """A time to wait, in seconds."""
    number = said.decimal(key, default)
    if not 0 <= number <= most:
        raise said.wrong(key, f"is {number}; it is from 0 to {most} seconds")
    return float(number)
