"""One archive of a simulated meter: a ring of rows of text, and how a range of it is asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from gateway_server.testing.lis200.layouts import FakeLayout

EMPTY = 103
LOWER_NOT_FOUND = 104
UPPER_NOT_FOUND = 105
NO_POSITION = 101
SYNTAX = 200

CellKey = tuple[int, Decimal | str]


class Refusal(Exception):
    """The meter says no: ``code`` is its error number."""

    def __init__(self, code: int) -> None:
        super().__init__(f"#{code:04d}")
        self.code = code


class FakeArchive:
    """Rows, oldest first; the oldest fall out when the ring is full."""

    def __init__(self, layout: FakeLayout, first_order_number: int) -> None:
        self.layout = layout
        self.rows: deque[tuple[str, ...]] = deque(maxlen=layout.depth)
        self._next = first_order_number
        keys = [column.key for column in layout.columns]
        self.order_column = keys.index("aono" if "aono" in keys else "gono")

    def append(self, global_number: int, cells: Mapping[str, str]) -> None:
        """Stores a row under the next order number."""
        known = {"gono": str(global_number), "aono": str(self._next), "check": "CRC Ok", **cells}
        self._next += 1
        self.rows.append(tuple(known.get(column.key, "0") for column in self.layout.columns))

    def skip(self, numbers: int) -> None:
        """Order numbers whose rows are lost."""
        self._next += numbers

    def attribute(self, attribute: str) -> str | None:
        """V.1 to V.7 of the archive as one row of cells; None for what it does not have."""
        columns = self.layout.columns
        told = {
            "1": ["R"] * len(columns),
            "2": [column.name for column in columns],
            "3": [column.unit for column in columns],
            "4": [column.source for column in columns],
            "5": ["0" if not column.unit else "13" for column in columns],
            "6": ["0"] * len(columns),
            "7": ["11" if column.key in {"time", "check"} else "4" for column in columns],
        }.get(attribute)
        return None if told is None else "".join(f"({cell})" for cell in told)

    def select(self, position: str, lower: str, upper: str) -> list[tuple[str, ...]]:
        """The rows whose cell at ``position`` (counted from 1) lies between the limits, both included.

        Raises `Refusal` with the device's code when there are none, or no such position.
        """
        if not self.rows:
            raise Refusal(EMPTY)
        try:
            index = int(position or "1") - 1
        except ValueError:
            raise Refusal(SYNTAX) from None
        if not 0 <= index < len(self.layout.columns):
            raise Refusal(NO_POSITION)
        if not lower and not upper:
            return list(self.rows)
        low = _key(lower) if lower else None
        high = _key(upper) if upper else None
        keys = [_key(row[index]) for row in self.rows]
        if low is not None and max(keys) < low:
            raise Refusal(LOWER_NOT_FOUND)
        if high is not None and min(keys) > high:
            raise Refusal(UPPER_NOT_FOUND)
        found = [
            row
            for key, row in zip(keys, self.rows, strict=True)
            if (low is None or key >= low) and (high is None or key <= high)
        ]
        if not found:
            raise Refusal(LOWER_NOT_FOUND)
        return found

    def holds(self) -> dict[str, object]:
        """The archive's content as plain data: cells exactly as they stand on the wire."""
        columns = self.layout.columns
        place = {column.key: index for index, column in reversed(list(enumerate(columns)))}
        time, event, check = (place.get(key) for key in ("time", "event", "check"))
        apart = {"gono", "aono", "time", "event", "check"}
        return {
            "kind": self.layout.kind,
            "columns": [column.name for column in columns],
            "units": [column.unit for column in columns],
            "sources": [column.source for column in columns],
            "rows": [
                {
                    "order_number": int(row[self.order_column]),
                    "time": row[time] if time is not None else "",
                    "event": row[event] if event is not None else "",
                    "check": row[check] if check is not None else "",
                    "values": {
                        column.name: cell for column, cell in zip(columns, row, strict=True) if column.key not in apart
                    },
                    "cells": list(row),
                }
                for row in self.rows
            ],
        }


def _key(text: str) -> CellKey:
    """Cells compare as numbers where they are numbers, as text (times) elsewhere."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return 1, text
    return (1, text) if number.is_nan() else (0, number)
