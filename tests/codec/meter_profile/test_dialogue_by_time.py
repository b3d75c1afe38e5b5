"""Archives that a profile asks for from one time to another, in the meter's time and in UTC."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from gateway_server.model import KnownMeter, LastRow, Outcome, ReadOrder
from gateway_server.testing.play import play
from tests.codec.meter_profile.profiles import codec_of

TIMED = """
reads: meter_profile
framing: {name: line, end: LF, characters: text}
messages:
  - name: ask
    from: gateway
    fields: [{name: from_time, type: time, text: YYMMDDhh, value: begin_at}, {name: sp, type: text, is: " "},
      {name: to_time, type: time, text: YYMMDDhh}]
  - name: rows
    fields:
      - {name: count, type: number, until: SP}
      - {group: hour, count: count, fields: [{name: time, type: time, text: YYMMDDhh}, {name: sp, type: text, is: "="},
          {name: value, type: number, until: SP}]}
    rows: {each: hour, archive: interval, at: time, utc: UTC, values: {value: value, quantity: pressure}}
variables: {begin_at: {start: 0}}
read:
  - {archive: interval, by: time, step: 3600, send: ask, with: {from_time: begin, to_time: end}, receive: rows}
"""


def test_archive_is_read_by_time_until_the_end_of_the_order() -> None:
    order = ReadOrder(frozenset({"archive"}), since=datetime(2026, 8, 22, 7), until=datetime(2026, 8, 22, 9))
    talk = play(codec_of(TIMED.replace("UTC", "no")), expected=KnownMeter("7", order)).sends(b"26082207 26082209\n")
    talk.receives(b"2 26082207=1 26082208=2 \n").saves_rows(2).sends(b"26082209 26082209\n")
    talk.receives(b"1 26082209=3 \n").saves_rows(1).ends(Outcome.READ)
    assert [one.measured_at for one in talk.rows] == [datetime(2026, 8, 22, hour) for hour in (7, 8, 9)]


def test_archive_in_utc_is_asked_for_by_so_much_more_as_a_zone_can_be_away() -> None:
    last = {"interval": LastRow(None, datetime(2026, 8, 22, 7))}
    meter = KnownMeter("7", ReadOrder(frozenset({"archive"})), last=last)
    talk = play(codec_of(TIMED.replace("UTC", "yes")), expected=meter).sends(b"26082118 99123123\n")
    talk.receives(b"1 26082208=1 \n").saves_rows(1).sends(b"26082209 99123123\n").receives(b"0 \n")
    talk.ends(Outcome.READ)


def test_archive_in_utc_of_a_meter_whose_zone_is_known_is_asked_for_from_the_first_missing_row_on() -> None:
    order = ReadOrder(frozenset({"archive"}), until=datetime(2026, 8, 22, 12))
    last = {"interval": LastRow(None, datetime(2026, 8, 22, 7))}
    meter = KnownMeter("7", order, last=last, zone=ZoneInfo("Europe/Moscow"))
    talk = play(codec_of(TIMED.replace("UTC", "yes")), expected=meter).sends(b"26082205 26082209\n")
    talk.receives(b"5 26082205=1 26082206=2 26082207=3 26082208=4 26082209=5 \n").saves_rows(5)
    talk.ends(Outcome.READ)


def test_row_of_the_second_of_two_equal_hours_is_asked_for_behind_the_first() -> None:
    last = {"interval": LastRow(None, datetime(2026, 10, 25, 2))}  # 00:00 UTC, the next is again 2 o'clock
    meter = KnownMeter("7", ReadOrder(frozenset({"archive"})), last=last, zone=ZoneInfo("Europe/Berlin"))
    talk = play(codec_of(TIMED.replace("UTC", "yes")), expected=meter).sends(b"26102501 99123123\n")
    talk.receives(b"0 \n").ends(Outcome.READ)
