"""Opens lines for errands: which route needs which way, and which this gateway does not have yet."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from gateway_server.errors import LineError, OperatorError
from gateway_server.model import Outcome
from gateway_server.session.endings import Ending, ending
from gateway_server.session.line import Line
from gateway_server.session.plan import Facilities
from gateway_server.transports.calls import CallEnd, CallOrder
from gateway_server.transports.errand import Errand
from gateway_server.transports.modem.pool import ModemPool
from gateway_server.transports.routes import CallerRoute, CsdRoute, FtpRoute, Route, SerialRoute, TcpRoute
from gateway_server.transports.serial import open_port
from gateway_server.transports.tcp import KeepAlive, connect
from gateway_server.transports.visit import Visit

_NO_MODEM = "calls by modem (csd:) need a [[modem]] in the configuration, and the part `csd` of the gateway"


class Dispatch:
    """Reaches meters over the routes that we open ourselves."""

    def __init__(
        self,
        reactor: Any,
        facilities: Facilities,
        keep_alive: KeepAlive,
        connect_seconds: float,
        pool: ModemPool | None = None,
        wait_for_modem: float = 300.0,
    ) -> None:
        self._reactor = reactor
        self._facilities = facilities
        self._keep_alive = keep_alive
        self._connect_seconds = connect_seconds
        self._pool = pool
        self._wait_for_modem = wait_for_modem
        self._visits: set[Visit] = set()

    def can_open(self, route: Route) -> str:
        """Empty, or why this route cannot be opened."""
        match route:
            case CallerRoute():
                return "the meter has to call in by itself, and is not on a line now"
            case CsdRoute():
                return "" if self._pool is not None else _NO_MODEM
            case FtpRoute():
                return "a meter that uploads (ftp:) cannot be asked"
            case _:
                return ""

    def send(self, route: Route, errand: Errand) -> None:
        """Reaches the meter and runs the errand; its ``ended`` is called in every case."""
        Deferred.fromCoroutine(self._send(route, errand)).addErrback(
            lambda failure: errand.ended(ending(failure.value, "", errand.serial, 0, unclaimed=False))
        )

    def end_all(self, reason: str) -> None:
        """Ends every visit."""
        for visit in tuple(self._visits):
            visit.end(reason)

    async def _send(self, route: Route, errand: Errand) -> None:
        visits: list[Visit] = []

        def meet(line: Line) -> Visit:
            visit = Visit(line, self._facilities, errand, self._visits.discard)
            visits.append(visit)
            self._visits.add(visit)
            return visit

        try:
            if isinstance(route, TcpRoute):
                await connect(self._reactor, route.host, route.port, self._connect_seconds, self._keep_alive, meet)
            elif isinstance(route, SerialRoute):
                open_port(self._reactor, route, meet)
            elif isinstance(route, CsdRoute) and self._pool is not None:
                self._dial(self._pool, route, errand)
                return
            else:
                raise LineError(self.can_open(route))
        except (LineError, OperatorError) as failed:
            errand.ended(Ending(Outcome.LINE_LOST, str(failed), errand.serial, error=failed))
            return
        visits[0].begin()

    def _dial(self, pool: ModemPool, route: CsdRoute, errand: Errand) -> None:
        """Calls as soon as a modem is ready; the errand ends with the call's session, or with why there was none."""

        def nobody(why: str) -> None:
            errand.ended(Ending(Outcome.LINE_LOST, why, errand.serial, error=LineError(why)))

        pool.call_when_ready(CallOrder(route.number, errand, modem=route.modem), _told, nobody, self._wait_for_modem)


def _told(_: CallEnd) -> None:
    """The errand has heard all that it wants to know; the call's record is in the store."""
