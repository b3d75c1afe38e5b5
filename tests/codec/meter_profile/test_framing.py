"""Frames out of streams, in every way in which a profile can say where they begin and end."""

from __future__ import annotations

import random
import time

import pytest

from gateway_server.codec.buffer import ByteBuffer
from gateway_server.codec.codec import NOISE
from gateway_server.codec.meter_profile.form import Framing, Parity, Side
from gateway_server.codec.meter_profile.framing import Cutter, ProfileFramer
from gateway_server.codec.meter_profile.layout import Layout
from tests.codec.meter_profile.profiles import codec_of, every_cut, framed, frames, kinds


def test_frame_between_start_and_end_bytes_is_found_among_rubbish() -> None:
    codec = framed("start: STX\nend: ETX")
    stream = b"\x00\xff" + b"\x02AB\x03" + b"\x03\x80" + b"\x02\x03"
    assert every_cut(codec, stream) == [
        (NOISE, b"\x00\xff"),
        ("frame", b"\x02AB\x03"),
        (NOISE, b"\x03\x80"),
        ("frame", b"\x02\x03"),
    ]


@pytest.mark.parametrize(
    ("length", "frame"),
    [
        ("{at: 1, size: 1, counts: rest}", "68 03 01 02 03"),
        ("{at: 1, size: 1, counts: whole}", "68 05 01 02 03"),
        ("{at: 1, size: 2, order: little}", "68 02 00 01 02"),
        ("{at: 1, size: 2, order: big}", "68 00 02 01 02"),
        ("{at: 3, size: 1}", "68 11 22 02 01 02"),
        ("{at: 1, size: 1, uncounted: 4}", "68 01 01 02 03"),
        ("{at: 1, size: 1, unit: 2, uncounted: 2}", "68 02 01 02 03 04"),
    ],
)
def test_length_field_tells_where_the_frame_ends(length: str, frame: str) -> None:
    codec = framed(f"start: '68'\nlength: {length}")
    data = bytes.fromhex(frame)
    assert every_cut(codec, b"\x00" + data + data) == [(NOISE, b"\x00"), ("frame", data), ("frame", data)]


def test_end_byte_that_is_not_where_the_length_says_makes_noise_of_the_start() -> None:
    codec = framed("start: '68'\nlength: {at: 1, uncounted: 3}\nend: '16'")
    good = bytes.fromhex("68 02 AA BB 16")
    assert every_cut(codec, bytes.fromhex("68 01 AA BB CC") + good) == [
        (NOISE, bytes.fromhex("68 01 AA BB CC")),
        ("frame", good),
    ]


def test_length_beyond_the_limit_is_a_frame_with_a_fault_that_says_so() -> None:
    codec = framed("start: '68'\nlength: {at: 1, size: 2}\nmost: 64")
    good = bytes.fromhex("68 00 01 AA")
    found = frames(codec, bytes.fromhex("68 FF FF") + good)
    assert kinds(found) == [("frame", bytes.fromhex("68 FF FF")), ("frame", good)]
    assert found[0].fault == "its length says 65538 bytes, more than the 64 a frame may have"
    assert found[1].fault == ""


def test_fixed_size_frames_follow_each_other() -> None:
    codec = framed("start: AA 55\nsize: 4")
    assert every_cut(codec, bytes.fromhex("AA 55 01 02 AA 55 03 04 AA")) == [
        ("frame", bytes.fromhex("AA 55 01 02")),
        ("frame", bytes.fromhex("AA 55 03 04")),
        (NOISE, b"\xaa"),
    ]


def test_size_may_be_calculated_from_the_header() -> None:
    codec = framed("start: '68'\nheader: [{name: kind, type: u8}, {name: count, type: u8}]\nsize: 3 + count * 2")
    data = bytes.fromhex("68 01 02 AA BB CC DD")
    assert every_cut(codec, data + data) == [("frame", data), ("frame", data)]


def test_lines_of_text_are_frames_and_a_line_with_other_bytes_is_noise() -> None:
    codec = framed("end: LF\ncharacters: text\nmost: 20")
    assert every_cut(codec, b"\x00\xffSN=1\r\n12\x0034\nOK\nlonger than twenty characters\nA\n") == [
        (NOISE, b"\x00\xff"),
        ("frame", b"SN=1\r\n"),
        (NOISE, b"12\x0034\n"),
        ("frame", b"OK\n"),
        (NOISE, b"longer than twenty characters\n"),
        ("frame", b"A\n"),
    ]


