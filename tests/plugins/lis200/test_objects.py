"""The device's objects."""

from __future__ import annotations

import pytest

from plugins.lis200 import addresses, objects


def test_live_values_are_measured_and_asked_once() -> None:
    for live in (objects.EK_LIVE, objects.TC_LIVE):
        assert len(set(live)) == len(live)
        assert all(objects.BY_ADDRESS[address].quantity is not None for address in live)


def test_addresses_are_in_their_shortest_form() -> None:
    assert all(addresses.core(address) == address for address in objects.BY_ADDRESS)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("4:302", "VmT actual volume total"),
        ("1:180", "SNo serial number"),
        ("4:170", "state of lock 4 (customer)"),
        ("3:171", "code for lock 3 (supplier)"),
        ("77:777", ""),
    ],
)
def test_an_address_is_said_in_words(address: str, words: str) -> None:
    assert objects.words(address) == words
