"""What is done with a value beyond keeping it; the language's side of it is in test_parts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gateway_server.codec.meter_profile.finishing import finish_of, shown
from gateway_server.codec.meter_profile.form import Field
from gateway_server.errors import CodecError
from tests.codec.meter_profile.profiles import with_fields


def finished(keys: str, value: Any, **values: Any) -> dict[str, Any]:
    field = with_fields(f"{{name: k, type: u8}}\n{{name: a, {keys}}}").profile.message("message").parts[1]
    assert isinstance(field, Field)
    finish = finish_of(field)
    assert finish is not None
    values["a"] = value
    finish(value, values, b"", 0)
    return values


def test_scale_applies_to_what_is_no_missing_value() -> None:
    assert finished("type: u8, scale: 0.5, missing: 9", 7)["a"] == Decimal("3.5")
    assert finished("type: u8, scale: 0.5, missing: 9", 9)["a"] is None
    assert finished("type: u8, scale: k, missing: 9", 7, k=3)["a"] == 21


def test_value_must_be_one_of_those_said_and_words_are_kept_beside_it() -> None:
    assert finished("type: u8, is: [1, 2], words: {1: one}", 1) == {"a": 1, "a.word": "one"}
    with pytest.raises(CodecError, match="a is 3, not 1 or 2"):
        finished("type: u8, is: [1, 2]", 3)
    with pytest.raises(CodecError, match="a is 3, not 4"):
        finished("type: u8, equals: k + 1", 3, k=3)


def test_plain_field_needs_nothing() -> None:
    field = with_fields("{name: a, type: u8}").profile.message("message").parts[0]
    assert isinstance(field, Field)
    assert finish_of(field) is None


def test_values_are_shown_as_people_read_them() -> None:
    assert [shown(one) for one in (b"\x0a\xff", "x", 5)] == ["0A FF", "'x'", "5"]
