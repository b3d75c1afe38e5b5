"""The trace that a reading leaves: every field with its path, its place and its bytes."""

from __future__ import annotations

from gateway_server.codec.meter_profile.parts import sequence
from gateway_server.codec.meter_profile.reading import SPAN, Trace
from tests.codec.meter_profile.profiles import with_fields


def test_trace_holds_every_field_with_its_path_and_its_bytes_without_a_mask() -> None:
    parts = (
        with_fields(
            """
        - {name: count, type: u8}
        - {group: row, count: count, fields: [{name: a, type: u8}]}
        - {group: masked, add: 51, fields: [{name: b, type: u8}]}
        """
        )
        .profile.message("message")
        .parts
    )
    trace, values = Trace(), dict[str, object]()
    data = bytes([2, 7, 8, 0x34])
    assert sequence(parts)(data, 0, len(data), values, trace) == len(data)
    assert [(one.path, one.start, one.end, one.value, one.raw) for one in trace.fields] == [
        (("count",), 0, 1, 2, b"\x02"),
        (("row", 0, "a"), 1, 2, 7, b"\x07"),
        (("row", 1, "a"), 2, 3, 8, b"\x08"),
        (("masked", "b"), 3, 4, 1, b"\x01"),
    ]
    assert values["row"] == [{"a": 7, SPAN: (1, 2)}, {"a": 8, SPAN: (2, 3)}]
