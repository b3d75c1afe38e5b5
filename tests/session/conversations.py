"""A tiny protocol and a session around it, for the tests of sessions and lines.

``SN=<serial>`` identifies, ``V=<decimal>`` is a value that the meter deletes on ``OK``; asked with ``V?``.
"""

from __future__ import annotations

from decimal import Decimal

from twisted.internet.task import Clock

from gateway_server.codec.buffer import LineFramer
from gateway_server.codec.codec import Codec, Field, Frame
from gateway_server.codec.dialogue import Dialogue, Progress, Receive, Send
from gateway_server.errors import CodecError
from gateway_server.model import Identify, KnownMeter, Quantity, Reading, Span
from gateway_server.session.endings import Ending
from gateway_server.session.plan import Facilities, Plan, Role
from gateway_server.session.session import Session
from gateway_server.session.sweep import Sweep
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, MeterRecord, SessionOpening
from gateway_server.store.sql import SqlStore
from gateway_server.store.store import Writer
from gateway_server.store.writer import DirectWriter
from gateway_server.testing.fake_line import FakeLine

VOLUME = Quantity("volume_base_total", "7-0:13.0.0", "m3", cumulative=True)
NOW_MS = 1_709_290_800_000  # 2024-03-01T11:00:00Z


def value_of(frame: Frame) -> Decimal:
    name, _, text = frame.text.partition("=")
    if name != "V":
        raise CodecError(f"{frame.text!r} is no value")
    return Decimal(text)


class ToyCodec:
    """Listens to meters that push, and asks those that wait."""

    version = "1"

    def __init__(self, name: str = "toy", hello: bytes = b"?\r\n") -> None:
        self.name = name
        self.hello = hello

    def framer(self) -> LineFramer:
        return LineFramer(256)

    def dissect(self, frame: Frame) -> list[Field]:
        return [Field("line", 0, len(frame.data))]

    def answer(self) -> Dialogue:
        hello = yield Receive(timeout=30)
        meter = yield Identify(hello.text.removeprefix("SN="))
        while True:
            frame = yield Receive(timeout=600)
            if frame.text == "END":
                return None
            yield Reading(meter.serial, VOLUME, value_of(frame), span=Span(frame.start, frame.end))
            yield Send(b"OK\r\n")

    def read(self, expected: KnownMeter | None) -> Dialogue:
        yield Send(self.hello)
        hello = yield Receive(timeout=5, gap=1)
        meter = yield Identify(hello.text.removeprefix("SN="))
        yield Progress("values", 0, 1)
        yield Send(b"V?\r\n")
        frame = yield Receive(timeout=5, gap=1)
        yield Reading(meter.serial, VOLUME, value_of(frame))
        yield Send(b"BYE\r\n")
        return None


class Heard:
    """An owner that remembers."""

    def __init__(self) -> None:
        self.identified: list[MeterRecord] = []
        self.progress: list[Progress] = []
        self.endings: list[Ending] = []

    def session_identified(self, session: Session, meter: MeterRecord) -> None:
        self.identified.append(meter)

    def session_progress(self, session: Session, progress: Progress) -> None:
        self.progress.append(progress)

    def session_ended(self, session: Session, ending: Ending) -> None:
        self.endings.append(ending)


class Scene:
    """A store in memory with meter 41203377, a clock, and sessions over fake lines."""

    def __init__(self) -> None:
        self.store: SqlStore = open_store(":memory:")
        self.store.put_meter(MeterRecord("41203377"))
        self.clock = Clock()
        self.line = FakeLine()
        self.heard = Heard()
        self.use(DirectWriter(self.store))

    def use(self, writer: Writer) -> None:
        self.writer = writer
        self.facilities = Facilities(
            writer, self.clock, lambda: NOW_MS + int(self.clock.seconds() * 1000), Sweep(self.clock)
        )

    def session(self, role: Role | None = None, *codecs: Codec, expected: str = "") -> Session:
        session = Session(
            self.line, self.facilities, self.heard, SessionOpening("tcp", self.line.remote, self.facilities.now_ms())
        )
        if role is not None:
            session.begin(
                Plan(
                    codecs or (ToyCodec(),),
                    role,
                    serial=expected,
                    expected=self.store.known_meter(expected) if expected else None,
                )
            )
        return session

    @property
    def ending(self) -> Ending:
        (one,) = self.heard.endings
        return one

    def values(self) -> list[str]:
        return [reading.value for reading in self.store.readings(Filter())]

    def log(self, session: int = 1) -> list[tuple[str, bytes]]:
        return [(entry.direction.value, entry.data) for entry in self.store.session_log(session)]


class Said(ToyCodec):
    """Says what the test wants."""

    def __init__(self, dialogue: Dialogue) -> None:
        super().__init__()
        self._dialogue = dialogue

    def answer(self) -> Dialogue:
        return self._dialogue


def said(scene: Scene, dialogue: Dialogue) -> Session:
    """A session in which the meter speaks first and this is what becomes of it."""
    return scene.session(Role.LISTEN, Said(dialogue))
