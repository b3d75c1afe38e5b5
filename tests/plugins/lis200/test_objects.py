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
        ("10:36C", "calorific value (by firmware)"),
        ("2:708", "baud rate of interface 2"),
        ("4:3A8", "actual flow, alarm limit low"),
        ("5:D77", "connection 5: protocol"),
        ("7:110", "St.7 momentary status 7"),
        ("77:777", ""),
    ],
)
def test_an_address_is_said_in_words(address: str, words: str) -> None:
    assert objects.words(address) == words


def test_what_is_kept_elsewhere_is_measured_there_as_well() -> None:
    for usual, elsewhere in objects.ELSEWHERE.items():
        assert objects.BY_ADDRESS[usual].quantity == objects.BY_ADDRESS[elsewhere].quantity
