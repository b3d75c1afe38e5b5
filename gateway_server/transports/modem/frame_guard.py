"""A call that brings no valid frame is ended: it is paid for by time, whatever is said (dossier A.4, money guard)."""

from __future__ import annotations

from collections.abc import Callable

LOOKS = 12
"""So often within its limit a call is looked at: that is how much later than the limit it may be ended."""


class FrameGuard:
    """Looks at a call again and again; ``heard`` tells when the last frame came, and how many bytes so far."""

    def __init__(
        self,
        limit: float,
        heard: Callable[[], tuple[int, int]],
        later: Callable[[float, Callable[[], None]], None],
        end: Callable[[str], None],
    ) -> None:
        self._limit = limit
        self._heard = heard
        self._later = later
        self._end = end
        self._frame_ms, self._bytes = heard()
        self._looks = 0
        later(limit / LOOKS, self._look)

    def _look(self) -> None:
        frame_ms, octets = self._heard()
        self._looks += 1
        if frame_ms != self._frame_ms:
            self._frame_ms, self._bytes, self._looks = frame_ms, octets, 0
        if self._looks >= LOOKS:
            came = octets - self._bytes
            what = f"{came} bytes came and no valid frame" if came else "not one byte came"
            self._end(f"{what} for {self._limit:g} s: hung up, every second is paid for")
        else:
            self._later(self._limit / LOOKS, self._look)
