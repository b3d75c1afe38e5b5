"""The names under which gas is measured."""

from __future__ import annotations

import re

from gateway_server import quantities
from gateway_server.model import Quantity

ALL = [value for value in vars(quantities).values() if isinstance(value, Quantity)]


def test_every_quantity_has_a_name_of_its_own() -> None:
    assert len({quantity.name for quantity in ALL}) == len(ALL) > 15


def test_names_can_be_typed_on_a_command_line() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", quantity.name) for quantity in ALL)


def test_obis_codes_are_those_of_gas_or_of_no_medium() -> None:
    assert all(re.fullmatch(r"(7-0:\d+\.\d+\.\d+|0-0:\d+\.\d+\.\d+|)", quantity.obis) for quantity in ALL)


def test_no_two_quantities_share_an_obis_code() -> None:
    codes = [quantity.obis for quantity in ALL if quantity.obis]
    assert len(set(codes)) == len(codes)


def test_only_volumes_and_energy_are_counters() -> None:
    assert all(("volume" in quantity.name or quantity.name == "energy") == quantity.cumulative for quantity in ALL)
