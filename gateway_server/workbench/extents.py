"""From when to when the rows of each session are, so that they are found without looking through all of a meter's."""

from __future__ import annotations

from collections.abc import Sequence

from gateway_server.store.store import Store

_MOST_REMEMBERED = 200_000  # sessions, a few dozen bytes each


class Extents:
    """Asks the store once for each meter. What is saved meanwhile it is told (`widen`): too wide costs time only."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, dict[int, tuple[int, int]]] = {}
        self._sessions = 0

    def of(self, serial: str, sessions: Sequence[int]) -> tuple[int, int] | None:
        """Between which times, inclusive, all rows of these sessions are; None if they have none."""
        found = [one for session in sessions if (one := self._of_meter(serial).get(session)) is not None]
        return (min(since for since, _ in found), max(until for _, until in found)) if found else None

    def widen(self, serial: str, sessions: Sequence[int], since_ms: int, until_ms: int) -> None:
        """Rows between these times are being saved with these sessions."""
        extents = self._known.get(serial)
        if extents is not None:
            for session in sessions:
                since, until = extents.get(session, (since_ms, until_ms))
                extents[session] = min(since, since_ms), max(until, until_ms)

    def _of_meter(self, serial: str) -> dict[int, tuple[int, int]]:
        extents = self._known.get(serial)
        if extents is None:
            if self._sessions > _MOST_REMEMBERED:
                self._known.clear()
                self._sessions = 0
            extents = self._known[serial] = self._store.session_extents(serial)
            self._sessions += len(extents)
        return extents
