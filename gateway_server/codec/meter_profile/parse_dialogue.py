"""Reads the dialogues of a profile: its variables and its steps."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway_server.codec.declaration import Declaration
from gateway_server.codec.meter_profile.as_written import number_as_written
from gateway_server.codec.meter_profile.discretion import fields_in
from gateway_server.codec.meter_profile.echo import CHECK
from gateway_server.codec.meter_profile.form import (
    Ask,
    Assign,
    Assignments,
    By,
    Case,
    Constant,
    Field,
    Given,
    LineChange,
    Listen,
    Loop,
    Message,
    Otherwise,
    ReadArchive,
    Reply,
    Side,
    Step,
    Variable,
    Wait,
)
from gateway_server.codec.meter_profile.parse_limits import check_fits, literals
from gateway_server.codec.meter_profile.scope import Scope, constant_of, seconds_of, source_of

_OTHERWISE = {word.value: word for word in Otherwise}
_GIVEN = {given.value: given for given in Given}
_TEXTS = (Given.ACCESS_CODE, Given.SERIAL, Given.MEMORY)
_BY = {by.value: by for by in By}
_WANTED = ("current", "archive", "events")
_FORMAT = re.compile(r"[5-8][NEOMS][12]")


@dataclass(frozen=True, slots=True)
class Known:
    """What a dialogue may speak of: messages, the names their fields leave, and variables.

    ``checked`` are the messages in whose frames a check stands.
    """

    messages: Mapping[str, Message]
    names: Mapping[str, frozenset[str]]
    headers: Mapping[str, frozenset[str]]
    variables: frozenset[str]
    checked: frozenset[str] = frozenset()

    def spoken_by(self, side: Side) -> list[str]:
        """The messages of one side."""
        return [name for name, message in self.messages.items() if message.side.speaks(side)]


def parse_variables(said: Declaration) -> tuple[Variable, ...]:
    """The variables of the dialogues."""
    table = said.table("variables")
    if table is None:
        return ()
    found = []
    for name in table:
        one = table.table(name)
        if one is None or not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
            raise table.wrong(name, "is a table, and its name has small letters, digits and _")
        given = one.word("from", _GIVEN, "start")
        start = _start_of(one, given)
        secret = one.flag("secret", default=given is Given.ACCESS_CODE)
        found.append(Variable(name, given, start, secret))
        one.end()
    return tuple(found)


def _start_of(said: Declaration, given: Given) -> Constant:
    """What a variable is before it is given anything: a number, unless it is quoted or stands for a text."""
    if not said.has("start"):
        return "" if given in _TEXTS else 0
    text = said.text("start")
    if said.is_quoted("start"):
        return text
    number = number_as_written(text)
    return constant_of(said, "start", text, None) if number is None else number


def parse_steps(said: Declaration, key: str, known: Known, depth: int = 0) -> tuple[Step, ...]:
    """The steps of a dialogue. What an answer leaves is known to the steps behind it."""
    return _Steps(known).parse(said, key, depth)


class _Steps:
    """Steps in their order; ``names`` grows by what each may leave behind."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._names = set(known.variables)

    def parse(self, said: Declaration, key: str, depth: int) -> tuple[Step, ...]:
        if depth > 4:
            raise said.wrong(key, "steps are nested more than 4 deep")
        return tuple(self._step(table, depth) for table in said.tables(key))

    def _step(self, said: Declaration, depth: int) -> Step:
        kinds = [kind for kind in _STEPS if kind in said]
        if "archive" in kinds:
            kinds = ["archive"]
        elif set(kinds) & {"send", "receive"} and set(kinds) <= {"send", "receive", "set"}:
            kinds = ["send"]
        if len(kinds) != 1:
            raise said.wrong("", f"this is no step; a step has one of the keys {', '.join(_STEPS)}")
        step = _STEPS[kinds[0]](self, said, depth)
        said.end()
        return step

    def _scope(self, *more: str) -> Scope:
        return Scope({*self._names, *more})

    def _message(self, said: Declaration, key: str, name: str, side: Side) -> str:
        allowed = self._known.spoken_by(side)
        if name not in allowed:
            raise said.wrong(
                key,
                f"is {name!r}, which is no message of the {side.value}'s; there are: {', '.join(allowed) or 'none'}",
            )
        return name

    def _reply(self, said: Declaration, key: str, scope: Scope, with_key: str = "with") -> Reply | None:
        if not said.has(key):
            return None
        if said.is_table(key):
            table = said.table(key)
            assert table is not None
            reply = self._reply(table, "send", scope)
            table.end()
            return reply
        name = self._message(said, key, said.text(key), Side.GATEWAY)
        fields = {field.name: field for field in fields_in(self._known.messages[name].parts)}
        return Reply(name, self._assignments(said, with_key, scope, self._known.names[name], fields))

    def _assignments(
        self,
        said: Declaration,
        key: str,
        scope: Scope,
        targets: frozenset[str] | None = None,
        fields: Mapping[str, Field] = MappingProxyType({}),
    ) -> Assignments:
        table = said.table(key)
        if table is None:
            return ()
        allowed = self._known.variables if targets is None else targets
        found = []
        for name in table:
            if name not in allowed:
                what = "variable" if targets is None else "field of the message"
                raise table.wrong(name, f"is no {what}; there are: {', '.join(sorted(allowed)) or 'none'}")
            found.append((name, scope.wanted(table, name)))
            field = fields.get(name)
            if field is not None and field.scale is None:
                check_fits(table, name, field.type, literals(found[-1][1]))
        return tuple(found)

    def _received(self, said: Declaration, key: str) -> tuple[str, ...]:
        return tuple(self._message(said, key, name, Side.METER) for name in said.texts(key, ()))

    def _left_by(self, messages: tuple[str, ...]) -> frozenset[str]:
        checks = frozenset({CHECK}) if not self._known.checked.isdisjoint(messages) else frozenset()
        return checks.union(*(self._known.names[name] for name in messages))

    def listen(self, said: Declaration, depth: int) -> Step:
        """``listen``: a table."""
        table = said.table("listen")
        assert table is not None
        cases = []
        for one in table.tables("on"):
            messages = self._received(one, "message")
            if not messages:
                raise one.wrong("message", "is missing: the messages for which this is")
            self._names |= self._left_by(messages)
            scope = self._scope(*self._left_by(messages))
            cases.append(
                Case(
                    messages,
                    self._reply(one, "reply", scope),
                    self._assignments(one, "set", scope),
                    one.flag("then_end", default=False),
                )
            )
            one.end()
        header = frozenset().union(*self._known.headers.values()) if self._known.headers else frozenset()
        body = frozenset().union(*(self._left_by(case.messages) for case in cases))
        step = Listen(
            tuple(cases),
            seconds_of(table, "timeout", "3600"),
            self._reply(table, "on_error", self._scope(*header, *body)),
            source_of(table),
        )
        table.end()
        return step

    def ask(self, said: Declaration, depth: int) -> Step:
        """``send`` and ``receive``, or one of them."""
        return self._ask(said, self._scope())

    def _ask(self, said: Declaration, scope: Scope) -> Ask:
        send = self._reply(said, "send", scope)
        receive = self._received(said, "receive")
        self._names |= self._left_by(receive)
        want = said.text("want", "")
        if want and want not in _WANTED:
            raise said.wrong("want", f"is {want!r}; it is one of: {', '.join(_WANTED)}")
        return Ask(
            send=send,
            receive=receive,
            timeout=seconds_of(said, "timeout", "10"),
            gap=seconds_of(said, "gap", "0", 60) or None,
            retries=said.number("retries", 0, 0, 10) if said.has("retries") else None,
            if_silent=said.word("if_silent", _OTHERWISE, "fail"),
            if_refused=said.word("if_refused", _OTHERWISE, "fail"),
            assign=self._assignments(said, "set", Scope({*scope.names, *self._left_by(receive)})),
            want=want,
            condition=scope.expression(said, "if"),
            source=source_of(said),
        )

    def archive(self, said: Declaration, depth: int) -> Step:
        """``archive``: the keys of a question, and how it goes on."""
        scope = self._scope("begin", "end")
        ask = self._ask(said, scope)
        if ask.send is None or not ask.receive:
            raise said.wrong("archive", "needs `send` and `receive`: how its rows are asked for")
        by = said.word("by", _BY, "index")
        if by is By.CURSOR and not said.has("next"):
            raise said.wrong("next", "is missing: where a cursor goes on")
        answered = Scope({*scope.names, *self._left_by(ask.receive)})
        return ReadArchive(
            said.text("archive"),
            by,
            ask,
            scope.expression(said, "first"),
            answered.expression(said, "next"),
            answered.expression(said, "done"),
            said.number("step", 1, 0, 86_400 * 31),
            said.number("most", 10_000, 1, 100_000),
            source_of(said),
        )

    def loop(self, said: Declaration, depth: int) -> Step:
        """``while`` a condition holds: ``do`` steps."""
        condition = self._scope().wanted(said, "while")
        return Loop(condition, self.parse(said, "do", depth + 1), said.number("most", 1000, 1, 100_000))

    def assign(self, said: Declaration, depth: int) -> Step:
        """``set`` variables."""
        return Assign(self._assignments(said, "set", self._scope()))

    def wait(self, said: Declaration, depth: int) -> Step:
        """``pause`` or ``drain`` so many seconds."""
        drain = "drain" in said
        return Wait(seconds_of(said, "drain" if drain else "pause", "1", 600), drain)

    def line(self, said: Declaration, depth: int) -> Step:
        """``baud``, and perhaps another ``format``."""
        format_ = said.text("format", "")
        if format_ and not _FORMAT.fullmatch(format_):
            raise said.wrong("format", f"is {format_!r}; it is written like 8N1 or 7E1")
        return LineChange(said.number("baud", 9600, 50, 1_000_000), format_)


_STEPS: dict[str, Callable[[_Steps, Declaration, int], Step]] = {
    "listen": _Steps.listen,
    "archive": _Steps.archive,
    "send": _Steps.ask,
    "receive": _Steps.ask,
    "while": _Steps.loop,
    "set": _Steps.assign,
    "pause": _Steps.wait,
    "drain": _Steps.wait,
    "baud": _Steps.line,
}
