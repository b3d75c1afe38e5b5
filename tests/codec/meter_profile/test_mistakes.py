"""One run tells all that is wrong with a profile."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.mistakes import MOST_MISTAKES, Mistakes
from gateway_server.errors import OperatorError
from tests.codec.meter_profile.profiles import profile_of


def told(text: str) -> list[str]:
    with pytest.raises(OperatorError) as found:
        profile_of(text)
    return str(found.value).split("\n")


def test_every_mistake_of_the_messages_is_told_with_its_line() -> None:
    lines = told("""
        reads: meter_profile
        framing: {name: frame, end: LF}
        messages:
          - name: first
            fields:
              - {name: a, type: u99}
              - {name: b, type: u8, if: a == 1}
              - {name: c, type: u8, scal: 1}
              - group: g
                count: "2"
                fields:
                  - {name: d, type: u8, order: up}
          - name: second
            fields: [{name: e, type: u8}]
            rows:
              values:
                - {value: nothing, quantity: volume}
                - {value: e / 10, quantity: volume}
            identify: {serial: f}
    """)
    # Not that `a` is unknown in line 8: it is, only because line 7 is wrong.
    begun = [
        "line 7: messages 1: fields 1: type is 'u99'; ",
        "line 9: messages 1: fields 3: scal there is no such key; ",
        "line 13: messages 1: fields 4: fields 1: order is 'up'; ",
        "line 18: messages 2: rows: values 1: value uses 'nothing', ",
        "line 19: messages 2: rows: values 2: value is 'e / 10': ",
        "line 20: messages 2: identify: serial uses 'f', ",
    ]
    assert [line.startswith(one) for line, one in zip(lines, begun, strict=True)] == [True] * 6, lines


def test_mistakes_of_framings_are_told_before_what_depends_on_them() -> None:
    lines = told("""
        reads: meter_profile
        framing:
          - {name: one, start: XX}
          - {name: two, end: LF, header: [{name: a, type: u9}, {name: b, type: u8, size: 1}]}
        messages: [{name: m, framing: three}]
    """)
    assert [line.partition(":")[0] for line in lines] == ["line 4", "line 5", "line 5"]


def test_both_dialogues_are_looked_at() -> None:
    lines = told("""
        reads: meter_profile
        framing: {name: frame, end: LF}
        messages: [{name: m}]
        answer: [{receive: x}]
        read: [{send: y}]
    """)
    assert ["'x'" in lines[0], "'y'" in lines[1], len(lines)] == [True, True, 2]


def test_no_more_than_some_are_told() -> None:
    mistakes = Mistakes()
    assert not mistakes
    mistakes.tell()
    for number in range(50):
        with mistakes:
            raise OperatorError(f"line {number}: wrong")
    assert mistakes
    with pytest.raises(OperatorError) as found:
        mistakes.tell()
    lines = str(found.value).split("\n")
    assert len(lines) == MOST_MISTAKES
    assert lines[-1] == "and 31 more"
