"""Asking a device one thing and getting the answer, whatever the line does in between.

Every frame that comes is heard by the interpreter, so that what a live session finds is what its log tells later.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from typing import Any

from gateway_server.codec.codec import BEGUN
from gateway_server.codec.dialogue import Findings, Note, Receive, Remember, Wish
from gateway_server.errors import ChecksumError, LineLost, MeterSilent, UnknownMeter, cut
from gateway_server.model import EVENTS, Event, Identify, KnownMeter, LastRow, Row

from . import messages, periods
from .gate import outgoing
from .interpreter import (
    PARITY,
    Accepted,
    Answer,
    Begun,
    Block,
    Cells,
    Damaged,
    HungUp,
    Lis200Interpreter,
    Refused,
    Rejected,
    Told,
)
from .models import Timing

Talk = Generator[Wish, Any, Any]

MOST_EARLY_BREAKS = 3
"""So many blocks that were acknowledged too early, and the session waits for the end of each."""

MOST_ANSWER = 1 << 14
"""So many octets at most until an answer is whole, noise and all; before a sign-on a line may bring any amount."""
PATIENCE = 4
"""So many times as long as its line takes for them an answer's octets may take: calls repeat what was damaged."""

FOREIGN_FRAMES = 40
"""So many frames that are not for us pass by before an answer is given up."""


