"""One call of a simulated modem: set up or refused, carried through the air, ended by one side or the other."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from gateway_server.testing.air_line import AirShape, OneWay
from gateway_server.testing.modem.faults import CallFaults
from gateway_server.testing.modem.phone_book import FarLine, Subscriber
from gateway_server.testing.modem.results import Result

REFUSED_S = 1.5  # the network refuses; dossiers: less than 3 s
BUSY_S = 5.0
LINE_NOISE = b"\x00\xff~\x7f\x00{\xff"
UNASSIGNED, CLEARING, USER_BUSY, NO_ANSWER, BEARER_NOT_AVAILABLE, INCOMPATIBLE = 1, 16, 17, 19, 58, 88


class CallOwner(Protocol):
    """What a call tells its modem."""

    def call_failed(self, result: Result, cause: int) -> None: ...

    def call_answered(self, result: Result) -> None: ...

    def call_heard(self, data: bytes) -> None: ...

    def call_lost(self, *, with_a_word: bool) -> None: ...

    def call_hangs(self) -> None: ...

    def unplugged(self, seconds: float) -> None: ...


@dataclass
class CallRecord:
    """What became of a call, for whoever compares. Times are the modem's clock's; -1 is never.

    ``leaving`` is when the caller began to hang up: dropped DTR, began to escape, or said ATH. ``turns`` counts how
    often he spoke after he had listened: each one he waits upon costs a round trip.
    """

    number: str
    started: float
    result: str = ""
    cause: int = 0
    connected: float = -1.0
    leaving: float = -1.0
    ended: float = -1.0
    sent: int = 0
    received: int = 0
    turns: int = 0
    inbound: bool = False

    @property
    def online_s(self) -> float:
        """What is paid for: from CONNECT to the end."""
        return max(0.0, self.ended - self.connected) if self.connected >= 0 else 0.0

    @property
    def air_s(self) -> float:
        """What the caller needed: from CONNECT to when he began to hang up."""
        return max(0.0, self.leaving - self.connected) if self.connected >= 0 else 0.0


class FakeCall:
    """A call to ``subscriber``, or from it. `answered` once its far end is on the line."""

    def __init__(
        self,
        owner: CallOwner,
        clock: IReactorTime,
        subscriber: Subscriber | None,
        record: CallRecord,
        faults: CallFaults,
        shape: AirShape,
        chance: random.Random,
    ) -> None:
        self._owner = owner
        self._clock = clock
        self._subscriber = subscriber
        self.record = record
        self.faults = faults
        self._chance = chance
        self._next: IDelayedCall | None = None
        self._far: FarLine | None = None
        self._holds_subscriber = False
        self._heard = 0
        self._plugged = True
        self._listened = True
        self.escapes_lost = faults.escape_lost
        self._out = OneWay(clock, shape, self._far_hears, chance)
        self._in = OneWay(clock, shape, self._arrives, chance)

    @property
    def connected(self) -> bool:
        """Whether the carrier is there."""
        return self._far is not None

    @property
    def ringing_out(self) -> bool:
        """Whether it is still being set up."""
        return self._next is not None and not self.connected

    # setting up

    def dial(self, setup_s: float, bearer: str, carried: frozenset[str], wait_s: float) -> None:
        """Calls; ``wait_s`` is S7, ``carried`` the bearers that the modem's network has."""
        faults, subscriber = self.faults, self._subscriber
        if subscriber is None:
            self._fail(REFUSED_S, Result.NO_CARRIER, UNASSIGNED)
        elif faults.silence:
            return
        elif faults.hangs == "dialling":
            self._after(min(setup_s, 2.0), self._owner.call_hangs)
        elif refusal := self._refusal(setup_s):
            self._fail(*refusal)
        elif bearer not in {"0", *carried}:
            self._fail(REFUSED_S, Result.NO_CARRIER, BEARER_NOT_AVAILABLE)
        elif bearer not in {"0", *subscriber.bearers}:
            self._fail(REFUSED_S, Result.NO_CARRIER, INCOMPATIBLE)
        elif subscriber.occupied:
            self._fail(BUSY_S, Result.BUSY, USER_BUSY)
        else:
            self._take_subscriber()
            if setup_s > wait_s:
                self._fail(wait_s, Result.NO_CARRIER, CLEARING)
            else:
                self._after(setup_s + faults.late_connect_s, self.answered)

    def answer(self, handshake_s: float) -> None:
        """Takes a call that came in."""
        self._take_subscriber()
        self._after(handshake_s, self.answered)

    def _refusal(self, setup_s: float) -> tuple[float, Result, int] | None:
        faults = self.faults
        for on, after, result, cause in (
            (faults.busy, BUSY_S, Result.BUSY, USER_BUSY),
            (faults.no_answer, setup_s, Result.NO_ANSWER, NO_ANSWER),
            (faults.refused, REFUSED_S, Result.NO_CARRIER, faults.refused),
            (faults.no_handshake, setup_s, Result.NO_CARRIER, faults.no_handshake),
            (faults.no_dialtone, 0.5, Result.NO_DIALTONE, 0),
            (faults.error, 0.1, Result.ERROR, 0),
            (faults.answers_ok, setup_s, Result.OK, 0),
            (faults.delayed, 0.1, Result.DELAYED, 0),
            (faults.blacklisted, 0.1, Result.BLACKLISTED, 0),
        ):
            if on:
                return after, result, cause
        return None

    def answered(self) -> None:
        """The handshake is done: the far end is on the line."""
        self._next = None
        assert self._subscriber is not None
        if self.faults.hangs == "connected":
            self._owner.call_hangs()
            return
        self._far = self._subscriber.far.answer(self._clock, self._in.send, self._far_hangs_up)
        self.record.connected = self._clock.seconds()
        self._owner.call_answered(Result.CONNECT if self.faults.connect_without_speed else Result.CONNECT_9600)
        if self.faults.noise_at_connect:
            self._owner.call_heard(LINE_NOISE)
        if self.faults.hangs == "online":
            self._owner.call_hangs()

    def _fail(self, after: float, result: Result, cause: int) -> None:
        self._after(after, lambda: self._failed(result, cause))

    def _failed(self, result: Result, cause: int) -> None:
        self._next = None
        self._owner.call_failed(result, cause)

    def _after(self, seconds: float, what: Callable[[], None]) -> None:
        self._next = self._clock.callLater(max(0.0, seconds), what)

    # on line

    def send(self, data: bytes) -> None:
        """Octets for the far end."""
        if self._far is not None:
            self.record.sent += len(data)
            self.record.turns += self._listened
            self._listened = False
            self._out.send(data)

    def _far_hears(self, data: bytes) -> None:
        if self._far is not None and not self.faults.far_silent:
            self._far.received(data)

    def _arrives(self, data: bytes) -> None:
        faults = self.faults
        unplugs = faults.unplugged_after if self._plugged else 0
        if faults.far_garbled:
            data = bytes(byte ^ (0x15 if self._chance.random() < 0.2 else 0) for byte in data)
        for at, text in ((faults.no_carrier_in_data, b"\r\nNO CARRIER\r\n"), (faults.ring_in_data, b"\r\nRING\r\n")):
            if at and self._heard < at <= self._heard + len(data):
                cut = at - self._heard
                data = data[:cut] + text + data[cut:]
        limits = [at for at in (faults.lost_after, faults.lost_silently_after, unplugs) if at]
        cut = min(limits, default=0) - self._heard
        ends = bool(limits) and cut <= len(data)
        if ends:
            data = data[: max(0, cut)]
        self._heard += len(data)
        self._listened = True
        self.record.received += len(data)
        if data:
            self._owner.call_heard(data)
        if ends and unplugs and self._heard >= unplugs:
            self._plugged = False
            self._owner.unplugged(faults.unplugged_s)
        elif ends:
            self._lose(with_a_word=bool(faults.lost_after and self._heard >= faults.lost_after))

    def _far_hangs_up(self) -> None:
        """The far end leaves; what it said before still arrives."""
        self._in.then(lambda: self._lose(with_a_word=not self.faults.lost_silently_after))

    def _lose(self, *, with_a_word: bool) -> None:
        if self._far is None:
            return
        self.end("NO CARRIER")
        self._owner.call_lost(with_a_word=with_a_word)

    # the end

    def end(self, result: str = "") -> None:
        """Hangs up, on whatever it is; the far end hears of it half a round trip later."""
        if self._next is not None and self._next.active():
            self._next.cancel()
        self._next = None
        self._in.cut()
        far, self._far = self._far, None
        if self.record.ended < 0:
            self.leave()
            self.record.ended = self._clock.seconds()
            self.record.result = self.record.result or result
        if far is not None:
            self._out.then(far.lost)
        if self._holds_subscriber and self._subscriber is not None:
            self._holds_subscriber = False
            release = self._subscriber.release_s
            if far is not None and release > 0:
                self._clock.callLater(release, self._release)
            else:
                self._release()

    def leave(self) -> None:
        """The caller begins to hang up."""
        if self.record.leaving < 0:
            self.record.leaving = self._clock.seconds()

    def stay(self) -> None:
        """He has thought better of it."""
        self.record.leaving = -1.0

    def _take_subscriber(self) -> None:
        assert self._subscriber is not None
        self._subscriber.occupied = True
        self._subscriber.calls += 1
        self._holds_subscriber = True

    def _release(self) -> None:
        assert self._subscriber is not None
        self._subscriber.occupied = False
