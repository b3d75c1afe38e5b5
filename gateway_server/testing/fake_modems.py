"""A pool of modems without modems: calls take their time by a clock, and go as the phone book says.

`FakeModems` is the planner's side of the pool (`transports.calls.Modems`). What happens behind CONNECT is a real
session over a line to a simulated meter, or only time, as the number's entry says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock

from gateway_server.errors import OperatorError
from gateway_server.model import CallResult, Outcome
from gateway_server.session.endings import Ending
from gateway_server.session.line import Line
from gateway_server.session.plan import Facilities
from gateway_server.session.session import Session
from gateway_server.store.records import CallRecord
from gateway_server.transports.calls import CallEnd, CallOrder, ModemView
from gateway_server.transports.visit import Visit

OURS = frozenset({CallResult.NO_DIALTONE, CallResult.MODEM_FAULT, CallResult.BARRED})
_DIALLED = "0123456789"


class _Heard:
    """Whoever hears the far end: bytes, and that it is gone."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def received(self, data: bytes) -> None:
        self._visit.received(data)

    def line_lost(self) -> None:
        self._visit.line_lost("NO CARRIER")


@dataclass(frozen=True, slots=True)
class FakeCall:
    """How one call goes. ``setup_s`` passes before it is connected, or has failed.

    With ``meter`` a session runs over the line that it gives, and may be cut after ``lost_after_s``; without, the call
    lasts ``online_s`` and ends with ``outcome``.
    """

    result: CallResult = CallResult.OK
    setup_s: float = 20.0
    online_s: float = 40.0
    outcome: Outcome = Outcome.READ
    cause: str = ""
    meter: Callable[[Callable[[bytes], None], Callable[[], None]], Line] | None = None
    lost_after_s: float | None = None


