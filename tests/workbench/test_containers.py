"""Uploads in gzip and zip, and those that are made to harm."""

from __future__ import annotations

import gzip
import io
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.model import Span
from gateway_server.workbench.containers import ContainerError, ContainerLimits, kind_of, opened

ROWS = b"(18484)(640)(2014-05-02,10:00:00)(882066.6309)\r\n" * 24
TIGHT = ContainerLimits(size=1 << 20, ratio=20, free=1 << 12, files=5, depth=2)


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return held.getvalue()


def test_file_that_is_no_container_is_itself() -> None:
    assert [(one.name, one.data, one.within, one.span) for one in opened("a.txt", ROWS)] == [
        ("a.txt", ROWS, (), Span(0, len(ROWS)))
    ]


def test_gzip_gives_the_file_without_its_suffix() -> None:
    packed = gzip.compress(ROWS)
    (one,) = opened("/in/EK123.abl.gz", packed)
    assert (one.name, one.data, one.within) == ("/in/EK123.abl", ROWS, ("/in/EK123.abl.gz",))
    assert one.span == Span(0, len(packed))


def test_appended_gzip_members_are_one_file() -> None:
    (one,) = opened("day.gz", gzip.compress(ROWS[:100]) + gzip.compress(ROWS[100:]) + bytes(512))
    assert one.data == ROWS


def test_zip_gives_each_of_its_files_and_where_it_lies() -> None:
    packed = zipped({"one.txt": ROWS, "folder/": b"", "folder/two.txt": b"two"})
    one, two = opened("day.zip", packed)
    assert [(file.name, file.data) for file in (one, two)] == [("one.txt", ROWS), ("folder/two.txt", b"two")]
    assert one.within == two.within == ("day.zip",)
    assert packed[one.span.start : one.span.start + 2] == b"PK"
    assert one.span.end <= two.span.start < two.span.end <= len(packed)


def test_gzip_in_a_zip_is_opened_too() -> None:
    (one,) = opened("day.zip", zipped({"rows.gz": gzip.compress(ROWS)}))
    assert (one.name, one.data, one.within) == ("rows", ROWS, ("day.zip", "rows.gz"))


def test_empty_zip_and_empty_file_hold_what_they_hold() -> None:
    assert opened("none.zip", zipped({})) == []
    assert [one.data for one in opened("none.txt", b"")] == [b""]


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped({"bomb": data})], ids=["gzip", "zip"])
def test_bomb_is_refused_before_it_is_unpacked(pack) -> None:  # type: ignore[no-untyped-def]  # one of two packers
    with pytest.raises(ContainerError, match="exhaust"):
        opened("bomb", pack(bytes(10_000_000)), TIGHT)


def test_zip_that_lies_about_its_sizes_is_refused() -> None:
    packed = bytearray(zipped({"small": bytes(10_000_000)}))
    directory = packed.rindex(b"PK\x01\x02")
    packed[directory + 24 : directory + 28] = (10).to_bytes(4, "little")
    with pytest.raises(ContainerError):
        opened("liar.zip", bytes(packed), TIGHT)


def test_many_small_bombs_count_together() -> None:
    with pytest.raises(ContainerError, match="exhaust"):
        opened("bombs.zip", zipped({f"{number}": bytes(300_000) for number in range(5)}), TIGHT)


def test_too_many_files_and_too_deep_nests_are_refused() -> None:
    with pytest.raises(ContainerError, match="more than 5"):
        opened("many.zip", zipped({f"{number}": b"x" for number in range(6)}), TIGHT)
    nest = ROWS
    for _ in range(3):
        nest = gzip.compress(nest)
    with pytest.raises(ContainerError, match="deep"):
        opened("nest.gz", nest, TIGHT)


def test_file_that_is_too_large_is_not_read() -> None:
    with pytest.raises(ContainerError, match="more than"):
        opened("large.txt", bytes(TIGHT.size + 1), TIGHT)


def test_encrypted_zip_says_so() -> None:
    packed = bytearray(zipped({"secret": b"x"}))
    packed[packed.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ContainerError, match="encrypted"):
        opened("locked.zip", bytes(packed))


@pytest.mark.parametrize("cut", [4, 20, -20, -1])
def test_container_that_was_cut_off_is_refused_as_a_whole(cut: int) -> None:
    for packed in (gzip.compress(ROWS), zipped({"rows": ROWS})):
        with pytest.raises(ContainerError):
            opened("cut", packed[:cut])


@given(st.sampled_from([gzip.compress(ROWS), zipped({"rows": ROWS, "more": b"x"})]), st.integers(3, 400), st.binary())
def test_damaged_containers_raise_nothing_else(packed: bytes, at: int, damage: bytes) -> None:
    data = packed[:at] + damage + packed[at + len(damage) :]
    with suppress(ContainerError):
        assert sum(len(one.data) for one in opened("damaged", data, TIGHT)) <= TIGHT.size


@given(st.binary(max_size=200))
def test_whatever_is_no_container_comes_as_it_is(data: bytes) -> None:
    if not kind_of(data):
        assert [one.data for one in opened("any", data)] == [data]
