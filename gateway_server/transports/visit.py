"""A line we opened for one errand: one session, then the line is closed."""

from __future__ import annotations

from collections.abc import Callable

from gateway_server.codec.dialogue import Progress
from gateway_server.errors import LineError, LineLost
from gateway_server.session.endings import Ending
from gateway_server.session.line import Line
from gateway_server.session.plan import Facilities, Plan, Role
from gateway_server.session.remarks import IDENTIFIED
from gateway_server.session.session import Session
from gateway_server.store.records import MeterRecord, SessionOpening
from gateway_server.transports.errand import Errand


class Visit:
    """Speaks over a line as its errand says; closes the line when the session is over."""

    __slots__ = ("_errand", "_line", "_over", "session")

    def __init__(
        self,
        line: Line,
        facilities: Facilities,
        errand: Errand,
        over: Callable[[Visit], None] | None = None,
    ) -> None:
        self._over = over
        self._line = line
        self._errand = errand
        only = errand.codecs[0] if len(errand.codecs) == 1 else None
        self.session = Session(
            line,
            facilities,
            self,
            SessionOpening(
                transport=line.transport,
                remote=line.remote,
                started_ms=facilities.now_ms(),
                serial=errand.serial,
                codec=only.name if only is not None else "",
                codec_version=only.version if only is not None else "",
                job=errand.job,
            ),
        )

    @property
    def heard(self) -> tuple[int, int]:
        """When the last frame came, and how many bytes have come."""
        return self.session.heard_ms, self.session.bytes_received

    def begin(self) -> None:
        """Starts the conversation."""
        errand = self._errand
        errand.started(self.session)
        self.session.begin(Plan(errand.codecs, Role.ASK, errand.order, errand.serial, errand.known))

    def received(self, data: bytes) -> None:
        """Bytes from the meter."""
        self.session.received(data)

    def fading(self) -> None:
        """The carrier has fallen; its one session waits for the last bytes."""

    def line_lost(self, reason: str) -> None:
        """The line is gone, however cleanly."""
        self.session.line_lost(reason)

    def end(self, reason: str) -> None:
        """Somebody needs the errand ended."""
        self.session.finish(LineLost(reason))

    def give_up(self, error: LineError) -> None:
        """The line did not come about, or is of no use."""
        self.session.finish(error)

    def session_identified(self, session: Session, meter: MeterRecord) -> None:
        """The meter said who it is."""
        if self._line.transport == "csd":
            session.note(IDENTIFIED)

    def session_progress(self, session: Session, progress: Progress) -> None:
        """Told to whoever ordered this."""
        self._errand.progress(progress)

    def session_ended(self, session: Session, ending: Ending) -> None:
        """Closes the line and tells how it went."""
        self._line.close()
        if self._over is not None:
            self._over(self)
        self._errand.ended(ending)
