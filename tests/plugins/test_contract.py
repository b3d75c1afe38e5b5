"""What every codec owes to the rest of the program, whoever wrote it. Nothing here knows a protocol."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway_server.codec.codec import NOISE, SENT, Answers, Asks, Codec, Encodes, Field, Frame, Framer, Interprets
from gateway_server.codec.dialogue import Dialogue, Findings, Receive, Send
from gateway_server.errors import CodecError, GatewayError, MeterSilent
from gateway_server.model import Direction, Event, Identify, KnownMeter, Reading, Row, Saved
from gateway_server.store.open import open_store
from gateway_server.store.records import Filter, LogEntry, SessionOpening
from gateway_server.workbench.readings import compare_readings, read_readings, rfc3339, told
from gateway_server.workbench.replay import replay
from tests.plugins.contract import REGISTRY, Case, cases, cut, drained, fault_of_tiling, held_by, samples

MOST_HELD = 1 << 20  # bytes of memory one framer may keep
MOST_SECONDS = 5.0  # of this processor, for a quarter of a mebibyte of the worst there is
SIZE = 1 << 18

every_codec = pytest.mark.parametrize("codec", list(REGISTRY), ids=lambda codec: codec.name)
every_capture = pytest.mark.parametrize(
    "case",
    [case for codec in REGISTRY for case in cases(codec)],
    ids=lambda case: f"{case.codec.name}-{case.path.stem}",
)
quickly = settings(
    max_examples=int(os.environ.get("CONTRACT_EXAMPLES", "100")),
    derandomize="CONTRACT_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
"""The same examples every time; CONTRACT_EXAMPLES=10000 looks for new ones."""


def pieces(codec: Codec) -> st.SearchStrategy[list[bytes]]:
    """Streams that are likely to hurt: frames of this codec, whole, cut and damaged, among arbitrary bytes."""
    known = samples(codec) or [b""]
    whole = st.integers(0, len(known) - 1).map(known.__getitem__)
    damaged = st.builds(
        lambda data, at, byte: data[: at % (len(data) + 1)] + bytes([byte]) + data[at % (len(data) + 1) + 1 :],
        whole,
        st.integers(0, 400),
        st.integers(0, 255),
    )
    cut_off = st.builds(lambda data, at: data[: at % (len(data) + 1)], whole, st.integers(0, 400))
    return st.lists(st.one_of(whole, damaged, cut_off, st.binary(max_size=40)), max_size=12)


def dissected(codec: Codec, frame: Frame) -> Sequence[Field]:
    """The frame's fields, which cover it without gap or overlap."""
    fields = codec.dissect(frame)
    at = 0
    for field in fields:
        assert field.name, f"a field of {frame} has no name"
        assert (field.start, field.end > field.start) == (at, True), f"{field} of {frame} does not begin at {at}"
        at = field.end
    assert at == len(frame.data), f"the fields of {frame} end at {at}"
    return fields


def rubbish_for(codec: Codec) -> bytes:
    """Bytes that mean nothing to this codec even where a frame could begin."""
    rubbish = b"\x00\xff\xfe\x7f\x80\x00\xff"
    assert {frame.kind for frame in cut(codec, [rubbish])} == {NOISE}, f"{rubbish!r} is no rubbish to {codec.name}"
    return rubbish


def test_there_are_codecs_and_all_plugins_are_usable() -> None:
    assert REGISTRY.problems == []
    assert {"gasbox", "lis200"} <= set(REGISTRY.names)


@every_codec
def test_every_codec_has_captures_with_frames_and_says_what_they_mean(codec: Codec) -> None:
    found = cases(codec)
    assert found, f"there is no session in tests/captures/{codec.name}"
    for case in found:
        assert case.frames, f"{case.path} holds no frame"
        assert case.capture.header.codec == codec.name
        assert case.path.with_suffix(".readings").is_file(), f"{case.path} has no .readings beside it"


# framing


