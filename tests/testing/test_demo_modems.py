"""The demo's modems."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.internet.testing import MemoryReactorClock

from gateway_server.testing.demo_meters import SCENE
from gateway_server.testing.demo_modems import LEGACY, MODEMS, demo_modems, port_of_modem
from gateway_server.testing.modem.faults import NO_FAULTS


def test_legacy_meters_are_no_others_and_two_of_them_have_a_trouble() -> None:
    assert len({meter.number for meter in LEGACY}) == len(LEGACY)
    assert {meter.serial for meter in LEGACY}.isdisjoint(meter.serial for meter in SCENE)
    troubles = [meter.faults for meter in LEGACY if meter.faults != NO_FAULTS]
    assert [fault.busy for fault in troubles] == [True, False]
    assert LEGACY[0].route == "csd:+79165550101"


def test_modems_stand_where_the_configuration_says_and_know_every_legacy_meter(tmp_path: Path) -> None:
    reactor = MemoryReactorClock()
    bank = demo_modems(reactor, tmp_path)
    try:
        for modem in MODEMS:
            os.close(os.open(port_of_modem(tmp_path, modem), os.O_RDWR | os.O_NOCTTY))
        for meter in LEGACY:
            assert bank.network.meters[meter.number].serial == meter.serial
    finally:
        bank.stop()
    assert not list((tmp_path / "modems").iterdir())
