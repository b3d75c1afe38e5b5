"""A call by modem: its line, its session, and its record in the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from gateway_server.codec.dialogue import Progress
from gateway_server.errors import LineError, LineLost, UnknownMeter
from gateway_server.model import CallResult, Direction, Outcome
from gateway_server.session.endings import Ending
from gateway_server.session.line import Line
from gateway_server.session.plan import Facilities
from gateway_server.session.session import Session
from gateway_server.store.records import CallRecord
from gateway_server.transports.call_book import CallBook
from gateway_server.transports.calls import CallEnd, CallOrder
from gateway_server.transports.errand import Errand
from gateway_server.transports.modem.port import ModemPort
from gateway_server.transports.modem.verdict import Verdict
from gateway_server.transports.numbers import masked
from gateway_server.transports.visit import Visit

_RESULTS = {
    Outcome.READ: CallResult.OK,
    Outcome.PARTIAL: CallResult.OK,
    Outcome.UNKNOWN_METER: CallResult.OK,  # nobody has claimed it; of another meter see `_result_of`
    Outcome.SILENT: CallResult.SILENT,
    Outcome.GARBLED: CallResult.SILENT,
    Outcome.REFUSED: CallResult.REFUSED,
    Outcome.LINE_LOST: CallResult.LOST,
    Outcome.GATEWAY_FAULT: CallResult.INTERRUPTED,
    Outcome.IDLE: CallResult.SILENT,
}


class CsdLine:
    """The sending side of a call. The modem's own port keeps its speed, whatever the meter's is (dossier A.1)."""

    transport = "csd"

    def __init__(self, remote: str) -> None:
        self.remote = remote
        self._port: ModemPort | None = None
        self._written: Callable[[int], None] = _ignore
        self._hang_up: Callable[[], None] = _nothing

    def connected(self, port: ModemPort, written: Callable[[int], None], hang_up: Callable[[], None]) -> None:
        """The call is there; until now nothing could be written."""
        self._port = port
        self._written = written
        self._hang_up = hang_up

    def write(self, data: bytes) -> None:
        """Sends bytes to the meter."""
        if self._port is not None:
            self._port.write(data)
            self._written(len(data))

    def change(self, baud: int, format: str, only_from: int = 0) -> None:
        """The speeds of a call are the modems' business."""

    def pause(self) -> None:
        """Lets the modem wait."""
        if self._port is not None:
            self._port.pause()

    def resume(self) -> None:
        """Reads on."""
        if self._port is not None:
            self._port.resume()

    def close(self) -> None:
        """Hangs up: every second is paid for."""
        self.abort()

    def abort(self) -> None:
        """Hangs up."""
        if self._port is not None:
            self._port = None
            self._hang_up()


class Conversation(Protocol):
    """What is said in a call: one session of ours, or those of a meter that called."""

    @property
    def session(self) -> Session:
        """The present one, or the last."""

    @property
    def heard(self) -> tuple[int, int]:
        """When the last frame came, and how many bytes have come."""

    def begin(self) -> None:
        """The meter may be spoken to."""

    def received(self, data: bytes) -> None:
        """Bytes from the meter."""

    def fading(self) -> None:
        """The carrier has fallen; the last bytes are still on their way."""

    def line_lost(self, reason: str) -> None:
        """The line is gone."""

    def end(self, reason: str) -> None:
        """Somebody needs it ended."""

    def give_up(self, error: LineError) -> None:
        """The line did not come about, or is of no use."""


