"""What is said of meters and groups that do not exist."""

from __future__ import annotations

from datetime import date

from gateway_server.model import MeterState
from gateway_server.scheduler.completeness import Terms
from gateway_server.scheduler.loose_ends import loose_ends
from gateway_server.scheduler.schedules import Acceptance, Schedule, Window
from gateway_server.scheduler.waiting import Rules
from gateway_server.store.records import MeterRecord

METERS = [MeterRecord("7", group="north/boilers"), MeterRecord("8", state=MeterState.DISABLED, group="south")]
NIGHT = Schedule("night", "0 1 * * *", groups=("north",))


def test_configuration_that_fits_the_register_has_none() -> None:
    rules = Rules(
        (Acceptance((Window.parse("08:00-09:00"),), ("8",), ("north/boilers",)),), {"north": "MTS", "8": "MTS"}
    )
    assert loose_ends(METERS, [NIGHT], rules, Terms(commissioned={"7": date(2024, 5, 1)}), ["MTS"]) == []
    assert loose_ends(METERS, [], Rules(operators={"7": "MTS"}), Terms()) == [], "a modem may learn its operator"


def test_slip_of_the_pen_is_told_with_its_place() -> None:
    typo = Schedule("typo", "0 1 * * *", ("999",), ("nroth",))
    closed = Schedule("closed", "0 1 * * *", groups=("south",))
    rules = Rules((Acceptance((Window.parse("08:00-09:00"),), groups=("est",)),), {"nort": "MTS", "7": "MTC"})
    assert loose_ends(
        METERS, [typo, closed], rules, Terms(commissioned={"77": date(2024, 5, 1)}), ["MTS", "Beeline"]
    ) == [
        'schedule typo: meter "999" is not in the register',
        'schedule typo: no meter is in group "nroth"',
        "schedule typo: no meter in care is of it",
        "schedule closed: no meter in care is of it",
        'acceptance 1: no meter is in group "est"',
        'dialling: operators "nort" is neither a meter of the register nor a group with meters',
        'dialling: operators "7" wants a SIM card of MTC; the modems have Beeline, MTS',
        'completeness: commissioned "77" is not in the register',
    ]
