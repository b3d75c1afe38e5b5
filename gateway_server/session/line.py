"""What a session writes to, whatever it is: a socket, a modem, a serial port, a file."""

from __future__ import annotations

from typing import Protocol


class Line(Protocol):
    """The sending side of a line. What comes from it goes to `Session.received`, its loss to `Session.line_lost`."""

    @property
    def transport(self) -> str:
        """Which kind of way this is: ``tcp``, ``serial``, ``csd``, ``ftp``."""

    @property
    def remote(self) -> str:
        """Where the other end is, in words for the log: an address, a port's name."""

    def write(self, data: bytes) -> None:
        """Sends bytes; never blocks."""

    def change(self, baud: int, format: str, only_from: int = 0) -> None:
        """Speaks at another speed and format once everything written has left. A line without speed ignores it.

        With ``only_from`` a line that speaks at any other speed stays as it is.
        """

    def pause(self) -> None:
        """Stop delivering bytes until `resume`: the store is behind."""

    def resume(self) -> None:
        """Deliver bytes again."""

    def close(self) -> None:
        """Lets what was written leave, then ends the line."""

    def abort(self) -> None:
        """Ends the line now."""
