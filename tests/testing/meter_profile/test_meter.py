"""Simulated meters that speak profiles: what they push, repeat, drop, and answer."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gateway_server.codec.codec import Frame
from gateway_server.codec.declaration import read_declaration
from gateway_server.codec.meter_profile.codec import ProfileCodec, make_codec
from gateway_server.codec.meter_profile.messages import Said
from gateway_server.codec.meter_profile.parse import parse_profile
from gateway_server.codec.registry import bundled_plugins
from gateway_server.errors import OperatorError
from gateway_server.model import NOWHERE
from gateway_server.testing.lis200.delivery import Reply
from gateway_server.testing.meter_profile.meter import MOST_REPEATS, ROWS_AT_ONCE, ProfileMeter

NOW = datetime(2024, 4, 3, 12, 5)
PROFILES = Path(__file__).resolve().parents[2] / "plugins/profiles"
SERIAL = "20000001"
CURSOR = """
reads: meter_profile
source: invented for this test
framing: {name: line, end: LF, characters: text}
messages:
  - {name: more_please, from: gateway, fields: [{name: verb, type: text, is: MORE}, {name: place, type: number}]}
  - name: page
    fields:
      - {name: verb, type: text, is: PAGE}
      - {name: following, type: number, digits: 4}
      - {name: rest, type: text, size: 1, words: {Y: more, N: none}}
      - {name: count, type: number, digits: 2}
      - group: rows
        count: count
        fields: [{name: moment, type: time, text: YYMMDDhh}, {name: volume, type: number, digits: 8}]
    rows: {each: rows, archive: daily, at: moment, values: [{value: volume, quantity: base_volume_total}]}
read:
  - archive: daily
    by: cursor
    send: more_please
    with: {place: begin}
    receive: page
    next: following
    done: size(rows) < 4
"""


def codec_of(path: Path) -> ProfileCodec:
    return make_codec(parse_profile(read_declaration(path)))


def reference(**options: Any) -> tuple[ProfileMeter, ProfileCodec]:
    codec = codec_of(bundled_plugins() / "reference-push.yaml")
    return ProfileMeter(codec.profile, SERIAL, 7, NOW, **{"days": 1, **options}), codec


def said(codec: ProfileCodec, replies: list[Reply]) -> list[Said]:
    """What a gateway understands."""
    framer = codec.framer()
    framer.feed(b"".join(reply.data for reply in replies))
    frames: list[Frame] = list(iter(framer.next_frame, None))
    return [codec.machine.compiled.read(frame) for frame in frames]


def names(codec: ProfileCodec, replies: list[Reply]) -> list[str]:
    return [one.name for one in said(codec, replies)]


def ask(codec: ProfileCodec, name: str, **values: object) -> bytes:
    return codec.machine.compiled.encode(name, dict(values))


# pushing


def test_meter_says_who_it_is_and_its_oldest_rows_and_waits() -> None:
    meter, codec = reference()
    hello, hourly = said(codec, meter.connected())
    assert hello.values["serial"] == SERIAL
    assert [row["number"] for row in hourly.values["hours"]] == list(range(1, ROWS_AT_ONCE + 1))
    assert hourly.values["hours"][0]["time"] == datetime(2024, 4, 2, 12)
    assert meter.acknowledged == set()


def test_rows_are_dropped_when_they_are_acknowledged_and_the_next_come() -> None:
    meter, codec = reference()
    meter.connected()
    (following,) = said(codec, meter.received(ask(codec, "received", number=4)))
    assert following.values["hours"][0]["number"] == 5
    assert meter.acknowledged == {("interval", number) for number in (1, 2, 3, 4)}


def test_acknowledgement_of_other_rows_or_damaged_is_none() -> None:
    meter, codec = reference()
    meter.connected()
    right = ask(codec, "received", number=4)
    assert meter.received(ask(codec, "received", number=3)) == []
    assert meter.received(right[:-1] + bytes([right[-1] ^ 1])) == []
    assert meter.acknowledged == set()
    replies = [reply for at in range(len(right)) for reply in meter.received(right[at : at + 1])]
    assert names(codec, replies) == ["hourly"]


def test_unacknowledged_rows_are_said_again_and_at_last_the_meter_hangs_up() -> None:
    meter, _ = reference()
    first = meter.connected()[-1]
    for _ in range(MOST_REPEATS):
        assert meter.overdue() == [first]
    assert meter.overdue() == [Reply(0.0, b"", hang_up=True)]


def test_next_call_begins_with_what_the_last_one_left_unacknowledged() -> None:
    meter, codec = reference()
    meter.connected()
    meter.received(ask(codec, "received", number=4))
    meter.hung_up()
    hello, hourly = said(codec, meter.connected())
    assert hello.name == "hello"
    assert [row["number"] for row in hourly.values["hours"]] == [5, 6, 7, 8]


def test_meter_has_signed_off_when_nothing_is_left_and_tells_the_next_hour_when_it_comes() -> None:
    meter, codec = reference()
    replies = meter.connected()
    while (last := said(codec, replies)[-1]).name in ("hourly", "happened"):
        assert meter.sign_offs == 0
        replies = meter.received(ask(codec, "received", number=last.values["number"]))
    assert last.name == "beat"
    assert meter.sign_offs > 0
    assert len(meter.acknowledged) == 25 + 5
    meter.tick(datetime(2024, 4, 3, 13, 0, 1))
    (hourly,) = said(codec, meter.overdue())
    assert [row["number"] for row in hourly.values["hours"]] == [26]


def test_meter_that_waits_for_a_welcome_says_nothing_more_before_it() -> None:
    codec = codec_of(PROFILES / "teltonika8.yaml")
    meter = ProfileMeter(codec.profile, "356307042441013", 1, NOW, days=1)
    assert [reply.data for reply in meter.connected()] == [bytes.fromhex("000F") + b"356307042441013"]
    (records,) = said(codec, meter.received(b"\x01"))
    assert records.values["count"] == ROWS_AT_ONCE
    assert names(codec, meter.received(bytes.fromhex("00000004"))) == ["records"]


# being asked


def test_meter_answers_who_it_is_and_its_live_values() -> None:
    meter, codec = reference()
    (hello,) = said(codec, meter.received(ask(codec, "ask_identity")))
    assert hello.values["serial"] == SERIAL
    (current,) = said(codec, meter.received(ask(codec, "ask_current")))
    assert current.values["clock"] == NOW


ADDRESSED = """
reads: meter_profile
source: invented for this test
framing:
  - {name: frame, start: STX, header: [{name: address, type: u8}, {name: kind, type: u8}, {name: size, type: u8}],
      length: {field: size}, check: sum8}
