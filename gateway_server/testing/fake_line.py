"""A line without a wire: records what is written to it, and answers as the test says."""

from __future__ import annotations

from collections import deque
from typing import Protocol


class _Receiver(Protocol):
    def received(self, data: bytes) -> None: ...


class FakeLine:
    """A `Line` for tests. ``script`` pairs what must be written with what comes back for it.

    Bytes come back while `write` still runs, as the worst of real lines do.
    """

    transport = "tcp"

    def __init__(self, remote: str = "192.0.2.7:40001") -> None:
        self.remote = remote
        self.written: list[bytes] = []
        self.changes: list[tuple[int, str]] = []
        self.paused = False
        self.closed = False
        self.aborted = False
        self._script: deque[tuple[bytes, bytes]] = deque()
        self._receiver: _Receiver | None = None

    def answers(self, receiver: _Receiver, *script: tuple[bytes, bytes]) -> None:
        """From now on ``receiver`` gets the second of each pair as soon as the first was written."""
        self._receiver = receiver
        self._script.extend(script)

    @property
    def said(self) -> bytes:
        """Everything written so far."""
        return b"".join(self.written)

    @property
    def ended(self) -> bool:
        """Whether it was ended from our side."""
        return self.closed or self.aborted

    def write(self, data: bytes) -> None:
        """Records the bytes; answers them if they are the next in the script."""
        if self.closed or self.aborted:
            raise AssertionError(f"{data!r} was written to a line that had been closed")
        self.written.append(data)
        if self._script and self._script[0][0] == data and self._receiver is not None:
            self._receiver.received(self._script.popleft()[1])

    def change(self, baud: int, format: str, only_from: int = 0) -> None:
        """Records the speed and format."""
        self.changes.append((baud, format))

    def pause(self) -> None:
        """Bytes should wait."""
        self.paused = True

    def resume(self) -> None:
        """Bytes may come again."""
        self.paused = False

    def close(self) -> None:
        """The line is ended."""
        self.closed = True

    def abort(self) -> None:
        """The line is ended at once."""
        self.aborted = True