def test_frame_that_only_silence_ends_is_given_at_the_silence() -> None:
    codec = framed("gap: 0.05\nmost: 16")
    framer = codec.framer()
    framer.feed(b"\x01\x02")
    framer.feed(b"\x03")
    assert framer.next_frame() is None
    left = framer.flush()
    assert left is not None
    assert (left.kind, left.data) == ("frame", b"\x01\x02\x03")
    assert framer.flush() is None


def test_frame_without_start_bytes_is_known_by_its_check() -> None:
    codec = framed(
        """
        header: [{name: address, type: u8}, {name: function, type: u8, is: [3, 4]}, {name: count, type: u8}]
        size: count + 5
        check: {rule: CRC-16/MODBUS, order: little}
        """
    )
    # MODBUS over serial line, answer to "read holding registers": slave 17, 6 bytes.
    data = bytes.fromhex("11 03 06 AE 41 56 52 43 40 49 AD")
    assert every_cut(codec, b"\x00\xff" + data + b"\x03\x03" + data) == [
        (NOISE, b"\x00\xff"),
        ("frame", data),
        (NOISE, b"\x03\x03"),
        ("frame", data),
    ]
    damaged = bytes.fromhex("11 03 06 AE 41 56 52 43 41 49 AD")
    assert kinds(frames(codec, damaged)) == [(NOISE, damaged)]


def test_frame_with_start_bytes_whose_check_fails_is_delivered_with_its_fault() -> None:
    codec = framed("start: '68'\nlength: {at: 1, uncounted: 3}\ncheck: {rule: sum8, covers: start}")
    found = frames(codec, bytes.fromhex("68 01 AA 00"))
    assert kinds(found) == [("frame", bytes.fromhex("68 01 AA 00"))]
    assert found[0].fault == "the check sum8 is 00, but should be 13"


SEVERAL = """
reads: meter_profile
framing:
  - {name: binary, start: AA 55, length: {at: 2, size: 1}, check: CRC-16/XMODEM}
  - {name: heartbeat, from: meter, start: "'PING'", size: 4}
  - {name: registration, from: meter, characters: digits, size: 15}
messages:
  - {name: data, framing: binary, fields: [{name: body, type: bytes}]}
  - {name: beat, framing: heartbeat}
  - name: hello
    framing: registration
    fields: [{name: imei, type: text, size: 15}]
    identify: {serial: imei}
"""


def test_registration_heartbeat_and_binary_frames_share_one_stream() -> None:
    codec = codec_of(SEVERAL)
    binary = codec.machine.compiled.encode("data", {"body": b"\x01\x02"})
    stream = b"356938035643809" + b"PING" + binary + b"\xff" + b"PING" + binary
    assert every_cut(codec, stream) == [
        ("registration", b"356938035643809"),
        ("heartbeat", b"PING"),
        ("binary", binary),
        (NOISE, b"\xff"),
        ("heartbeat", b"PING"),
        ("binary", binary),
    ]


def test_parity_bits_are_stripped_for_reading_and_kept_on_the_wire() -> None:
    codec = codec_of(
        """
        reads: meter_profile
        parity: even
        framing: {name: line, end: CR LF, characters: text}
        messages:
          - {name: said, from: both, fields: [{name: words, type: text}]}
        """
    )
    wire = bytes.fromhex("41 42 C3 8D 0A")  # ABC CR LF in 7E1
    assert every_cut(codec, wire) == [("line", wire)]
    frame = frames(codec, wire)[0]
    assert frame.fault == ""
    said = codec.decode(frame)
    assert said.values["words"] == "ABC"
    assert codec.encode(said) == wire
    assert frames(codec, bytes.fromhex("C1 42 C3 8D 0A"))[0].fault == "a byte has the wrong parity"


def test_two_profiles_with_the_same_start_are_told_apart_by_their_checks() -> None:
    one, other = (
        framed(f"start: '68'\nlength: {{at: 1, uncounted: 4}}\ncheck: {{rule: {rule}}}")
        for rule in ("CRC-16/MODBUS", "CRC-16/XMODEM")
    )
    data = one.machine.compiled.encode("message", {"body": b"\x01\x02"})
    assert frames(one, data)[0].fault == ""
    assert frames(other, data)[0].fault.startswith("the check CRC-16/XMODEM is")


