"""The auditor's view as text."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import click
import pytest

from gateway_server.cli.session_text import (
    WIDE,
    Look,
    chunk_lines,
    count_trouble,
    header_lines,
    summary_line,
    waterfall_lines,
)
from gateway_server.codec.codec import NOISE, SENT, Field
from gateway_server.model import Direction, Outcome
from gateway_server.store.records import SessionRecord
from gateway_server.workbench.view import ChunkView, FrameView, Stored
from gateway_server.workbench.waterfall import Phase

MOSCOW = ZoneInfo("Europe/Moscow")
AT = 1_399_010_400_340
IDENTIFICATION = FrameView(
    "identification", 2, 10, AT, "", (Field("maker", 0, 4, "/Els", "Elster"), Field("rest", 4, 8, "6EK2"))
)
CHUNK = ChunkView(AT, 29, Direction.FROM_METER, 2, b"/Els6EK2", frames=(IDENTIFICATION,))


def lines(chunk: ChunkView, width: int = 80, **how: bool) -> list[str]:
    return list(chunk_lines(chunk, Look(MOSCOW, width, **how)))


def test_chunk_has_time_difference_direction_hex_and_fields() -> None:
    assert lines(CHUNK) == [
        "10:00:00.340    +0.029  <  8 bytes at 2: identification",
        "    2F 45 6C 73 36 45 4B 32                          /Els6EK2",
        "      identification 2..10",
        "        maker  /Els  Elster",
        "        rest   6EK2",
    ]


def test_fields_stand_beside_the_hex_where_there_is_room() -> None:
    beside = lines(CHUNK, WIDE)
    assert len(beside) == 4
    assert beside[1].startswith("    2F 45 6C 73")
    assert beside[1].endswith("identification 2..10")


def test_no_line_is_wider_than_the_window() -> None:
    long = FrameView("block", 0, 4, AT, "", (Field("cell", 0, 4, "v" * 30, "a meaning of many words " * 8),))
    chunk = ChunkView(AT, 0, Direction.FROM_METER, 0, b"\x02v\x03v", frames=(long,))
    for width in (80, 120):
        assert max(map(len, lines(chunk, width))) <= width


def test_fault_and_noise_are_said() -> None:
    block = FrameView("block", 0, 3, AT - 500, "BCC is 01, computed 02")
    noise = FrameView(NOISE, 3, 5, AT)
    chunk = ChunkView(AT, 500, Direction.FROM_METER, 2, b"\x03\x00\x00", frames=(block, noise))
    text = "\n".join(lines(chunk))
    assert "FAULT: BCC is 01, computed 02" in text
    assert "came within 0.500 s" in text
    assert count_trouble([chunk, CHUNK]) == (1, 2)


def test_stored_rows_are_named_beside_their_bytes() -> None:
    frame = FrameView("block", 0, 3, AT, stored=(Stored(0, 3, "interval row 640"),))
    assert "→ stored: interval row 640" in "\n".join(
        lines(ChunkView(AT, 0, Direction.FROM_METER, 0, b"abc", frames=(frame,)))
    )


def test_note_is_one_line() -> None:
    assert lines(ChunkView(AT, 0, Direction.NOTE, 0, "звонок".encode())) == ["10:00:00.340    +0.000  -  звонок"]


def test_what_we_sent_needs_no_name() -> None:
    sent = FrameView(SENT, 0, 3, AT, "", (Field("request", 0, 3, "/?!"),))
    shown = lines(ChunkView(AT, 0, Direction.TO_METER, 0, b"/?!", frames=(sent,)))
    assert shown[0] == "10:00:00.340    +0.000  >  3 bytes at 0"
    assert shown[2] == "        request  /?!"


def test_colour_only_where_it_is_wanted() -> None:
    assert not any("\x1b" in line for line in lines(CHUNK))
    coloured = lines(CHUNK, colour=True)
    assert "\x1b" in coloured[0]
    assert [click.unstyle(line) for line in coloured] == lines(CHUNK)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [(Outcome.SILENT, "silent: 3 requests"), (None, "still open, or the gateway was stopped in it")],
)
def test_header_says_how_it_ended(outcome: Outcome | None, said: str) -> None:
    record = SessionRecord(
        7, "", "tcp", "10.0.0.1:4001", AT, AT + 1500 if outcome else None, outcome,
        "3 requests" if outcome else "", 0, 15, 0, "", "",
    )  # fmt: skip
    header = list(header_lines(record, "", Look(MOSCOW)))
    assert header[0] == "session 7"
    assert any(line.endswith(said) for line in header)
    assert any("not identified" in line for line in header)
    assert any(line.startswith("took") for line in header) is (outcome is not None)


def test_summary_tells_trouble() -> None:
    assert summary_line(3, 0, 0, Look(MOSCOW)) == "3 entries, every frame whole"
    assert "1 faulty frame" in summary_line(3, 1, 2, Look(MOSCOW))


def test_bytes_of_a_meter_cannot_steer_the_terminal() -> None:
    value = FrameView("block", 0, 4, AT, "", (Field("value", 0, 4, "\x1b]0;x\x07", "\x9b2J"),))
    text = "\n".join(lines(ChunkView(AT, 0, Direction.FROM_METER, 0, b"\x1b]0;", frames=(value,))))
    assert "\\x1b]0;x\\x07  \\x9b2J" in text
    assert text.replace("\n", "").isprintable()
    note = ChunkView(AT, 0, Direction.NOTE, 0, b"the meter \x1b[2J")
    assert lines(note)[0].endswith("the meter \\x1b[2J")


def test_dialogue_in_a_note_is_shown_line_by_line() -> None:
    note = ChunkView(AT, 0, Direction.NOTE, 0, b"ftp> STOR a\nftp< 150 Ready\x1b[2J")
    (shown,) = lines(note)
    first, second = shown.split("\n")
    assert first.endswith("-  ftp> STOR a")
    assert second == " " * first.index("ftp>") + "ftp< 150 Ready\\x1b[2J"


def test_modem_dialogue_is_one_line_each_and_marked_as_such() -> None:
    said = lines(ChunkView(0, 20, Direction.FROM_MODEM, 0, b"CONNECT 9600\r"))
    assert len(said) == 1
    assert said[0].endswith("{  modem: CONNECT 9600")


def test_waterfall_shows_where_a_calls_time_went() -> None:
    phases = [Phase("dial", 0, 15_000), Phase("data", 15_000, 5_000)]
    dial, data = waterfall_lines(phases, Look(ZoneInfo("UTC")))
    assert dial.split() == ["dial", "█" * 30, "15.000", "s"]
    assert data.split() == ["data", "█" * 10, "5.000", "s"]
    assert data.index("█") == dial.index("█") + 30
    assert list(waterfall_lines([], Look(ZoneInfo("UTC")))) == []
