"""What may stand in the meter register."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway_server.cli.register import changed, check_meter, read_access_code
from gateway_server.codec.registry import load_codecs
from gateway_server.errors import OperatorError
from gateway_server.store.records import MeterRecord

METER = MeterRecord("41203377", "Boiler house 4", "lis200", routes=("tcp:10.8.0.17:4001", "caller:356938035643809"))
CODECS = load_codecs()


def test_sound_meter_is_taken() -> None:
    assert check_meter(METER, CODECS) is METER


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (replace(METER, serial=""), "serial number"),
        (replace(METER, serial="41 20"), "serial number"),
        (replace(METER, routes=("tcp:nowhere",)), "tcp:"),
        (replace(METER, time_zone="Moscow"), "Europe/Moscow"),
        (replace(METER, time_zone="../etc/passwd"), "Europe/Moscow"),
        (replace(METER, gas_day_start="25:00"), "10:00"),
        (replace(METER, codec="gas"), "lis200"),
        (replace(METER, address="1!"), "bus address"),
        (replace(METER, name="a\x1b[31mred"), "control character"),
        (replace(METER, name="two\nlines"), "control character"),
        (replace(METER, name="Ж" * 201), "at most 200"),
        (replace(METER, serial="4120\x07"), "control character"),
        (replace(METER, routes=("caller:a\x00b",)), "control character"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_is_allowed(wrong: MeterRecord, said: str) -> None:
    with pytest.raises(OperatorError, match=said):
        check_meter(wrong, CODECS)


def test_login_that_many_meters_share_is_nobodys_own() -> None:
    meter = replace(METER, routes=("ftp:bpek",))
    assert check_meter(meter, CODECS, {"b4"}) is meter
    with pytest.raises(OperatorError, match="bpek is an account that meters share"):
        check_meter(meter, CODECS, {"bpek"})


def test_password_file_in_another_encoding_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes("пароль".encode("cp1251"))
    path.chmod(0o600)
    with pytest.raises(OperatorError, match="is no UTF-8 text: save it as UTF-8"):
        read_access_code(path)


def test_what_was_not_said_stays_and_routes_come_behind() -> None:
    meter = changed(METER, name="Bakery", address="7", routes=("caller:356938035643809", "serial:/dev/ttyACM0"))
    assert meter.name == "Bakery"
    assert (meter.codec, meter.address) == ("lis200", "7")
    assert meter.routes == ("tcp:10.8.0.17:4001", "caller:356938035643809", "serial:/dev/ttyACM0")


def secret(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "code"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_access_code_is_the_files_one_line(tmp_path: Path) -> None:
    assert read_access_code(secret(tmp_path, "00000000\n")) == "00000000"


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [("", 0o600, "empty"), (" \n", 0o600, "empty"), ("a\nb\n", 0o600, "several"), ("1234", 0o644, "chmod 600")],
)
def test_file_that_cannot_hold_an_access_code_says_why(tmp_path: Path, text: str, mode: int, said: str) -> None:
    with pytest.raises(OperatorError, match=said):
        read_access_code(secret(tmp_path, text, mode))


def test_missing_password_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="nowhere"):
        read_access_code(tmp_path / "nowhere")
