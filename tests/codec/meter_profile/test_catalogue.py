"""Every line of the catalogue against the check value that the catalogue publishes with it."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.catalogue import CATALOGUE, CHECK_VALUES, in_catalogue
from gateway_server.codec.meter_profile.checks import compute
from gateway_server.codec.meter_profile.form import Crc


@pytest.mark.parametrize(("crc", "check"), CHECK_VALUES.items(), ids=lambda one: getattr(one, "name", ""))
def test_every_crc_gives_its_published_check_value(crc: Crc, check: int) -> None:
    assert compute(crc)(b"123456789") == check


def test_the_catalogue_has_all_algorithms() -> None:
    assert len(CATALOGUE) == 113
    assert {crc.width for crc in CATALOGUE.values()} >= {3, 8, 12, 16, 24, 32, 64, 82}


def test_a_crc_is_found_by_the_name_its_manual_uses() -> None:
    for alias, name in (
        ("CRC-16/X-25", "CRC-16/IBM-SDLC"),
        ("crc-16/ccitt-false", "CRC-16/IBM-3740"),
        ("CRC-32", "CRC-32/ISO-HDLC"),
        ("CRC-16/MODBUS", "CRC-16/MODBUS"),
    ):
        found = in_catalogue(alias)
        assert found is not None
        assert found.name == name
    assert in_catalogue("CRC-16/NONE") is None
