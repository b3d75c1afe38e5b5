"""What a modem says over a parked line, on record."""

from __future__ import annotations

from gateway_server.model import Direction, Outcome
from gateway_server.session.plan import Facilities
from gateway_server.session.remarks import IDLE
from gateway_server.store.records import SessionClosing, SessionOpening

ONE_BY_ONE = 60
GATHERED_BYTES = 256
GATHERED_MS = 3_600_000
MOST_ENTRIES = 1000
_GATHERING = (
    "from here on heartbeats are logged some at a time, with the time of the last of them: what came within an hour,"
    f" or {GATHERED_BYTES} bytes"
)


class IdleRecord:
    """A session in which nobody speaks with the meter: its modem's heartbeats, and our answers to them.

    A line may beat for months. So only the first heartbeats of a stretch are logged each for itself and at once; of
    those behind them all bytes are kept, but not each one's time, and what was gathered last is lost if the gateway
    is killed: no reading hangs on a heartbeat. A full record is ended and another begun.
    """

    __slots__ = (
        "_answers",
        "_beats",
        "_entries",
        "_facilities",
        "_gathered",
        "_key",
        "_last_ms",
        "_received",
        "_sent",
        "_since_ms",
    )

    def __init__(self, facilities: Facilities, opening: SessionOpening) -> None:
        self._facilities = facilities
        self._key = facilities.writer.open_session(opening)
        self._gathered = b""
        self._answers = b""
        self._since_ms = self._last_ms = opening.started_ms
        self._entries = self._beats = self._received = self._sent = 0
        self._log(Direction.NOTE, IDLE.encode(), opening.started_ms)

    @property
    def full(self) -> bool:
        """Whether the next heartbeat belongs to another record."""
        return self._entries >= MOST_ENTRIES

    def heard(self, data: bytes, beats: int, answer: bytes) -> None:
        """So many heartbeats came; ``answer`` is what is said to them, empty for nothing."""
        now_ms = self._facilities.now_ms()
        self._beats += beats
        self._received += len(data)
        self._sent += len(answer)
        if self._entries <= ONE_BY_ONE:
            self._log(Direction.FROM_METER, data, now_ms)
            if answer:
                self._log(Direction.TO_METER, answer, now_ms)
            if self._entries > ONE_BY_ONE:
                self._log(Direction.NOTE, _GATHERING.encode(), now_ms)
            return
        if not self._gathered:
            self._since_ms = now_ms
        self._gathered += data
        self._answers += answer
        self._last_ms = now_ms
        if len(self._gathered) + len(self._answers) >= GATHERED_BYTES or now_ms - self._since_ms >= GATHERED_MS:
            self._log_gathered()

    def end(self, rest: bytes = b"") -> None:
        """Somebody speaks again, or the line is gone; ``rest`` is the beginning of a heartbeat that never ended."""
        self._log_gathered()
        now_ms = self._facilities.now_ms()
        if rest:
            self._log(Direction.FROM_METER, rest, now_ms)
            self._received += len(rest)
        self._facilities.writer.close_session(
            self._key,
            SessionClosing(
                now_ms,
                Outcome.IDLE,
                f"{self._beats} heartbeats while nobody spoke with the meter",
                self._received,
                self._sent,
            ),
        )

    def _log_gathered(self) -> None:
        if self._gathered:
            self._log(Direction.FROM_METER, self._gathered, self._last_ms)
        if self._answers:
            self._log(Direction.TO_METER, self._answers, self._last_ms)
        self._gathered = self._answers = b""

    def _log(self, direction: Direction, data: bytes, at_ms: int) -> None:
        self._facilities.writer.log(self._key, at_ms, direction, data)
        self._entries += 1
