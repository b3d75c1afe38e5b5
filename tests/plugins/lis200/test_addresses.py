"""Addresses as devices echo them, seen in captures."""

from __future__ import annotations

import pytest

from plugins.lis200 import addresses


@pytest.mark.parametrize(
    ("asked", "echoed"),
    [
        ("2:302.0", "7-2:302.2"),
        ("1:400.0", "1:400.2"),
        ("6:310_1.0", "7-6:310_1.1"),
        ("1:0400", "1:400"),
        ("7:311", "0007:0311"),
        ("4:3A8.0", "4:3a8.2"),
    ],
)
def test_an_echo_with_prefix_attribute_or_zeros_is_the_address_that_was_asked(asked: str, echoed: str) -> None:
    assert addresses.same(asked, echoed)


@pytest.mark.parametrize(("asked", "echoed"), [("2:302.0", "4:302.0"), ("6:310_1", "6:310"), ("2:302", "2:300")])
def test_another_entity_object_or_variant_is_another_address(asked: str, echoed: str) -> None:
    assert not addresses.same(asked, echoed)


def test_an_archives_address_tells_number_and_attribute() -> None:
    assert addresses.archive("3:V.0") == (3, "0")
    assert addresses.archive("13:V.A") == (13, "A")
    assert addresses.archive("3:180.0") is None


def test_what_is_no_address_stays_as_it_is() -> None:
    assert addresses.core(" C003 ") == "C003"
