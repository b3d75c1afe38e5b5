"""Whether what a configuration names is there: codecs, folders, keys, passwords, commands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gateway_server.codec.registry import Registry
from gateway_server.config import SCHEME, Config
from gateway_server.config_errors import place_of
from gateway_server.config_ftp import FtpSettings
from gateway_server.config_modem import ModemSettings
from gateway_server.config_watch import WatchSettings
from gateway_server.errors import OperatorError

_FILES = re.compile(r":(privateKey|certKey|extraCertChain|dhParameters)=((?:[^:\\]|\\.)+)")


def check_codecs(config: Config, registry: Registry) -> None:
    """Raises `OperatorError` for listeners whose codecs do not exist."""
    wrong = []
    for number, listener in enumerate(config.listener, 1):
        for name in listener.codecs:
            try:
                registry.get(name)
            except OperatorError as error:
                wrong.append(
                    f"{config.path or 'configuration'}: {place_of('listener', number, listener.name)}: `codec`: {error}"
                )
    if wrong:
        raise OperatorError("\n".join(wrong))


def check_files(config: Config) -> None:
    """Raises `OperatorError` if the store's folder, or a key or certificate of a listener, is not there."""
    wrong = [
        f"{config.path or 'configuration'}: {place_of('listener', number, listener.name)}: `endpoint`: {name}:"
        f" there is no file {file}"
        for number, listener in enumerate(config.listener, 1)
        for name, file in _FILES.findall(listener.endpoint)
        if not Path(file.replace("\\", "")).exists()
    ]
    folder = Path(config.store.url.removeprefix(SCHEME)).parent
    if config.store.url.startswith(SCHEME) and not folder.is_dir():
        wrong.insert(0, f"{config.path or 'configuration'}: [store]: `url`: the folder {folder} is missing; make it")
    if wrong:
        raise OperatorError("\n".join(wrong))


def check_uploads(config: Config) -> None:
    """Raises `OperatorError` for the places of uploads whose password files, certificates or keys are not to be had."""
    _check_each(config, "ftp", config.ftp)


def check_watches(config: Config) -> None:
    """Raises `OperatorError` for folders to be watched that are not there or not for us."""
    _check_each(config, "watch", config.watch)


def check_modems(config: Config) -> None:
    """Raises `OperatorError` for modems whose PIN file or power-cycle command is not to be had."""
    _check_each(config, "modem", config.modem)


def _check_each(config: Config, table: str, entries: Sequence[FtpSettings | WatchSettings | ModemSettings]) -> None:
    wrong = []
    for number, entry in enumerate(entries, 1):
        try:
            entry.check(config.folder)
        except OperatorError as error:
            wrong.append(f"{config.path or 'configuration'}: {place_of(table, number, entry.name)}: {error}")
    if wrong:
        raise OperatorError("\n".join(wrong))
