"""A simulated meter tells how it fares."""

from __future__ import annotations

from gateway_server.testing.meter_profile.meter import ProfileMeter
from gateway_server.testing.telling_meter import TellingMeter
from tests.codec.meter_profile.profiles import profile_of

PUSHED = profile_of(
    """
    reads: meter_profile
    framing: {name: frame, start: AA, header: [{name: kind, type: u8}], size: 6}
    messages:
      - {name: hour, when: {kind: 2}, fields: [{name: number, type: u16}, {name: volume, type: u16}],
         rows: {archive: interval, order_number: number, values: {value: volume, quantity: pressure}}}
      - {name: ok, from: gateway, when: {kind: 0x82}, fields: [{name: number, type: u32}]}
    answer: [{listen: {on: [{message: hour, reply: {send: ok, with: {number: number}}}]}}]
    """
)


def made() -> tuple[TellingMeter, list[str]]:
    """A meter with two rows, and what it says."""
    said: list[str] = []
    return TellingMeter(ProfileMeter(PUSHED, "70004711", days=0), said.append), said


def test_meter_whose_rows_are_acknowledged_says_so() -> None:
    meter, said = made()
    replies = meter.connected()
    while replies:
        (reply,) = replies
        replies = meter.received(b"\xaa\x82\x00\x00" + reply.data[2:4])
    (told,) = said
    assert told == (
        "1 rows are acknowledged, none waits; new ones come by the hour. Does the gateway show none?"
        " It keeps the bytes of a meter that nobody has claimed: `meter claim 70004711`"
    )
    meter.hung_up()
    assert len(said) == 1


def test_meter_that_nobody_acknowledges_says_it_once_and_what_may_be_wrong() -> None:
    meter, said = made()
    meter.connected()
    assert meter.overdue()
    assert said == ["nothing comes back: 1 rows are not acknowledged; the gateway's `session list` says why"]
    meter.overdue()
    meter.hung_up()
    assert len(said) == 1


def test_line_that_ends_before_an_acknowledgement_is_told() -> None:
    meter, said = made()
    meter.connected()
    meter.hung_up()
    assert said[0].startswith("the line ended: 1 rows are not acknowledged;")
