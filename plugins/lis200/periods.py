"""How far apart an archive's regular rows are: the measurement period, which every device lets be set (4:150).

It is not asked for: two rows tell it, and it is remembered for the session that has none yet. A daily archive has a
row a gas day, whatever the period is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from gateway_server.model import DAILY, INTERVAL

PERIOD_FACT = "period"
"""What is remembered of it: whole minutes."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SETTABLE = frozenset(timedelta(minutes=minutes) for minutes in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 1440))


def usual(archive: str, memory: Mapping[str, str]) -> timedelta | None:
    """The period by what is remembered, an hour until a device has shown another; None where rows have no period."""
    if archive == DAILY:
        return DAY
    if archive != INTERVAL:
        return None
    text = memory.get(PERIOD_FACT, "")
    known = timedelta(minutes=int(text)) if text.isascii() and text.isdecimal() and len(text) <= 4 else HOUR
    return known if known in SETTABLE else HOUR


def shown(times: Sequence[datetime]) -> timedelta | None:
    """The period that regular rows at these times show: a distance that comes twice, since one may be a gap."""
    steps = Counter(after - before for before, after in pairwise(times))
    step, times_seen = steps.most_common(1)[0] if steps else (timedelta(), 0)
    return step if times_seen >= 2 and step in SETTABLE else None


def minutes(period: timedelta) -> str:
    """The period as it is remembered."""
    return str(period // timedelta(minutes=1))
