"""Every line of the catalogue against the check value that the catalogue publishes with it."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.catalogue import ALIASES, CATALOGUE, CHECK_VALUES, in_catalogue
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


@pytest.mark.parametrize(
    ("alias", "check"),
    [
        ("MODBUS", 0x4B37),
        ("X-25", 0x906E),
        ("XMODEM", 0x31C3),
        ("KERMIT", 0x2189),
        ("ARC", 0xBB3D),
        ("CRC-CCITT", 0x2189),
        ("CRC-A", 0xBF05),
        ("CRC-B", 0x906E),
        ("CRC-16/LHA", 0xBB3D),
        ("CRC-16/EPC", 0xD64E),
        ("CRC-16/VERIFONE", 0xFEE8),
        ("CRC-24", 0x21CF02),
        ("CRC-32/ADCCP", 0xCBF43926),
        ("CRC-32/CASTAGNOLI", 0xE3069283),
        ("PKZIP", 0xCBF43926),
        ("JAMCRC", 0x340BC6D9),
        ("CRC-8/AES", 0x97),
        ("cksum", 0x765E7680),
    ],
)
def test_alias_gives_the_check_value_published_for_its_algorithm(alias: str, check: int) -> None:
    crc = in_catalogue(alias)
    assert crc is not None
    assert compute(crc)(b"123456789") == check


def test_no_alias_hides_an_algorithm() -> None:
    assert set(ALIASES.values()) <= set(CATALOGUE)
    assert not set(ALIASES) & set(CATALOGUE)