variables: {station: {from: address, start: 0}}
messages:
  - {name: who, from: gateway, when: {kind: 1}}
  - {name: me, when: {kind: 2}, fields: [{name: serial, type: text, size: 8}], identify: {serial: serial}}
  - {name: rows_please, from: gateway, when: {kind: 3}, fields: [{name: first, type: u16}, {name: count, type: u8}]}
  - name: rows
    when: {kind: 4}
    fields:
      - {name: count, type: u8}
      - {group: hours, count: count, fields: [{name: number, type: u16}, {name: volume, type: u32}]}
    rows: {each: hours, archive: interval, order_number: number,
      values: [{value: volume, quantity: base_volume_total}]}
read:
  - {send: who, with: {address: station}, receive: me}
  - {archive: interval, send: rows_please, with: {address: station, first: begin, count: 99}, receive: rows}
"""


def test_meter_answers_under_the_address_at_which_it_was_asked(tmp_path: Path) -> None:
    path = tmp_path / "addressed.yaml"
    path.write_text(ADDRESSED)
    codec = codec_of(path)
    meter = ProfileMeter(codec.profile, SERIAL, 7, NOW, days=1)
    (me,) = said(codec, meter.received(ask(codec, "who", address=5)))
    assert (me.name, me.values["address"], me.values["serial"]) == ("me", 5, SERIAL)
    (rows,) = said(codec, meter.received(ask(codec, "rows_please", address=5, first=3, count=99)))
    assert (rows.name, rows.values["address"]) == ("rows", 5)
    assert rows.values["count"] == len(rows.values["hours"]) == ROWS_AT_ONCE


def test_archive_is_told_block_by_block_from_the_row_that_was_asked_for_to_an_empty_end() -> None:
    meter, codec = reference()
    (block,) = said(codec, meter.received(ask(codec, "ask_hours", first=23, most=20)))
    assert [row["number"] for row in block.values["hours"]] == [23, 24, 25]
    (end,) = said(codec, meter.received(ask(codec, "ask_hours", first=26, most=20)))
    assert end.values["hours"] == []


def test_row_has_the_same_values_whether_it_is_pushed_or_asked_for() -> None:
    meter, codec = reference()
    pushed = said(codec, meter.connected())[1].values["hours"]
    (asked,) = said(codec, meter.received(ask(codec, "ask_hours", first=1, most=20)))
    wanted = ("number", "time", "base_volume", "pressure")
    assert [[row[name] for name in wanted] for row in pushed] == [
        [row[name] for name in wanted] for row in asked.values["hours"]
    ]


def test_archive_by_cursor_says_where_it_goes_on(tmp_path: Path) -> None:
    place = tmp_path / "pages.yaml"
    place.write_text(CURSOR)
    codec = codec_of(place)
    meter = ProfileMeter(codec.profile, SERIAL, 7, NOW, days=0)
    meter.tick(datetime(2024, 4, 3, 17, 5))
    (first,) = said(codec, meter.received(ask(codec, "more_please", place=0)))
    assert (first.values["count"], first.values["following"]) == (4, 4)
    (second,) = said(codec, meter.received(ask(codec, "more_please", place=4)))
    assert (second.values["count"], second.values["following"]) == (2, 6)


def test_request_of_another_meters_energy_is_answered_in_the_code_that_was_asked() -> None:
    codec = codec_of(PROFILES / "dlt645.yaml")
    meter = ProfileMeter(codec.profile, "161", 1, NOW)
    for code, name in ((0x00010000, "energy"), (0x02010100, "voltage")):
        (answer,) = said(codec, meter.received(ask(codec, "request", address=161, control=0x11, code=code)))
        assert answer.values["code"] == code
        assert answer.values["address"] == 161
        assert name in answer.values


def test_meter_that_is_called_waits_for_the_question() -> None:
    meter, codec = reference(pushes=False)
    assert meter.connected() == []
    assert meter.overdue() == []
    assert names(codec, meter.received(ask(codec, "ask_identity"))) == ["hello"]
    meter.hung_up()
    assert meter.sign_offs == 1


def test_clock_between_two_seconds_is_told_as_the_last_of_them() -> None:
    meter, codec = reference()
    meter.tick(datetime(2024, 4, 3, 12, 6, 7, 500_000))
    (current,) = said(codec, meter.received(ask(codec, "ask_current")))
    assert current.values["clock"] == datetime(2024, 4, 3, 12, 6, 7)


# what it holds


def test_what_it_holds_is_told_in_the_quantities_of_the_profile() -> None:
    meter, codec = reference()
    held: Any = meter.holds()
    (row,) = [one for one in held["archives"]["interval"] if one["order_number"] == 3]
    pushed = said(codec, meter.connected())[1].values["hours"][2]
    assert row["values"]["base_volume_total"] == format(pushed["base_volume"], "f")
    assert row["time"] == "2024-04-02 14:00:00"
    assert set(row["values"]) == {"base_volume_total", "actual_volume_total", "pressure", "temperature"}


def test_counters_rise_from_row_to_row() -> None:
    meter, _ = reference()
    held: Any = meter.holds()
    volumes = [float(row["values"]["base_volume_total"]) for row in held["archives"]["interval"]]
    assert volumes == sorted(volumes)
    assert len(set(volumes)) > 20


def test_another_seed_is_another_history_and_the_same_is_the_same() -> None:
    codec = codec_of(bundled_plugins() / "reference-push.yaml")
    one, same, other = (ProfileMeter(codec.profile, SERIAL, seed, NOW, days=1) for seed in (1, 1, 2))
    assert one.holds() == same.holds()
    assert one.holds() != other.holds()


@pytest.mark.parametrize("name", ["dlms_push", "iec101", "iec1107_readout", "nmea0183", "teltonika8"])
def test_documented_protocols_are_pushed_so_that_they_are_read(name: str) -> None:
    codec = codec_of(PROFILES / f"{name}.yaml")
    meter = ProfileMeter(codec.profile, "356307042441013", 1, NOW, days=1)
    replies = meter.connected()
    if name == "teltonika8":
        replies = meter.received(b"\x01")
    messages = said(codec, replies)
    assert messages
    found = codec.machine.meanings[messages[0].name].findings(messages[0].values, NOWHERE)
    assert found is not None
    assert found.rows


def test_profile_whose_messages_cannot_be_made_up_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "never.yaml"
    place.write_text(
        "reads: meter_profile\nframing: {name: line, end: LF}\nmessages:\n"
        "  - name: told\n    fields: [{name: kind, type: u8}, {name: volume, type: u32}]\n"
        "    rows: {archive: daily, order_number: kind, if: volume > 5 and volume < 5, "
        "values: [{value: volume, quantity: base_volume}]}\n"
    )
    profile = parse_profile(read_declaration(place))
    with pytest.raises(OperatorError, match="never cannot be simulated: the message told cannot be made up"):
        ProfileMeter(profile, SERIAL, 1, NOW)


def test_meter_whose_coded_frames_tell_their_size_is_understood(tmp_path: Path) -> None:
    place = tmp_path / "coded.yaml"
    place.write_text(
        "reads: meter_profile\nframing:\n  name: frame\n  start: 7E\n  coding: hdlc\n"
        "  header: [{name: size, type: u8}]\n  length: {field: size}\n  check: CRC-16/MODBUS\n"
        "messages:\n  - name: hour\n    fields: [{name: number, type: u16}, {name: v, type: u32}]\n"
        "    rows: {archive: interval, order_number: number, values: {value: v, quantity: base_volume}}\n"
        "  - {name: ok, from: gateway, fields: [{name: number, type: u16}]}\n"
        "answer: [{listen: {on: [{message: hour, reply: {send: ok, with: {number: number}}}]}}]\n"
    )
    codec = codec_of(place)
    meter = ProfileMeter(codec.profile, SERIAL, 0, datetime(2024, 4, 3, 12, 5), days=6)
    replies = meter.connected()
    for number in range(1, 130):  # 125 and 126 are sent escaped
        (hour,) = said(codec, replies)
        assert hour.values["number"] == number
        replies = meter.received(ask(codec, "ok", number=number))
