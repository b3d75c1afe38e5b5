"""What all connections of the FTP thread share: the way to the store, limits that count together, and the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, TypeVar

from gateway_server.errors import StoreError
from gateway_server.model import Direction, Outcome
from gateway_server.store.passwords import Verifier
from gateway_server.store.records import FileRecord, FileState, SessionOpening, UploadAccount
from gateway_server.store.store import Store
from gateway_server.transports.ftp.delivery import PIECE, Delivery, Entry
from gateway_server.transports.ftp.doors import Doors
from gateway_server.transports.ftp.landing import Answer, Landing
from gateway_server.transports.ftp.login import Logins
from gateway_server.transports.ftp.remains import Remains
from gateway_server.transports.ftp.thread import FtpThread
from gateway_server.transports.ftp.usage import DAY_MS, Usage

logger = logging.getLogger(__name__)

T = TypeVar("T")

MOST_AHEAD = 16 << 20  # bytes handed over that the reactor, or the store, has not taken yet
_MOST_LINES = 20  # of the log, and sessions without an upload, in `_LINES_SECONDS`
_LINES_SECONDS = 10.0


class Desk:
    """Belongs to the FTP thread, but for `hold`, `go_on` and `full`, which the reactor's side calls through it."""

    def __init__(self, thread: FtpThread, landing: Landing, now_ms: Callable[[], int]) -> None:
        self.thread = thread
        self.landing = landing
        self.now_ms = now_ms
        self.logins = Logins(thread, self.ask, Verifier(), now_ms, monotonic)
        self.doors = Doors(thread.loop)
        self.remains = Remains(thread.loop)
        self.full = False
        self.receiving: dict[Any, Delivery] = {}  # by control connection
        self.usage = Usage(now_ms)
        self._handed = 0
        self._committing = 0  # bytes of uploads that wait for their commit
        self._arrived: dict[int, None] = {}  # files that came whole and are to be decoded
        self._unique = 0
        self._store_behind = False
        self._ahead = False
        self._lines = 0
        self._lines_since = float("-inf")
        self._unsaid = 0
        self._remarks = 0
        self._remarks_since = float("-inf")

    # uploads

    def begin(self, control: Any, delivery: Delivery) -> None:
        """An upload begins."""
        self.receiving[control] = delivery
        self.usage.begin(delivery)

    def received(self, delivery: Delivery) -> None:
        """More of it came; a good piece goes to the store."""
        self.usage.received(delivery)
        if delivery.pending >= PIECE:
            self._hand_over(delivery)

    def end(self, control: Any, delivery: Delivery, why: str, answer: Answer | None) -> None:
        """An upload is over; ``why`` says what cut it off. ``answer`` is called in this thread after the commit."""
        self._forget(control, delivery)
        entries = delivery.take()
        if delivery.in_parts:
            self._count(entries)
            self.thread.hand_over(self.landing.end, delivery, entries, why, lambda r: self._ended(r, answer))
            return
        self._committing += delivery.size

        def taken(result: FileRecord | StoreError) -> None:
            self._committing -= delivery.size
            if isinstance(result, StoreError):
                self.thread.hand_over(self.landing.refused, delivery, entries, why, result)
            self._ended(result, answer)
            if self._ahead:
                self._look_ahead()

        self.landing.take(delivery, entries, why, taken)
        self._look_ahead()

    def _ended(self, result: FileRecord | StoreError, answer: Answer | None) -> None:
        if isinstance(result, FileRecord) and result.state is FileState.STORED:
            self._arrived[result.id] = None
        if answer is not None:
            answer(result)

    def renamed(self, file: FileRecord) -> None:
        """A file has got its name."""
        if file.state is FileState.STORED:
            self._arrived[file.id] = None

    def unheard(self, file: FileRecord) -> None:
        """The client of this file was gone when it should be told that it is safe."""
        self._arrived.pop(file.id, None)
        self.thread.hand_over(self.landing.unheard, file)

    def drop(self, control: Any, delivery: Delivery, outcome: Outcome, why: str) -> None:
        """Nothing ever came of an upload: no file, only what was said."""
        self._forget(control, delivery)
        opening = SessionOpening(
            "ftp", delivery.remote, delivery.started_ms, delivery.serial, listener=delivery.listener,
            caller=delivery.login,
        )  # fmt: skip
        self.thread.hand_over(self.landing.remark, opening, self.now_ms(), outcome, why, delivery.take())

    def sweep(self) -> None:
        """What came a while ago goes to the store although it is little."""
        for delivery in self.receiving.values():
            if delivery.pending:
                self._hand_over(delivery)
        self._look_ahead()
        self.remains.sweep()
        if self._arrived:  # not at once: their clients are told first, and may turn out to be gone
            self.thread.hand_over(self.landing.arrived, tuple(self._arrived))
            self._arrived.clear()

    def ask(self, work: Callable[[Store], T], answer: Callable[[T | StoreError], None]) -> None:
        """Asks the store something, behind all that was handed over before; ``answer`` is called in this thread."""
        self.thread.hand_over(self.landing.ask, work, answer)

    def unique(self) -> int:
        """A number that no file's name had before."""
        self._unique = max(self._unique + 1, self.now_ms())
        return self._unique

    def recall(self) -> None:
        """Takes in what accounts have uploaded today already, before this start of the gateway."""
        now_ms = self.now_ms()
        day = now_ms // DAY_MS

        def recalled(uploaded: dict[tuple[str, str], tuple[int, int]] | StoreError) -> None:
            if isinstance(uploaded, StoreError):
                logger.warning("what accounts have uploaded today does not count for their quotas: %s", uploaded)
            else:
                self.usage.recall(day, uploaded)

        self.ask(lambda store: store.uploaded(day * DAY_MS, now_ms), recalled)

    def look_for_own(self, shared: Sequence[str]) -> None:
        """Tells of meters whose own account has the login of a shared one, which always wins."""

        def looked(found: list[UploadAccount] | StoreError) -> None:
            for account in found if isinstance(found, list) else ():
                logger.warning(
                    "meter %s has the route ftp:%s, but that is an account that meters share (`account` of [[ftp]]): "
                    "it cannot log in with its own password; give it another login, or take the route away",
                    account.serial,
                    account.login,
                )

        if shared:
            self.ask(lambda store: [one for login in shared if (one := store.upload_account(login))], looked)

    # the log

    def remark(self, opening: SessionOpening, why: str, said: list[Entry]) -> None:
        """A connection without an upload of which something is worth keeping: a session, at a bounded rate."""
        now = monotonic()
        if now - self._remarks_since >= _LINES_SECONDS:
            self._remarks_since, self._remarks = now, 0
        self._remarks += 1
        if self._remarks <= _MOST_LINES:
            self.thread.hand_over(self.landing.remark, opening, self.now_ms(), Outcome.REFUSED, why, said)

    def complain(self, text: str, *arguments: object) -> bool:
        """A line in the log, at a bounded rate; whether there was room for it."""
        now = monotonic()
        if now - self._lines_since >= _LINES_SECONDS:
            if self._unsaid:
                logger.warning("%d more refusals of uploaders were not logged one by one", self._unsaid)
            self._lines_since, self._lines, self._unsaid = now, 0, 0
        self._lines += 1
        if self._lines > _MOST_LINES:
            self._unsaid += 1
            return False
        logger.warning(text, *arguments)
        return True

    # what the reactor's side says, in this thread

    def hold(self) -> None:
        """The store is behind: clients wait."""
        self._store_behind = True
        self._apply()

    def go_on(self) -> None:
        """The store has caught up."""
        self._store_behind = False
        self._apply()

    def set_full(self, full: bool) -> None:  # the writer's signature
        """The store's disk is full, or has room again. Clients are told at once: their units pay for what they send."""
        self.full = full
        if full:
            for control in tuple(self.receiving):
                control.no_room()

    @property
    def held(self) -> bool:
        """Whether nothing is read from data connections for now."""
        return self._store_behind or self._ahead

    # inside

    def _hand_over(self, delivery: Delivery) -> None:
        delivery.in_parts = True
        entries = delivery.take()
        self._count(entries)
        self.thread.hand_over(self.landing.part, delivery, entries)

    def _count(self, entries: list[Entry]) -> None:
        self._handed += sum(len(data) for _, direction, data in entries if direction is Direction.FROM_METER)
        self._look_ahead()

    def _look_ahead(self) -> None:
        behind = self._handed - self.landing.taken + self._committing
        if self._ahead != (behind > (MOST_AHEAD // 2 if self._ahead else MOST_AHEAD)):
            self._ahead = not self._ahead
            self._apply()

    def _apply(self) -> None:
        held = self.held
        for control in self.receiving:
            if control.data_channel is not None:
                if held:
                    control.data_channel.hold()
                else:
                    control.data_channel.go_on()

    def _forget(self, control: Any, delivery: Delivery) -> None:
        self.receiving.pop(control, None)
        self.usage.end(delivery)
