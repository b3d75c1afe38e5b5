"""Files that another FTP server received: taken in as if they had been uploaded here.

Each becomes a session of the transport ``file``, in which only the meter speaks. It was received when the other server
wrote it last; the session is when we took it. Nothing in the folder is changed, ever.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of uploads: all of one account (``login``), or of the accounts its folders are named after."""

    path: Path
    login: str = ""
    by_login: bool = False
    ignore: Sequence[str] = UNFINISHED

    def files(self) -> Iterator[FolderFile | None]:
        """Its files, and those of the folders in it; None now and then, so that others get their turn.

        Links are not followed, so nothing outside is taken in. Raises `OperatorError`.
        """
        if self.path.is_file():
            found = _file(self.path, self.path.name, self.login)
            if found is not None:
                yield found
            return
        yield from self._below(self.path, "")

    def _below(self, folder: Path, prefix: str) -> Iterator[FolderFile | None]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            if folder != self.path:
                return  # it went away, or is not for us
            raise OperatorError(f"folder {folder}: cannot be read: {error.strerror}") from error
        yield None
        for entry in entries:
            if any(fnmatchcase(entry.name, pattern) for pattern in self.ignore):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._below(Path(entry.path), f"{prefix}{entry.name}/")
                continue
            login, name = self.login, prefix + entry.name
            if self.by_login:
                login, _, name = name.partition("/")
                if not name:
                    continue  # beside the accounts' folders: nobody's
            found = _file(Path(entry.path), name, login)
            if found is not None:
                yield found


def is_known(store: Store, file: FolderFile) -> bool:
    """Whether this file was taken in already: as it was last written, or with the same content under its name."""
    wanted = Filter(logins=(file.login,), names=(file.name,), since_ms=file.modified_ms, until_ms=file.modified_ms)
    if any(_same(record, file) for record in store.files(wanted)):
        return True
    others = [one for one in store.files(Filter(logins=(file.login,), names=(file.name,))) if _same(one, file)]
    return bool(others) and _sha256(file.path) in {one.sha256 for one in others}


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
    end = UploadEnd(not why, size, content.hexdigest(), file.modified_ms)
    outcome = Outcome.PARTIAL if why else Outcome.READ
    closing = SessionClosing(now_ms(), outcome, why, bytes_received=size, serial=serial)
    writer.call(lambda store: store.finish_upload(key, end, closing), done)


def path_text(path: Path) -> str:
    """A path as text, whatever its bytes are."""
    return os.fsencode(path).decode("utf-8", "replace")


def _pieces(source: BinaryIO) -> Iterator[bytes | OSError]:
    try:
        while piece := source.read(PIECE):
            yield piece
    except OSError as error:
        yield error


def _rests(source: BinaryIO, file: FolderFile, size: int) -> bool:
    now = os.fstat(source.fileno())
    return size == file.size == now.st_size and _ms(now) == file.modified_ms


def _file(path: Path, name: str, login: str) -> FolderFile | None:
    try:
        found = path.stat(follow_symlinks=False)
    except OSError:
        return None  # it went away
    if not stat.S_ISREG(found.st_mode):
        return None
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
