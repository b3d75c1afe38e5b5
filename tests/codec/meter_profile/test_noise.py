"""What a profile's author is told of bytes that look like a frame and are none."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.noise import why_noise
from tests.codec.meter_profile.profiles import framed

EGTS = """
start: '01'
header:
  - {name: rest, type: bytes, size: 9}
  - {name: crc, type: u8, check: {rule: CRC-8/NRSC-5, covers: start}}
size: "16"
"""


@pytest.mark.parametrize(
    ("framing", "data", "why"),
    [
        # EGTS, published, with another byte for the check of its header, 4A.
        (
            EGTS,
            "FF 01 00 03 0B 00 03 00 89 00 00 4B 15 38 00 33 E8",
            "frame: the check crc does not match: it is 4B, CRC-8/NRSC-5 gives 4A",
        ),
        (
            "start: 68\nheader: [{name: again, type: u8, is: 0x68}]\nsize: '4'",
            "68 69 00 00",
            "frame: again is 105, not 104",
        ),
        ("start: 68\nlength: {at: 1}\nend: 16", "68 00", "frame: its header says 2 bytes, fewer than the 3 of any"),
        (
            "start: 68\nlength: {at: 1}\nend: 16",
            "68 02 00 17",
            "frame: 16 does not stand where its header says that it ends",
        ),
        ("start: STX\nend: ETX", "02 41 42", "frame: its end 03 does not come"),
        ("start: STX\nend: ETX\ncharacters: digits", "02 31 41 03", "frame: 41 is none of its characters"),
        ("start: STX\nend: ETX", "41 42", ""),
        ("end: LF", "41 42", ""),
    ],
)
def test_noise_that_begins_like_a_frame_is_explained(framing: str, data: str, why: str) -> None:
    layouts = framed(framing).machine.compiled.layouts.values()
    assert why_noise(layouts, bytes.fromhex(data)) == why
