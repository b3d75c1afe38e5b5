"""An order on its way to a meter, and who wants to hear how it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway_server.codec.codec import Codec
from gateway_server.codec.dialogue import Progress
from gateway_server.model import KnownMeter, ReadOrder
from gateway_server.session.endings import Ending
from gateway_server.session.session import Session
from gateway_server.store.records import MeterRecord


def _say_nothing(_: object) -> None:
    return


@dataclass(frozen=True, slots=True)
class Errand:
    """What to obtain from one meter; without ``record`` and ``known`` from whichever meter answers.

    ``job`` is its order's number in the store, 0 when nobody keeps one. ``ended`` is called once, whatever happens.
    """

    codecs: tuple[Codec, ...]
    record: MeterRecord | None = None
    known: KnownMeter | None = None
    order: ReadOrder = field(default_factory=ReadOrder)
    job: int = 0
    started: Callable[[Session], None] = _say_nothing
    progress: Callable[[Progress], None] = _say_nothing
    ended: Callable[[Ending], None] = _say_nothing

    @property
    def serial(self) -> str:
        """The meter's serial number, if it is known beforehand."""
        return self.record.serial if self.record is not None else ""
