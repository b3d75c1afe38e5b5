"""Simulated meters as an operator starts them: one on a line of his choice, or a fleet calling in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorCore, IReactorFDSet, IReactorTCP, IReactorTime

from gateway_server.errors import OperatorError
from gateway_server.testing.declared import DeclaredKind, DeclaredMeter, check_no_quirks
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.meter_lines import Caller, CallerOptions, listen, meter_clock, port_of
from gateway_server.testing.meter_profile.meter import ProfileMeter
from gateway_server.testing.meter_pty import MeterOnPty
from gateway_server.testing.telling_meter import TellingMeter

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class MeterOptions:
    """What `simulate meter` was told; exactly one of ``listen``, ``call`` and ``pty`` is set.

    ``seconds`` ends it by itself, 0 leaves it running. ``dump`` is where it writes what it holds, at start and end.
    ``baud`` is the only speed at which it is heard on a port, 0 means any.
    With ``profile`` it speaks that meter profile or register map instead of being a model of ours.
    """

    listen: str = ""
    call: str = ""
    pty: bool = False
    model: str = "ek270"
    profile: Path | None = None
    serial: str = "41203377"
    seed: int = 0
    days: int = 62
    quirks: Quirks = field(default_factory=Quirks)
    access_code: str | None = None
    registration: str = ""
    heartbeat: str = ""
    heartbeat_s: float = 30.0
    reconnect_s: float = 10.0
    bytes_per_second: float = 0.0
    baud: int = 0
    dump: Path | None = None
    seconds: float = 0.0


def host_and_port(text: str) -> tuple[str, int]:
    """``HOST:PORT`` taken apart. Raises `OperatorError`."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise OperatorError(f"{text!r} is no HOST:PORT")
    return host, int(port)


def unescaped(text: str) -> bytes:
    r"""Bytes as an operator writes them: ``\r``, ``\n``, ``\xNN`` and so on stand for themselves."""
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1")


class SimulatedMeter:
    """One running simulated meter. ``where`` says how it is reached."""

    def __init__(self, reactor: IReactorTCP, options: MeterOptions, say: Say = print) -> None:
        ways = [way for way in (options.listen, options.call, "pty" if options.pty else "") if way]
        if len(ways) != 1:
            raise OperatorError("a simulated meter needs exactly one of --listen, --call and --pty")
        if options.baud and not options.pty:
            raise OperatorError("--baud is the speed of a port: it goes with --pty")
        time = meter_clock(IReactorTime(reactor))
        self._dump_to = options.dump
        self.meter: FakeMeter | DeclaredMeter
        if options.profile is not None:
            check_no_quirks(options.quirks)
            self.meter = DeclaredKind(options.profile).meter(
                options.serial, options.seed, time.now(), days=options.days, calls=bool(options.call)
            )
        else:
            self.meter = FakeMeter(
                options.model,
                options.serial,
                options.seed,
                options.quirks,
                time.now(),
                days=options.days,
                access_code=options.access_code,
            )
        heard = (
            TellingMeter(self.meter, say) if isinstance(self.meter, ProfileMeter) and self.meter.pushes else self.meter
        )
        self._ends: list[Callable[[], object]] = []
        rate = options.bytes_per_second
        if options.listen:
            host, port = host_and_port(options.listen)
            try:
                listening = listen(reactor, heard, time, host, port, bytes_per_second=rate)
            except CannotListenError as error:
                raise OperatorError(f"cannot listen at {options.listen}: {error.socketError}") from None
            self._ends.append(listening.stopListening)
            self.where = f"tcp:{host}:{port_of(listening)}"
        elif options.call:
            host, port = host_and_port(options.call)
            caller = Caller(
                reactor,
                heard,
                time,
                CallerOptions(
                    host,
                    port,
                    unescaped(options.registration),
                    unescaped(options.heartbeat),
                    options.heartbeat_s,
                    options.reconnect_s,
                    rate,
                ),
            )
            caller.start()
            self._ends.append(caller.stop)
            self.where = f"calling {host}:{port}"
        else:
            terminal = MeterOnPty(IReactorFDSet(reactor), heard, time, bytes_per_second=rate, baud=options.baud)
            self._ends.append(terminal.stop)
            self.where = f"serial:{terminal.path}"
        self.dump()

    def dump(self) -> None:
        """Writes what the meter holds now, if that was ordered."""
        if self._dump_to is not None:
            try:
                self._dump_to.write_text(json.dumps(self.meter.holds(), ensure_ascii=False, indent=1), "utf-8")
            except OSError as error:
                raise OperatorError(f"cannot write {self._dump_to}: {error.strerror}") from None

    def stop(self) -> None:
        """Ends the line and writes what the meter holds."""
        while self._ends:
            self._ends.pop()()
        self.dump()


def simulate_meter(reactor: IReactorTCP, options: MeterOptions, say: Say = print) -> Deferred[None]:
    """Runs one simulated meter; fires when its time is over or the reactor stops.

    Says where it is, in one line; one that pushes what a profile says tells how it fares, too.
    """
    running = SimulatedMeter(reactor, options, say)
    say(f"{running.meter.kind} {options.serial} {running.where}")
    return _until_over(reactor, options.seconds, running.stop)


def _until_over(reactor: IReactorTCP, seconds: float, stop: Callable[[], None]) -> Deferred[None]:
    over: Deferred[None] = Deferred()

    def end() -> None:
        if not over.called:
            stop()
            over.callback(None)

    IReactorCore(reactor).addSystemEventTrigger("before", "shutdown", end)
    if seconds:
        IReactorTime(reactor).callLater(seconds, end)
    return over
