"""A simulated modem on a port in memory, in a clock's time, and somebody who answers its calls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock

from gateway_server.testing.air_line import AirShape
from gateway_server.testing.fake_modem import FakeModem
from gateway_server.testing.line_to_meter import run
from gateway_server.testing.modem.faults import call_faults, modem_faults
from gateway_server.testing.modem.phone import ModemCharacter
from gateway_server.testing.modem.phone_book import FarLine, PhoneBook, Subscriber

NUMBER = "+79160000001"
NOW = datetime(2024, 4, 3, 12, 5)


class Parrot:
    """A far end that says everything back, and remembers."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.answered = self.lost_times = 0
        self.deliver: Callable[[bytes], None] = lambda data: None
        self.hang_up: Callable[[], None] = lambda: None

    def answer(self, clock: IReactorTime, deliver: Callable[[bytes], None], hang_up: Callable[[], None]) -> FarLine:
        self.answered += 1
        self.deliver, self.hang_up = deliver, hang_up
        return self

    def received(self, data: bytes) -> None:
        self.heard += data
        self.deliver(data)

    def lost(self) -> None:
        self.lost_times += 1


class MemoryPort:
    """Where the modem is plugged in: what it said, and how its lines stand."""

    def __init__(self) -> None:
        self.said = bytearray()
        self.carrier = self.ring = False
        self.unplugged: list[float] = []
        self.speed = 0

    def write(self, data: bytes) -> None:
        self.said += data

    def lines(self, *, carrier: bool, ring: bool) -> None:
        self.carrier, self.ring = carrier, ring

    def unplug(self, seconds: float) -> None:
        self.unplugged.append(seconds)


class Desk:
    """A modem, a parrot at `NUMBER`, and a hand on the keys. The modem is registered when the desk is ready.

    A desk ``beside`` another shares its network and its time.
    """

    def __init__(
        self,
        *faults: str,
        call: tuple[str, ...] = (),
        setup_s: float = 20.0,
        bearers: frozenset[str] = frozenset({"7", "71"}),
        release_s: float = 0.0,
        shape: AirShape | None = None,
        ready: bool = True,
        beside: Desk | None = None,
    ) -> None:
        self.clock: Clock = Clock() if beside is None else beside.clock
        self.parrot = Parrot()
        self.subscriber = Subscriber(NUMBER, self.parrot, setup_s, bearers, release_s, call_faults(call))
        self.book: PhoneBook = PhoneBook([self.subscriber]) if beside is None else beside.book
        self.character = ModemCharacter(modem_faults(faults), shape or AirShape())
        self.port = MemoryPort()
        self.modem = FakeModem(self.clock, self.book, self.character)
        self.modem.plug(self.port)
        if ready:
            self.wait(5)
            self.take()

    def wait(self, seconds: float) -> None:
        """Time passes, each thing in its own."""
        run(self.clock, seconds)

    def take(self) -> bytes:
        """What the modem said since this was last asked."""
        said = bytes(self.port.said)
        self.port.said.clear()
        return said

    def say(self, data: bytes, seconds: float = 0.1) -> bytes:
        """Bytes for the modem; what it says within so much time."""
        self.modem.received(data)
        self.wait(seconds)
        return self.take()

    def ask(self, command: str, seconds: float = 0.1) -> bytes:
        """A command line; what the modem says within so much time."""
        return self.say(command.encode("ascii") + b"\r", seconds)

    def quiet(self) -> None:
        """Turns the echo off, as one does first."""
        assert self.ask("ATE0").endswith(b"\r\nOK\r\n")

    def online(self) -> None:
        """Echo off, dialled, connected."""
        self.quiet()
        assert self.ask(f"ATD{NUMBER}", 30) == b"\r\nCONNECT 9600\r\n"


def dialled(*call: str, faults: tuple[str, ...] = (), seconds: float = 130) -> tuple[Desk, bytes]:
    """A desk that has dialled, and what the modem said."""
    desk = Desk(*faults, call=call)
    desk.quiet()
    return desk, desk.ask(f"ATD{NUMBER}", seconds)
