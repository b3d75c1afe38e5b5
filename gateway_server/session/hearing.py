"""The receiving side of a session: what is on record becomes frames, and how long to wait for them."""

from __future__ import annotations

import enum
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from gateway_server.codec.codec import NOISE, Frame
from gateway_server.codec.dialogue import Dialogue, Receive
from gateway_server.errors import GatewayError, LineLost, MeterSilent
from gateway_server.session.intake import Intake
from gateway_server.session.line import Line
from gateway_server.session.plan import Facilities
from gateway_server.session.recording import Recording
from gateway_server.session.remarks import GIVEN_UP, LATE, kept_out
from gateway_server.store.records import SessionOpening

NEVER = float("inf")
MOST_UNREAD = 1 << 16
_LONG_WAIT = 10.0
PIECES_AT_ONCE = 16
"""So many pieces of noise are cut before the other sessions have their turn: a framer may have to look hard at each."""
_LOOK_AGAIN = 1.0


class State(enum.Enum):
    WAITING = "waiting"  # for `begin`
    RECEIVING = "receiving"
    DRAINING = "draining"
    PAUSING = "pausing"
    STORING = "storing"
    OVER = "over"


_ANYTHING = Receive(0)
WAITING = State.WAITING
RECEIVING = State.RECEIVING
DRAINING = State.DRAINING
PAUSING = State.PAUSING
STORING = State.STORING
OVER = State.OVER


