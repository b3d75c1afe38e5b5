"""What messages mean, as profiles write it; what comes of it is in test_meaning."""

from __future__ import annotations

import pytest

from gateway_server.errors import OperatorError
from gateway_server.model import Column
from tests.codec.meter_profile.profiles import with_fields

FIELDS = "{name: at, type: time, since: unix}\n{group: row, count: '2', fields: [{name: value, type: u16}]}"


def test_known_quantity_brings_its_unit_and_code_and_what_is_said_counts_more() -> None:
    codec = with_fields(
        FIELDS,
        """
        rows:
          each: row
          at: at
          values:
            - {value: value, quantity: base_volume_total}
            - {value: value * 2, quantity: my own, unit: l, obis: 7-0:1.2.3, name: V, address: "4:301", cumulative: yes}
        """,
    )
    (rows,) = codec.profile.message("message").rows
    assert [one.column for one in rows.values] == [
        Column("base_volume_total", "m3", "7-0:13.2.0", "value", cumulative=True),
        Column("my own", "l", "7-0:1.2.3", "V", "4:301", cumulative=True),
    ]


@pytest.mark.parametrize(
    ("meaning", "why"),
    [
        ("rows: {each: rows, values: {value: at, quantity: x}}", "each is 'rows', which is no repeated group"),
        (
            "rows: {values: {value: value, quantity: x}}",
            "value uses 'value', which every element of row has: say `each: row`",
        ),
        ("rows: {values: {value: price, quantity: x}}", "value uses 'price', which is not known here"),
        ("rows: {at: when, values: {value: length, quantity: x}}", "at names 'when', which is no field here"),
        ("rows: {at: [at, at, at], values: {value: length, quantity: x}}", "at names the field of a time, or those"),
        ("rows: {archive: daily}", "values is missing: what the row holds"),
        ("rows: {values: {value: length}}", "quantity is missing"),
        ("events: {text: length}", "code is missing"),
        ("identify: {number: length}", "serial is missing"),
        ("refuses: {code: length, why: length}", "why there is no such key"),
    ],
)
def test_wrong_meaning_is_told_with_what_is_allowed(meaning: str, why: str) -> None:
    with pytest.raises(OperatorError) as found:
        with_fields(FIELDS, meaning)
    assert why in str(found.value)
