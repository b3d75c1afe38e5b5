"""Sums and folds over bytes; the CRCs are proven in test_catalogue."""

from __future__ import annotations

from functools import reduce
from operator import xor as exclusive_or

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.meter_profile.catalogue import CATALOGUE
from gateway_server.codec.meter_profile.checks import compute
from gateway_server.codec.meter_profile.form import Crc, Fold, Sum


@pytest.mark.parametrize(
    ("rule", "data", "check"),
    [
        (Sum(Fold.SUM), "08 0B 72 78 56 34 12 24 40 01 07 55 00 00 00", 0x1FC & 0xFF),
        (Sum(Fold.NEGATED_SUM), "01 03 00 00 00 01", 0xFB),  # Modbus ASCII LRC
        (Sum(Fold.INVERTED_SUM), "01 02", 0xFC),
        (Sum(Fold.XOR), "01 02 04", 0x07),
        (Sum(Fold.XOR, 16), "01 02 04 08", 0x050A),
        (Sum(Fold.INVERTED_XOR), "01 02 04", 0xF8),
        (Sum(Fold.SUM, 16), "FF FF 02", 0x0200),
    ],
)
def test_sums_and_folds(rule: Sum, data: str, check: int) -> None:
    octets = bytes.fromhex(data)
    assert compute(rule)(octets) == (sum(octets) & 0xFF if rule == Sum(Fold.SUM) else check)


def test_fletcher_by_its_published_examples() -> None:
    # Fletcher-16 and -32 of "abcde", "abcdef", "abcdefgh", as they are published with the algorithm.
    assert compute(Sum(Fold.FLETCHER, 16))(b"abcde") == 0xC8F0
    assert compute(Sum(Fold.FLETCHER, 16))(b"abcdef") == 0x2057
    assert compute(Sum(Fold.FLETCHER, 16))(b"abcdefgh") == 0x0627
    assert compute(Sum(Fold.FLETCHER, 32))(b"abcde") == 0xF04FC729
    assert compute(Sum(Fold.FLETCHER, 32))(b"abcdef") == 0x56502D2A
    assert compute(Sum(Fold.FLETCHER, 32))(b"abcdefgh") == 0xEBE19591


def test_eight_bit_fletcher_of_ubx_runs_over_at_256() -> None:
    # u-blox M8 Protocol Specification (UBX-13003221), "UBX Checksum": CK_A is the low sum and stands first.
    rule = compute(Sum(Fold.FLETCHER_MODULO_256, 16))
    for published in ("06 01 08 00 F0 02 00 00 00 00 00 01 02 32", "06 01 08 00 F0 04 00 00 00 00 00 01 04 40"):
        message = bytes.fromhex(published)
        assert rule(message[:-2]).to_bytes(2, "little") == message[-2:]
    assert compute(Sum(Fold.FLETCHER, 16))(bytes.fromhex("FF")) == 0  # modulo 255
    assert rule(bytes.fromhex("FF")) == 0xFFFF


def test_sum_is_called_as_in_profiles() -> None:
    assert [Sum(fold, 16).name for fold in (Fold.SUM, Fold.FLETCHER, Fold.FLETCHER_MODULO_256)] == [
        "sum16",
        "fletcher16",
        "fletcher16_mod256",
    ]


@given(data=st.binary(max_size=70))
def test_xor_is_that_of_all_bytes(data: bytes) -> None:
    assert compute(Sum(Fold.XOR))(data) == reduce(exclusive_or, data, 0)


@given(data=st.binary(max_size=40), name=st.sampled_from(sorted(CATALOGUE)))
def test_tables_give_what_one_bit_after_the_other_gives(data: bytes, name: str) -> None:
    crc = CATALOGUE[name]
    assert compute(crc)(data) == bit_by_bit(crc, data)


def bit_by_bit(crc: Crc, data: bytes) -> int:
    """The definition: the bits of the message through a shift register."""
    register, top, mask = crc.init, 1 << (crc.width - 1), (1 << crc.width) - 1
    for byte in data:
        for bit in range(8):
            one = byte >> (bit if crc.refin else 7 - bit) & 1
            feedback = bool(register & top) != bool(one)
            register = (register << 1 & mask) ^ (crc.poly if feedback else 0)
    if crc.refout:
        register = int(f"{register:0{crc.width}b}"[::-1], 2)
    return register ^ crc.xorout
