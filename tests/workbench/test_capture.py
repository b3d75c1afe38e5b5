"""A capture is read as it was written, and a broken one is refused with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.model import Direction
from gateway_server.store.records import LogEntry
from gateway_server.workbench.capture import (
    Capture,
    CaptureError,
    CaptureHeader,
    capture_lines,
    read_capture,
    write_capture,
)

SHOWN = """\
# capture 1
transport: tcp
codec: gasbox
zone: Europe/Moscow

2026-08-22T07:00:00.120Z < 53 4E 3D 34 31 32 30 33 33 37 37 0D 0A           SN=41203377..
2026-08-22T07:00:00.123Z > 56 3F 0D 0A                                      V?..
2026-08-22T07:00:00.480Z - the meter took 357 ms
"""
HEADER = CaptureHeader(transport="tcp", codec="gasbox", zone="Europe/Moscow")
ENTRIES = [
    LogEntry(1787382000120, Direction.FROM_METER, b"SN=41203377\r\n"),
    LogEntry(1787382000123, Direction.TO_METER, b"V?\r\n"),
    LogEntry(1787382000480, Direction.NOTE, b"the meter took 357 ms"),
]

entries = st.one_of(
    st.builds(
        LogEntry,
        st.integers(0, 253402300799999),
        st.sampled_from([Direction.FROM_METER, Direction.TO_METER]),
        st.binary(max_size=70),
    ),
    st.builds(LogEntry, st.integers(0, 253402300799999), st.just(Direction.NOTE), st.text().map(str.encode)),
    st.builds(LogEntry, st.integers(0, 253402300799999), st.just(Direction.NOTE), st.binary(max_size=20)),
)
headers = st.builds(CaptureHeader, *[st.text(max_size=20)] * 7)


def test_session_is_written_as_people_read_it() -> None:
    assert write_capture(Capture(HEADER, ENTRIES)) == SHOWN
    assert read_capture(SHOWN) == Capture(HEADER, ENTRIES)


def test_long_chunk_takes_several_lines_and_stays_one_chunk() -> None:
    entry = LogEntry(0, Direction.FROM_METER, bytes(range(0x30, 0x30 + 20)))
    lines = list(capture_lines(CaptureHeader(), [entry]))
    assert lines[-2] == "1970-01-01T00:00:00.000Z < 30 31 32 33 34 35 36 37 38 39 3A 3B 3C 3D 3E 3F  0123456789:;<=>?"
    assert lines[-1] == "                         < 40 41 42 43                                      @ABC"
    assert read_capture("\n".join(lines)).entries == [entry]


@given(headers, st.lists(entries))
def test_what_is_written_is_read_again(header: CaptureHeader, log: list[LogEntry]) -> None:
    defaults = CaptureHeader()
    # A header value that is empty is not written, and its default is read.
    kept = CaptureHeader(*[getattr(header, name) or getattr(defaults, name) for name in CaptureHeader.__slots__])
    text = write_capture(Capture(header, log))
    assert read_capture(text) == Capture(kept, log)
    assert read_capture(text.replace("\n", "\r\n")) == Capture(kept, log)
    assert read_capture("\n".join(line.rstrip() for line in text.split("\n"))) == Capture(kept, log)


def test_characters_beside_the_hex_and_comments_may_be_left_out() -> None:
    text = "# capture 1\n# by hand\nzone: UTC\n\n# hello\n1970-01-01T00:00:00.000Z < 53 4e3D\n\n"
    assert read_capture(text).entries == [LogEntry(0, Direction.FROM_METER, b"SN=")]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("1970-01-01T00:00:00.000Z < 5G", "line 4: '5G' is not hex"),
        ("1970-01-01T00:00:00.000Z < 5", "line 4: '5' is not hex"),
        ("1970-01-01T00:00:00.000Z ? 53", "line 4: expected a time, one of < > { } -, and hex"),
        ("1970-01-01 00:00:00 < 53", "line 4: expected a time"),
        ("1970-13-01T00:00:00.000Z < 53", "line 4: there is no such time: 1970-13-01"),
        ("1970-01-01T00:00:00.000Z - a \\ b", "line 4: a lone backslash"),
        ("  < 53", "line 4: a line without a time goes on"),
        ("  - more", "line 4: a note has a time"),
        ("1970-01-01T00:00:00.000Z < 2A 2A 2A                                         123", "not what the hex says"),
        ("1970-01-01T00:00:00.000Z < 53\n  > 53", "line 5: a line without a time goes on with the chunk before"),
    ],
)
def test_broken_line_is_refused_with_its_number(line: str, why: str) -> None:
    with pytest.raises(CaptureError) as refusal:
        read_capture(f"# capture 1\nzone: UTC\n\n{line}\n")
    assert why in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "line 1: a capture starts with the line '# capture 1'"),
        ("hello\n", "line 1"),
        ("# capture 1\ncolour: red\n", "line 2: 'colour: red' is no header line; there are: transport, remote"),
        ("# capture 1\nzone UTC\n", "line 2: 'zone UTC' is no header line"),
        ("# capture 1\nzone: UTC\nzone: UTC\n", "line 3: zone stands there twice"),
        ("# capture 1\nabout: C:\\windows\n", "line 2: a lone backslash"),
    ],
)
def test_broken_header_is_refused_with_its_line(text: str, why: str) -> None:
    with pytest.raises(CaptureError) as refusal:
        read_capture(text)
    assert why in str(refusal.value)


def refusal_of(text: str) -> str:
    try:
        read_capture(text)
    except CaptureError as refusal:
        return str(refusal)
    return ""


@given(st.text(alphabet="# capture1\n0-:TZ.<>AF \\xu", max_size=200))
def test_any_text_is_read_or_refused_with_its_line(text: str) -> None:
    for candidate in (text, f"# capture 1\n\n{text}"):
        assert refusal_of(candidate)[:5] in ("", "line ")


def test_modems_dialogue_is_kept_apart_by_its_marks() -> None:
    log = [
        LogEntry(0, Direction.TO_MODEM, b"ATD********4567\r"),
        LogEntry(20_000, Direction.FROM_MODEM, b"CONNECT 9600\r"),
        LogEntry(20_001, Direction.TO_METER, b"/?!\r\n"),
    ]
    text = write_capture(Capture(CaptureHeader(), log))
    assert "1970-01-01T00:00:20.000Z { 43 4F 4E 4E 45 43 54 20 39 36 30 30 0D           CONNECT 9600." in text
    assert read_capture(text).entries == log
