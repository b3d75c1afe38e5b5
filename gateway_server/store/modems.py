"""How each modem is, as the gateway that has it says: written when it changes, a few times in a call."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_server.store.owner import alive
from gateway_server.store.queries import Queries


@dataclass(frozen=True, slots=True)
class ModemRecord:
    """One modem. ``state`` is the word of its state machine and ``why`` what brought it there.

    ``next_ms``: when it is tried again. ``live``: the gateway that said this runs; otherwise it is how the modem was.
    """

    name: str
    state: str
    since_ms: int
    why: str = ""
    operator: str = ""
    signal: int | None = None
    next_ms: int | None = None
    live: bool = True


class ModemQueries(Queries):
    """Verbs of modems."""

    def note_modem(self, modem: ModemRecord) -> None:
        """Writes how a modem of ours is now."""
        with self.connection.transaction("note modem"):
            self.connection.execute(
                "INSERT INTO modem (name, owner, state, why, operator, signal, since_ms, next_ms)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET owner = excluded.owner,"
                " state = excluded.state, why = excluded.why, operator = excluded.operator,"
                " signal = excluded.signal, since_ms = excluded.since_ms, next_ms = excluded.next_ms",
                (
                    modem.name, self._owner, modem.state, modem.why, modem.operator, modem.signal, modem.since_ms,
                    modem.next_ms,
                ),
            )  # fmt: skip

    def modems(self) -> list[ModemRecord]:
        """Every modem that a gateway ever had on this store, by name."""
        rows = self.connection.all(
            "SELECT name, state, since_ms, why, operator, signal, next_ms, owner FROM modem ORDER BY name"
        )
        return [
            ModemRecord(
                name, state, since_ms, why, operator, signal, next_ms, live=owner == self._owner or alive(owner)
            )
            for name, state, since_ms, why, operator, signal, next_ms, owner in rows
        ]
