"""A line somebody opened to us: found out who it is, spoken with, and kept for later."""

from __future__ import annotations

import enum
import logging
from collections import deque

from gateway_server.codec.codec import Codec
from gateway_server.codec.dialogue import Progress
from gateway_server.errors import CodecError, LineLost, MeterSilent, UnknownMeter
from gateway_server.model import KnownMeter, Outcome
from gateway_server.session.endings import Ending
from gateway_server.session.hearing import NEVER
from gateway_server.session.line import Line
from gateway_server.session.plan import Plan, Role
from gateway_server.session.registration import Registration
from gateway_server.session.session import Session
from gateway_server.store.callers import KnownCaller
from gateway_server.store.records import MeterRecord, SessionOpening
from gateway_server.transports.errand import Errand
from gateway_server.transports.identification import CALLER, Identification
from gateway_server.transports.reception import Reception, Rule
from gateway_server.transports.sieve import Sieve

logger = logging.getLogger(__name__)

_UNASKED_SECONDS = 5.0
_KEEPS_THE_LINE = frozenset({Outcome.READ, Outcome.PARTIAL, Outcome.SILENT, Outcome.GARBLED, Outcome.REFUSED})


class _Stage(enum.Enum):
    IDENTIFYING = "identifying"
    TALKING = "talking"
    UNASKED = "unasked"  # bytes came that nobody waits for; they are on record, no codec sees them
    PARKED = "parked"
    GONE = "gone"


