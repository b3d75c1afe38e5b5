"""A folder of another FTP server, looked at again and again: whatever rests there is taken in, once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from gateway_server.errors import GatewayError, OperatorError, StoreError
from gateway_server.session.plan import Facilities
from gateway_server.store.records import FileRecord, FileState
from gateway_server.store.store import Store
from gateway_server.transports.folder import Folder, FolderFile, LeftOut, Why, deliver, known_as, no_meter, path_text

logger = logging.getLogger(__name__)

T = TypeVar("T")

_FILES_A_TURN = 100  # looked at before others get their turn
_ITSELF = ("", "")
_WORTH_TELLING = (Why.UNREADABLE, Why.NOBODYS)
_AHEAD = "in the future"
_FAST_MS = 2000  # how far ahead of ours the clock of whoever wrote a file may be, on the same machine or over a network


@dataclass(frozen=True, slots=True)
class FolderWatch:
    """How a folder is watched: every so many seconds; a file must not have changed for ``rest`` seconds."""

    name: str
    folder: Folder
    every: float
    rest: float
    most_bytes: int


class Watcher:
    """Watches one folder. ``stored`` is called with the numbers of files that came whole."""

    def __init__(self, facilities: Facilities, watch: FolderWatch, stored: Callable[[Sequence[int]], None]) -> None:
        self._facilities = facilities
        self._watch = watch
        self._stored = stored
        self._seen: dict[tuple[str, str], tuple[int, int]] = {}  # account and name: size and time, of what is taken in
        self._ahead: dict[tuple[str, str], tuple[int, int]] = {}  # the same of those written in the future, when seen
        self._told: set[tuple[str, str]] = set()  # of what was complained
        self._due: IDelayedCall | None = None
        self._turn: IDelayedCall | None = None
        self._running = False

    def start(self) -> None:
        """Looks at once, and then again and again."""
        self._running = True
        self._look()

    def stop(self) -> None:
        """Takes in nothing more; what was begun is incomplete and taken in again by the next start."""
        self._running = False
        for call in (self._due, self._turn):
            if call is not None and call.active():
                call.cancel()

    def _look(self) -> None:
        self._due = None
        Deferred.fromCoroutine(self._round()).addBoth(self._rounded)

    def _rounded(self, failed: object) -> None:
        if failed is not None:
            logger.error("folder %s: %s", self._watch.name, getattr(failed, "value", failed))
        if self._running:
            self._due = self._facilities.clock.callLater(self._watch.every, self._look)

    async def _round(self) -> None:
        try:
            for number, file in enumerate(self._watch.folder.files()):
                if file is None or number % _FILES_A_TURN == 0:
                    await self._others_turn()
                if isinstance(file, LeftOut):
                    if file.why in _WORTH_TELLING:
                        self._complain(("", path_text(file.path)), str(file))
                elif file is not None and self._wanted(file):
                    await self._take_in(file)
            self._told.discard(_ITSELF)
        except OperatorError as error:
            self._complain(_ITSELF, str(error))

    def _wanted(self, file: FolderFile) -> bool:
        key = (file.login, file.name)
        if self._seen.get(key) == (file.size, file.modified_ms):
            return False
        age_ms = self._facilities.now_ms() - file.modified_ms
        if age_ms < -_FAST_MS:
            now = (file.size, file.modified_ms)
            before = self._ahead.get(key)
            self._ahead[key] = now
            if before != now:
                place = path_text(file.path)
                self._complain(
                    (_AHEAD, place),
                    f"{place} was written in the future, so one of the clocks is wrong; it is taken in when it has not"
                    " changed from one look to the next",
                )
                return False
        elif age_ms < 1000 * self._watch.rest:
            return False  # somebody may be writing it still
        if file.size > self._watch.most_bytes:
            self._complain(
                key, f"{path_text(file.path)} has {file.size} bytes, more than the {self._watch.most_bytes} allowed"
            )
            return False
        return True

    async def _take_in(self, file: FolderFile) -> None:
        key = (file.login, file.name)
        try:
            known, serial = await self._ask(lambda store: _known_and_whose(store, file))
            if file.login and not serial:
                self._complain(
                    (file.login, ""), f"{no_meter(file.login)}; its files wait unless they say whose they are"
                )
            if not known:
                record = await self._delivered(file, serial)
                if record.state is FileState.INCOMPLETE:
                    return  # it changed while it was read: it is taken in when it rests
                if record.state is FileState.STORED:
                    self._stored((record.id,))
        except (OSError, StoreError) as error:
            self._complain(key, f"{path_text(file.path)} was not taken in: {error}; it is tried again")
            return
        self._told.discard(key)
        self._ahead.pop(key, None)
        self._seen[key] = (file.size, file.modified_ms)

    async def _delivered(self, file: FolderFile, serial: str) -> FileRecord:
        answer: Deferred[FileRecord | GatewayError] = Deferred()
        facilities = self._facilities
        for _ in deliver(facilities.writer, file, serial, self._watch.name, facilities.now_ms, answer.callback):
            await self._others_turn()
        return _said(await answer)

    async def _ask(self, work: Callable[[Store], T]) -> T:
        answer: Deferred[T | GatewayError] = Deferred()
        self._facilities.writer.call(work, answer.callback)
        return _said(await answer)

    async def _others_turn(self) -> None:
        turn: Deferred[None] = Deferred()
        self._turn = self._facilities.clock.callLater(0, turn.callback, None)
        await turn

    def _complain(self, key: tuple[str, str], why: str) -> None:
        if key not in self._told:
            self._told.add(key)
            logger.warning("folder %s: %s", self._watch.name, why)


def _known_and_whose(store: Store, file: FolderFile) -> tuple[bool, str]:
    account = store.upload_account(file.login) if file.login else None
    return known_as(store, file) is not None, account.serial if account else ""


def _said(answer: T | GatewayError) -> T:
    if isinstance(answer, GatewayError):
        raise answer
    return answer
