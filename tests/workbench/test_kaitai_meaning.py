"""Enums and instances; that Kaitai takes them so is shown with its compiler in test_export_kaitai."""

from __future__ import annotations

from typing import Any

from gateway_server.codec.meter_profile.form import Field
from gateway_server.workbench.kaitai_expressions import Scope
from gateway_server.workbench.kaitai_meaning import Meanings, identifier
from tests.codec.meter_profile.profiles import with_fields


def field(text: str) -> Field:
    """The field that a profile says so."""
    (part,) = with_fields(text).profile.messages[0].parts
    assert isinstance(part, Field)
    return part


def meant(text: str, condition: dict[str, Any] | None = None) -> tuple[dict[str, Any], Meanings, list[str]]:
    """The instances of a field called v, the enums, and what was lost."""
    lost: list[str] = []
    meanings, scope = Meanings(lost.append), Scope()
    scope.paths["v"] = "v"
    return meanings.of(field(text), scope, condition or {}), meanings, lost


def test_identifier_is_one_for_kaitai() -> None:
    assert identifier("Low battery!") == "low_battery_"
    assert identifier("7 bar") == "x7_bar"


def test_words_of_the_same_name_and_meaning_are_one_enum() -> None:
    found, meanings, _ = meant("{name: v, type: u8, words: {0: closed, 1: closed, 2: Open}}")
    assert found == {"v_word": {"value": "v", "enum": "v_words"}}
    words: object = meanings.enums["v_words"]
    assert words == {0: "closed", 1: {"id": "value_1", "doc": "closed"}, 2: {"id": "open", "doc": "Open"}}
    scope = Scope()
    scope.paths["v"] = "v"
    assert meanings.of(field("{name: v, type: u8, words: {0: other}}"), scope, {})["v_word"]["enum"] == "v_words2"
    assert meanings.of(field("{name: v, type: u8, words: {0: other}}"), scope, {})["v_word"]["enum"] == "v_words2"


def test_scale_is_a_quotient_where_that_is_nearer() -> None:
    assert meant("{name: v, type: u8, scale: 0.001}")[0] == {"v_scaled": {"value": "v / 1000.0"}}
    assert meant("{name: v, type: u8, scale: 0.5}")[0] == {"v_scaled": {"value": "v * 0.5"}}
    assert meant("{name: v, type: u8, scale: 10}")[0] == {"v_scaled": {"value": "v * 10.0"}}


def test_value_is_there_when_its_field_is_and_says_one() -> None:
    found, _, _ = meant("{name: v, type: u8, scale: 0.1, missing: [254, 255]}", {"if": "kind == 1"})
    assert found["v_scaled"]["if"] == "(kind == 1) and (v != 254) and (v != 255)"


def test_what_cannot_be_said_is_lost_with_its_name() -> None:
    assert meant("{name: v, type: text, size: 1, words: {A: alarm}}")[2] == ["the words of v, which is no whole number"]
    assert meant("{name: v, type: number, size: 3, scale: 0.1}")[2] == ["the scale of v: it is written in characters"]
