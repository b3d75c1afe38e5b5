"""A simulated LIS-200 corrector without input or output: bytes in, timed bytes out.

It answers as public drivers and captures show real ones answering, has archives that agree with its counters, and can
say exactly what it holds. It shares nothing with the codec that reads it.
"""

from __future__ import annotations

import enum
import re
from dataclasses import replace
from datetime import datetime, timedelta

from gateway_server.errors import OperatorError
from gateway_server.testing.lis200.archive import FakeArchive, Refusal
from gateway_server.testing.lis200.blocks import Block, cut_into_blocks
from gateway_server.testing.lis200.delivery import Delivery, Reply
from gateway_server.testing.lis200.frames import (
    ACK,
    NAK,
    NUL,
    Asked,
    Request,
    RequestBuffer,
    answer,
    bcc,
    challenge,
    has_even_parity,
)
from gateway_server.testing.lis200.layouts import FAKE_MODELS, MODELS
from gateway_server.testing.lis200.objects import (
    NO_SUCH_ATTRIBUTE,
    UNKNOWN_ADDRESS,
    UNKNOWN_ATTRIBUTE,
    UNKNOWN_ENTITY,
    UNKNOWN_OBJECT,
    FakeObject,
    attribute_text,
    objects,
    parse_address,
)
from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.lis200.recorder import Recorder, event_code, stamp
from gateway_server.testing.lis200.wake_up import Sleeper

WRONG_CODE = 17
NO_READING = 18
NO_WRITING = 19
NO_ARCHIVE = 100
SYNTAX = 200
ETX = 3
CLOCK = "1:400"
INTERFACE_ACTIVE = 13
LOCK_OPEN = 14
SYSTEM = 2

OPERAND = re.compile(r"([^()]*)\((.*)\)\Z")
ARCHIVE_ADDRESS = re.compile(r"0*(\d+):V\.(\w)\Z")


class _State(enum.Enum):
    """Where the conversation stands."""

    IDLE = "idle"
    IDENTIFIED = "identified"
    PROGRAMMING = "programming"


