"""The conversation treats a dialogue as a session does."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from gateway_server.codec.buffer import LineFramer
from gateway_server.codec.codec import Frame
from gateway_server.codec.dialogue import Dialogue, Note, Receive, Send
from gateway_server.errors import LineLost
from gateway_server.testing.conversation import Conversation


class BlockFramer:
    """Blocks of four bytes; a shorter rest is a block with a fault."""

    def __init__(self) -> None:
        self._bytes = b""

    def feed(self, data: bytes) -> None:
        self._bytes += data

    def next_frame(self) -> Frame | None:
        if len(self._bytes) < 4:
            return None
        block, self._bytes = self._bytes[:4], self._bytes[4:]
        return Frame("block", block)

    def flush(self) -> Frame | None:
        block, self._bytes = self._bytes, b""
        return Frame("block", block, fault="too short") if block else None


def faults() -> Dialogue:
    block = yield Receive(timeout=1)
    yield Send(block.fault.encode())
    return None


def test_unfinished_block_is_delivered_with_its_fault_after_silence() -> None:
    talk = Conversation(faults(), BlockFramer(), None)
    talk.hear(b"abc")
    talk.settle("the block stays unfinished")
    assert isinstance(talk.wish, Receive)
    talk.silence(talk.wish)
    assert talk.advance_to(Send, "an answer").data == b"too short"


def test_unfinished_block_is_delivered_before_the_loss_of_the_line() -> None:
    talk = Conversation(faults(), BlockFramer(), None)
    talk.hear(b"abc")
    talk.lose_line()
    assert talk.wish == Send(b"too short")
    talk.settle("nothing can be sent any more")
    assert talk.over
    assert talk.ending().outcome.value == "line_lost"


def test_dialogue_that_never_waits_is_found_out() -> None:
    def chatter() -> Generator[Note, None, None]:
        while True:
            yield Note("still here")

    with pytest.raises(AssertionError, match="neither sends nor waits nor ends"):
        Conversation(chatter(), LineFramer(), None).settle("anything")


def test_dialogue_that_will_not_hear_of_the_loss_is_found_out() -> None:
    def deaf() -> Dialogue:
        while True:
            try:
                yield Receive(timeout=1)
            except LineLost:
                continue

    talk = Conversation(deaf(), LineFramer(), None)
    talk.lose_line()
    with pytest.raises(AssertionError, match="does not see that the line is lost"):
        talk.settle("anything")
