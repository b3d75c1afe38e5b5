"""What `demo` shows of its calls by modem: who is dialled, how a meter fills up, how the call ended."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gateway_server.cli.call_text import airtime_text
from gateway_server.cli.moments import duration
from gateway_server.store.records import CallRecord, Filter
from gateway_server.store.store import Store

STEP_ROWS = 10
"""A call in progress is mentioned again when so many more rows are in the store."""


@contextmanager
def calls_told_once(verbose: int) -> Iterator[None]:
    """Keeps the planner's log from telling of the calls that are shown anyway, unless somebody wants all of it."""
    planner = logging.getLogger("gateway_server.scheduler.dialling")
    before = planner.level
    if not verbose:
        planner.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        planner.setLevel(before)


@dataclass(frozen=True, slots=True)
class CallNews:
    """The calls so far, and how many rows the meters have that are being spoken to."""

    calls: list[CallRecord] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)


def call_news(store: Store, known: set[int]) -> CallNews:
    """What is new of calls; those in ``known`` are over."""
    calls = sorted((one for one in store.calls(Filter()) if one.id not in known), key=lambda one: one.id)
    talking = [one.meter for one in calls if one.connected_ms is not None and one.ended_ms is None]
    rows = Counter({meter: sum(1 for _ in store.rows(Filter(serials=(meter,)))) for meter in talking})
    return CallNews(calls, rows)


class CallsShown:
    """Says what is new of calls. ``name_of`` gives a meter as one says it; ``over`` are calls that have ended."""

    def __init__(self, name_of: Callable[[str], str], say: Callable[[str], None]) -> None:
        self.over: set[int] = set()
        self._name_of = name_of
        self._say = say
        self._dialled: set[int] = set()
        self._connected: set[int] = set()
        self._rows: Counter[str] = Counter()
        self._airtime_ms = 0

    def news(self, news: CallNews) -> None:
        """Shows it."""
        for one in news.calls:
            self._call(one)
        for meter, rows in news.rows.items():
            if rows >= self._rows[meter] + STEP_ROWS:
                self._rows[meter] = rows
                self._say(f"{self._name_of(meter)} ☎ {rows} rows so far")

    def summary(self) -> str:
        """What the calls were and cost; empty without one."""
        if not self.over:
            return ""
        return f"{len(self.over)} calls were made by modem, {self._airtime_ms // 1000} s of air time in all"

    def _call(self, one: CallRecord) -> None:
        name = self._name_of(one.meter)
        if one.id not in self._dialled:
            self._dialled.add(one.id)
            self._say(f"{name} ☎ {one.modem} dials")
        if one.connected_ms is not None and one.id not in self._connected:
            self._connected.add(one.id)
            self._say(f"{name} ☎ connected after {duration(one.connected_ms - one.started_ms)}")
        if one.result is not None and one.id not in self.over:
            self.over.add(one.id)
            self._airtime_ms += one.airtime_ms
            why = f": {one.detail}" if one.detail else ""
            spent = f", {airtime_text(one.airtime_ms)} s of air time" if one.airtime_ms else ""
            self._say(f"{name} ☎ {one.result.value}{why}{spent} (call {one.id})")