class Caller:
    """One inbound line and the sessions held on it, one after another.

    The rules of its listener are tried in order; then the meter is asked or listened to. An identified line stays
    open, parked, until a job or the meter's own bytes need it, or until it was idle for too long.
    """

    __slots__ = (
        "_errand",
        "_errands",
        "_identification",
        "_late",
        "_line",
        "_reception",
        "_session",
        "_sieve",
        "_stage",
        "bucket",
        "caller",
        "deadline",
        "serial",
    )

    def __init__(self, line: Line, reception: Reception) -> None:
        self._line = line
        self._reception = reception
        self._errand: Errand | None = None
        self._errands: deque[Errand] | None = None
        self._identification: Identification | None = None
        self._late: Session | None = None  # the last one, while the line is being closed
        self._sieve = Sieve(reception.heartbeats) if reception.heartbeats.strings else None
        self._stage = _Stage.IDENTIFYING
        self.deadline = NEVER
        self.bucket = 0
        self.caller = ""
        self.serial = ""
        self._session: Session | None = self._open_session()
        if reception.rules[:1] == (Rule.CODEC,):  # of thousands that come at once
            self._talk()
        else:
            self._identify().begin()
        if self.deadline == NEVER and not self.serial and self._stage is not _Stage.GONE:
            self.watch(reception.identify_seconds)

    # what the line says

    def received(self, data: bytes) -> None:
        """Bytes from the other end."""
        session = self._session
        if session is None:
            self._received_parked(data)
            return
        at = session.log_received(data)
        if not session.identified and session.bytes_received > self._reception.identify_bytes:
            if self._stage is _Stage.UNASKED:
                self._end_unasked(session)
            else:
                session.finish(CodecError(f"{session.bytes_received} bytes came and no meter was identified"))
        elif self._stage is _Stage.TALKING:
            if self._sieve is None:
                session.feed(data, at)
            else:
                self._sieve.feed(session, self._line, data, at)
        elif self._identification is not None:
            self._identification.received(data, at)

    def line_lost(self, reason: str) -> None:
        """The line is gone."""
        unasked = self._stage is _Stage.UNASKED
        self._gone()
        if self._session is not None:
            if unasked:
                self._end_unasked(self._session)
            else:
                self._session.line_lost(reason)
        self._fail_errands(reason)

    def hold(self) -> None:
        """Stops reading: the store is behind."""
        self._line.pause()

    def go_on(self) -> None:
        """Reads on."""
        if self._stage is not _Stage.GONE:
            self._line.resume()

    def end(self, reason: str) -> None:
        """The gateway wants the line back."""
        if self._session is not None:
            self._session.finish(LineLost(reason))
        self._fail_errands(reason)
        self._close()

    # what jobs ask

    @property
    def free(self) -> bool:
        """Whether nothing is being said."""
        return self._stage is _Stage.PARKED

    def run(self, errand: Errand) -> None:
        """Obtains something from the meter, now or when the present session is over."""
        if self._errands is None:
            self._errands = deque()
        self._errands.append(errand)
        self._next_errand()

    def superseded(self, by: str) -> None:
        """The same meter came again over another line."""
        reason = f"the meter came again from {by}; this line was given up"
        session = self._session
        self._gone()
        if session is not None:
            session.finish(LineLost(reason))
        self._fail_errands(reason)
        self._line.abort()

    # time

    def overdue(self) -> None:
        """The line was too long without an identity, or idle (called by the sweep)."""
        self.deadline = NEVER
        session = self._session
        if session is None:
            if self._stage is not _Stage.PARKED:
                return
            if self._reception.poll_every and self._reception.role is Role.ASK:
                self._session = self._open_session()
                self._talk_again()
            else:
                self._close()
        elif self._stage is _Stage.UNASKED:
            self._end_unasked(session)
        elif self._identification is not None and self._identification.overdue():
            return
        elif not session.identified:
            seconds = self._reception.identify_seconds
            session.finish(MeterSilent(f"no meter was identified within {seconds:g} s"))

    def watch(self, seconds: float) -> None:
        """Wants to be `overdue` when this has passed."""
        facilities = self._reception.facilities
        self.deadline = facilities.clock.seconds() + seconds
        facilities.sweep.watch(self)

    # who is it?

    def _identify(self) -> Identification:
        assert self._session is not None
        self._stage = _Stage.IDENTIFYING
        self._identification = identification = Identification(self, self._reception, self._line, self._session)
        return identification

    def registered(self, found: Registration) -> None:
        """The modem said its name, and may say it again before every packet."""
        self.caller = found.id
        self._sieve = Sieve(self._reception.heartbeats, found.packet)

    def heard(self, data: bytes, at: int) -> None:
        """Bytes that were for no rule: the meter's, between heartbeats perhaps."""
        assert self._session is not None
        if self._sieve is None:
            self._session.feed(data, at)
        else:
            self._sieve.feed(self._session, self._line, data, at)

    def recognised(self, meter: KnownCaller, known: KnownMeter | None) -> None:
        """It is a meter in care."""
        self._bind(meter.serial)
        self._talk(meter, known)

    def left_to_codec(self) -> None:
        """The meter has to say itself who it is."""
        self._talk()

    def _bind(self, serial: str) -> None:
        if self.serial != serial:  # an equal text is not kept twice
            if self.serial:
                self._reception.presence.unbind(self.serial, self)
            self.serial = serial
        if self._reception.presence.bind(serial, self, self._line.remote) and self._session is not None:
            self._session.note("this meter's lines swap too often: do two devices have the same identity?")

    # sessions

    def _open_session(self, job: int = 0) -> Session:
        reception = self._reception
        codecs = reception.codecs()
        only = codecs[0] if len(codecs) == 1 else None
        session = Session(self._line, reception.facilities, self, self._opening(job, only))
        if self._stage is _Stage.PARKED and self._sieve is not None:
            self._sieve.unparked(session)
        return session

    def _opening(self, job: int = 0, codec: Codec | None = None) -> SessionOpening:
        return SessionOpening(
            transport=self._line.transport,
            remote=self._line.remote,
            started_ms=self._reception.facilities.now_ms(),
            serial=self.serial,
            listener=self._reception.name,
            caller=self.caller,
            job=job,
            codec=codec.name if codec is not None else "",
            codec_version=codec.version if codec is not None else "",
        )

    def _talk(self, meter: KnownCaller | None = None, known: KnownMeter | None = None) -> None:
        """Holds the listener's usual conversation."""
        assert self._session is not None
        self._identification = None
        self._stage = _Stage.TALKING
        reception = self._reception
        own = None if meter is None else reception.codec_named(meter.codec or meter.profile)
        codecs = reception.codecs() if own is None else (own,)
        serial = "" if meter is None else meter.serial
        self._session.begin(Plan(codecs, reception.role, serial=serial, expected=known))

    def _talk_again(self) -> None:
        """The same, over a line whose meter is known; the register may have changed since."""
        self.watch(self._reception.identify_seconds)
        self._identify().look_again(self.serial)

    def session_identified(self, session: Session, meter: MeterRecord) -> None:
        """The meter said who it is."""
        self.deadline = NEVER
        self._bind(meter.serial)
        if self.caller and f"{CALLER}{self.caller}" not in meter.routes:
            said = f"meter {meter.serial} called as {self.caller}, which is another meter's route; it stays there"
            session.note(said)
            logger.warning("%s: %s", self._line.remote, said)

    def session_progress(self, session: Session, progress: Progress) -> None:
        """Told to whoever ordered this."""
        if self._errand is not None:
            self._errand.progress(progress)

    def session_ended(self, session: Session, ending: Ending) -> None:
        """Parks an identified line, ends another."""
        self._session = None
        self._identification = None
        if ending.serial and isinstance(ending.error, UnknownMeter):
            logger.warning("%s: %s", self._line.remote, ending.detail)
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.ended(ending)
        if self._stage is _Stage.GONE:
            return
        wanted = self._reception.keep_open or bool(self._errands)
        unclaimed = ending.outcome is Outcome.UNKNOWN_METER and session.identified
        if self.serial and wanted and (unclaimed or ending.outcome in _KEEPS_THE_LINE):
            self._park()
        else:
            self._late = session
            self._close()

    def _park(self) -> None:
        self._stage = _Stage.PARKED
        if self._sieve is not None:
            self._sieve.parked()
        reception = self._reception
        self.watch(reception.poll_every or reception.idle_seconds)
        self._next_errand()

    def _received_parked(self, data: bytes) -> None:
        if self._stage is not _Stage.PARKED:
            self._received_late(data)
            return
        if self._sieve is not None:
            data = self._sieve.feed_parked(data, self._line, self._reception.facilities, self._opening)
        if not self._reception.poll_every:
            self.deadline = self._reception.facilities.clock.seconds() + self._reception.idle_seconds
        if data:
            self._speaks_unasked(data)

    def _received_late(self, data: bytes) -> None:
        """Bytes that were on their way while the line is being closed: on record, for nobody."""
        if self._late is None:
            self._late = late = self._open_session()
            late.finish(LineLost("the line had been idle for too long; it spoke when it was being closed"))
        self._late.received(data)

    def _speaks_unasked(self, data: bytes) -> None:
        """The meter pushes again, or says what nobody asked for: a session of its own either way."""
        self._session = session = self._open_session()
        at = session.log_received(data)
        if self._reception.role is Role.LISTEN:
            session.feed(data, at)
            self._talk_again()
        else:
            self._stage = _Stage.UNASKED
            self.watch(_UNASKED_SECONDS)

    def _end_unasked(self, session: Session) -> None:
        session.finish(
            CodecError(
                f"{session.bytes_received} bytes came that nobody had asked for; "
                f'heartbeats of its modem are to be named in `heartbeats` of listener "{self._reception.name}"'
            )
        )

    # errands

    def _next_errand(self) -> None:
        if self._stage is not _Stage.PARKED or not self._errands:
            return
        self._errand = errand = self._errands.popleft()
        self._session = session = self._open_session(errand.job)
        self._stage = _Stage.TALKING
        errand.started(session)
        session.begin(Plan(errand.codecs, Role.ASK, errand.order, errand.serial, errand.known))

    def _fail_errands(self, reason: str) -> None:
        errands, self._errands = self._errands, None
        for errand in errands or ():
            errand.ended(Ending(Outcome.LINE_LOST, reason, errand.serial, error=LineLost(reason)))

    # the end

    def _close(self) -> None:
        if self._stage is not _Stage.GONE:
            self._gone()
            self._line.close()

    def _gone(self) -> None:
        if self._stage is _Stage.PARKED and self._sieve is not None:
            self._sieve.lost(self._reception.facilities, self._opening)
        self._stage = _Stage.GONE
        self.deadline = NEVER
        self._reception.facilities.sweep.forget(self)
        if self.serial:
            self._reception.presence.unbind(self.serial, self)
