"""What a session has on record: everything that came and went, raw and in order, before anything looks at it."""

from __future__ import annotations

from gateway_server.codec.codec import Frame
from gateway_server.model import Direction
from gateway_server.session.plan import Facilities
from gateway_server.store.records import SessionKey, SessionOpening

_MOST_CHUNKS = 64
_FROM_METER = Direction.FROM_METER
_TO_METER = Direction.TO_METER


class Recording:
    """A session's log, and when which of its bytes came. `Hearing` adds what becomes of them."""

    __slots__ = ("_chunks", "_facilities", "_heard_ms", "_key", "_received", "_sent")

    def __init__(self, facilities: Facilities, opening: SessionOpening) -> None:
        self._facilities = facilities
        self._key = facilities.writer.open_session(opening)
        self._chunks: list[tuple[int, int]] = []  # where each chunk ends in the stream, and when it came
        self._heard_ms = 0
        self._received = 0
        self._sent = 0

    @property
    def heard_ms(self) -> int:
        """When the last byte of the last frame came that the dialogue was given; 0 before any."""
        return self._heard_ms

    @property
    def key(self) -> SessionKey:
        """The session's place in the store."""
        return self._key

    @property
    def bytes_received(self) -> int:
        """How many bytes came."""
        return self._received

    def note(self, text: str) -> None:
        """Leaves a remark in the session's log."""
        facilities = self._facilities
        facilities.writer.log(self._key, facilities.now_ms(), Direction.NOTE, text.encode())

    def log_received(self, data: bytes) -> int:
        """Keeps bytes raw without giving them to the codec; gives their offset in the session's stream."""
        facilities = self._facilities
        now_ms = facilities.now_ms()
        facilities.writer.log(self._key, now_ms, _FROM_METER, data)
        at = self._received
        self._received = end = at + len(data)
        self._chunks.append((end, now_ms))
        if len(self._chunks) > _MOST_CHUNKS:
            del self._chunks[: _MOST_CHUNKS // 2]
        return at

    def log_sent(self, data: bytes) -> None:
        """Keeps bytes that were sent beside the dialogue: the answer to a heartbeat."""
        facilities = self._facilities
        facilities.writer.log(self._key, facilities.now_ms(), _TO_METER, data)
        self._sent += len(data)

    def log_modem(self, direction: Direction, data: bytes) -> None:
        """Keeps what was said with the modem on the way to the meter: no part of what the meter sent or got."""
        facilities = self._facilities
        facilities.writer.log(self._key, facilities.now_ms(), direction, data)

    def _heard(self, frame: Frame) -> None:
        """What a frame tells was received when its last byte came: a replay of the log has no other time."""
        chunks = self._chunks
        if len(chunks) > 1:
            end = frame.start + len(frame.data)
            before = 0
            while chunks[before][0] < end:
                before += 1
            del chunks[:before]
        if chunks:
            self._heard_ms = chunks[0][1]
