"""Who calls? A listener's rules, tried in their order on what the line says first and where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from gateway_server.errors import GatewayError, UnknownMeter
from gateway_server.model import Identify, KnownMeter, MeterState
from gateway_server.session.line import Line
from gateway_server.session.plan import Role
from gateway_server.session.registration import Recogniser, Registration
from gateway_server.session.remarks import kept_out
from gateway_server.session.session import Session
from gateway_server.store.callers import KnownCaller
from gateway_server.store.records import MeterRecord
from gateway_server.store.store import Store
from gateway_server.transports.reception import Reception, Rule

CALLER = "caller:"

_Found = tuple[KnownCaller, KnownMeter | None]


class Enquirer(Protocol):
    """Who wants to know who calls."""

    def registered(self, found: Registration) -> None:
        """The modem said its name."""

    def heard(self, data: bytes, at: int) -> None:
        """Bytes that were for no rule, on record at offset ``at`` of the session's stream."""

    def recognised(self, meter: KnownCaller, known: KnownMeter | None) -> None:
        """It is this meter in care; ``known`` is there if it has to be asked."""

    def left_to_codec(self) -> None:
        """The codec has to find out."""

    def watch(self, seconds: float) -> None:
        """No answer can be expected after this time."""


class Identification:
    """Tries the rules on one session; done with when one of them tells, or leaves it to the codec, or none is left."""

    __slots__ = ("_caller", "_enquirer", "_line", "_reception", "_recogniser", "_rules", "_session", "_unread")

    def __init__(self, enquirer: Enquirer, reception: Reception, line: Line, session: Session) -> None:
        self._enquirer = enquirer
        self._reception = reception
        self._line = line
        self._session = session
        self._rules: Iterator[Rule] = iter(())
        self._recogniser: Recogniser | None = None
        self._caller = ""
        self._unread: list[tuple[int, bytes]] = []

    def begin(self) -> None:
        """Tries the first rule."""
        self._rules = iter(self._reception.rules)
        self._next_rule()

    def look_again(self, serial: str) -> None:
        """The line's meter is known, but the register may have changed since."""
        self._look_up(lambda store: _caller(store.meter(serial)))

    def received(self, data: bytes, at: int) -> None:
        """Bytes that are on record, at offset ``at`` of the session's stream."""
        recogniser = self._recogniser
        if recogniser is None:
            self._unread.append((at, data))
        else:
            self._recognise(recogniser, data)

    def overdue(self) -> bool:
        """The time is over. Tells whether it goes on all the same: without a registration."""
        recogniser = self._recogniser
        if recogniser is not None:
            self._registration_over(recogniser)
        return recogniser is not None

    # the rules

    def _next_rule(self) -> None:
        rule = next(self._rules, None)
        if rule is None:
            self._unknown()
        elif rule is Rule.CODEC:
            self._hand_over()
            self._enquirer.left_to_codec()
        elif rule is Rule.ADDRESS:
            self._look_up(self._by_address)
        else:
            assert self._reception.registration is not None
            self._recogniser = recogniser = Recogniser(self._reception.registration)
            self._enquirer.watch(self._reception.registration_seconds)
            unread, self._unread = self._unread, []
            if unread:  # it came while another rule was tried
                self._recognise(recogniser, b"".join(data for _, data in unread))

    def _recognise(self, recogniser: Recogniser, data: bytes) -> None:
        found = recogniser.feed(data)
        if found is not None:
            self._registered(found)
        elif recogniser.full:
            self._registration_over(recogniser)
        elif recogniser.pending:
            self._enquirer.watch(self._reception.settle_seconds)

    def _registration_over(self, recogniser: Recogniser) -> None:
        found = recogniser.settle()
        if found is not None:
            self._registered(found)
            return
        self._recogniser = None
        session = self._session
        if recogniser.came:
            self._unread.append((session.bytes_received - len(recogniser.came), recogniser.came))
        else:
            session.note("nothing was registered")
        self._enquirer.watch(self._reception.identify_seconds)
        self._next_rule()

    def _registered(self, found: Registration) -> None:
        self._recogniser = None
        session = self._session
        self._caller = session.caller = found.id
        rest_at = session.bytes_received - len(found.rest)
        session.note(kept_out(0, rest_at, f"registration as {found.id}"))
        if found.rest:
            self._unread.append((rest_at, found.rest))
        self._enquirer.watch(self._reception.identify_seconds)
        self._enquirer.registered(found)
        facilities = self._reception.facilities
        facilities.writer.contact(session.key, found.id, facilities.now_ms(), self._contacted)

    def _by_address(self, store: Store) -> KnownCaller | None:
        here = (self._line.remote, self._host)
        for place in here:
            serial = self._reception.addresses.get(place)
            if serial is not None:
                said, at_ms = Identify(serial), self._reception.facilities.now_ms()
                return KnownCaller.of(store.meter(serial) or store.identify(self._session.key, said, at_ms))
        return _caller(next(filter(None, (store.meter_at(f"tcp:{place}") for place in here)), None))

    @property
    def _host(self) -> str:
        return self._line.remote.rpartition(":")[0]

    # the register

    def _look_up(self, find: Callable[[Store], KnownCaller | None]) -> None:
        asks = self._reception.role is Role.ASK

        def work(store: Store) -> _Found | None:
            meter = find(store)
            if meter is None:
                return None
            # A meter that speaks first is not expected to be anything but its serial number.
            return meter, store.known_meter(meter.serial) if asks else None

        self._reception.facilities.writer.call(work, self._looked_up)

    def _contacted(self, found: KnownCaller | GatewayError) -> None:
        if isinstance(found, GatewayError):
            self._looked_up(found)
        elif self._reception.role is Role.ASK:
            self._look_up(lambda store: found)
        else:
            self._looked_up((found, None))

    def _looked_up(self, found: _Found | GatewayError | None) -> None:
        session = self._session
        if session.over:
            return
        if isinstance(found, GatewayError):
            session.finish(found)
        elif found is None or found[0].serial.startswith(CALLER):
            self._next_rule()
        elif found[0].state is MeterState.DISABLED:
            session.finish(UnknownMeter(f"meter {found[0].serial} is switched off in the register"))
        elif found[0].state is MeterState.UNCLAIMED:
            # Nobody has said that this meter is to be found here: whoever is, says so himself.
            self._hand_over()
            self._enquirer.left_to_codec()
        else:
            self._hand_over()
            self._enquirer.recognised(*found)

    def _hand_over(self) -> None:
        unread, self._unread = self._unread, []
        for at, data in unread:
            self._enquirer.heard(data, at)

    def _unknown(self) -> None:
        """No rule told who it is. A caller with a name has become an unclaimed entry of the register."""
        if self._caller:
            entry = f"{CALLER}{self._caller}"
            refusal = (
                f"caller {self._caller} belongs to no meter; its bytes are kept: `gateway-server meter claim {entry}`"
            )
        else:
            refusal = f"nobody is known at {self._host}; its bytes are kept"
        self._session.finish(UnknownMeter(refusal))


def _caller(meter: MeterRecord | None) -> KnownCaller | None:
    return None if meter is None else KnownCaller.of(meter)
