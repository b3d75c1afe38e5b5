"""Phone books as an operator writes them: TOML, one table for each number.

    [[number]]
    number = "+79160000001"
    model = "ek270"                  # a simulated meter answers ...
    profile = "boiler-house.yaml"    # ... or one that speaks this meter profile or register map
    serial = "41203377"
    access_code = "00000000"         # the code that its lock wants
    days = 62
    quirks = ["lock_values"]
    fails = ["lost_after=3000"]      # befalls every call; see --list-failures
    setup_seconds = 25
    bearers = ["71"]

    [[number]]
    number = "+79160000002"
    address = "127.0.0.1:4001"       # ... or whatever listens there

Keys but ``number`` may be left out. Nothing but loopback is ever dialled.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IReactorTCP

from gateway_server.errors import OperatorError
from gateway_server.testing.declared import DeclaredKind, DeclaredMeter, check_no_quirks
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.layouts import MODELS
from gateway_server.testing.lis200.quirks import Quirks, from_options
from gateway_server.testing.meter_lines import MeterClock
from gateway_server.testing.modem.faults import NO_FAULTS, CallFaults, FaultDraw, call_faults
from gateway_server.testing.modem.phone_book import BOTH_BEARERS, FarEnd, MeterByModem, PhoneBook, Subscriber, digits
from gateway_server.testing.modem.tcp_far_end import TcpByModem
from gateway_server.testing.simulate import host_and_port

LOOPBACK = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class Entry:
    """One number. ``address`` is what answers instead of a simulated meter, ``profile`` what that speaks
    instead of being a model of ours."""

    number: str
    model: str = "ek270"
    serial: str = "41203377"
    seed: int = 0
    days: int = 62
    quirks: Quirks = field(default_factory=Quirks)
    access_code: str | None = None
    address: str = ""
    faults: CallFaults = NO_FAULTS
    setup_s: float | None = None
    release_s: float = 0.0
    bearers: frozenset[str] = BOTH_BEARERS
    profile: DeclaredKind | None = None

    @property
    def who(self) -> str:
        """Who answers, in words."""
        return self.address or f"{self.profile.name if self.profile is not None else self.model} {self.serial}"


_KEYS: dict[str, tuple[type, str, Callable[[Any], object]]] = {
    "model": (str, "model", str),
    "profile": (str, "profile", lambda name: DeclaredKind(Path(name))),
    "serial": (str, "serial", str),
    "seed": (int, "seed", int),
    "days": (int, "days", int),
    "quirks": (list, "quirks", from_options),
    "access_code": (str, "access_code", str),
    "address": (str, "address", str),
    "fails": (list, "faults", call_faults),
    "setup_seconds": (int, "setup_s", float),
    "release_seconds": (int, "release_s", float),
    "bearers": (list, "bearers", frozenset),
}


def read_book(path: Path) -> list[Entry]:
    """The entries of a file. Raises `OperatorError` with the file and the number at fault."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise OperatorError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OperatorError(f"{path} is no TOML: {error}") from None
    tables = document.get("number", [])
    if set(document) - {"number"} or not isinstance(tables, list):
        raise OperatorError(f"{path}: a phone book has tables [[number]] and nothing else")
    entries = [_entry(path, table) for table in tables]
    twice = [one.number for one in entries if sum(digits(one.number) == digits(other.number) for other in entries) > 1]
    if twice:
        raise OperatorError(f"{path}: {twice[0]} stands in it twice")
    return entries


def _entry(path: Path, table: dict[str, Any]) -> Entry:
    number = table.get("number")
    if not isinstance(number, str) or not digits(number):
        raise OperatorError(f'{path}: a table has no number; write number = "+79160000001"')
    chosen: dict[str, Any] = {}
    for key, value in table.items():
        if key == "number":
            continue
        if key not in _KEYS:
            raise OperatorError(f"{path}: {number}: there is no key {key!r}; choose from: {', '.join(_KEYS)}")
        kind, name, made = _KEYS[key]
        if not isinstance(value, (kind, float) if kind is int else kind) or isinstance(value, bool):
            raise OperatorError(f"{path}: {number}: {key} must be a {kind.__name__}")
        try:
            chosen[name] = made(_beside(path, str(value)) if key == "profile" else value)
        except OperatorError as error:
            raise OperatorError(f"{path}: {number}: {error}") from None
    entry = Entry(number, **chosen)
    if entry.model not in MODELS:
        raise OperatorError(f"{path}: {number}: there is no model {entry.model!r}; choose from: {', '.join(MODELS)}")
    if entry.profile is not None:
        check_no_quirks(entry.quirks)
    if entry.address and host_and_port(entry.address)[0] not in LOOPBACK:
        raise OperatorError(f"{path}: {number}: {entry.address} is not on loopback, and nothing else is ever dialled")
    return entry


def _beside(book: Path, name: str) -> str:
    """A file that stands beside the book, or as it is named."""
    return str(book.parent / name) if (book.parent / name).exists() else name


class SimulatedNetwork:
    """The subscribers of a phone book, with the simulated meters among them. ``meters`` goes by number."""

    def __init__(
        self, reactor: IReactorTCP, entries: Iterable[Entry], time: MeterClock, draw: FaultDraw | None = None
    ) -> None:
        self.entries = list(entries)
        self.meters: dict[str, FakeMeter | DeclaredMeter] = {}
        self._reactor = reactor
        self._time = time
        self.subscribers = [self._subscriber(entry) for entry in self.entries]
        self.book = PhoneBook(self.subscribers, draw)

    def _subscriber(self, entry: Entry) -> Subscriber:
        return Subscriber(
            entry.number,
            self._far_end(entry),
            entry.setup_s,
            entry.bearers,
            entry.release_s,
            entry.faults,
        )

    def _far_end(self, entry: Entry) -> FarEnd:
        if entry.address:
            return TcpByModem(self._reactor, *host_and_port(entry.address))
        meter = self._meter(entry)
        self.meters[entry.number] = meter
        return MeterByModem(meter, self._time)

    def _meter(self, entry: Entry) -> FakeMeter | DeclaredMeter:
        now = self._time.now()
        if entry.profile is not None:
            return entry.profile.meter(entry.serial, entry.seed, now, days=entry.days, calls=False)
        return FakeMeter(
            entry.model,
            entry.serial,
            entry.seed,
            entry.quirks,
            now,
            days=entry.days,
            access_code=entry.access_code,
        )
