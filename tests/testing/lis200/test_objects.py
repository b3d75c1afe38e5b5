"""Addresses of single values."""

from __future__ import annotations

import pytest

from gateway_server.testing.lis200.layouts import FAKE_MODELS
from gateway_server.testing.lis200.objects import Address, attribute_text, objects, parse_address


@pytest.mark.parametrize(
    ("text", "core", "attribute"),
    [
        ("1:400.0", "1:400", "0"),
        ("1:0400.0", "1:400", "0"),
        ("7-2:302.2", "2:302", "2"),
        ("6:310_1.0", "6:310_1", "0"),
        ("0007:0311", "7:311", "0"),
        ("1:1f0.A", "1:1F0", "A"),
    ],
)
def test_address_is_taken_by_its_core(text: str, core: str, attribute: str) -> None:
    assert parse_address(text) == Address(core, attribute)


@pytest.mark.parametrize("text", ["", "4", "x:300", "2:", "2:300.", "2:3G0"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse_address(text) is None


def test_models_know_what_drivers_ask_of_them() -> None:
    for model in FAKE_MODELS.values():
        known = objects(model, "41203377")
        assert known["1:180"].text == "41203377"
        assert model.name.upper() in known["1:181"].text
        assert {"2:190", "2:301", "2:302", "4:302", "2:141", "4:150"} <= set(known)
    assert "2:300" not in objects(FAKE_MODELS["tc210"], "1" * 8)


def test_other_attributes_tell_name_unit_and_source() -> None:
    temperature = objects(FAKE_MODELS["ek270"], "41203377")["6:310_1"]
    assert [attribute_text(temperature, "6:310_1", attribute) for attribute in "234"] == ["T", "{C", "6:310_1"]
