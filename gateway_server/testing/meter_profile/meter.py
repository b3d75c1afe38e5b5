"""A simulated meter that speaks any meter profile, from the meter's side and without input or output.

It pushes what the profile's ``answer`` dialogue awaits, message by message, and drops a row only when what
acknowledges it has come; without that it repeats itself, and after a few times hangs up. Asked as in the profile's
``read`` dialogue, it answers: identity, live values, archives by index, time or cursor, block by block. What it holds
is invented from a seed over the fields that the profile gives a meaning (`values`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway_server.codec.codec import NOISE, Frame
from gateway_server.codec.dialogue import Findings
from gateway_server.codec.meter_profile.evaluation import compiled
from gateway_server.codec.meter_profile.form import (
    Ask,
    Case,
    Listen,
    Loop,
    Message,
    MeterProfile,
    ReadArchive,
    RowMap,
    Side,
    Step,
)
from gateway_server.codec.meter_profile.form import (
    Reply as ReplyForm,
)
from gateway_server.codec.meter_profile.machine import Machine
from gateway_server.codec.meter_profile.naming import names_of
from gateway_server.codec.meter_profile.reading import Values
from gateway_server.errors import CodecError, OperatorError
from gateway_server.model import EVENTS, NOWHERE, Row
from gateway_server.testing.lis200.delivery import Reply
from gateway_server.testing.meter_profile.blocks import addressed_by, archive_of, going_on, is_kept, wanted
from gateway_server.testing.meter_profile.shapes import Told, tellings
from gateway_server.testing.meter_profile.values import Entry, Inventor

PATIENCE_S = 5.0
MOST_REPEATS = 5
ROWS_AT_ONCE = 4
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Pushed:
    """One message that waits to be pushed: its frame, the entries in it, and what must come back (None for nothing)."""

    message: str
    data: bytes
    entries: tuple[Entry, ...]
    awaited: ReplyForm | None


class ProfileMeter:
    """One meter. ``acknowledged`` holds archive and order number of every entry that was acknowledged.

    ``sign_offs`` counts how often everything that it had to push was acknowledged, or a line ended behind an answer.
    Without ``pushes`` it waits to be asked, whatever the profile lets it say by itself.
    """

    def __init__(
        self,
        profile: MeterProfile,
        serial: str = "41203377",
        seed: int = 0,
        now: datetime = datetime(2024, 4, 3, 12, 5),
        *,
        days: int = 2,
        patience_s: float = PATIENCE_S,
        pushes: bool = True,
    ) -> None:
        self.serial = serial
        self.kind = profile.name
        self.patience_s = patience_s
        self.acknowledged: set[tuple[str, int]] = set()
        self.sign_offs = 0
        self._is_pushing = pushes and profile.answer is not None
        self._machine = Machine(profile)
        self._inventor = Inventor(self._machine, serial, seed)
        self._now = now
        self._steps = list(_flat((*(profile.answer or ()), *(profile.read or ()))))
        self._pushes = {
            name: case
            for step in _flat(profile.answer or ())
            if isinstance(step, Listen)
            for case in step.cases
            for name in case.messages
        }
        self._first = (now - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
        self._framer = self._machine.compiled.framer(Side.GATEWAY) if self._is_spoken_to() else None
        self._queue: deque[Pushed] = deque()
        self._pushed: dict[str, int] = {}
        self._greeted: set[str] = set()
        self._opening: deque[Ask] = deque()
        self._repeats = 0
        self._answered = False
        self._on_line = False
        self._impossible: list[Told] = []
        self._check()

    # the line

    def tick(self, now: datetime) -> None:
        """Time has passed: there are new hours to tell."""
        self._now = max(now, self._now)

    def connected(self) -> list[Reply]:
        """The line is there: a meter that pushes speaks now."""
        self._on_line = True
        profile = self._machine.profile
        if self._is_pushing:
            self._opening = deque(step for step in _flat(profile.answer or ()) if isinstance(step, Ask))
        return self._open() if self._is_pushing else []

    def received(self, data: bytes) -> list[Reply]:
        """Bytes from the gateway, cut anywhere; what the meter says to them."""
        if self._framer is None:
            return []
        self._framer.feed(data)
        replies: list[Reply] = []
        while (frame := self._framer.next_frame() or self._flushed()) is not None:
            replies += self._hear(frame)
        return replies

    def overdue(self) -> list[Reply]:
        """Nobody has spoken for a while: what was not acknowledged is said again, and new rows are told."""
        if not self._on_line or not self._is_pushing:
            return []
        if not self._waits and not self._opening:
            return self._push()
        self._repeats += 1
        if self._repeats > MOST_REPEATS:
            return [Reply(0.0, b"", hang_up=True)]
        return [Reply(0.0, self._queue[0].data)] if self._waits else []

    def hung_up(self) -> None:
        """The line has ended: what was not acknowledged is kept for the next one."""
        if self._answered and not self._is_pushing:
            self.sign_offs += 1
        for waiting in self._queue:
            for entry in waiting.entries:
                self._pushed[entry.archive] = min(self._pushed.get(entry.archive, 0), entry.number - 1)
        self._queue.clear()
        self._greeted.clear()
        self._opening.clear()
        self._repeats = 0
        self._answered = self._on_line = False
        if self._framer is not None:
            while self._framer.flush() is not None:
                pass

    @property
    def pushes(self) -> bool:
        """Whether it speaks by itself."""
        return self._is_pushing

    @property
    def unacknowledged(self) -> int:
        """How many rows and events it has said, or is about to, that were to be acknowledged and are not."""
        return sum(len(one.entries) for one in self._queue if one.awaited is not None)

    # what it holds

    def entries(self, archive: str) -> list[Entry]:
        """The rows of an archive, oldest first: one every full hour; an event every sixth."""
        step = 6 if archive == EVENTS else 1
        count = int((self._now - self._first) / _HOUR) // step + 1
        return [Entry(archive, number + 1, self._first + number * step * _HOUR) for number in range(count)]

    def holds(self) -> dict[str, object]:
        """What the meter holds, as the profile itself says what its messages mean; values are texts."""
        archives: dict[str, object] = {}
        for message, told in self._archives():
            name = archive_of(told)
            archives.setdefault(name, [self._held(message, told, entry) for entry in self.entries(name)])
        return {
            "profile": self.kind,
            "version": self._machine.profile.version,
            "serial": self.serial,
            "clock": self._now.isoformat(" ", "seconds"),
            "archives": archives,
            "acknowledged": sorted(self.acknowledged),
        }

    def _held(self, message: Message, told: Told, entry: Entry) -> dict[str, object]:
        for one in self._findings(message, told, (entry,)):
            if isinstance(one, Row):
                values = {column.quantity: _text(value) for column, value in zip(one.columns, one.values, strict=True)}
                return {"order_number": one.order_number, "time": _text(one.measured_at), "values": values}
            return {"order_number": one.order_number, "time": _text(one.measured_at), "code": one.code}
        return {}

    def _findings(self, message: Message, told: Told, entries: tuple[Entry, ...]) -> list[Any]:
        data = self._inventor.message(message, told, entries, self._now, {})
        found = self._machine.meanings[message.name].found(self._read(message, data), NOWHERE)
        findings = next((one for one in found if isinstance(one, Findings)), Findings())
        return [*findings.rows] if isinstance(told, RowMap) else [*findings.events]

    def _archives(self) -> Iterator[tuple[Message, Told]]:
        for message in self._machine.profile.messages:
            if message.side.speaks(Side.METER):
                for told in tellings(message):
                    if is_kept(told) and told not in self._impossible:
                        yield message, told

    def _read(self, message: Message, data: bytes) -> Values:
        return self._machine.compiled.read(self._inventor.frame(message, data)).values

    def _check(self) -> None:
        """Makes up one message of each kind. Raises `OperatorError` if none that tells anything can be made up."""
        why = ""
        for message, told in list(self._archives()):
            try:
                self._inventor.message(message, told, self.entries(archive_of(told))[:1], self._now, {})
            except CodecError as error:
                why = str(error)
                self._impossible.append(told)
        if why and not list(self._archives()):
            raise OperatorError(f"{self.kind} cannot be simulated: {why}")

    # pushing

    @property
    def _waits(self) -> bool:
        return bool(self._queue) and self._queue[0].awaited is not None

    def _open(self) -> list[Reply]:
        """Says what the gateway awaits first, up to where it speaks."""
        replies: list[Reply] = []
        while self._opening and self._opening[0].send is None:
            step = self._opening.popleft()
            replies += [Reply(0.0, self._plain(name)) for name in step.receive[:1]]
        return replies if self._opening else replies + self._push()

    def _plain(self, name: str, asked: Values | None = None) -> bytes:
        message = self._machine.profile.message(name)
        told = next(iter(tellings(message)), None)
        again = {} if asked is None else self._echo(message, asked)
        return self._inventor.message(message, told, self._latest(told), self._now, again)

    def _latest(self, told: Told | None) -> tuple[Entry, ...]:
        return () if told is None else tuple(self.entries(archive_of(told))[-1:])

    def _push(self) -> list[Reply]:
        """What is to be pushed now: all that awaits nothing, up to the first that is to be acknowledged."""
        if not self._queue:
            self._fill()
        replies: list[Reply] = []
        while self._queue:
            replies.append(Reply(0.0, self._queue[0].data))
            if self._queue[0].awaited is not None:
                return replies
            self._done(self._queue.popleft())
        if self._pushes and not self._has_more():
            self.sign_offs += 1
        return replies

    def _has_more(self) -> bool:
        kept = [told for name in self._pushes for told in tellings(self._machine.profile.message(name))]
        archives = {archive_of(told) for told in kept if is_kept(told)}
        return any(self.entries(name)[-1].number > self._pushed.get(name, 0) for name in archives)

    def _fill(self) -> None:
        for name, case in self._pushes.items():
            message = self._machine.profile.message(name)
            kept = [told for told in tellings(message) if is_kept(told) and told not in self._impossible]
            if not kept:
                if name not in self._greeted:
                    self._greeted.add(name)
                    self._queue.append(Pushed(name, self._plain(name), (), case.reply))
                continue
            self._queue.extend(self._blocks(message, kept[0], case))

    def _blocks(self, message: Message, told: Told, case: Case) -> Iterator[Pushed]:
        archive = archive_of(told)
        fresh = [one for one in self.entries(archive) if one.number > self._pushed.get(archive, 0)]
        size = ROWS_AT_ONCE if told.each else 1
        for start in range(0, len(fresh), size):
            entries = tuple(fresh[start : start + size])
            data = self._inventor.message(message, told, entries, self._now, {})
            self._pushed[archive] = entries[-1].number
            yield Pushed(message.name, data, entries, case.reply)

    def _done(self, pushed: Pushed) -> None:
        self._repeats = 0
        if pushed.awaited is not None:
            self.acknowledged.update((entry.archive, entry.number) for entry in pushed.entries)

    def _acknowledges(self, name: str, values: Values) -> bool:
        waiting = self._queue[0]
        assert waiting.awaited is not None
        if name != waiting.awaited.message:
            return False
        frame = self._inventor.frame(self._machine.profile.message(waiting.message), waiting.data)
        own = self._machine.compiled.read(frame).values
        self._machine.echo.add(own, frame)
        known = {**{one.name: one.start for one in self._machine.profile.variables}, **own}
        return all(values.get(field) == compiled(said)(known) for field, said in waiting.awaited.fields)

    # being asked

    def _is_spoken_to(self) -> bool:
        return any(one.side.speaks(Side.GATEWAY) for one in self._machine.profile.messages)

    def _flushed(self) -> Frame | None:
        """A frame that only silence ends is whole when these bytes are: we are given them as they came."""
        assert self._framer is not None
        gaps = any(one.gap and one.side.speaks(Side.GATEWAY) for one in self._machine.profile.framings)
        return self._framer.flush() if gaps else None

    def _hear(self, frame: Frame) -> list[Reply]:
        if frame.kind == NOISE or frame.fault:
            return []
        try:
            said = self._machine.compiled.read(frame, Side.GATEWAY)
        except CodecError:
            return []
        if self._waits and self._acknowledges(said.name, said.values):
            self._done(self._queue.popleft())
            return self._push()
        if self._opening and self._opening[0].send is not None and self._opening[0].send.message == said.name:
            step = self._opening.popleft()
            replies = [Reply(0.0, self._plain(name, said.values)) for name in step.receive[:1]]
            return replies + self._open()
        for one in self._steps:
            ask = one.ask if isinstance(one, ReadArchive) else one
            if isinstance(ask, Ask) and ask.send is not None and ask.send.message == said.name and ask.receive:
                self._answered = True
                answer = self._block(one, said.values) if isinstance(one, ReadArchive) else self._live(ask, said.values)
                return [] if answer is None else [Reply(0.0, answer)]
        return []

    def _live(self, ask: Ask, asked: Values) -> bytes | None:
        message = self._machine.profile.message(ask.receive[0])
        for told in (*tellings(message), None):
            try:
                return self._inventor.message(message, told, self._latest(told), self._now, self._echo(message, asked))
            except CodecError:
                continue
        return self._refusal(asked)

    def _echo(self, message: Message, asked: Values) -> Values:
        """What the request says and the answer says again; who the meter is, it knows itself."""
        own = message.identity.serial.names if message.identity is not None else frozenset()
        named = {name for name, _ in message.when}
        framing = self._machine.profile.framing(message.framing)
        length = framing.length.field if framing.length is not None else ""
        told = {one.name for one in framing.header} | set(names_of(message.parts))
        return {
            name: value
            for name, value in asked.items()
            if name in told and name not in own | named and name != length and not isinstance(value, list)
        }

    def _block(self, step: ReadArchive, asked: Values) -> bytes | None:
        message = self._machine.profile.message(step.ask.receive[0])
        told = next((one for one in tellings(message) if is_kept(one)), None)
        if told is None:
            return self._live(step.ask, asked)
        rows = wanted(step, self.entries(archive_of(told)), asked)
        chosen = tuple(rows[: ROWS_AT_ONCE if told.each else 1])
        if not chosen and not told.each:
            return self._refusal(asked)
        addressed = addressed_by(step.ask, self._machine.profile)
        again = {name: value for name, value in self._echo(message, asked).items() if name in addressed}
        given = again | going_on(step, message, asked, chosen, more=len(rows) > len(chosen))
        try:
            return self._inventor.message(message, told, chosen, self._now, given)
        except CodecError:
            return self._refusal(asked)

    def _refusal(self, asked: Values) -> bytes | None:
        for message in self._machine.profile.messages:
            if message.refusal is not None:
                return self._inventor.message(message, None, (), self._now, self._echo(message, asked))
        return None


def _flat(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, Loop):
            yield from _flat(step.steps)
        else:
            yield step


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return format(value, "f") if hasattr(value, "as_tuple") else str(value)
