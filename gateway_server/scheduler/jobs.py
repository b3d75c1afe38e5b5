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
from gateway_server.model import KnownMeter, MeterState, Outcome, ReadOrder
from gateway_server.session.endings import Ending
from gateway_server.session.plan import Facilities
from gateway_server.session.presence import Presence
from gateway_server.session.session import Session
from gateway_server.store.records import JobRecord, JobState, MeterRecord
from gateway_server.store.store import Store
from gateway_server.transports.errand import Errand
from gateway_server.transports.routes import CallerRoute, Route, parse_route

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 5.0
_TELL_SECONDS = 0.5
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


class _Running:
    """One job that is ours."""

    __slots__ = ("detail", "job", "known", "record", "routes", "session", "told_at")

    def __init__(self, job: JobRecord) -> None:
        self.job = job
        self.record: MeterRecord | None = None
        self.known: KnownMeter | None = None
        self.routes: deque[Route] = deque()
        self.session: Session | None = None
        self.told_at = float("-inf")
        self.detail = ""


class Jobs:
    """Takes orders as long as there are hands for them; one live session per meter."""

    def __init__(
        self,
        facilities: Facilities,
        presence: Presence,
        dispatcher: Dispatcher,
        codecs_of: Callable[[MeterRecord], tuple[Codec, ...]],
        parallel: int = 50,
        lease_seconds: float = 60.0,
    ) -> None:
        self._facilities = facilities
        self._presence = presence
        self._dispatcher = dispatcher
        self._codecs_of = codecs_of
        self._parallel = parallel
        self._lease_ms = int(lease_seconds * 1000)
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

    def _give_back(self, running: _Running) -> None:
        self._write(running, state=JobState.QUEUED, lease_until_ms=None)
        self._running.pop(running.job.id, None)

    def look(self) -> None:
        """There may be work now."""
        if self._asked or self._stopped or self._hands_full():
            return
        self._asked = True
        at_ms, lease_ms = self._facilities.now_ms(), self._lease_ms
        self._facilities.writer.call(lambda store: store.take_job(at_ms, lease_ms), self._taken)

    def came(self, serial: str) -> None:
        """A meter is on a line now: what waited for it begins."""
        for running in self._waiting.pop(serial, ()):
            self._facilities.clock.callLater(0, self._enter, running)

    # taking

    def _hands_full(self) -> bool:
        waiting = sum(map(len, self._waiting.values()))
        return len(self._running) - waiting >= self._parallel

    def _tick(self) -> None:
        self._timer = self._facilities.clock.callLater(_LOOK_SECONDS, self._tick)
        for running in tuple(self._running.values()):
            self._renew(running)
        self.look()

    def _taken(self, job: JobRecord | GatewayError | None) -> None:
        self._asked = False
        if job is None or isinstance(job, GatewayError):
            return
        if job.id not in self._running:
            self._running[job.id] = running = _Running(job)
            self._prepare(running)
        self.look()

    def _prepare(self, running: _Running) -> None:
        serial = running.job.serial

        def work(store: Store) -> tuple[MeterRecord, KnownMeter]:
            record = store.meter(serial)
            if record is None:
                raise UnknownMeter(f"meter {serial} is not in the register; `gateway-server meter add {serial}`")
            return record, store.known_meter(serial)

        def found(result: tuple[MeterRecord, KnownMeter] | GatewayError) -> None:
            if isinstance(result, GatewayError):
                self._over(running, Ending(Outcome.UNKNOWN_METER, str(result), serial), entered=False)
                return
            running.record, running.known = result
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
        try:
            codecs = self._codecs_of(record)
            order = ReadOrder.from_json(running.job.order)
        except (OperatorError, ValueError, KeyError) as wrong:
            self._over(
                running, Ending(Outcome.GATEWAY_FAULT, f"the order cannot be carried out: {wrong}", record.serial)
            )
            return
        errand = Errand(
            codecs,
            record,
            known,
            order,
            running.job.id,
            started=lambda session: self._started(running, session),
            progress=lambda progress: self._tell(running, progress),
            ended=lambda ending: self._ended(running, ending),
        )
        line = self._presence.line_to(record.serial)
        if line is not None and (not running.job.route or running.job.route.startswith("caller:")):
            cast(_Runs, line).run(errand)
            return
        why = []
        calls_in = False
        while running.routes:
            route = running.routes.popleft()
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
            self._tell(running, Progress(WAITS_FOR_CALL), at_once=True)
            self._next_of(running.job.serial)
            self.look()
            return
        self._over(running, Ending(Outcome.LINE_LOST, running.detail or "; ".join(why), record.serial))

    def _started(self, running: _Running, session: Session) -> None:
        running.session = session
        self._tell(running, Progress("session begun"), at_once=True)

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
        running.job = replace(
            running.job, progress=progress.text, progress_done=progress.done, progress_total=progress.total
        )
        now = self._facilities.clock.seconds()
        if at_once or now - running.told_at >= _TELL_SECONDS:
            running.told_at = now
            self._renew(running)

    def _renew(self, running: _Running) -> None:
        """Writes how far a job is, keeps it ours, and hears whether somebody cancelled it."""
        job = self._current(running)
        key = running.session.key if running.session is not None else None

        def work(store: Store) -> bool:
            store.update_job(replace(job, session=key.id if key is not None else job.session))
            stored = store.job(job.id)
            return stored is not None and stored.state is JobState.CANCELLED

        def heard(cancelled: bool | GatewayError) -> None:
            if cancelled is True and running.job.id in self._running:
                self._cancel(running)

        self._facilities.writer.call(work, heard)

    def _current(self, running: _Running) -> JobRecord:
        return replace(running.job, state=JobState.RUNNING, lease_until_ms=self._facilities.now_ms() + self._lease_ms)

    def _write(self, running: _Running, **changes: object) -> None:
        job = replace(running.job, **changes)  # type: ignore[arg-type]  # fields of the record
        key = running.session.key if running.session is not None else None

        def work(store: Store) -> None:
            store.update_job(replace(job, session=key.id if key is not None else job.session))

        def heard(failed: GatewayError | None) -> None:
            if failed is not None:
                logger.warning("how order %d went could not be stored: %s", job.id, failed)

        self._facilities.writer.call(work, heard)

    # the end

    def _cancel(self, running: _Running) -> None:
        for waiting in (*self._waiting.values(), *self._busy.values()):
            if running in waiting:
                waiting.remove(running)
                self._running.pop(running.job.id, None)
                return
        if running.session is not None and not running.session.over:
            running.session.finish(LineLost("the order was cancelled"))

    def _over(self, running: _Running, ending: Ending, *, entered: bool = True) -> None:
        self._running.pop(running.job.id, None)
        done = ending.outcome in (Outcome.READ, Outcome.PARTIAL)
        interrupted = self._stopped and ending.outcome in (Outcome.LINE_LOST, Outcome.PARTIAL)
        self._write(
            running,
            state=JobState.QUEUED if interrupted else JobState.DONE if done else JobState.FAILED,
            outcome=ending.outcome,
            detail=ending.detail,
            lease_until_ms=None,
        )
        if entered:
            self._next_of(running.job.serial)
        self.look()

    def _next_of(self, serial: str) -> None:
        waiting = self._busy.get(serial)
        if waiting:
            self._facilities.clock.callLater(0, self._go, waiting.popleft())
        else:
            self._busy.pop(serial, None)


def _shown(route: Route) -> str:
    match parse_kind(route):
        case "csd":
            return "the modem's number"  # a phone number is nobody's business who watches a log
        case kind:
            return f"{kind}:" + ":".join(str(getattr(route, name)) for name in route.__slots__)


def parse_kind(route: Route) -> str:
    """The word before the colon."""
    return type(route).__name__.removesuffix("Route").lower()
