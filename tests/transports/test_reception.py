"""A listener's settings."""

from __future__ import annotations

import pytest

from gateway_server.transports.reception import Rule


def test_rules_are_called_as_in_the_configuration() -> None:
    assert [Rule(word) for word in ("registration", "address", "codec")] == list(Rule)
    with pytest.raises(ValueError, match="port"):
        Rule("port")
