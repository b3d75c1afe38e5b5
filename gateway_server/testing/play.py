"""The language of dialogue tests: a test reads like the conversation it describes.

    play().receives(b"SN=41203377\\r\\n").sends(b"V?\\r\\n").receives(b"1042.5\\r\\n").reads(VOLUME, "1042.5")

What is sent and what is found must be named, in the order in which it happens: a reading before the acknowledgement
that lets the meter delete it. Everything else a dialogue says (identity, pauses, notes, things to remember) may be
named, and is passed over when it is not. Every failure shows the conversation so far.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn, Self, TypeVar

from gateway_server.codec.codec import NOISE, Answers, Asks, Codec, Frame, Framer
from gateway_server.codec.dialogue import (
    ChangeLine,
    Dialogue,
    Drain,
    Findings,
    Note,
    Partly,
    Pause,
    Receive,
    Remember,
    Send,
    Wish,
)
from gateway_server.codec.hexdump import hex_lines
from gateway_server.errors import CodecError, GatewayError, LineLost, MeterRefused, MeterSilent, UnknownMeter
from gateway_server.model import (
    Direction,
    Event,
    Identify,
    KnownMeter,
    Outcome,
    Quantity,
    Reading,
    Row,
    Saved,
    Value,
)

Finding = Reading | Row | Event

_W = TypeVar("_W", bound=Wish)
_F = TypeVar("_F", Reading, Row, Event)

_LONGEST_RUN = 100_000


def play(
    what: Codec | Dialogue | None = None,
    *,
    expected: KnownMeter | None = None,
    meter: KnownMeter | None = None,
    framer: Framer | None = None,
) -> Play:
    """Begins a conversation with a codec, or with one dialogue and the framer of its meter.

    Without ``what`` it is the module-level name ``codec`` of the calling test. A codec that can both ask and answer
    is played as ``expected`` says: given, we ask. ``meter`` is what `Identify` gives to the dialogue; by default the
    expected meter, or a claimed meter of that serial number of which nothing else is known.
    """
    if what is None:
        # A test says `play()` where its module imports the codec under its contract name.
        what = sys._getframe(1).f_globals.get("codec")
        if what is None:
            raise AssertionError("play() needs a codec: import one as `codec`, or say play(codec)")
    if isinstance(what, Asks) and (expected is not None or not isinstance(what, Answers)):
        dialogue = what.read(expected)
    elif isinstance(what, Answers):
        dialogue = what.answer()
    elif isinstance(what, Asks):
        dialogue = what.read(expected)
    else:
        dialogue = what  # type: ignore[assignment]  # neither asks nor answers: it is a dialogue itself
    if framer is None:
        if dialogue is what:
            raise AssertionError("play(dialogue) needs framer=: which frames does its meter send?")
        framer = what.framer()  # type: ignore[union-attr]  # only a dialogue has none
    return Play(dialogue, framer, meter or expected)


class Play:
    """One conversation between a dialogue and the meter that the test speaks for.

    The dialogue goes on only as far as the next thing named needs it to.
    """

    def __init__(self, dialogue: Dialogue, framer: Framer, meter: KnownMeter | None = None) -> None:
        self.rows: list[Row] = []
        self.events: list[Event] = []
        self.readings: list[Reading] = []
        self.remembered: dict[str, str] = {}
        self.notes_made: list[str] = []
        self._dialogue = dialogue
        self._framer = framer
        self._meter = meter
        self._frames: deque[Frame] = deque()
        self._story: list[str] = []
        self._wish: Wish | None = None
        self._found: deque[Finding] = deque()
        self._saved = 0
        self._passed: list[Wish] = []
        self._result: Partly | None = None
        self._error: GatewayError | None = None
        self._over = False
        self._resume(None)

    # what the meter does

    def receives(self, data: bytes) -> Self:
        """The meter sends these bytes, in one piece."""
        self._settle("the meter sends something")
        if self._over:
            self._fail("the meter sends something, but the dialogue is over")
        self._tell(data, Direction.FROM_METER)
        self._framer.feed(data)
        while frame := self._framer.next_frame():
            self._frames.append(frame)
        return self

    def stays_silent(self) -> Self:
        """Nothing (more) comes until the dialogue's patience is at its end.

        An unfinished frame goes to the dialogue with its fault; otherwise `MeterSilent` is raised in it.
        """
        self._settle("the meter stays silent")
        if not isinstance(self._wish, Receive):
            self._fail("the meter stays silent, but the dialogue does not wait for it")
        self._story.append(f"- silence for {self._wish.timeout:g} s")
        while left := self._framer.flush():
            self._frames.append(left)
        if frame := self._next_frame(self._wish):
            self._resume(frame)
        else:
            self._throw(MeterSilent(f"nothing within {self._wish.timeout:g} s"))
        return self

    def hangs_up(self) -> Self:
        """The line is lost."""
        self._settle("the meter hangs up")
        self._story.append("- the line is lost")
        self._throw(LineLost("the line was lost"))
        return self

    def drains(self, data: bytes = b"") -> Self:
        """The dialogue waits for a quiet line; what the meter still sends meanwhile is dropped."""
        wish = self._advance_to(Drain, "a wait for a quiet line")
        self._tell(data, Direction.FROM_METER)
        self._framer.feed(data)
        self._pass(wish)
        return self

    # what the dialogue says

    def sends(self, data: bytes, *, shown: bytes | None = None) -> Self:
        """The dialogue sends exactly this; ``shown`` is how the log shows it when it holds an access code."""
        wish = self._advance_to(Send, f"it to send {data!r}")
        self._passed.clear()
        self._tell(wish.data, Direction.TO_METER)
        if wish.data != data:
            self._fail("the dialogue sends something else. Expected:\n" + _indented(data, Direction.TO_METER))
        if shown is not None and wish.shown != shown:
            self._fail(f"the log would show {wish.shown!r}, expected {shown!r}")
        self._resume(None)
        return self

    def identifies(
        self,
        serial: str,
        manufacturer: str | None = None,
        model: str | None = None,
        software_version: str | None = None,
        *,
        meter: KnownMeter | None = None,
        unknown: bool = False,
    ) -> Self:
        """The meter said who it is. The dialogue gets ``meter`` for it; with ``unknown`` the register refuses."""
        wish = self._advance_to(Identify, f"it to identify {serial}")
        self._same("serial", wish.serial, serial, wish)
        self._same("manufacturer", wish.manufacturer, manufacturer, wish)
        self._same("model", wish.model, model, wish)
        self._same("software_version", wish.software_version, software_version, wish)
        if unknown:
            self._story.append(f"- {serial} is unknown to the register")
            self._throw(UnknownMeter(f"no meter {serial}"))
        else:
            self._pass(wish, meter)
        return self

    def reads(
        self,
        quantity: Quantity | str,
        value: str,
        unit: str | None = None,
        *,
        archive: str | None = None,
        measured_at: datetime | None = None,
        order_number: int | None = None,
        quality: str | None = None,
    ) -> Self:
        """The dialogue yields this reading. ``value`` is exact: ``1042.50`` is not ``1042.5``."""
        found = self._find(Reading, f"reading {value}")
        name = quantity.name if isinstance(quantity, Quantity) else quantity
        self._same("quantity", found.quantity.name, name, found)
        self._same("value", _text(found.value), value, found)
        self._same("unit", found.unit, unit, found)
        self._same("archive", found.archive, archive, found)
        self._same("measured_at", found.measured_at, measured_at, found)
        self._same("order_number", found.order_number, order_number, found)
        self._same("quality", found.quality, quality, found)
        return self._named()

    def saves_row(
        self,
        values: Mapping[str, str] | None = None,
        *,
        archive: str | None = None,
        measured_at: datetime | None = None,
        order_number: int | None = None,
        status: str | None = None,
        event: str | None = None,
        quality: str | None = None,
    ) -> Self:
        """The dialogue yields this row. ``values`` names columns by the device's name or by quantity; not all must be.

        What is not given is not compared.
        """
        found = self._find(Row, "a row")
        columns = {column.quantity: at for at, column in enumerate(found.columns) if column.quantity}
        columns |= {column.name: at for at, column in enumerate(found.columns) if column.name}
        for name, wanted in (values or {}).items():
            if name not in columns:
                self._fail(f"the row has no column {name!r}; it has {', '.join(columns)}")
            self._same(name, _text(found.values[columns[name]]), wanted, found)
        self._same("archive", found.archive, archive, found)
        self._same("measured_at", found.measured_at, measured_at, found)
        self._same("order_number", found.order_number, order_number, found)
        self._same("status", found.status, status, found)
        self._same("event", found.event, event, found)
        self._same("quality", found.quality, quality, found)
        return self._named()

    def saves_rows(self, count: int) -> Self:
        """The dialogue yields this many rows; look at them in ``rows``."""
        for _ in range(count):
            self._find(Row, f"{count} rows")
            self._named()
        return self

    def saves_event(
        self,
        code: str,
        text: str | None = None,
        *,
        measured_at: datetime | None = None,
        order_number: int | None = None,
        quality: str | None = None,
    ) -> Self:
        """The dialogue yields this entry of the meter's event log."""
        found = self._find(Event, f"event {code}")
        self._same("code", found.code, code, found)
        self._same("text", found.text, text, found)
        self._same("measured_at", found.measured_at, measured_at, found)
        self._same("order_number", found.order_number, order_number, found)
        self._same("quality", found.quality, quality, found)
        return self._named()

    def saves_events(self, count: int) -> Self:
        """The dialogue yields this many events; look at them in ``events``."""
        for _ in range(count):
            self._find(Event, f"{count} events")
            self._named()
        return self

    def changes_line(self, baud: int, format: str | None = None) -> Self:
        """The dialogue goes on at another speed and format."""
        wish = self._side(ChangeLine, f"a change to {baud} baud")
        self._same("baud", wish.baud, baud, wish)
        self._same("format", wish.format, format, wish)
        return self

    def pauses(self, seconds: float) -> Self:
        """The dialogue says nothing for a while."""
        wish = self._side(Pause, f"a pause of {seconds:g} s")
        self._same("seconds", wish.seconds, seconds, wish)
        return self

    def remembers(self, name: str, value: str | None = None) -> Self:
        """The dialogue keeps a fact about the meter."""
        while (wish := self._side(Remember, f"remembering {name}")).name != name:
            pass
        self._same("value", wish.value, value, wish)
        return self

    def notes(self, text: str) -> Self:
        """The dialogue leaves a remark that contains ``text``."""
        while text not in self._side(Note, f"a note about {text!r}").text:
            pass
        return self

    def ends(self, outcome: Outcome = Outcome.READ, because: str = "") -> None:
        """The dialogue is over, with this outcome; ``because`` stands in its reason."""
        self._settle("the dialogue ends")
        if not self._over:
            self._fail(f"the dialogue is not over; {self._wanted()}")
        if self._outcome() is not outcome:
            self._fail(f"the outcome is {self._outcome().value}, expected {outcome.value}")
        reason = self._result.reason if self._result else str(self._error or "")
        if because not in reason:
            self._fail(f"it ended because {reason!r}, expected {because!r}")

    # how the dialogue is driven

    def _resume(self, answer: Any) -> None:
        self._step(lambda: self._dialogue.send(answer))

    def _throw(self, error: GatewayError) -> None:
        self._step(lambda: self._dialogue.throw(error))

    def _step(self, go: Callable[[], Wish]) -> None:
        if self._over:
            return
        try:
            self._wish = go()
        except StopIteration as end:
            self._over, self._wish, self._result = True, None, end.value
            self._story.append(f"- over: {end.value.reason}" if end.value else "- over")
            return
        except GatewayError as error:
            self._over, self._wish, self._error = True, None, error
            self._story.append(f"- over: {type(error).__name__}: {error}")
            return
        match self._wish:
            case Findings(rows, events, readings):
                self._found.extend((*rows, *events, *readings))
            case Reading() | Row() | Event() as found:
                self._found.append(found)
        self._saved = len(self._found)

    def _pass(self, wish: Wish, meter: KnownMeter | None = None) -> None:
        """Fulfils a wish that no test need name."""
        answer: KnownMeter | Saved | None = None
        match wish:
            case Identify(serial):
                self._story.append(f"- identified: {serial}")
                answer = meter or self._meter or KnownMeter(serial)
            case Remember(name, value):
                self.remembered[name] = value
            case Note(text):
                self.notes_made.append(text)
                self._story.append(f"- {text}")
            case Drain():
                while self._framer.next_frame() or self._framer.flush():
                    pass
                self._frames.clear()
            case Pause(seconds):
                self._story.append(f"- pause of {seconds:g} s")
            case ChangeLine(baud, format):
                self._story.append(f"- line changes to {baud} {format}".rstrip())
            case Findings():  # an empty one
                answer = Saved()
        self._resume(answer)

    def _go(self) -> bool:
        """Lets the dialogue take one step if it can without anything that a test must name."""
        wish = self._wish
        if wish is None or self._found or isinstance(wish, Send):
            return False
        if isinstance(wish, Receive):
            frame = self._next_frame(wish)
            if frame:
                self._resume(frame)
            return frame is not None
        self._passed.append(wish)
        self._pass(wish)
        return True

    def _next_frame(self, wish: Receive) -> Frame | None:
        while self._frames:
            frame = self._frames.popleft()
            if (wish.noise or frame.kind != NOISE) and (wish.kinds is None or frame.kind in wish.kinds):
                return frame
        return None

    def _settle(self, happening: str) -> None:
        """As far as the dialogue goes by itself; nothing must be left that a test has to name."""
        self._passed.clear()
        for _ in range(_LONGEST_RUN):
            if not self._go():
                break
        else:
            self._fail("the dialogue neither sends nor waits nor ends")
        if self._found or isinstance(self._wish, Send):
            self._fail(f"{happening}, but before that {self._wanted()}")

    def _advance_to(self, kind: type[_W], wanted: str) -> _W:
        for _ in range(_LONGEST_RUN):
            if isinstance(self._wish, kind):
                return self._wish
            if not self._go():
                break
        return self._fail(f"expected {wanted}; {self._wanted()}")

    def _side(self, kind: type[_W], wanted: str) -> _W:
        """The next wish of this kind, be it one that was passed over since something was last sent or received."""
        while self._passed:
            wish = self._passed.pop(0)
            if isinstance(wish, kind):
                return wish
        wish = self._advance_to(kind, wanted)
        self._passed.clear()
        self._pass(wish)
        return wish

    def _find(self, kind: type[_F], wanted: str) -> _F:
        while not self._found and self._go():
            pass
        found = self._found[0] if self._found else None
        if not isinstance(found, kind):
            self._fail(f"expected {wanted}; {self._wanted()}")
        return found

    def _named(self) -> Self:
        match found := self._found.popleft():
            case Row():
                self.rows.append(found)
            case Event():
                self.events.append(found)
            case Reading():
                self.readings.append(found)
        self._story.append(f"- saved: {found}")
        if not self._found:
            self._resume(Saved(new=self._saved))
        return self

    # what a failure says

    def _outcome(self) -> Outcome:
        match self._error:
            case None:
                return Outcome.PARTIAL if self._result else Outcome.READ
            case MeterRefused():
                return Outcome.REFUSED
            case MeterSilent():
                return Outcome.SILENT
            case CodecError():
                return Outcome.GARBLED
            case UnknownMeter():
                return Outcome.UNKNOWN_METER
            case LineLost():
                return Outcome.LINE_LOST
            case _:
                return Outcome.GATEWAY_FAULT

    def _wanted(self) -> str:
        if self._found:
            return f"the dialogue found {self._found[0]}"
        match self._wish:
            case None:
                return "the dialogue is over"
            case Send(data):
                return "the dialogue sends\n" + _indented(data, Direction.TO_METER)
            case Receive(timeout):
                return f"the dialogue waits for the meter, {timeout:g} s"
            case wish:
                return f"the dialogue wants {wish}"

    def _same(self, name: str, is_: object, wanted: object, of: object) -> None:
        if wanted is not None and is_ != wanted:
            self._fail(f"{name} is {is_!r}, expected {wanted!r}: {of}")

    def _tell(self, data: bytes, direction: Direction) -> None:
        if data:
            self._story.extend(hex_lines(data, direction))

    def _fail(self, why: str) -> NoReturn:
        story = "\n".join(self._story) or "(nothing was said)"
        raise AssertionError(f"{why}\n\nthe conversation so far:\n{story}")


def _text(value: Value) -> str:
    return format(value, "f") if isinstance(value, Decimal) else value


def _indented(data: bytes, direction: Direction) -> str:
    return "\n".join(f"    {line}" for line in hex_lines(data, direction))
