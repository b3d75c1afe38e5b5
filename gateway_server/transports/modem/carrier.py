"""The modem's NO CARRIER among the meter's bytes: told from data that only looks like it, and never swallowed.

Dossier A.6: it counts as a whole line with nothing behind it for a second or two, or with DCD low. So what may be it
is held back for that long at the end of what has come; when anything follows, all of it was data.
"""

from __future__ import annotations

HOLD_SECONDS = 1.5
_WORDS = b"NO CARRIER"
_ENDS = b"\r\n"


class CarrierWatch:
    """Passes a call's bytes on and holds back what may be the modem's last words."""

    def __init__(self) -> None:
        self._held = b""
        self._at_line_start = True
        self.said = False

    @property
    def holding(self) -> bool:
        """Whether something is held back."""
        return bool(self._held)

    def feed(self, data: bytes) -> bytes:
        """Takes the next bytes; gives those that are the meter's for certain."""
        data = self._held + data
        start = self._suspicious(data)
        passed, self._held = data[:start], data[start:]
        if passed:
            self._at_line_start = passed[-1] in _ENDS
        return passed

    def release(self) -> bytes:
        """It was data after all."""
        held, self._held = self._held, b""
        self.said = False
        if held:
            self._at_line_start = held[-1] in _ENDS
        return held

    def _suspicious(self, data: bytes) -> int:
        """Where that begins what may be the modem's; the length if nothing may. Notes whether it is whole."""
        self.said = False
        body = data.rstrip(_ENDS)
        ended = len(data) > len(body)
        start = max(body.rfind(b"\r"), body.rfind(b"\n")) + 1
        last = body[start:]
        if (start == 0 and not self._at_line_start) or not last or not _WORDS.startswith(last):
            return len(data)
        if ended:
            if last != _WORDS:
                return len(data)
            self.said = True
        while start > 0 and data[start - 1] in _ENDS and self.said:
            start -= 1
        return start
