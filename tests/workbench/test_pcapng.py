"""What our pcapng files say to tshark, a program that nobody here wrote."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gateway_server.model import Direction
from gateway_server.store.records import LogEntry
from gateway_server.workbench.pcapng import pcapng

TSHARK = shutil.which("tshark")
needs_tshark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed (Debian: apt install tshark)")

FROM, TO, NOTE = Direction.FROM_METER, Direction.TO_METER, Direction.NOTE
AT = 1_790_000_000_123

# IEC 62056-21 sign-on of an EK270 as in the samples, with a password operand.
ENTRIES = [
    LogEntry(AT, NOTE, b"registered as 356938035643809"),
    LogEntry(AT + 5, TO, b"/?!\r\n"),
    LogEntry(AT + 317, FROM, b"/Els6EK270\r\n"),
    LogEntry(AT + 320, TO, b"\x06061\r\n"),
    LogEntry(AT + 400, NOTE, "ответ неполный".encode()),
    LogEntry(AT + 611, FROM, bytes.fromhex("01 50 30 02 28 31 32 33 34 35 36 37 29 03 50")),
    LogEntry(AT + 700, NOTE, b"the meter hung up"),
]


def tshark(path: Path, *arguments: str) -> list[list[str]]:
    assert TSHARK is not None
    ran = subprocess.run([TSHARK, "-n", "-r", str(path), *arguments], capture_output=True, text=True, check=True)
    return [line.split("\t") for line in ran.stdout.splitlines()]


def fields(path: Path, *names: str) -> list[list[str]]:
    wanted = [argument for name in names for argument in ("-e", name)]
    checks = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    return tshark(path, *checks, "-T", "fields", *wanted)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    path = tmp_path / "session.pcapng"
    path.write_bytes(b"".join(pcapng(ENTRIES, remote="192.168.7.41:40123", about="session 7")))
    return path


@needs_tshark
def test_every_chunk_is_one_packet_with_its_bytes_direction_and_time(session: Path) -> None:
    packets = fields(session, "frame.time_epoch", "ip.src", "ip.dst", "tcp.payload")
    chunks = [entry for entry in ENTRIES if entry.direction is not NOTE]
    assert [packet[3] for packet in packets] == [entry.data.hex() for entry in chunks]
    meter, gateway = "192.168.7.41", "192.0.2.1"
    assert [(packet[1], packet[2]) for packet in packets] == [
        (gateway, meter) if entry.direction is TO else (meter, gateway) for entry in chunks
    ]
    times = [round(float(packet[0]) * 1000) for packet in packets]
    assert times == [entry.at_ms for entry in chunks]


@needs_tshark
def test_packets_are_one_sound_tcp_conversation(session: Path) -> None:
    names = ("ip.checksum.status", "tcp.checksum.status", "tcp.stream", "tcp.analysis.flags", "tcp.seq", "tcp.ack")
    packets = fields(session, *names)
    assert [packet[:4] for packet in packets] == [["1", "1", "0", ""]] * 4
    assert [packet[4:] for packet in packets] == [["1", "1"], ["1", "6"], ["6", "13"], ["13", "12"]]


@needs_tshark
def test_followed_stream_is_the_conversation(session: Path) -> None:
    followed = "\n".join("\t".join(line) for line in tshark(session, "-q", "-z", "follow,tcp,ascii,0"))
    assert followed.index("/?!") < followed.index("/Els6EK270") < followed.index("(1234567)")


@needs_tshark
def test_notes_are_comments_of_the_packet_behind_them_and_the_last_ones_of_the_last(session: Path) -> None:
    comments = fields(session, "frame.comment")
    assert comments == [["registered as 356938035643809"], [""], [""], ["ответ неполный,the meter hung up"]]


@needs_tshark
def test_session_over_a_serial_port_opens_too(tmp_path: Path) -> None:
    path = tmp_path / "serial.pcapng"
    path.write_bytes(b"".join(pcapng(ENTRIES, remote="/dev/ttyACM0")))
    assert [packet[0] for packet in fields(path, "ip.src")] == [
        "192.0.2.1",
        "198.51.100.1",
        "192.0.2.1",
        "198.51.100.1",
    ]


@needs_tshark
def test_chunk_longer_than_a_packet_is_cut_and_loses_nothing(tmp_path: Path) -> None:
    data = bytes(range(256)) * 300
    path = tmp_path / "long.pcapng"
    path.write_bytes(b"".join(pcapng([LogEntry(AT, FROM, data), LogEntry(AT + 1, FROM, b"end")])))
    packets = fields(path, "tcp.payload", "tcp.seq", "tcp.checksum.status")
    assert "".join(packet[0] for packet in packets) == data.hex() + b"end".hex()
    assert [packet[1] for packet in packets] == ["1", "65496", "76801"]
    assert {packet[2] for packet in packets} == {"1"}


@needs_tshark
def test_session_that_said_nothing_opens(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcapng"
    path.write_bytes(b"".join(pcapng([LogEntry(AT, NOTE, b"connection refused")])))
    assert fields(path, "frame.number") == []


@needs_tshark
def test_modems_dialogue_is_a_remark_and_no_packet(tmp_path: Path) -> None:
    called = [
        LogEntry(AT - 20_000, Direction.TO_MODEM, b"ATD********4567\r"),
        LogEntry(AT - 10, Direction.FROM_MODEM, b"CONNECT 9600\r"),
        *ENTRIES,
    ]
    path = tmp_path / "called.pcapng"
    path.write_bytes(b"".join(pcapng(called)))
    assert [payload for (payload,) in fields(path, "tcp.payload")] == [
        entry.data.hex() for entry in ENTRIES if entry.direction is not NOTE
    ]
    ((comment,), *_) = fields(path, "frame.comment")
    assert "modem { CONNECT 9600" in comment
