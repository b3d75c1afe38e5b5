"""What a GPRS modem says between its meter's frames, kept from the codec."""

from __future__ import annotations

from collections.abc import Callable

from gateway_server.session.line import Line
from gateway_server.session.plan import Facilities
from gateway_server.session.registration import Heartbeats
from gateway_server.session.remarks import ANSWERED_HEARTBEAT, kept_out
from gateway_server.session.session import Session
from gateway_server.store.records import SessionOpening
from gateway_server.transports.idle import IdleRecord


class Sieve:
    """Recognises and answers heartbeats, and the registration packet of modems that put it before every packet.

    The beginning of one is held until the next bytes tell.
    """

    __slots__ = ("_heartbeats", "_held", "_idle", "_packet")

    def __init__(self, heartbeats: Heartbeats, packet: bytes = b"") -> None:
        self._heartbeats = heartbeats
        self._packet = packet
        self._held = b""
        self._idle: IdleRecord | None = None

    def feed(self, session: Session, line: Line, data: bytes, at: int) -> None:
        """Gives the session's codec what is the meter's of bytes on record at offset ``at`` of its stream."""
        if self._held:
            at -= len(self._held)
            data, self._held = self._held + data, b""
        if session.at_border:
            heartbeats = self._heartbeats
            taken, beats, unsure = heartbeats.strip(data, self._packet)
            answered = bool(beats and heartbeats.answer)
            if taken:
                session.note(kept_out(at, at + taken, ANSWERED_HEARTBEAT if answered else "heartbeat"))
            if answered:
                answer = heartbeats.answer * beats
                session.log_sent(answer)
                line.write(answer)
            if unsure:
                self._held = data[taken:]
                return
            data, at = data[taken:], at + taken
        if data:
            session.feed(data, at)

    # while nobody speaks with the meter

    def parked(self) -> None:
        """The session is over, and what was held of it is on its record."""
        self._held = b""

    def feed_parked(
        self, data: bytes, line: Line, facilities: Facilities, opening: Callable[[], SessionOpening]
    ) -> bytes:
        """Keeps and answers heartbeats; gives what the meter says unasked, which nobody has put on record yet."""
        data, self._held = self._held + data, b""
        taken, beats, unsure = self._heartbeats.strip(data, self._packet)
        if taken:
            idle = self._idle
            if idle is not None and idle.full:
                idle.end()
                idle = None
            if idle is None:
                self._idle = idle = IdleRecord(facilities, opening())
            answer = self._heartbeats.answer * beats
            idle.heard(data[:taken], beats, answer)
            if answer:
                line.write(answer)
        rest = data[taken:]
        if unsure:
            self._held = rest
            return b""
        return rest

    def unparked(self, session: Session) -> None:
        """Somebody speaks again. What is held may become a heartbeat or the meter's; it is this session's now."""
        idle, self._idle = self._idle, None
        if idle is not None:
            idle.end()
        if self._held:
            session.log_received(self._held)

    def lost(self, facilities: Facilities, opening: Callable[[], SessionOpening]) -> None:
        """The parked line is gone."""
        held, self._held = self._held, b""
        idle, self._idle = self._idle, None
        if idle is None and held:
            idle = IdleRecord(facilities, opening())
        if idle is not None:
            idle.end(held)
