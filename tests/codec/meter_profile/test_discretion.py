"""Secrets of a profile: what is made of one is one, and nothing is told of it, not even in what is said of an error."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest

from gateway_server.cli.session import chunk_json
from gateway_server.cli.session_export import FORMATS, export_session
from gateway_server.codec.codec import Frame
from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.meter_profile.discretion import fields_in, has_secrets
from gateway_server.errors import CodecError, OperatorError
from gateway_server.model import Direction, Outcome
from gateway_server.store.records import LogEntry, SessionRecord
from gateway_server.workbench.view import view_session
from tests.codec.meter_profile.profiles import codec_of, profile_of, with_fields

LOCKED = """
reads: meter_profile
framing: {name: frame, start: STX, end: ETX, header: [{name: kind, type: u8}], check: sum8}
variables:
  key: {from: access_code}
  again: {start: ''}
messages:
  - {name: settings, when: {kind: 0x31}, fields: [{name: password, type: text, secret: yes}]}
  - {name: done, when: {kind: 0x33}}
  - {name: open, from: gateway, when: {kind: 0x41}, fields: [{name: code, type: text}]}
  - {name: close, from: gateway, when: {kind: 0x42}, fields: [{name: code, type: text, value: again}]}
  - {name: ask, from: gateway, when: {kind: 0x43}, fields: [{name: what, type: text, value: "'x'"}]}
read:
  - {send: open, with: {code: "'L' + key"}, receive: settings, set: {again: password}}
  - {send: ask, receive: done}
  - {send: close, receive: done}
"""


def secret_fields(codec: ProfileCodec) -> set[tuple[str, str]]:
    return {(one.name, field.name) for one in codec.profile.messages for field in fields_in(one.parts) if field.secret}


def test_field_that_gets_an_access_code_or_a_password_of_the_meters_is_secret() -> None:
    codec = codec_of(LOCKED)
    assert secret_fields(codec) == {("settings", "password"), ("open", "code"), ("close", "code")}
    assert [one.name for one in codec.profile.variables if one.secret] == ["key", "again"]
    assert {one.name for one in codec.profile.messages if has_secrets(one, codec.profile.framing("frame"))} == {
        "settings",
        "open",
        "close",
    }


def test_access_code_is_hidden_in_the_log_although_the_profile_marks_no_field() -> None:
    send = codec_of(LOCKED).machine.send("open", {"code": "L1234"}, {})
    assert send.data.startswith(b"\x02AL1234")
    assert send.shown == b"\x02A******\x03"


def test_question_in_which_the_log_hides_a_secret_still_says_what_is_awaited() -> None:
    codec = codec_of(LOCKED)
    shown = codec.machine.send("open", {"code": "L1234"}, {}).shown
    assert shown is not None
    listener = codec.interpreter()
    listener.sent(shown)
    assert listener._awaited == frozenset({"settings"})


@pytest.mark.parametrize("form", [*FORMATS, "json", "text"])
def test_password_that_the_meter_tells_is_in_no_view_of_its_session(form: str) -> None:
    codec = codec_of(LOCKED)
    compiled = codec.machine.compiled
    told = compiled.encode("settings", {"password": "PASSW0RD"})
    damaged = told[:-2] + bytes([told[-2] ^ 1]) + told[-1:]
    entries = [
        LogEntry(1000, Direction.TO_METER, codec.machine.send("open", {"code": "LPASSW0RD"}, {}).shown or b""),
        LogEntry(1100, Direction.FROM_METER, told[:5]),
        LogEntry(1200, Direction.FROM_METER, told[5:]),
        LogEntry(1300, Direction.FROM_METER, damaged),
        LogEntry(1400, Direction.FROM_METER, told[:8]),  # the line is lost
    ]
    chunks = list(view_session(entries, codec))
    record = SessionRecord(7, "1", "tcp", "192.0.2.7:1", 1000, 1400, Outcome.READ, "", 3, 5, 0, "test", "1")
    if form == "json":
        document = json.dumps([chunk_json(chunk) for chunk in chunks]).encode()
    elif form == "text":
        document = "\n".join(line for chunk in chunks for line in chunk.hex_lines()).encode()
    else:
        document = b"".join(export_session(form, record, chunks, ZoneInfo("UTC")))
    assert b"settings" in document or form not in ("json", "html")
    for part in (b"PASS", b"SW0", b"0RD"):
        for shown in (part, part.hex().encode(), part.hex(" ").upper().encode()):
            assert shown not in document


def test_error_says_nothing_of_a_secret() -> None:
    codec = with_fields("{name: pin, type: number, size: 4, secret: yes}")
    with pytest.raises(CodecError, match="pin: it cannot be read, and is secret"):
        codec.decode(Frame("frame", b"\x0412x4"))
    for wanted in ("is: 1234", "equals: length * 300"):
        codec = with_fields(f"{{name: pin, type: number, size: 4, secret: yes, {wanted}}}")
        with pytest.raises(CodecError) as told:
            codec.decode(Frame("frame", b"\x049876"))
        assert str(told.value).endswith("pin is not what it has to be, and is secret")


def test_fault_of_a_frame_with_a_secret_does_not_say_what_its_check_should_be() -> None:
    framer = codec_of(LOCKED).framer()
    framer.feed(b"\x021PASSW0RD?\x03")
    frame = framer.next_frame()
    assert frame is not None
    assert frame.fault == "the check sum8 does not match"


@pytest.mark.parametrize(
    "told",
    [
        "rows: {values: {value: password, quantity: status}}",
        "rows: {status: text(password), values: {value: kind, quantity: status}}",
        "events: {code: password}",
        "identify: {serial: password}",
        "refuses: {code: kind, meaning: password}",
    ],
)
def test_profile_that_tells_a_secret_is_refused(told: str) -> None:
    text = LOCKED.replace("secret: yes}]}", f"secret: yes}}], {told}}}")
    with pytest.raises(OperatorError, match="makes something of password, which is secret"):
        profile_of(text)


def test_profile_that_remembers_a_secret_is_refused() -> None:
    with pytest.raises(OperatorError, match="variables keeps 'again' from session to session"):
        profile_of(LOCKED.replace("again: {start: ''}", "again: {from: memory}"))
