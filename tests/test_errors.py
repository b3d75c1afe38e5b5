"""What a meter said, as part of a message."""

from __future__ import annotations

from gateway_server.errors import LONGEST_SAID, cut


def test_what_a_meter_said_is_cut_where_it_is_longer_than_a_message_bears() -> None:
    assert cut("7" * LONGEST_SAID) == "7" * LONGEST_SAID
    assert cut("7" * 4000) == "7" * (LONGEST_SAID - 1) + "…"
    assert cut("41203377", 4) == "412…"
