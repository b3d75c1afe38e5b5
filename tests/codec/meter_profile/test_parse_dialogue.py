"""Dialogues as profiles write them; what they say is in test_dialogue."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.form import (
    Ask,
    Assign,
    By,
    Given,
    LineChange,
    Listen,
    Loop,
    Otherwise,
    ReadArchive,
    Variable,
    Wait,
)
from gateway_server.errors import OperatorError
from tests.codec.meter_profile.profiles import profile_of

HEAD = """\
reads: meter_profile
framing: {name: line, end: LF}
variables:
  code: {from: access_code, start: ""}
  turn: {from: memory, start: 3}
messages:
  - {name: told, fields: [{name: value, type: number}]}
  - {name: ask, from: gateway, fields: [{name: what, type: number}]}
"""


def test_variables_come_from_somewhere_and_access_codes_are_secret() -> None:
    assert profile_of(HEAD).variables == (
        Variable("code", Given.ACCESS_CODE, "", secret=True),
        Variable("turn", Given.MEMORY, 3),
    )


@pytest.mark.parametrize(
    ("variable", "start"),
    [
        ("{from: access_code}", "''"),
        ("{from: serial}", "''"),
        ("{from: memory}", "''"),
        ("{from: address}", "0"),
        ("{}", "0"),
        ('{start: "0000"}', "'0000'"),
        ("{start: '12'}", "'12'"),
        ("{start: 0000}", "0000"),
        ("{start: 0x1F}", "31"),
        ("{start: A}", "'A'"),
    ],
)
def test_variable_begins_as_a_text_where_it_is_quoted_or_stands_for_one(variable: str, start: str) -> None:
    text = HEAD.replace('{from: access_code, start: ""}', variable)
    assert repr(profile_of(text).variables[0].start) == start


def test_every_step() -> None:
    steps = profile_of(
        HEAD
        + """\
read:
  - {send: ask, with: {what: turn}, receive: told, timeout: 5, gap: 0.5, retries: 0, if_silent: skip,
      set: {turn: value}}
  - {receive: told, if_refused: ignore}
  - {send: ask}
  - {archive: daily, by: time, send: ask, with: {what: size(text(begin))}, receive: told, step: 60, done: value == 0}
  - {while: turn < 5, do: [{set: {turn: turn + 1}}], most: 9}
  - {pause: 0.5}
  - {drain: 2}
  - {baud: 2400, format: 7E1}
  - listen: {on: [{message: told, reply: ask, then_end: yes}], timeout: 60}
"""
    ).read
    assert steps is not None
    kinds = [type(step) for step in steps]
    assert kinds == [Ask, Ask, Ask, ReadArchive, Loop, Wait, Wait, LineChange, Listen]
    ask, heard, _, archive, loop, pause, drain, _, listen = steps
    assert isinstance(ask, Ask)
    assert (ask.timeout, ask.gap, ask.retries, ask.if_silent) == (5.0, 0.5, 0, Otherwise.SKIP)
    assert isinstance(heard, Ask)
    assert heard.if_refused is Otherwise.IGNORE
    assert isinstance(archive, ReadArchive)
    assert (archive.by, archive.step) == (By.TIME, 60)
    assert isinstance(loop, Loop)
    assert isinstance(loop.steps[0], Assign)
    assert (pause, drain) == (Wait(0.5), Wait(2.0, drain=True))
    assert isinstance(listen, Listen)
    assert listen.cases[0].ends


NESTED = "{while: '1', do: [" * 6 + "{pause: 1}" + "]}" * 6


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("{shout: ask}", "this is no step; a step has one of the keys listen, archive, send, receive"),
        ("{send: ask, pause: 1}", "this is no step"),
        ("{send: told}", "send is 'told', which is no message of the gateway's; there are: ask"),
        ("{receive: ask}", "receive is 'ask', which is no message of the meter's; there are: told"),
        ("{send: ask, with: {size: turn}}", "size is no field of the message; there are: what"),
        ("{send: ask, with: {what: value}}", "what uses 'value', which is not known here; known are: code, turn"),
        ("{set: {other: 1}}", "other is no variable; there are: code, turn"),
        ("{archive: daily, receive: told}", "archive needs `send` and `receive`"),
        ("{archive: daily, by: colour, send: ask, receive: told}", "by is 'colour'; it is one of: index, time, cursor"),
        ("{archive: daily, by: cursor, send: ask, receive: told}", "next is missing: where a cursor goes on"),
        ("{send: ask, want: everything}", "want is 'everything'; it is one of: current, archive, events"),
        ("{send: ask, timeout: 100000}", "timeout is 100000; it is from 0 to 86400 seconds"),
        ("{baud: 9600, format: 9X9}", "format is '9X9'; it is written like 8N1 or 7E1"),
        ("{listen: {on: [{reply: ask}]}}", "message is missing: the messages for which this is"),
        ("{listen: {timeout: 5}}", "on is missing"),
        (NESTED, "steps are nested more than 4 deep"),
    ],
)
def test_wrong_step_is_told_with_what_is_allowed(step: str, why: str) -> None:
    with pytest.raises(OperatorError) as found:
        profile_of(f"{HEAD}read:\n  - {step}\n")
    assert why in str(found.value)


def test_wrong_variable_is_told() -> None:
    with pytest.raises(OperatorError, match="from is 'hat'; it is one of: start, address, access_code, serial, memory"):
        profile_of(HEAD.replace("from: memory", "from: hat"))
    with pytest.raises(OperatorError, match="is a table"):
        profile_of(HEAD.replace("turn: {from: memory, start: 3}", "turn: 3"))
