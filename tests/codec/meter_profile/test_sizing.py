"""The size that a header tells, however it tells it; a header that tells none is an error."""

from __future__ import annotations

import pytest

from gateway_server.codec.meter_profile.layout import Layout
from gateway_server.codec.meter_profile.sizing import size_told_by
from gateway_server.errors import CodecError
from tests.codec.meter_profile.profiles import framed


def told(framing: str, header: bytes) -> int:
    size = size_told_by(Layout(framed(framing).profile.framing("frame")))
    assert size is not None
    return size(header)


def test_frame_that_its_end_tells_has_no_size_of_its_own() -> None:
    assert size_told_by(Layout(framed("end: LF").profile.framing("frame"))) is None


@pytest.mark.parametrize(
    ("length", "size"),
    [
        ("{field: size}", 0x0102 + 3),
        ("{field: size, uncounted: 0}", 0x0102),
        ("{field: size, uncounted: -2, unit: 4}", 4 * 0x0102 - 2),
    ],
)
def test_length_field_is_multiplied_and_what_it_does_not_count_added(length: str, size: int) -> None:
    header = "header: [{name: kind, type: u8}, {name: size, type: u16}]"
    assert told(f"{header}\nlength: {length}", b"\x07\x01\x02") == size


def test_length_of_any_type_and_beside_fields_that_must_be_something_is_told() -> None:
    header = "header: [{name: kind, type: u8, is: 7}, {name: size, type: bcd, size: 2}]"
    assert told(f"{header}\nlength: {{field: size, uncounted: 0}}", b"\x07\x01\x02") == 102
    with pytest.raises(CodecError, match="kind is 8, not 7"):
        told(f"{header}\nlength: {{field: size}}", b"\x08\x01\x02")


def test_expression_that_is_no_whole_number_tells_nothing() -> None:
    header = "header: [{name: size, type: u8, scale: 0.5}]"
    assert told("header: [{name: size, type: u8}]\nsize: size * 2", b"\x04") == 8
    with pytest.raises(CodecError, match="the size of the frame is no whole number"):
        told(f"{header}\nsize: size * 3", b"\x01")
