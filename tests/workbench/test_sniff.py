"""Which codec gets a file."""

from __future__ import annotations

import gzip

from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.buffer import LineFramer
from gateway_server.codec.codec import Field, Frame
from gateway_server.codec.files import FileReading, OtherKind, UploadedFile
from gateway_server.codec.registry import load_codecs
from gateway_server.errors import CodecError
from gateway_server.model import KnownMeter
from gateway_server.workbench.sniff import read_with, sniff
from tests.workbench.uploads import registry_of

EVERY = load_codecs()


class Words:
    """Reads files that begin with its word."""

    version = "1"
    framer = LineFramer

    def __init__(self, name: str, word: bytes) -> None:
        self.name = name
        self._word = word
        self.seen: list[UploadedFile] = []

    def dissect(self, frame: Frame) -> list[Field]:
        return [Field("line", 0, len(frame.data))]

    def read_file(self, file: UploadedFile) -> FileReading | None:
        self.seen.append(file)
        if file.data == b"torn":
            raise CodecError("it is torn")
        if file.data == b"named":
            raise OtherKind("its name is another")
        return FileReading(notes=(f"{self.name} was here",)) if file.data.startswith(self._word) else None


class Talker:
    """A codec that reads no files."""

    name = "talker"
    version = "1"
    framer = LineFramer

    def dissect(self, frame: Frame) -> list[Field]:
        return [Field("line", 0, len(frame.data))]

    def answer(self) -> None: ...


def upload(data: bytes, name: str = "a.txt") -> UploadedFile:
    return UploadedFile(name, data, 0)


def test_the_only_codec_that_reads_a_file_gets_it_and_all_are_told() -> None:
    found = sniff(registry_of([Words("a", b"A"), Words("b", b"B"), Talker()]), upload(b"B1"))
    assert found.codec is not None
    assert (found.codec.name, found.notes, found.trouble) == ("b", ("b was here",), "")
    assert [(one.codec, one.said, one.reads) for one in found.tried] == [
        ("a", "not of its kind", False),
        ("b", "nothing", True),
    ]


def test_preferred_codec_is_asked_first_and_the_others_not_at_all() -> None:
    first, other = Words("first", b"A"), Words("other", b"A")
    found = sniff(registry_of([first, other]), upload(b"A"), ["gone", "talker", "first"])
    assert found.codec is first
    assert other.seen == []


def test_codec_that_was_named_is_the_only_one_asked() -> None:
    registry = registry_of([Words("a", b"A"), Words("b", b"B"), Talker()])
    assert sniff(registry, upload(b"A"), only="b").codec is None
    told = sniff(registry, upload(b"A"), only="talker")
    assert [one.said for one in told.tried] == ["it reads no files"]


def test_reasons_of_those_that_refuse_stand_in_the_trouble() -> None:
    registry = registry_of([Words("a", b"A")])
    assert sniff(registry, upload(b"named")).trouble == (
        "no codec reads it; it looks like text of 1 lines (a: its name is another)"
    )
    torn = sniff(registry, upload(b"torn"))
    assert (torn.broken, "a: it is torn" in torn.trouble) == (True, True)


def test_packed_file_is_offered_unpacked_with_the_names_around_it() -> None:
    codec = Words("a", b"A")
    found = sniff(registry_of([codec]), upload(gzip.compress(b"A1"), "/in/day.txt.gz"))
    assert [(one.name, one.data, one.within) for one in codec.seen] == [
        ("/in/day.txt", b"A1", ("/in/day.txt.gz",)),
    ]
    again = read_with(codec, upload(b""), found.parts, KnownMeter("41203377"))
    assert [part.reading.notes for part in again] == [("a was here",)]
    assert codec.seen[-1].meter == KnownMeter("41203377")


def test_broken_container_is_nobodys() -> None:
    found = sniff(registry_of([Words("a", b"A")]), upload(gzip.compress(b"A1")[:-3]))
    assert (found.codec, found.broken) == (None, True)
    assert "cut off" in found.trouble


@given(st.one_of(st.binary(max_size=400), st.text("()0123456789:;,.-CRCOkx \r\n<>/", max_size=400).map(str.encode)))
def test_whatever_is_uploaded_the_bundled_codecs_survive_it(data: bytes) -> None:
    found = sniff(EVERY, upload(data))
    assert not any("failed" in one.said for one in found.tried)
