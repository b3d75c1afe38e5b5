"""One modem: its port, its life, its call. Needs no person to un-jam it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from gateway_server.model import CallResult, Direction
from gateway_server.transports.calls import ModemView
from gateway_server.transports.csd import Call
from gateway_server.transports.modem.call_stream import CallStream
from gateway_server.transports.modem.frame_guard import FrameGuard
from gateway_server.transports.modem.health import Remedies
from gateway_server.transports.modem.life import make_life
from gateway_server.transports.modem.port import ModemPort, PortUser
from gateway_server.transports.modem.ring import Bell, Ring
from gateway_server.transports.modem.steps import Facts, ModemSteps, PinMemory
from gateway_server.transports.modem.talk import ModemTalk
from gateway_server.transports.modem.terms import Answer, ModemTerms
from gateway_server.transports.modem.verdict import Verdict
from gateway_server.transports.modem.work import Work
from gateway_server.transports.numbers import masked

logger = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
FIRST_RETRY = 60.0
CARRIER_GRACE = 0.3
"""After DCD has fallen the last bytes are still on their way."""
STOP_SECONDS = 20.0


class ModemOwner(Protocol):
    """Whose modem it is."""

    def modem_ready(self, modem: Modem) -> None:
        """It can make a call now."""

    def modem_changed(self, modem: Modem) -> None:
        """Its view is another one now."""

    def modem_rings(self, modem: Modem, number: str, kind: str) -> None:
        """Somebody calls: ``number`` is empty where the network does not tell, ``kind`` as ``+CRING`` said."""


OpenPort = Callable[[str, int, PortUser], Awaitable[ModemPort]]
PowerCycle = Callable[[tuple[str, ...]], Awaitable[None]]


class Modem:
    """Acts in a `ModemLife`: one piece of work at a time, dropped when its state is left."""

    def __init__(
        self,
        terms: ModemTerms,
        clock: IReactorTime,
        open_port: OpenPort,
        owner: ModemOwner,
        pin: PinMemory,
        power_cycle: PowerCycle | None = None,
    ) -> None:
        self.terms = terms
        self.facts = Facts()
        self.state = "off"
        self.why = ""
        self.next_try: float | None = None  # by the clock, while it waits for that
        self.used_at = float("-inf")
        self.gone: Deferred[None] = Deferred()
        self.life = make_life(self)
        self._clock = clock
        self._open_port = open_port
        self._owner = owner
        self._pin = pin
        self._power_cycle = power_cycle
        self._remedies = Remedies(clock, terms.name, self.life, by_power=bool(power_cycle and terms.power_cycle))
        self._port: ModemPort | None = None
        self._talk = self._new_talk()
        self._work = Work(clock, terms.name)
        self._call: Call | None = None
        self._stream = CallStream(clock, self._passed, self._modem_said)
        self._port_wait = FIRST_WAIT
        self._retry = FIRST_RETRY
        self._dcd_before: bool | None = None
        self._bell = Bell(self._later, self._rings)

    @property
    def view(self) -> ModemView:
        """As a planner sees it."""
        operator = self.terms.operator or self.facts.operator
        return ModemView(self.terms.name, self.state, self.ready, operator, self.why, self.facts.signal)

    @property
    def ready(self) -> bool:
        """Whether it can make a call now."""
        return self.state == "ready"

    # what the owner wants

    def start(self) -> None:
        """Opens the port, and from then on keeps the modem fit."""
        self.life.start()

    def call(self, call: Call) -> None:
        """Makes a call; the modem has to be ready."""
        self.used_at = self._clock.seconds()
        self.life.dial(call)

    def take(self, call: Call) -> None:
        """Takes the call that rings."""
        self.used_at = self._clock.seconds()
        self.life.answer(call)

    def end_call(self, result: CallResult, why: str) -> None:
        """Ends the present call, if there is one."""
        if self._call is not None:
            self._call.force(result, why)
            self.life.end()

    def stop(self) -> Deferred[None]:
        """Hangs up, makes sure of it within bounded time, closes the port."""
        self.life.stop()
        return self.gone

    # the port's side

    def port_received(self, data: bytes) -> None:
        """Bytes from the modem."""
        self._talk.received(data)

    def port_lost(self, why: str) -> None:
        """The port is gone."""
        self._port = None
        self.life.lost(why)

    def carrier(self, up: bool) -> None:  # the port's signature
        """DCD changed."""
        if self._call is None:
            return
        if up:
            self.facts.carrier_seen = True
        elif self.state == "online" and self.facts.carrier_seen:
            self._call.fading()
            self._later(CARRIER_GRACE, self.life.carrier_lost, "the carrier is gone (DCD fell)")

    # states

    def enter(self, state: str, why: str = "") -> None:
        """Leaves whatever the state before was doing."""
        self._work.drop()
        if (state, why) != (self.state, self.why):
            logger.debug("modem %s: %s%s", self.terms.name, state, f" ({why})" if why else "")
        self.state = state
        if why or state == "ready":
            self.why = why
        self.next_try = None
        self._owner.modem_changed(self)

    def open_port(self) -> None:
        """Opens it; the answer may take a while."""
        self._do(self._open(), lambda _: self.life.opened())

    async def _open(self) -> None:
        port = await self._open_port(self.terms.port, self.terms.speed, self)
        if self.state != "opening":
            port.close()
            return
        self._port = port
        self._talk = self._new_talk()

    def wait_for_port(self, why: str) -> None:
        """Tries again later: unplugging and plugging in needs no restart."""
        self._close_port()
        if self._port_wait == FIRST_WAIT:
            logger.warning("modem %s: %s", self.terms.name, why)
        self._try_again(self._port_wait)
        self._port_wait = min(self._port_wait * 2, LONGEST_WAIT)

    def find(self) -> None:
        """Gets it to answer."""
        self._do(self._steps().find(), lambda _: self.life.found())

    def prepare(self) -> None:
        """Init strings and SIM."""
        self._do(self._steps().prepare(), lambda _: self.life.prepared())

    def register(self) -> None:
        """Waits for the network."""
        self._do(self._steps().register(), lambda _: self.life.registered())

    def be_ready(self) -> None:
        """Waits for a call to make or to take."""
        self._port_wait, self._retry = FIRST_WAIT, FIRST_RETRY
        self._bell.forget()
        self._later(self.terms.watch, self.life.check)
        self._owner.modem_ready(self)

    def look(self) -> None:
        """Whether it is still there."""
        self._do(self._steps().check(), lambda _: self.life.fine())

    def begin_dial(self, call: Call) -> None:
        """Dials."""
        self._begin(call)
        bearers = call.order.bearers or self.terms.bearers
        call.progress(f"dialling {masked(call.order.number)} by modem {self.terms.name}")
        self._do(self._steps().dial(call.order.number, bearers), self._dialled)

    def begin_answer(self, call: Call) -> None:
        """Answers."""
        self._begin(call)
        self._do(self._steps().answer(), self._dialled)

    def _begin(self, call: Call) -> None:
        self._call = call
        self.facts.carrier_seen = False
        self._dcd_before = self._port.dcd if self._port is not None else None
        self._stream = CallStream(self._clock, self._passed, self._modem_said)

    def _dialled(self, verdict: Verdict | None) -> None:
        if verdict is None:
            self.life.connected()
        else:
            self.life.refused(verdict)

    def go_online(self) -> None:
        """The call is the session's now."""
        call, port = self._call, self._port
        assert call is not None
        assert port is not None
        if port.dcd and not self._dcd_before:  # with &C0 it is up at all times and tells nothing
            self.facts.carrier_seen = True
        limit = min(call.order.budget_s or self.terms.call_limit, self.terms.call_limit)
        self._later(limit, self.end_call, CallResult.OVER_BUDGET, f"the call had lasted {limit:g} s, its limit")
        if self.terms.frame_limit:
            FrameGuard(self.terms.frame_limit, call.heard_so_far, self._later, self._fruitless)
        call.connected(
            port,
            self.life.end,
            self._talk.written,
            bearer=self.facts.bearer,
            signal=self.facts.signal,
            operator=self.facts.operator,
        )
        if self.terms.settle:
            self._later(self.terms.settle, call.begin)
        else:
            call.begin()

    def _fruitless(self, why: str) -> None:
        self.end_call(CallResult.SILENT, why)

    def hang_up(self, *, lost: str = "") -> None:
        """Ends the call; the session has ended, or hears now that its line is gone."""
        call = self._call
        self._end_stream()
        if call is not None:
            if lost:
                call.lost(lost)
            call.hanging_up()
        self._do(self._steps().hang_up(lost=bool(lost)), lambda _: self._hung_up())

    def _hung_up(self) -> None:
        self._over()
        self.life.released()

    def give_up_call(self, verdict: Verdict) -> None:
        """The dial failed."""
        if self._call is not None:
            self._call.failed(verdict)
        self._over()

    def break_call(self, why: str) -> None:
        """The modem or its port failed in a call."""
        if self._call is not None:
            self._call.failed(Verdict(CallResult.MODEM_FAULT, f"modem {self.terms.name}: {why}", ours=True))
            call, self._call = self._call, None
            call.released()

    def rest(self) -> None:
        """Cools down, and what the call said of the modem's health is acted upon."""
        self._later(self.terms.cool_down, self._remedies.rested)

    def restart(self) -> None:
        """Starts it anew, by the operator's command if there is one."""
        logger.warning("modem %s: it is started anew: %s", self.terms.name, self.why)
        cycle, argv = self._power_cycle, self.terms.power_cycle
        by_power = (lambda: cycle(argv)) if cycle is not None and argv else None
        self._do(self._steps().reset(by_power), lambda _: self.life.restarted())

    def leave_pool(self, why: str) -> None:
        """Out of service, and tried again later."""
        wait = min(self._retry, self.terms.retry)
        logger.error("modem %s is out of service: %s; it is tried again in %.0f s", self.terms.name, why, wait)
        self._try_again(wait)
        self._retry = self._retry * 2

    def finish(self) -> None:
        """The gateway ends in a call."""
        if self._call is not None:
            self._call.force(CallResult.INTERRUPTED, "the gateway stops")
            self._call.hanging_up()
        self.linger()
        self._do(self._steps().hang_up(), lambda _: self._hung_up())

    def linger(self) -> None:
        """Hanging up goes on; it is given a time."""
        self.state = "stopping"
        self._later(STOP_SECONDS, self.life.stopped)

    def close(self) -> None:
        """Gives the port back."""
        if self._call is not None:
            self._over()
        self._close_port()
        if not self.gone.called:
            self.gone.callback(None)

    # inside

    def _try_again(self, seconds: float) -> None:
        self._later(seconds, self.life.again)
        self.next_try = self._clock.seconds() + seconds
        self._owner.modem_changed(self)

    def _over(self) -> None:
        call, self._call = self._call, None
        self._end_stream()
        if call is not None:
            self._remedies.call_ended(ours=call.released())

    def _failed(self, error: BaseException) -> None:
        self._remedies.failed(self.state, error)

    def _steps(self) -> ModemSteps:
        port = self._port
        if port is None:
            raise RuntimeError(f"modem {self.terms.name} has no port in state {self.state}")
        return ModemSteps(self.terms, self._talk, port, self.facts, self._pin)

    def _do(self, work: Coroutine[Any, Any, T], done: Callable[[T], None]) -> None:
        self._work.do(work, done, self._failed)

    def _later(self, seconds: float, work: Callable[..., object], *arguments: object) -> None:
        self._work.later(seconds, work, *arguments)

    def _new_talk(self) -> ModemTalk:
        return ModemTalk(self._clock, self._write, self._log, self._unsolicited, self._data)

    def _write(self, data: bytes) -> None:
        if self._port is not None:
            self._port.write(data)

    def _close_port(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            port.close()

    def _log(self, direction: Direction, data: bytes) -> None:
        logger.debug("modem %s %s %r", self.terms.name, direction.value, data)
        if self._call is not None:
            self._call.heard(direction, data)

    # what a call brings

    def _data(self, data: bytes) -> None:
        if self._call is not None and self.state in ("dialling", "answering", "online"):
            self._stream.feed(data)

    def _passed(self, data: bytes) -> None:
        if self._call is not None:
            self._call.received(data)

    def _end_stream(self) -> None:
        if held := self._stream.end():
            self._log(Direction.FROM_MODEM, held)

    def _modem_said(self, words: bytes) -> None:
        self._log(Direction.FROM_MODEM, words)
        if self.state == "online":
            self.life.carrier_lost("the modem reports NO CARRIER: the far end hung up, or the radio was lost")

    def _unsolicited(self, text: str) -> None:
        if text.upper().startswith("CONNECT") and self.state in ("ready", "checking", "resting"):
            self.life.mend("it went on line although nobody had called")
            return
        if self.state not in ("ready", "checking") or self.terms.answer is Answer.NEVER:
            return
        self._bell.heard(text)

    def _rings(self, ring: Ring) -> None:
        if self.state == "ready":
            logger.info("modem %s rings: %s", self.terms.name, masked(ring.number) or "a hidden number")
            self._owner.modem_rings(self, ring.number, ring.kind)
