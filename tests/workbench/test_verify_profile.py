"""A profile against captures: what is told when it fits, and when it does not."""

from __future__ import annotations

from pathlib import Path

from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.registry import load_codecs
from gateway_server.workbench.capture import Capture, read_capture
from gateway_server.workbench.readings import read_readings
from gateway_server.workbench.verify import Check
from gateway_server.workbench.verify_profile import check_capture, check_sources
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


def missed(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if not check.ok]


def detail(checks: list[Check], name: str) -> str:
    return next(check.detail for check in checks if check.name == name)


def test_true_profile_passes_every_check_of_its_captures() -> None:
    codec = reference()
    for path in sorted(CAPTURES.glob("*.capture")):
        expected = read_readings(path.with_suffix(".readings").read_text("utf-8"))
        checks = list(check_capture(codec, read_capture(path.read_text("utf-8")), expected))
        assert missed(checks) == []
        assert detail(checks, "the meter's share") == "100.0 % of the bytes have a name"
    assert missed(list(check_sources(codec))) == []


def test_frames_that_are_no_message_noise_and_other_readings_are_told() -> None:
    codec = codec_of(LINES)
    heard = capture(
        "2026-08-22T07:00:00.000Z < 34 3B 41 0A 00 FF",
        "2026-08-22T07:00:01.000Z < 78 3B 41 0A",
    )
    checks = list(check_capture(codec, heard, []))
    assert missed(checks) == ["the meter's messages", "readings"]
    assert detail(checks, "the meter's frames") == "2 frames, 2 bytes of noise"
    assert detail(checks, "the meter's messages") == "1 told; 1 not read: v: 'x' is no number"
    assert detail(checks, "readings").startswith("1 readings and events; unexpected: ")


def test_capture_without_any_frame_of_the_profile_fails() -> None:
    checks = list(check_capture(codec_of(LINES), capture("2026-08-22T07:00:00.000Z < 00 FF 00")))
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
    checks = list(check_capture(codec, heard))
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
    checks = list(check_capture(codec, capture("2026-08-22T07:00:00.000Z < 68 68 00 01 68 69 00 01")))
    assert detail(checks, "the meter's frames") == "1 frames, 4 bytes of noise; no packet: again is 105, not 104"
