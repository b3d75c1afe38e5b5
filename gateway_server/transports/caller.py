"""A line somebody opened to us: found out who it is, spoken with, and kept for later."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable

from gateway_server.codec.dialogue import Progress
from gateway_server.errors import CodecError, GatewayError, LineError, LineLost, UnknownMeter
from gateway_server.model import Identify, KnownMeter, MeterState, Outcome
from gateway_server.session.endings import Ending
from gateway_server.session.hearing import NEVER
from gateway_server.session.line import Line
from gateway_server.session.plan import Plan, Role
from gateway_server.session.registration import Recogniser, Registration
from gateway_server.session.remarks import ANSWERED_HEARTBEAT, kept_out
from gateway_server.session.session import Session
from gateway_server.store.records import MeterRecord, SessionKey, SessionOpening
from gateway_server.store.store import Store
from gateway_server.transports.errand import Errand
from gateway_server.transports.reception import Reception, Rule

_CALLER = "caller:"
_UNASKED_SECONDS = 5.0
_KEEPS_THE_LINE = frozenset({Outcome.READ, Outcome.PARTIAL, Outcome.SILENT, Outcome.GARBLED, Outcome.REFUSED})


class _Stage(enum.Enum):
    LOOKING_UP = "looking up"
    REGISTERING = "registering"
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
        "_address",
        "_errand",
        "_errands",
        "_held",
        "_known",
        "_line",
        "_packet",
        "_port",
        "_reception",
        "_recogniser",
        "_record",
        "_rule",
        "_session",
        "_stage",
        "_unasked",
        "bucket",
        "caller",
        "deadline",
        "serial",
    )

    def __init__(self, line: Line, reception: Reception, address: str, port: int) -> None:
        self._line = line
        self._reception = reception
        self._address = address
        self._port = port
        self._rule = 0
        self._recogniser: Recogniser | None = None
        self._record: MeterRecord | None = None
        self._known: KnownMeter | None = None
        self._errand: Errand | None = None
        self._errands: deque[Errand] | None = None
        self._packet = b""
        self._held = b""
        self._unasked = 0
        self._stage = _Stage.LOOKING_UP
        self.deadline = NEVER
        self.bucket = 0
        self.caller = ""
        self.serial = ""
        self._session: Session | None = self._open_session()
        self._watch(reception.identify_seconds)
        self._next_rule()

    # what the line says

    def received(self, data: bytes) -> None:
        """Bytes from the other end."""
        session = self._session
        if session is None:
            self._received_parked(data)
            return
        at = session.log_received(data)
        if self._stage is _Stage.TALKING:
            if session.identified:
                if self._reception.heartbeats.strings or self._packet:
                    self._feed_between_heartbeats(session, data, at)
                else:
                    session.feed(data, at)
                return
            if session.bytes_received > self._reception.identify_bytes:
                session.finish(LineError(f"{session.bytes_received} bytes came and no meter was identified"))
                return
            self._feed_between_heartbeats(session, data, at)
        elif self._stage is _Stage.REGISTERING:
            self._register(session, data)
        elif self._stage is _Stage.UNASKED:
            self._unasked += len(data)
            if self._unasked > self._reception.identify_bytes:
                self._end_unasked(session)
        else:
            session.feed(data, at)

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
        elif self._stage is _Stage.REGISTERING:
            self._registration_over(session)
        elif self._stage is _Stage.UNASKED:
            self._end_unasked(session)
        elif not session.identified:
            seconds = self._reception.identify_seconds
            session.finish(LineError(f"no meter was identified within {seconds:g} s"))

    def _watch(self, seconds: float) -> None:
        facilities = self._reception.facilities
        self.deadline = facilities.clock.seconds() + seconds
        facilities.sweep.watch(self)

    # who is it?

    def _next_rule(self) -> None:
        rules = self._reception.rules
        if self._rule >= len(rules):
            self._unknown()
            return
        rule = rules[self._rule]
        self._rule += 1
        if rule is Rule.CODEC:
            self._talk()
        elif rule is Rule.ADDRESS:
            self._stage = _Stage.LOOKING_UP
            self._look_up(self._by_address)
        else:
            assert self._reception.registration is not None
            self._recogniser = Recogniser(self._reception.registration)
            self._stage = _Stage.REGISTERING
            self._watch(self._reception.registration_seconds)

    def _register(self, session: Session, data: bytes) -> None:
        recogniser = self._recogniser
        assert recogniser is not None
        found = recogniser.feed(data)
        if found is not None:
            self._registered(session, found)
        elif recogniser.full:
            self._registration_over(session)
        elif recogniser.pending:
            self._watch(self._reception.settle_seconds)

    def _registration_over(self, session: Session) -> None:
        recogniser = self._recogniser
        assert recogniser is not None
        found = recogniser.settle()
        if found is not None:
            self._registered(session, found)
            return
        self._recogniser = None
        if recogniser.came:
            session.feed(recogniser.came, session.bytes_received - len(recogniser.came))
        else:
            session.note("nothing was registered")
        self._watch(self._reception.identify_seconds)
        self._next_rule()

    def _registered(self, session: Session, found: Registration) -> None:
        self._recogniser = None
        self._packet = found.packet
        self.caller = session.caller = found.id
        session.note(f"registered as {found.id}")
        session.note(kept_out(0, session.bytes_received - len(found.rest), "registration"))
        self._watch(self._reception.identify_seconds)
        self._stage = _Stage.LOOKING_UP
        if found.rest:
            self._feed_between_heartbeats(session, found.rest, session.bytes_received - len(found.rest))
        key, name, at_ms = session.key, found.id, self._now_ms
        self._look_up(lambda store: store.caller_contact(key, name, at_ms))

    def _by_address(self, store: Store) -> MeterRecord | None:
        here = (f"{self._address}:{self._port}", self._address)
        for place in here:
            serial = self._reception.addresses.get(place)
            if serial is not None:
                return store.meter(serial) or store.identify(self._key, Identify(serial), self._now_ms)
        return next((meter for place in here if (meter := store.meter_at(f"tcp:{place}")) is not None), None)

    def _look_up(self, find: Callable[[Store], MeterRecord | None]) -> None:
        asks = self._reception.role is Role.ASK

        def work(store: Store) -> tuple[MeterRecord, KnownMeter | None] | None:
            record = find(store)
            if record is None:
                return None
            # A meter that speaks first is not expected to be anything but its serial number.
            return record, store.known_meter(record.serial) if asks else None

        self._reception.facilities.writer.call(work, self._looked_up)

    def _looked_up(self, found: tuple[MeterRecord, KnownMeter | None] | GatewayError | None) -> None:
        session = self._session
        if session is None or self._stage is _Stage.GONE:
            return
        if isinstance(found, GatewayError):
            session.finish(found)
        elif found is None or found[0].serial.startswith(_CALLER):
            self._next_rule()
        elif found[0].state is MeterState.DISABLED:
            session.finish(UnknownMeter(f"meter {found[0].serial} is switched off in the register"))
        else:
            self._record, self._known = found
            self._bind(found[0].serial)
            self._talk()

    def _unknown(self) -> None:
        """No rule told who it is. A caller with a name becomes an unclaimed entry of the register."""
        session = self._session
        assert session is not None
        if self.caller:
            entry = f"{_CALLER}{self.caller}"
            refusal = (
                f"caller {self.caller} belongs to no meter; its bytes are kept: `gateway-server meter claim {entry}`"
            )
        else:
            refusal = f"nobody is known at {self._address}; its bytes are kept"
        session.finish(UnknownMeter(refusal))

    def _bind(self, serial: str) -> None:
        if self.serial and self.serial != serial:
            self._reception.presence.unbind(self.serial, self)
        self.serial = serial
        if self._reception.presence.bind(serial, self, self._line.remote) and self._session is not None:
            self._session.note("this meter's lines swap too often: do two devices have the same identity?")

    # sessions

    @property
    def _key(self) -> SessionKey:
        assert self._session is not None
        return self._session.key

    @property
    def _now_ms(self) -> int:
        return self._reception.facilities.now_ms()

    def _open_session(self, job: int = 0) -> Session:
        reception = self._reception
        only = reception.codecs[0] if len(reception.codecs) == 1 else None
        opening = SessionOpening(
            transport=self._line.transport,
            remote=self._line.remote,
            started_ms=self._now_ms,
            serial=self.serial,
            listener=reception.name,
            caller=self.caller,
            job=job,
            codec=only.name if only is not None else "",
            codec_version=only.version if only is not None else "",
        )
        return Session(self._line, reception.facilities, self, opening)

    def _talk(self) -> None:
        """Holds the listener's usual conversation."""
        assert self._session is not None
        self._stage = _Stage.TALKING
        reception = self._reception
        codecs = reception.codecs
        if self._record is not None and self._record.codec:
            own = reception.codec_named(self._record.codec)
            codecs = (own,) if own is not None else codecs
        plan = Plan(codecs, reception.role, record=self._record, expected=self._known)
        self._record = self._known = None
        self._session.begin(plan)

    def _talk_again(self) -> None:
        """The same, over a line whose meter is known; the register may have changed since."""
        self._stage = _Stage.LOOKING_UP
        serial = self.serial
        self._watch(self._reception.identify_seconds)
        self._look_up(lambda store: store.meter(serial))

    def session_identified(self, session: Session, meter: MeterRecord) -> None:
        """The meter said who it is."""
        self.deadline = NEVER
        self._bind(meter.serial)

    def session_progress(self, session: Session, progress: Progress) -> None:
        """Told to whoever ordered this."""
        if self._errand is not None:
            self._errand.progress(progress)

    def session_ended(self, session: Session, ending: Ending) -> None:
        """Parks an identified line, ends another."""
        self._session = None
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
            self._close()

    def _park(self) -> None:
        self._stage = _Stage.PARKED
        self._held = b""
        reception = self._reception
        self._watch(reception.poll_every or reception.idle_seconds)
        self._next_errand()

    def _received_parked(self, data: bytes) -> None:
        if self._stage is not _Stage.PARKED:
            return
        data, self._held = self._held + data, b""
        taken, beats, unsure = self._reception.heartbeats.strip(data, self._packet)
        if beats and self._reception.heartbeats.answer:
            self._line.write(self._reception.heartbeats.answer * beats)
        if not self._reception.poll_every:
            self.deadline = self._reception.facilities.clock.seconds() + self._reception.idle_seconds
        rest = data[taken:]
        if unsure:
            self._held = rest
        elif rest:
            self._speaks_unasked(rest)

    def _speaks_unasked(self, data: bytes) -> None:
        """The meter pushes again, or says what nobody asked for: a session of its own either way."""
        self._session = session = self._open_session()
        at = session.log_received(data)
        if self._reception.role is Role.LISTEN:
            session.feed(data, at)
            self._talk_again()
        else:
            self._stage = _Stage.UNASKED
            self._unasked = len(data)
            self._watch(_UNASKED_SECONDS)

    def _end_unasked(self, session: Session) -> None:
        session.finish(CodecError(f"{session.bytes_received} bytes came that nobody had asked for"))

    def _feed_between_heartbeats(self, session: Session, data: bytes, at: int) -> None:
        heartbeats = self._reception.heartbeats
        if not heartbeats.strings and not self._packet:
            session.feed(data, at)
            return
        if self._held:
            at -= len(self._held)
            data, self._held = self._held + data, b""
        if session.at_border:
            taken, beats, unsure = heartbeats.strip(data, self._packet)
            answered = bool(beats and heartbeats.answer)
            if taken:
                session.note(kept_out(at, at + taken, ANSWERED_HEARTBEAT if answered else "heartbeat"))
            if answered:
                answer = heartbeats.answer * beats
                session.log_sent(answer)
                self._line.write(answer)
            if unsure:
                self._held = data[taken:]
                return
            data, at = data[taken:], at + taken
        if data:
            session.feed(data, at)

    # errands

    def _next_errand(self) -> None:
        if self._stage is not _Stage.PARKED or not self._errands:
            return
        self._errand = errand = self._errands.popleft()
        self._stage = _Stage.TALKING
        self._session = session = self._open_session(errand.job)
        errand.started(session)
        session.begin(Plan(errand.codecs, Role.ASK, errand.order, errand.record, errand.known))

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
        self._stage = _Stage.GONE
        self.deadline = NEVER
        self._reception.facilities.sweep.forget(self)
        if self.serial:
            self._reception.presence.unbind(self.serial, self)
