"""A session read again from its log tells what it told, whatever we would ask today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

import pytest

from gateway_server.codec.buffer import LineFramer
from gateway_server.codec.codec import Codec, Field, Frame
from gateway_server.codec.dialogue import Dialogue, Drain, Findings, Found, Note, Partly, Receive, Remember, Send
from gateway_server.errors import CodecError, MeterSilent
from gateway_server.model import (
    INTERVAL,
    Column,
    Direction,
    Event,
    Identify,
    KnownMeter,
    Quantity,
    Reading,
    Row,
    Span,
)
from gateway_server.session.remarks import GIVEN_UP, IDENTIFIED, kept_out, spans_kept_out
from gateway_server.store.records import LogEntry
from gateway_server.workbench.replay import Replayed, replay
from tests.plugins.gasbox import codec as gasbox

MOSCOW = ZoneInfo("Europe/Moscow")
VOLUME = (Column("volume", "m3"),)


def log(*said: tuple[int, str, bytes]) -> list[LogEntry]:
    return [LogEntry(at_ms, Direction(mark), data) for at_ms, mark, data in said]


def values(replayed: list[Replayed]) -> list[tuple[str, str, int]]:
    return [(one.serial, row.values[0], row.received_at_ms) for one in replayed for row in one.rows]


CALL = log(
    (1000, "<", b"SN=41203"),
    (1020, "<", b"377\r\n"),
    (1040, ">", b"V?\r\n"),
    (1500, "-", b"it thinks"),
    (1900, "<", b"001042.5\r\n"),
    (1910, ">", b"OK\r\n"),
)


def test_call_of_the_gasbox_gives_its_reading_again() -> None:
    replayed = list(replay(gasbox, CALL, MOSCOW))
    assert replayed[0].identity == Identify("41203377")
    assert replayed[0].at_ms == 1020
    assert values(replayed) == [("41203377", "1042.5", 1900)]
    row = replayed[1].rows[0]
    assert (row.measured_at_ms, row.span_start, row.span_end) == (1900, 13, 23)
    assert len(replayed) == 2


def test_cuts_of_the_log_do_not_matter() -> None:
    bytewise = [LogEntry(entry.at_ms, entry.direction, bytes([byte])) for entry in CALL for byte in entry.data]
    assert values(list(replay(gasbox, bytewise, MOSCOW))) == [("41203377", "1042.5", 1900)]


def test_request_that_the_meter_did_not_hear_is_followed_into_the_repetition() -> None:
    entries = [*CALL[:3], LogEntry(6040, Direction.TO_METER, b"V?\r\n"), *CALL[4:]]
    assert values(list(replay(gasbox, entries, MOSCOW))) == [("41203377", "1042.5", 1900)]


def test_session_of_a_codec_that_asked_otherwise_is_still_read() -> None:
    entries = [*CALL[:2], LogEntry(1040, Direction.TO_METER, b"VOLUME?\r\n"), *CALL[4:]]
    assert values(list(replay(gasbox, entries, MOSCOW))) == [("41203377", "1042.5", 1900)]


def test_session_that_broke_keeps_what_it_told() -> None:
    replayed = list(replay(gasbox, CALL[:3], MOSCOW))
    assert [one.note for one in replayed] == ["", "the log ends here"]
    assert next(replay(gasbox, [], MOSCOW)).note == "the log ends here"


def test_garbled_value_is_a_note() -> None:
    entries = [*CALL[:4], LogEntry(1900, Direction.FROM_METER, b"ERR\r\n")]
    assert "not a volume" in list(replay(gasbox, entries, MOSCOW))[-1].note


class Box:
    """A codec of lines for these tests; what differs is its dialogue."""

    name = "box"
    version = "1"

    def framer(self) -> LineFramer:
        return LineFramer(64)

    def dissect(self, frame: Frame) -> Sequence[Field]:
        return [Field("unknown", 0, len(frame.data))]


class Asking(Box):
    """Asks, drains, remembers, and saves a row before it goes on."""

    def read(self, expected: KnownMeter | None) -> Dialogue:
        yield Send(b"?\n")
        answer = yield Receive(timeout=5)
        known = yield Identify(answer.text)
        yield Remember("address", known.address)
        yield Drain(quiet=0.5)
        yield Send(b"archive\n")
        try:
            while (line := (yield Receive(timeout=5))).text != "end":
                row = Row(VOLUME, (Decimal(line.text),), INTERVAL, datetime(2026, 8, 22, 10), 1)
                saved = yield row
                assert saved.new == 1
        except MeterSilent:
            yield Event("cut")
            return Partly("cut short")
        return None


def test_codec_that_asks_gets_the_answers_of_the_log() -> None:
    entries = log(
        (0, ">", b"?\n"),
        (100, "<", b"41\nstale\n"),
        (300, "<", b"stale too\n"),
        (900, ">", b"archive\n"),
        (1000, "<", b"1.50\n2.5"),
        (1100, "<", b"0\nend\n"),
    )
    replayed = list(replay(Asking(), entries, MOSCOW, meter=KnownMeter("41", address="7")))
    assert replayed[1].remember == Remember("address", "7")
    assert values(replayed) == [("41", "1.50", 1000), ("41", "2.50", 1100)]
    assert replayed[2].rows[0].measured_at_ms == 1787382000000


def test_silence_of_the_log_is_silence_of_the_meter() -> None:
    entries = log((0, ">", b"?\n"), (100, "<", b"41\n"), (900, ">", b"archive\n"), (6000, ">", b"bye\n"))
    replayed = list(replay(Asking(), entries, MOSCOW))
    assert replayed[1].remember == Remember("address", "")
    assert [event.code for one in replayed for event in one.events] == ["cut"]
    assert replayed[-1].note == "cut short"


class Listening(Box):
    """Reads lines of somebody else's conversation: ``S`` serial, ``V`` value; a request begins with ``#``."""

    def interpreter(self) -> Listener:
        return Listener()


