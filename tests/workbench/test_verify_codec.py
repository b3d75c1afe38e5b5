"""A codec that is no meter profile against captures: what it sees and reads."""

from __future__ import annotations

from pathlib import Path

from gateway_server.codec.registry import load_codecs
from gateway_server.workbench.capture import read_capture
from gateway_server.workbench.readings import read_readings
from gateway_server.workbench.verify_codec import verify_codec
from tests.workbench.test_verify_profile import capture, detail, missed

CAPTURE = Path(__file__).parent.parent / "captures/modbus-example/pymodbus.capture"
MAP = load_codecs().get("modbus-example")


def test_map_of_registers_reads_what_its_capture_is_known_to_say() -> None:
    expected = read_readings(CAPTURE.with_suffix(".readings").read_text("utf-8"))
    verified = verify_codec(MAP, read_capture(CAPTURE.read_text("utf-8")), expected)
    assert missed(verified.checks) == []
    assert list(verified.readings) == expected
    assert detail(verified.checks, "the meter's frames") == "5 answer; 0 bytes of noise"


def test_other_readings_damage_and_no_frame_at_all_are_told() -> None:
    text = CAPTURE.read_text("utf-8")
    assert missed(verify_codec(MAP, read_capture(text), []).checks) == ["readings"]
    assert "the meter's frames" in missed(verify_codec(MAP, capture("2026-08-22T07:00:00.000Z < 00"), None).checks)
