"""Putting a backup in the place of the store: proved before, in one step, and what was there is kept."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway_server.errors import OperatorError
from gateway_server.store.check import StoreReport, check_store, sync
from gateway_server.store.open import key_file_of, open_store, sqlite_url
from gateway_server.store.owner import alive

_BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside a store that is open, or was when its process was killed."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What the backup held, and where the store that was there before is kept; None if there was none."""

    report: StoreReport
    before: Path | None


def check_backup(backup: Path, store: Path, key_file: Path | None) -> StoreReport:
    """Proves that a backup can take the place of the store. Raises `OperatorError` that says what is wrong with it."""
    with _proved(backup, store, key_file) as (report, _):
        return report


def restore(backup: Path, store: Path, key_file: Path | None, now_ms: int) -> Restored:
    """Puts a copy of the backup in the store's place, with its schema brought up to date.

    At every moment there is a whole store under its name. Raises `OperatorError`; then nothing has changed.
    """
    _nobody_uses(store)
    with _proved(backup, store, key_file) as (report, copy):
        try:
            before = _keep(store, now_ms) if store.exists() else None
            for suffix in _BESIDE:
                _beside(store, suffix).unlink(missing_ok=True)
            _give_away(copy, store)
            copy.replace(store)
            sync(store.parent)
        except OSError as error:
            raise OperatorError(f"store {store}: cannot be replaced: {error.strerror}") from error
        return Restored(report, before)


@contextmanager
def _proved(backup: Path, store: Path, key_file: Path | None) -> Iterator[tuple[StoreReport, Path]]:
    """A copy of the backup beside the store, checked and brought up to date; gone at the end if nobody took it."""
    if not backup.is_file():
        raise OperatorError(f"backup {backup}: there is no such file")
    if store.exists() and backup.samefile(store):
        raise OperatorError(f"backup {backup}: this is the store itself")
    if not store.parent.is_dir():
        raise OperatorError(f"store {store}: the folder {store.parent} is missing; make it")
    copy = _beside(store, ".restore")
    try:
        _copy(backup, copy)
        try:
            opened = open_store(sqlite_url(copy), key_file_of(store, key_file), create=False)
        except OperatorError as error:
            raise OperatorError(f"backup {backup}: {str(error).removeprefix(f'store {copy}: ')}") from error
        try:
            # Whoever wrote to the store when it was backed up does not write to this copy of it.
            with opened.connection.transaction("restore"):
                opened.connection.execute("UPDATE session SET owner = '' WHERE ended_ms IS NULL")
            opened.close_killed_sessions()
            report = check_store(opened)
            if not report.sound:
                raise OperatorError(f"backup {backup}: it is damaged ({report.problems[0]}); take an older one")
            opened.connection.execute("PRAGMA journal_mode = DELETE")  # one file, complete by itself
        finally:
            opened.close()
        sync(copy)
        yield report, copy
    finally:
        for path in (copy, *(_beside(copy, suffix) for suffix in _BESIDE)):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _copy(backup: Path, copy: Path) -> None:
    copy.unlink(missing_ok=True)
    try:
        with (
            closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except (OSError, sqlite3.Error) as error:
        raise OperatorError(f"backup {backup}: cannot be read, or there is no room to copy it: {error}") from error


def _nobody_uses(store: Path) -> None:
    """Raises `OperatorError` while a process that lives has sessions in the store; one that is damaged has none."""
    if not store.exists():
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True)) as there:
        open_sessions = there.execute("SELECT id, owner FROM session WHERE ended_ms IS NULL").fetchall()
        if running := [number for number, owner in open_sessions if alive(owner)]:
            raise OperatorError(f"store {store}: session {running[0]} is going on in it; wait for its end, or stop it")


def _keep(store: Path, now_ms: int) -> Path:
    """The store as it is now under another name, with all that belongs to it: it is the way back."""
    at = datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y%m%d-%H%M%S")
    kept = _beside(store, f".before-{at}")
    if kept.exists():
        raise OperatorError(f"{kept}: exists already; wait a second, or put it elsewhere")
    for suffix in ("", *_BESIDE[:1]):
        source, target = _beside(store, suffix), _beside(kept, suffix)
        if not source.exists() or (suffix and source.stat().st_size == 0):
            continue
        try:
            os.link(source, target)
        except OSError:  # a file system without hard links
            shutil.copyfile(source, target)
            sync(target)
    sync(store.parent)
    return kept


def _give_away(copy: Path, store: Path) -> None:
    """The copy belongs to whom the store belonged: restored by root, it must still be the gateway's to write."""
    if store.exists():
        copy.chmod(store.stat().st_mode & 0o777)
    owner = (store if store.exists() else store.parent).stat()
    with suppress(PermissionError):  # we are not root: it is ours already
        os.chown(copy, owner.st_uid, owner.st_gid)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
