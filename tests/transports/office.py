"""A pool of modems over simulated ones, a store in memory and meters that answer, all in one clock's time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from gateway_server.codec.codec import Codec
from gateway_server.codec.dialogue import Progress
from gateway_server.codec.registry import Registry, load_codecs
from gateway_server.errors import LineError
from gateway_server.model import ReadOrder
from gateway_server.session.endings import Ending
from gateway_server.session.presence import Presence
from gateway_server.store.records import CallRecord, Filter, MeterRecord
from gateway_server.testing.air_line import AirShape
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.fake_modem import FakeModem
from gateway_server.testing.line_to_meter import run
from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.meter_lines import MeterClock
from gateway_server.testing.modem.faults import call_faults, modem_faults
from gateway_server.testing.modem.phone import ModemCharacter
from gateway_server.testing.modem.phone_book import FarEnd, MeterByModem, PhoneBook, Subscriber
from gateway_server.transports.calls import CallEnd, CallOrder
from gateway_server.transports.errand import Errand
from gateway_server.transports.modem.pool import ModemPool
from gateway_server.transports.modem.port import ModemPort, PortUser
from gateway_server.transports.modem.terms import ModemTerms
from tests.session.conversations import Scene

FIRST = 41203377
NOW = datetime(2024, 3, 1, 14, 0)
DAILY = ReadOrder(frozenset({"archive"}), ("daily",))
QUICK = AirShape(0.0, 0.2)
_registry: list[Registry] = []


def lis200() -> Codec:
    if not _registry:
        _registry.append(load_codecs(()))
    return _registry[0].get("lis200")


def number_of(index: int) -> str:
    return f"+7916000{index:04}"


class MemoryModemPort:
    """A port in memory. ``with_lines`` off is a pseudo terminal, or a cable of three wires."""

    def __init__(self, clock: Clock, modem: FakeModem, *, with_lines: bool = True) -> None:
        self._clock = clock
        self._modem = modem
        self._with_lines = with_lines
        self._far = _ModemEnd(self)
        self._gone_until = 0.0
        self.user: PortUser | None = None
        self.up = False
        self.speed = 9600
        self.written = bytearray()

    async def open(self, speed: int, user: PortUser) -> ModemPort:
        if self._clock.seconds() < self._gone_until:
            raise LineError("the port is not there; is the cable plugged in?")
        self.user = user
        self.speed = speed
        self._modem.plug(self._far)
        return self

    @property
    def dcd(self) -> bool | None:
        return self.up if self._with_lines else None

    def write(self, data: bytes) -> None:
        self.written += data
        self._modem.received(data)

    def set_speed(self, speed: int) -> None:
        self.speed = speed

    def set_dtr(self, up: bool) -> None:  # the port's signature
        if self._with_lines:
            self._modem.dtr(on=up)

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass

    def close(self) -> None:
        self.user = None
        self._modem.plug(None)

    def carrier(self, *, up: bool) -> None:
        changed, self.up = up != self.up, up
        if changed and self._with_lines and self.user is not None:
            self.user.carrier(up)

    def unplug(self, seconds: float) -> None:
        self._gone_until = self._clock.seconds() + seconds
        user, self.user = self.user, None
        self._modem.plug(None)
        if user is not None:
            user.port_lost("the port was unplugged")


class _ModemEnd:
    """What the simulated modem sees of the port."""

    def __init__(self, port: MemoryModemPort) -> None:
        self._port = port

    @property
    def speed(self) -> int:
        return self._port.speed

    def write(self, data: bytes) -> None:
        if self._port.user is not None:
            self._port.user.port_received(data)

    def lines(self, *, carrier: bool, ring: bool) -> None:
        self._port.carrier(up=carrier)

    def unplug(self, seconds: float) -> None:
        self._port.unplug(seconds)


class Office(Scene):
    """``meters`` meters behind numbers, dialled by simulated modems ``m1``, ``m2`` ... with these faults."""

    def __init__(
        self,
        *modem_options: str,
        modems: int = 1,
        meters: int = 2,
        call: Sequence[str] = (),
        setup_s: float = 10.0,
        shape: AirShape = QUICK,
        with_lines: bool = True,
        bearers: frozenset[str] = frozenset({"7", "71"}),
        other_ends: Sequence[FarEnd] = (),
        start: bool = True,
        days: int = 3,
        quirks: Quirks | None = None,
        early_acknowledge: Sequence[str] = (),
        **terms: Any,
    ) -> None:
        super().__init__()
        self.meters = [
            FakeMeter(serial=str(FIRST + index), now=NOW, days=days, quirks=quirks) for index in range(meters)
        ]
        time = MeterClock(self.clock, NOW)
        ends: list[FarEnd] = [*(MeterByModem(meter, time) for meter in self.meters), *other_ends]
        self.subscribers = [
            Subscriber(number_of(index), end, setup_s, bearers, 0.0, call_faults(call if index == 0 else ()))
            for index, end in enumerate(ends)
        ]
        self.book = PhoneBook(self.subscribers)
        for index, meter in enumerate(self.meters):
            serial = str(FIRST + index)
            assert meter is not None
            self.store.put_meter(MeterRecord(serial, codec="lis200", routes=(f"csd:{number_of(index)}",)))
        character = ModemCharacter(modem_faults(modem_options), shape)
        self.modems = [FakeModem(self.clock, self.book, character, f"m{at}") for at in range(1, modems + 1)]
        self.ports = {
            f"/dev/m{at}": MemoryModemPort(self.clock, modem, with_lines=with_lines)
            for at, modem in enumerate(self.modems, 1)
        }
        self.cycled: list[tuple[str, ...]] = []
        self.endings: list[Ending] = []
        self.ends: list[CallEnd] = []
        self.progress: list[str] = []
        self.presence = Presence(self.clock)
        self.pool = ModemPool(
            [replace(ModemTerms(f"m{at}", f"/dev/m{at}"), **terms) for at in range(1, modems + 1)],
            self.facilities,
            lambda port, speed, user: self.ports[port].open(speed, user),
            self,
            power_cycle=self._power_cycle,
            early_acknowledge=early_acknowledge,
            presence=self.presence,
        )
        if start:
            self.wait(5)
            self.pool.start()
            self.wait(10)

    async def _power_cycle(self, argv: tuple[str, ...]) -> None:
        self.cycled.append(argv)
        for modem in self.modems:
            modem.cycle_power()

    def codecs_of(self, record: MeterRecord | None) -> tuple[Codec, ...]:
        return (lis200(),)

    def wait(self, seconds: float) -> None:
        run(self.clock, seconds)

    def errand(self, index: int = 0, order: ReadOrder = DAILY) -> Errand:
        serial = str(FIRST + index)
        return Errand(
            (lis200(),),
            self.store.meter(serial),
            self.store.known_meter(serial),
            order,
            progress=self._progress,
            ended=self.endings.append,
        )

    def call(self, index: int = 0, order: ReadOrder = DAILY, **more: Any) -> str:
        """Orders a call; gives the modem's name."""
        return self.pool.call(CallOrder(number_of(index), self.errand(index, order), **more), self.ends.append)

    def in_call(self) -> bool:
        return any(modem.off_hook for modem in self.modems)

    def calls(self) -> list[CallRecord]:
        return list(self.store.calls(Filter()))

    def state(self, at: int = 0) -> str:
        return self.pool.views()[at].state

    def why(self, at: int = 0) -> str:
        return self.pool.views()[at].why

    def written(self, at: int = 1) -> list[str]:
        """The command lines that a modem got."""
        return bytes(self.ports[f"/dev/m{at}"].written).decode("latin-1").split("\r")

    def rows(self, archive: str = "daily") -> int:
        return sum(1 for _ in self.store.rows(Filter(archives=(archive,))))

    def modem_log(self, session: int = 1) -> list[str]:
        return [
            f"{entry.direction.value} {entry.data.decode('latin-1').strip()}"
            for entry in self.store.session_log(session)
            if entry.direction.of_modem
        ]

    def _progress(self, progress: Progress) -> None:
        self.progress.append(progress.text)


def pin_file(folder: Path, pin: str) -> Path:
    file = folder / "m1.pin"
    file.write_text(pin + "\n")
    return file
