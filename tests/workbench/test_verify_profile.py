"""A profile against captures: what is told when it fits, and when it does not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.registry import load_codecs
from gateway_server.workbench.capture import Capture, read_capture
from gateway_server.workbench.readings import read_readings
from gateway_server.workbench.verify import Check
from gateway_server.workbench.verify_profile import check_sources, verify_capture
from tests.codec.meter_profile.profiles import codec_of

CAPTURES = Path(__file__).parent.parent / "captures/reference-push"


def reference() -> ProfileCodec:
    codec = load_codecs().get("reference-push")
    assert isinstance(codec, ProfileCodec)
    return codec


LINES = """
reads: meter_profile
framing: {name: line, end: LF, characters: text}
messages:
  - {name: told, fields: [{name: v, type: number, until: "';'"}, {name: serial, type: text}],
     identify: {serial: serial}, rows: {values: {value: v, quantity: pressure}}}
"""


def capture(*lines: str, zone: str = "UTC") -> Capture:
    return read_capture("\n".join(["# capture 1", "transport: tcp", f"zone: {zone}", "", *lines, ""]))


def missed(checks: Sequence[Check]) -> list[str]:
    return [check.name for check in checks if not check.ok]


def detail(checks: Sequence[Check], name: str) -> str:
    return next(check.detail for check in checks if check.name == name)


def test_true_profile_passes_every_check_of_its_captures() -> None:
    codec = reference()
    for path in sorted(CAPTURES.glob("*.capture")):
        expected = read_readings(path.with_suffix(".readings").read_text("utf-8"))
        checks = verify_capture(codec, read_capture(path.read_text("utf-8")), expected).checks
        assert missed(checks) == []
        assert detail(checks, "the meter's share") == "100.0 % of the bytes have a name"
    assert missed(list(check_sources(codec))) == []


def test_frames_that_are_no_message_noise_and_other_readings_are_told() -> None:
    codec = codec_of(LINES)
    heard = capture(
        "2026-08-22T07:00:00.000Z < 34 3B 41 0A 00 FF",
        "2026-08-22T07:00:01.000Z < 78 3B 41 0A",
    )
    checks = verify_capture(codec, heard, []).checks
    assert missed(checks) == ["the meter's messages", "readings"]
    assert detail(checks, "the meter's frames") == "2 frames, 2 bytes of noise"
    assert detail(checks, "the meter's messages") == "1 told; 1 not read: v: 'x' is no number"
    assert detail(checks, "readings").startswith("1 readings and events; unexpected: ")


def test_capture_without_any_frame_of_the_profile_fails() -> None:
    checks = verify_capture(codec_of(LINES), capture("2026-08-22T07:00:00.000Z < 00 FF 00")).checks
    assert missed(checks) == ["the meter's frames"]


def test_profile_without_sources_is_told_and_guesses_are_named() -> None:
    checks = list(check_sources(codec_of(LINES)))
    assert missed(checks) == []
    assert detail(checks, "no source").startswith("6 parts do not say where they come from: framing line, message told")
    guessed = list(check_sources(codec_of(LINES + "source: guess\n")))
    assert missed(guessed) == []
    assert detail(guessed, "guesses").startswith("6 parts are guesses: framing line")


def test_number_too_large_for_the_field_of_its_reply_is_told() -> None:
    codec = codec_of(
        """
        reads: meter_profile
        framing: {name: frame, start: AA, header: [{name: kind, type: u8}], size: 4}
        messages:
          - {name: hour, when: {kind: 1}, fields: [{name: number, type: u16}],
             rows: {order_number: number, values: {value: number, quantity: pressure}}}
          - {name: ok, from: gateway, when: {kind: 2},
             fields: [{name: number, type: u8}, {name: rest, type: u8, value: "0"}]}
        answer:
          - while: "1"
            do: [{listen: {on: [{message: hour, reply: {send: ok, with: {number: number}}}]}}]
        """
    )
    heard = capture("2026-08-22T07:00:00.000Z < AA 01 00 FF", "2026-08-22T07:00:01.000Z < AA 01 01 00")
    checks = verify_capture(codec, heard).checks
    assert missed(checks) == ["the meter's replies"]
    assert detail(checks, "the meter's replies") == (
        "1 could not be put together: ok cannot be sent to hour: number: 256 does not fit into 1 bytes"
    )


def test_why_bytes_that_begin_like_a_frame_are_noise_is_told() -> None:
    codec = codec_of(
        "reads: meter_profile\n"
        "framing: {name: packet, start: 68, header: [{name: again, type: u8, is: 0x68}], size: '4'}\n"
        "messages: [{name: told, fields: [{name: v, type: u16}]}]\n"
    )
    checks = verify_capture(codec, capture("2026-08-22T07:00:00.000Z < 68 68 00 01 68 69 00 01")).checks
    assert detail(checks, "the meter's frames") == "1 frames, 4 bytes of noise; no packet: again is 105, not 104"


KEPT = """
        reads: meter_profile
        framing: {name: frame, start: AA, header: [{name: kind, type: u8}], size: 4}
        messages:
          - {name: hello, when: {kind: 1}, fields: [{name: serial, type: text}], identify: {serial: serial}}
          - {name: hour, when: {kind: 2}, fields: [{name: volume, type: i16}],
             rows: {order_number: 'volume * 1', values: {value: volume, quantity: pressure}}}
