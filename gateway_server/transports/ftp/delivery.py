"""One upload on its way: what has come of it, and what was said about it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from gateway_server.model import Direction
from gateway_server.store.records import FileRecord, SessionKey, SessionOpening, Upload
from gateway_server.transports.ftp.paths import raw_of, readable
from gateway_server.transports.ftp.terms import Allowance

PIECE = 64 << 10  # bytes of one log entry, about

TOGETHER_MS = 250  # within which lines of the dialogue are one log entry, stamped with the first one's time

Entry = tuple[int, Direction, bytes]
Said = tuple[int, str]
"""A line of the dialogue over the control connection, with its time."""


class Delivery:
    """A STOR, APPE or STOU from its 150 to its last byte. The FTP thread fills it.

    ``in_parts``: some of it was handed over before its end. Then ``key`` is its session, once the reactor's side has
    opened one.
    """

    __slots__ = (
        "_entries",
        "_hash",
        "_now_ms",
        "_piece",
        "_pieced_ms",
        "allowances",
        "command",
        "counted",
        "former",
        "in_parts",
        "key",
        "listener",
        "login",
        "offset",
        "path",
        "remote",
        "serial",
        "shared",
        "size",
        "started_ms",
    )

    def __init__(
        self,
        command: str,
        path: str,
        login: str,
        serial: str,
        listener: str,
        remote: str,
        now_ms: Callable[[], int],
        former: FileRecord | None = None,
        offset: int = 0,
        *,
        shared: bool = False,
        allowances: tuple[Allowance, ...] = (),
    ) -> None:
        self.command = command
        self.path = path
        self.login = login
        self.serial = serial
        self.shared = shared
        self.allowances = allowances
        self.counted = 0  # bytes that count for these already
        self.listener = listener
        self.remote = remote
        self.former = former
        self.offset = offset
        self.started_ms = now_ms()
        self.in_parts = False
        self.key: SessionKey | None = None
        self.size = 0
        self._now_ms = now_ms
        self._hash = hashlib.sha256()
        self._entries: list[Entry] = []
        self._piece: list[bytes] = []
        self._pieced_ms = 0

    def received(self, data: bytes) -> None:
        """The next bytes of the file."""
        if not self._piece:
            self._pieced_ms = self._now_ms()
        self._piece.append(data)
        self._hash.update(data)
        self.size += len(data)

    def said(self, lines: Sequence[Said]) -> None:
        """What was said over the control connection, for the log, behind what has come so far."""
        self._cut()
        self._entries += notes(lines)
        if lines:
            self.started_ms = min(self.started_ms, lines[0][0])

    def remark(self, text: str) -> None:
        """Something of our own about it, for the log."""
        self.said([(self._now_ms(), text)])

    def take(self) -> list[Entry]:
        """What the log does not have yet."""
        self._cut()
        entries, self._entries = self._entries, []
        return entries

    @property
    def pending(self) -> int:
        """Bytes the log does not have yet."""
        return sum(map(len, self._piece))

    @property
    def whole_size(self) -> int:
        """How long the file is with what was kept of the former one."""
        return self.offset + self.size

    @property
    def sha256(self) -> str:
        """The hash over what came in this session."""
        return self._hash.hexdigest()

    def opening(self) -> SessionOpening:
        """What the store is told when it begins."""
        name, raw = stored_name(self.path)
        former = self.former
        upload = Upload(name, raw, former.id if former is not None else 0, self.offset)
        return SessionOpening(
            "ftp",
            self.remote,
            self.started_ms,
            serial=self.serial,
            listener=self.listener,
            caller=self.login,
            upload=upload,
        )

    def _cut(self) -> None:
        if self._piece:
            self._entries.append((self._pieced_ms, Direction.FROM_METER, b"".join(self._piece)))
            self._piece = []


def stored_name(path: str) -> tuple[str, bytes]:
    """A path as the store names the file (relative to the account's root), and its bytes if they are not UTF-8."""
    raw = raw_of(path.removeprefix("/"))
    name = readable(raw)
    return name, b"" if name.encode("utf-8", "replace") == raw else raw


def notes(lines: Sequence[Said]) -> list[Entry]:
    """Lines of the dialogue as log entries. An entry for each would cost more than the file's own; so those that follow
    each other closely share one, as they do where nobody waits for anything."""
    entries: list[Entry] = []
    together: list[str] = []
    began_ms = 0
    for at_ms, text in lines:
        if together and not 0 <= at_ms - began_ms < TOGETHER_MS:
            entries.append((began_ms, Direction.NOTE, "\n".join(together).encode("utf-8", "replace")))
            together = []
        if not together:
            began_ms = at_ms
        together.append(text)
    if together:
        entries.append((began_ms, Direction.NOTE, "\n".join(together).encode("utf-8", "replace")))
    return entries