class Listener:
    def __init__(self) -> None:
        self._asked = b""

    def sent(self, data: bytes) -> None:
        self._asked = data
        if data == b"nonsense":
            raise CodecError("nonsense was asked")

    def received(self, frame: Frame) -> Sequence[Found]:
        kind, said = frame.text[:1], frame.text[1:]
        if kind == "S":
            return [Identify(said), Note(f"after {self._asked!r}")]
        try:
            reading = Reading("", Quantity("volume"), Decimal(said), span=Span(frame.start, frame.end))
        except InvalidOperation:
            raise CodecError(f"no number: {said}") from None
        return [Findings(readings=(reading,))]


def test_codec_that_interprets_listens_to_both_sides() -> None:
    entries = log(
        (0, ">", b"who"),
        (100, "<", b"S41\nV1\nVx\n"),
        (200, ">", b"nonsense"),
        (300, "<", b"V9E+200\nV2\n"),
    )
    replayed = list(replay(Listening(), entries, MOSCOW, meter=KnownMeter("?")))
    assert [one.note for one in replayed if one.note] == [
        "after b'who'",
        "no number: x",
        "nonsense was asked",
        "a number with 200 places is none a meter can mean",
    ]
    assert values(replayed) == [("41", "1", 100), ("41", "2", 300)]
    assert replayed[-1].rows[0].span_start == 18


def test_readings_before_any_identity_are_the_expected_meters() -> None:
    entries = log((100, "<", b"V1\n"))
    assert values(list(replay(Listening(), entries, MOSCOW, meter=KnownMeter("7")))) == [("7", "1", 100)]


class BlockFramer:
    """Blocks of four bytes, of which an unfinished one is delivered with a fault."""

    def __init__(self) -> None:
        self._bytes = b""

    def feed(self, data: bytes) -> None:
        self._bytes += data

    def next_frame(self) -> Frame | None:
        block, self._bytes = (self._bytes[:4], self._bytes[4:]) if len(self._bytes) >= 4 else (b"", self._bytes)
        return Frame("block", block) if block else None

    def flush(self) -> Frame | None:
        block, self._bytes = self._bytes, b""
        return Frame("block", block, fault="too short") if block else None


class Blocks(Listening):
    def framer(self) -> BlockFramer:  # type: ignore[override]  # another framer, which is all that matters here
        return BlockFramer()

    def interpreter(self) -> BlockListener:  # type: ignore[override]  # as above
        return BlockListener()


class BlockListener:
    def sent(self, data: bytes) -> None:
        pass

    def received(self, frame: Frame) -> Sequence[Found]:
        return [Note(frame.fault or frame.text)]


def test_unfinished_block_is_given_up_when_the_session_gave_it_up() -> None:
    entries = log((0, "<", b"abcd12"), (1500, ">", b"NAK"), (1600, "<", b"efgh12"))
    notes = [one.note for one in replay(Blocks(), entries, MOSCOW)]
    assert notes == ["abcd", "too short", "efgh", "too short"]


def test_block_is_given_up_where_the_session_says_so() -> None:
    entries = log((0, "<", b"ab"), (500, "-", GIVEN_UP.encode()), (510, ">", b"NAK"), (600, "<", b"efgh"))
    assert [one.note for one in replay(Blocks(), entries, MOSCOW)] == ["too short", "efgh"]


