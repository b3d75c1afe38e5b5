"""Reading a meter and probing a port without a running gateway: the same parts, joined for one piece of work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from gateway_server.app import codecs_of, dispatch_of, pool_of, writer_of
from gateway_server.codec.dialogue import Progress
from gateway_server.codec.registry import Registry, load_codecs
from gateway_server.config import Config
from gateway_server.errors import GatewayError, LineError, OperatorError, UnknownMeter
from gateway_server.model import KnownMeter, ReadOrder
from gateway_server.session.endings import Ending
from gateway_server.session.plan import Facilities
from gateway_server.session.sweep import Sweep
from gateway_server.store.records import MeterRecord, SessionKey
from gateway_server.store.store import Store
from gateway_server.transports.errand import Errand
from gateway_server.transports.modem.pool import ModemPool
from gateway_server.transports.probe import Attempt, probe
from gateway_server.transports.routes import CsdRoute, Route, parse_route

T = TypeVar("T")


async def read_once(
    reactor: Any,
    config: Config,
    serial: str,
    order: ReadOrder,
    route: str,
    on_progress: Callable[[Progress], None],
    *,
    now_ms: Callable[[], int],
    registry: Registry | None = None,
) -> tuple[Ending, int]:
    """Reads one meter without a running gateway: over ``route``, or its own routes in their order.

    Gives the ending and the session's number (0 if there was none). Raises `OperatorError`, `LineError` if no route
    led to the meter.
    """
    registry = registry if registry is not None else load_codecs(config.plugin_folders)
    async with _Brief(reactor, config, now_ms) as brief:
        record, known = await brief.ask(lambda store: _entry(store, serial))
        routes = [parse_route(text) for text in ((route,) if route else record.routes)]
        if not routes:
            raise OperatorError(
                f"meter {serial} has no route; give it one (`gateway-server meter add {serial} --route tcp:HOST:PORT`)"
                " or name one with --via"
            )
        codecs = codecs_of(record, config, registry)
        pool = _pool_for(routes, reactor, config, registry, brief.facilities)
        dispatch = dispatch_of(reactor, config, brief.facilities, pool)
        why = []
        try:
            for way in routes:
                if hindrance := dispatch.can_open(way):
                    why.append(hindrance)
                    continue
                over: Deferred[Ending] = Deferred()
                keys: list[SessionKey] = []
                errand = Errand(
                    codecs,
                    record,
                    known,
                    order,
                    started=lambda session: keys.append(session.key),  # noqa: B023  # called before the next turn
                    progress=on_progress,
                    ended=over.callback,
                )
                dispatch.send(way, errand)
                ending = await over
                if keys:
                    return ending, await brief.number_of(keys[0])
                why.append(ending.detail)
        finally:
            dispatch.end_all("the reading was stopped")  # nobody is left when it came to its end by itself
            if pool is not None:
                await pool.stop()
        raise LineError(f"meter {serial} was not reached: {'; '.join(why)}")


async def probe_once(
    reactor: Any,
    config: Config,
    port: str,
    tried: Callable[[Attempt], None],
    *,
    now_ms: Callable[[], int],
    registry: Registry | None = None,
) -> list[Attempt]:
    """Tries speeds, formats and codecs on a local port. Raises `LineError` if it cannot be opened."""
    registry = registry if registry is not None else load_codecs(config.plugin_folders)
    async with _Brief(reactor, config, now_ms) as brief:
        return await probe(reactor, brief.facilities, port, tuple(registry), tried)


class _Brief:
    """The store and its facilities for one piece of work."""

    def __init__(self, reactor: Any, config: Config, now_ms: Callable[[], int]) -> None:
        self._writer = writer_of(reactor, config, lambda error: None)
        self.facilities = Facilities(self._writer, reactor, now_ms, Sweep(reactor))

    async def __aenter__(self) -> _Brief:
        self._writer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.facilities.sweep.stop()
        await self._writer.stop()

    async def number_of(self, key: SessionKey) -> int:
        """A session's number in the store, once it is written there."""
        return await self.ask(lambda store: key.id)

    async def ask(self, work: Callable[[Store], T]) -> T:
        """Asks the store something, on its thread. Raises what it says."""
        answer: Deferred[T | GatewayError] = Deferred()
        self._writer.call(work, answer.callback)
        said = await answer
        if isinstance(said, GatewayError):
            raise said
        return said


def _entry(store: Store, serial: str) -> tuple[MeterRecord, KnownMeter]:
    record = store.meter(serial)
    if record is None:
        raise UnknownMeter(f"meter {serial} is not in the register; `gateway-server meter add {serial}`")
    return record, store.known_meter(serial)


def _pool_for(
    routes: Sequence[Route], reactor: Any, config: Config, registry: Registry, facilities: Facilities
) -> ModemPool | None:
    """The modems that these routes need, at work; None if they need none or there is none."""
    ways = [route for route in routes if isinstance(route, CsdRoute)]
    if not ways or not config.modem:
        return None
    names = [way.modem for way in ways]
    known = [modem.name for modem in config.modem]
    if unknown := [name for name in names if name and name not in known]:
        raise OperatorError(f"there is no modem {unknown[0]!r}; configured are {', '.join(known)}")
    pool = pool_of(reactor, config, registry, facilities, [] if "" in names else names)
    pool.start()
    return pool
