"""When a modem is mended, reset and taken out (dossier A.4)."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock

from gateway_server.transports.modem.health import Health, Remedies, Step
from gateway_server.transports.modem.steps import ModemFault


def failures(health: Health, count: int, now: float = 0.0) -> list[Step]:
    return [health.call_ended(now, ours=True) for _ in range(count)]


def test_three_failures_of_its_own_in_a_row_get_it_prepared_anew() -> None:
    assert failures(Health(), 3) == [Step.GO_ON, Step.GO_ON, Step.PREPARE]


def test_failure_of_the_meter_clears_the_modem() -> None:
    health = Health()
    failures(health, 2)
    health.call_ended(0.0, ours=False)
    assert failures(health, 2) == [Step.GO_ON, Step.GO_ON]


def test_reset_follows_two_preparations_and_retirement_three_resets_within_an_hour() -> None:
    steps = [step for step in failures(Health(), 36) if step is not Step.GO_ON]
    assert steps == [Step.PREPARE, Step.PREPARE, Step.RESET] * 3 + [Step.PREPARE, Step.PREPARE, Step.RETIRE]


def test_resets_of_an_hour_ago_do_not_count() -> None:
    health = Health()
    assert [health.dead(at) for at in (0.0, 10.0, 20.0, 4000.0)] == [Step.RESET] * 4
    assert [health.dead(4010.0), health.dead(4020.0), health.dead(4030.0)] == [Step.RESET, Step.RESET, Step.RETIRE]


class Patient:
    """A modem's life that remembers what happened to it."""

    def __init__(self) -> None:
        self.happened: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *why: self.happened.append(" ".join((name, *why)))


def remedies() -> tuple[Remedies, Patient]:
    patient: Any = Patient()
    return Remedies(Clock(), "m1", patient), patient


@pytest.mark.parametrize(
    ("state", "error", "then"),
    [
        ("stopping", ModemFault("mute"), "stopped"),
        ("opening", ModemFault("no port"), "lost no port"),
        ("preparing", ModemFault("no SIM", lasting=True), "retire no SIM"),
        ("finding", ModemFault("mute"), "reset mute"),
        ("resetting", ModemFault("mute"), "reset mute"),
        ("checking", ModemFault("mute"), "mend mute"),
        ("checking", ModemFault(""), "mend ModemFault"),
    ],
)
def test_work_that_fails_leads_to_what_its_state_allows(state: str, error: ModemFault, then: str) -> None:
    with_what, patient = remedies()
    with_what.failed(state, error)
    assert patient.happened == [then]


@pytest.mark.parametrize(("by_power", "then"), [(False, "mend mute"), (True, "reset mute")])
def test_call_that_a_modem_does_not_end_is_ended_by_its_mains_at_once_if_they_can_be_switched(
    by_power: bool, then: str
) -> None:
    patient: Any = Patient()
    Remedies(Clock(), "m1", patient, by_power=by_power).failed("hanging up", ModemFault("mute"))
    assert patient.happened == [then]


def test_modem_that_failed_three_calls_is_mended_once_it_has_rested() -> None:
    with_what, patient = remedies()
    for _ in range(3):
        with_what.call_ended(ours=True)
        with_what.rested()
    with_what.call_ended(ours=False)
    with_what.rested()
    assert patient.happened == ["rested", "rested", "mend calls failed several times in a row by its fault", "rested"]
