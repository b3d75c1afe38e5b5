"""What a session is given: the process's facilities, what to do with the line, and who wants to hear of it."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from twisted.internet.interfaces import IReactorTime

from gateway_server.codec.codec import Codec
from gateway_server.codec.dialogue import Dialogue, Progress
from gateway_server.errors import CodecError
from gateway_server.model import KnownMeter, ReadOrder
from gateway_server.session.endings import Ending
from gateway_server.session.sweep import Sweep
from gateway_server.store.records import MeterRecord
from gateway_server.store.store import Writer

if TYPE_CHECKING:
    from gateway_server.session.session import Session


DEFAULT_ORDER = ReadOrder()


class Role(enum.Enum):
    """Who speaks first: the gateway asks, or it listens to what the meter pushes."""

    ASK = "ask"
    LISTEN = "listen"


@dataclass(frozen=True, slots=True)
class Facilities:
    """What all sessions of a process share. ``now_ms`` is UTC, ``clock`` measures how long something takes."""

    writer: Writer
    clock: IReactorTime
    now_ms: Callable[[], int]
    sweep: Sweep


class Plan(NamedTuple):
    """What to do with a line: the codecs in the order of trying, who speaks first, and what to obtain.

    ``serial`` is the meter we believe to be there, empty for any; ``expected`` what a codec that asks may know of it.
    """

    codecs: tuple[Codec, ...]
    role: Role = Role.ASK
    order: ReadOrder = DEFAULT_ORDER
    serial: str = ""
    expected: KnownMeter | None = None

    def dialogue(self, codec: Codec) -> Dialogue:
        """What a codec says in this role. Raises `CodecError` for one that cannot."""
        # `Asks` and `Answers` by their one method: to ask `isinstance` takes longer than the rest of an arrival.
        part = "answer" if self.role is Role.LISTEN else "read"
        begin: Any = getattr(codec, part, None)
        if begin is None:
            raise CodecError(f"the codec {codec.name} cannot {self.role.value}: its meters {_OTHERWISE[self.role]}")
        said: Dialogue = begin() if self.role is Role.LISTEN else begin(self.expected)
        return said


_OTHERWISE = {Role.LISTEN: "have to be asked", Role.ASK: "speak first"}


class Owner(Protocol):
    """Who began a session and wants to hear of it."""

    def session_identified(self, session: Session, meter: MeterRecord) -> None:
        """The meter is known. Raises `UnknownMeter` when it must not be spoken to here and now."""

    def session_progress(self, session: Session, progress: Progress) -> None:
        """How far the reading is."""

    def session_ended(self, session: Session, ending: Ending) -> None:
        """The session is over; the line is the owner's again."""