class FakeMeter:
    """One corrector. ``now`` is true local time; the meter's own clock may be off.

    ``days`` is how far back its archives go at the start. ``writes`` collects every attempt to write anything but a
    lock: a reader must leave it empty. ``acknowledged`` holds (archive, order number) of every row in a block that
    was answered with ACK, so it must be in the reader's store; ``sign_offs`` counts conversations ended by a break.
    """

    def __init__(
        self,
        model: str = "ek270",
        serial: str = "41203377",
        seed: int = 0,
        quirks: Quirks | None = None,
        now: datetime = datetime(2024, 4, 3, 12, 5),
        *,
        days: int = 62,
        access_code: str | None = None,
    ) -> None:
        if model not in FAKE_MODELS:
            raise OperatorError(f"there is no simulated model {model!r}; choose from: {', '.join(MODELS)}")
        self.model = FAKE_MODELS[model]
        self.serial = serial
        self.quirks = quirks or Quirks()
        self.access_code = self.model.access_code if access_code is None else access_code
        self.writes: list[str] = []
        self.acknowledged: set[tuple[int, int]] = set()
        self.sign_offs = 0
        self._start = self._now = self._busy_until = now
        self._recorder = Recorder(self.model, self.quirks, f"{model}/{serial}/{seed}", self.clock, days)
        self._objects = objects(self.model, self.quirks.other_serial or serial)
        if self.quirks.daily_period and model == "tc215":
            self._objects["4:150"] = FakeObject("MPer", "D", text="1")
        elif self.quirks.period_minutes and not self.model.is_tc:
            self._objects["4:150"] = FakeObject("MPer", "min", text=str(self.quirks.period_minutes))
        self._delivery = Delivery(self.quirks, f"line/{serial}/{seed}")
        self._requests = RequestBuffer()
        self._sleeper = Sleeper()
        self._state = _State.IDLE
        self._open_locks: set[int] = set()
        self._blocks: list[Block] = []
        self._block = 0
        self._last = b""
        self._last_is_block = False
        self._first_missed = self.quirks.misses_first
        self._errors_due = [self.quirks.error_in_read] if self.quirks.error_in_read else []

    @property
    def kind(self) -> str:
        """What it is, in a word."""
        return self.model.name

    @property
    def clock(self) -> datetime:
        """The meter's own time: off by an offset and a drift, if so ordered."""
        gained = int((self._now - self._start).total_seconds() * self.quirks.clock_drift_s / 86400)
        return self._now.replace(microsecond=0) + timedelta(seconds=self.quirks.clock_offset_s + gained)

    @property
    def archives(self) -> dict[int, FakeArchive]:
        """The archives by number."""
        return self._recorder.archives

    def show(self, address: str, text: str) -> None:
        """From now on this object has this value: a status list, a setting."""
        self._objects[address] = replace(self._objects[address], text=text, key="")

    def tick(self, now: datetime) -> None:
        """Time has passed: hours are recorded; after a minute without a request the sign-on is forgotten."""
        self._now = max(now, self._now)
        self._recorder.advance(self.clock)
        quiet = (now - self._busy_until).total_seconds()
        if self._state is not _State.IDLE and quiet >= self.quirks.idle_fallback_s:
            self._sign_off()

    def received(self, data: bytes) -> list[Reply]:
        """Bytes from the client, cut anywhere; what the meter answers to them."""
        if self.quirks.never_answers or self._delivery.dead:
            return []
        if self.quirks.seven_e1:
            if not has_even_parity(data):
                return []
            data = bytes(byte & 0x7F for byte in data)
        if NUL in data:
            self._sleeper.heard_nuls(self._now)
        replies: list[Reply] = []
        for request in self._requests.feed(data, awaiting_option=self._state is _State.IDENTIFIED):
            replies += self._answer(request)
            self._busy_until = self._now + timedelta(seconds=sum(reply.delay_s for reply in replies))
        return replies

    def hung_up(self) -> None:
        """The line has ended: the next one finds the meter idle and its locks closed."""
        if self._state is not _State.IDLE:
            self._sign_off()
        self._requests.clear()
        self._sleeper.sleep()
        self._delivery.dead = False

    def holds(self) -> dict[str, object]:
        """Exactly what the meter holds now, as plain data; texts are as they stand on the wire."""
        archives = {str(number): archive.holds() for number, archive in sorted(self.archives.items())}
        live = self._recorder.live(self.clock)
        return {
            "model": self.model.name,
            "type": self.model.type_text,
            "serial": self.serial,
            "reported_serial": self.quirks.other_serial or self.serial,
            "software_version": self.model.software,
            "clock": stamp(self.clock),
            "values": {
                address: {"name": what.name, "value": live[what.key] if what.key else what.text, "unit": what.unit}
                for address, what in self._objects.items()
            },
            "archives": archives,
        }

    def _answer(self, request: Request) -> list[Reply]:
        if request.asked is Asked.SIGN_ON:
            return self._sign_on(request.text)
        if request.asked is Asked.OPTION:
            if self._state is not _State.IDENTIFIED or not (request.text[0] == "0" and request.text[2] == "1"):
                return []
            self._state = _State.PROGRAMMING
            if self.quirks.noise_events:
                self._recorder.event(event_code(INTERFACE_ACTIVE, SYSTEM, appears=True, system=True), self.clock)
            return self._single(challenge())
        if self._state is not _State.PROGRAMMING:
            return []
        if request.asked is Asked.COMMAND:
            return self._command(request)
        if request.asked is Asked.DAMAGED:
            return self._delivery.single(bytes((NAK,)))
        return self._next_block() if request.asked is Asked.ACK else self._repeat()

    def _sign_on(self, address: str) -> list[Reply]:
        awake = not self.quirks.asleep or self._state is not _State.IDLE or self._sleeper.is_awake(self._now)
        self._sleeper.sleep()
        if self._first_missed:
            self._first_missed = False
            return []
        if not awake or (address.strip("0") and address != self.quirks.bus_address):
            return []
        if self._state is not _State.IDLE:
            self._sign_off()
        self._state = _State.IDENTIFIED
        return self._delivery.identification(self.model.identification.encode("ascii") + b"\r\n")

    def _sign_off(self) -> None:
        for lock in sorted(self._open_locks):
            self._lock_event(lock, appears=False)
        if self._state is _State.PROGRAMMING and self.quirks.noise_events:
            self._recorder.event(event_code(INTERFACE_ACTIVE, SYSTEM, appears=False, system=True), self.clock)
        self._open_locks.clear()
        self._state = _State.IDLE
        self._blocks = []
        self._last = b""

    def _command(self, request: Request) -> list[Reply]:
        self._blocks = []
        found = OPERAND.match(request.text)
        if request.verb == "B0":
            self.sign_offs += 1
            self._sign_off()
            return []
        if found is None:
            return self._error(SYNTAX)
        try:
            if request.verb == "P1":
                return self._open_lock(*_lock_and_code(found[2]))
            if request.verb == "W1":
                return self._write(found[1], found[2])
            if request.verb in {"R1", "R3"}:
                return self._read(request.verb, found[1], found[2])
        except Refusal as refusal:
            return self._error(refusal.code)
        return self._error(SYNTAX)

    def _read(self, verb: str, address: str, operand: str) -> list[Reply]:
        archive = ARCHIVE_ADDRESS.match(address)
        if archive:
            return self._read_archive(verb, int(archive[1]), archive[2].upper(), operand)
        asked = parse_address(address)
        if asked is None:
            raise Refusal(UNKNOWN_ADDRESS)
        text = self._value(asked.core, asked.attribute)
        return self._text(f"{self._echo(address, asked.core)}({text})")

    def _value(self, core: str, attribute: str) -> str:
        entity, _, number = core.partition(":")
        if number in {"170", "171"} and int(entity) in self.model.locks:
            return "1" if number == "170" and int(entity) in self._open_locks else "0"
        what = FakeObject("Time", key="clock") if core == CLOCK else self._objects.get(core)
        if what is None:
            others = any(known.partition(":")[2] == number for known in self._objects)
            raise Refusal(UNKNOWN_ENTITY if others else UNKNOWN_OBJECT)
        if not self._open_locks and (
            self.quirks.lock_all or (self.quirks.lock_values and not what.identity and core != CLOCK)
        ):
            raise Refusal(NO_READING)
        if attribute == "0":
            return self._with_unit(self._clock_text() if core == CLOCK else self._live(what), what.unit)
        try:
            return attribute_text(what, core, attribute)
        except KeyError:
            raise Refusal(NO_SUCH_ATTRIBUTE if attribute in "89A" else UNKNOWN_ATTRIBUTE) from None

    def _live(self, what: FakeObject) -> str:
        return self._recorder.live(self.clock)[what.key] if what.key else what.text

    def _with_unit(self, text: str, unit: str) -> str:
        if self.quirks.russian_units:
            unit = unit.replace("m3", "м3")
        return f"{text}*{unit}" if unit else text

    def _clock_text(self) -> str:
        """The clock; put on by up to a minute if its answer is to have the BCC 03, as one captured answer has."""
        if self.quirks.bcc_is_etx:
            for seconds in range(60):
                text = stamp(self.clock + timedelta(seconds=seconds))
                if bcc(f"{self._echo('1:400.0', CLOCK)}({text})\x03".encode("ascii")) == ETX:
                    return text
        return stamp(self.clock)

    def _echo(self, address: str, core: str) -> str:
        if not self.quirks.echo_prefix:
            return address
        prefix = "" if core.startswith("1:") else "7-"
        return f"{prefix}{core}.{1 if core.endswith('_1') else 2}"

    def _read_archive(self, verb: str, number: int, attribute: str, operand: str) -> list[Reply]:
        archive = self.archives.get(number)
        if archive is None:
            raise Refusal(NO_ARCHIVE)
        if not self._open_locks and (self.quirks.lock_all or self.quirks.lock_values):
            raise Refusal(NO_READING)
        position, lower, upper, rows = (*operand.split(";"), "", "", "", "")[:4]
        if attribute == "A":
            return self._text(f"({len(archive.select(position, lower, upper))})")
        if attribute != "0":
            refused = "234" if self.quirks.no_layout else "2" if self.quirks.no_names else ""
            told = None if attribute in refused else archive.attribute(attribute)
            if told is None:
                raise Refusal(NO_SUCH_ATTRIBUTE)
            return self._text(told)
        selected = archive.select(position, lower, upper)
        size = len(selected)
        if verb == "R3":
            if rows and not rows.isdecimal():
                raise Refusal(SYNTAX)
            size = min(max(int(rows or 10), 1), self.quirks.largest_block)
        self._blocks = list(cut_into_blocks(archive, selected, size, self.quirks))
        self._block = 0
        return self._this_block()

    def _this_block(self) -> list[Reply]:
        if self._block == 1 and self._errors_due:
            self._blocks = []
            return self._error(self._errors_due.pop())
        self._last, self._last_is_block = self._blocks[self._block].frame, True
        return self._delivery.block(self._last, repeated=False)

    def _next_block(self) -> list[Reply]:
        if not self._blocks:
            return []
        self.acknowledged |= self._blocks[self._block].rows
        self._block += 1
        if self._block >= len(self._blocks):
            self._blocks = []
            return []
        return self._this_block()

    def _repeat(self) -> list[Reply]:
        if not self._last:
            return []
        if self._last_is_block:
            return self._delivery.block(self._last, repeated=True)
        return self._delivery.single(self._last)

    def _write(self, address: str, value: str) -> list[Reply]:
        asked = parse_address(address)
        if asked is None:
            raise Refusal(UNKNOWN_ADDRESS)
        entity, _, number = asked.core.partition(":")
        lock = int(entity)
        if number == "171" and lock in self.model.locks and not self.quirks.lock_way_b:
            return self._open_lock(lock, value)
        if number == "170" and lock in self.model.locks:
            if lock in self._open_locks:
                self._open_locks.discard(lock)
                self._lock_event(lock, appears=False)
            return self._single(bytes((ACK,)))
        if number != "171":
            self.writes.append(f"{address}({value})")
        raise Refusal(NO_WRITING)

    def _open_lock(self, lock: int, code: str) -> list[Reply]:
        if lock not in self.model.locks:
            raise Refusal(SYNTAX)
        if lock < 3 or code != self.access_code:
            raise Refusal(WRONG_CODE)
        if lock not in self._open_locks:
            self._open_locks.add(lock)
            self._lock_event(lock, appears=True)
        return self._single(bytes((ACK,)))

    def _lock_event(self, lock: int, *, appears: bool) -> None:
        if self.quirks.noise_events:
            self._recorder.event(event_code(LOCK_OPEN, lock, appears=appears), self.clock)

    def _text(self, text: str) -> list[Reply]:
        return self._single(answer(text, encoding="cp1251"))

    def _error(self, code: int) -> list[Reply]:
        return self._single(answer(f"(#{code:04d})"))

    def _single(self, frame: bytes) -> list[Reply]:
        self._last, self._last_is_block = frame, False
        return self._delivery.single(frame)


def _lock_and_code(operand: str) -> tuple[int, str]:
    lock, colon, code = operand.partition(":")
    if not colon or not lock.isdecimal():
        raise Refusal(SYNTAX)
    return int(lock), code
