"""The makers' layouts with what a device tells of their columns."""

from __future__ import annotations

import pytest

from plugins.lis200.described import Sources, completed, sources_from_text
from plugins.lis200.layouts import fitting, to_text

ROW = (
    "(18484)(640)(2014-05-02,10:00:00)(882066.6309)(884266.5191)(67859)(68044)(12.9437)(10.16)(0.97417)(13.57199)"
    "(7)(14)(0)(0)(0)(0x8103)(CRC Ok)(17)"
)
SOURCES = ("", "", "0001:0400", "0002:0300", "0002:0302", "0004:0300", "0004:0302", *[""] * 11, "0002:0310")


def test_device_says_what_is_measured_and_the_makers_what_a_row_is_read_by() -> None:
    fixed = fitting("interval", ROW[1:-1].split(")("))
    assert fixed is not None
    layout = completed(fixed, Sources(("", "", "", "MCF"), SOURCES))
    assert (layout.time, layout.order, layout.event, layout.check) == (2, 1, 16, 17)
    assert [(column.name, column.unit, column.source) for column in layout.columns][:2] == [
        ("Vb", "MCF", "2:300"),
        ("VbT", "m3", "2:302"),
    ]
    assert layout.columns[-1].source == "2:310"


@pytest.mark.parametrize("sources", [SOURCES[:-1], ("", "", "", *SOURCES[2:-1]), ("",) * 19])
def test_sources_that_do_not_fit_the_row_are_left_aside(sources: tuple[str, ...]) -> None:
    fixed = fitting("interval", ROW[1:-1].split(")("))
    assert fixed is not None
    assert completed(fixed, Sources((), sources)) is fixed


def test_only_sources_without_names_are_taken_from_what_is_remembered() -> None:
    assert sources_from_text(to_text((), ("m3",), ("2:300",))) == Sources(("m3",), ("2:300",))
    assert sources_from_text(to_text(("Vb",), ("m3",), ("2:300",))) is None
    for text in ("", "[]", "null", to_text((), ("m3",), ())):
        assert sources_from_text(text) is None
