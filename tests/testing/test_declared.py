"""Meters of a kind that a file declares: by profile or by register map, told apart by the file itself."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from gateway_server.errors import OperatorError
from gateway_server.testing.declared import DeclaredKind, check_no_quirks
from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.meter_profile.meter import ProfileMeter
from gateway_server.testing.modbus.meter import ModbusMeter

NOW = datetime(2026, 9, 1, 12, 5)


def test_shipped_kind_is_found_by_its_name() -> None:
    kind = DeclaredKind(Path("modbus-example"))
    assert (kind.name, kind.can_be_asked) == ("modbus-example", True)
    meter = kind.meter("41206129", 1, NOW, days=2, calls=False)
    assert isinstance(meter, ModbusMeter)
    assert (meter.serial, meter.kind) == ("41206129", "modbus-example")


def test_meter_of_a_profile_speaks_first_where_it_calls() -> None:
    kind = DeclaredKind(Path("reference-push"))
    assert kind.can_be_asked
    called, calling = (kind.meter("41206129", 1, NOW, days=2, calls=calls) for calls in (False, True))
    assert isinstance(called, ProfileMeter)
    assert isinstance(calling, ProfileMeter)
    assert called.connected() == []
    assert calling.connected() != []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("reads: modbus\nregisters: []\n", "registers"),
        ("reads: table_file\n", "line 1"),
        ("reads: meter_profile\nmessages: []\n", "line 1: framing is missing"),
        ("reads: tea_leaves\n", "line 1: reads is 'tea_leaves'; what can be declared is: meter_profile, modbus"),
    ],
)
def test_file_that_is_no_profile_is_refused_with_its_name(tmp_path: Path, text: str, complaint: str) -> None:
    place = tmp_path / "boiler.yaml"
    place.write_text(text)
    with pytest.raises(OperatorError) as told:
        DeclaredKind(place)
    assert str(place) in str(told.value)
    assert complaint in str(told.value)


def test_quirks_of_the_models_do_not_go_with_it() -> None:
    check_no_quirks(Quirks())
    with pytest.raises(OperatorError, match="a meter that speaks a profile has none"):
        check_no_quirks(Quirks(slow=True))