class Call:
    """One call from the dial to the modem's being on hook again; tells once how it went.

    ``meet`` makes the conversation of a call that came in. Its record names the first session and counts the bytes of
    all; how it went is how that session went, unless a later one was broken off.
    """

    def __init__(
        self,
        order: CallOrder,
        facilities: Facilities,
        modem: str,
        over: Callable[[CallEnd], None],
        meet: Callable[[Line, Errand], Conversation] | None = None,
    ) -> None:
        self.order = order
        self._facilities = facilities
        self._over = over
        self._ending: Ending | None = None
        self._verdict: Verdict | None = None  # stands above what the session's ending says
        self._our_fault = False
        self._hung_up = False
        self._line = CsdLine(f"{masked(order.number) or 'unknown'}@{modem}")
        errand = replace(order.errand, ended=self._ended)
        self._visit = Visit(self._line, facilities, errand) if meet is None else meet(self._line, errand)
        self._book = CallBook(
            facilities.writer,
            self._visit.session.key,
            CallRecord(
                id=0,
                meter=order.errand.serial,
                modem=modem,
                number=order.number,
                started_ms=facilities.now_ms(),
                attempt=order.attempt,
                job=order.errand.job,
                inbound=meet is not None,
            ),
        )
        self._connected_at: float | None = None
        self._wrote_to_port: Callable[[], None] = _nothing
        self._airtime_ms = 0
        self._bytes = 0

    @property
    def record(self) -> CallRecord:
        """As it is now."""
        return self._book.record

    @property
    def online(self) -> bool:
        """Whether it is connected and not yet being hung up."""
        return self._connected_at is not None and not self._hung_up

    # what the modem says of it

    def heard(self, direction: Direction, data: bytes) -> None:
        """A line of the modem's dialogue, numbers masked: it stands in the session's log, not in the meter's stream."""
        self._visit.session.log_modem(direction, data)

    def progress(self, text: str) -> None:
        """For the person who waits."""
        self.order.errand.progress(Progress(text))

    def connected(
        self,
        port: ModemPort,
        hang_up: Callable[[], None],
        wrote: Callable[[], None],
        *,
        bearer: str,
        signal: int | None,
        operator: str,
    ) -> None:
        """It is on line: from now on it is paid for. ``wrote`` hears of every byte to the meter."""
        self._wrote_to_port = wrote
        self._connected_at = self._facilities.clock.seconds()
        self._book.connected(self._facilities.now_ms(), bearer=bearer, signal=signal, operator=operator)
        self.progress("connected")
        self._line.connected(port, self._wrote, hang_up)

    def heard_so_far(self) -> tuple[int, int]:
        """When the last frame came, and how many bytes have come."""
        return self._visit.heard

    def begin(self) -> None:
        """The meter may be spoken to."""
        self._visit.begin()

    def received(self, data: bytes) -> None:
        """Bytes from the meter."""
        self._bytes += len(data)
        self._visit.received(data)

    def fading(self) -> None:
        """The carrier has fallen; the last bytes are still on their way."""
        self._visit.fading()

    def lost(self, why: str) -> None:
        """The carrier is gone."""
        if self._ending is not None and not self._visit.session.over:
            self._verdict = self._verdict or Verdict(CallResult.LOST, why)  # in a later session than its first
        self._visit.line_lost(why)

    def force(self, result: CallResult, why: str) -> None:
        """Ends it from outside, with this as its result whatever the session says."""
        if not self._visit.session.over:  # else it has its end already
            self._verdict = self._verdict or Verdict(result, why)
        self._visit.end(why)

    def hanging_up(self) -> None:
        """The hang-up is ordered: nothing more is done in this call."""
        if self.online:
            assert self._connected_at is not None
            self._hung_up = True
            self._airtime_ms = round((self._facilities.clock.seconds() - self._connected_at) * 1000)

    def failed(self, verdict: Verdict) -> None:
        """It did not come about, or the modem broke it."""
        if self._hung_up:
            # The session had ended by then: what the meter said stands, and what became of the modem is its own.
            self._our_fault = verdict.ours
            return
        self.hanging_up()
        self._verdict = self._verdict or verdict
        self._visit.give_up(LineLost(verdict.detail) if self._connected_at is not None else LineError(verdict.detail))

    def released(self) -> bool:
        """The modem is on hook, or given up. Tells whether it was the modem's fault that the call failed."""
        self.hanging_up()
        self._visit.give_up(LineLost("the call was ended"))
        end, record = self._conclusion(), self._book.record
        record = replace(
            record,
            meter=self._visit.session.serial or record.meter,
            ended_ms=self._facilities.now_ms(),
            result=end.result,
            detail=end.detail,
            cause=end.cause,
            bytes=self._bytes,
            airtime_ms=self._airtime_ms,
        )
        self._book.close(record)
        end = replace(end, paid_ms=record.paid_ms)
        over, self._over = self._over, _ignore_end
        over(end)
        return end.our_fault

    # inside

    def _conclusion(self) -> CallEnd:
        ending = self._ending if self._connected_at is not None else None
        verdict = self._verdict
        if verdict is None and ending is not None:
            verdict = Verdict(_result_of(ending, inbound=self._book.record.inbound), ending.detail)
        if verdict is None:
            verdict = Verdict(CallResult.INTERRUPTED, "the call was given up")
        return CallEnd(
            verdict.result,
            verdict.detail,
            self._book.record.modem,
            verdict.cause,
            self._airtime_ms,
            0,
            ending,
            verdict.ours or self._our_fault,
        )

    def _wrote(self, count: int) -> None:
        self._bytes += count
        self._wrote_to_port()

    def _ended(self, ending: Ending) -> None:
        self._ending = ending
        self.order.errand.ended(ending)


def _result_of(ending: Ending, *, inbound: bool) -> CallResult:
    if isinstance(ending.error, UnknownMeter) and ending.outcome is Outcome.UNKNOWN_METER and not inbound:
        return CallResult.WRONG_NUMBER  # another meter answered: to call it again costs, and brings nothing
    if ending.outcome is Outcome.PARTIAL and isinstance(ending.error, LineLost):
        return CallResult.LOST
    if ending.outcome is Outcome.GARBLED and ending.stored:
        return CallResult.OK
    return _RESULTS[ending.outcome]


def _ignore(_: int) -> None:
    return


def _ignore_end(_: CallEnd) -> None:
    return


def _nothing() -> None:
    return
