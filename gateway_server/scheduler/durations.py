"""How long a call will take: learnt from the meter's earlier calls, else from its rows and the speed of the line.

Set-up 10 to 40 s, 960 bytes a second, 142 bytes a row of ten columns, a round trip of 1.2 s for ten rows (dossier A.1,
lis200.md 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from gateway_server.model import CallResult
from gateway_server.store.records import CallRecord

SETUP_S = 25.0
SIGN_ON_S = 12.0
ROW_S = 142 / 960 + 1.2 / 10
BYTES_PER_ROW = 142
_ENOUGH = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """What a call to a meter takes: until it is connected, with nothing to read, and for each row."""

    setup_s: float = SETUP_S
    base_s: float = SIGN_ON_S
    row_s: float = ROW_S

    def seconds(self, rows: int) -> float:
        """From dialling to hanging up, with so many rows to read."""
        return self.setup_s + self.base_s + rows * self.row_s


def learnt(calls: Sequence[CallRecord]) -> Pace:
    """The pace by earlier calls to one meter, those that were made to the end; the usual one where these are few."""
    good = [one for one in calls if one.result is CallResult.OK and one.connected_ms is not None and one.airtime_ms > 0]
    if len(good) < _ENOUGH:
        return Pace()
    setups = [(one.connected_ms or 0) - one.started_ms for one in good]
    bases = [one.airtime_ms / 1000 - one.bytes / BYTES_PER_ROW * ROW_S for one in good]
    return Pace(median(setups) / 1000, max(1.0, median(bases)))