class Conversation:
    """One session's state on our side: what we know of the meter, and how its characters travel."""

    def __init__(self, expected: KnownMeter | None) -> None:
        self.expected = expected
        self.meter = expected
        self.identified = False
        self.listener = Lis200Interpreter()
        self.even = self.recalled(PARITY) == "even"
        self.stored = 0
        self.troubles: list[str] = []
        self.opened: dict[int, str] = {}  # locks we opened, and with which code
        self.reopened = 0
        self.woken = ""  # it answered behind wake-up NULs, sent in this way
        self.clock: datetime | None = None  # the device's own, as read in this session
        self.denied = False  # no lock could be opened: the code at hand does not fit
        self.early_left = MOST_EARLY_BREAKS
        self.rate = 30.0  # octets a second that its line brings at least
        self.at_once: bool | None = None  # the device gives an archive in one block, whatever is asked for
        self.vouched = False  # rows of this session go on from the stored ones
        self.confirm: Callable[[], Talk] | None = None  # asks a trusted meter who it is
        self.interrupted = False  # ... in the middle of an archive, whose next block does not come by itself then
        self.tried_locks: set[tuple[int, str]] = set()

    @property
    def timing(self) -> Timing:
        """Waiting times for this model."""
        return self.listener.profile.timing

    @property
    def name(self) -> str:
        """The meter in words, for messages."""
        serial = self.listener.serial or (self.expected.serial if self.expected else "")
        return f"meter {cut(serial)}" if serial else "the meter"

    @property
    def airtime(self) -> bool:
        """Whether every second on this line is paid for: then nothing is asked that is not needed."""
        return self.expected is not None and self.expected.airtime

    @property
    def early(self) -> bool:
        """Whether a block may be acknowledged while it arrives: the operator said so of this type of device."""
        if self.listener.trusted and not self.vouched:
            return False  # it may have to be asked who it is behind this block
        return self.airtime and self.early_left > 0 and self.expected is not None and self.expected.early_acknowledge

    def recalled(self, fact: str) -> str:
        """What an earlier session asked to remember, empty if nothing."""
        return self.meter.memory.get(fact, "") if self.meter else ""

    def period(self, archive: str) -> timedelta | None:
        """How far apart its regular rows are: as they showed in this session, else in an earlier one."""
        number = self.listener.profile.number_of(archive)
        period = periods.usual(archive, self.meter.memory if self.meter else {})
        return period if period is None or number is None else self.listener.reader(number).period or period

    def remember(self, fact: str, value: str) -> Talk:
        """Asks to remember, if it is news."""
        if self.recalled(fact) != value or (not value and self.meter is not None and fact not in self.meter.memory):
            yield Remember(fact, value)

    def say(self, message: messages.Message) -> Talk:
        """Sends one message in the characters this line takes."""
        wish = outgoing(message, even=self.even)
        self.listener.sent(wish.shown or wish.data)
        yield wish

    def hear(
        self,
        timeout: float,
        wanted: Callable[[Answer], bool],
        *,
        kinds: frozenset[str] | None = None,
        begun: bool = False,
        most: int | None = MOST_ANSWER,
    ) -> Talk:
        """The next answer that is wanted, or `Damaged`; what else comes is heard and passed over.

        With ``begun`` a block that has begun and is not whole is told of as `Begun`. ``kinds`` keeps other frames away
        altogether; ``most`` octets are waited for at most. Raises `MeterSilent`, and `LineLost` when the modem says so.
        """
        for _ in range(FOREIGN_FRAMES):
            frame = yield Receive(timeout, self.timing.gap, kinds=kinds, begun=begun, most=most, rate=self.rate)
            if frame.kind == BEGUN:
                return Begun()
            found, answer = self.listener.hear(frame)
            yield from self.deliver(found)
            if isinstance(answer, HungUp) and not self.airtime:  # a call's own modem is watched by who made it
                raise LineLost(f"{self.name}: the modem reports NO CARRIER, the far end hung up or lost the line")
            if isinstance(answer, Damaged) or wanted(answer):
                return answer
        raise MeterSilent(f"{self.name} does not answer among {FOREIGN_FRAMES} telegrams of others on its line")

    def deliver(self, found: list[Any]) -> Talk:
        """Gives the session what was found; learns of the meter what the register knows once it is identified."""
        for thing in found:
            if isinstance(thing, Identify):
                yield from self._identify(thing)
            elif isinstance(thing, Remember):
                yield from self.remember(thing.name, thing.value)
            else:
                if isinstance(thing, Findings):
                    yield from self._vouch(thing)
                yield thing
                if not isinstance(thing, Note):
                    self.stored += 1

    def _identify(self, said: Identify) -> Talk:
        expected = self.expected
        if expected is not None:
            if not same_serial(expected.serial, said.serial):
                raise UnknownMeter(
                    f"meter {expected.serial} was expected, but meter {cut(said.serial)} answers at its place: "
                    "check the route, or register the new meter"
                )
            said = Identify(expected.serial, said.manufacturer, said.model, said.software_version)
        self.meter = yield said
        self.identified = True
        self.listener.recall(self.meter)

    def _vouch(self, findings: Findings) -> Talk:
        """Before the first rows of a trusted meter are stored: unless they fit the stored ones, it is asked at once."""
        if not self.listener.trusted or self.vouched or self.meter is None or self.confirm is None:
            return
        first: Row | Event = findings.rows[0] if findings.rows else findings.events[0]
        archive = first.archive if isinstance(first, Row) else EVENTS
        self.vouched = True
        if continues(self.meter.last.get(archive), self.period(archive), first.order_number, first.measured_at):
            return
        yield Note(f"{archive}: its rows do not go on from the stored ones; asking the meter who it is")
        self.interrupted = True
        yield from self.confirm()

    def trust(self) -> Talk:
        """Takes the meter for the one that is expected: the way to it says so, and it was asked not long ago."""
        assert self.expected is not None
        yield from self._identify(Identify(self.expected.serial))

    def ask(self, message: messages.Message, *, repeats: int | None = None) -> Talk:
        """One question and its answer, asked again after silence or damage. Raises `MeterSilent`, `ChecksumError`."""
        tries = repeats or self.timing.repeats
        wanted = _is_consent if isinstance(message, messages.Command) and message.name in ("W1", "P1") else _is_reply
        for attempt in range(1, tries + 1):
            yield from self.say(message)
            try:
                answer = yield from self.hear(self.timing.reply, wanted)
            except MeterSilent:
                if attempt == tries:
                    raise
                continue
            if isinstance(answer, Damaged | Rejected):
                if attempt < tries:
                    yield from self.quiet()
                continue
            if attempt > 1 and isinstance(answer, Cells):
                # The first answer may only have been late, and cells do not say which question they answer.
                yield from self.quiet()
            return answer
        raise ChecksumError(f"{self.name}: {tries} answers in a row arrived damaged; check the line's quality")

    def quiet(self) -> Talk:
        """Waits until the line says nothing more; what it still says is heard, for it may hold rows."""
        for _ in range(FOREIGN_FRAMES):
            try:
                frame = yield Receive(self.timing.quiet, self.timing.quiet, noise=True)
            except MeterSilent:
                return
            found, answer = self.listener.hear(frame)
            yield from self.deliver(found)
            if isinstance(answer, HungUp) and not self.airtime:  # a call's own modem is watched by who made it
                raise LineLost(f"{self.name}: the modem reports NO CARRIER, the far end hung up or lost the line")

    def contradicted(self) -> Talk:
        """What the device refuses right behind an ACK, None if nothing: on a bad line an ACK may be a stray one."""
        try:
            answer = yield from self.hear(self.timing.afterthought, _is_refusal)
        except MeterSilent:
            return None
        return answer if isinstance(answer, Refused) else None

    def trouble(self, reason: str) -> Talk:
        """Goes on in spite of something; it will be said at the end."""
        self.troubles.append(reason)
        yield Note(reason)


def _is_reply(answer: Answer) -> bool:
    return isinstance(answer, Told | Cells | Block | Refused | Rejected)


def _is_consent(answer: Answer) -> bool:
    return isinstance(answer, Accepted | Refused | Rejected)


def _is_refusal(answer: Answer) -> bool:
    return isinstance(answer, Refused)


def continues(last: LastRow | None, period: timedelta | None, order: int | None, moment: datetime | None) -> bool:
    """Whether a row is as far from the last stored one by its order number as by its time; ``period`` if it has one.

    Strict on purpose: a row too many or too few between them costs a question, a wrong guess an exchanged meter's rows.
    """
    if last is None or last.order_number is None or last.measured_at is None or order is None or moment is None:
        return False
    apart = moment.replace(fold=0) - last.measured_at.replace(fold=0)
    if period is not None:
        return divmod(apart, period) == (order - last.order_number, timedelta())
    return order == last.order_number and not apart


def same_serial(one: str, other: str) -> bool:
    """Whether two serial numbers are one: leading zeros and blanks do not count."""
    return one.strip().lstrip("0") == other.strip().lstrip("0")
