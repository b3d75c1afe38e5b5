"""Files that came are decoded one after the other, behind everything that meters wait for.

Looking a file up and keeping what it says is work for the store's thread, reading it is done in a thread of its own.
While more files come, a rest is made after each as long as nine of its kind take: uploads wait for the same disk and
processor, and their clients pay for the time. When very many come at once (after an outage) the rests are longer, and
when none has come for a moment they are short.
A file that the gateway was stopped or killed over waits in the store and is found at the next start.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from twisted.internet.interfaces import IDelayedCall

from gateway_server.codec.registry import Registry
from gateway_server.errors import GatewayError
from gateway_server.session.plan import Facilities
from gateway_server.store.records import FileState, Filter
from gateway_server.store.store import Store
from gateway_server.workbench.containers import DEFAULT_LIMITS, ContainerLimits
from gateway_server.workbench.files import FileRead, Waiting, examine, keep, look_up
from gateway_server.workbench.sniff import Sniffed

logger = logging.getLogger(__name__)

MOST_REMEMBERED = 10_000  # files that wait in memory; the others wait in the store
_RESTS = 9.0  # of what a file took
_RESTS_IN_A_STORM = 49.0
_STORM = 50  # files that come together, which is within half a second
_SHORT_RESTS = 0.5
_MOMENT_SECONDS = 2.0
_AT_ONCE = 1000
_LOST_SECONDS = 60.0  # until a store that refused is asked again


class DecodingReactor(Protocol):
    """What decoding needs of the reactor."""

    def callFromThread(self, f: Callable[..., Any], /, *args: Any) -> Any: ...


class Decoding:
    """Decodes stored files; belongs to the reactor's thread. ``prefer`` are codecs to be asked first."""

    def __init__(
        self,
        reactor: DecodingReactor,
        facilities: Facilities,
        registry: Registry,
        prefer: Sequence[str] = (),
        limits: ContainerLimits = DEFAULT_LIMITS,
    ) -> None:
        self._reactor = reactor
        self._facilities = facilities
        self._registry = registry
        self._prefer = tuple(prefer)
        self._limits = limits
        self._waiting: OrderedDict[int, None] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, "decoding")
        self._running = False
        self._busy = False
        self._more = False  # some wait in the store that are not remembered
        self._began = 0.0
        self._came = float("-inf")
        self._storm = False
        self._rest: IDelayedCall | None = None

    def start(self) -> None:
        """Looks what waits in the store, and decodes it."""
        self._running = True
        self._look()

    def stop(self) -> None:
        """Begins nothing more; a file that is being read stays as it was."""
        self._running = False
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        self._thread.shutdown(wait=False, cancel_futures=True)

    def add(self, numbers: Iterable[int]) -> None:
        """These files have come."""
        numbers = tuple(numbers)
        self._came = self._facilities.clock.seconds()
        self._storm = len(numbers) >= _STORM
        self._take(numbers)

    def _take(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            if len(self._waiting) < MOST_REMEMBERED:
                self._waiting[number] = None
            else:
                self._more = True
        self._next()

    def _look(self) -> None:
        self._more = False
        self._busy = True
        wanted = Filter(states=(FileState.STORED.value,), limit=_AT_ONCE)
        self._facilities.writer.call(lambda store: [file.id for file in store.files(wanted)], self._looked)

    def _looked(self, found: list[int] | GatewayError) -> None:
        self._busy = False
        if isinstance(found, GatewayError):
            logger.warning("the store does not say which files wait to be decoded: %s", found)
            self._more = True
            self._pause(_LOST_SECONDS)
            return
        self._more = self._more or len(found) >= _AT_ONCE
        self._take(found)

    def _next(self) -> None:
        if self._busy or self._rest is not None or not self._running:
            return
        if self._waiting:
            number, _ = self._waiting.popitem(last=False)
            self._busy = True
            self._began = self._facilities.clock.seconds()
            self._facilities.writer.call(lambda store: self._fetch(store, number), self._fetched)
        elif self._more:
            self._look()

    def _fetch(self, store: Store, number: int) -> Waiting | None:
        record = store.file(number)
        if record is None or record.state is not FileState.STORED:
            return None
        return look_up(store, number, prefer=self._prefer, limits=self._limits)

    def _fetched(self, waiting: Waiting | GatewayError | None) -> None:
        if not self._running:
            return
        if waiting is None:
            self._done()
        elif isinstance(waiting, GatewayError):
            self._failed(waiting)
        else:
            self._thread.submit(self._read, waiting)

    def _read(self, waiting: Waiting) -> None:
        """In the thread."""
        read: Sniffed | Exception
        try:
            read = examine(self._registry, waiting)
        except Exception as fault:  # noqa: BLE001  # a codec's defect is told with the file
            read = fault
        self._reactor.callFromThread(self._examined, waiting, read)

    def _examined(self, waiting: Waiting, read: Sniffed | Exception) -> None:
        if not self._running:
            return
        if isinstance(read, Exception):
            logger.error("file %d could not be read", waiting.record.id, exc_info=read)
            read = Sniffed(trouble=f"{type(read).__name__}: {read}", broken=True)
        sniffed = read
        self._facilities.writer.call(lambda store: _keep(store, waiting, sniffed), self._kept)

    def _kept(self, result: FileRead | GatewayError | None) -> None:
        if result is None:
            self._done()
            return
        if isinstance(result, GatewayError):
            self._failed(result)
            return
        level = logging.WARNING if result.state is FileState.FAILED else logging.INFO
        said = result.detail or "read"
        logger.log(level, "file %d %s is %s: %s", result.file, result.name, result.state.value, said)
        self._done()

    def _failed(self, error: GatewayError) -> None:
        logger.warning("a file could not be decoded and waits: %s", error)
        self._busy = False
        self._more = True
        self._pause(_LOST_SECONDS)

    def _done(self) -> None:
        self._busy = False
        if self._waiting or self._more:
            now = self._facilities.clock.seconds()
            rests = _RESTS_IN_A_STORM if self._storm else _RESTS
            if now - self._came >= _MOMENT_SECONDS:
                rests = _SHORT_RESTS
            self._pause(rests * max(0.0, now - self._began))

    def _pause(self, seconds: float) -> None:
        if self._running and self._rest is None:
            self._rest = self._facilities.clock.callLater(seconds, self._rested)

    def _rested(self) -> None:
        self._rest = None
        self._next()


def _keep(store: Store, waiting: Waiting, sniffed: Sniffed) -> FileRead | None:
    """What was read, unless the file has grown or got another name meanwhile: then it has come once more, and what it
    was says nothing."""
    read, now = waiting.record, store.file(waiting.record.id)
    if now is None or (now.name, now.sha256) != (read.name, read.sha256):
        return None
    return keep(store, waiting, sniffed)
