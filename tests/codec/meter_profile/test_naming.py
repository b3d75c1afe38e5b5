"""Names that the parts of a message leave; more in test_parts."""

from __future__ import annotations

from gateway_server.codec.meter_profile.form import Field
from gateway_server.codec.meter_profile.naming import field_names, marks_of
from tests.codec.meter_profile.profiles import with_fields


def test_bits_and_words_have_names_of_their_own() -> None:
    (field,) = (
        with_fields("{name: m, type: bits, parts: [{name: x, bits: 0}, {name: y, bits: 1, words: {1: on}}]}")
        .profile.message("message")
        .parts
    )
    assert isinstance(field, Field)
    assert field_names(field) == ["m", "x", "y", "y.word"]


def test_fields_that_a_check_counts_from_are_marked_however_deep() -> None:
    parts = (
        with_fields(
            """
        - {name: a, type: u8}
        - {group: g, fields: [{name: b, type: u8}, {name: c, type: u8, check: sum8, covers: a}]}
        - {choose: a, cases: [{is: 1, fields: [{name: d, type: u8, check: sum8, covers: b}]}]}
        """
        )
        .profile.message("message")
        .parts
    )
    assert marks_of(parts) == {"a", "b"}