@every_capture
def test_frames_of_a_capture_cover_its_stream_once(case: Case) -> None:
    assert fault_of_tiling(cut(case.codec, [case.stream]), case.stream) == ""


@every_capture
def test_byte_by_byte_gives_the_same_frames_as_the_whole(case: Case) -> None:
    assert cut(case.codec, [bytes([byte]) for byte in case.stream]) == cut(case.codec, [case.stream])


@every_capture
def test_cuts_anywhere_give_the_same_frames_as_the_whole(case: Case) -> None:
    stream, whole, chance = case.stream, cut(case.codec, [case.stream]), random.Random(1107)
    for _ in range(20):
        at = sorted(chance.randrange(len(stream) + 1) for _ in range(chance.randrange(1, 12)))
        chunks = [stream[start:end] for start, end in zip([0, *at], [*at, len(stream)], strict=True)]
        assert cut(case.codec, chunks) == whole


@every_codec
@quickly
@given(data=st.data())
def test_damaged_streams_are_framed_alike_however_they_are_cut(codec: Codec, data: st.DataObject) -> None:
    chunks = data.draw(pieces(codec))
    stream = b"".join(chunks)
    whole = cut(codec, [stream])
    assert fault_of_tiling(whole, stream) == ""
    assert cut(codec, chunks) == whole
    assert cut(codec, [bytes([byte]) for byte in stream]) == whole


@every_capture
def test_rubbish_before_between_and_behind_frames_is_skipped(case: Case) -> None:
    rubbish = rubbish_for(case.codec)
    # A frame that was cut off takes what follows for its own, so only whole ones can be told from rubbish.
    whole = case.frames
    stream = rubbish + b"".join(frame.data + rubbish for frame in whole)
    found = [frame for frame in cut(case.codec, [stream]) if frame.kind != NOISE]
    assert [(frame.kind, frame.data, frame.fault) for frame in found] == [
        (frame.kind, frame.data, frame.fault) for frame in whole
    ]


