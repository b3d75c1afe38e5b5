"""When a modem is mended, reset and taken out (dossier A.4)."""

from __future__ import annotations

from gateway_server.transports.modem_health import Health, Step


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
