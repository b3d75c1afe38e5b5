"""What `check-config` says of the plan: when each schedule is due, for how many meters, and what leads nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from gateway_server.cli.invocation import Invocation
from gateway_server.cli.moments import local
from gateway_server.config import Config
from gateway_server.model import MeterState
from gateway_server.scheduler.loose_ends import loose_ends
from gateway_server.scheduler.schedules import Schedule
from gateway_server.store.open import schema_of, store_path
from gateway_server.store.records import MeterRecord


def register_of(invocation: Invocation) -> list[MeterRecord] | None:
    """The meters of the store; None where there is no store yet, or looking into it would change its schema."""
    path = store_path(invocation.config.store.url)
    if path is None or not path.exists() or schema_of(path).missing:
        return None
    with invocation.store(create=False) as store:
        return list(store.meters())


def plan_facts(config: Config, meters: Sequence[MeterRecord] | None, now_ms: int) -> Iterator[tuple[str, str]]:
    """A line for each schedule, and for what else is said of the plan."""
    for settings in config.schedule:
        schedule = settings.schedule()
        yield f"schedule {schedule.name}", ", ".join(_schedule(schedule, meters, now_ms))
    for number, acceptance in enumerate(config.acceptance, 1):
        whom = ", ".join((*acceptance.meters, *acceptance.groups)) or "every meter"
        yield f"acceptance {number}", f"{', '.join(acceptance.windows)} of {whom}"
    for name, operator in config.dialling.operators.items():
        yield "dialling", f"{name} is called by SIM cards of {operator}"


def plan_slips(config: Config, meters: Sequence[MeterRecord]) -> list[str]:
    """What is said of meters, groups and SIM cards that do not exist."""
    terms = config.duty_terms()
    cards = [modem.operator for modem in config.modem]
    return loose_ends(meters, terms.schedules, terms.rules, terms.terms, cards if all(cards) else ())


def _schedule(schedule: Schedule, meters: Sequence[MeterRecord] | None, now_ms: int) -> Iterator[str]:
    yield schedule.cron
    yield f"window {schedule.window}" if schedule.window is not None else "until it is due again"
    if meters is None:
        return
    wanted = [meter for meter in meters if meter.state is MeterState.ACTIVE and schedule.wants(meter)]
    nights = [
        (night.due_ms, zone)
        for zone in sorted({meter.time_zone for meter in wanted})
        if (night := schedule.next_night(now_ms, ZoneInfo(zone))) is not None
    ]
    if nights:
        due_ms, zone = min(nights)
        yield f"next {local(due_ms, ZoneInfo(zone))} in {zone}"
    elif wanted:
        yield "never due"
    yield f"{len(wanted)} meters"