@dataclass(slots=True)
class _Modem:
    name: str
    operator: str
    ready: bool = True
    why: str = ""
    used_at: float = -1.0
    visit: Visit | None = None
    timer: IDelayedCall | None = None
    over: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A call that was made."""

    number: str
    modem: str
    started: float
    ended: float
    ready: float
    end: CallEnd


class FakeModems:
    """So many modems; ``book`` says how the call to a number goes, given the order and how often it was called.

    ``made`` are the calls that are over, in the order of their ends. A modem rests ``cool_down_s`` behind each.
    """

    def __init__(
        self,
        clock: Clock,
        facilities: Facilities,
        book: Callable[[CallOrder, int], FakeCall],
        modems: dict[str, str] | None = None,
        cool_down_s: float = 5.0,
    ) -> None:
        self._clock = clock
        self._facilities = facilities
        self._book = book
        self._cool_down = cool_down_s
        names = {"m1": ""} if modems is None else modems
        self._modems = {name: _Modem(name, operator) for name, operator in names.items()}
        self._times: dict[str, int] = {}
        self.orders: list[CallOrder] = []
        self.made: list[Made] = []
        self.stopped = ""

    def views(self) -> tuple[ModemView, ...]:
        """Every modem, ready or not."""
        return tuple(
            ModemView(one.name, "idle" if one.ready else "online", one.ready, one.operator, one.why)
            for one in self._modems.values()
        )

    def take_out(self, name: str, why: str) -> None:
        """A modem is out of service from now on."""
        self._modems[name].ready, self._modems[name].why = False, why

    def call(self, order: CallOrder, over: Callable[[CallEnd], None]) -> str:
        """Makes the call now, if a modem is ready and may; gives its name."""
        if not order.number.lstrip("+") or order.number.lstrip("+").strip(_DIALLED):
            raise OperatorError(f"{order.number!r} is no phone number")
        fit = [
            one
            for one in self._modems.values()
            if one.ready
            and one.name != order.avoid
            and order.modem in ("", one.name)
            and order.operator in ("", one.operator)
        ]
        if not fit or self.stopped:
            return ""
        modem = min(fit, key=lambda one: one.used_at)
        self.orders.append(order)
        times = self._times[order.number] = self._times.get(order.number, 0) + 1
        _Call(self, modem, order, self._book(order, times), over).begin()
        return modem.name

    def end_all(self, reason: str) -> None:
        """Hangs up everywhere."""
        self.stopped = reason
        for modem in self._modems.values():
            if modem.over is not None:
                modem.over(reason)

    def kill(self) -> None:
        """The process is gone in the middle of its calls: nobody hears of them any more."""
        self.stopped = "killed"
        for modem in self._modems.values():
            if modem.timer is not None and modem.timer.active():
                modem.timer.cancel()
            modem.over = modem.visit = None


class _Call:
    """One call being made."""

    def __init__(
        self, pool: FakeModems, modem: _Modem, order: CallOrder, how: FakeCall, over: Callable[[CallEnd], None]
    ) -> None:
        self._pool = pool
        self._modem = modem
        self._order = order
        self._how = how
        self._over = over
        self._clock = pool._clock
        self._started = self._connected = self._clock.seconds()
        self._done = False
        self._forced: CallResult | None = None
        self._session: Session | None = None
        self._bytes = 0

    def begin(self) -> None:
        """Dials."""
        modem = self._modem
        modem.ready, modem.over, modem.used_at = False, self._hang_up, self._started
        modem.timer = self._clock.callLater(self._how.setup_s, self._answered)

    def _answered(self) -> None:
        how = self._how
        self._connected = self._clock.seconds()
        if how.meter is not None:
            self._talk(how.meter)
        elif how.result in (CallResult.OK, CallResult.SILENT, CallResult.REFUSED, CallResult.LOST):
            self._modem.timer = self._clock.callLater(how.online_s, self._end, how.result, "")
        else:
            self._end(how.result, "")

    def _talk(self, meter: Callable[[Callable[[bytes], None], Callable[[], None]], Line]) -> None:
        visits: list[_Heard] = []

        def hear(data: bytes) -> None:
            self._bytes += len(data)
            visits[0].received(data)

        line = meter(hear, lambda: visits[0].line_lost())
        errand = replace(self._order.errand, ended=self._session_ended, started=self._began)
        self._modem.visit = visit = Visit(line, self._pool._facilities, errand)
        visits.append(_Heard(visit))
        if self._how.lost_after_s is not None:
            self._modem.timer = self._clock.callLater(self._how.lost_after_s, visit.line_lost, "NO CARRIER")
        elif self._order.budget_s:
            left = max(1.0, self._order.budget_s - self._how.setup_s)
            self._modem.timer = self._clock.callLater(left, self._too_long, visit)
        visit.begin()

    def _session_ended(self, ending: Ending) -> None:
        results = {
            Outcome.SILENT: CallResult.SILENT,
            Outcome.GARBLED: CallResult.SILENT,
            Outcome.REFUSED: CallResult.REFUSED,
            Outcome.LINE_LOST: CallResult.LOST,
            Outcome.UNKNOWN_METER: CallResult.WRONG_NUMBER,
        }
        result = results.get(ending.outcome, CallResult.OK)
        if ending.outcome is Outcome.PARTIAL and ending.error is not None:
            result = CallResult.LOST
        self._end(self._forced or result, ending.detail, ending)

    def _too_long(self, visit: Visit) -> None:
        self._forced = CallResult.OVER_BUDGET
        visit.end("the call has lasted as long as a call may")

    def _hang_up(self, reason: str) -> None:
        self._forced = CallResult.INTERRUPTED
        if self._modem.visit is not None:
            self._modem.visit.end(reason)
        if not self._done:
            self._end(CallResult.INTERRUPTED, reason)

    def _end(self, result: CallResult, detail: str, ending: Ending | None = None) -> None:
        if self._done or self._pool.stopped == "killed":
            return
        self._done = True
        modem, how, now = self._modem, self._how, self._clock.seconds()
        if modem.timer is not None and modem.timer.active():
            modem.timer.cancel()
        if ending is None and self._connected > self._started and result is CallResult.OK:
            ending = Ending(how.outcome, "", self._order.errand.serial)
        modem.visit = modem.over = None
        online = self._connected > self._started and result not in OURS
        airtime = int((now - self._connected) * 1000) if online else 0
        end = CallEnd(result, detail or result.value, modem.name, how.cause, airtime, airtime, ending, result in OURS)
        ready = now + self._pool._cool_down
        self._note(end)
        self._pool.made.append(Made(self._order.number, modem.name, self._started, now, ready, end))
        modem.timer = self._clock.callLater(self._pool._cool_down, self._rested)
        self._over(end)

    def _note(self, end: CallEnd) -> None:
        """The call's record, as the real pool keeps it."""
        facilities, errand = self._pool._facilities, self._order.errand
        now_ms = facilities.now_ms()
        connected = self._connected > self._started and end.airtime_ms > 0
        record = CallRecord(
            0,
            errand.serial,
            self._modem.name,
            self._order.number,
            now_ms - int((self._clock.seconds() - self._started) * 1000),
            now_ms - end.airtime_ms if connected else None,
            now_ms,
            end.result,
            end.detail,
            end.cause,
            self._bytes,
            end.airtime_ms,
            self._order.attempt,
            self._session.key.id if self._session is not None else 0,
            errand.job,
            operator=self._modem.operator,
        )
        facilities.writer.call(lambda store: store.open_call(record), lambda _: None)

    def _began(self, session: Session) -> None:
        self._session = session
        self._order.errand.started(session)

    def _rested(self) -> None:
        self._modem.ready = not self._modem.why
