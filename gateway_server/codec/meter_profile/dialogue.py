"""What a profile says and awaits: its steps as the dialogue of one session."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from datetime import datetime, timedelta
from typing import Any

from gateway_server.codec.codec import NOISE, Frame
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
    Wish,
)
from gateway_server.codec.meter_profile.evaluation import compiled
from gateway_server.codec.meter_profile.form import (
    Ask,
    Assign,
    Assignments,
    By,
    Given,
    LineChange,
    Listen,
    Loop,
    Otherwise,
    ReadArchive,
    Reply,
    Side,
    Step,
    Wait,
)
from gateway_server.codec.meter_profile.given import given
from gateway_server.codec.meter_profile.in_utc import earliest, latest
from gateway_server.codec.meter_profile.machine import Machine
from gateway_server.codec.meter_profile.messages import Said
from gateway_server.codec.meter_profile.reading import Values
from gateway_server.codec.meter_profile.shortfall import Shortfall
from gateway_server.errors import CodecError, LineLost, MeterSilent
from gateway_server.model import Event, KnownMeter, ReadOrder, Row, Span

MOST_BAD_FRAMES = 20
MOST_BAD_AT_FIRST = 3  # before anything was understood: the profile is most likely another meter's
MOST_NOISE_AT_FIRST = 512
MOST_NOISE = 1 << 16  # between two frames
_FIRST_TIME = datetime(2000, 1, 1)
_LAST_TIME = datetime(2099, 12, 31, 23, 59, 59)

Talk = Generator[Wish, Any, None]


class Conversation:
    """One session: the variables, who the meter is, and what was left out."""

    def __init__(self, machine: Machine, expected: KnownMeter | None) -> None:
        self._machine = machine
        self._expected = expected
        self._known: KnownMeter | None = None
        self._told = ""
        self._to_remember: set[str] = set()
        self._shortfall = Shortfall()
        self._values: Values = {one.name: one.start for one in machine.profile.variables}
        if expected is not None:
            self._take_from(expected)

    def run(self, steps: tuple[Step, ...]) -> Dialogue:
        """Says the steps, one after the other."""
        yield from self._steps(steps)
        return self._shortfall.result()

    def _steps(self, steps: Iterable[Step]) -> Talk:
        for step in steps:
            match step:
                case Listen():
                    yield from self._listen(step)
                case Ask():
                    if self._is_wanted(step):
                        yield from self._ask(step, {})
                case ReadArchive():
                    if self._is_ordered(step):
                        yield from self._archive(step)
                case Loop(condition, inner, most):
                    holds = compiled(condition)
                    for _ in range(most):
                        if not holds(self._values):
                            break
                        yield from self._steps(inner)
                    else:
                        self._shortfall.leave_out(f"the steps while {condition} were said {most} times")
                case Assign(values):
                    yield from self._assign(values)
                case Wait(seconds, True):
                    yield Drain(seconds)
                case Wait(seconds):
                    yield Pause(seconds)
                case LineChange(baud, format_):
                    yield ChangeLine(baud, format_)

    # variables

    def _take_from(self, meter: KnownMeter) -> None:
        for one in self._machine.profile.variables:
            if one.name not in self._to_remember and (value := given(one, meter)) is not None:
                self._values[one.name] = value

    def _assign(self, values: Assignments) -> Talk:
        kept = {one.name for one in self._machine.profile.variables if one.given is Given.MEMORY}
        for name, expression in values:
            self._values[name] = compiled(expression)(self._values)
            if name in kept:
                self._to_remember.add(name)
        if values:
            yield from self._remember()

    def _remember(self) -> Talk:
        """Keeps with the meter what is to be there in its next session, once it is known who it is."""
        if self._known is None:
            return
        for name in sorted(self._to_remember):
            yield Remember(name, str(self._values[name]))
        self._to_remember.clear()

    # what is wanted

    @property
    def _order(self) -> ReadOrder:
        meter = self._known or self._expected
        return meter.order if meter is not None else ReadOrder()

    def _is_wanted(self, step: Ask) -> bool:
        if step.want and step.want not in self._order.what:
            return False
        return step.condition is None or bool(compiled(step.condition)(self._values))

    def _is_ordered(self, step: ReadArchive) -> bool:
        order = self._order
        if step.ask.want != "events":
            if "archive" not in order.what or (order.archives and step.archive not in order.archives):
                return False
            return step.ask.condition is None or bool(compiled(step.ask.condition)(self._values))
        return self._is_wanted(step.ask)

    # saying and hearing

    def _say(self, reply: Reply, values: Values) -> Send:
        given = {name: compiled(expression)(values) for name, expression in reply.fields}
        return self._machine.send(reply.message, given, values)

    def _read(self, frame: Frame, among: frozenset[str] | None = None) -> Said:
        said = self._machine.compiled.read(frame, Side.METER, among)
        if self._machine.echo.is_wanted:
            self._machine.echo.add(said.values, frame)
        return said

    def _keep(self, said: Said, frame: Frame) -> Talk:
        """Who it is, then what it tells; both are durable when this is over."""
        meaning = self._machine.meanings[said.name]
        identity = meaning.identity(said.values)
        told = meaning.told(said.values, Span(frame.start, frame.end))
        if identity is not None:
            if self._known is None:
                yield from self._identified((yield identity))
                self._told = identity.serial
            elif self._told and identity.serial.lstrip("0") != self._told.lstrip("0"):
                raise CodecError(f"it is from meter {identity.serial}, but this session is with {self._told}")
        if told is not None:
            yield from self._store(told)
        self._values.update(self._machine.told_by(said))

    def _identified(self, known: KnownMeter) -> Talk:
        self._known = known
        self._take_from(known)
        yield from self._remember()

    def _store(self, told: Row | Findings) -> Talk:
        if self._known is None:
            if self._expected is None and self._machine.tells_who:
                raise CodecError("readings came before the meter said who it is")
            # Nothing in this protocol tells who answers: it is the meter we called, or whose line it is.
            serial = self._expected.serial if self._expected is not None else ""
            yield from self._identified((yield self._machine.identity_of(serial)))
        yield told
        self._shortfall.kept()

    # the steps

    def _listen(self, step: Listen) -> Talk:
        cases = {name: case for case in step.cases for name in case.messages}
        heard = bad = damaged = noise = 0
        while True:
            try:
                frame: Frame = yield Receive(step.timeout, self._machine.gap, noise=not heard, most_noise=MOST_NOISE)
            except (MeterSilent, LineLost):
                self._shortfall.damaged(damaged)
                if heard:
                    return
                self._shortfall.result()
                raise
            if frame.kind == NOISE:
                noise += len(frame.data)
                if heard:
                    raise CodecError(
                        f"more than {MOST_NOISE} bytes came that are no frame of {self._machine.profile.name}"
                    )
                if noise > MOST_NOISE_AT_FIRST:
                    raise CodecError(f"no frame of {self._machine.profile.name} in the first {noise} bytes")
                continue
            try:
                said = self._read(frame)
                yield from self._keep(said, frame)
            except CodecError as error:
                bad += 1
                if frame.fault:
                    damaged += 1
                else:
                    self._shortfall.rejected(frame, str(error))
                yield from self._answer_damaged(step, frame, error)
                if bad >= (MOST_BAD_FRAMES if heard else MOST_BAD_AT_FIRST):
                    which = "last" if heard else "first"
                    raise CodecError(f"none of the {which} {bad} frames could be read; the last one: {error}") from None
                continue
            self._shortfall.understood(frame)
            bad = damaged = 0
            heard += 1
            case = cases.get(said.name)
            if case is None:
                yield Note(f"{said.name} came, to which the profile says nothing")
                continue
            values = {**self._values, **said.values}
            if case.reply is not None:
                yield from self._reply(case.reply, values)
            yield from self._assign(case.assign)
            if case.ends:
                return
            del frame, said, values  # nothing is held while the meter is silent

    def _reply(self, reply: Reply, values: Values, *, damaged: bool = False) -> Talk:
        try:
            send = self._say(reply, values)
        except CodecError as error:
            if not damaged:
                self._shortfall.unsent(f"{reply.message}: {error}")
            yield Note(f"{reply.message} is not sent: {error}")
            return
        yield send

    def _answer_damaged(self, step: Listen, frame: Frame, error: CodecError) -> Talk:
        yield Note(str(error))
        if step.on_error is None:
            return
        shown = self._machine.loosely(frame)
        if self._machine.echo.is_wanted:
            self._machine.echo.add(shown, frame)
        yield from self._reply(step.on_error, {**self._variables(), **shown}, damaged=True)

    def _variables(self) -> Values:
        return {one.name: self._values[one.name] for one in self._machine.profile.variables}

    def _ask(self, step: Ask, more: Values) -> Generator[Wish, Any, Said | None]:
        """One question and its answer; None if there is none and the profile goes on without."""
        among = self._machine.awaited(step.receive)
        kinds = self._machine.kinds_of(among)
        error: Exception = MeterSilent("nothing was awaited")
        for _ in range(1 + self._machine.retries_of(step)):
            if step.send is not None:
                yield self._say(step.send, {**self._values, **more})
            if not step.receive:
                yield from self._assign(step.assign)
                return None
            try:
                frame: Frame = yield Receive(step.timeout, step.gap or self._machine.gap, kinds=kinds)
            except MeterSilent as silent:
                error = silent
                continue
            try:
                said = self._read(frame, among)
                refusal = self._machine.meanings[said.name].refusal(said.values)
                if refusal is None:
                    yield from self._keep(said, frame)
            except CodecError as damaged:
                error = damaged
                yield Note(str(damaged))
                continue
            if refusal is not None:
                return self._without(step, step.if_refused, refusal, said)
            yield from self._assign(step.assign)
            return said
        return self._without(step, step.if_silent, error, None)

    def _without(self, step: Ask, otherwise: Otherwise, error: Exception, said: Said | None) -> Said | None:
        if otherwise is Otherwise.FAIL:
            raise error
        if otherwise is Otherwise.SKIP:
            what = step.send.message if step.send is not None else " or ".join(step.receive)
            self._shortfall.leave_out(f"{what}: {error}")
        return None

    # archives

    def _archive(self, step: ReadArchive) -> Talk:
        begin, end = self._bounds(step)
        rows = 0
        for _ in range(step.most):
            place: Values = {"begin": begin, "end": end}
            said = yield from self._ask(step.ask, place)
            if said is None:
                return
            values = {**self._values, **said.values, **place}
            meaning = self._machine.meanings[said.name]
            findings = meaning.findings(said.values, Span(0, 0))
            count = 0 if findings is None else len(findings.rows) + len(findings.events)
            rows += count
            yield Progress(f"archive {step.archive}", rows)
            if not count or (step.done is not None and compiled(step.done)(values)):
                return
            following = self._next(step, findings, values)
            if following is None or (following > end if end is not None else False):
                return
            if following == begin or (step.by is not By.CURSOR and following < begin):
                self._shortfall.leave_out(f"archive {step.archive}: it does not go on behind {begin}")
                return
            begin = following
        self._shortfall.leave_out(f"archive {step.archive}: {step.most} questions did not reach its end")

    def _bounds(self, step: ReadArchive) -> tuple[Any, Any]:
        order, meter = self._order, self._known or self._expected
        last = meter.last.get(step.archive) if meter is not None else None
        first = None if step.first is None else compiled(step.first)(self._values)
        if step.by is By.TIME:
            begin, end, stored = order.since, order.until, None if last is None else last.measured_at
            if self._machine.speaks_utc(step):
                zone = None if meter is None else meter.zone
                begin, end, stored = earliest(begin, zone), latest(end, zone), earliest(stored, zone)
            if begin is None and stored is not None:
                begin = stored + timedelta(seconds=step.step)
            return begin or first or _FIRST_TIME, end or _LAST_TIME
        if step.by is By.INDEX and last is not None and last.order_number is not None:
            return last.order_number + step.step, None
        return 0 if first is None else first, None

    def _next(self, step: ReadArchive, findings: Findings | None, values: Values) -> Any:
        if step.next is not None:
            return compiled(step.next)(values)
        if findings is None or step.by is By.CURSOR:
            return None
        told: list[Row | Event] = [*findings.rows, *findings.events]
        if step.by is By.TIME:
            moments = [one.measured_at.replace(tzinfo=None) for one in told if one.measured_at is not None]
            return max(moments) + timedelta(seconds=step.step) if moments else None
        numbers = [one.order_number for one in told if one.order_number is not None]
        return max(numbers) + step.step if numbers else None
