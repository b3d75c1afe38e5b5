"""Files that another FTP server received: taken in as if they had been uploaded here.

Each becomes a session of the transport ``file``, in which only the meter speaks. It was received when the other server
wrote it last; the session is when we took it. Nothing in the folder is changed, ever.
"""

from __future__ import annotations

import enum
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from gateway_server.errors import OperatorError, StoreError
from gateway_server.model import Direction, Outcome
from gateway_server.store.records import (
    FileRecord,
    FileState,
    Filter,
    SessionClosing,
    SessionOpening,
    Upload,
    UploadEnd,
)
from gateway_server.store.store import Store, Writer

TRANSPORT = "file"
PIECE = 64 << 10
UNFINISHED = ("*.part", "*.tmp", "*.filepart", "*.lock", ".*")
"""Names that other programs give to what they have not finished."""

_CHANGED = "the file changed while it was read; it is taken in whole when it rests"


@dataclass(frozen=True, slots=True)
class FolderFile:
    """One file of a folder. ``name`` is how the store names it: below its account's root, with ``/``.

    ``raw_name`` holds the name's bytes where they are not UTF-8; ``login`` is whose upload it was, empty if unknown.
    """

    path: Path
    name: str
    raw_name: bytes
    login: str
    size: int
    modified_ms: int


class Why(enum.Enum):
    """Why something in a folder is none of its files."""

    UNREADABLE = "cannot be read"
    NOBODYS = "beside the folders of the accounts, so nobody's"
    IGNORED = "left out by its name"
    NO_FILE = "a link or a device, no file"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something in a folder that is not taken in; ``detail`` is what the system said of it."""

    path: Path
    why: Why
    detail: str = ""

    def __str__(self) -> str:
        return f"{path_text(self.path)}: {self.why.value}{f' ({self.detail})' if self.detail else ''}"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of uploads: all of one account (``login``), or of the accounts its folders are named after."""

    path: Path
    login: str = ""
    by_login: bool = False
    ignore: Sequence[str] = UNFINISHED

    def files(self) -> Iterator[FolderFile | LeftOut | None]:
        """Its files, those of the folders in it, and what is left out; None now and then, so that others get their
        turn.

        Links are not followed, so nothing outside is taken in. Raises `OperatorError`.
        """
        if not self.path.is_file():
            yield from self._below(self.path, "")
            return
        if self.by_login:
            raise OperatorError(
                f"{self.path} is a file, and its folder says nothing of an account; name the folder that holds those of"
                " the accounts, or say whose it is (--login, --meter)"
            )
        yield _file(self.path, self.path.name, self.login)

    def _below(self, folder: Path, prefix: str) -> Iterator[FolderFile | LeftOut | None]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except FileNotFoundError as error:
            if folder == self.path:
                raise OperatorError(f"folder {folder}: cannot be read: {error.strerror}") from error
            return  # it went away
        except OSError as error:
            if folder == self.path:
                raise OperatorError(f"folder {folder}: cannot be read: {error.strerror}") from error
            yield LeftOut(folder, Why.UNREADABLE, error.strerror or str(error))
            return
        yield None
        for entry in entries:
            path = Path(entry.path)
            if any(fnmatchcase(entry.name, pattern) for pattern in self.ignore):
                yield LeftOut(path, Why.IGNORED)
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._below(path, f"{prefix}{entry.name}/")
                continue
            login, name = self.login, prefix + entry.name
            if self.by_login:
                login, _, name = name.partition("/")
                if not name:
                    yield LeftOut(path, Why.NOBODYS)
                    continue
            yield _file(path, name, login)


def known_as(store: Store, file: FolderFile, serial: str = "") -> FileRecord | None:
    """What the store has of this file already; ``serial`` if whoever takes it in says whose it is.

    A file of the same place is known by its time. From any other place (another folder, or an upload) the same name,
    size and time are no proof: loggers that start together call their files alike. There the content decides, and the
    meter if one was named.
    """
    place = (TRANSPORT, path_text(file.path))
    named = Filter(logins=(file.login,), names=(file.name,))
    for record in store.files(replace(named, since_ms=file.modified_ms, until_ms=file.modified_ms)):
        if _same(record, file) and (record.transport, record.remote) == place:
            return record
    others = [
        record
        for record in store.files(named)
        if _same(record, file) and (not serial or record.meter == serial or (record.transport, record.remote) == place)
    ]
    content = _sha256(file.path) if others else ""
    return next((one for one in others if one.sha256 == content), None)


def deliver(
    writer: Writer,
    file: FolderFile,
    serial: str,
    listener: str,
    now_ms: Callable[[], int],
    done: Callable[[FileRecord | StoreError], None],
) -> Iterator[None]:
    """Hands one file over to the store, a piece at each step; ``done`` is called after the commit.

    A file that changes meanwhile is kept as incomplete. Raises `OSError` before anything is stored.
    """
    with file.path.open("rb") as source:
        upload = Upload(file.name, file.raw_name)
        key = writer.open_session(
            SessionOpening(
                TRANSPORT,
                path_text(file.path),
                now_ms(),
                serial=serial,
                listener=listener,
                caller=file.login,
                upload=upload,
            )
        )
        content = hashlib.sha256()
        size = 0
        why = ""
        for piece in _pieces(source):
            if isinstance(piece, OSError):
                why = f"the file cannot be read any more: {piece.strerror}"
                break
            writer.log(key, now_ms(), Direction.FROM_METER, piece)
            content.update(piece)
            size += len(piece)
            yield
        if not why and not _rests(source, file, size):
            why = _CHANGED
    written_ms = min(file.modified_ms, now_ms())  # a clock that is ahead must not put it above all others for years
    end = UploadEnd(not why, size, content.hexdigest(), written_ms)
    outcome = Outcome.PARTIAL if why else Outcome.READ
    closing = SessionClosing(now_ms(), outcome, why, bytes_received=size, serial=serial)
    writer.call(lambda store: store.finish_upload(key, end, closing), done)


def no_meter(login: str) -> str:
    """What is wrong with an account that no meter has, and what to do."""
    return f"no meter has the route ftp:{login} (`gateway-server meter add SERIAL --route ftp:{login}`)"


def path_text(path: Path) -> str:
    """A path from the root on as text, whatever its bytes are."""
    return os.fsencode(os.path.abspath(path)).decode("utf-8", "replace")


def _pieces(source: BinaryIO) -> Iterator[bytes | OSError]:
    try:
        while piece := source.read(PIECE):
            yield piece
    except OSError as error:
        yield error


def _rests(source: BinaryIO, file: FolderFile, size: int) -> bool:
    now = os.fstat(source.fileno())
    return size == file.size == now.st_size and _ms(now) == file.modified_ms


def _file(path: Path, name: str, login: str) -> FolderFile | LeftOut | None:
    try:
        found = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None  # it went away
    except OSError as error:
        return LeftOut(path, Why.UNREADABLE, error.strerror or str(error))
    if not stat.S_ISREG(found.st_mode):
        return LeftOut(path, Why.NO_FILE)
    raw = os.fsencode(name)
    text = raw.decode("utf-8", "replace")
    return FolderFile(path, text, b"" if text.encode() == raw else raw, login, found.st_size, _ms(found))


def _ms(found: os.stat_result) -> int:
    return found.st_mtime_ns // 1_000_000


def _same(record: FileRecord, file: FolderFile) -> bool:
    return record.size == file.size and record.state is not FileState.INCOMPLETE


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()
    except OSError:
        return ""
