"""Who answers which number in the simulated telephone network. A number that is not in the book is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from gateway_server.testing.meter_lines import Hears, MeterClock, MeterOnLine
from gateway_server.testing.modem.faults import NO_FAULTS, CallFaults, FaultDraw

BOTH_BEARERS = frozenset({"7", "71"})


class FarLine(Protocol):
    """The far end of a call in progress."""

    def received(self, data: bytes) -> None: ...

    def lost(self) -> None: ...


class FarEnd(Protocol):
    """What answers a number."""

    def answer(self, clock: IReactorTime, deliver: Callable[[bytes], None], hang_up: Callable[[], None]) -> FarLine: ...


@dataclass(frozen=True, slots=True)
class MeterByModem:
    """A meter behind a modem of its own. ``time`` is the meter's, whatever clock the line goes by."""

    meter: Hears
    time: MeterClock

    def answer(self, clock: IReactorTime, deliver: Callable[[bytes], None], hang_up: Callable[[], None]) -> FarLine:
        """The meter's modem has answered."""
        return MeterOnLine(self.meter, clock, self.time, deliver, hang_up)


@dataclass
class Subscriber:
    """A number and who answers it.

    ``setup_s`` is how long a call takes to get through, None leaves it to the modem; ``bearers`` are the values of
    +CBST that reach it; ``release_s`` is how long it stays busy behind a call. ``faults`` befall every call to it.
    """

    number: str
    far: FarEnd
    setup_s: float | None = None
    bearers: frozenset[str] = BOTH_BEARERS
    release_s: float = 0.0
    faults: CallFaults = NO_FAULTS
    occupied: bool = field(default=False, init=False)
    calls: int = field(default=0, init=False)


def digits(number: str) -> str:
    """A number as the network compares it: its digits."""
    return "".join(character for character in number if character.isdigit())


class PhoneBook:
    """The numbers that can be called; ``draw`` lets some of the calls to the faultless ones fail."""

    def __init__(self, subscribers: Iterable[Subscriber] = (), draw: FaultDraw | None = None) -> None:
        self._subscribers = {digits(one.number): one for one in subscribers}
        self._draw = draw or FaultDraw()

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(self._subscribers.values())

    def find(self, number: str) -> Subscriber | None:
        """Who answers this number."""
        return self._subscribers.get(digits(number))

    def fate(self, subscriber: Subscriber) -> CallFaults:
        """What befalls the next call to a number."""
        return subscriber.faults if subscriber.faults != NO_FAULTS else self._draw.next()
