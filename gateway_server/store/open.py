"""Opening the store that a configuration names."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway_server.errors import GatewayError, OperatorError, StoreError, StoreFull
from gateway_server.store.connection import Connection
from gateway_server.store.dialect import SQLiteDialect
from gateway_server.store.migrations import applied, migrate, pending
from gateway_server.store.secrets import Vault, make_key_file, new_key, read_key_file
from gateway_server.store.sql import SqlStore

SCHEME = "sqlite:///"
KEY_SUFFIX = ".key"
_CHECK = "access code key"
_LITTLE_ROOM = 1 << 18  # bytes: less than a store needs to be opened


def open_store(url: str, key_file: Path | None = None, *, create: bool = True) -> SqlStore:
    """Opens ``sqlite:///PATH`` or ``:memory:``, brings its schema up to date, ends what killed processes left open.

    The key of the access codes lies in ``key_file``, beside the store if not given; both are made at first start
    unless ``create`` is off. Raises `OperatorError` and says what to do, and `StoreFull` when there is no room for it.
    """
    path = store_path(url)
    if path is None:
        return _opened(Connection(SQLiteDialect(":memory:")), Vault(new_key()))
    if not path.exists():
        if not create:
            raise OperatorError(f"store {path}: there is none; start the gateway once, or name another configuration")
        if not path.parent.is_dir():
            raise OperatorError(f"store {path}: the folder {path.parent} is missing; make it")
    for place in (path, path.parent):
        if place.exists() and not os.access(place, os.W_OK):
            raise OperatorError(
                f"store {path}: {place} may not be written to by this user; SQLite needs it even for reading:"
                " run this as the gateway's user"
            )
    connection = _connected(path)
    try:
        migrate(connection)
        vault = _vault(connection, key_file_of(path, key_file))
        return _opened(connection, vault)
    except StoreError as error:
        connection.close()
        raise _unopened(path, error) from error
    except BaseException:
        connection.close()
        raise


def _unopened(path: Path, error: StoreError) -> GatewayError:
    """Why a store could not be opened. On a full disk SQLite fails in more than one way: over its shared memory too."""
    with suppress(OSError):
        if isinstance(error, StoreFull):
            return StoreFull(f"store {path}: {error}")
        if shutil.disk_usage(path.parent).free < _LITTLE_ROOM:
            return StoreFull(f"store {path}: there is no room on its disk: {error}")
    return OperatorError(f"store {path}: cannot be opened: {error}")


def _connected(path: Path) -> Connection:
    """A connection to a store of ours. One of another or a newer program is refused before anything is touched."""
    try:
        connection = Connection(SQLiteDialect(str(path)))
    except StoreError as error:
        raise _unopened(path, error) from error
    try:
        if _is_foreign(connection):
            raise OperatorError(f"store {path}: this is the database of another program; name another file")
        pending(connection)
    except StoreError as error:
        connection.close()
        raise _unopened(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


@dataclass(frozen=True, slots=True)
class Schema:
    """Which steps of the schema a store has taken, and which it has still to take."""

    taken: tuple[str, ...]
    missing: tuple[str, ...]


def schema_of(path: Path) -> Schema:
    """The schema of a store, left as it is. Raises `OperatorError`."""
    if not path.exists():
        raise OperatorError(f"store {path}: there is none; start the gateway once, or name another configuration")
    connection = _connected(path)
    try:
        return Schema(tuple(applied(connection)), tuple(pending(connection)))
    finally:
        connection.close()


def sqlite_url(path: Path) -> str:
    """The URL of a store in this file."""
    return f"{SCHEME}{path}"


def key_file_of(path: Path, key_file: Path | None) -> Path:
    """Where the key of a store's access codes lies: beside it, unless the configuration says otherwise."""
    return key_file or path.with_name(path.name + KEY_SUFFIX)


def store_path(url: str) -> Path | None:
    """The file of a store; None for one in memory. Raises `OperatorError` for a place we cannot keep a store in."""
    if url in (":memory:", SCHEME + ":memory:"):
        return None
    if not url.startswith(SCHEME) or not url.removeprefix(SCHEME):
        raise OperatorError(f"store url '{url}': only sqlite:///PATH (and :memory:) can be opened")
    return Path(url.removeprefix(SCHEME))


def _is_foreign(connection: Connection) -> bool:
    tables = {str(row[0]) for row in connection.all("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return bool(tables) and "_sqlite_migrations" not in tables


def _opened(connection: Connection, vault: Vault) -> SqlStore:
    migrate(connection)
    store = SqlStore(connection, vault)
    store.close_killed_sessions()
    store.close_killed_calls()
    return store


def _vault(connection: Connection, key_file: Path) -> Vault:
    row = connection.one("SELECT value FROM fact WHERE name = ?", (_CHECK,))
    if row is None or (not key_file.exists() and not _has_access_codes(connection)):
        vault = Vault(read_key_file(key_file) if key_file.exists() else make_key_file(key_file), f"key file {key_file}")
        with connection.transaction("keep key check"):
            connection.execute(
                "INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (_CHECK, vault.check_value()),
            )
        return vault
    vault = Vault(read_key_file(key_file), f"key file {key_file}")
    if not vault.fits(row[0]):
        raise OperatorError(
            f"key file {key_file}: not the key this store's access codes were encrypted with; restore the right one"
        )
    return vault


def _has_access_codes(connection: Connection) -> bool:
    return bool(connection.one("SELECT 1 FROM meter WHERE access_code IS NOT NULL LIMIT 1"))
