"""The `[[watch]]` tables: folders of other FTP servers whose files are taken in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from gateway_server.config_tables import Named
from gateway_server.errors import OperatorError
from gateway_server.transports.folder import UNFINISHED, Folder
from gateway_server.transports.folder_watch import FolderWatch

_MEGABYTE = 1 << 20


class WatchSettings(Named):
    """A folder to be watched; times in seconds."""

    path: str = Field(min_length=1)
    login: str = ""
    by_login: bool = False
    every: Annotated[float, Field(ge=1, le=86_400, strict=False)] = 60.0
    rest: Annotated[float, Field(ge=0, le=86_400, strict=False)] = 10.0
    ignore: list[str] = list(UNFINISHED)
    largest_file_mb: Annotated[int, Field(ge=1, le=1_000_000)] = 100

    @model_validator(mode="after")
    def _says_whose_once(self) -> WatchSettings:
        if self.login and self.by_login:
            raise ValueError("`login` and `by_login` say two different things of whose files these are")
        return self

    def check(self, folder: Path) -> None:
        """Raises `OperatorError` for a folder that is not there or cannot be read."""
        path = folder / self.path
        if path.is_file():
            raise OperatorError(f"`path`: {path} is a file; name the folder it is in")
        if not path.is_dir():
            raise OperatorError(f"`path`: there is no folder {path}; make it, or mount what it is on")
        if not os.access(path, os.R_OK | os.X_OK):
            raise OperatorError(f"`path`: the folder {path} cannot be read by who runs this; give it to them")

    def folder_watch(self, folder: Path) -> FolderWatch:
        """As the watcher takes it; the path is relative to ``folder``."""
        return FolderWatch(
            self.name,
            Folder(folder / self.path, self.login, self.by_login, tuple(self.ignore)),
            self.every,
            self.rest,
            self.largest_file_mb * _MEGABYTE,
        )