def test_telegram_after_a_silence_is_read_though_one_before_was_too_long() -> None:
    codec = framed("gap: 0.05\nmost: 4")
    framer = codec.framer()
    framer.feed(b"123456")
    assert kinds(iter(framer.next_frame, None)) == [(NOISE, b"123456")]
    assert framer.flush() is None
    framer.feed(b"12")
    assert kinds(iter(framer.flush, None)) == [("frame", b"12")]


WORST = {
    "checks that never match": (
        "header: [{name: n, type: u8}]\nsize: n * 256 + 4\ncheck: CRC-16/MODBUS\nmost: 65536",
        b"\xff",
    ),
    "starts without an end": ("start: STX\nend: ETX\nmost: 65536", b"\x02"),
    "text without an end": ("start: \"'$'\"\nend: CR LF\ncharacters: text\nmost: 65536", b"$"),
    "half ends": ("end: CR LF\ncharacters: text\nmost: 65536", b"\r"),
    "starts far apart": ("start: AA 55\nlength: {at: 2, size: 2}\nmost: 65536", b"\xaa\x55\xff\xf0"),
}


@pytest.mark.parametrize(("framing", "stream"), WORST.values(), ids=list(WORST))
def test_time_stays_linear_whatever_profile_and_stream_do_to_each_other(framing: str, stream: bytes) -> None:
    codec = framed(framing)
    size = 1 << 17
    data = (stream * (size // len(stream) + 1))[:size]
    framer = codec.framer()
    began = time.process_time()
    for at in range(0, size, 64):
        framer.feed(data[at : at + 64])
        while framer.next_frame() is not None:
            pass
    assert time.process_time() - began < 30  # seconds, on a busy machine; looking at everything again takes minutes
    while framer.flush() is not None:
        pass


class CountingCutter(Cutter):
    """Counts how often it is asked whether a frame begins somewhere, and how many bytes it checks."""

    def __init__(self, layout: Layout, tally: list[int]) -> None:
        super().__init__(CountingLayout(layout.framing, tally))
        self._tally = tally

    def probe(self, buffer: ByteBuffer, at: int, looked: int) -> int:
        self._tally[0] += 1
        return super().probe(buffer, at, looked)


class CountingLayout(Layout):
    """Counts the bytes that are checked."""

    def __init__(self, framing: Framing, tally: list[int]) -> None:
        super().__init__(framing)
        self._tally = tally

    def fault(self, wire: bytes) -> str:
        self._tally[1] += len(wire)
        self._tally[2] += 1
        return super().fault(wire)


TWENTY = "\n".join(
    f"  - {{name: f{number}, header: [{{name: n, type: u16}}], size: n % {50 + number} + 6, check: CRC-32}}"
    for number in range(20)
)


def test_framer_of_twenty_framings_without_start_bytes_never_looks_long_before_it_tells_of_noise() -> None:
    codec = codec_of(
        f"reads: meter_profile\nframing:\n{TWENTY}\n"
        "messages:\n  - {name: message, framing: f0, fields: [{name: body, type: bytes}]}\n"
    )
    tally = [0, 0, 0]
    cutters = [CountingCutter(one.layout, tally) for one in codec.machine.compiled.cutters(Side.METER)]
    framer = ProfileFramer(cutters, Parity.NONE)
    data = random.Random(7).randbytes(1 << 13)
    framer.feed(data)
    heard = 0
    while True:
        before = tally[0]
        frame = framer.next_frame()
        assert tally[0] - before <= 256 + 2 * len(cutters)
        if frame is None:
            break
        heard += len(frame.data)
    assert heard > len(data) - 128
    allowed = (1 << 16) + 32 * len(data)
    assert tally[1] + 32 * tally[2] <= allowed + 128


def test_place_that_many_framings_pass_over_at_once_is_noise_piece_by_piece() -> None:
    none = "\n".join(
        f"  - {{name: f{number}, header: [{{name: n, type: u16, is: {number}}}], size: n + 4, check: CRC-16/ARC}}"
        for number in range(2, 12)
    )
    codec = codec_of(
        f"reads: meter_profile\nframing:\n{none}\n"
        "messages:\n  - {name: message, framing: f2, fields: [{name: body, type: bytes}]}\n"
    )
    framer = codec.framer()
    framer.feed(b"\xff" * 1000)
    pieces = [len(frame.data) for frame in iter(framer.next_frame, None)]
    assert max(pieces) <= 256 // 10 + 1
    assert sum(pieces) >= 1000 - 2
