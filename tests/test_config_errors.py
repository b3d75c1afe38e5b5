"""How a place in the configuration is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway_server.config import Config
from gateway_server.config_errors import in_words, place_of


def test_table_is_called_by_its_number_and_name() -> None:
    assert place_of("listener", 2, "gprs") == 'listener 2 "gprs"'
    assert place_of("listener", 2, None) == "listener 2"
    assert place_of("listener", 2, 7) == "listener 2"


def test_table_without_a_usable_name_still_has_its_number() -> None:
    raw = {"listener": [{"name": "", "endpoint": "tcp:1", "codec": "x"}, 5]}
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(raw)
    assert in_words(Path("g.toml"), caught.value, raw, Config).splitlines() == [
        'g.toml: listener 1: `name`: "" is too short; the least length is 1',
        "g.toml: listener 2: 5 is not a table",
    ]
