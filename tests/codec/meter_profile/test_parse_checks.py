"""Checks as profiles write them."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.form import Check, Crc, Fold, Order, Sum, Written
from gateway_server.errors import OperatorError
from tests.codec.meter_profile.profiles import framed


def checks_of(check: str) -> tuple[Check, ...]:
    return framed(f"start: STX\nend: ETX\ncheck: {check}").profile.framing("frame").checks


def test_check_by_name_by_parameters_and_in_full() -> None:
    (check,) = checks_of("xor8")
    assert check == Check(Sum(Fold.XOR))
    (check,) = checks_of("{rule: {width: 16, poly: 0x1021, init: 0xFFFF, refin: yes, xorout: 1}}")
    assert check.rule == Crc("crc16", 16, 0x1021, 0xFFFF, True, True, 1)
    (check,) = checks_of(
        "{rule: CRC-16/X-25, covers: start, order: little, written: lower_hex, separator: \"'*'\", skip: 1, trim: 2}"
    )
    assert (check.covers, check.order, check.written) == ("start", Order.LITTLE, Written.LOWER_HEX)
    assert (check.separator, check.skip, check.trim) == (b"*", 1, 2)
    assert len(checks_of("[{rule: sum8}, {rule: xor8, place: after_end, mask: 0x7F}]")) == 2


@pytest.mark.parametrize(
    ("check", "why"),
    [
        ("adler", "is 'adler'; it is one of sum8, "),
        ("CRC-16/MODBUSS", "is 'CRC-16/MODBUSS', which is like CRC-16/MODBUS"),
        ("fletcher16mod256", "which is like fletcher16_mod256"),
        ("{rule: sum8, covers: tail}", "covers is 'tail'; what is covered begins at one of: start, header, body"),
        ("{rule: sum8, mask: 0x1FF}", "mask is '0x1FF'; it is a number of 8 bits"),
        ("{rule: sum8, mask: x}", "mask is 'x'"),
        ("{rule: {width: 8, poly: 0x1FF}}", "poly is '0x1FF'; it is a number of 8 bits"),
        ("{rule: {width: 99, poly: 1}}", "width is '99'; it is a whole number from 3 to 64"),
        ("{rule: sum8, over: wire, place: after_end}", "over is for a check before the end"),
        ("{rule: sum8, separator: LF, place: after_end}", "separator is for a check before the end"),
        ("{rule: sum8, written: roman}", "written is 'roman'; it is one of: binary, hex, lower_hex"),
    ],
)
def test_wrong_check_is_told_with_what_is_allowed(check: str, why: str) -> None:
    with pytest.raises(OperatorError) as found:
        checks_of(check)
    assert why in str(found.value)
