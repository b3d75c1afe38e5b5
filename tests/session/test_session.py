"""One conversation from the first byte to its outcome."""

from __future__ import annotations

import contextlib

import pytest

from gateway_server.codec.codec import Frame
from gateway_server.codec.dialogue import ChangeLine, Dialogue, Drain, Note, Partly, Pause, Receive, Send
from gateway_server.errors import CodecError, LineError, LineLost, MeterRefused, MeterSilent, StoreError, UnknownMeter
from gateway_server.model import Identify, KnownMeter, Outcome
from gateway_server.session.plan import Plan, Role
from gateway_server.store.records import Filter, MeterRecord
from gateway_server.testing.held_writer import HeldWriter
from tests.session.conversations import Scene, ToyCodec, said

ASKED = ((b"?\r\n", b"SN=41203377\r\n"), (b"V?\r\n", b"V=1042.50\r\n"))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_asked_meter_is_identified_read_and_stored(scene: Scene) -> None:
    session = scene.session()
    scene.line.answers(session, *ASKED)
    session.begin(Plan((ToyCodec(),)))
    assert scene.ending.outcome is Outcome.READ
    assert scene.line.said == b"?\r\nV?\r\nBYE\r\n"
    assert scene.values() == ["1042.50"]
    assert [progress.text for progress in scene.heard.progress] == ["values"]
    assert scene.log() == [
        (">", b"?\r\n"),
        ("<", b"SN=41203377\r\n"),
        (">", b"V?\r\n"),
        ("<", b"V=1042.50\r\n"),
        (">", b"BYE\r\n"),
    ]
    record = scene.store.session(1)
    assert record is not None
    assert (record.meter, record.codec, record.codec_version) == ("41203377", "toy", "1")
    assert (record.bytes_received, record.bytes_sent, record.readings) == (24, 12, 1)


def test_bytes_are_on_record_before_anything_looks_at_them(scene: Scene) -> None:
    session = scene.session()
    session.received(b"V=1")
    assert scene.log() == [("<", b"V=1")]


def test_meter_that_flooded_a_slow_store_is_made_to_wait(scene: Scene) -> None:
    writer = HeldWriter(scene.writer)
    scene.use(writer)
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\nV=1\r\n")
    for _ in range(20_000):
        session.received(b"V=2\r\n")
    assert scene.line.paused
    writer.commit()
    assert not scene.line.paused


def test_line_lost_before_anything_was_stored(scene: Scene) -> None:
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\n")
    session.line_lost("the other end closed the connection")
    assert scene.ending.outcome is Outcome.LINE_LOST
    assert "the other end closed" in scene.ending.detail


def test_line_lost_before_a_codec_was_chosen(scene: Scene) -> None:
    scene.session().line_lost("the other end closed the connection")
    assert scene.ending.outcome is Outcome.LINE_LOST


def test_frames_that_were_there_when_the_line_was_lost_are_read(scene: Scene) -> None:
    writer = HeldWriter(scene.writer)
    scene.use(writer)
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\nV=1\r\nEND\r\n")
    session.line_lost("the other end closed the connection")
    writer.commit()
    assert scene.values() == ["1"]
    assert scene.ending.outcome is Outcome.PARTIAL


def test_silent_meter_gets_its_time_and_no_more(scene: Scene) -> None:
    scene.session(Role.ASK)
    scene.clock.advance(4.9)
    assert not scene.heard.endings
    scene.clock.advance(0.2)
    assert scene.ending.outcome is Outcome.SILENT
    assert "nothing came within 5 s" in scene.ending.detail
    assert "check" in scene.ending.detail


def test_frame_that_stops_half_way_is_given_up_after_the_gap(scene: Scene) -> None:
    session = scene.session(Role.ASK)
    scene.clock.advance(4)
    session.received(b"SN=412")
    scene.clock.advance(0.9)
    session.received(b"0337")
    scene.clock.advance(0.9)
    assert not scene.heard.endings
    scene.clock.advance(0.2)
    assert scene.ending.outcome is Outcome.SILENT
    assert "nothing complete came" in scene.ending.detail


def test_noise_before_an_answer_takes_nothing_of_its_time(scene: Scene) -> None:
    session = scene.session(Role.ASK)
    session.received(b"\x00\x00")
    scene.clock.pump([0.5] * 6)
    session.received(b"SN=41203377\r\n")
    assert scene.heard.identified


def test_rubbish_is_garbled_and_on_record(scene: Scene) -> None:
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\nX=1\r\n")
    assert scene.ending.outcome is Outcome.GARBLED
    assert scene.log()[-1] == ("<", b"SN=41203377\r\nX=1\r\n")


def test_long_wait_ends_within_a_second_of_its_time(scene: Scene) -> None:
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\n")
    scene.clock.pump([1.0] * 599)
    session.received(b"V=1\r\n")
    scene.clock.pump([1.0] * 598)
    assert not scene.heard.endings
    scene.clock.pump([1.0] * 4)
    assert scene.ending.outcome is Outcome.PARTIAL


