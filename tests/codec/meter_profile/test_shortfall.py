"""What a session did not do or keep, as its outcome."""

from __future__ import annotations

import pytest

from gateway_server.codec.codec import Frame
from gateway_server.codec.dialogue import Partly
from gateway_server.codec.meter_profile.shortfall import Shortfall
from gateway_server.errors import CodecError


def test_session_that_lacks_nothing_is_whole() -> None:
    assert Shortfall().result() is None


def test_everything_that_was_left_out_is_told_once() -> None:
    shortfall = Shortfall()
    shortfall.kept()
    shortfall.leave_out("no archive")
    shortfall.damaged(0)
    shortfall.damaged(2)
    for data in (b"one", b"one", b"two"):
        shortfall.rejected(Frame("frame", data), "not ours")
    shortfall.unsent("ack: why")
    shortfall.unsent("ack: other")
    assert shortfall.result() == Partly(
        "no archive; 2 frames were damaged at the end, and nothing whole came behind;"
        " 2 messages were not kept; the first: not ours; 2 replies were not sent; the first: ack: why"
    )


def test_message_that_was_rejected_and_then_kept_is_not_missing() -> None:
    shortfall = Shortfall()
    shortfall.rejected(Frame("frame", b"one"), "who are you?")
    shortfall.understood(Frame("frame", b"two"))
    shortfall.understood(Frame("frame", b"one", 7))
    assert shortfall.result() is None


@pytest.mark.parametrize("unsent", [True, False])
def test_session_of_which_nothing_was_kept_is_no_reading(unsent: bool) -> None:
    shortfall = Shortfall()
    if unsent:
        shortfall.unsent("ack: why")
    else:
        shortfall.rejected(Frame("frame", b"one"), "why")
    with pytest.raises(CodecError, match="why"):
        shortfall.result()


def test_what_was_not_obtained_is_partial_though_nothing_was_kept() -> None:
    shortfall = Shortfall()
    shortfall.leave_out("no archive")
    assert shortfall.result() == Partly("no archive")


def test_meter_that_sends_one_wrong_message_after_another_does_not_fill_the_memory() -> None:
    shortfall = Shortfall()
    shortfall.kept()
    for number in range(1000):
        shortfall.rejected(Frame("frame", b"%d" % number), f"wrong {number}")
    assert shortfall.result() == Partly("1000 messages were not kept; the first: wrong 0")
