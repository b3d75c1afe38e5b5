"""All modems of this gateway: which one makes the next call, and who waits for one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall

from gateway_server.codec.codec import Codec
from gateway_server.codec.dialogue import Progress
from gateway_server.errors import GatewayError, OperatorError, StoreError
from gateway_server.model import CallResult, KnownMeter, MeterState, ReadOrder
from gateway_server.session.line import Line
from gateway_server.session.plan import Facilities
from gateway_server.session.presence import Presence
from gateway_server.store.modems import ModemRecord
from gateway_server.store.records import Filter, MeterRecord
from gateway_server.store.store import Store
from gateway_server.transports.calls import CallEnd, CallOrder, ModemView
from gateway_server.transports.csd import Call
from gateway_server.transports.errand import Errand
from gateway_server.transports.modem.modem import Modem, ModemOwner, OpenPort, PowerCycle
from gateway_server.transports.modem.steps import PinMemory
from gateway_server.transports.modem.terms import Answer, ModemTerms, NumberRule
from gateway_server.transports.numbers import checked, masked, same_number
from gateway_server.transports.phone_caller import PhoneCaller
from gateway_server.transports.routes import CsdRoute, parse_route

logger = logging.getLogger(__name__)

BEARER = "bearer"
"""What is remembered of the +CBST value with which a meter was reached."""
PROGRESS_SECONDS = 5.0
_SIGNAL_STEPS = 3
"""A signal that moves by fewer steps of +CSQ is no news."""
_ENDS = frozenset({"stopping", "over"})
_FAILS = frozenset({"waiting", "out"})


@dataclass(slots=True)
class _Waiting:
    """An order that waits for a modem."""

    order: CallOrder
    over: Callable[[CallEnd], None]
    nobody: Callable[[str], None]
    until: float


class Callers(Protocol):
    """Who calls us by modem: what the register and the codecs know of it."""

    def codecs_of(self, record: MeterRecord | None) -> tuple[Codec, ...]:
        """What a meter is spoken to in; every codec for a stranger."""


class ModemPool(ModemOwner):
    """Starts the modems, gives each call to the one that has rested longest, takes the calls of known meters.

    ``ready`` hears whenever a modem can make a call. A stored order waits in `call_when_ready`, ahead of it.
    """

    def __init__(
        self,
        terms: Iterable[ModemTerms],
        facilities: Facilities,
        open_port: OpenPort,
        callers: Callers,
        numbers: NumberRule | None = None,
        power_cycle: PowerCycle | None = None,
        ready: Callable[[], None] | None = None,
        early_acknowledge: Iterable[str] = (),
        presence: Presence | None = None,
    ) -> None:
        self._facilities = facilities
        self._callers = callers
        self._presence = presence if presence is not None else Presence(facilities.clock)
        self._numbers = numbers or NumberRule()
        self._modems = [
            Modem(one, facilities.clock, open_port, self, self._pin_memory(one.name), power_cycle) for one in terms
        ]
        self._waiting: list[_Waiting] = []
        self._tick: IDelayedCall | None = None
        self._stopping = False
        self._in_call: set[str] = set()
        self._noted: dict[str, ModemRecord] = {}
        self._failing_since: dict[str, int] = {}
        self._ready = ready or _nothing
        self._early = frozenset(model.upper() for model in early_acknowledge)

    def start(self) -> None:
        """Opens every port; each modem is hung up first, whatever a crash has left it in."""
        for modem in self._modems:
            modem.start()

    async def stop(self) -> None:
        """No new calls; hangs up and makes sure of it, within bounded time."""
        self._stopping = True
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.nobody("the gateway stops")
        self.end_all("the gateway stops")
        await DeferredList([modem.stop() for modem in self._modems])

    # the planner's side

    def views(self) -> tuple[ModemView, ...]:
        """Every configured modem, ready or not."""
        return tuple(modem.view for modem in self._modems)

    def call(self, order: CallOrder, over: Callable[[CallEnd], None]) -> str:
        """Makes the call now; gives the modem's name, empty when none is ready. Raises `OperatorError`."""
        checked(order.number)
        if self._stopping:
            return ""
        modem = self._chosen(order)
        if modem is None:
            return ""
        self._make(modem, order, over)
        return modem.terms.name

    def call_when_ready(
        self, order: CallOrder, over: Callable[[CallEnd], None], nobody: Callable[[str], None], patience: float
    ) -> None:
        """Makes the call as soon as a modem is ready; ``nobody`` hears why none was, in vain for ``patience`` seconds.

        Raises `OperatorError` for what is no number or no modem.
        """
        self._check_modem(order)
        if self.call(order, over):
            return
        if self._stopping:
            nobody("the gateway stops")
            return
        self._waiting.append(_Waiting(order, over, nobody, self._facilities.clock.seconds() + patience))
        self._tell_waiting()

    def end_all(self, reason: str) -> None:
        """Hangs up everywhere."""
        for modem in self._modems:
            modem.end_call(CallResult.INTERRUPTED, reason)

    # the modems' side

    def modem_ready(self, modem: Modem) -> None:
        """Who waits goes first, then the planner."""
        self._facilities.clock.callLater(0, self._serve)

    def modem_changed(self, modem: Modem) -> None:
        """Notes how it is, for whoever asks; not how it ends: what it was until then tells more."""
        view = modem.view
        if modem.facts.found_on_line:
            modem.facts.found_on_line = False
            name, at_ms = view.name, self._facilities.now_ms()
            logger.warning("modem %s was still on line from an earlier call, and has been hung up", name)
            self._facilities.writer.call(lambda store: store.found_on_line(name, at_ms), _ignore_store)
        if view.state in _ENDS:
            return
        state = "ready" if view.state == "checking" else view.state
        now_ms, before = self._facilities.now_ms(), self._noted.get(view.name)
        if state == "opening" and before is not None and before.state == "waiting":
            return  # one more try
        since_ms = before.since_ms if before is not None and before.state == state else now_ms
        if state == "ready":
            self._failing_since.pop(view.name, None)
        elif state in _FAILS:  # whatever was tried in the meantime
            since_ms = self._failing_since.setdefault(view.name, since_ms)
        wait = None if modem.next_try is None else modem.next_try - self._facilities.clock.seconds()
        next_ms = None if wait is None else now_ms + round(wait * 1000)
        record = ModemRecord(view.name, state, since_ms, view.why, view.operator, view.signal, next_ms)
        if before is not None and before == replace(record, signal=before.signal) and _near(before, record):
            return
        self._noted[view.name] = record
        self._facilities.writer.call(lambda store: store.note_modem(record), _ignore_store)

    def modem_rings(self, modem: Modem, number: str, kind: str) -> None:
        """Looks up who calls, and takes the call if it may be taken."""
        if self._stopping:
            return
        if kind.upper().startswith("VOICE"):
            logger.info("modem %s: a voice call from %s is not taken", modem.terms.name, masked(number) or "somebody")
            return

        def work(store: Store) -> tuple[MeterRecord, KnownMeter] | None:
            record = self._known_at(store, number) if number else None
            return None if record is None else (record, store.known_meter(record.serial))

        def found(result: tuple[MeterRecord, KnownMeter] | GatewayError | None) -> None:
            if isinstance(result, StoreError):
                logger.warning("modem %s: who calls could not be looked up: %s", modem.terms.name, result)
            elif isinstance(result, tuple):
                self._take(modem, number, *result)
            elif modem.terms.answer is Answer.ANY:
                self._take(modem, number, None, None)
            else:
                who = masked(number) or "a hidden number"
                logger.warning("modem %s: a call from %s is no known meter's and is not taken", modem.terms.name, who)

        self._facilities.writer.call(work, found)

    # inside

    def _chosen(self, order: CallOrder) -> Modem | None:
        fit = [modem for modem in self._modems if modem.ready and self._may(modem, order)]
        if others := [modem for modem in fit if modem.terms.name != order.avoid]:
            fit = others
        return min(fit, key=lambda modem: modem.used_at, default=None)

    def _may(self, modem: Modem, order: CallOrder) -> bool:
        if order.modem and modem.terms.name != order.modem:
            return False
        return not order.operator or order.operator == modem.view.operator

    def _check_modem(self, order: CallOrder) -> None:
        checked(order.number)
        names = [modem.terms.name for modem in self._modems]
        if order.modem and order.modem not in names:
            raise OperatorError(f"there is no modem {order.modem!r}; configured are {', '.join(names) or 'none'}")
        if not names:
            raise OperatorError("no modem is configured: give the gateway a [[modem]]")

    def _make(self, modem: Modem, order: CallOrder, over: Callable[[CallEnd], None]) -> None:
        bearers = order.bearers or modem.terms.bearers
        errand = self._fit(order.errand)
        known = errand.known
        if known is not None and (best := known.memory.get(BEARER, "")) in bearers:
            bearers = (best, *(one for one in bearers if one != best))
        order = replace(order, bearers=bearers, errand=errand)
        serial = order.errand.serial
        self._in_call.add(serial)
        call: list[Call] = []

        def ended(end: CallEnd) -> None:
            self._in_call.discard(serial)
            self._learn(call[0], known)
            over(end)

        call.append(Call(order, self._facilities, modem.terms.name, ended))
        modem.call(call[0])

    def _take(self, modem: Modem, number: str, record: MeterRecord | None, known: KnownMeter | None) -> None:
        if not modem.ready:
            return
        if record is not None and record.state is not MeterState.ACTIVE:
            logger.info(
                "modem %s: meter %s is %s, its call is not taken", modem.terms.name, record.serial, record.state
            )
            return
        known = None if known is None else self._paid(known, record)
        errand = Errand(self._callers.codecs_of(record), record, known, ReadOrder())

        def meet(line: Line, errand: Errand) -> PhoneCaller:
            return PhoneCaller(line, self._facilities, errand, modem.terms.role, self._presence, self._fit)

        modem.take(Call(CallOrder(number, errand), self._facilities, modem.terms.name, _ignore, meet))

    def _fit(self, errand: Errand) -> Errand:
        """An errand as it is run over a call."""
        if errand.known is None:
            return errand
        return replace(errand, known=replace(self._paid(errand.known, errand.record), order=errand.order))

    def _paid(self, known: KnownMeter, record: MeterRecord | None) -> KnownMeter:
        """What is known of a meter that is spoken to over a call."""
        early = record is not None and record.model.upper() in self._early
        return replace(known, airtime=True, early_acknowledge=early)

    def _known_at(self, store: Store, number: str) -> MeterRecord | None:
        exact = store.meter_at(f"csd:{number}")
        if exact is not None:
            return exact
        for record in store.meters(Filter()):
            for text in record.routes:
                if not text.startswith("csd:"):
                    continue
                with suppress(OperatorError):  # one that was let in before and would not be now is nobody's number
                    route = parse_route(text)
                    if isinstance(route, CsdRoute) and same_number(route.number, number, self._numbers.last_digits):
                        return record
        return None

    def _learn(self, call: Call, known: KnownMeter | None) -> None:
        """With which bearer the meter was reached: the next call begins with it."""
        record = call.record
        if known is None or record.connected_ms is None or not record.bearer:
            return
        if known.memory.get(BEARER) != record.bearer and len(call.order.bearers) > 1:
            serial, bearer = known.serial, record.bearer
            self._facilities.writer.call(lambda store: store.remember(serial, BEARER, bearer), _ignore_store)

    def _serve(self) -> None:
        for one in tuple(self._waiting):
            if self.call(one.order, one.over):
                self._waiting.remove(one)
        if not self._stopping:
            self._ready()

    def _tell_waiting(self) -> None:
        """Says why nobody dials yet, again and again, to who waits for it."""
        self._tick = None
        now = self._facilities.clock.seconds()
        for one in tuple(self._waiting):
            why = "; ".join(
                f"modem {view.name}: {view.state}{f' ({view.why})' if view.why else ''}"
                for view in self.views()
                if not one.order.modem or view.name == one.order.modem
            )
            if now >= one.until:
                self._waiting.remove(one)
                one.nobody(f"no modem was ready: {why}")
            else:
                one.order.errand.progress(Progress(f"waits for a modem: {why}"))
        if self._waiting and not self._stopping:
            self._tick = self._facilities.clock.callLater(PROGRESS_SECONDS, self._tell_waiting)

    def _pin_memory(self, name: str) -> PinMemory:
        writer = self._facilities.writer

        async def tried() -> str:
            answer: Deferred[str | GatewayError] = Deferred()
            writer.call(lambda store: store.pin_tried(name), answer.callback)
            said = await answer
            if isinstance(said, GatewayError):
                raise said
            return said

        async def note(mark: str) -> None:
            answer: Deferred[GatewayError | None] = Deferred()
            writer.call(lambda store: store.note_pin_tried(name, mark), answer.callback)
            if isinstance(failed := await answer, GatewayError):
                raise failed

        return PinMemory(tried, note)


def _ignore(_: CallEnd) -> None:
    return


def _near(before: ModemRecord, now: ModemRecord) -> bool:
    if before.signal is None or now.signal is None:
        return before.signal == now.signal
    return abs(before.signal - now.signal) < _SIGNAL_STEPS


def _ignore_store(failed: StoreError | None) -> None:
    if isinstance(failed, StoreError):
        logger.warning("the bearer of a meter, or how a modem is, was not noted: %s", failed)


def _nothing() -> None:
    return