def test_registration_and_heartbeats_are_left_out_and_places_stay() -> None:
    entries = log(
        (1000, "<", b"8675"),
        (1010, "<", b"84\r\nSN=41203377\r\n"),
        (1020, "-", kept_out(0, 8, "registration").encode()),
        (1040, ">", b"V?\r\n"),
        (1500, "<", b"hb!\r\n"),
        (1510, "<", b"hb!\r\n1042.5\r\nhb!\r\n"),
        (1520, "-", kept_out(21, 26, "heartbeat").encode()),
        (1520, "-", kept_out(26, 31, "heartbeat").encode()),
        (1530, ">", b"OK\r\n"),
        (1540, "-", kept_out(39, 44, "heartbeat").encode()),
    )
    replayed = list(replay(gasbox, entries, MOSCOW, kept_out=spans_kept_out(entries)))
    assert values(replayed) == [("41203377", "1042.5", 1510)]
    assert (replayed[1].rows[0].span_start, replayed[1].rows[0].span_end) == (31, 39)
    assert [one.note for one in replayed] == ["", ""]


def test_serial_number_is_the_registers_whether_zeros_lead_or_not() -> None:
    entries = log((100, "<", b"S0041\nV1\n"))
    assert values(list(replay(Listening(), entries, MOSCOW, meter=KnownMeter("41")))) == [("41", "1", 100)]
    assert values(list(replay(Listening(), entries, MOSCOW, meter=KnownMeter("42")))) == [("0041", "1", 100)]


class Remembering(Listening):
    """Scales values by what an earlier session learnt."""

    def interpreter(self) -> Rememberer:
        return Rememberer()


class Rememberer(Listener):
    def __init__(self) -> None:
        super().__init__()
        self._scale = "1"

    def recall(self, meter: KnownMeter) -> None:
        self._scale = meter.memory.get("scale", "1")

    def received(self, frame: Frame) -> Sequence[Found]:
        if frame.text.startswith("S"):
            return [Identify(frame.text[1:])]
        value = Decimal(frame.text[1:]) * Decimal(self._scale)
        return [Findings(rows=(Row(VOLUME, (value,)),))]


def test_what_earlier_sessions_learnt_is_recalled_with_the_identity() -> None:
    entries = log((100, "<", b"V5\nS41\nV5\n"))
    known = KnownMeter("41", memory={"scale": "10"})
    replayed = list(replay(Remembering(), entries, MOSCOW, meter=known))
    assert [row.values for one in replayed for row in one.rows] == [("5",), ("50",)]


def test_known_meter_that_was_not_asked_who_it_is_is_recalled_where_its_call_says_so() -> None:
    entries = log((100, "<", b"V5\n"), (110, "-", IDENTIFIED.encode()), (120, "<", b"V5\n"))
    known = KnownMeter("41", memory={"scale": "10"})
    replayed = list(replay(Remembering(), entries, MOSCOW, meter=known))
    assert [(one.serial, row.values) for one in replayed for row in one.rows] == [("41", ("5",)), ("41", ("50",))]


@pytest.mark.parametrize("codec", [gasbox])
def test_modem_dialogue_is_no_part_of_the_meters_bytes(codec: Codec) -> None:
    called = log(
        (0, "}", b"ATD********4567\r"),
        (20_000, "{", b"CONNECT 9600\r"),
        *((entry.at_ms + 20_000, entry.direction.value, entry.data) for entry in CALL),
        (99_000, "}", b"+++"),
        (99_500, "{", b"OK\r"),
    )
    plain = list(replay(codec, CALL, MOSCOW))
    assert [(one.rows[0].values, one.rows[0].span_start) for one in replay(codec, called, MOSCOW) if one.rows] == [
        (one.rows[0].values, one.rows[0].span_start) for one in plain if one.rows
    ]


def test_block_that_was_still_coming_when_we_spoke_is_not_cut() -> None:
    entries = log((0, "<", b"abcd12"), (20, ">", b"ACK"), (300, "<", b"34"))
    assert [one.note for one in replay(Blocks(), entries, MOSCOW)] == ["abcd", "1234"]


class Broken(Box):
    def answer(self) -> Dialogue:
        yield Receive(timeout=1)
        raise ZeroDivisionError("ouch")


class Endless(Box):
    def answer(self) -> Dialogue:
        while True:
            yield Send(b"?")


def test_defect_of_a_codec_ends_only_its_own_replay() -> None:
    assert [one.note for one in replay(Broken(), CALL, MOSCOW)] == ["the codec failed: ZeroDivisionError: ouch"]
    assert [one.note for one in replay(Endless(), CALL, MOSCOW)] == ["the dialogue neither waits nor ends"]


def test_long_session_is_not_held_in_memory() -> None:
    read = 0

    def endless() -> Iterator[LogEntry]:
        nonlocal read
        yield LogEntry(0, Direction.FROM_METER, b"S41\n")
        while True:
            read += 1
            yield LogEntry(read, Direction.FROM_METER, b"V1\n")

    codec: Codec = Listening()
    replayed = replay(codec, endless(), MOSCOW)
    for _ in range(1000):
        next(replayed)
    assert read < 1002