@pytest.mark.parametrize(
    ("error", "outcome", "detail"),
    [
        (MeterRefused("EK270 refused", code="0018", meaning="no read authorisation"), Outcome.REFUSED, "no read auth"),
        (UnknownMeter("who?"), Outcome.UNKNOWN_METER, "who?"),
        (LineLost("gone"), Outcome.LINE_LOST, "gone"),
        (MeterSilent("nothing"), Outcome.SILENT, "nothing"),
        (StoreError("disk I/O error"), Outcome.GATEWAY_FAULT, "disk I/O error"),
        (LineError("dead"), Outcome.LINE_LOST, "dead"),
    ],
)
def test_what_leaves_the_dialogue_is_the_outcome(scene: Scene, error: Exception, outcome: Outcome, detail: str) -> None:
    def dialogue() -> Dialogue:
        yield Note("about to fail")
        raise error

    said(scene, dialogue())
    assert scene.ending.outcome is outcome
    assert detail in scene.ending.detail


def test_codec_with_a_defect_is_our_fault_and_told_to_developers(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    def dialogue() -> Dialogue:
        yield Note("about to fail")
        raise ZeroDivisionError("division by zero")

    said(scene, dialogue())
    assert scene.ending.outcome is Outcome.GATEWAY_FAULT
    assert "ZeroDivisionError" in scene.ending.detail
    assert caplog.records[0].exc_info is not None


def test_dialogue_that_obtained_not_all_is_partial(scene: Scene) -> None:
    def dialogue() -> Dialogue:
        yield Note("a gap")
        return Partly("rows 7 to 9 are missing")

    said(scene, dialogue())
    assert scene.ending.outcome is Outcome.PARTIAL
    assert "rows 7 to 9 are missing" in scene.ending.detail
    assert scene.log() == [("-", b"a gap")]


def test_known_meter_that_could_not_be_read_whole_stands_in_the_programs_log(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    def dialogue() -> Dialogue:
        yield Identify("41203377")
        return Partly("2 messages were not kept")

    said(scene, dialogue())
    assert "session 1 with meter 41203377 over" in caplog.text
    assert "2 messages were not kept" in caplog.text


def test_stranger_whose_bytes_are_no_frames_does_not_fill_the_programs_log(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    def dialogue() -> Dialogue:
        yield Note("a port scanner")
        raise CodecError("no frame")

    said(scene, dialogue())
    assert scene.ending.outcome is Outcome.GARBLED
    assert caplog.text == ""


def test_dialogue_that_neither_waits_nor_ends_is_stopped(scene: Scene) -> None:
    def dialogue() -> Dialogue:
        while True:
            yield ChangeLine(9600)

    said(scene, dialogue())
    assert scene.ending.outcome is Outcome.GATEWAY_FAULT
    assert "neither waits nor ends" in scene.ending.detail


def test_wish_that_no_session_knows_is_our_fault(scene: Scene) -> None:
    def dialogue() -> Dialogue:
        yield "please"  # type: ignore[misc]
        return None

    said(scene, dialogue())
    assert scene.ending.outcome is Outcome.GATEWAY_FAULT


def test_dialogue_that_will_not_hear_of_the_loss_is_closed(scene: Scene) -> None:
    def dialogue() -> Dialogue:
        while True:
            with contextlib.suppress(LineLost):
                yield Receive(5)

    said(scene, dialogue()).line_lost("gone")
    assert scene.ending.outcome is Outcome.LINE_LOST


def test_dialogue_may_hear_of_the_loss_and_end_well(scene: Scene) -> None:
    def dialogue() -> Dialogue:
        try:
            yield Receive(5)
        except LineLost:
            return None
        return None

    said(scene, dialogue()).line_lost("gone")
    assert scene.ending.outcome is Outcome.READ


def test_dialogue_that_signs_off_in_its_finally_is_closed_all_the_same(scene: Scene) -> None:
    def dialogue() -> Dialogue:
        try:
            yield Receive(5)
        finally:
            yield Send(b"BYE")
        return None

    said(scene, dialogue()).finish(LineLost("the gateway stops"))
    assert scene.ending.outcome is Outcome.LINE_LOST
    assert scene.line.said == b""


def test_pause_keeps_frames_and_drain_drops_them(scene: Scene) -> None:
    frames: list[Frame] = []

    def dialogue() -> Dialogue:
        yield Pause(2)
        frames.append((yield Receive(5)))
        yield Drain(1, limit=3)
        frames.append((yield Receive(5)))
        return None

    session = said(scene, dialogue())
    session.received(b"a\r\n")
    assert not frames
    scene.clock.advance(2)
    session.received(b"b\r\nrest")
    scene.clock.advance(0.9)
    session.received(b"c\r\n")
    scene.clock.advance(0.9)
    session.received(b"d")
    scene.clock.advance(1)
    session.received(b"e\r\n")
    assert [(frame.text, frame.start) for frame in frames] == [("a", 0), ("e", 14)]
    assert scene.ending.outcome is Outcome.READ


def test_line_that_never_falls_quiet_is_drained_no_longer_than_the_limit(scene: Scene) -> None:
    def dialogue() -> Dialogue:
        yield Drain(1, limit=3)
        yield Send(b"now")
        return None

    session = said(scene, dialogue())
    for _ in range(7):
        session.received(b"x")
        scene.clock.advance(0.5)
    assert scene.line.said == b"now"


def test_only_wanted_kinds_are_delivered_and_the_deadline_stays(scene: Scene) -> None:
    def dialogue() -> Dialogue:
        yield Receive(5, gap=1, kinds=frozenset({"other"}))
        return None

    session = said(scene, dialogue())
    for _ in range(9):
        session.received(b"line\r\n")
        scene.clock.advance(0.5)
    assert not scene.heard.endings
    session.received(b"line\r\n")
    scene.clock.advance(0.6)
    assert scene.ending.outcome is Outcome.SILENT


def test_access_code_stands_masked_in_the_log_and_nowhere_in_the_detail(scene: Scene) -> None:
    scene.store.put_meter(MeterRecord("41203377"), access_code="3:73915")

    def dialogue() -> Dialogue:
        meter: KnownMeter = yield Identify("41203377")
        code = meter.access_code.partition(":")[2]
        yield Send(b"P1 " + code.encode(), shown=b"P1 *****")
        raise MeterRefused(f"code {code} refused")

    said(scene, dialogue())
    assert scene.line.said == b"P1 73915"
    assert scene.log() == [(">", b"P1 *****")]
    assert "73915" not in scene.ending.detail


def test_next_codec_is_tried_when_nothing_answers_the_first(scene: Scene) -> None:
    session = scene.session()
    scene.line.answers(session, (b"HELLO\r\n", b"SN=41203377\r\n"), (b"V?\r\n", b"V=7\r\n"))
    session.begin(Plan((ToyCodec("first"), ToyCodec("second", b"HELLO\r\n"))))
    scene.clock.advance(5.1)
    assert scene.ending.outcome is Outcome.READ
    record = scene.store.session(1)
    assert record is not None
    assert record.codec == "second"
    assert ("-", b"first: nothing came within 5 s; trying second") in scene.log()


def test_last_codec_leaves_the_outcome(scene: Scene) -> None:
    scene.session(Role.ASK, ToyCodec("first"), ToyCodec("second", b"HELLO\r\n"))
    scene.clock.advance(5.1)
    scene.clock.advance(5.1)
    assert scene.ending.outcome is Outcome.SILENT
    assert scene.line.said == b"?\r\nHELLO\r\n"


def test_every_listening_codec_sees_the_meters_bytes_from_the_start(scene: Scene) -> None:
    class Strict(ToyCodec):
        def answer(self) -> Dialogue:
            yield Receive(5)
            raise MeterSilent("not my words")

    session = scene.session(Role.LISTEN, Strict("strict"), ToyCodec("toy"))
    session.received(b"SN=41203377\r\nV=5\r\n")
    session.received(b"END\r\n")
    assert scene.ending.outcome is Outcome.READ
    assert scene.values() == ["5"]
    (reading,) = scene.store.readings(Filter())
    assert (reading.codec, reading.span_start) == ("toy", 13)


def test_codec_that_cannot_ask_says_so(scene: Scene) -> None:
    class Listener:
        name, version = "listener", "1"
        framer = ToyCodec().framer
        dissect = ToyCodec().dissect

    scene.session(Role.ASK, Listener())
    assert "cannot ask" in scene.ending.detail


def test_bytes_behind_the_end_are_on_record_and_not_the_codecs() -> None:
    scene = Scene()
    session = scene.session(Role.LISTEN)
    session.received(b"SN=41203377\r\nV=1\r\n")
    session.finish(LineLost("enough"))
    scene.clock.advance(1)
    session.received(b"V=2\r\n")
    assert scene.values() == ["1"]
    record = scene.store.session(1)
    assert record is not None
    assert (record.bytes_received, record.outcome) == (23, Outcome.PARTIAL)
    assert scene.log()[-2:] == [
        ("<", b"V=2\r\n"),
        ("-", b"bytes 18 to 23 are not the meter's: they came when the session was over"),
    ]
    assert not scene.line.aborted


def test_line_that_speaks_on_and_on_behind_the_end_is_cut_off() -> None:
    scene = Scene()
    session = scene.session(Role.LISTEN)
    session.finish(LineLost("enough"))
    for _ in range(16):
        session.received(bytes(4096))
    assert not scene.line.aborted
    session.received(b"\x00")
    assert scene.line.aborted
