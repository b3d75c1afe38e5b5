"""What one call of the program knows: where its store is, what time it is, how talkative it may be."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from gateway_server.cli.errors import say
from gateway_server.codec.registry import Registry, load_codecs
from gateway_server.config import Config, load_config
from gateway_server.errors import OperatorError
from gateway_server.store.open import open_store, store_path
from gateway_server.store.queries import serial_core
from gateway_server.store.records import Filter, MeterRecord
from gateway_server.store.sql import SqlStore
from gateway_server.workbench.containers import ContainerLimits

F = TypeVar("F", bound=Callable[..., Any])

CONFIG_VARIABLE = "GATEWAY_CONFIG"
DEFAULT_CONFIG = "gateway.toml"


def wall_clock_ms() -> int:
    """Now, in UTC milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Invocation:
    """Carried by click from the program's group to its verbs."""

    now_ms: Callable[[], int] = wall_clock_ms
    verbose: int = 0
    debug: bool = False
    config_path: Path | None = None
    _config: Config | None = field(default=None, repr=False)

    @property
    def config(self) -> Config:
        """The configuration: ``-c``, else the environment's, else ``./gateway.toml``, else every default."""
        if self._config is None:
            self._config = load_config(self.find_config())
        return self._config

    @property
    def containers(self) -> ContainerLimits:
        """How large a file may be to be decoded."""
        return self.config.limits.containers()

    def find_config(self) -> Path | None:
        """The configuration file that counts here, None for none. A named file that is missing is an error."""
        named = self.config_path or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
        if named is not None:
            if not named.is_file():
                raise OperatorError(f"there is no configuration file {named}")
            return named
        here = Path(DEFAULT_CONFIG)
        return here if here.is_file() else None

    def log_level(self, level: int) -> None:
        """How much is logged on standard error. What Twisted does inside itself is for those who want everything."""
        logging.getLogger().setLevel(level)
        logging.getLogger("twisted").setLevel(logging.NOTSET if level <= logging.DEBUG else logging.WARNING)

    def codecs(self, *, told: bool = True) -> Registry:
        """The codecs of the bundled plugins and of the operator's folders. What is wrong with a plugin is told, unless
        somebody else does that."""
        registry = load_codecs(self.config.plugin_folders)
        for problem in registry.problems if told else ():
            say(f"note: a plugin is left out: {problem}")
        return registry

    @contextmanager
    def store(self, *, create: bool = True) -> Iterator[SqlStore]:
        """The store, opened for this verb alone; a running gateway may work on it at the same time."""
        url = self.config.store.url
        path = store_path(url)
        missing = create and path is not None and not path.exists()
        store = open_store(url, self.config.key_file, create=create)
        if missing:
            click.echo(f"there was no store yet; {path} is made", err=True)
        try:
            yield store
        finally:
            store.close()


def config_option(command: F) -> F:
    """Gives a verb ``-c/--config``."""

    def remember(context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
        if value is not None:
            context.ensure_object(Invocation).config_path = value

    return click.option(
        "-c",
        "--config",
        metavar="FILE",
        type=click.Path(path_type=Path),
        callback=remember,
        expose_value=False,
        help=f"Configuration file. Else ${CONFIG_VARIABLE}, else ./{DEFAULT_CONFIG}, else the defaults.",
    )(command)


pass_invocation = click.make_pass_decorator(Invocation, ensure=True)


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise OperatorError(
            f"unknown time zone {name!r}; use a name such as Europe/Moscow or Asia/Yekaterinburg"
        ) from error


class Zones:
    """The zone of every meter of the register, looked up once."""

    def __init__(self, store: SqlStore) -> None:
        self._names = {meter.serial: meter.time_zone for meter in store.meters(Filter())}
        self._cores = set(map(serial_core, self._names))
        self._zones: dict[str, ZoneInfo] = {}

    def know(self, serial: str) -> bool:
        """Whether the register has this meter, claimed or not."""
        return serial in self._names or serial_core(serial) in self._cores

    def of(self, serial: str) -> ZoneInfo:
        """The meter's zone; that of all the others for a meter nobody knows, or UTC if theirs differ."""
        if serial not in self._zones:
            name = self._names.get(serial)
            self._zones[serial] = zone(name) if name else self.shared_by(())
        return self._zones[serial]

    def shared_by(self, serials: tuple[str, ...]) -> ZoneInfo:
        """The one zone of these meters (of all, when none is named); UTC if they differ or there are none."""
        names = {self._names[serial] for serial in serials or self._names if serial in self._names}
        return zone(names.pop()) if len(names) == 1 else zone("UTC")


def known(store: SqlStore, serial: str) -> MeterRecord:
    """The meter with this serial number, or an error that says what to do."""
    meter = store.meter(serial)
    if meter is None:
        raise OperatorError(
            f"no meter {serial} in the register; `gateway-server meter list` shows them, "
            f"`gateway-server meter add {serial}` adds one"
        )
    return meter


def on_terminal() -> bool:
    """Whether a person watches standard output."""
    return sys.stdout.isatty()
