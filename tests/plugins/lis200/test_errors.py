"""Error codes of the device, beside those an independent implementation knows."""

from __future__ import annotations

import pytest
from iec62056_21.lis200 import Lis200ErrorParser

from gateway_server.errors import MeterRefused
from plugins.lis200 import errors


def test_every_code_an_independent_client_knows_is_known_here() -> None:
    assert set(Lis200ErrorParser.ERROR_MAP) == set(errors.CODES)


@pytest.mark.parametrize("number", sorted(errors.CODES))
def test_a_refusal_says_who_what_and_what_to_do(number: int) -> None:
    refused = errors.refusal(f"{number:04d}", asked="2:302.0", meter="41203377")
    assert isinstance(refused, MeterRefused)
    assert refused.code == f"{number:04d}"
    assert refused.meaning
    assert "41203377" in str(refused)
    assert "2:302.0" in str(refused)
    assert refused.advice in str(refused)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("0001", errors.Absent),
        ("0004", errors.Absent),
        ("0100", errors.Absent),
        ("0103", errors.NothingThere),
        ("0104", errors.NothingThere),
        ("0105", errors.NothingThere),
        ("0017", errors.NotAllowed),
        ("0018", errors.NotAllowed),
        ("0109", errors.RowDamaged),
        ("0110", errors.RowDamaged),
    ],
)
def test_codes_that_call_for_the_same_answer_are_of_one_type(code: str, kind: type[Exception]) -> None:
    assert isinstance(errors.refusal(code), kind)


@pytest.mark.parametrize("code", ["0777", "abcd", ""])
def test_an_unknown_code_is_kept_raw(code: str) -> None:
    refused = errors.refusal(code)
    assert refused.code == code
    assert "not in the documentation" in str(refused)
