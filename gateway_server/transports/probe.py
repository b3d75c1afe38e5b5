"""What is at the other end of this cable? Speeds, formats and codecs tried in turn, every byte on record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred

from gateway_server.codec.codec import Asks, Codec, OnlyWhereNamed
from gateway_server.errors import MeterSilent
from gateway_server.model import Outcome, ReadOrder
from gateway_server.session.endings import Ending
from gateway_server.session.line import Line
from gateway_server.session.plan import Facilities
from gateway_server.session.session import Session
from gateway_server.store.records import SessionKey
from gateway_server.transports.errand import Errand
from gateway_server.transports.routes import SerialRoute
from gateway_server.transports.serial import open_port
from gateway_server.transports.visit import Visit

# In the order in which they were met: USB of the communication unit, wired interface 2, RS-485, the optical head.
SETTINGS = ((19200, "8N1"), (19200, "7E1"), (9600, "7E1"), (9600, "8N1"), (300, "7E1"), (2400, "7E1"), (4800, "7E1"))
ATTEMPT_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: how the port was set, what was spoken, and what came. ``session`` names its log."""

    baud: int
    format: str
    codec: str
    outcome: Outcome
    detail: str
    serial: str
    bytes_received: int
    session: SessionKey

    @property
    def answered(self) -> bool:
        """Whether a meter said who it is."""
        return bool(self.serial)

    @property
    def route(self) -> str:
        """The end of a route that reaches it this way."""
        return f"{self.baud}:{self.format}"


async def probe(
    reactor: Any,
    facilities: Facilities,
    port: str,
    codecs: Sequence[Codec],
    tried: Callable[[Attempt], None],
    settings: Sequence[tuple[int, str]] = SETTINGS,
) -> list[Attempt]:
    """Tries a port until a meter says who it is; gives every attempt. Raises `LineError` if there is no port."""
    attempts: list[Attempt] = []
    for baud, format, codec in tries(codecs, settings):
        attempt = await _attempt(reactor, facilities, SerialRoute(port, baud, format), codec)
        attempts.append(attempt)
        tried(attempt)
        if attempt.answered:
            break
    return attempts


def tries(codecs: Sequence[Codec], settings: Sequence[tuple[int, str]] = SETTINGS) -> Iterator[tuple[int, str, Codec]]:
    """What to try, in order: at each speed the codecs that know their meters, then those that name it themselves."""
    own = {codec.name: codec.probe_settings for codec in codecs if isinstance(codec, OnlyWhereNamed)}
    for setting in dict.fromkeys((*settings, *(one for named in own.values() for one in named))):
        for codec in sorted(codecs, key=lambda one: one.name in own):
            if isinstance(codec, Asks) and setting in own.get(codec.name, settings):
                yield *setting, codec


async def _attempt(reactor: Any, facilities: Facilities, route: SerialRoute, codec: Codec) -> Attempt:
    over: Deferred[Ending] = Deferred()
    sessions: list[Session] = []
    errand = Errand(
        (codec,),
        order=ReadOrder(frozenset({"current"})),
        started=sessions.append,
        ended=over.callback,
    )

    def meet(line: Line) -> Visit:
        visit = Visit(line, facilities, errand)
        reactor.callLater(0, visit.begin)
        return visit

    open_port(reactor, route, meet)
    give_up = reactor.callLater(ATTEMPT_SECONDS, lambda: _give_up(sessions))
    ending = await over
    if give_up.active():
        give_up.cancel()
    (session,) = sessions
    pause: Deferred[None] = Deferred()
    reactor.callLater(0.2, pause.callback, None)  # the port must be free again, and the meter done
    await pause
    return Attempt(
        route.baud,
        route.format,
        codec.name,
        ending.outcome,
        ending.detail,
        ending.serial,
        session.bytes_received,
        session.key,
    )


def _give_up(sessions: Sequence[Session]) -> None:
    for session in sessions:
        if not session.identified:
            session.finish(MeterSilent(f"no meter said who it is within {ATTEMPT_SECONDS:g} s"))