"""


def test_rows_that_the_store_would_not_take_are_wrong() -> None:
    heard = capture("2026-08-22T07:00:00.000Z < AA 01 31 32", "2026-08-22T07:00:01.000Z < AA 02 FF FF")
    verified = verify_capture(codec_of(KEPT), heard)
    assert missed(verified.checks) == ["the meter's meaning"]
    assert detail(verified.checks, "the meter's meaning") == (
        "what 1 messages tell cannot be kept: hour: an order number below 0 is none a meter can mean"
    )
    assert verified.readings == ()
    assert detail(verified.checks, "readings") == "none: of what this capture holds nothing would be stored"


def test_what_was_read_is_there_to_look_at() -> None:
    heard = capture("2026-08-22T07:00:00.000Z < AA 01 31 32", "2026-08-22T07:00:01.000Z < AA 02 00 07")
    verified = verify_capture(codec_of(KEPT), heard)
    assert missed(verified.checks) == []
    assert [(one["meter"], one["value"], one["order_number"]) for one in verified.readings] == [("12", "7", 7)]


def test_nothing_is_praised_where_no_message_was_read() -> None:
    for line in ("00 FF 00", "78 3B 41 0A"):
        verified = verify_capture(codec_of(LINES), capture(f"2026-08-22T07:00:00.000Z < {line}"))
        praised = [check.name for check in verified.checks if check.ok and not check.remark]
        assert praised == (["the meter's frames"] if line.endswith("0A") else [])
        assert detail(verified.checks, "the meter's bytes") == "nothing to check: no message was read"
        assert detail(verified.checks, "the meter's share") == "nothing to check: no message was read"


# Both speak in frames whose check would tell the password.
SECRET = """
        reads: meter_profile
        framing: {name: frame, start: AA, header: [{name: size, type: u8}, {name: kind, type: u8}],
                  length: {field: size, uncounted: 3}, check: {rule: CRC-16/MODBUS, covers: start}}
        messages:
          - {name: hello, when: {kind: 1}, fields: [{name: serial, type: text}], identify: {serial: serial}}
          - {name: entry, when: {kind: 3}, fields: [{name: password, type: text, secret: yes}]}
          - {name: login, from: gateway, when: {kind: 2}, fields: [{name: key, type: text, size: 4}]}
        variables: {code: {from: access_code}}
        answer: [{listen: {on: [{message: hello, reply: {send: login, with: {key: code}}}, {message: entry}]}}]
"""


def test_masked_secret_is_no_damage_and_what_could_not_be_checked_is_told() -> None:
    codec = codec_of(SECRET)
    hello = codec.machine.compiled.encode("hello", {"serial": "12"}).hex(" ").upper()
    login = codec.machine.send("login", {"key": "0471"}, {}).shown
    assert login is not None
    assert login[-2:] == b"**"
    heard = capture(f"2026-08-22T07:00:00.000Z < {hello}", f"2026-08-22T07:00:00.100Z > {login.hex(' ')}")
    verified = verify_capture(codec, heard)
    assert missed(verified.checks) == []
    assert detail(verified.checks, "the gateway's messages") == (
        "none; 0 not read; 1 not checked: they hold a secret that is masked here"
    )
    assert detail(verified.checks, "replies") == "1 of 1 are those that the meter got"
    assert detail(verified.checks, "the meter's share") == "100.0 % of the bytes have a name"


def test_secret_of_the_meter_that_is_masked_leaves_the_replies_unchecked() -> None:
    codec = codec_of(SECRET)
    said = bytearray(codec.machine.compiled.encode("entry", {"password": "xyz"}))
    said[3:] = b"*" * len(said[3:])
    verified = verify_capture(codec, capture(f"2026-08-22T07:00:00.000Z < {said.hex(' ')}"))
    assert "replies" not in missed(verified.checks)
    assert detail(verified.checks, "replies") == "nothing to check: what the meter said is masked here"
    assert detail(verified.checks, "the meter's messages").startswith("none; 0 not read; 1 not checked")


def test_damaged_frame_that_holds_a_secret_is_still_damaged() -> None:
    codec = codec_of(SECRET)
    said = bytearray(codec.machine.compiled.encode("entry", {"password": "xyz"}))
    said[-1] ^= 1
    verified = verify_capture(codec, capture(f"2026-08-22T07:00:00.000Z < {said.hex(' ')}"))
    assert "the meter's messages" in missed(verified.checks)


def test_answer_that_only_the_question_tells_apart_is_read_by_it() -> None:
    codec = codec_of(
        """
        reads: meter_profile
        framing: {name: frame, start: AA, size: 3}
        messages:
          - {name: ask_one, from: gateway, fields: [{name: a, type: u16, is: 1}]}
          - {name: ask_two, from: gateway, fields: [{name: a, type: u16, is: 2}]}
          - {name: one, fields: [{name: v, type: u16}]}
          - {name: two, fields: [{name: w, type: u16}]}
        read: [{send: ask_one, receive: one}, {send: ask_two, receive: two}]
        """
    )
    lines = ["> AA 00 01", "< AA 12 34", "> AA 00 02", "< AA 12 35"]
    heard = capture(*(f"2026-08-22T07:00:0{number}.000Z {line}" for number, line in enumerate(lines)))
    checks = verify_capture(codec, heard).checks
    assert missed(checks) == []
    assert detail(checks, "the meter's messages") == "1 one, 1 two; 0 not read"
