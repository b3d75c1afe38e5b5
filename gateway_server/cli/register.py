"""What may stand in the meter register: every entry is checked here, whether typed or imported."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from gateway_server.cli.invocation import zone
from gateway_server.codec.registry import Registry
from gateway_server.errors import OperatorError
from gateway_server.store.accounts import ROUTE as FTP_ROUTE
from gateway_server.store.passwords import NO_UTF8, hashed
from gateway_server.store.records import MeterRecord
from gateway_server.store.sql import SqlStore
from gateway_server.transports.routes import parse_route

_SERIAL = re.compile(r"[^\s:/]{1,64}")
_ADDRESS = re.compile(r"[0-9A-Za-z]{0,32}")
_GAS_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_LONGEST_TEXT = 200
_OPEN_TO_OTHERS = 0o077


def check_meter(meter: MeterRecord, codecs: Registry, shared: Collection[str] = ()) -> MeterRecord:
    """The entry, if everything in it can be used. ``shared`` are the upload accounts that many meters share."""
    if not _SERIAL.fullmatch(meter.serial):
        raise OperatorError(
            f"{meter.serial!r} is not a serial number: 1 to 64 characters without spaces, colons, slashes"
        )
    for what, text in _texts(meter):
        if len(text) > _LONGEST_TEXT or not text.isprintable():
            raise OperatorError(
                f"the {what} {text[:40]!r} cannot be kept: at most {_LONGEST_TEXT} characters on one line,"
                " none of them a control character"
            )
    for route in meter.routes:
        parse_route(route)
    for login in upload_logins(meter):
        if login in shared:
            raise OperatorError(
                f"{login} is an account that meters share (`account` of [[ftp]]), which none can have for its own: give"
                " another login; without a route ftp:... its files are told apart by the rules of the account"
            )
    zone(meter.time_zone)
    if not _ADDRESS.fullmatch(meter.address):
        raise OperatorError(f"{meter.address!r} is no bus address: up to 32 digits and Latin letters")
    if meter.gas_day_start and not _GAS_DAY.fullmatch(meter.gas_day_start):
        raise OperatorError(f"{meter.gas_day_start!r} is no start of the gas day; write it like 10:00")
    if meter.codec:
        codecs.get(meter.codec)
    return meter


def _texts(meter: MeterRecord) -> Iterator[tuple[str, str]]:
    yield "serial number", meter.serial
    yield "name", meter.name
    yield "profile", meter.profile
    yield "group", meter.group
    for route in meter.routes:
        yield "route", route


def changed(
    meter: MeterRecord,
    *,
    name: str | None = None,
    codec: str | None = None,
    profile: str | None = None,
    routes: tuple[str, ...] = (),
    group: str | None = None,
    time_zone: str | None = None,
    gas_day_start: str | None = None,
    address: str | None = None,
) -> MeterRecord:
    """The entry with what was given; what is None or empty stays. Routes come behind those it has."""
    return replace(
        meter,
        name=meter.name if name is None else name,
        codec=meter.codec if codec is None else codec,
        profile=meter.profile if profile is None else profile,
        routes=tuple(dict.fromkeys((*meter.routes, *routes))),
        group=meter.group if group is None else group,
        time_zone=meter.time_zone if time_zone is None else time_zone,
        gas_day_start=meter.gas_day_start if gas_day_start is None else gas_day_start,
        address=meter.address if address is None else address,
    )


def read_access_code(path: Path) -> str:
    """The access code from a file that holds it and nothing else, and that only its owner may read."""
    return _read_secret(path, "the access code of the lock", "the access code of one lock")


def read_upload_password(path: Path) -> str:
    """The password of an upload account from a file of the same kind."""
    return _read_secret(path, "the password of the upload account", "the password of one upload account")


def upload_logins(meter: MeterRecord) -> list[str]:
    """The upload accounts of a meter."""
    return [route.removeprefix(FTP_ROUTE) for route in meter.routes if route.startswith(FTP_ROUTE)]


def set_upload_passwords(store: SqlStore, meter: MeterRecord, password_file: Path | None) -> None:
    """Gives the upload accounts of a meter (its routes ``ftp:LOGIN``) the password in the file, if there is one."""
    if password_file is None:
        return
    logins = upload_logins(meter)
    if not logins:
        raise OperatorError(f"meter {meter.serial} has no upload account; name one with --route ftp:LOGIN")
    secret = hashed(read_upload_password(password_file))
    for login in logins:
        store.set_upload_secret(login, secret)


def _read_secret(path: Path, holds: str, one: str) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8-sig").strip("\r\n")
    except FileNotFoundError as error:
        raise OperatorError(f"there is no password file {path}") from error
    except UnicodeDecodeError as error:
        raise OperatorError(f"the password file {path} {NO_UTF8}") from error
    except OSError as error:
        raise OperatorError(f"the password file {path} cannot be read: {error}") from error
    if mode & _OPEN_TO_OTHERS:
        raise OperatorError(f"the password file {path} can be read by others; `chmod 600 {path}` first")
    if not text.strip():
        raise OperatorError(f"the password file {path} is empty; it holds {holds}, on one line")
    if "\n" in text:
        raise OperatorError(f"the password file {path} has several lines; it holds {one}, alone")
    return text
