"""Who is it? What the meter says of itself against what the register knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway_server.errors import UnknownMeter, cut
from gateway_server.model import Identify, KnownMeter, MeterState, Outcome, ReadOrder
from gateway_server.store.records import Filter, MeterRecord, SessionKey
from gateway_server.store.store import Store

LONGEST_SERIAL = 64


@dataclass(frozen=True, slots=True)
class Identity:
    """A meter as the register knows it. ``seen`` tells that the bytes of an unclaimed meter were kept before."""

    record: MeterRecord
    known: KnownMeter
    seen: bool

    @property
    def unclaimed(self) -> bool:
        """Whether it is nobody's yet."""
        return self.record.state is MeterState.UNCLAIMED

    def meter(self, order: ReadOrder) -> KnownMeter:
        """What the dialogue gets. Raises `UnknownMeter` for one that the operator has switched off."""
        serial = self.record.serial
        if self.record.state is MeterState.DISABLED:
            raise UnknownMeter(f"meter {serial} is switched off in the register; `gateway-server meter show {serial}`")
        if self.unclaimed and self.seen:
            # All it holds was kept at its first contact; until somebody claims it, that is enough of its traffic.
            order = ReadOrder(frozenset({"current"}))
        return replace(self.known, order=order, claimed=not self.unclaimed)


def look_up(key: SessionKey, said: Identify, at_ms: int, expected: str) -> Callable[[Store], Identity]:
    """Work for the store's thread: finds or registers the meter that answered.

    Raises `UnknownMeter` at once for one that does not have the ``expected`` serial number (empty: any), and for one
    that nothing tells.
    """
    if said.by_line and not expected:
        raise UnknownMeter(
            "neither what it said nor the way it came tells which meter it is; let its listener identify it by its"
            " registration or address, and give the meter that route: `gateway-server meter add SERIAL --route ...`"
        )
    serial = expected if said.by_line else said.serial.strip()
    if not serial:
        raise UnknownMeter("the meter gave no serial number")
    if len(serial) > LONGEST_SERIAL:
        raise UnknownMeter(
            f"what answered gives a serial number of {len(serial)} characters, {cut(serial)}; no meter's has more than"
            f" {LONGEST_SERIAL}: look at the bytes with `session show`"
        )
    if expected:
        if serial.lstrip("0") != expected.lstrip("0"):
            raise UnknownMeter(
                f"meter {expected} was expected, but {serial} answered; if the meter was exchanged, enter the"
                f" new one: `gateway-server meter add {serial} --route ...`"
            )
        serial = expected
    wanted = replace(said, serial=serial)

    def work(store: Store) -> Identity:
        record = store.identify(key, wanted, at_ms)
        seen = False
        if record.state is MeterState.UNCLAIMED:
            kept = Filter(serials=(record.serial,), outcomes=(Outcome.UNKNOWN_METER.value,), limit=1)
            seen = any(True for _ in store.sessions(kept))
        return Identity(record, store.known_meter(record.serial), seen)

    return work
