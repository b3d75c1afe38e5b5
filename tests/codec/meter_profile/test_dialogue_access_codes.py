"""Access codes that a profile has the gateway send: as they were written, hidden in the log, no oftener than told."""

from __future__ import annotations

from datetime import datetime

import pytest

from gateway_server.model import KnownMeter, Outcome, ReadOrder
from gateway_server.testing.play import play
from tests.codec.meter_profile.profiles import codec_of

LOCKED = """
reads: meter_profile
framing: {name: line, end: LF, characters: text}
variables:
  code: {from: access_code, start: ""}
  address: {from: address, start: 1}
  turn: {from: memory, start: 0}
messages:
  - {name: open, from: gateway, fields: [{name: word, type: text, is: "P "},
      {name: where, type: number, digits: 3, value: address}, {name: password, type: text, value: code, secret: yes}]}
  - {name: opened, fields: [{name: answer, type: text, is: OK}]}
  - {name: closed, fields: [{name: answer, type: text, is: NO}], refuses: {code: answer}}
  - {name: next, from: gateway, fields: [{name: word, type: text, is: "N "}, {name: at, type: text, size: "1"}]}
  - {name: row, fields: [{name: key, type: text, is: "R "}, {name: value, type: number, until: SP},
      {name: time, type: time, text: "YYMMDDhh"}, {name: sp, type: text, is: " "}, {name: cursor, type: text}],
      rows: {archive: daily, at: time, values: {value: value, quantity: pressure}}}
  - {name: last, fields: [{name: key, type: text, is: "E"}]}
read:
  - {send: open, receive: opened, timeout: 5, retries: 0, set: {turn: turn + 1}}
  - {archive: daily, by: cursor, send: next, with: {at: begin}, first: "'A'", receive: [row, last], next: cursor}
"""


def test_password_is_sent_and_hidden_and_an_archive_is_read_by_cursor() -> None:
    meter = KnownMeter("7", ReadOrder(frozenset({"archive"})), access_code="4:1234", address="12")
    talk = (
        play(codec_of(LOCKED), expected=meter)
        .sends(b"P 0121234\n", shown=b"P 012****\n")
        .receives(b"OK\n")
        .sends(b"N A\n")
        .receives(b"R 4.25 26082207 B\n")
        .identifies("7")
        .saves_row({"pressure": "4.25"}, archive="daily")
        .sends(b"N B\n")
        .receives(b"E\n")
    )
    talk.ends(Outcome.READ)
    assert talk.rows[0].measured_at == datetime(2026, 8, 22, 7)
    refused = play(codec_of(LOCKED), expected=meter).sends(b"P 0121234\n", shown=b"P 012****\n")
    refused.receives(b"NO\n").ends(Outcome.REFUSED)


CODED = """
reads: meter_profile
framing: {name: line, end: LF}
variables: {key: {VARIABLE}}
messages:
  - {name: open, from: gateway, fields: [{name: word, type: text, is: "P"}, {name: code, FIELD}]}
  - {name: opened, fields: [{name: answer, type: text, is: OK}]}
read:
  - {send: open, with: {code: SAID}, receive: opened}
"""


@pytest.mark.parametrize(
    "variable", ["from: access_code", "from: access_code, start: 0", 'start: "0471"', "start: 0471"]
)
@pytest.mark.parametrize(
    ("field", "wire"),
    [
        ("type: text, size: 4", b"0471"),
        ("type: text", b"0471"),
        ("type: number", b"0471"),
        ("type: number, digits: 6", b"000471"),
        ("type: bytes", b"\x04\x71"),
        ("type: bcd, size: 2", b"\x04\x71"),
        ("type: u16", b"\x01\xd7"),
        ("type: number, base: 16, digits: 4", b"01D7"),
    ],
)
def test_access_code_is_sent_with_every_zero_it_was_written_with(variable: str, field: str, wire: bytes) -> None:
    codec = codec_of(CODED.replace("VARIABLE", variable).replace("FIELD", field).replace("SAID", "key"))
    meter = KnownMeter("7", ReadOrder(frozenset()), access_code="0471")
    play(codec, expected=meter).sends(b"P" + wire + b"\n").receives(b"OK\n").ends(Outcome.READ)


def test_access_code_that_stands_in_the_profile_itself_is_sent_as_it_stands() -> None:
    codec = codec_of(CODED.replace("VARIABLE", "").replace("FIELD", "type: text, size: 4").replace("SAID", "0471"))
    meter = KnownMeter("7", ReadOrder(frozenset()))
    play(codec, expected=meter).sends(b"P0471\n").receives(b"OK\n").ends(Outcome.READ)


def test_number_that_is_longer_than_its_place_is_not_cut() -> None:
    codec = codec_of(
        CODED.replace("VARIABLE", "from: access_code")
        .replace("FIELD", "type: number, digits: 3")
        .replace("SAID", "key")
    )
    meter = KnownMeter("7", ReadOrder(frozenset()), access_code="0471")
    play(codec, expected=meter).ends(Outcome.GARBLED, "0471 does not fit into 3 characters")


@pytest.mark.parametrize(("retries", "times"), [("", 1), ("retries: 1,", 2)])
def test_access_code_is_not_sent_again_after_a_garbled_answer_unless_the_profile_says_so(
    retries: str, times: int
) -> None:
    meter = KnownMeter("7", ReadOrder(frozenset()), access_code="1234")
    talk = play(codec_of(LOCKED.replace("retries: 0,", retries)), expected=meter)
    for _ in range(times):
        talk.sends(b"P 0011234\n").receives(b"O?\n")
    talk.ends(Outcome.GARBLED, "is no message that the profile knows")
