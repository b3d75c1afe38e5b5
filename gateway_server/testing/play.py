"""The language of dialogue tests: a test reads like the conversation it describes.

    play().receives(b"SN=41203377\\r\\n").sends(b"V?\\r\\n").receives(b"1042.5\\r\\n").reads(VOLUME, "1042.5")

What is sent and what is found must be named, in the order in which it happens: a reading before the acknowledgement
that lets the meter delete it. Everything else a dialogue says (identity, pauses, notes, things to remember) may be
named, and is passed over when it is not. Every failure shows the conversation so far.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Self

from gateway_server.codec.codec import Answers, Asks, Codec, Framer
from gateway_server.codec.dialogue import ChangeLine, Dialogue, Drain, Note, Pause, Receive, Remember, Send
from gateway_server.errors import UnknownMeter
from gateway_server.model import Event, Identify, KnownMeter, Outcome, Quantity, Reading, Row, Value
from gateway_server.testing.conversation import Conversation, indented


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

    The dialogue goes on only as far as the next thing named needs it to. What was found is kept in ``rows``,
    ``events`` and ``readings``, for a test that wants to look at it more closely.
    """

    def __init__(self, dialogue: Dialogue, framer: Framer, meter: KnownMeter | None = None) -> None:
        self.rows: list[Row] = []
        self.events: list[Event] = []
        self.readings: list[Reading] = []
        self._talk = Conversation(dialogue, framer, meter)

    @property
    def remembered(self) -> dict[str, str]:
        """What the dialogue keeps of the meter, as far as it has gone."""
        return self._talk.remembered

    @property
    def story(self) -> str:
        """The conversation so far, as a failure shows it."""
        return "\n".join(self._talk.story)

    # what the meter does

    def receives(self, data: bytes) -> Self:
        """The meter sends these bytes, in one piece."""
        self._talk.settle("the meter sends something")
        if self._talk.over:
            self._talk.fail("the meter sends something, but the dialogue is over")
        self._talk.hear(data)
        return self

    def stays_silent(self) -> Self:
        """Nothing (more) comes until the dialogue's patience is at its end.

        An unfinished frame goes to the dialogue with its fault; otherwise `MeterSilent` is raised in it.
        """
        self._talk.settle("the meter stays silent")
        wish = self._talk.wish
        if not isinstance(wish, Receive):
            self._talk.fail("the meter stays silent, but the dialogue does not wait for it")
        self._talk.silence(wish)
        return self

    def hangs_up(self) -> Self:
        """The line is lost."""
        self._talk.settle("the meter hangs up")
        self._talk.lose_line()
        return self

    def drains(self, data: bytes = b"") -> Self:
        """The dialogue waits for a quiet line; what the meter still sends meanwhile is dropped."""
        wish = self._talk.advance_to(Drain, "a wait for a quiet line")
        self._talk.hear(data)
        self._talk.fulfil(wish)
        return self

    # what the dialogue says

    def sends(self, data: bytes, *, shown: bytes | None = None) -> Self:
        """The dialogue sends exactly this; ``shown`` is how the log shows it when it holds an access code."""
        wish = self._talk.advance_to(Send, f"it to send {data!r}")
        if wish.data != data:
            self._talk.fail(f"the dialogue sends\n{indented(wish.data)}\nexpected\n{indented(data)}")
        if shown is not None and wish.shown != shown:
            self._talk.fail(f"the log would show {wish.shown!r}, expected {shown!r}")
        self._talk.sent(wish)
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
        wish = self._talk.advance_to(Identify, f"it to identify {serial}")
        self._same("serial", wish.serial, serial, wish)
        self._same("manufacturer", wish.manufacturer, manufacturer, wish)
        self._same("model", wish.model, model, wish)
        self._same("software_version", wish.software_version, software_version, wish)
        if unknown:
            self._talk.refuse(UnknownMeter(f"meter {serial} is not in the register"))
        else:
            self._talk.fulfil(wish, meter)
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
        found = self._talk.find(Reading, f"reading {value}")
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
        found = self._talk.find(Row, "a row")
        columns = {column.quantity: at for at, column in enumerate(found.columns) if column.quantity}
        columns |= {column.name: at for at, column in enumerate(found.columns) if column.name}
        for name, wanted in (values or {}).items():
            if name not in columns:
                self._talk.fail(f"the row has no column {name!r}; it has {', '.join(columns)}")
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
            self._talk.find(Row, f"{count} rows")
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
        found = self._talk.find(Event, f"event {code}")
        self._same("code", found.code, code, found)
        self._same("text", found.text, text, found)
        self._same("measured_at", found.measured_at, measured_at, found)
        self._same("order_number", found.order_number, order_number, found)
        self._same("quality", found.quality, quality, found)
        return self._named()

    def saves_events(self, count: int) -> Self:
        """The dialogue yields this many events; look at them in ``events``."""
        for _ in range(count):
            self._talk.find(Event, f"{count} events")
            self._named()
        return self

    def changes_line(self, baud: int, format: str | None = None) -> Self:
        """The dialogue goes on at another speed and format."""
        wish = self._talk.aside(ChangeLine, f"a change to {baud} baud")
        self._same("baud", wish.baud, baud, wish)
        self._same("format", wish.format, format, wish)
        return self

    def pauses(self, seconds: float) -> Self:
        """The dialogue says nothing for a while."""
        wish = self._talk.aside(Pause, f"a pause of {seconds:g} s")
        self._same("seconds", wish.seconds, seconds, wish)
        return self

    def remembers(self, name: str, value: str | None = None) -> Self:
        """The dialogue keeps a fact about the meter."""
        while (wish := self._talk.aside(Remember, f"remembering {name}")).name != name:
            pass
        self._same("value", wish.value, value, wish)
        return self

    def notes(self, text: str) -> Self:
        """The dialogue leaves a remark that contains ``text``."""
        while text not in self._talk.aside(Note, f"a note about {text!r}").text:
            pass
        return self

    def ends(self, outcome: Outcome = Outcome.READ, because: str = "") -> None:
        """The dialogue is over, with this outcome; ``because`` stands in its reason."""
        self._talk.settle("the dialogue ends")
        if not self._talk.over:
            self._talk.fail(f"the dialogue is not over; {self._talk.wanted()}")
        ending = self._talk.ending()
        if ending.outcome is not outcome:
            self._talk.fail(f"the outcome is {ending.outcome.value}, expected {outcome.value}")
        if because not in ending.detail:
            self._talk.fail(f"it ended because {ending.detail!r}, expected {because!r}")

    def _named(self) -> Self:
        match found := self._talk.found[0]:
            case Row():
                self.rows.append(found)
            case Event():
                self.events.append(found)
            case Reading():
                self.readings.append(found)
        self._talk.named()
        return self

    def _same(self, name: str, is_: object, wanted: object, of: object) -> None:
        if wanted is not None and is_ != wanted:
            self._talk.fail(f"{name} is {is_!r}, expected {wanted!r}: {of}")


def _text(value: Value) -> str:
    return format(value, "f") if isinstance(value, Decimal) else value
