"""What a message means, compiled: its values to rows, events, an identity, a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from operator import itemgetter
from typing import Any

from gateway_server.codec.dialogue import Findings, Found
from gateway_server.codec.meter_profile.elements import elements_of, merges
from gateway_server.codec.meter_profile.evaluation import Evaluate, compiled
from gateway_server.codec.meter_profile.expressions import Expression
from gateway_server.codec.meter_profile.form import EventMap, Message, MeterProfile, Origin, RowMap, Source
from gateway_server.codec.meter_profile.reading import Values
from gateway_server.errors import CodecError, MeterRefused
from gateway_server.model import Column, Event, Identify, Quality, Row, Span, Value

Moment = Callable[[Values], datetime | None]


class Meaning:
    """What the messages of one kind mean."""

    def __init__(self, message: Message, profile: MeterProfile) -> None:
        self._message = message
        self._rows = [
            _Rows(one, message, _is_guess(one.source, message.source, profile.source)) for one in message.rows
        ]
        self._events = [_Events(one, message) for one in message.events]
        identity, refusal = message.identity, message.refusal
        self.identifies = identity is not None
        self._serial = None if identity is None else compiled(identity.serial)
        self._may_lack_serial = identity is not None and bool(merges(message.parts, identity.serial.names))
        self._manufacturer = _text_of(None if identity is None else identity.manufacturer, profile.manufacturer)
        self._model = _text_of(None if identity is None else identity.model, profile.model)
        self._software = _text_of(None if identity is None else identity.software_version, "")
        self._code = None if refusal is None else compiled(refusal.code)
        self._reason = _text_of(None if refusal is None else refusal.meaning, "")
        only = self._rows[0] if len(message.rows) == 1 and not message.events else None
        self._only = only if only is not None and only.is_plain else None
        self._whole = elements_of(message.parts, (), _used_to_tell(message))

    def identity(self, values: Values) -> Identify | None:
        """Who the meter says it is."""
        if self._serial is None:
            return None
        (values,) = self._whole(values)
        said = self._serial(values)
        if said is None and self._may_lack_serial:
            return None
        serial = plain_text(said).strip()
        if not serial:
            raise CodecError(f"the message {self._message.name} has no serial number in it")
        return Identify(serial, self._manufacturer(values), self._model(values), self._software(values))

    def findings(self, values: Values, span: Span) -> Findings | None:
        """The rows and events of a message, None if it has none."""
        rows: list[Row] = []
        for one in self._rows:
            one.add(rows, values, span)
        events: list[Event] = []
        for other in self._events:
            other.add(events, values, span)
        return Findings(tuple(rows), tuple(events)) if rows or events else None

    def told(self, values: Values, span: Span) -> Row | Findings | None:
        """The same as `findings`, without a list around a single row: what a push session stores per frame."""
        if self._only is not None:
            return self._only.row(values, span)
        found = self.findings(values, span)
        return found.rows[0] if found is not None and len(found.rows) == 1 and not found.events else found

    def refusal(self, values: Values) -> MeterRefused | None:
        """That the meter said no."""
        if self._code is None:
            return None
        (values,) = self._whole(values)
        code, reason = plain_text(self._code(values)), self._reason(values)
        what = f"{code}, {reason}" if reason else code
        return MeterRefused(f"the meter refuses: {self._message.name} {what}", code=code, meaning=reason)

    def found(self, values: Values, span: Span) -> Sequence[Found]:
        """All that a message tells, the identity first."""
        identity, findings = self.identity(values), self.findings(values, span)
        return [one for one in (identity, findings) if one is not None]


def _used_to_tell(message: Message) -> frozenset[str]:
    """The names that tell who the meter is, or that it refuses."""
    one, other = message.identity, message.refusal
    said = [one.serial, one.manufacturer, one.model, one.software_version] if one is not None else []
    return _names_in(*said, *([other.code, other.meaning] if other is not None else []))


def _names_in(*expressions: Expression | None) -> frozenset[str]:
    return frozenset().union(*(one.names for one in expressions if one is not None))


def _is_guess(*sources: Source) -> bool:
    """Whether the nearest source that is stated is a guess."""
    return next((one.origin for one in sources if one.origin is not Origin.UNSTATED), None) is Origin.GUESS


def _text_of(expression: Expression | None, otherwise: str) -> Callable[[Values], str]:
    if expression is None:
        return lambda values: otherwise
    evaluate = compiled(expression)

    def text(values: Values) -> str:
        found = evaluate(values)
        return found if type(found) is str else plain_text(found)

    return text


def plain_text(value: Any) -> str:
    """A value as text."""
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, (datetime, date, time)):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return "" if value is None else str(value)


def as_value(value: Any) -> Value:
    """A value as readings hold it: a `Decimal` or text."""
    kind = type(value)
    if kind is Decimal or kind is str:
        found: Value = value
        return found
    if kind is int or kind is bool:
        return Decimal(value)
    return plain_text(value)


def _moment(at: tuple[str, ...], *, utc: bool) -> Moment:
    if not at:
        return lambda values: None

    if len(at) == 1 and not utc:
        (only,) = at

        def moment(values: Values) -> datetime | None:
            found = values.get(only)
            if found is None or type(found) is datetime:
                return found
            raise CodecError(f"{only} is no whole time")

        return moment

    def whole(values: Values) -> datetime | None:
        said = [values.get(name) for name in at]
        if None in said:
            return None
        moment = said[0] if len(said) == 1 else _joined(said[0], said[1])
        if not isinstance(moment, datetime):
            raise CodecError(f"{' and '.join(at)} are no whole time")
        return moment.replace(tzinfo=UTC) if utc else moment

    return whole


def _joined(one: Any, other: Any) -> datetime | None:
    if isinstance(one, time):
        one, other = other, one
    return datetime.combine(one, other) if isinstance(one, date) and isinstance(other, time) else None


def _number_of(expression: Expression | None) -> Callable[[Values], int | None]:
    if expression is None:
        return lambda values: None
    evaluate, text = compiled(expression), expression.text

    def number(values: Values) -> int | None:
        found = evaluate(values)
        if found is None or type(found) is int:
            return found
        if isinstance(found, Decimal) and found == found.to_integral_value():
            return int(found)
        raise CodecError(f"{text} is {plain_text(found)}, which is no order number")

    return number


def _or_missing(expression: Expression) -> Evaluate:
    """A value, or none if it is made of a field that says that it has none."""
    evaluate, names = compiled(expression), expression.names
    if expression.name or not names:
        return evaluate

    def value(values: Mapping[str, Any]) -> Any:
        try:
            return evaluate(values)
        except CodecError:
            if any(name in values and values[name] is None for name in names):
                return None
            raise

    return value


class _Rows:
    """One `RowMap`, compiled."""

    def __init__(self, form: RowMap, message: Message, guess: bool) -> None:
        told = (form.order_number, form.status, form.event, form.condition)
        each = [expression for one in form.values for expression in (one.value, one.condition)]
        used = _names_in(*told, *each) | frozenset(form.at)
        self._elements = elements_of(message.parts, form.each, used)
        self.is_plain = not form.each and not merges(message.parts, used)
        self._values: list[tuple[Evaluate, Evaluate | None]] = [
            (_or_missing(one.value), None if one.condition is None else compiled(one.condition)) for one in form.values
        ]
        self._columns = tuple(one.column for one in form.values)
        self._archive = form.archive
        names = [one.value.name for one in form.values]
        plain = all(names) and all(one.condition is None for one in form.values)
        self._plain = itemgetter(*names) if plain and len(names) > 1 else None
        self._layouts: dict[tuple[int, ...], tuple[Column, ...]] = {}
        self._at = _moment(form.at, utc=form.utc)
        self._order_number = _number_of(form.order_number)
        self._status = _text_of(form.status, "")
        self._event = _text_of(form.event, "")
        self._condition = None if form.condition is None else compiled(form.condition)
        guesses = guess or any(_is_guess(one.source) for one in form.values)
        self._quality = " ".join(filter(None, [form.quality, Quality.INFERRED if guesses else ""]))

    def add(self, rows: list[Row], values: Values, span: Span) -> None:
        """Adds the rows that these values make."""
        for one in self._elements(values):
            if (row := self.row(one, span)) is not None:
                rows.append(row)

    def row(self, values: Values, span: Span) -> Row | None:
        """The row that these values make, None if there is none."""
        if self._condition is not None and not self._condition(values):
            return None
        columns = self._columns
        texts: list[Value] = []
        if self._plain is not None:
            try:
                texts = [
                    one if type(one) is Decimal else as_value(one) for one in self._plain(values) if one is not None
                ]
            except KeyError:
                texts = []
        if len(texts) != len(columns):
            columns, texts = self._some(values)
            if not texts:
                return None
        return Row(
            columns,
            tuple(texts),
            self._archive,
            self._at(values),
            self._order_number(values),
            self._status(values),
            self._event(values),
            self._quality,
            span,
        )

    def _some(self, values: Values) -> tuple[tuple[Column, ...], list[Value]]:
        """Those values that are there, and their columns."""
        texts: list[Value] = []
        there: list[int] = []
        for number, (evaluate, condition) in enumerate(self._values):
            if condition is not None and not condition(values):
                continue
            value = evaluate(values)
            if value is not None:
                texts.append(as_value(value))
                there.append(number)
        columns = self._columns
        if len(there) < len(columns):
            columns = self._layouts.setdefault(tuple(there), tuple(columns[number] for number in there))
        return columns, texts


class _Events:
    """One `EventMap`, compiled."""

    def __init__(self, form: EventMap, message: Message) -> None:
        used = _names_in(form.code, form.text, form.order_number, form.condition) | frozenset(form.at)
        self._elements = elements_of(message.parts, form.each, used)
        self._code = _text_of(form.code, "")
        self._text = _text_of(form.text, "")
        self._at = _moment(form.at, utc=form.utc)
        self._order_number = _number_of(form.order_number)
        self._condition = None if form.condition is None else compiled(form.condition)

    def add(self, events: list[Event], values: Values, span: Span) -> None:
        """Adds the events that these values make."""
        for one in self._elements(values):
            if self._condition is None or self._condition(one):
                code, text = self._code(one), self._text(one)
                events.append(Event(code, text, self._at(one), self._order_number(one), span=span))