class Hearing(Recording):
    """What a session hears. `Session` adds what it says and keeps; together they are one conversation."""

    __slots__ = (
        "_asked_at",
        "_dialogue",
        "_early",
        "_first_deadline",
        "_holds_line",
        "_intake",
        "_line",
        "_lost",
        "_noise",
        "_noisy_wish",
        "_pieces",
        "_rest",
        "_running",
        "_state",
        "_timer",
        "_unread",
        "_wish",
        "bucket",
        "deadline",
    )

    def __init__(self, line: Line, facilities: Facilities, opening: SessionOpening) -> None:
        super().__init__(facilities, opening)
        self._line = line
        self._intake: Intake | None = None
        self._dialogue: Dialogue | None = None
        self._state = WAITING
        self._wish: Any = None
        self._timer: IDelayedCall | None = None
        self.deadline = NEVER
        self.bucket = 0
        self._first_deadline = NEVER
        self._running = False
        self._lost: LineLost | None = None
        self._early: list[tuple[int, bytes]] | None = []
        self._asked_at = 0  # bytes received before the dialogue began to wait
        self._unread = 0
        self._pieces = 0
        self._noise = 0
        self._noisy_wish: Receive | None = None
        self._rest: IDelayedCall | None = None
        self._holds_line = False

    @property
    def over(self) -> bool:
        """Whether it has its outcome."""
        return self._state is OVER

    @property
    def at_border(self) -> bool:
        """Whether the bytes received so far end with a whole frame."""
        return self._intake is None or self._intake.fed == self._intake.cut

    # what the line says

    def received(self, data: bytes) -> None:
        """Bytes from the meter."""
        at = self.log_received(data)
        if self._state is OVER:
            self.note(kept_out(at, at + len(data), LATE))
            self._came_late()
        else:
            self.feed(data, at)

    def feed(self, data: bytes, at: int) -> None:
        """Gives the codec bytes that are on record and stand at offset ``at`` of the session's stream."""
        state = self._state
        if state is OVER:
            return
        if self._early is not None:
            # Nobody, or not the right codec, has seen them yet.
            self._early.append((at, data))
        intake = self._intake
        if intake is None:
            return
        intake.feed(data, at)
        if self._running:
            return
        if state is RECEIVING:
            frame = self._next_frame(self._wish)
            if frame is not None:
                self._run(frame)
            elif self._rest is None:
                self._wait_for_more(self._wish)
        elif state is DRAINING:
            self._drop_frames()
            wait = self._facilities.clock.seconds() + self._wish.quiet
            self._wait_until(min(wait, self._first_deadline))
        else:
            self._unread += len(data)
            if self._unread - len(data) <= MOST_UNREAD < self._unread:
                self._line.pause()

    def _wait_for_more(self, wish: Receive) -> None:
        """All that came is looked at, and an answer is not whole yet; perhaps it may not become longer."""
        if wish.most is None:
            if wish.gap is not None and not self.at_border:
                self._wait_until(self._facilities.clock.seconds() + wish.gap)
            return
        heard = self._received - self._asked_at
        if heard <= wish.most:
            if wish.gap is not None and not self.at_border:
                latest = self._first_deadline + wish.most / wish.rate
                self._wait_until(min(self._facilities.clock.seconds() + wish.gap, latest))
            return
        if not self.at_border:
            self.note(GIVEN_UP)
        left = self._last_frame(wish)
        if left is not None:
            self._run(left)
        elif self._rest is None:
            said = f"{heard} bytes came, and among them no answer, which has {wish.most} at most"
            self._fell_silent(MeterSilent(said))

    def line_lost(self, reason: str = "the line was lost") -> None:
        """The line is gone. What is being stored still is; then the dialogue hears of it."""
        if self._state is OVER or self._lost is not None:
            return
        self._lost = LineLost(reason)
        if self._running or self._state is STORING or self._rest is not None:
            return
        if self._dialogue is None:
            self._end(self._lost)
        else:
            self._hear_the_last()

    def _hear_the_last(self) -> None:
        """The line is gone: the dialogue gets what is still here, or hears of it."""
        frame = self._last_frame(self._wish) if self._state is RECEIVING else None
        if frame is not None:
            self._run(frame)
        elif self._rest is None:
            self._run(None, self._lost)

    # time

    def overdue(self) -> None:
        """The deadline may have passed (called by the sweep and the session's own timer)."""
        self._timer = None
        now = self._facilities.clock.seconds()
        if self.deadline > now:
            if self.deadline != NEVER:
                self._wait_until(self.deadline)
            return
        state = self._state
        if self._rest is not None and state is not PAUSING:
            self._wait_until(now + _LOOK_AGAIN)  # what came in time is not yet looked at
        elif state is RECEIVING:
            self._waited_in_vain(now)
        elif state is DRAINING:
            assert self._intake is not None
            if not self.at_border:
                self.note(GIVEN_UP)
            self._intake.drop()
            self._run(None)
        elif state is PAUSING:
            self._run(None)

    def _waited_in_vain(self, now: float) -> None:
        wish = self._wish
        incomplete = not self.at_border
        if incomplete:
            self.note(GIVEN_UP)
        left = self._last_frame(wish)
        if left is not None:
            self._run(left)
            return
        if self._rest is not None:
            self._wait_until(now + _LOOK_AGAIN)
            return
        if now < self._first_deadline:
            # Only noise had come; the first byte of an answer still has its time.
            self._wait_until(self._first_deadline)
            return
        what = "nothing complete" if incomplete else "nothing"
        error = MeterSilent(f"{what} came within {wish.timeout:g} s")
        self._fell_silent(error)

    def _wait_until(self, deadline: float) -> None:
        """Lazily: a timer that is due earlier looks again when it fires."""
        self.deadline = deadline
        if 0 < self.bucket <= deadline:
            return  # the sweep looks at it before that
        timer = self._timer
        if timer is not None:
            if timer.getTime() <= deadline:
                return
            timer.cancel()
            self._timer = None
        clock = self._facilities.clock
        wait = deadline - clock.seconds()
        if wait >= _LONG_WAIT:
            self._facilities.sweep.watch(self)
        else:
            self._timer = clock.callLater(wait if wait > 0 else 0.0, self.overdue)

    # frames

    def _next_frame(self, wish: Receive) -> Frame | None:
        if self._rest is not None:
            return None
        intake = self._intake
        assert intake is not None
        while intake.fed != intake.cut and (frame := intake.next_frame()) is not None:
            kind = frame.kind
            if self._hears(frame, wish) if kind == NOISE else wish.kinds is None or kind in wish.kinds:
                self._heard(frame)
                return frame
            if self._first_deadline > self.deadline:
                self._wait_until(self._first_deadline)
            if self._rests:
                return None
        if wish.begun and (frame := intake.begun()) is not None:
            return frame
        if intake.fed == intake.cut and self._early is None:
            self._chunks.clear()  # no frame to come has anything of them
        return None

    def _last_frame(self, wish: Receive) -> Frame | None:
        """A wanted frame that is still here although nothing more comes, whole or as the silence completes it."""
        frame = self._next_frame(wish)
        intake = self._intake
        assert intake is not None
        while frame is None and not self._rests and (left := intake.flush()) is not None:
            kind = left.kind
            if self._hears(left, wish) if kind == NOISE else wish.kinds is None or kind in wish.kinds:
                self._heard(left)
                return left
        return frame

    def _hears(self, noise: Frame, wish: Receive) -> bool:
        """Whether a piece of noise is for the dialogue. After some of them the session rests."""
        self._pieces += 1
        if self._pieces >= PIECES_AT_ONCE:
            self._take_a_rest()
        if wish.noise or not wish.most_noise:
            return wish.noise
        if self._noisy_wish is not wish:
            self._noisy_wish, self._noise = wish, 0
        self._noise += len(noise.data)
        return self._noise > wish.most_noise

    def _drop_frames(self) -> None:
        """Passes over whole frames while the line is to become quiet."""
        assert self._intake is not None
        while not self._rests and (frame := self._intake.next_frame()) is not None:
            if frame.kind == NOISE:
                self._hears(frame, _ANYTHING)

    # other sessions' turn

    @property
    def _rests(self) -> bool:
        return self._rest is not None

    def _take_a_rest(self) -> None:
        """Leaves the rest of what is here for the reactor's next turn, and what is still to come on the line."""
        self._pieces = 0
        if self._rest is None:
            self._rest = self._facilities.clock.callLater(0, self._go_on)
            if self._lost is None and not self._holds_line:
                self._holds_line = True
                self._line.pause()

    def _release_line(self) -> None:
        if self._holds_line:
            self._holds_line = False
            if self._lost is None:
                self._line.resume()

    def _go_on(self) -> None:
        """Looks at what was left lying."""
        self._rest = None
        state = self._state
        if state is RECEIVING:
            frame = self._next_frame(self._wish)
            if frame is not None:
                self._run(frame)
            elif self._rest is None and self._lost is not None:
                self._hear_the_last()
            elif self._rest is None:
                self._wait_for_more(self._wish)
        elif self._lost is not None and state is not STORING:
            self._run(None, self._lost)
        elif state is DRAINING:
            self._drop_frames()
        if self._rest is None and self._unread <= MOST_UNREAD:
            self._release_line()

    # what the dialogue's side does

    def _run(self, answer: Any, error: GatewayError | None = None) -> None:
        raise NotImplementedError

    def _end(self, error: BaseException | None, reason: str = "") -> None:
        raise NotImplementedError

    def _came_late(self) -> None:
        raise NotImplementedError

    def _fell_silent(self, error: MeterSilent) -> None:
        raise NotImplementedError
