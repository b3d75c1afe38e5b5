"""The scene behind `gateway-server demo`: a handful of simulated meters, each with something of its own.

The meters that are TCP servers listen as soon as the scene is set, so that their routes are known; the callers call
when the gateway's listener is open.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from twisted.internet.interfaces import IListeningPort, IReactorTCP, IReactorTime

from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.fleet import caller_id
from gateway_server.testing.lis200.layouts import MODELS
from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.meter_lines import Caller, CallerOptions, listen, meter_clock, port_of


@dataclass(frozen=True, slots=True)
class DemoMeter:
    """One meter of the scene. ``registered`` meters belong into the register with ``route`` and ``access_code``."""

    serial: str
    model: str
    name: str
    story: str
    route: str = ""
    registered: bool = True
    access_code: str = field(default="", repr=False)
    quirks: Quirks = field(default_factory=Quirks)
    caller: str = ""
    days: int = 35


SCENE = (
    DemoMeter("41203377", "ek270", "Boiler house 4", "calls in, slow line, clock a little fast", caller=caller_id(1),
              quirks=Quirks(reply_delay_s=0.15, split=200, clock_offset_s=47, noise_events=True)),
    DemoMeter("28004512", "ek280", "District station North", "we connect to it; its lock must be opened",
              access_code="00000000", quirks=Quirks(lock_values=True, lock_way_b=True, reply_delay_s=0.05)),
    DemoMeter("20511893", "ek260", "Bakery", "calls in over an 8-bit line that carries 7E1", caller=caller_id(2),
              quirks=Quirks(seven_e1=True, extra_rows=True, bad_bcc_every=7, reply_delay_s=0.02)),
    DemoMeter("31007741", "tc215", "School 12", "calls in, then never answers: wrong baud rate at the far end",
              caller=caller_id(3), quirks=Quirks(never_answers=True)),
    DemoMeter("29911006", "tc220", "", "calls in, but nobody has claimed it yet", registered=False,
              caller=caller_id(4), quirks=Quirks(echo_prefix=True, reply_delay_s=0.02)),
)  # fmt: skip


def scene(meters: int) -> list[DemoMeter]:
    """The first so many meters of the scene, ordinary callers behind them."""
    more = [
        DemoMeter(
            str(60000001 + number),
            MODELS[number % len(MODELS)],
            f"Meter {number + 1}",
            "calls in",
            caller=caller_id(100 + number),
            quirks=Quirks(reply_delay_s=0.02),
            days=4,
        )
        for number in range(max(0, meters - len(SCENE)))
    ]
    return [*SCENE[:meters], *more]


class DemoMeters:
    """The running scene. ``meters`` are its meters with their routes."""

    def __init__(self, reactor: IReactorTCP, meters: int = 5) -> None:
        self._reactor = reactor
        self._time = meter_clock(IReactorTime(reactor))
        self._listening: list[IListeningPort] = []
        self._callers: list[Caller] = []
        self._fakes: dict[str, FakeMeter] = {}
        self.meters = [self._set(meter) for meter in scene(meters)]

    def call(self, host: str, port: int, registration: str = "{id}\r\n", reconnect_s: float = 10.0) -> None:
        """The gateway is ready: the callers call it."""
        for meter in self.meters:
            if meter.caller:
                options = CallerOptions(
                    host, port, registration.replace("{id}", meter.caller).encode("ascii"), reconnect_s=reconnect_s
                )
                caller = Caller(self._reactor, self._fakes[meter.serial], self._time, options)
                self._callers.append(caller)
                caller.start()

    def fake(self, serial: str) -> FakeMeter:
        """The simulated meter itself."""
        return self._fakes[serial]

    def stop(self) -> None:
        """Everybody hangs up."""
        for caller in self._callers:
            caller.stop()
        for listening in self._listening:
            listening.stopListening()

    def _set(self, meter: DemoMeter) -> DemoMeter:
        fake = FakeMeter(meter.model, meter.serial, 7, meter.quirks, self._time.now(), days=meter.days)
        self._fakes[meter.serial] = fake
        if meter.caller:
            return replace(meter, route=f"caller:{meter.caller}")
        listening = listen(self._reactor, fake, self._time, "127.0.0.1", 0)
        self._listening.append(listening)
        return replace(meter, route=f"tcp:127.0.0.1:{port_of(listening)}")
