"""What a GPRS modem says between its meter's frames, kept from the codec."""

from __future__ import annotations

from gateway_server.session.line import Line
from gateway_server.session.registration import Heartbeats
from gateway_server.session.remarks import ANSWERED_HEARTBEAT, kept_out
from gateway_server.session.session import Session


class Sieve:
    """Recognises and answers heartbeats, and the registration packet of modems that put it before every packet.

    The beginning of one is held until the next bytes tell.
    """

    __slots__ = ("_heartbeats", "_held", "_packet")

    def __init__(self, heartbeats: Heartbeats, packet: bytes = b"") -> None:
        self._heartbeats = heartbeats
        self._packet = packet
        self._held = b""

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

    def parked(self, line: Line, data: bytes) -> bytes:
        """The same while nobody speaks with the meter: gives what it says unasked."""
        data, self._held = self._held + data, b""
        taken, beats, unsure = self._heartbeats.strip(data, self._packet)
        if beats and self._heartbeats.answer:
            line.write(self._heartbeats.answer * beats)
        rest = data[taken:]
        if unsure:
            self._held = rest
            return b""
        return rest

    def forget(self) -> None:
        """What was held belongs to a session that is over."""
        self._held = b""
