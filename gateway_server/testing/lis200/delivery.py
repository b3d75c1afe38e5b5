"""How a simulated meter's answers come over the line: on time or late, whole or in pieces, sound or damaged."""

from __future__ import annotations

import random
from dataclasses import dataclass

from gateway_server.testing.lis200.frames import answer, even_parity
from gateway_server.testing.lis200.quirks import Quirks

NOISE_BEFORE = b"\x00\x00 \x06"
NOISE_AFTER = b"\x00 \x06"
RUBBISH_LENGTH = 65536
ENDLESS_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Reply:
    """Bytes that leave the meter ``delay_s`` seconds behind what left before; then perhaps the line is gone.

    With ``until_asked`` they do not leave any more once the meter has heard something new.
    """

    delay_s: float
    data: bytes
    hang_up: bool = False
    until_asked: bool = False


class Delivery:
    """Turns answers into replies. Blocks are counted over the meter's life, so a repeated block comes sound.

    ``dead`` is set once the far end has hung up behind ``NO CARRIER``, until the line ends.
    """

    def __init__(self, quirks: Quirks, seed: str) -> None:
        self.dead = False
        self._quirks = quirks
        self._random = random.Random(seed)
        self._answers = 0
        self._blocks = 0
        self._rubbish_due = quirks.rubbish

    def identification(self, line: bytes) -> list[Reply]:
        """The answer to a sign-on."""
        if self._rubbish_due:
            self._rubbish_due = False
            return self._in_pieces(self._random.randbytes(RUBBISH_LENGTH), 4096)
        return self._leave(line)

    def single(self, frame: bytes) -> list[Reply]:
        """A value, an error, a challenge, or one control character."""
        return self._leave(frame)

    def block(self, frame: bytes, *, repeated: bool) -> list[Reply]:
        """One block of an archive, for the first time or repeated."""
        quirks = self._quirks
        if repeated:
            return self._leave(_damaged(frame) if quirks.bad_bcc_always else frame)
        self._blocks += 1
        half = frame[: len(frame) // 2]
        if self._blocks == quirks.endless_block:
            row = frame[1:-2] + b"\r\n"
            return self._leave(frame[:-2]) + [Reply(0.15, self._on_line(row), until_asked=True)] * ENDLESS_ROWS
        if self._blocks == quirks.truncate_block:
            return self._leave(half)
        if self._blocks == quirks.hang_up_in_block:
            replies = self._leave(half)
            return [*replies, Reply(0.0, b"", hang_up=True)]
        if self._blocks == quirks.no_carrier_in_block:
            self.dead = True
            return self._leave(half + b"\r\nNO CARRIER\r\n")
        if quirks.bad_bcc_always or (quirks.bad_bcc_every and self._blocks % quirks.bad_bcc_every == 0):
            return self._leave(_damaged(frame))
        return self._leave(frame)

    def _leave(self, data: bytes) -> list[Reply]:
        quirks = self._quirks
        self._answers += 1
        if quirks.lose_every and self._answers % max(3, quirks.lose_every) == 0:
            return []
        if len(data) > 1:
            if quirks.noise_before:
                data = NOISE_BEFORE + data
            if quirks.noise_after:
                data += NOISE_AFTER
        if quirks.second_master:
            data = self._passing_by() + data
        data = self._on_line(data)
        if quirks.slow:
            return self._in_pieces(data, 1, 0.01)
        return self._in_pieces(data, quirks.split or len(data), 0.02)

    def _in_pieces(self, data: bytes, size: int, gap: float = 0.0) -> list[Reply]:
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        return [Reply(gap if number else self._quirks.reply_delay_s, piece) for number, piece in enumerate(pieces)]

    def _on_line(self, data: bytes) -> bytes:
        return even_parity(data) if self._quirks.seven_e1 else data

    def _passing_by(self) -> bytes:
        return self._random.choice(
            (
                b"/?1!\r\n",
                b"\x01R1\x023:171.0(1)\x03\x72" + answer("3:171.0(0)"),
                answer("7-9:3A8_1.2(60.00*{C)"),
            )
        )


def _damaged(frame: bytes) -> bytes:
    """One digit in the frame's middle is another digit, as a bit error makes it; only the BCC tells."""
    for place in range(len(frame) // 2, len(frame) - 2):
        if chr(frame[place]).isdigit():
            return frame[:place] + bytes((frame[place] ^ 1,)) + frame[place + 1 :]
    return frame[:-1] + bytes((frame[-1] ^ 1,))
