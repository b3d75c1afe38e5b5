"""The auditor's view, over an invented protocol of lines and the real one."""

from __future__ import annotations

from collections.abc import Sequence

from gateway_server.codec.buffer import LineFramer
from gateway_server.codec.codec import NOISE, SENT, Codec, Field, Frame
from gateway_server.codec.registry import load_codecs
from gateway_server.model import Direction
from gateway_server.session.remarks import GIVEN_UP, kept_out, spans_kept_out
from gateway_server.store.records import LogEntry
from gateway_server.workbench.view import NOT_METER, ChunkView, Stored, view_session

FROM, TO, NOTE = Direction.FROM_METER, Direction.TO_METER, Direction.NOTE


class Lines:
    """A codec of lines whose first six characters are secret when they begin with ``KEY``."""

    name = "lines"
    version = "1"
    framer = LineFramer

    def dissect(self, frame: Frame) -> Sequence[Field]:
        if frame.data.startswith(b"KEY"):
            return [Field("key", 0, 6, "KEY123", "the key", secret=True), Field("rest", 6, len(frame.data))]
        return [Field("line", 0, len(frame.data), frame.text)]


CODEC: Codec = Lines()


def view(*entries: tuple[int, Direction, bytes], codec: Codec | None = CODEC, **more: object) -> list[ChunkView]:
    return list(view_session([LogEntry(*entry) for entry in entries], codec, **more))  # type: ignore[arg-type]


def test_each_chunk_tells_its_place_and_the_time_since_the_one_before() -> None:
    chunks = view((1000, TO, b"V?\r\n"), (1310, FROM, b"12\r\n"), (1320, TO, b"OK\r\n"), (1500, FROM, b"34\r\n"))
    assert [(chunk.since_ms, chunk.offset) for chunk in chunks] == [(0, 0), (310, 0), (10, 4), (180, 4)]
    assert [chunk.frames[0].kind for chunk in chunks] == [SENT, "line", SENT, "line"]


def test_frame_that_came_in_pieces_stands_with_its_last_chunk() -> None:
    first, second, third = view((0, FROM, b"12"), (40, FROM, b"34"), (90, FROM, b"5\r\n6\r\n"))
    assert first.part_of == second.part_of == "line"
    assert first.frames == second.frames == ()
    assert [(frame.start, frame.end, frame.began_ms) for frame in third.frames] == [(0, 7, 0), (7, 10, 90)]


def test_order_of_the_wire_is_kept_while_a_frame_is_awaited() -> None:
    chunks = view((0, FROM, b"12"), (10, NOTE, b"the line is slow"), (20, FROM, b"34\r\n"), (30, NOTE, b"end"))
    assert [chunk.data for chunk in chunks] == [b"12", b"the line is slow", b"34\r\n", b"end"]
    assert chunks[1].note == "the line is slow"


def test_what_is_unfinished_at_the_end_is_shown() -> None:
    (chunk,) = view((0, FROM, b"no end"))
    assert len(chunk.frames) == 1
    assert (chunk.frames[0].start, chunk.frames[0].end) == (0, 6)


def test_frame_given_up_is_not_joined_to_what_came_later() -> None:
    chunks = view((0, FROM, b"12"), (900, NOTE, GIVEN_UP.encode()), (950, TO, b"V?\r\n"), (990, FROM, b"34\r\n"))
    assert (chunks[0].frames[0].start, chunks[0].frames[0].end) == (0, 2)
    assert (chunks[3].frames[0].kind, chunks[3].frames[0].start) == ("line", 2)


def test_registration_packet_is_shown_as_not_the_meters() -> None:
    note = kept_out(0, 4, "registration")
    entries = [LogEntry(0, FROM, b"ID7;12"), LogEntry(1, NOTE, note.encode()), LogEntry(2, FROM, b"34\r\n")]
    chunks = list(view_session(entries, CODEC, kept_out=spans_kept_out(entries)))
    assert [(frame.kind, frame.start, frame.end) for frame in chunks[0].frames] == [(NOT_METER, 0, 4)]
    assert chunks[0].part_of == "line"
    assert [(frame.start, frame.fields[0].value) for frame in chunks[2].frames] == [(4, "1234")]


def test_secret_is_neither_in_bytes_nor_hex_nor_fields() -> None:
    (chunk,) = view((0, FROM, b"KEY123;open\r\n"))
    assert chunk.data == b"******;open\r\n"
    assert next(chunk.hex_lines()).startswith("·· ·· ·· ·· ·· ·· 3B 6F")
    assert "******;open" in next(chunk.hex_lines())
    assert chunk.frames[0].fields[0] == Field("key", 0, 6, "***", "", secret=True)


class Checked(Lines):
    """The same with a check at the end of each line."""

    def dissect(self, frame: Frame) -> Sequence[Field]:
        fields = super().dissect(frame)
        return [fields[0], Field("check", 6, len(frame.data), "A8", "should be A9", secret=fields[0].secret)]


def test_check_over_a_secret_is_not_shown_and_says_why() -> None:
    (chunk,) = view((0, FROM, b"KEY123;\r\n"), codec=Checked())
    assert chunk.data == b"*********"
    meaning = "not shown: it covers a secret, and would give it away"
    assert chunk.frames[0].fields[1] == Field("check", 6, 9, "***", meaning, secret=True)


def test_secret_that_came_in_two_chunks_is_hidden_in_both() -> None:
    first, second = view((0, FROM, b"KEY1"), (5, FROM, b"23;\r\n"))
    assert first.data == b"****"
    assert second.data == b"**;\r\n"


def test_secret_we_sent_is_hidden() -> None:
    (chunk,) = view((0, TO, b"KEY123\r\n"))
    assert chunk.data == b"******\r\n"


def test_stored_rows_stand_with_the_frame_they_were_read_from() -> None:
    stored = [Stored(5, 9, "second"), Stored(0, 3, "first")]
    chunks = view((0, FROM, b"aaa\r\n"), (1, FROM, b"bbbb\r\n"), stored=stored)
    assert [[one.text for one in chunk.frames[0].stored] for chunk in chunks] == [["first"], ["second"]]


def test_session_without_codec_shows_bytes_alone() -> None:
    chunks = view((0, TO, b"x"), (1, FROM, b"yz"), codec=None)
    assert [(chunk.data, chunk.frames) for chunk in chunks] == [(b"x", ()), (b"yz", ())]


def test_noise_before_a_corrector_signs_on_is_marked() -> None:
    codec = load_codecs().get("lis200")
    chunks = view((0, FROM, b"\0\0/Els6EK270\r\n"), codec=codec)
    assert [(frame.kind, frame.is_noise) for frame in chunks[0].frames] == [(NOISE, True), ("identification", False)]