@every_capture
def test_64_kib_of_rubbish_do_not_hide_the_frames_behind_it(case: Case) -> None:
    rubbish = rubbish_for(case.codec) * (65536 // len(rubbish_for(case.codec)))
    framer = case.codec.framer()
    framer.feed(rubbish)
    noise = list(drained(framer))
    assert {frame.kind for frame in noise} <= {NOISE}
    framer.feed(case.stream)
    found = [frame for frame in drained(framer) if frame.kind != NOISE and not frame.fault]
    assert [frame.data for frame in found] == [frame.data for frame in case.frames]


def worst_streams(codec: Codec) -> Iterator[bytes]:
    """Streams that never become a frame: rubbish, beginnings over and over, and frames whose end never comes."""
    chance = random.Random(62056)
    yield chance.randbytes(SIZE)
    for byte in (0x00, 0x02, 0x0A, 0x2F, 0x30, 0x68, 0x7E, 0xFF):
        yield bytes([byte]) * SIZE
    openings = {frame.kind: frame.data for case in cases(codec) for frame in case.frames}
    for data in openings.values():
        for end in sorted({1, max(1, len(data) // 2), max(1, len(data) - 1)}):
            opening = data[:end]
            yield (opening * (SIZE // len(opening) + 1))[:SIZE]
            yield opening + data[end - 1 : end] * (SIZE - len(opening))
            yield opening + b"0" * (SIZE - len(opening))


@every_codec
def test_buffers_stay_bounded_and_time_linear_whatever_comes(codec: Codec) -> None:
    for stream in worst_streams(codec):
        framer = codec.framer()
        began = time.process_time()
        most = 0
        for start in range(0, len(stream), 64):
            framer.feed(stream[start : start + 64])
            for _ in drained(framer):
                pass
            if start % 16384 == 0:
                most = max(most, held_by(framer))
        seconds = time.process_time() - began
        assert most <= MOST_HELD, f"{most} bytes are held after {stream[:40]!r}..."
        assert seconds <= MOST_SECONDS, f"{seconds:.1f} s for {stream[:40]!r}..."


# meaning


@every_capture
def test_fields_cover_every_frame_and_everything_sent(case: Case) -> None:
    for frame in cut(case.codec, [case.stream]):
        dissected(case.codec, frame)
    for data in case.sent:
        dissected(case.codec, Frame(SENT, data))


@every_capture
def test_frame_taken_apart_and_put_together_is_the_same(case: Case) -> None:
    codec = case.codec
    if not isinstance(codec, Encodes):
        pytest.skip(f"{codec.name} has no typed messages")
    whole = 0
    for frame in case.frames:
        try:
            message = codec.decode(frame)
        except CodecError:
            continue  # a frame that is no message of the protocol: a modem's words
        assert codec.encode(message) == frame.data
        whole += 1
    assert whole > len(case.frames) // 2


@every_codec
@quickly
@given(data=st.data())
def test_arbitrary_bytes_raise_nothing_but_codec_errors(codec: Codec, data: st.DataObject) -> None:
    interpreter = codec.interpreter() if isinstance(codec, Interprets) else None
    kinds = {frame.kind for case in cases(codec) for frame in case.frames}
    for chunk in filter(None, data.draw(pieces(codec))):
        forged = data.draw(st.sampled_from([*sorted(kinds), NOISE, "no such kind"]))
        dissected(codec, Frame(SENT, chunk))
        for frame in (*cut(codec, [chunk]), Frame(forged, chunk)):
            dissected(codec, frame)
            with suppress(CodecError):
                if isinstance(codec, Encodes):
                    codec.decode(frame)
        if interpreter is None:
            continue
        with suppress(CodecError):
            interpreter.sent(chunk)
        for frame in cut(codec, [data.draw(st.binary(max_size=20)), chunk]):
            with suppress(CodecError):
                interpreter.received(frame)


@every_codec
@quickly
@given(data=st.data())
def test_interpreter_survives_a_true_session_with_damaged_answers(codec: Codec, data: st.DataObject) -> None:
    known = cases(codec)
    if not isinstance(codec, Interprets) or not known:
        return
    interpreter = codec.interpreter()
    case = known[data.draw(st.integers(0, len(known) - 1))]
    said = list(zip(case.sent, case.frames, strict=False))
    at = data.draw(st.integers(0, len(said)))
    for request, frame in said[at : at + 20]:
        with suppress(CodecError):
            interpreter.sent(request)
        for other in cut(codec, data.draw(pieces(codec))):
            with suppress(CodecError):
                interpreter.received(other)
        with suppress(CodecError):
            interpreter.received(frame)


@every_capture
def test_capture_gives_its_readings(case: Case) -> None:
    header = case.capture.header
    expected = read_readings(case.path.with_suffix(".readings").read_text("utf-8"))
    meter = KnownMeter(header.meter) if header.meter else None
    got = [
        line
        for one in replay(case.codec, case.capture.entries, ZoneInfo(header.zone), meter=meter)
        for line in told(one.serial, one.rows, one.events)
    ]
    assert compare_readings(expected, got) == []


# bounds


def resealed(codec: Codec, data: bytes) -> bytes:
    """A frame with the last byte that makes its check fit, where one byte is the check; else as it is."""
    for last in range(256):
        frames = cut(codec, [data[:-1] + bytes([last])])
        if len(frames) == 1 and frames[0].kind != NOISE and not frames[0].fault:
            return frames[0].data
    return data


BEYOND = (
    (re.compile(rb"(?<![\d.,:\-x*])\d{2,}(?![\d.,:\-])"), b"10000000000000000000000000"),
    (re.compile(rb"\d{4}-\d\d-\d\d"), b"0001-01-01"),
    (re.compile(rb"\d{4}-\d\d-\d\d"), b"9999-12-31"),
)


def beyond(codec: Codec, entry: LogEntry, pattern: re.Pattern[bytes], put: bytes) -> LogEntry:
    """What the meter said, with a number or a day beyond all bounds in the place of its own."""
    if entry.direction is not Direction.FROM_METER:
        return entry
    frames = cut(codec, [entry.data])
    said = [resealed(codec, new) if (new := pattern.sub(put, one.data)) != one.data else one.data for one in frames]
    return replace(entry, data=b"".join(said))


@every_capture
@pytest.mark.parametrize(("pattern", "put"), BEYOND, ids=["number", "year 1", "year 9999"])
def test_numbers_and_days_beyond_all_bounds_cost_at_most_their_own_rows(
    case: Case, pattern: re.Pattern[bytes], put: bytes
) -> None:
    header = case.capture.header
    store = open_store(":memory:")
    key = store.open_session(SessionOpening("tcp", "192.0.2.7:1", 1_700_000_000_000))
    meter = KnownMeter(header.meter) if header.meter else None
    entries = [beyond(case.codec, entry, pattern, put) for entry in case.capture.entries]
    for one in replay(case.codec, entries, ZoneInfo(header.zone), meter=meter):
        if one.rows or one.events:
            store.save(key, one.serial or "1", one.rows, one.events)
    for row in store.rows(Filter()):
        assert len(rfc3339(row.row.measured_at_ms)) in (20, 24)
    for event in store.events(Filter()):
        assert len(rfc3339(event.measured_at_ms)) in (20, 24)


# dialogues


def dialogues(codec: Codec) -> Iterator[Dialogue]:
    if isinstance(codec, Asks):
        yield codec.read(None)
        yield codec.read(KnownMeter("41203377", access_code="00000000"))
    if isinstance(codec, Answers):
        yield codec.answer()


def awaited(framer: Framer, wish: Receive, answers: list[bytes]) -> Frame | None:
    """The next frame a session would deliver; None when the meter has said all it will."""
    while True:
        frame = framer.next_frame()
        if frame is None and answers:
            framer.feed(answers.pop(0))
        elif frame is None and (frame := framer.flush()) is None:
            return None
        elif frame is not None and (
            wish.noise if frame.kind == NOISE else wish.kinds is None or frame.kind in wish.kinds
        ):
            return frame


def converse(codec: Codec, dialogue: Dialogue, answers: list[bytes]) -> int:
    """Lets a meter that sends ``answers``, and then nothing, talk to a dialogue; gives how much that one said."""
    framer = codec.framer()
    said = 0
    answer: object = None
    error: GatewayError | None = None
    try:
        for _ in range(20_000):
            wish = dialogue.throw(error) if error else dialogue.send(answer)
            answer = error = None
            match wish:
                case Receive():
                    frame = awaited(framer, wish, answers)
                    answer, error = frame, None if frame else MeterSilent("nothing came")
                case Identify(serial):
                    answer = KnownMeter(serial)
                case Findings() | Reading() | Row() | Event():
                    answer = Saved(new=1)
                case Send(data):
                    said += len(data)
                case _:
                    pass
    except StopIteration:
        return said
    except GatewayError:
        return said
    finally:
        with suppress(RuntimeError):  # it may want to say goodbye
            dialogue.close()
    raise AssertionError(f"the dialogue of {codec.name} goes on for ever with a silent meter")


@every_codec
def test_silent_meter_is_given_up(codec: Codec) -> None:
    for dialogue in dialogues(codec):
        converse(codec, dialogue, [])


@every_codec
@quickly
@given(data=st.data())
def test_whatever_a_meter_says_the_dialogue_ends_with_an_outcome(codec: Codec, data: st.DataObject) -> None:
    for dialogue in dialogues(codec):
        converse(codec, dialogue, data.draw(pieces(codec)))


@every_capture
def test_true_answers_in_a_wrong_order_end_with_an_outcome(case: Case) -> None:
    chance = random.Random(200)
    for _ in range(10):
        answers = [frame.data for frame in case.frames]
        chance.shuffle(answers)
        for dialogue in dialogues(case.codec):
            converse(case.codec, dialogue, list(answers))
