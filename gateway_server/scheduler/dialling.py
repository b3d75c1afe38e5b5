"""Calls meters by modem: whenever a modem is ready it makes the call that the plan puts first.

A job is taken from the store only when a modem can begin with it, and by a lease: a gateway that dies leaves nothing
but the calls it was making.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall

from gateway_server.codec.codec import Codec
from gateway_server.codec.dialogue import Progress
from gateway_server.errors import GatewayError, LineLost, OperatorError, UnknownMeter
from gateway_server.model import CallResult, KnownMeter, MeterState, Outcome
from gateway_server.scheduler.aftermath import Aftermath
from gateway_server.scheduler.board import Board
from gateway_server.scheduler.books import Books, HeldJob
from gateway_server.scheduler.jobs import NOTHING_MISSING, Orders, may_use_its_line
from gateway_server.scheduler.night import Candidate, Limits, Modem
from gateway_server.scheduler.obligations import Fitted
from gateway_server.scheduler.patience import Patience, hindrance
from gateway_server.scheduler.policy import Policy
from gateway_server.scheduler.waiting import CALLED, Rules, Seen, Waiting, route_of, see
from gateway_server.session.plan import Facilities
from gateway_server.session.presence import Presence
from gateway_server.session.session import Session
from gateway_server.store.records import JobRecord, JobState, MeterRecord
from gateway_server.store.store import Store
from gateway_server.transports.calls import CallEnd, CallOrder, Modems, ModemView
from gateway_server.transports.errand import Errand

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 30.0
_RENEW_SECONDS = 10.0
_TELL_SECONDS = 5.0
_READY_SECONDS = 0.5
_ESTIMATES = 10
_ASIDE_SECONDS = 5.0  # a job that is not to be had: somebody else is at its meter
_STORE_SECONDS = (2.0, 60.0)  # a store that fails is asked again after the first, at last after the second


@dataclass(frozen=True, slots=True)
class _Taken:
    """A job that is ours now, and what its call needs."""

    job: JobRecord
    meter: MeterRecord
    known: KnownMeter
    asked: Fitted


class _Call(HeldJob):
    """A call that is being made."""

    __slots__ = ("asked", "candidate", "modem")

    def __init__(self, taken: _Taken, candidate: Candidate) -> None:
        super().__init__(taken.job)
        self.asked = taken.asked
        self.candidate = candidate
        self.modem = ""


class _Gives(Protocol):
    def look(self) -> None: ...


class Dialling:
    """Joins the plan, the modems and the store's jobs."""

    def __init__(
        self,
        facilities: Facilities,
        modems: Modems,
        presence: Presence,
        codecs_of: Callable[[MeterRecord], tuple[Codec, ...]],
        orders: Orders,
        policy: Policy,
        limits: Limits,
        rules: Rules,
        lease_seconds: float = 60.0,
        lines: _Gives | None = None,
        patience_s: float = 300.0,
    ) -> None:
        self._facilities = facilities
        self._modems = modems
        self._presence = presence
        self._codecs_of = codecs_of
        self._orders = orders
        self._aftermath = Aftermath(orders, policy)
        self._lines = lines
        self._books = Books(facilities, lease_seconds, self._cancelled)
        self._renew_seconds = min(_RENEW_SECONDS, lease_seconds / 3)
        self._board = Board(limits)
        self._waiting = Waiting(rules)
        self._patience = Patience(facilities, patience_s, self.look)
        self._taking: dict[str, int] = {}  # by modem: the job
        self._calls: dict[str, _Call] = {}  # by modem
        self._aside: dict[int, float] = {}  # by job: until when
        self._refusals = 0  # by the store, in a row
        self._store_again = 0.0
        self._last_used: dict[str, float] = {}
        self._timers: dict[str, IDelayedCall] = {}
        self._looking = False
        self._look_again = False
        self._running = False

    def start(self) -> None:
        """Looks who is to be called, and from now on again and again."""
        self._running = True
        self._later("look", _LOOK_SECONDS, self._tick)
        self._later("renew", self._renew_seconds, self._renew)
        self.look()

    def stop(self) -> None:
        """Begins no more calls, and hangs up where one is being made: its job goes back to the queue."""
        self._running = False
        for timer in self._timers.values():
            if timer.active():
                timer.cancel()
        self._timers.clear()
        self._modems.end_all("the gateway stops")

    def look(self) -> None:
        """There may be somebody to call."""
        if not self._running:
            return
        if self._looking:
            self._look_again = True
            return
        self._looking = True
        now_ms, known = self._facilities.now_ms(), self._waiting.estimated
        fit = self._orders.fit
        self._facilities.writer.call(lambda store: see(store, fit, known, now_ms, _ESTIMATES), self._looked)

    def ready(self) -> None:
        """A modem can make a call."""
        self._later("dial", 0.0, self._dial)

    # who is to be called

    def _looked(self, seen: Seen | GatewayError) -> None:
        self._looking = False
        if isinstance(seen, GatewayError):
            logger.warning("the store does not say who is to be called: %s", seen)
            return
        for job in seen.ended:
            logger.warning("meter %s was not read in its window: %s", job.serial, job.detail)
        ours = {*self._taking.values(), *(call.job.id for call in self._calls.values())}
        now = self._facilities.clock.seconds()
        self._aside = {job: until for job, until in self._aside.items() if until > now}
        self._waiting.update(seen, self._facilities.now_ms(), without=ours | self._aside.keys())
        again, self._look_again = self._look_again, False
        if again or self._waiting.unsure:
            self._later("estimate", 0.0, self.look)
        self._dial()
        self._tell()

    def _dial(self) -> None:
        """Gives every modem that is ready the job that the plan puts first for it."""
        if not self._running:
            return
        now, now_ms = self._facilities.clock.seconds(), self._facilities.now_ms()
        if now < self._store_again:
            self._later("dial", self._store_again - now, self._dial)
            return
        views = self._modems.views()
        self._board.modems = tuple(view.name for view in views if view.ready or view.name in self._calls)
        idle = [view for view in views if view.ready and view.name not in self._taking and view.name not in self._calls]
        for view in sorted(idle, key=lambda one: self._last_used.get(one.name, 0.0)):
            chosen = self._waiting.queue.take(self._board, self._as_modem(view), now_ms)
            if chosen is not None:
                self._take(chosen, view)
        if len(self._waiting.queue):
            self._wait(now_ms, views)

    def _tell(self) -> None:
        """Says to persons why nobody makes their calls."""
        now_ms, views = self._facilities.now_ms(), self._modems.views()
        calling = self._taking.keys() | self._calls.keys()
        waiting = self._waiting.persons
        self._patience.look(
            (one.job, hindrance(one, views, self._board, self._as_modem, calling, now_ms)) for one in waiting
        )
        if waiting:
            self._later("tell", _TELL_SECONDS, self._tell)

    def _wait(self, now_ms: int, views: tuple[ModemView, ...]) -> None:
        """Looks again when a modem has cooled down, or a job may be called that may not be called now."""
        if any(not view.ready and not view.why and view.name not in self._calls for view in views):
            self._later("ready", _READY_SECONDS, self._dial)
        busy = self._taking.keys() | self._calls.keys()
        ready = [self._as_modem(view) for view in views if view.ready and view.name not in busy]
        change = self._waiting.queue.next_change(self._board, ready, now_ms) if ready else None
        if change is not None:
            self._later("change", max(0.001, (change - now_ms) / 1000), self._dial)

    def _as_modem(self, view: ModemView) -> Modem:
        return Modem(view.name, view.operator, used_s=self._waiting.used_by(view.name))

    # taking

    def _take(self, chosen: Candidate, view: ModemView) -> None:
        self._taking[view.name] = chosen.job
        now_ms, lease_ms = self._facilities.now_ms(), self._books.lease_ms
        self._board.begin(chosen, self._as_modem(view), now_ms)

        def work(store: Store) -> _Taken | None:
            job = store.take_call(chosen.job, now_ms, lease_ms)
            if job is None:
                return None
            try:
                meter = store.meter(job.serial)
                if meter is None or meter.state is not MeterState.ACTIVE:
                    raise UnknownMeter(f"meter {job.serial} is not in care any more")
                return _Taken(job, meter, store.known_meter(meter.serial), self._orders.fit(store, job, meter, now_ms))
            except (OperatorError, UnknownMeter, ValueError, KeyError) as wrong:
                said = f"the order cannot be carried out: {wrong}"
                store.update_job(
                    replace(job, state=JobState.FAILED, outcome=Outcome.GATEWAY_FAULT, detail=said, lease_until_ms=None)
                )
                return None

        self._facilities.writer.call(work, lambda taken: self._taken(taken, chosen, view))

    def _taken(self, taken: _Taken | GatewayError | None, chosen: Candidate, view: ModemView) -> None:
        self._taking.pop(view.name, None)
        if taken is None or isinstance(taken, GatewayError):
            self._board.undo(view.name)
            if taken is None:
                # Somebody else is at it, or at its meter; whoever waits behind it goes first.
                self._aside[chosen.job] = self._facilities.clock.seconds() + _ASIDE_SECONDS
                self._later("aside", _ASIDE_SECONDS, self.look)
                self._later("dial", 0.0, self._dial)
            else:
                self._refused(view.name, taken)
            return
        self._refusals = 0
        call = _Call(taken, chosen)
        if not self._running:
            self._back(call)
        elif taken.asked.nothing:
            self._close(call, replace(call.job, state=JobState.DONE, outcome=Outcome.READ, detail=NOTHING_MISSING))
        elif self._lines is not None and may_use_its_line(call.job) and self._presence.line_to(call.job.serial):
            # It is on a line of its own just now: that costs nothing.
            self._close(call, replace(call.job, state=JobState.QUEUED, by_modem=False))
            self._lines.look()
        else:
            self._call(call, taken, view)
            return
        self._unbegun(view.name)

    def _refused(self, modem: str, why: GatewayError) -> None:
        """The store gives no job away: it is left alone for a while, for longer each time."""
        now = self._facilities.clock.seconds()
        if now < self._store_again:
            return  # asked together with the one that was refused
        first, longest = _STORE_SECONDS
        gap = min(longest, first * 2**self._refusals)
        self._refusals += 1
        logger.warning("no job could be taken for modem %s, the next try is in %.0f s: %s", modem, gap, why)
        self._store_again = now + gap
        self._later("store", gap, self.look)

    def _call(self, call: _Call, taken: _Taken, view: ModemView) -> None:
        job, meter = taken.job, taken.meter
        number, _, _ = route_of(job, meter).removeprefix(CALLED).partition("@")
        budget_s = self._board.budget(call.candidate, self._as_modem(view), self._facilities.now_ms())
        try:
            errand = Errand(
                self._codecs_of(meter),
                meter,
                taken.known,
                taken.asked.order,
                job.id,
                started=lambda session: self._started(call, session),
                progress=lambda progress: self._books.tell(call, progress),
            )
            order = CallOrder(
                number,
                errand,
                job.attempts + 1,
                view.name,
                call.candidate.operator,
                budget_s=max(1.0, min(budget_s, 86_400.0)),
            )
            self._books.tell(call, Progress(f"called by modem {view.name}"), at_once=True)
            self._calls[view.name] = call
            name = self._modems.call(order, lambda end: self._over(call, end))
        except OperatorError as wrong:
            self._calls.pop(view.name, None)
            self._unfit(call, view, str(wrong))
            return
        if name:
            call.modem = name
            self._last_used[name] = self._facilities.clock.seconds()
        else:
            self._calls.pop(view.name, None)
            self._back(call)
            self._unbegun(view.name)

    def _started(self, call: _Call, session: Session) -> None:
        call.session = session
        self._books.tell(call, Progress("session begun"), at_once=True)

    def _unfit(self, call: _Call, view: ModemView, why: str) -> None:
        """What stands in the register as a number is none, or the codec is not there."""
        now_ms, serial = self._facilities.now_ms(), call.job.serial
        logger.error("meter %s cannot be called: %s", serial, why)

        def settle(store: Store, job: JobRecord) -> JobRecord:
            store.stop_plan(serial, CallResult.WRONG_NUMBER, why, now_ms)
            return job

        done = replace(
            call.job, state=JobState.FAILED, outcome=Outcome.GATEWAY_FAULT, detail=why, lease_until_ms=None,
            result=CallResult.WRONG_NUMBER,
        )  # fmt: skip
        self._books.close(call, done, settle)
        self._unbegun(view.name)

    # how it went

    def _over(self, call: _Call, end: CallEnd) -> None:
        modem = end.modem or call.modem
        self._calls.pop(modem, None)
        job, now_ms = call.job, self._facilities.now_ms()
        self._waiting.spend(job.serial, modem, end.paid_ms / 1000)
        if not self._running:
            self._back(call, end)
            self._free(modem)
            return
        same = self._aftermath.came(job.id, end)

        def settle(store: Store, done: JobRecord) -> JobRecord:
            return self._aftermath.settle(store, done, end, call.asked, modem, same, now_ms)

        self._books.close(call, replace(job, lease_until_ms=None), settle, self._settled)
        self._free(modem)

    def _settled(self, job: JobRecord) -> None:
        """A job that is to be called again waits with the others; of one that is over nothing is to be remembered."""
        if job.state is JobState.QUEUED:
            if self._waiting.add(job, self._facilities.now_ms()):
                self._later("dial", 0.0, self._dial)
            else:
                self.look()
        else:
            self._aftermath.forget(job.id)

    def _back(self, call: _Call, end: CallEnd | None = None) -> None:
        """The job goes back to the queue; a call that we ended ourselves is no attempt of the meter's."""
        detail = end.detail if end is not None else call.job.detail
        result = end.result if end is not None else call.job.result
        job = replace(call.job, state=JobState.QUEUED, lease_until_ms=None, detail=detail, result=result)
        self._books.close(call, job, None, self._settled)

    def _close(self, call: _Call, job: JobRecord) -> None:
        self._books.close(call, replace(job, lease_until_ms=None))

    def _unbegun(self, modem: str) -> None:
        self._board.undo(modem)
        self._later("dial", 0.0, self._dial)

    def _free(self, modem: str) -> None:
        self._board.end(modem)
        self._later("dial", 0.0, self._dial)

    def _cancelled(self, held: HeldJob, why: str) -> None:
        if held.session is not None and not held.session.over:
            held.session.finish(LineLost(why))

    # time

    def _tick(self) -> None:
        self._later("look", _LOOK_SECONDS, self._tick)
        self.look()

    def _renew(self) -> None:
        self._later("renew", self._renew_seconds, self._renew)
        for call in tuple(self._calls.values()):
            self._books.renew(call)

    def _later(self, name: str, seconds: float, work: Callable[[], None]) -> None:
        """Does this then; sooner if it was to be done sooner anyway."""
        if not self._running:
            return
        timer = self._timers.get(name)
        clock = self._facilities.clock
        if timer is not None and timer.active():
            if timer.getTime() <= clock.seconds() + seconds:
                return
            timer.cancel()
        self._timers[name] = clock.callLater(seconds, work)
