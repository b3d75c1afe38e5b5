"""What the plan keeps in the store, as plain data: jobs to be made, stops, lost rows, settled archives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from gateway_server.model import CallResult
from gateway_server.store.records import Origin


class Span(NamedTuple):
    """Grid points of an archive, from the first to the last, both included; UTC milliseconds."""

    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class JobToMake:
    """A job nobody typed: what a schedule wants of a meter in a night, or what is overdue of one that called in.

    ``schedule`` and ``night`` with the meter are its key: the same job is made once. Fields as in `JobRecord`.
    """

    serial: str
    order: str
    origin: Origin
    schedule: str
    night: str
    due_ms: int
    window_end_ms: int | None = None
    priority: int = 0
    most_attempts: int = 1
    by_modem: bool = False
    route: str = ""


@dataclass(frozen=True, slots=True)
class Swept:
    """How many old jobs and calls are gone; ``quiet`` is False when none were, because a job was being carried out."""

    removed: int
    quiet: bool = True


@dataclass(frozen=True, slots=True)
class PlanStop:
    """A meter that is not called until somebody acts: ``result`` says what was wrong, ``detail`` in words.

    ``evidence`` is what has to change (the number; the sealed access code's digest), and ends the stop when it does.
    A stop with ``until_ms`` is over by then in any case.
    """

    serial: str
    result: CallResult
    detail: str
    evidence: str
    since_ms: int
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """Up to ``until_ms`` every row of an archive that can be had is stored: it was looked through at ``checked_ms``.

    ``first_ms`` is the first expected row; ``expected`` and ``stored`` count the grid's rows up to ``until_ms``.
    """

    period_ms: int
    first_ms: int
    until_ms: int
    expected: int
    stored: int
    checked_ms: int
