"""Rows out of groups within groups: what stands around an element counts for it, its neighbours do not."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from gateway_server.codec.codec import Frame
from gateway_server.codec.dialogue import Findings
from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.meter_profile.elements import elements_of, repeated
from gateway_server.errors import MeterRefused, OperatorError
from gateway_server.model import Identify, Row
from tests.codec.meter_profile.profiles import with_fields

CHANNELS = """
- {name: count, type: u8}
- group: channels
  count: count
  fields:
    - {name: channel, type: u8}
    - {name: exponent, type: u8}
    - {name: hours_here, type: u8}
    - group: hours
      count: hours_here
      fields:
        - {name: at, type: time, since: unix}
        - {name: volume, type: u16}
"""
MEANING = """
rows:
  - each: channels.hours
    archive: interval
    at: at
    if: channel == 1
    values: {value: volume * pow10(exponent), quantity: base_volume_total}
  - each: channels.hours
    archive: interval
    at: at
    if: channel == 2
    values: {value: volume * pow10(exponent), quantity: actual_volume_total}
"""
BODY = bytes.fromhex("02 01 01 02 65920080 0007 65920E90 0008 02 02 01 65920080 0009")


def rows(codec: ProfileCodec, body: bytes) -> tuple[Row, ...]:
    (found,) = codec.interpreter().received(Frame("frame", bytes([len(body)]) + body))
    assert isinstance(found, Findings)
    return found.rows


def test_every_hour_of_every_channel_is_a_row_with_the_exponent_of_its_channel() -> None:
    assert [
        (row.measured_at, row.columns[0].quantity, row.values) for row in rows(with_fields(CHANNELS, MEANING), BODY)
    ] == [
        (datetime(2024, 1, 1, 0), "base_volume_total", (Decimal(70),)),
        (datetime(2024, 1, 1, 1), "base_volume_total", (Decimal(80),)),
        (datetime(2024, 1, 1, 0), "actual_volume_total", (Decimal(900),)),
    ]


def test_channel_without_hours_makes_no_rows() -> None:
    assert len(rows(with_fields(CHANNELS, MEANING), bytes.fromhex("02 01 01 00 02 02 01 65920080 0009"))) == 1


def test_group_within_one_that_comes_once_and_within_a_choice_is_found() -> None:
    fields = """
- {name: kind, type: u8}
- choose: kind
  cases:
    - is: 1
      fields:
        - group: block
          fields:
            - {group: days, count: "2", fields: [{name: volume, type: u8}]}
"""
    codec = with_fields(fields, "rows: {each: days, values: {value: volume, quantity: pressure}}")
    assert [row.values for row in rows(codec, bytes.fromhex("01 05 06"))] == [(Decimal(5),), (Decimal(6),)]


def test_field_that_an_element_lacks_is_not_taken_from_the_last_one() -> None:
    fields = """
- group: rows
  repeat: to_end
  fields:
    - {name: kind, type: u8}
    - {name: extra, type: u8, if: kind == 2}
"""
    meaning = """
rows: {each: rows, values: [{value: kind, quantity: a}, {value: "default(extra, 99)", quantity: b}]}
"""
    assert [row.values for row in rows(with_fields(fields, meaning), bytes.fromhex("01 02 07"))] == [
        (Decimal(1), Decimal(99)),
        (Decimal(2), Decimal(7)),
    ]


def test_events_of_groups_within_groups_are_told_too() -> None:
    codec = with_fields(CHANNELS, "events: {each: channels.hours, code: channel, order_number: volume}")
    (found,) = codec.interpreter().received(Frame("frame", bytes([len(BODY)]) + BODY))
    assert isinstance(found, Findings)
    assert [(event.code, event.order_number) for event in found.events] == [("1", 7), ("1", 8), ("2", 9)]


def test_group_that_the_message_does_not_repeat_is_an_error_that_names_those_it_does() -> None:
    with pytest.raises(OperatorError, match=r"each is 'hours'.*there are: channels, channels\.hours"):
        with_fields(CHANNELS, "rows: {each: hours, values: {value: volume, quantity: pressure}}")
    with pytest.raises(OperatorError, match=r"uses 'volume', which every element of channels.hours has: say `each: ch"):
        with_fields(CHANNELS, "rows: {each: channels, values: {value: volume, quantity: pressure}}")


def test_way_to_a_group_leads_through_those_around_it() -> None:
    (message,) = with_fields(CHANNELS).profile.messages
    assert list(repeated(message.parts)) == [("channels",), ("channels", "hours")]
    values = {"a": 1, "channels": [{"b": 2, "hours": [{"volume": 3}, {"volume": 4}]}]}
    told = elements_of(message.parts, ("channels", "hours"))(values)
    assert [(one["a"], one["b"], one["volume"]) for one in told] == [(1, 2, 3), (1, 2, 4)]


TAGS = """
- group: tags
  repeat: to_end
  fields:
    - {name: tag, type: u8}
    - choose: tag
      cases:
        - {is: 1, fields: [{name: serial, type: text, size: 4}]}
        - {is: 2, fields: [{name: time, type: time, since: unix}]}
        - {is: 3, fields: [{name: volume, type: u16}]}
        - {is: 4, fields: [{name: number, type: u16}]}
