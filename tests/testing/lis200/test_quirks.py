"""Quirks as an operator names them."""

from __future__ import annotations

import pytest

from gateway_server.errors import OperatorError
from gateway_server.testing.lis200.quirks import Quirks, described, from_options, names


def test_quirks_are_named_with_and_without_values() -> None:
    quirks = from_options(["seven-e1", "bad_bcc_every=5", "reply_delay_s=0.2", "other_serial=41", "slow=no"])
    assert quirks == Quirks(seven_e1=True, bad_bcc_every=5, reply_delay_s=0.2, other_serial="41")


def test_no_quirk_is_a_well_behaved_meter() -> None:
    assert from_options([]) == Quirks()


@pytest.mark.parametrize("option", ["nonsense", "bad_bcc_every=often", "slow=perhaps", "other_serial"])
def test_wrong_quirk_is_refused_in_words(option: str) -> None:
    with pytest.raises(OperatorError, match=option.partition("=")[0]):
        from_options([option])


def test_every_quirk_can_be_switched_on_by_its_name() -> None:
    for name in names():
        default = getattr(Quirks(), name)
        text = name if isinstance(default, bool) else f"{name}=7"
        assert getattr(from_options([text]), name) != default


def test_every_quirk_says_what_it_does() -> None:
    words = described()
    assert [name.partition("=")[0] for name in words] == list(names())
    assert all(len(says) > 10 for says in words.values())
    assert {"seven_e1", "bad_bcc_every=N", "reply_delay_s=SECONDS", "other_serial=TEXT"} <= set(words)
