"""What a planner orders of the modems and what they answer. The modems themselves are `modem.pool`'s business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway_server.model import CallResult
from gateway_server.session.endings import Ending
from gateway_server.transports.errand import Errand


@dataclass(frozen=True, slots=True)
class CallOrder:
    """One call to be made. ``number`` is checked before it reaches any modem.

    ``modem`` and ``operator`` restrict who may make it (empty: anybody), ``avoid`` names a modem that just failed with
    this meter, ``bearers`` are the values of +CBST to try one after the other (empty: the modem's own),
    ``budget_s`` ends the call when it has been on line so long, unless the modem's own limit does sooner (0: none).
    """

    number: str
    errand: Errand
    attempt: int = 1
    modem: str = ""
    operator: str = ""
    avoid: str = ""
    bearers: tuple[str, ...] = ()
    budget_s: float = 0.0


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How an ordered call went; its record is in the store by then.

    ``paid_ms`` runs until the modem was on hook. ``ending`` is None when no session came about. ``our_fault`` says that
    another modem, or the same one mended, might have reached the meter: such a failure counts against the modem and not
    against the meter.
    """

    result: CallResult
    detail: str
    modem: str = ""
    cause: str = ""
    airtime_ms: int = 0
    paid_ms: int = 0
    ending: Ending | None = None
    our_fault: bool = False


@dataclass(frozen=True, slots=True)
class ModemView:
    """A modem as a planner sees it. ``state`` is the word of its state machine; ``why`` says why it is not ready."""

    name: str
    state: str
    ready: bool
    operator: str = ""
    why: str = ""
    signal: int | None = None


class Modems(Protocol):
    """The pool of modems."""

    def views(self) -> tuple[ModemView, ...]:
        """Every configured modem, ready or not."""

    def call(self, order: CallOrder, over: Callable[[CallEnd], None]) -> str:
        """Makes the call now, on the least recently used modem that is ready and may; gives that modem's name.

        Empty when none is ready: then ``over`` is never called. Raises `OperatorError` for what is no number.
        """

    def end_all(self, reason: str) -> None:
        """Hangs up everywhere."""
