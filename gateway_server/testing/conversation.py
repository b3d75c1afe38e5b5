"""Drives a dialogue for a test, as far as the next thing that the test names."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from gateway_server.codec.codec import NOISE, Frame, Framer
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
from gateway_server.errors import GatewayError, LineLost, MeterSilent
from gateway_server.model import Direction, Event, Identify, KnownMeter, Reading, Row, Saved
from gateway_server.session.endings import Ending, ending

_W = TypeVar("_W", bound=Wish)
_F = TypeVar("_F", Reading, Row, Event)

_LONGEST_RUN = 100_000
_MOST_LOSSES = 50


class Conversation:
    """One dialogue and its meter's framer; every failure shows what was said so far.

    ``story`` is that, line by line. ``found`` is what the dialogue found and waits to have named.
    """

    def __init__(self, dialogue: Dialogue, framer: Framer, meter: KnownMeter | None) -> None:
        self.remembered: dict[str, str] = {}
        self.notes: list[str] = []
        self.story: list[str] = []
        self.found: deque[Reading | Row | Event] = deque()
        self.wish: Wish | None = None
        self.over = False
        self._dialogue = dialogue
        self._framer = framer
        self._meter = meter
        self._frames: deque[Frame] = deque()
        self._passed: list[Wish] = []
        self._finding = 0
        self._stored = 0
        self._serial = ""
        self._lost = 0
        self._reason = ""
        self._error: GatewayError | None = None
        self._resume(None)

    # the meter's side

    def hear(self, data: bytes) -> None:
        """Bytes come from the meter."""
        self.tell(data, Direction.FROM_METER)
        self._framer.feed(data)
        while frame := self._framer.next_frame():
            self._frames.append(frame)

    def silence(self, wish: Receive) -> None:
        """The time of a wait is over: an unfinished frame is delivered with its fault, or the meter is silent."""
        self.story.append(f"- silence for {wish.timeout:g} s")
        if frame := self._left(wish):
            self._resume(frame)
        else:
            self._throw(MeterSilent(f"nothing came within {wish.timeout:g} s"))

    def lose_line(self) -> None:
        """The line is lost, whatever the dialogue is doing; from here on every wish that needs one is told so."""
        self.story.append("- the line is lost")
        self._lost = 1
        frame = self._left(self.wish) if isinstance(self.wish, Receive) else None
        if frame:
            self._resume(frame)
        else:
            self._throw(LineLost("the line was lost"))

    # the dialogue's side

    def settle(self, happening: str) -> None:
        """As far as the dialogue goes by itself; nothing must be left that a test has to name."""
        self._passed.clear()
        for _ in range(_LONGEST_RUN):
            if not self._go():
                break
        else:
            self.fail("the dialogue neither sends nor waits nor ends")
        if self.found or isinstance(self.wish, Send):
            self.fail(f"{happening}, but before that {self.wanted()}")

    def advance_to(self, kind: type[_W], wanted: str) -> _W:
        """The next wish, which is to be of this kind; it is not fulfilled yet."""
        for _ in range(_LONGEST_RUN):
            if isinstance(self.wish, kind):
                return self.wish
            if not self._go():
                break
        return self.fail(f"expected {wanted}; {self.wanted()}")

    def aside(self, kind: type[_W], wanted: str) -> _W:
        """The next wish of a kind that need not be named; one that was just passed over counts."""
        while self._passed:
            wish = self._passed.pop(0)
            if isinstance(wish, kind):
                return wish
        wish = self.advance_to(kind, wanted)
        self._passed.clear()
        self.fulfil(wish)
        return wish

    def find(self, kind: type[_F], wanted: str) -> _F:
        """What the dialogue found next, which is to be of this kind."""
        while not self.found and self._go():
            pass
        found = self.found[0] if self.found else None
        if not isinstance(found, kind):
            self.fail(f"expected {wanted}; {self.wanted()}")
        return found

    def named(self) -> None:
        """The first thing found is named; after the last of them the dialogue goes on as after a commit."""
        self.story.append(f"- saved: {self.found.popleft()}")
        if not self.found:
            self._stored += self._finding
            self._resume(Saved(new=self._finding))

    def sent(self, wish: Send) -> None:
        """What the dialogue sends has left."""
        self._passed.clear()
        self.tell(wish.data, Direction.TO_METER)
        self._resume(None)

    def refuse(self, error: GatewayError) -> None:
        """A wish cannot be fulfilled."""
        self.story.append(f"- {error}")
        self._throw(error)

    def fulfil(self, wish: Wish, meter: KnownMeter | None = None) -> None:
        """Does what a wish asks that no test need name."""
        answer: KnownMeter | Saved | None = None
        match wish:
            case Identify(serial):
                self.story.append(f"- identified: {serial}")
                self._serial = serial
                answer = meter or self._meter or KnownMeter(serial)
            case Remember(name, value):
                self.remembered[name] = value
            case Note(text):
                self.notes.append(text)
                self.story.append(f"- {text}")
            case Drain():
                self._frames.clear()
                while self._framer.flush():
                    pass
            case Pause(seconds):
                self.story.append(f"- pause of {seconds:g} s")
            case ChangeLine(baud, format):
                self.story.append(f"- line changes to {baud} {format}".rstrip())
            case Findings():  # an empty one
                answer = Saved()
        self._resume(answer)

    def ending(self) -> Ending:
        """How the session of such a dialogue ends."""
        return ending(self._error, self._reason, self._serial, self._stored, unclaimed=False)

    def _resume(self, answer: Any) -> None:
        self._step(lambda: self._dialogue.send(answer))

    def _throw(self, error: GatewayError) -> None:
        self._step(lambda: self._dialogue.throw(error))

    def _step(self, go: Callable[[], Wish]) -> None:
        if self.over:
            return
        try:
            self.wish = go()
        except StopIteration as end:
            self._end(None, end.value)
            return
        except GatewayError as error:
            self._end(error, None)
            return
        match self.wish:
            case Findings(rows, events, readings):
                self.found.extend((*rows, *events, *readings))
            case Reading() | Row() | Event() as found:
                self.found.append(found)
        self._finding = len(self.found)

    def _end(self, error: GatewayError | None, partly: Partly | None) -> None:
        self.over, self.wish, self._error = True, None, error
        self._reason = partly.reason if partly else ""
        self.story.append("- over" + (f": {type(error).__name__}: {error}" if error else f": {self._reason}"))

    def _go(self) -> bool:
        """One step, if the dialogue can take it without anything that a test must name."""
        wish = self.wish
        if wish is None or self.found:
            return False
        if isinstance(wish, Receive) and (frame := self._next_frame(wish)):
            self._resume(frame)
            return True
        if self._lost and isinstance(wish, (Send, Receive, Drain, Pause, ChangeLine, Identify)):
            self._lost += 1
            if self._lost > _MOST_LOSSES:
                self.fail("the dialogue does not see that the line is lost")
            self._throw(LineLost("the line was lost"))
            return True
        if isinstance(wish, (Send, Receive)):
            return False
        self._passed.append(wish)
        self.fulfil(wish)
        return True

    def _next_frame(self, wish: Receive) -> Frame | None:
        while self._frames:
            frame = self._frames.popleft()
            if wish.noise if frame.kind == NOISE else wish.kinds is None or frame.kind in wish.kinds:
                return frame
        return None

    def _left(self, wish: Receive) -> Frame | None:
        while left := self._framer.flush():
            self._frames.append(left)
        return self._next_frame(wish)

    # what a failure says

    def tell(self, data: bytes, direction: Direction) -> None:
        """Puts bytes into the story."""
        if data:
            self.story.extend(hex_lines(data, direction))

    def wanted(self) -> str:
        """What the dialogue is up to."""
        if self.found:
            return f"the dialogue found {self.found[0]}"
        match self.wish:
            case None:
                return "the dialogue is over"
            case Send(data):
                return "the dialogue sends\n" + indented(data)
            case Receive(timeout):
                return f"the dialogue waits for the meter, {timeout:g} s"
            case wish:
                return f"the dialogue wants {wish}"

    def fail(self, why: str) -> NoReturn:
        """Fails the test and shows the conversation."""
        story = "\n".join(self.story) or "(nothing was said)"
        raise AssertionError(f"{why}\n\nthe conversation so far:\n{story}")


def indented(data: bytes) -> str:
    """Bytes for the meter, as a failure's message shows them."""
    return "\n".join(f"    {line}" for line in hex_lines(data, Direction.TO_METER))
