"""What was told already in a run that stores nothing: two sessions that bring the same row bring one."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from gateway_server.store.records import EventToSave, RowToSave

T = TypeVar("T")


class Told:
    """Rows and events by which meter they are of, what they are called by and what they say.

    Of each only a hash is kept: a dry run may go over all there is.
    """

    def __init__(self) -> None:
        self._told: set[int] = set()

    def add(self, serial: str, rows: list[RowToSave], events: list[EventToSave]) -> None:
        """Takes in what the store would hold now."""
        self._told.update(map(_row, [serial] * len(rows), rows))
        self._told.update(map(_event, [serial] * len(events), events))

    def take_out(self, serial: str, rows: list[RowToSave], events: list[EventToSave]) -> list[RowToSave]:
        """Takes out what the store would hold by now; gives the rows of that. How many events they were is told by
        how many are left."""
        again = self._taken(serial, rows, _row)
        self._taken(serial, events, _event)
        return again

    def _taken(self, serial: str, things: list[T], called: Callable[[str, T], int]) -> list[T]:
        told = [thing for thing in things if called(serial, thing) in self._told]
        if told:
            things[:] = [thing for thing in things if called(serial, thing) not in self._told]
        return told


def _row(serial: str, row: RowToSave) -> int:
    said: tuple[Hashable, ...] = (row.values, row.status, row.event)
    return hash((serial, row.archive, row.measured_at_ms, row.order_number, said))


def _event(serial: str, event: EventToSave) -> int:
    return hash((serial, event.code, event.measured_at_ms, event.order_number, event.text))
