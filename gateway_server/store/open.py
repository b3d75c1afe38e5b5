"""Opening the store that a configuration names."""

from __future__ import annotations

import os
from pathlib import Path

from gateway_server.errors import OperatorError, StoreError
from gateway_server.store.connection import Connection
from gateway_server.store.dialect import SQLiteDialect
from gateway_server.store.migrations import migrate, pending
from gateway_server.store.secrets import Vault, make_key_file, new_key, read_key_file
from gateway_server.store.sql import SqlStore

SCHEME = "sqlite:///"
KEY_SUFFIX = ".key"
_CHECK = "access code key"


def open_store(url: str, key_file: Path | None = None, *, create: bool = True) -> SqlStore:
    """Opens ``sqlite:///PATH`` or ``:memory:``, brings its schema up to date, ends what killed processes left open.

    The key of the access codes lies in ``key_file``, beside the store if not given; both are made at first start
    unless ``create`` is off. Raises `OperatorError` and says what to do.
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
    try:
        connection = Connection(SQLiteDialect(str(path)))
    except StoreError as error:
        raise OperatorError(f"store {path}: cannot be opened: {error}") from error
    try:
        if _is_foreign(connection):
            raise OperatorError(f"store {path}: this is the database of another program; name another file")
        pending(connection)  # a store of a newer program is refused before anything is touched
        migrate(connection)
        vault = _vault(connection, key_file or path.with_name(path.name + KEY_SUFFIX))
        return _opened(connection, vault)
    except StoreError as error:
        connection.close()
        raise OperatorError(f"store {path}: {error}") from error
    except BaseException:
        connection.close()
        raise


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
