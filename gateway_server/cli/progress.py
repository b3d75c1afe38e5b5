"""How far a reading is: a bar on a terminal, plain lines elsewhere; both on standard error."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from gateway_server.cli.errors import say

_STEP_PERCENT = 10


class ProgressShown:
    """Shows what `show` is told."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._said = ""
        self._percent = 0

    def __enter__(self) -> ProgressShown:
        if sys.stderr.isatty() and not self._quiet:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("", total=None)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, text: str, done: int = 0, total: int = 0) -> None:
        """``done`` of ``total``; a total of 0 is not known."""
        if self._quiet or not text:
            return
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=text, completed=done, total=total or None)
            return
        percent = done * 100 // total if total else 0
        what = text.split(":")[0]
        if what == self._said and percent < self._percent + _STEP_PERCENT and not (total and done == total):
            return
        if (what, percent) == (self._said, self._percent):
            return
        self._said, self._percent = what, percent
        say(f"{text} ({done} of {total})" if total else text)
