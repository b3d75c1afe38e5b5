"""A bank of simulated modems at ports, as `simulate modems` starts it: modems, their phone book, what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IReactorCore, IReactorFDSet, IReactorTCP, IReactorTime

from gateway_server.errors import OperatorError
from gateway_server.testing.air_line import AirShape
from gateway_server.testing.fake_modem import FakeModem
from gateway_server.testing.lis200.layouts import MODELS
from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.meter_lines import meter_clock, port_of
from gateway_server.testing.modem.book import Entry, SimulatedNetwork, read_book
from gateway_server.testing.modem.control import listen_control
from gateway_server.testing.modem.faults import (
    EVERY_WAY,
    CallFaults,
    FaultDraw,
    ModemFaults,
    call_faults,
    is_call_fault,
    modem_faults,
)
from gateway_server.testing.modem.lines import ModemOnPty, listen_raw
from gateway_server.testing.modem.phone import ModemCharacter
from gateway_server.testing.modem.rfc2217_port import listen_rfc2217
from gateway_server.testing.scaled_clock import ScaledClock
from gateway_server.testing.simulate import Say, host_and_port

PTY, TCP, RFC2217 = "pty", "tcp", "rfc2217"
MIXED = "mixed"
"""The modems stand in turn in each of these ways."""
EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class BankOptions:
    """What `simulate modems` was told.

    ``meters`` answer numbers of their own behind those of ``book``. ``failures`` are switches by name: those of modems
    hold for all modems, of those of calls one befalls each of a ``share`` of the calls; ``all`` is every kind of call.
    ``links`` is a folder for lasting names of terminals, ``control`` where a hand on the modems is heard.
    """

    count: int = 1
    way: str = PTY
    listen: str = "127.0.0.1:0"
    links: Path | None = None
    control: str = ""
    book: Path | None = None
    meters: int = 0
    models: tuple[str, ...] = ("ek270",)
    first_serial: int = 41203377
    first_number: str = "+79160000001"
    days: int = 62
    quirks: Quirks = field(default_factory=Quirks)
    failures: tuple[str, ...] = ()
    share: float = 1.0
    setup_s: tuple[float, float] = (10.0, 40.0)
    bytes_per_second: float = 960.0
    round_trip_s: float = 0.6
    repeated: float = 0.0
    speed_up: float = 1.0
    seed: int = 0
    dump: Path | None = None
    seconds: float = 0.0


def entries_of(options: BankOptions) -> list[Entry]:
    """The phone book that was ordered. Raises `OperatorError`."""
    entries = read_book(options.book) if options.book is not None else []
    width = len(options.first_number.lstrip("+"))
    prefix = "+" if options.first_number.startswith("+") else ""
    first = int(options.first_number.lstrip("+"))
    for model in options.models:
        if model not in MODELS:
            raise OperatorError(f"there is no simulated model {model!r}; choose from: {', '.join(MODELS)}")
    for number in range(options.meters):
        entries.append(
            Entry(
                f"{prefix}{first + number:0{width}d}",
                options.models[number % len(options.models)],
                str(options.first_serial + number),
                options.seed + number,
                options.days,
                options.quirks,
            )
        )
    if not entries:
        raise OperatorError("nobody could be called: give --meters or a --book")
    return entries


def sorted_failures(failures: Sequence[str]) -> tuple[ModemFaults, list[CallFaults]]:
    """Switches by name, taken apart into those of modems and the ways in which calls fail, one for each option."""
    modem = [option for option in failures if option != EVERYTHING and not is_call_fault(option)]
    call = [option for option in failures if option != EVERYTHING and is_call_fault(option)]
    if EVERYTHING in failures:
        call += EVERY_WAY
    return modem_faults(modem), [call_faults(option.split(",")) for option in call]


class ModemBank:
    """The running bank. ``ports`` says how each modem is reached, as a gateway's configuration wants it.

    ``entries`` is a phone book in place of that which the options order.
    """

    def __init__(self, reactor: IReactorTCP, options: BankOptions, entries: list[Entry] | None = None) -> None:
        if options.count < 1:
            raise OperatorError("a bank needs at least one modem")
        self._reactor = reactor
        self._options = options
        real = IReactorTime(reactor)
        self._clock = real if options.speed_up == 1 else ScaledClock(real, options.speed_up)
        faults, ways = sorted_failures(options.failures)
        draw = FaultDraw(ways, options.share if ways else 0.0, options.seed)
        book = entries_of(options) if entries is None else entries
        self.network = SimulatedNetwork(reactor, book, meter_clock(real), draw)
        shape = AirShape(options.bytes_per_second, options.round_trip_s, options.repeated)
        character = ModemCharacter(faults, shape, options.setup_s, seed=options.seed)
        self._ends: list[Callable[[], object]] = []
        self.modems: list[FakeModem] = []
        self.ports: list[str] = []
        self._make_folders()
        for number in range(options.count):
            modem = FakeModem(self._clock, self.network.book, character, f"modem{number + 1}")
            self.modems.append(modem)
            self.ports.append(self._open(modem, number))
        self.control = self._open_control(options.control) if options.control else ""
        self.dump()

    def lines(self) -> list[str]:
        """What a user wants to know: the ports, then the phone book."""
        ports = [f"{modem.name} {port}" for modem, port in zip(self.modems, self.ports, strict=True)]
        control = [f"control {self.control}"] if self.control else []
        return [*ports, *control, *(f"{entry.number} {entry.who}" for entry in self.network.entries)]

    def dump(self) -> None:
        """Writes what the meters hold and which calls were made, if that was ordered."""
        folder = self._options.dump
        if folder is None:
            return
        documents: dict[str, object] = {meter.serial: meter.holds() for meter in self.network.meters.values()}
        documents["calls"] = [
            {"modem": modem.name, **asdict(call), "online_s": call.online_s, "air_s": call.air_s}
            for modem in self.modems
            for call in modem.calls
        ]
        for name, document in documents.items():
            self._write(folder / f"{name}.json", document)

    def stop(self) -> None:
        """Closes the ports and writes what there is to write."""
        for modem in self.modems:
            modem.stop()
        while self._ends:
            self._ends.pop()()
        self.dump()

    def _open(self, modem: FakeModem, number: int) -> str:
        options = self._options
        way = (PTY, TCP, RFC2217)[number % 3] if options.way == MIXED else options.way
        if way == PTY:
            link = options.links / modem.name if options.links is not None else None
            terminal = ModemOnPty(IReactorFDSet(self._reactor), modem, link, self._clock)
            self._ends.append(terminal.stop)
            return terminal.path
        host, first = host_and_port(options.listen)
        port = first + number if first else 0
        opened = listen_raw if way == TCP else listen_rfc2217
        at = self._listening(lambda: opened(self._reactor, modem, self._clock, host, port), f"{host}:{port}")
        return f"{'socket' if way == TCP else 'rfc2217'}://{host}:{at}"

    def _open_control(self, place: str) -> str:
        host, port = host_and_port(place)
        book = self.network.book
        return f"{host}:{self._listening(lambda: listen_control(self._reactor, self.modems, book, host, port), place)}"

    def _listening(self, listen: Callable[[], IListeningPort], place: str) -> int:
        try:
            listening = listen()
        except CannotListenError as error:
            raise OperatorError(f"cannot listen at {place}: {error.socketError}") from None
        self._ends.append(listening.stopListening)
        return port_of(listening)

    def _make_folders(self) -> None:
        for folder in (self._options.dump, self._options.links):
            if folder is not None:
                try:
                    folder.mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    raise OperatorError(f"cannot make {folder}: {error.strerror}") from None

    def _write(self, path: Path, document: object) -> None:
        try:
            path.write_text(json.dumps(document, ensure_ascii=False, indent=1), "utf-8")
        except OSError as error:
            raise OperatorError(f"cannot write {path}: {error.strerror}") from None


def simulate_modems(reactor: IReactorTCP, options: BankOptions, say: Say = print) -> Deferred[None]:
    """Runs a bank until its time is over or the reactor stops; says its ports, its phone book and ``ready``."""
    bank = ModemBank(reactor, options)
    for line in bank.lines():
        say(line)
    say("ready")
    over: Deferred[None] = Deferred()

    def end() -> None:
        if not over.called:
            bank.stop()
            over.callback(None)

    IReactorCore(reactor).addSystemEventTrigger("before", "shutdown", end)
    if options.seconds:
        IReactorTime(reactor).callLater(options.seconds, end)
    return over
