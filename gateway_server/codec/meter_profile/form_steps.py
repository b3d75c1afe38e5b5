"""The dialogues of a profile: variables, steps, and what is said in each."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from gateway_server.codec.meter_profile.expressions import Expression
from gateway_server.codec.meter_profile.form_types import UNSTATED, Constant, Source


@dataclass(frozen=True, slots=True)
class Reply:
    """A message of ours and what stands in its fields, told by expressions."""

    message: str
    fields: tuple[tuple[str, Expression], ...] = ()


Assignments = tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Case:
    """What to do when one of these messages comes: keep what it tells, then reply, then go on or end."""

    messages: tuple[str, ...]
    reply: Reply | None = None
    assign: Assignments = ()
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Listen:
    """Hears what the meter pushes until it is silent for ``timeout`` seconds. ``on_error`` answers a damaged frame."""

    cases: tuple[Case, ...]
    timeout: float = 3600.0
    on_error: Reply | None = None
    source: Source = UNSTATED


class Otherwise(enum.Enum):
    """What follows when no answer, or a refusal, came."""

    FAIL = "fail"  # the session ends with that outcome
    SKIP = "skip"  # it goes on, and counts as partial
    IGNORE = "ignore"  # it goes on as if that were an answer


@dataclass(frozen=True, slots=True)
class Ask:
    """Says something (or nothing) and awaits one of some messages (or none).

    A silent meter, or a damaged answer, is asked again ``retries`` times; unless it is said twice, and what holds a
    secret not at all: a meter may lock itself. ``want`` does it only when the order is for
    that: ``current``, ``archive`` or ``events``.
    """

    send: Reply | None = None
    receive: tuple[str, ...] = ()
    timeout: float = 10.0
    gap: float | None = None
    retries: int | None = None
    if_silent: Otherwise = Otherwise.FAIL
    if_refused: Otherwise = Otherwise.FAIL
    assign: Assignments = ()
    want: str = ""
    condition: Expression | None = None
    source: Source = UNSTATED


class By(enum.Enum):
    """What an archive is asked by."""

    INDEX = "index"
    TIME = "time"
    CURSOR = "cursor"


@dataclass(frozen=True, slots=True)
class ReadArchive:
    """Reads an archive in as many questions as it takes.

    In the expressions ``begin`` and ``end`` are where this question begins and where the archive is wanted to end
    (order numbers, times, or what the device calls a place). The first ``begin`` follows the last row in the store;
    ``first`` is that of an archive of which there is none. ``next`` is the following ``begin``, by the fields of the
    answer; without it, what follows the answer's last row. It is over when ``done`` holds, when an answer has no rows
    and when it is refused. ``step`` is what lies between two rows: 1, or so many seconds.
    """

    archive: str
    by: By
    ask: Ask
    first: Expression | None = None
    next: Expression | None = None
    done: Expression | None = None
    step: int = 1
    most: int = 10_000
    source: Source = UNSTATED


@dataclass(frozen=True, slots=True)
class Loop:
    """Says its steps again and again as long as ``condition`` holds, ``most`` times at most."""

    condition: Expression
    steps: tuple[Step, ...]
    most: int = 1000


@dataclass(frozen=True, slots=True)
class Assign:
    """Gives variables values."""

    values: Assignments


@dataclass(frozen=True, slots=True)
class Wait:
    """Says nothing for a while; with ``drain`` it drops what comes, until so much silence."""

    seconds: float
    drain: bool = False


@dataclass(frozen=True, slots=True)
class LineChange:
    """Goes on at another speed and format."""

    baud: int
    format: str = ""


Step = Listen | Ask | ReadArchive | Loop | Assign | Wait | LineChange


class Given(enum.Enum):
    """Where the value of a variable comes from at the beginning of a session."""

    START = "start"  # its ``start``
    ADDRESS = "address"  # the meter's bus address
    ACCESS_CODE = "access_code"
    SERIAL = "serial"
    MEMORY = "memory"  # what the last session left in it


@dataclass(frozen=True, slots=True)
class Variable:
    """A named value of a dialogue. One that is ``secret`` is masked wherever bytes are shown."""

    name: str
    given: Given = Given.START
    start: Constant = 0
    secret: bool = False
