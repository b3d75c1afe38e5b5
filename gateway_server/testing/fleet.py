"""A fleet of simulated meters calling in, bounded in number, rate and time, which counts what the gateway did.

``rows_acknowledged`` counts rows in blocks that the gateway answered with ACK: whatever befalls it, they must be in
its store. ``--acknowledged FILE`` writes them, one JSON line per meter, for a check after a kill.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorCore, IReactorTCP, IReactorTime
from twisted.internet.task import LoopingCall

from gateway_server.errors import OperatorError
from gateway_server.testing.declared import DeclaredKind, DeclaredMeter, check_no_quirks
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.layouts import MODELS
from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.meter_lines import Caller, CallerOptions, MeterClock, meter_clock
from gateway_server.testing.simulate import Say, host_and_port, unescaped


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """What `simulate fleet` was told. ``rate`` is first calls a second; ``{id}`` in ``registration`` is the caller's
    15-digit identifier, ``{serial}`` its meter's serial number. ``until_read`` ends it once every meter was read, or
    has pushed all that it had. With ``profile`` all of them speak that meter profile."""

    call: str = "127.0.0.1:4001"
    meters: int = 100
    rate: float = 50.0
    seconds: float = 60.0
    models: tuple[str, ...] = MODELS
    profile: Path | None = None
    first_serial: int = 50000001
    seed: int = 0
    days: int = 2
    quirks: Quirks = field(default_factory=Quirks)
    registration: str = "{id}\\r\\n"
    heartbeat: str = ""
    heartbeat_s: float = 30.0
    reconnect_s: float = 5.0
    patience_s: float = 5.0
    until_read: bool = True
    acknowledged: Path | None = None


@dataclass(frozen=True, slots=True)
class FleetStatistics:
    """Where the fleet stands."""

    meters: int
    called: int
    connected: int
    failed: int
    ended: int
    read: int
    rows_acknowledged: int

    def line(self) -> str:
        """The statistics in one line of words."""
        return (
            f"called {self.called}/{self.meters}, connected {self.connected}, failed {self.failed}, "
            f"ended {self.ended}, read {self.read}, rows acknowledged {self.rows_acknowledged}"
        )


def caller_id(number: int) -> str:
    """The identifier of the fleet's caller ``number``: 15 digits, as an IMEI has."""
    return f"35{number:013d}"


class Fleet:
    """The running fleet. ``done`` is called once, when it has ended by itself."""

    def __init__(self, reactor: IReactorTCP, options: FleetOptions, done: Callable[[], None] | None = None) -> None:
        if options.meters < 1 or options.rate <= 0:
            raise OperatorError("a fleet needs at least one meter and a rate above 0")
        for model in options.models:
            if model not in MODELS:
                raise OperatorError(f"there is no simulated model {model!r}; choose from: {', '.join(MODELS)}")
        self._host, self._port = host_and_port(options.call)
        self._reactor = reactor
        self._clock = IReactorTime(reactor)
        self._time: MeterClock = meter_clock(self._clock)
        self._options = options
        self._done = done
        self._started = self._clock.seconds()
        self._next: IDelayedCall | None = None
        self._end: IDelayedCall | None = None
        if options.profile is not None:
            check_no_quirks(options.quirks)
        self._kind = DeclaredKind(options.profile) if options.profile is not None else None
        self.meters: list[FakeMeter | DeclaredMeter] = []
        self._callers: list[Caller] = []

    def start(self) -> None:
        """The first meter calls now."""
        self._end = self._clock.callLater(self._options.seconds, self._over)
        self._call_next()

    def stop(self) -> None:
        """Everybody hangs up; what was acknowledged is written."""
        for waiting in (self._next, self._end):
            if waiting is not None and waiting.active():
                waiting.cancel()
        self._next = self._end = None
        for caller in self._callers:
            caller.stop()
        if self._options.acknowledged is not None:
            self._options.acknowledged.write_text("".join(f"{line}\n" for line in self.acknowledged()), "utf-8")

    def acknowledged(self) -> list[str]:
        """What the gateway acknowledged, one JSON document per meter."""
        return [
            json.dumps({"serial": meter.serial, "model": meter.kind, "rows": sorted(meter.acknowledged)})
            for meter in self.meters
        ]

    def statistics(self) -> FleetStatistics:
        """Where the fleet stands now."""
        counts = [caller.counts for caller in self._callers]
        return FleetStatistics(
            meters=self._options.meters,
            called=len(self._callers),
            connected=sum(count.connected for count in counts),
            failed=sum(count.failed for count in counts),
            ended=sum(count.ended for count in counts),
            read=sum(meter.sign_offs > 0 for meter in self.meters),
            rows_acknowledged=sum(len(meter.acknowledged) for meter in self.meters),
        )

    def _call_next(self) -> None:
        self._next = None
        options = self._options
        elapsed = self._clock.seconds() - self._started
        due = min(options.meters, int(elapsed * options.rate) + 1)
        while len(self._callers) < due:
            self._add(len(self._callers))
        if len(self._callers) < options.meters:
            self._next = self._clock.callLater(max(0.001, 1 / options.rate), self._call_next)
        else:
            self._next = self._clock.callLater(0.2, self._look)

    def _look(self) -> None:
        self._next = None
        if self._options.until_read and all(meter.sign_offs for meter in self.meters):
            self._over()
        else:
            self._next = self._clock.callLater(0.2, self._look)

    def _over(self) -> None:
        self.stop()
        if self._done is not None:
            done, self._done = self._done, None
            done()

    def _add(self, number: int) -> None:
        options = self._options
        serial = str(options.first_serial + number)
        meter = self._meter(number, serial)
        registration = options.registration.replace("{id}", caller_id(number + 1)).replace("{serial}", serial)
        caller = Caller(
            self._reactor,
            meter,
            self._time,
            CallerOptions(
                self._host,
                self._port,
                unescaped(registration),
                unescaped(options.heartbeat),
                options.heartbeat_s,
                options.reconnect_s,
            ),
        )
        self.meters.append(meter)
        self._callers.append(caller)
        caller.start()

    def _meter(self, number: int, serial: str) -> FakeMeter | DeclaredMeter:
        options, now = self._options, self._time.now()
        seed = options.seed + number
        if self._kind is not None:
            patience_s = options.patience_s
            return self._kind.meter(serial, seed, now, days=options.days, calls=True, patience_s=patience_s)
        model = options.models[number % len(options.models)]
        return FakeMeter(model, serial, seed, options.quirks, now, days=options.days)


def simulate_fleet(reactor: IReactorTCP, options: FleetOptions, say: Say = print) -> Deferred[FleetStatistics]:
    """Runs a fleet until it has ended by itself or the reactor stops; says where it stands every five seconds."""
    over: Deferred[FleetStatistics] = Deferred()

    def end() -> None:
        if not over.called:
            report.stop()
            fleet.stop()
            say(fleet.statistics().line())
            over.callback(fleet.statistics())

    fleet = Fleet(reactor, options, end)
    report = LoopingCall(lambda: say(fleet.statistics().line()))
    report.clock = IReactorTime(reactor)
    IReactorCore(reactor).addSystemEventTrigger("before", "shutdown", end)
    fleet.start()
    report.start(5, now=False)
    return over
