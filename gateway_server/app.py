"""Joins the parts to a gateway, starts and stops it in a stated order. The only place where this is done."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IListeningPort

from gateway_server.codec.codec import Codec, OnlyWhereNamed
from gateway_server.codec.registry import Registry, load_codecs
from gateway_server.config import Config, ListenerSettings, check_codecs, check_files
from gateway_server.errors import GatewayError, OperatorError, StoreError
from gateway_server.scheduler.decoding import Decoding
from gateway_server.scheduler.duty import Duty
from gateway_server.scheduler.wake import listen_for_wakes
from gateway_server.session.plan import Facilities, Role
from gateway_server.session.presence import Presence
from gateway_server.session.sweep import Sweep
from gateway_server.store.open import open_store, store_path
from gateway_server.store.records import MeterRecord
from gateway_server.store.sql import SqlStore
from gateway_server.store.store import Writer
from gateway_server.store.writer import ThreadWriter
from gateway_server.transports.admission import Admission
from gateway_server.transports.dispatch import Dispatch
from gateway_server.transports.folder_watch import Watcher
from gateway_server.transports.ftp.drop import FtpDrop
from gateway_server.transports.modem.bank import ModemBank
from gateway_server.transports.modem.pool import ModemPool
from gateway_server.transports.reception import Reception, Rule
from gateway_server.transports.routes import parse_route
from gateway_server.transports.tcp import InboundFactory, KeepAlive, listen

T = TypeVar("T")

logger = logging.getLogger(__name__)

PARTS = ("tcp", "ftp", "csd", "scheduler", "web")


@dataclass(frozen=True, slots=True)
class Place:
    """An open listener: its name and where it is."""

    name: str
    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.name}={self.address}:{self.port}"


class Gateway:
    """The running program. Made complete; `start` opens it, `stop` ends it, `over` tells when it must end."""

    def __init__(
        self, reactor: Any, config: Config, registry: Registry, now_ms: Callable[[], int], only: Sequence[str]
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._registry = registry
        self._only = frozenset(only or PARTS)
        self._writer = writer_of(reactor, config, self._broken, self._full, self._crowded)
        self._facilities = Facilities(self._writer, reactor, now_ms, Sweep(reactor))
        self._presence = Presence(reactor, config.limits.swaps_per_minute, lambda serial: self._duty.came(serial))
        self._admission = Admission(reactor, config.limits.sessions, config.limits.sessions_per_address)
        self._keep_alive = _keep_alive(config)
        self._pool = (
            pool_of(
                reactor,
                config,
                registry,
                self._facilities,
                ready=lambda: self._duty.modem_ready(),
                presence=self._presence,
            )
            if "csd" in self._only and config.modem
            else None
        )
        self._dispatch = dispatch_of(reactor, config, self._facilities, self._pool)
        self._duty = Duty(
            self._facilities,
            self._presence,
            self._dispatch,
            lambda record: codecs_of(record, config, registry),
            config.duty_terms(),
            self._pool if "scheduler" in self._only else None,
        )
        self._decoding = Decoding(reactor, self._facilities, registry, limits=config.limits.containers())
        self._drop: FtpDrop | None = None
        self._watchers = [
            Watcher(self._facilities, watch.folder_watch(config.folder), self._decoding.add) for watch in config.watch
        ]
        self._ports: list[IListeningPort] = []
        self._factories: list[InboundFactory] = []
        self._wakes: IListeningPort | None = None
        self._stopping: Deferred[None] | None = None
        self.places: list[Place] = []
        self.over: Deferred[GatewayError] = Deferred()
        self.notices = [*map(str, registry.problems)]

    @property
    def writer(self) -> Writer:
        """The way into the store."""
        return self._writer

    def cannot_open(self, route: str) -> str:
        """Why this gateway cannot reach a meter at this route; empty if it can. Raises `OperatorError`."""
        return self._dispatch.can_open(parse_route(route))

    @property
    def ready_line(self) -> str:
        """What `run` prints once everything is open."""
        return " ".join(["ready", *map(str, self.places)])

    async def start(self) -> None:
        """Opens the store, the listeners and the socket for wakes. Raises `OperatorError`; then nothing is open.

        A store without room is waited for: whoever starts the program again and again would not help.
        """
        await self._writer.begin()
        self._reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(self.stop()))
        try:
            path = store_path(self._config.store.url)
            if path is not None:
                self._wakes = await listen_for_wakes(self._reactor, path, self._duty.look)
            if "tcp" in self._only:
                for settings in self._config.listener:
                    await self._listen(settings)
            if "ftp" in self._only and (self._config.ftp or self._watchers):
                self._serve_uploads()
        except BaseException:
            await self.stop()
            raise
        if self._pool is not None:
            self._pool.start()
        if "scheduler" in self._only:
            self._duty.start()

    async def stop(self) -> None:
        """No new calls, end sessions, flush logs, close the store: in this order. A second call waits for the first."""
        if self._stopping is not None:
            waits: Deferred[None] = Deferred()
            self._stopping.addCallback(lambda _: waits.callback(None))
            await waits
            return
        self._stopping = Deferred()
        await DeferredList([_stopped(port) for port in (*self._ports, *filter(None, [self._wakes]))])
        self._duty.stop()
        if self._drop is not None:
            await self._drop.stop()
        for watcher in self._watchers:
            watcher.stop()
        self._decoding.stop()
        for factory in self._factories:
            factory.end_all("the gateway stops")
        self._dispatch.end_all("the gateway stops")
        if self._pool is not None:
            await self._pool.stop()
        self._facilities.sweep.stop()
        await self._writer.stop()
        stopping, self._stopping = self._stopping, Deferred()
        self._stopping.callback(None)
        stopping.callback(None)

    async def _listen(self, settings: ListenerSettings) -> None:
        reception = self._reception(settings)
        port, factory = await listen(self._reactor, settings.name, settings.endpoint, reception, self._keep_alive)
        self._ports.append(port)
        self._factories.append(factory)
        host: Any = port.getHost()
        place = Place(settings.name, getattr(host, "host", str(host)), getattr(host, "port", 0))
        self.places.append(place)
        logger.info("listener %s is open at %s:%d", place.name, place.address, place.port)

    def _serve_uploads(self) -> None:
        if self._config.ftp:
            self._open_drop()
        for watcher in self._watchers:
            watcher.start()
        self._decoding.start()

    def _open_drop(self) -> None:
        self._drop = drop = FtpDrop(self._reactor, self._facilities, self._decoding.add)
        for settings in self._config.ftp:
            host, port = drop.listen(settings.terms(self._config.folder))
            place = Place(settings.name, host, port)
            self.places.append(place)
            logger.info("ftp %s is open at %s:%d", place.name, place.address, place.port)
        drop.start()

    def _reception(self, settings: ListenerSettings) -> Reception:
        return Reception(
            name=settings.name,
            facilities=self._facilities,
            presence=self._presence,
            admission=self._admission,
            codecs=lambda: tuple([self._registry.get(name) for name in settings.codecs]),
            codec_named=lambda name: self._registry.get(name) if name in self._registry else None,
            rules=tuple(Rule(name) for name in settings.identify),
            role=Role(settings.role),
            registration=settings.registration_pattern(),
            heartbeats=settings.heartbeat_strings(),
            addresses=settings.addresses,
            registration_seconds=settings.registration_timeout,
            identify_seconds=settings.identify_timeout,
            identify_bytes=settings.identify_bytes,
            idle_seconds=settings.idle_timeout,
            poll_every=settings.poll_every,
            keep_open=settings.keep_open,
        )

    # what the store says

    def _broken(self, error: StoreError) -> None:
        if not self.over.called:
            self.over.callback(error)

    def _full(self, full: bool) -> None:  # the writer's signature
        self._admission.closed_because = "the store's disk is full; nothing could be acknowledged" if full else ""
        if self._drop is not None:
            self._drop.full(full)

    def _crowded(self, crowded: bool) -> None:  # the writer's signature
        for factory in self._factories:
            if crowded:
                factory.hold()
            else:
                factory.go_on()
        if self._drop is not None:
            if crowded:
                self._drop.hold()
            else:
                self._drop.go_on()


def make_gateway(
    reactor: Any,
    config: Config,
    *,
    now_ms: Callable[[], int],
    only: Sequence[str] = (),
    registry: Registry | None = None,
) -> Gateway:
    """A gateway as its configuration says, not yet started. Raises `OperatorError`.

    ``only`` leaves parts out (`PARTS`); ``now_ms`` is the wall clock.
    """
    registry = registry if registry is not None else load_codecs(config.plugin_folders)
    check_codecs(config, registry)
    check_files(config)
    for part in only:
        if part not in PARTS:
            raise OperatorError(f"there is no part {part!r}; the parts are {', '.join(PARTS)}")
    return Gateway(reactor, config, registry, now_ms, only)


def codecs_of(record: MeterRecord, config: Config, registry: Registry) -> tuple[Codec, ...]:
    """What a meter is spoken to in: its own codec, else its meter profile; else those of the listeners.

    Without any of these, all that know by an answer whether a meter is their own.
    """
    if record.codec or record.profile in registry:
        return (registry.get(record.codec or record.profile),)
    named = dict.fromkeys(name for listener in config.listener for name in listener.codecs)
    if named:
        return tuple(registry.get(name) for name in named)
    return tuple(codec for codec in registry if not isinstance(codec, OnlyWhereNamed))


class _Callers:
    """Who calls by modem, for the pool: what a meter is spoken to in."""

    def __init__(self, config: Config, registry: Registry) -> None:
        self._config = config
        self._registry = registry

    def codecs_of(self, record: MeterRecord | None) -> tuple[Codec, ...]:
        """Its own codec, or those that may be tried on a stranger."""
        return codecs_of(record or MeterRecord(serial=""), self._config, self._registry)


def pool_of(
    reactor: Any,
    config: Config,
    registry: Registry,
    facilities: Facilities,
    only: Sequence[str] = (),
    ready: Callable[[], None] | None = None,
    presence: Presence | None = None,
) -> ModemPool:
    """The modems, or those that ``only`` names; ``ready`` hears when one of them can make a call.

    In ``presence`` a meter that calls one of them is on a line of its own.
    """
    bank = ModemBank(reactor)
    return ModemPool(
        [modem.terms(config.folder) for modem in config.modem if not only or modem.name in only],
        facilities,
        bank.open_port,
        _Callers(config, registry),
        config.calls.numbers,
        bank.power_cycle,
        ready,
        config.calls.early_acknowledge,
        presence,
    )


def dispatch_of(reactor: Any, config: Config, facilities: Facilities, pool: ModemPool | None) -> Dispatch:
    """The ways that we open ourselves."""
    return Dispatch(
        reactor, facilities, _keep_alive(config), config.tcp.connect_timeout, pool, config.calls.wait_for_modem
    )


def writer_of(
    reactor: Any,
    config: Config,
    on_fatal: Callable[[Any], None],
    on_full: Callable[[bool], None] = lambda _: None,
    on_backlog: Callable[[bool], None] = lambda _: None,
) -> ThreadWriter:
    """The store's thread, not yet started."""

    def opened() -> SqlStore:
        return open_store(config.store.url, config.key_file)

    return ThreadWriter(reactor, opened, on_fatal=on_fatal, on_full=on_full, on_backlog=on_backlog)


def _keep_alive(config: Config) -> KeepAlive:
    tcp = config.tcp
    return KeepAlive(tcp.keep_alive_idle, tcp.keep_alive_interval, tcp.keep_alive_count, tcp.unacknowledged)


def _stopped(port: IListeningPort) -> Deferred[Any]:
    stopped: Any = port.stopListening()
    if isinstance(stopped, Deferred):
        return stopped
    done: Deferred[Any] = Deferred()
    done.callback(None)
    return done
