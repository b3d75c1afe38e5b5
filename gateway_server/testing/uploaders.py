"""Simulated meters that upload: bounded in number and time, repeated when an attempt fails, counted when acknowledged.

``--acknowledged FILE`` writes one JSON line per file offered, with its SHA-256 and whether its 226 came: whatever
befalls the server, a file that got it must be there, byte for byte.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorCore, IReactorTCP, IReactorTime
from twisted.internet.task import LoopingCall

from gateway_server.errors import OperatorError
from gateway_server.testing.fake_files import FakeFiles
from gateway_server.testing.meter_lines import meter_clock
from gateway_server.testing.simulate import Say, host_and_port
from gateway_server.testing.upload_line import PATIENCE_S, UploadLine
from gateway_server.testing.upload_script import CUTS, Account, Manners, Stored, UploadFile, on_the_wire, upload


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """What `simulate upload` was told. ``{serial}`` in ``login`` is the meter's serial number; each of ``meters``
    stores ``files`` files, ``at_once`` meters at a time, a failed one again after ``retry_s``."""

    call: str = "127.0.0.1:2121"
    login: str = "{serial}"
    password: str = field(default="", repr=False)
    form: str = "rows"
    model: str = "ek270"
    meters: int = 1
    files: int = 1
    at_once: int = 20
    first_serial: int = 41203377
    seed: int = 0
    seconds: float = 60.0
    retry_s: float = 5.0
    patience_s: float = PATIENCE_S
    manners: Manners = field(default_factory=Manners)
    acknowledged: Path | None = None


@dataclass(slots=True)
class Offered:
    """One file of one meter, and what became of it. ``said`` is the server's last word."""

    login: str
    file: UploadFile
    attempts: int = 0
    acknowledged: bool = False
    said: str = ""


@dataclass(frozen=True, slots=True)
class UploadStatistics:
    """Where the uploaders stand."""

    files: int
    attempts: int
    acknowledged: int
    last_failure: str

    def line(self) -> str:
        """The statistics in one line of words."""
        said = f"{self.acknowledged}/{self.files} files acknowledged in {self.attempts} attempts"
        return f"{said}; last failure: {self.last_failure}" if self.last_failure else said


class Uploaders:
    """The running uploaders. ``done`` is called once, when everything is acknowledged or the time is over."""

    def __init__(self, reactor: IReactorTCP, options: UploadOptions, done: Callable[[], None] | None = None) -> None:
        if options.meters < 1 or options.files < 1 or options.at_once < 1:
            raise OperatorError("at least one meter, one file and one at once are needed")
        if options.manners.cut and options.manners.cut not in CUTS:
            raise OperatorError(f"an upload is not cut by {options.manners.cut!r}; choose from: {', '.join(CUTS)}")
        self._host, self._port = host_and_port(options.call)
        self._reactor = reactor
        self._clock = IReactorTime(reactor)
        self._options = options
        self._done = done
        self._end: IDelayedCall | None = None
        self._again: set[IDelayedCall] = set()
        self._live: set[UploadLine] = set()
        self._failure = ""
        now = meter_clock(self._clock).now()
        self.offered: list[Offered] = []
        self._waiting: deque[deque[Offered]] = deque()
        for number in range(options.meters):
            serial = str(options.first_serial + number)
            made = FakeFiles(
                options.form, serial, model=options.model, seed=options.seed + number, now=now, days=options.files
            )
            login = options.login.replace("{serial}", serial)
            ours = [Offered(login, made.file(day)) for day in range(options.files)]
            self.offered += ours
            self._waiting.append(deque(ours))

    def start(self) -> None:
        """The first ones connect now."""
        self._end = self._clock.callLater(self._options.seconds, self._over)
        for _ in range(min(self._options.at_once, len(self._waiting))):
            self._next()

    def stop(self) -> None:
        """Everybody hangs up; what was acknowledged is written."""
        for waiting in (self._end, *self._again):
            if waiting is not None and waiting.active():
                waiting.cancel()
        self._end = None
        self._again.clear()
        self._waiting.clear()
        for line in list(self._live):
            line.stop()
        if self._options.acknowledged is not None:
            self._options.acknowledged.write_text("".join(f"{line}\n" for line in self.acknowledged()), "utf-8")

    def acknowledged(self) -> list[str]:
        """Every file that was offered, one JSON document each."""
        return [
            json.dumps(
                {
                    "login": one.login,
                    "name": one.file.name,
                    "size": len(one.file.data),
                    "sha256": sha256(on_the_wire(one.file.data, self._options.manners)).hexdigest(),
                    "attempts": one.attempts,
                    "acknowledged": one.acknowledged,
                }
            )
            for one in self.offered
        ]

    def statistics(self) -> UploadStatistics:
        """Where the uploaders stand now."""
        return UploadStatistics(
            files=len(self.offered),
            attempts=sum(one.attempts for one in self.offered),
            acknowledged=sum(one.acknowledged for one in self.offered),
            last_failure=self._failure,
        )

    def _next(self) -> None:
        """The next meter in turn begins with its next file."""
        if self._waiting:
            self._attempt(self._waiting.popleft())
        elif not self._live and not self._again:
            self._over()

    def _attempt(self, files: deque[Offered]) -> None:
        offered, options = files[0], self._options

        def ended(stored: Stored) -> None:
            self._live.discard(line)
            offered.said = stored.said
            if self._end is None:
                return
            if stored.acknowledged:
                offered.acknowledged = True
                files.popleft()
                if files:
                    self._waiting.append(files)
                self._next()
            else:
                self._failure = stored.said
                self._later(files)

        account = Account(offered.login, options.password)
        script = upload(account, offered.file, options.manners, attempt=offered.attempts)
        offered.attempts += 1
        line = UploadLine(self._reactor, self._host, self._port, script, ended, patience_s=options.patience_s)
        self._live.add(line)
        line.start()

    def _later(self, files: deque[Offered]) -> None:
        def due() -> None:
            self._again.discard(call)
            self._attempt(files)

        call = self._clock.callLater(self._options.retry_s, due)
        self._again.add(call)

    def _over(self) -> None:
        self.stop()
        if self._done is not None:
            done, self._done = self._done, None
            done()


def simulate_upload(reactor: IReactorTCP, options: UploadOptions, say: Say = print) -> Deferred[UploadStatistics]:
    """Uploads until everything is acknowledged, the time is over or the reactor stops; tells every five seconds."""
    over: Deferred[UploadStatistics] = Deferred()

    def end() -> None:
        if not over.called:
            report.stop()
            uploaders.stop()
            say(uploaders.statistics().line())
            over.callback(uploaders.statistics())

    uploaders = Uploaders(reactor, options, end)
    report = LoopingCall(lambda: say(uploaders.statistics().line()))
    report.clock = IReactorTime(reactor)
    IReactorCore(reactor).addSystemEventTrigger("before", "shutdown", end)
    report.start(5, now=False)
    uploaders.start()
    return over