"""
TOLD = """
identify: {serial: serial}
rows:
  archive: interval
  at: time
  order_number: number
  values:
    - {value: volume * 2, quantity: base_volume_total}
"""


def found_in(codec: ProfileCodec, body: str) -> list[object]:
    data = bytes.fromhex(body)
    return list(codec.interpreter().received(Frame("frame", bytes([len(data)]) + data)))


def test_row_and_identity_without_a_group_are_made_of_the_last_of_each_tag() -> None:
    # Bytes made up here: number 7, volume 7, time, serial 0471, volume 8.
    codec = with_fields(TAGS, TOLD)
    identity, findings = found_in(codec, "04 0007 03 0007 02 65920080 01 30343731 03 0008")
    assert isinstance(identity, Identify)
    assert identity.serial == "0471"
    assert isinstance(findings, Findings)
    (row,) = findings.rows
    assert (row.measured_at, row.order_number, row.values) == (datetime(2024, 1, 1), 7, (Decimal(16),))


def test_tag_that_is_not_there_is_no_value_and_no_identity() -> None:
    codec = with_fields(TAGS, TOLD)
    (findings,) = found_in(codec, "03 0008")
    assert isinstance(findings, Findings)
    (row,) = findings.rows
    assert (row.measured_at, row.order_number, row.values) == (None, None, (Decimal(16),))
    assert found_in(codec, "04 0007") == []


def test_event_and_refusal_are_made_of_tags_too() -> None:
    codec = with_fields(TAGS, "events: {code: number, at: time}")
    (findings,) = found_in(codec, "04 0007 02 65920080")
    assert isinstance(findings, Findings)
    assert [(event.code, event.measured_at) for event in findings.events] == [("7", datetime(2024, 1, 1))]
    with pytest.raises(MeterRefused, match="refuses: message 9"):
        found_in(with_fields(TAGS, "refuses: {code: number}"), "04 0009 02 65920080")


def test_record_of_tags_is_a_row_of_its_own() -> None:
    # Made up, as Galileosky does it: every record begins with tag 09, and lacks what did not change.
    fields = """
- group: records
  repeat: to_end
  fields:
    - {name: first, type: u8, is: 9}
    - group: tags
      until: "09"
      fields:
        - {name: tag, type: u8}
        - choose: tag
          cases:
            - {is: 2, fields: [{name: time, type: time, since: unix}]}
            - {is: 3, fields: [{name: volume, type: u16}]}
"""
    codec = with_fields(fields, "rows: {each: records, at: time, values: {value: volume, quantity: base_volume_total}}")
    (findings,) = found_in(codec, "09 02 65920080 03 0007 09 03 0008 09 02 65920E90")
    assert isinstance(findings, Findings)
    assert [(row.measured_at, row.values) for row in findings.rows] == [
        (datetime(2024, 1, 1), (Decimal(7),)),
        (None, (Decimal(8),)),
    ]


def test_name_that_means_two_things_is_refused_with_where_they_stand() -> None:
    fields = """
- {group: one, count: "1", fields: [{name: time, type: u8}]}
- {group: other, count: "1", fields: [{name: time, type: u8}]}
"""
    with pytest.raises(OperatorError, match="serial uses 'time', which stands in one and in other: give it another"):
        with_fields(fields, "identify: {serial: time}")
    with pytest.raises(OperatorError, match="at names 'tide', which is no field here; known are: length, "):
        with_fields(fields, "rows: {at: tide, values: {value: length, quantity: volume}}")
