"""A profile as a codec: what it can be asked follows from its dialogues."""

from __future__ import annotations

import pytest

from gateway_server.codec.codec import Answers, Asks, Codec, Frame, Interprets, NamesArchives
from gateway_server.codec.meter_profile.form import Side
from gateway_server.codec.registry import load_codecs
from gateway_server.errors import CodecError
from gateway_server.model import KnownMeter
from tests.codec.meter_profile.profiles import codec_of

HEAD = "reads: meter_profile\nversion: 3\nframing: {name: line, end: LF}\n"
MESSAGES = "messages: [{name: told, fields: [{name: v, type: number}]}, {name: ask, from: gateway}]\n"
ANSWER = "answer: [{listen: {on: [{message: told}]}}]\n"
READ = "read: [{send: ask, receive: told}]\n"


@pytest.mark.parametrize(
    ("dialogues", "answers", "asks"),
    [("", False, False), (ANSWER, True, False), (READ, False, True), (ANSWER + READ, True, True)],
)
def test_codec_answers_and_asks_as_the_profile_does_and_always_listens(
    dialogues: str, answers: bool, asks: bool
) -> None:
    codec: Codec = codec_of(HEAD + MESSAGES + dialogues)
    assert (isinstance(codec, Answers), isinstance(codec, Asks)) == (answers, asks)
    assert isinstance(codec, Interprets)
    assert (codec.name, codec.version) == ("test", "1.3")


def test_only_its_own_messages_can_be_encoded() -> None:
    codec = codec_of(HEAD + MESSAGES)
    with pytest.raises(CodecError, match="is no message of test"):
        codec.encode("told")


def test_frames_of_either_side_are_dissected() -> None:
    codec = codec_of(HEAD + MESSAGES)
    assert [field.name for field in codec.dissect_as(Frame("line", b"12\n"), Side.METER)] == ["v", "end"]
    assert [field.name for field in codec.dissect_as(Frame("line", b"\n"), Side.GATEWAY)] == ["end"]


def test_archives_that_an_order_may_name_are_those_of_the_read_dialogue() -> None:
    asked = "read: [{send: ask, receive: told, want: archive}]\n"  # an archive, but which one it does not say
    for codec, names in (
        (codec_of(HEAD + MESSAGES + READ), ()),
        (load_codecs().get("reference-push"), ("interval",)),
        (codec_of(HEAD + MESSAGES + asked), None),
    ):
        assert isinstance(codec, NamesArchives)
        assert codec.archives(KnownMeter("1")) == names
