"""What the operator says of meters, groups and SIM cards that do not exist: most often a slip of the pen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gateway_server.model import MeterState
from gateway_server.scheduler.completeness import Terms
from gateway_server.scheduler.schedules import Schedule, in_groups
from gateway_server.scheduler.waiting import Rules
from gateway_server.store.records import MeterRecord


def loose_ends(
    meters: Iterable[MeterRecord],
    schedules: Sequence[Schedule],
    rules: Rules,
    terms: Terms,
    sim_cards: Sequence[str] = (),
) -> list[str]:
    """Each in words, with its place in the configuration. ``sim_cards`` are the operators of the modems, where every
    one says its own."""
    register = list(meters)
    known = _Known(register)
    found: list[str] = []
    for schedule in schedules:
        place = f"schedule {schedule.name}"
        found += known.missing(place, schedule.meters, schedule.groups)
        if not any(schedule.wants(meter) for meter in register if meter.state is MeterState.ACTIVE):
            found.append(f"{place}: no meter in care is of it")
    for number, acceptance in enumerate(rules.acceptances, 1):
        found += known.missing(f"acceptance {number}", acceptance.meters, acceptance.groups)
    for name, operator in rules.operators.items():
        if not known.meter(name) and not known.group(name):
            found.append(f'dialling: operators "{name}" is neither a meter of the register nor a group with meters')
        if sim_cards and operator not in sim_cards:
            cards = ", ".join(sorted(set(sim_cards)))
            found.append(f'dialling: operators "{name}" wants a SIM card of {operator}; the modems have {cards}')
    for serial in terms.commissioned or ():
        if not known.meter(serial):
            found.append(f'completeness: commissioned "{serial}" is not in the register')
    return found


class _Known:
    """The meters and groups of the register."""

    def __init__(self, meters: Iterable[MeterRecord]) -> None:
        self._serials = set()
        self._groups = set()
        for meter in meters:
            self._serials.add(meter.serial)
            self._groups.add(meter.group)

    def meter(self, serial: str) -> bool:
        """Whether there is such a meter."""
        return serial in self._serials

    def group(self, group: str) -> bool:
        """Whether a meter is in this group, or below it."""
        return any(in_groups(one, (group,)) for one in self._groups)

    def missing(self, place: str, meters: Iterable[str], groups: Iterable[str]) -> Iterator[str]:
        """The meters and groups that are not there."""
        for serial in meters:
            if not self.meter(serial):
                yield f'{place}: meter "{serial}" is not in the register'
        for group in groups:
            if not self.group(group):
                yield f'{place}: no meter is in group "{group}"'
