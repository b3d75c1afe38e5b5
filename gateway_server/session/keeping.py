"""What a session knows and keeps: which meter it speaks with, and what that meter reported, in the store."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from gateway_server.codec.codec import Codec
from gateway_server.codec.dialogue import Findings
from gateway_server.errors import GatewayError, StoreError, UnknownMeter
from gateway_server.model import Event, Identify, KnownMeter, Reading, Row, Saved
from gateway_server.session import clock
from gateway_server.session.edge import CLOCK_DRIFT, row_to_save, to_save
from gateway_server.session.hearing import OVER, STORING, Hearing
from gateway_server.session.identity import Identity, look_up
from gateway_server.session.line import Line
from gateway_server.session.plan import DEFAULT_ORDER, Facilities, Owner, Plan
from gateway_server.store.records import RowToSave, SessionOpening
from gateway_server.store.store import Store

NO_PLAN = Plan(())


class Keeping(Hearing):
    """What a session keeps of what it hears. `Session` adds what it says.

    What the store answers at once, while the dialogue is being run, waits in ``_answer`` for `Session._run`; what it
    answers later resumes the dialogue.
    """

    __slots__ = (
        "_answer",
        "_answered",
        "_clock_told",
        "_expected",
        "_order",
        "_others",
        "_owner",
        "_plan",
        "_secret",
        "_stored",
        "_unclaimed",
        "_zone",
        "serial",
    )

    def __init__(self, line: Line, facilities: Facilities, owner: Owner, opening: SessionOpening) -> None:
        super().__init__(line, facilities, opening)
        self._owner = owner
        self._plan = NO_PLAN
        self._others: Sequence[Codec] = ()
        self._answered = False
        self._answer: Any = None
        self._stored = 0
        self._clock_told = False
        self._secret = ""
        self._expected = ""
        self._order = DEFAULT_ORDER
        self._unclaimed = False
        self._zone: ZoneInfo | None = None
        self.serial = opening.serial

    @property
    def identified(self) -> bool:
        """Whether the meter has said who it is and the register knows what to make of it."""
        return self._zone is not None

    # who it is

    def _identify(self, said: Identify) -> tuple[bool, GatewayError | None]:
        facilities = self._facilities
        try:
            work = look_up(self._key, said, facilities.now_ms(), self._expected)
        except UnknownMeter as stranger:
            return False, stranger
        self._state = STORING
        facilities.writer.call(work, self._looked_up)
        return not self._answered, None

    def _looked_up(self, found: Identity | StoreError) -> None:
        if self._state is OVER:
            return
        if not isinstance(found, Identity):
            self._answer_with(found)
            return
        if self.serial != found.record.serial:  # an equal text is not kept twice
            self.serial = found.record.serial
        self._unclaimed = found.unclaimed
        try:
            meter = found.meter(self._order)
            self._owner.session_identified(self, found.record)  # type: ignore[arg-type]  # only sessions are made
        except UnknownMeter as refusal:
            self._answer_with(refusal)
            return
        if self.over:
            return
        self._early = None
        self._plan = NO_PLAN
        self._others = ()
        self._secret = meter.access_code
        self._zone = ZoneInfo(found.record.time_zone)
        self._answer_with(meter)

    # what it reported

    def _save(self, wish: Any) -> None:
        zone = self._zone
        if zone is None:
            raise RuntimeError(f"the codec {self._codec_name} reports values of a meter it has not identified")
        facilities = self._facilities
        kind = type(wish)
        if kind is Row or kind is Reading:
            rows, events = [row_to_save(wish, zone, self._heard_ms or facilities.now_ms())], ()
            given = wish if kind is Row else None
        else:
            if kind is Event:
                wish = Findings(events=(wish,))
            rows, events = to_save(wish, zone, self._heard_ms or facilities.now_ms())  # type: ignore[assignment]
            given = wish.rows[0] if wish.rows else None
        if given is not None and rows[0].columns is not given.columns:
            self._tell_of_clock(rows[0])
        self._state = STORING
        if self._unclaimed:
            # Only its bytes are kept, but these are durable before anything is acknowledged.
            facilities.writer.call(_nothing_new, self._saved)
        else:
            facilities.writer.save(self._key, self.serial, rows, events, self._saved)

    def _tell_of_clock(self, row: RowToSave) -> None:
        """A row that got a clock's drift: once a session, if that is worth a word."""
        if row.columns[-1].quantity == CLOCK_DRIFT and not self._clock_told:
            said = clock.remark(Decimal(row.values[-1]))
            if said:
                self._clock_told = True
                self.note(said)

    def _saved(self, result: Saved | StoreError) -> None:
        if self._state is OVER:
            return
        if type(result) is Saved:
            self._stored += result.new + result.same + result.conflicts
        self._answer_with(result)

    def _answer_with(self, answer: KnownMeter | Saved | GatewayError) -> None:
        """What the store said, at once or later."""
        if self._running:
            self._answer = answer
            self._answered = True
        elif isinstance(answer, StoreError):
            self._end(answer)
        elif isinstance(answer, GatewayError):
            self._run(None, answer)
        else:
            self._run(answer)

    # what the dialogue's side does

    @property
    def _codec_name(self) -> str:
        raise NotImplementedError


def _nothing_new(store: Store) -> Saved:
    return Saved()
