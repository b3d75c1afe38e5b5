"""What one side of a capture came to, in checks."""

from __future__ import annotations

from gateway_server.codec.meter_profile.form import Side
from gateway_server.workbench.tally import MOST_TOLD, Tally


def test_side_that_said_nothing_has_no_checks() -> None:
    assert list(Tally().checks(Side.GATEWAY)) == []


def test_each_reason_stands_with_what_it_is_the_reason_of_once_and_only_some_of_them() -> None:
    tally = Tally(frames=9, unread=7, unlike=1, size=50)
    tally.messages["told"] = 2
    for number in (0, 0, *range(MOST_TOLD + 3)):
        tally.tell("unread", f"why {number}")
    tally.tell("unlike", "the order of two fields")
    by_name = {check.name: check for check in tally.checks(Side.METER)}
    assert by_name["the meter's messages"].detail == "2 told; 7 not read: why 0; why 1; why 2; why 3; why 4"
    assert by_name["the meter's bytes"].detail == "1 frames would be put together otherwise: the order of two fields"
    assert {name for name, check in by_name.items() if not check.ok} == {"the meter's messages", "the meter's bytes"}


def test_share_is_of_all_bytes_that_this_side_said() -> None:
    tally = Tally(frames=1, size=8, explained=6)
    tally.messages["told"] = 1
    assert list(tally.checks(Side.METER))[-1].detail == "75.0 % of the bytes have a name"
