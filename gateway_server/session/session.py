"""One conversation with one meter over one line: log first, then frames, dialogue and store.

The session fulfils the wishes of `gateway_server.codec.dialogue`, in order. What comes is logged raw before anything
looks at it; what the meter reported is durable before the dialogue goes on; after a failed commit nothing is sent.
Thousands of these live at once: no Deferred, no log line and no timer is made per frame.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from gateway_server.codec.codec import Codec
from gateway_server.codec.dialogue import (
    ChangeLine,
    Dialogue,
    Drain,
    Findings,
    Note,
    Pause,
    Progress,
    Receive,
    Remember,
    Send,
)
from gateway_server.errors import CodecError, GatewayError, LineLost, MeterSilent, StoreError
from gateway_server.model import Direction, Event, Identify, Outcome, Reading, Row, Saved
from gateway_server.session.endings import ending, masked
from gateway_server.session.hearing import (
    DRAINING,
    MOST_UNREAD,
    NEVER,
    OVER,
    PAUSING,
    RECEIVING,
    WAITING,
)
from gateway_server.session.intake import Intake
from gateway_server.session.keeping import NO_PLAN, Keeping
from gateway_server.session.line import Line
from gateway_server.session.plan import Facilities, Owner, Plan, Role
from gateway_server.store.records import SessionClosing, SessionOpening

logger = logging.getLogger(__name__)

_MOST_WISHES_AT_ONCE = 100_000
_MOST_LOSSES_IGNORED = 50
_TO_METER = Direction.TO_METER


class Session(Keeping):
    """Joins a line, a codec's framer and dialogue, the writer and the clock, from the first byte to the outcome."""

    __slots__ = ("_closing", "_codec", "_losses", "_told", "caller")

    def __init__(self, line: Line, facilities: Facilities, owner: Owner, opening: SessionOpening) -> None:
        super().__init__(line, facilities, owner, opening)
        self._closing: SessionClosing | None = None
        self._codec: Codec | None = None
        self._losses = 0
        self._told = opening.codec
        self.caller = opening.caller

    # what the owner may ask and say

    def begin(self, plan: Plan) -> None:
        """Starts the conversation. Bytes that came before it are the first the codec sees."""
        if self._state is not WAITING:
            return
        self._plan = plan
        self._order = plan.order
        self._others = plan.codecs
        if plan.serial:
            self.serial = self._expected = plan.serial
        self._try_next_codec(None)

    def finish(self, error: GatewayError) -> None:
        """Ends the session from outside, in whatever it is doing; ``error`` says why and becomes its outcome."""
        if self._state is not OVER:
            self._end(error)

    # the dialogue

    def _may_try_another(self) -> bool:
        return bool(self._others) and self._zone is None and not self._stored and self._lost is None

    def _fell_silent(self, error: MeterSilent) -> None:
        if self._may_try_another():
            self._try_next_codec(error)
        else:
            self._run(None, error)

    def _try_next_codec(self, after: GatewayError | None) -> None:
        plan = self._plan
        if self._dialogue is not None:
            _close(self._dialogue)
        codec, *others = self._others
        if after is not None and self._codec is not None:
            self.note(f"{self._codec.name}: {after}; trying {codec.name}")
        self._others = others
        self._codec = codec
        if codec.name != self._told:
            self._told = codec.name
            key = self._key
            self._facilities.writer.call(lambda store: store.set_codec(key, codec.name, codec.version), _unheard)
        self._intake = intake = Intake(codec.framer())
        self._unread = 0
        try:
            self._dialogue = plan.dialogue(codec)
        except CodecError as unable:
            self._end(unable)
            return
        if not others:
            self._plan = NO_PLAN  # thousands of waiting lines keep only what they still need
        early = self._early or ()
        if not others or plan.role is Role.ASK:
            self._early = None
        for at, data in early:
            intake.feed(data, at)
        self._run(None)

    def _run(self, answer: Any, error: GatewayError | None = None) -> None:
        """Resumes the dialogue and fulfils its wishes until one of them has to wait."""
        self._running = True
        dialogue = self._dialogue
        assert dialogue is not None
        try:
            for _ in range(_MOST_WISHES_AT_ONCE):
                if error is not None:
                    wish, error = dialogue.throw(error), None
                else:
                    wish = dialogue.send(answer)
                answer = None
                kind = type(wish)
                if kind is Receive:
                    self._wish = wish
                    if self._unread:
                        self._read_on()
                    frame = self._next_frame(wish)  # type: ignore[arg-type]  # its type was asked
                    if frame is None and self._lost is not None and self._rest is None:
                        frame = self._last_frame(wish)  # type: ignore[arg-type]
                        if frame is None and self._rest is None:
                            error = self._lost_again()
                            continue
                    if frame is not None:
                        answer = frame
                        continue
                    self._state = RECEIVING
                    deadline = self._facilities.clock.seconds() + wish.timeout  # type: ignore[union-attr]
                    self._first_deadline = deadline
                    self._asked_at = self._received
                    if wish.gap is not None and self._intake.fed != self._intake.cut:  # type: ignore[union-attr]
                        deadline = self._facilities.clock.seconds() + wish.gap  # type: ignore[union-attr]
                    self._wait_until(deadline)
                    return
                if kind is Send:
                    if self._lost is not None:
                        error = self._lost_again()
                        continue
                    self._send(wish)  # type: ignore[arg-type]
                elif kind is Row or kind is Reading or kind is Findings or kind is Event:
                    self._save(wish)
                    if not self._answered:
                        return
                    self._answered = False
                    answer, self._answer = self._answer, None
                    if type(answer) is not Saved:
                        raise answer
                else:
                    waits, error = self._fulfil(wish)
                    if waits or self._state is OVER:
                        return
                    if self._answered:
                        self._answered = False
                        answer, self._answer = self._answer, None
                        if isinstance(answer, StoreError):
                            raise answer
                        if isinstance(answer, GatewayError):
                            answer, error = None, answer
            raise RuntimeError(f"the dialogue of {self._codec_name} neither waits nor ends")
        except StopIteration as end:
            self._end(None, end.value.reason if end.value is not None else "")
        except StoreError as failed:
            # Not into the dialogue: it might go on and acknowledge what is not stored.
            self._end(failed)
        except GatewayError as failed:
            if self._may_try_another() and isinstance(failed, (CodecError, MeterSilent)):
                self._running = False
                self._try_next_codec(failed)
            else:
                self._end(failed)
        except Exception as fault:  # the one place: a codec's defect ends its own session only
            logger.exception("session %d over %s: the codec %s failed", self._key.id, self._remote, self._codec_name)
            self._end(fault)
        finally:
            self._running = False

    def _fulfil(self, wish: Any) -> tuple[bool, GatewayError | None]:
        """The rarer wishes. Tells whether the dialogue has to wait, or what to raise in it."""
        kind = type(wish)
        if kind is Note:
            self.note(wish.text)
        elif kind is Progress:
            self._owner.session_progress(self, wish)
        elif kind is Remember:
            serial = self.serial
            if self._zone is None:
                raise RuntimeError(f"the codec {self._codec_name} remembers something of a meter it has not identified")
            name, value = wish.name, wish.value
            self._facilities.writer.call(lambda store: store.remember(serial, name, value), _unheard)
        elif self._lost is not None:
            return False, self._lost_again()
        elif kind is Identify:
            return self._identify(wish)
        elif kind is Pause:
            self._state = PAUSING
            self._wait_until(self._facilities.clock.seconds() + wish.seconds)
            return True, None
        elif kind is Drain:
            self._wish = wish
            self._state = DRAINING
            self._read_on()
            self._drop_frames()
            now = self._facilities.clock.seconds()
            self._first_deadline = now + wish.limit
            self._wait_until(now + min(wish.quiet, wish.limit))
            return True, None
        elif kind is ChangeLine:
            self._line.change(wish.baud, wish.format, wish.only_from)
        else:
            raise RuntimeError(f"the codec {self._codec_name} yielded {wish!r}, which no session can fulfil")
        return False, None

    def _send(self, wish: Send) -> None:
        facilities = self._facilities
        shown = wish.shown
        facilities.writer.log(self._key, facilities.now_ms(), _TO_METER, wish.data if shown is None else shown)
        self._sent += len(wish.data)
        self._line.write(wish.data)

    def _read_on(self) -> None:
        if self._rest is None and (self._unread > MOST_UNREAD or self._holds_line):
            self._holds_line = False
            self._line.resume()
        self._unread = 0

    def _lost_again(self) -> LineLost:
        """The loss, for every wish that needs a line; a dialogue that will not hear is closed."""
        assert self._lost is not None
        self._losses += 1
        if self._losses > _MOST_LOSSES_IGNORED:
            raise self._lost
        return self._lost

    # the end

    def _came_late(self) -> None:
        """The record's total holds what came behind its end too; whoever goes on and on is cut off."""
        assert self._closing is not None
        self._facilities.writer.close_session(self._key, replace(self._closing, bytes_received=self._received))
        if self._received - self._closing.bytes_received > MOST_UNREAD:
            self._line.abort()

    @property
    def _codec_name(self) -> str:
        return self._codec.name if self._codec is not None else "(none)"

    @property
    def _remote(self) -> str:
        return f"{self._line.transport}:{self._line.remote}"

    def _end(self, error: BaseException | None, reason: str = "") -> None:
        if self._state is OVER:
            return
        self._state = OVER
        self.deadline = NEVER
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        self._release_line()
        facilities = self._facilities
        facilities.sweep.forget(self)
        if self._dialogue is not None:
            _close(self._dialogue)
        if self._unread > MOST_UNREAD and self._lost is None:
            self._line.resume()
        how = ending(error, reason, self.serial, self._stored, unclaimed=self._unclaimed)
        if self._secret:
            how = masked(how, self._secret)
        if self._zone is not None and (reason or how.outcome is Outcome.GARBLED):
            logger.warning("session %d with meter %s over %s: %s", self._key.id, self.serial, self._remote, how.detail)
        codec = self._codec
        self._closing = SessionClosing(
            facilities.now_ms(),
            how.outcome,
            how.detail,
            self._received,
            self._sent,
            self.serial if self._zone is not None or self._expected else "",
            codec.name if codec is not None else "",
            codec.version if codec is not None else "",
            self.caller,
        )
        facilities.writer.close_session(self._key, self._closing)
        self._dialogue = None
        self._intake = None
        self._early = None
        self._owner.session_ended(self, how)


def _unheard(result: StoreError | None) -> None:
    if isinstance(result, StoreError):
        logger.warning("a session's note for next time was not stored: %s", result)


def _close(dialogue: Dialogue) -> None:
    try:
        dialogue.close()
    except (RuntimeError, GatewayError):
        # It wanted to say something more (a sign-off) although its session is over.
        return
