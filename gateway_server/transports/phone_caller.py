"""A meter that called one of our modems, and the sessions held in its call, one after another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall

from gateway_server.codec.dialogue import Progress
from gateway_server.errors import LineError, LineLost
from gateway_server.model import Outcome
from gateway_server.session.endings import Ending
from gateway_server.session.line import Line
from gateway_server.session.plan import Facilities, Plan, Role
from gateway_server.session.presence import Presence
from gateway_server.session.remarks import IDENTIFIED
from gateway_server.session.session import Session
from gateway_server.store.records import MeterRecord, SessionOpening
from gateway_server.transports.errand import Errand

LINGER_SECONDS = 1.0
"""So long after a session a job may still want the line: every second is paid for."""
LOOK_SECONDS = 6.0
"""So long after a meter came its overdue rows may still be looked up."""
_GOES_ON = frozenset({Outcome.READ, Outcome.PARTIAL})


class PhoneCaller:
    """Speaks with who called as its first errand says, then runs what jobs want of this meter, then hangs up.

    The meter is present from when it is known: by its number once it is connected, else by what it says itself.
    """

    __slots__ = (
        "_errand",
        "_errands",
        "_facilities",
        "_gone",
        "_heard",
        "_last",
        "_line",
        "_lingering",
        "_look_until",
        "_paid",
        "_presence",
        "_role",
        "_serial",
        "session",
    )

    def __init__(
        self,
        line: Line,
        facilities: Facilities,
        errand: Errand,
        role: Role,
        presence: Presence,
        paid: Callable[[Errand], Errand],
    ) -> None:
        self._line = line
        self._facilities = facilities
        self._errand: Errand | None = errand
        self._errands: deque[Errand] = deque()
        self._role = role
        self._presence = presence
        self._paid = paid
        self._serial = ""
        self._gone = False
        self._last = False  # no session comes behind the present one
        self._heard = (0, 0)
        self._lingering: IDelayedCall | None = None
        self._look_until = 0.0
        self.session = self._open_session(errand)

    # what the call says

    @property
    def heard(self) -> tuple[int, int]:
        """When the last frame came, and how many bytes have come, in all its sessions."""
        before_ms, octets = self._heard
        return max(before_ms, self.session.heard_ms), octets + self.session.bytes_received

    def begin(self) -> None:
        """Starts the conversation that the call is for."""
        errand = self._errand
        if self._last or errand is None:
            return
        if errand.serial:
            self._bind(errand.serial)
        self._talk(errand, self._role)

    def received(self, data: bytes) -> None:
        """Bytes from the meter; between two sessions they are the last one's."""
        self.session.received(data)

    def fading(self) -> None:
        """The carrier has fallen: the last bytes are still on their way, but no session begins any more."""
        self._last = True
        if self._serial:
            self._presence.unbind(self._serial, self)

    def line_lost(self, reason: str) -> None:
        """The line is gone: what jobs still want of it has to wait for another one."""
        self._leave()
        self.session.line_lost(reason)
        self._fail_errands(reason)

    def end(self, reason: str) -> None:
        """The gateway, or the call's limit, wants it ended."""
        self.give_up(LineLost(reason))

    def give_up(self, error: LineError) -> None:
        """The line did not come about, or is of no use any more."""
        self._leave()
        self.session.finish(error)
        self._fail_errands(str(error))
        self._line.close()

    # what jobs ask

    def run(self, errand: Errand) -> None:
        """Obtains something from the meter, now or when the present session is over."""
        self._errands.append(errand)
        if self._gone:
            self._fail_errands("the call is over")
        elif self._errand is None:
            self._next_errand()

    def superseded(self, by: str) -> None:
        """The same meter came again over another line."""
        self.give_up(LineLost(f"the meter came again from {by}; this call was given up"))

    # what its sessions say

    def session_identified(self, session: Session, meter: MeterRecord) -> None:
        """The meter said who it is."""
        session.note(IDENTIFIED)
        if not self._last:
            self._bind(meter.serial)

    def session_progress(self, session: Session, progress: Progress) -> None:
        """Told to whoever ordered this."""
        if self._errand is not None:
            self._errand.progress(progress)

    def session_ended(self, session: Session, ending: Ending) -> None:
        """Goes on with what jobs want of a meter that was read; hangs up on any other."""
        errand, self._errand = self._errand, None
        goes_on = bool(self._serial) and ending.outcome in _GOES_ON
        if not goes_on:
            self._hang_up(ending.detail)
        if errand is not None:
            errand.ended(ending)
        if goes_on:
            self._next_errand()

    # inside

    def _bind(self, serial: str) -> None:
        if self._serial != serial:
            if self._serial:
                self._presence.unbind(self._serial, self)
            self._serial = serial
            self._look_until = self._facilities.clock.seconds() + LOOK_SECONDS
        if self._presence.bind(serial, self, self._line.remote):
            self.session.note("this meter's lines swap too often: do two devices have the same identity?")

    def _open_session(self, errand: Errand) -> Session:
        only = errand.codecs[0] if len(errand.codecs) == 1 else None
        return Session(
            self._line,
            self._facilities,
            self,
            SessionOpening(
                transport=self._line.transport,
                remote=self._line.remote,
                started_ms=self._facilities.now_ms(),
                serial=errand.serial,
                codec=only.name if only is not None else "",
                codec_version=only.version if only is not None else "",
                job=errand.job,
            ),
        )

    def _talk(self, errand: Errand, role: Role) -> None:
        errand.started(self.session)
        self.session.begin(Plan(errand.codecs, role, errand.order, errand.serial, errand.known))

    def _next_errand(self) -> None:
        if self._last or self._errand is not None:
            return
        self._stop_lingering()
        if not self._errands:
            self._linger()
            return
        self._errand = errand = self._paid(self._errands.popleft())
        self._heard = self.heard
        self.session = self._open_session(errand)
        self._talk(errand, Role.ASK)

    def _linger(self) -> None:
        if self._presence.came is None:  # nobody hears who comes, so nobody will want anything
            self._hang_up("")
            return
        clock = self._facilities.clock
        seconds = max(LINGER_SECONDS, self._look_until - clock.seconds())
        self._lingering = clock.callLater(seconds, self._hang_up, "nothing more was wanted")

    def _stop_lingering(self) -> None:
        timer, self._lingering = self._lingering, None
        if timer is not None and timer.active():
            timer.cancel()

    def _hang_up(self, why: str) -> None:
        if not self._gone:
            self._leave()
            self._line.close()
        self._fail_errands(why)

    def _leave(self) -> None:
        self._gone = True
        self._stop_lingering()
        self.fading()

    def _fail_errands(self, reason: str) -> None:
        while self._errands:
            errand = self._errands.popleft()
            errand.ended(Ending(Outcome.LINE_LOST, reason, errand.serial, error=LineLost(reason)))
