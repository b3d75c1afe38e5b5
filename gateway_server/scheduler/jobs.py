"""Works off orders from the store: finds the way to the meter, reads it, and tells how far it is."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, cast

from twisted.internet.interfaces import IDelayedCall

from gateway_server.codec.codec import Codec
from gateway_server.codec.dialogue import Progress
from gateway_server.errors import GatewayError, LineLost, OperatorError, UnknownMeter
from gateway_server.model import CallResult, KnownMeter, MeterState, Outcome
from gateway_server.scheduler.books import Books, HeldJob
from gateway_server.scheduler.obligations import Fitted
from gateway_server.scheduler.policy import OUTCOMES, Policy, Then
from gateway_server.session.endings import Ending
from gateway_server.session.plan import Facilities
from gateway_server.session.presence import Presence
from gateway_server.session.session import Session
from gateway_server.store.jobs import WINDOW_ENDED
from gateway_server.store.records import JobRecord, JobState, MeterRecord, Origin
from gateway_server.store.store import Store
from gateway_server.transports.errand import Errand
from gateway_server.transports.routes import CallerRoute, CsdRoute, Route, parse_route

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 5.0
NOTHING_MISSING = "nothing is missing; the meter was not asked"
WAITS_FOR_CALL = "waits until the meter calls in"
WAITS_FOR_TURN = "waits: another session with this meter is running"


class Dispatcher(Protocol):
    """Opens a line for an errand over a route we can open by ourselves."""

    def send(self, route: Route, errand: Errand) -> None:
        """Reaches the meter and runs the errand; its ``ended`` is called in every case."""

    def can_open(self, route: Route) -> str:
        """Empty, or why this route cannot be opened by this gateway."""


class _Runs(Protocol):
    def run(self, errand: Errand) -> None: ...


class Orders(Protocol):
    """Knows what a job of the plan asks for, and what came of it."""

    def fit(self, store: Store, job: JobRecord, meter: MeterRecord, now_ms: int) -> Fitted:
        """The order of a job as it is to be carried out now."""

    def settle(self, store: Store, job: JobRecord, asked: Fitted, outcome: Outcome, now_ms: int) -> int:
        """Notes what a session could not bring; gives how much is still missing."""


class _Running(HeldJob):
    """One job that is ours."""

    __slots__ = ("detail", "fitted", "known", "record", "routes")

    def __init__(self, job: JobRecord) -> None:
        super().__init__(job)
        self.record: MeterRecord | None = None
        self.known: KnownMeter | None = None
        self.fitted: Fitted | None = None
        self.routes: deque[Route] = deque()
        self.detail = ""


class Jobs:
    """Takes orders as long as there are hands for them; one live session per meter."""

    def __init__(
        self,
        facilities: Facilities,
        presence: Presence,
        dispatcher: Dispatcher,
        codecs_of: Callable[[MeterRecord], tuple[Codec, ...]],
        orders: Orders,
        policy: Policy,
        parallel: int = 50,
        lease_seconds: float = 60.0,
        needs_modem: Callable[[], None] | None = None,
    ) -> None:
        self._facilities = facilities
        self._presence = presence
        self._dispatcher = dispatcher
        self._codecs_of = codecs_of
        self._parallel = parallel
        self._orders = orders
        self._policy = policy
        self._needs_modem = needs_modem
        self._books = Books(facilities, lease_seconds, self._cancelled)
        self._running: dict[int, _Running] = {}
        self._waiting: dict[str, list[_Running]] = {}
        self._busy: dict[str, deque[_Running]] = {}
        self._timer: IDelayedCall | None = None
        self._asked = False
        self._stopped = False

    def start(self) -> None:
        """Looks for work, and from now on again and again."""
        self._stopped = False
        self._tick()

    def stop(self) -> None:
        """Takes no more orders; those that wait for a call or for their turn are given back to the queue."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for waiting in (*self._waiting.values(), *self._busy.values()):
            while waiting:
                self._give_back(waiting.pop())
        self._waiting.clear()

    def look(self) -> None:
        """There may be work now."""
        if self._asked or self._stopped or self._hands_full():
            return
        self._asked = True
        at_ms, lease_ms = self._facilities.now_ms(), self._books.lease_ms
        self._facilities.writer.call(lambda store: store.take_job(at_ms, lease_ms), self._taken)

    def came(self, serial: str) -> None:
        """A meter is on a line now: what waited for it begins."""
        for running in self._waiting.pop(serial, ()):
            running.job = replace(running.job, waits=False)
            self._facilities.clock.callLater(0, self._enter, running)

    # taking

    def _hands_full(self) -> bool:
        waiting = sum(map(len, self._waiting.values()))
        return len(self._running) - waiting >= self._parallel

    def _tick(self) -> None:
        self._timer = self._facilities.clock.callLater(_LOOK_SECONDS, self._tick)
        now_ms = self._facilities.now_ms()
        for running in [one for waiting in self._waiting.values() for one in waiting]:
            if running.job.window_end_ms is not None and running.job.window_end_ms <= now_ms:
                self._waiting[running.job.serial].remove(running)
                said = f"{WINDOW_ENDED}; it did not call in"
                self._over(running, Ending(Outcome.LINE_LOST, said, running.job.serial), entered=False)
        for running in tuple(self._running.values()):
            self._books.renew(running)
        self.look()

    def _taken(self, job: JobRecord | GatewayError | None) -> None:
        self._asked = False
        if job is None or isinstance(job, GatewayError):
            return
        if job.id not in self._running:
            self._running[job.id] = running = _Running(job)
            self._prepare(running)
        self.look()

    def _prepare(self, running: _Running, *, entered: bool = False) -> None:
        """What it asks for, as of now. ``entered``: its turn has come, and the job before it may have brought that."""
        serial, job, now_ms = running.job.serial, running.job, self._facilities.now_ms()

        def work(store: Store) -> tuple[MeterRecord, KnownMeter, Fitted]:
            record = store.meter(serial)
            if record is None:
                raise UnknownMeter(f"meter {serial} is not in the register; `gateway-server meter add {serial}`")
            try:
                fitted = self._orders.fit(store, job, record, now_ms)
            except (ValueError, KeyError) as wrong:
                raise OperatorError(f"the order cannot be carried out: {wrong}") from None
            return record, store.known_meter(serial), fitted

        def found(result: tuple[MeterRecord, KnownMeter, Fitted] | GatewayError) -> None:
            if isinstance(result, GatewayError):
                outcome = Outcome.UNKNOWN_METER if isinstance(result, UnknownMeter) else Outcome.GATEWAY_FAULT
                self._over(running, Ending(outcome, str(result), serial), entered=entered)
                return
            running.record, running.known, running.fitted = result
            if running.fitted.nothing:
                self._over(running, Ending(Outcome.READ, NOTHING_MISSING, serial), entered=entered)
            elif entered:
                self._go(running)
            else:
                try:
                    self._plan(running)
                except OperatorError as wrong:
                    self._over(running, Ending(Outcome.GATEWAY_FAULT, str(wrong), serial), entered=False)

        self._facilities.writer.call(work, found)

    def _plan(self, running: _Running) -> None:
        record = running.record
        assert record is not None
        if record.state is MeterState.DISABLED:
            raise OperatorError(f"meter {record.serial} is switched off in the register")
        texts = (running.job.route,) if running.job.route else record.routes
        running.routes = deque(parse_route(text) for text in texts)
        if not texts and self._presence.line_to(record.serial) is None:
            raise OperatorError(
                f"meter {record.serial} has no route; give it one (`gateway-server meter add {record.serial}"
                " --route tcp:HOST:PORT`) or name one with --via"
            )
        self._enter(running)

    def _enter(self, running: _Running) -> None:
        """One at a time for each meter."""
        serial = running.job.serial
        if self._stopped:
            self._give_back(running)
        elif serial in self._busy:
            self._tell(running, Progress(WAITS_FOR_TURN), at_once=True)
            self._busy[serial].append(running)
        else:
            self._busy[serial] = deque()
            self._go(running)

    # reaching

    def _go(self, running: _Running) -> None:
        """The next way to the meter."""
        record, known = running.record, running.known
        assert record is not None
        assert known is not None
        assert running.fitted is not None
        try:
            codecs = self._codecs_of(record)
        except OperatorError as wrong:
            self._over(
                running, Ending(Outcome.GATEWAY_FAULT, f"the order cannot be carried out: {wrong}", record.serial)
            )
            return
        errand = Errand(
            codecs,
            record,
            known,
            running.fitted.order,
            running.job.id,
            started=lambda session: self._started(running, session),
            progress=lambda progress: self._tell(running, progress),
            ended=lambda ending: self._ended(running, ending),
        )
        line = self._presence.line_to(record.serial)
        if line is not None and may_use_its_line(running.job):
            cast(_Runs, line).run(errand)
            return
        why = []
        calls_in = False
        while running.routes:
            route = running.routes.popleft()
            if isinstance(route, CsdRoute) and (
                self._needs_modem is not None
                or running.job.origin is Origin.SCHEDULE  # another gateway may have modems
            ):
                self._to_modem(running)
                return
            calls_in = calls_in or isinstance(route, CallerRoute)
            if hindrance := self._dispatcher.can_open(route):
                why.append(hindrance)
                continue
            self._tell(running, Progress(f"reaching {_shown(route)}"))
            self._dispatcher.send(route, errand)
            return
        if calls_in:
            running.routes.append(CallerRoute(""))
            self._waiting.setdefault(record.serial, []).append(running)
            running.job = replace(running.job, waits=True)
            self._tell(running, Progress(WAITS_FOR_CALL), at_once=True)
            self._next_of(running.job.serial)
            self.look()
            return
        self._over(running, Ending(Outcome.LINE_LOST, running.detail or "; ".join(why), record.serial))

    def _started(self, running: _Running, session: Session) -> None:
        running.session = session
        if running.fitted is not None and running.fitted.seconds:
            self._facilities.clock.callLater(running.fitted.seconds, self._too_long, session)
        self._tell(running, Progress("session begun"), at_once=True)

    def _too_long(self, session: Session) -> None:
        if not session.over:
            session.finish(LineLost("the time for what was overdue is used up; the next time goes on"))

    def _ended(self, running: _Running, ending: Ending) -> None:
        no_session = running.session is None
        if no_session and running.routes and not self._stopped:
            # This way did not lead there; the register may know another.
            running.detail = ending.detail
            self._go(running)
            return
        self._over(running, ending)

    # telling

    def _tell(self, running: _Running, progress: Progress, *, at_once: bool = False) -> None:
        self._books.tell(running, progress, at_once=at_once)

    def _give_back(self, running: _Running) -> None:
        """Somebody else, or we later, may have it."""
        self._running.pop(running.job.id, None)
        self._books.close(running, replace(running.job, state=JobState.QUEUED, lease_until_ms=None, waits=False))

    def _to_modem(self, running: _Running) -> None:
        """The next way is a phone call: the job waits for a modem, together with what the night wants."""
        self._running.pop(running.job.id, None)
        waiting = replace(running.job, state=JobState.QUEUED, lease_until_ms=None, by_modem=True)
        self._books.close(running, replace(waiting, progress="waits for a modem"))
        self._next_of(running.job.serial)
        if self._needs_modem is not None:
            self._needs_modem()
        self.look()

    # the end

    def _cancelled(self, held: HeldJob, why: str) -> None:
        running = self._running.get(held.job.id)
        if running is None:
            return
        for waiting in (*self._waiting.values(), *self._busy.values()):
            if running in waiting:
                waiting.remove(running)
                self._running.pop(running.job.id, None)
                return
        if running.session is not None and not running.session.over:
            running.session.finish(LineLost(why))

    def _over(self, running: _Running, ending: Ending, *, entered: bool = True) -> None:
        self._running.pop(running.job.id, None)
        job = replace(running.job, outcome=ending.outcome, detail=ending.detail, lease_until_ms=None, waits=False)
        now_ms = self._facilities.now_ms()

        def settle(store: Store, done: JobRecord) -> JobRecord:
            left = 0
            if running.fitted is not None and running.session is not None:
                left = self._orders.settle(store, done, running.fitted, ending.outcome, now_ms)
            if done.origin is Origin.SCHEDULE and ending.outcome is Outcome.REFUSED:
                store.stop_plan(done.serial, CallResult.REFUSED, ending.detail, now_ms)
                logger.error(
                    "meter %s refused and is not read by plan until somebody acts: %s", done.serial, ending.detail
                )
            return self._settled(done, ending, left, now_ms)

        self._books.close(running, job, settle)
        if entered:
            self._next_of(running.job.serial)
        self.look()

    def _settled(self, job: JobRecord, ending: Ending, left: int, now_ms: int) -> JobRecord:
        """How a job stands after its session: over, or to be tried again within its window."""
        if self._stopped and ending.outcome in (Outcome.LINE_LOST, Outcome.PARTIAL):
            return replace(job, state=JobState.QUEUED)
        done = ending.outcome in (Outcome.READ, Outcome.PARTIAL)
        if job.origin is Origin.SCHEDULE and (left or not done):
            result = OUTCOMES[ending.outcome]
            verdict = self._policy.judge(
                result, job.attempts, job.tries, job.most_attempts, progressed=ending.stored > 0
            )
            job = replace(job, attempts=verdict.attempts, tries=verdict.tries)
            again_ms = now_ms + int(verdict.gap_s * 1000)
            if verdict.then is Then.AGAIN and (job.window_end_ms is None or again_ms < job.window_end_ms):
                return replace(job, state=JobState.QUEUED, next_ms=again_ms)
        return replace(job, state=JobState.DONE if done else JobState.FAILED)

    def _turn(self, running: _Running) -> None:
        if running.job.origin is Origin.PERSON:
            self._go(running)
        else:
            self._prepare(running, entered=True)

    def _next_of(self, serial: str) -> None:
        waiting = self._busy.get(serial)
        if waiting:
            self._facilities.clock.callLater(0, self._turn, waiting.popleft())
        else:
            self._busy.pop(serial, None)


def may_use_its_line(job: JobRecord) -> bool:
    """Whether the meter's own line will do: not for a person who named another way."""
    return not job.route or job.route.startswith("caller:") or job.origin is not Origin.PERSON


def _shown(route: Route) -> str:
    match parse_kind(route):
        case "csd":
            return "the modem's number"  # a phone number is nobody's business who watches a log
        case kind:
            return f"{kind}:" + ":".join(str(getattr(route, name)) for name in route.__slots__)


def parse_kind(route: Route) -> str:
    """The word before the colon."""
    return type(route).__name__.removesuffix("Route").lower()
