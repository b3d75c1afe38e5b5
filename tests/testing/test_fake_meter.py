"""Conversations with a simulated meter, in the telegrams that real ones were seen to exchange."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_server.errors import OperatorError
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.frames import bcc, even_parity
from gateway_server.testing.lis200.layouts import MODELS
from gateway_server.testing.lis200.quirks import Quirks

SIGN_ON = b"/?!\r\n"
OPTION = b"\x06061\r\n"
ACK = b"\x06"
NAK = b"\x15"
BREAK = b"\x01B0\x03q"
NOW = datetime(2024, 4, 3, 12, 5)


def command(text: str) -> bytes:
    verb, _, operand = text.partition(" ")
    body = f"{verb}\x02{operand}\x03".encode("ascii")
    return b"\x01" + body + bytes((bcc(body),))


def meter(model: str = "ek270", quirks: Quirks | None = None, days: int = 3, **options: Any) -> FakeMeter:
    return FakeMeter(model, "41203377", 1, quirks, NOW, days=days, **options)


def said(fake: FakeMeter, data: bytes) -> bytes:
    return b"".join(reply.data for reply in fake.received(data))


def signed_on(fake: FakeMeter) -> FakeMeter:
    said(fake, SIGN_ON)
    assert said(fake, OPTION) == b"\x01P0\x02(1234567)\x03P"
    return fake


def asked(fake: FakeMeter, text: str) -> str:
    """The content of the answer to a command, its frame checked and taken off."""
    frame = said(fake, command(text))
    if len(frame) == 1:
        return {6: "ACK", 21: "NAK"}[frame[0]]
    assert frame[0] == 2
    assert frame[-2] in (3, 4)
    assert bcc(frame[1:-1]) == frame[-1]
    return frame[1:-2].decode("cp1251")


@pytest.mark.parametrize(
    ("model", "line"),
    [("ek270", b"/Els6EK270\r\n"), ("ek280", b"/Els6\\2EK280\r\n"), ("tc215", b"/Els6TC215\r\n")],
)
def test_meter_identifies_itself_when_asked(model: str, line: bytes) -> None:
    assert said(meter(model), SIGN_ON) == line
    assert said(meter(model), b"/?000000000000!\r\n") == line


def test_meter_says_nothing_before_a_sign_on() -> None:
    fake = meter()
    assert said(fake, bytes(53)) == b""
    assert said(fake, command("R1 1:180.0(1)")) == b""
    assert said(fake, OPTION) == b""
    assert said(fake, b"/?1!\r\n") == b"", "that is another device's address"


@pytest.mark.parametrize("option", [b"\x06051\r\n", b"\x06061\r\n"])
def test_both_option_selects_of_real_drivers_are_taken(option: bytes) -> None:
    fake = meter()
    said(fake, SIGN_ON)
    assert said(fake, option) == b"\x01P0\x02(1234567)\x03P"


def test_single_values_carry_address_and_unit() -> None:
    fake = signed_on(meter())
    assert asked(fake, "R1 1:180.0(1)") == "1:180.0(41203377)"
    assert asked(fake, "R1 1:181.0()") == "1:181.0(EK270)"
    assert asked(fake, "R1 1:0400.0(1)") == "1:0400.0(2024-04-03,12:05:00)"
    assert asked(fake, "R1 2:302.0(1)").endswith("*m3)")
    assert asked(fake, "R1 6:310_1.0(1)").endswith("*{C)")
    assert asked(fake, "R1 2:302.2(1)") == "2:302.2(VbT)"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("R1 nonsense(1)", 1),
        ("R1 1:999.0(1)", 2),
        ("R1 77:310.0(1)", 3),
        ("R1 2:302.Z(1)", 4),
        ("R1 2:302.8(1)", 5),
        ("R1 8:V.0(1)", 100),
        ("R3 3:V.0(44;1;2;10)", 101),
        ("R3 3:V.0(3;2030-01-01,00:00:00;;10)", 104),
        ("R3 3:V.0(3;;2001-01-01,00:00:00;10)", 105),
        ("R3 3:V.0(3;;;many)", 200),
        ("R4 3:V.0(1)", 200),
        ("W1 1:400.0(2024-03-01,12:00:00)", 19),
        ("W1 4:171.0(11111111)", 17),
    ],
)
def test_meter_refuses_with_the_devices_codes(text: str, code: int) -> None:
    assert asked(signed_on(meter()), text) == f"(#{code:04d})"


def test_empty_archive_says_so() -> None:
    assert asked(signed_on(meter(quirks=Quirks(empty_archive=7))), "R3 7:V.0(3;;;10)") == "(#0103)"


def test_echo_may_have_a_prefix_and_another_attribute() -> None:
    fake = signed_on(meter(quirks=Quirks(echo_prefix=True)))
    assert asked(fake, "R1 2:302.0(1)").startswith("7-2:302.2(")
    assert asked(fake, "R1 1:400.0(1)").startswith("1:400.2(")
    assert asked(fake, "R1 6:310_1.0(1)").startswith("7-6:310_1.1(")


def test_clock_answer_can_have_the_check_of_the_captured_one() -> None:
    fake = signed_on(meter(quirks=Quirks(bcc_is_etx=True)))
    assert said(fake, command("R1 1:400.0(1)"))[-2:] == b"\x03\x03"


def test_archive_comes_in_blocks_each_behind_an_acknowledgement() -> None:
    fake = signed_on(meter(days=1))
    rows: list[bytes] = []
    frame = said(fake, command("R3 3:V.0(3;;;10)"))
    while True:
        rows += frame[1:-2].split(b"\r\n")
        if frame[-2] == 3:
            break
        frame = said(fake, ACK)
    assert len(rows) == 24
    held = fake.holds()["archives"]["3"]["rows"]  # type: ignore[index]
    assert [row.decode()[1:-1].split(")(") for row in rows] == [row["cells"] for row in held]
    assert fake.acknowledged == {(3, row["order_number"]) for row in held[:20]}
    assert said(fake, ACK) == b"", "nothing follows the last block"


def test_block_is_repeated_after_a_nak() -> None:
    fake = signed_on(meter(quirks=Quirks(bad_bcc_every=2)))
    first = said(fake, command("R3 3:V.0(3;;;10)"))
    second = said(fake, ACK)
    repeated = said(fake, NAK)
    assert second != repeated
    assert bcc(repeated[1:-1]) == repeated[-1]
    assert said(fake, ACK)[1:5] != first[1:5]
    assert len(fake.acknowledged) == 20


def test_whole_archive_comes_in_one_frame_when_read_plainly() -> None:
    assert asked(signed_on(meter()), "R1 3:V.0(3;;;)").count("\r\n") == 71


def test_range_is_inclusive_and_counted_by_attribute_a() -> None:
    fake = signed_on(meter())
    limits = "3;2024-04-02,10:00:00;2024-04-03,10:00:00;"
    assert asked(fake, f"R1 3:V.A({limits})") == "(25)"
    assert asked(fake, f"R1 3:V.0({limits})").count("\r\n") == 24


def test_layout_may_be_refused() -> None:
    assert asked(signed_on(meter()), "R1 3:V.2(1)").startswith("(GONo)(AONo)(Time)(Vb)(VbT)")
    fake = signed_on(meter(quirks=Quirks(no_layout=True)))
    assert [asked(fake, f"R1 3:V.{attribute}(1)") for attribute in "234"] == ["(#0005)"] * 3


@pytest.mark.parametrize(("largest", "rows"), [(100, 100), (30, 30), (999, 250)])
def test_block_has_no_more_rows_than_the_meter_gives(largest: int, rows: int) -> None:
    fake = signed_on(meter(days=15, quirks=Quirks(largest_block=largest)))
    assert asked(fake, "R3 3:V.0(3;;;250)").count("(CRC Ok)") == rows


def test_values_wait_for_an_open_lock() -> None:
    fake = signed_on(meter(quirks=Quirks(lock_values=True)))
    assert asked(fake, "R1 1:180.0(1)") == "1:180.0(41203377)"
    assert asked(fake, "R1 2:302.0(1)") == "(#0018)"
    assert asked(fake, "R3 3:V.0(3;;;10)") == "(#0018)"
    assert asked(fake, "R1 4:170.0(1)") == "4:170.0(0)"
    assert asked(fake, "W1 4:171.0(00000000)") == "ACK"
    assert asked(fake, "R1 4:170.0(1)") == "4:170.0(1)"
    assert asked(fake, "R1 2:302.0(1)").startswith("2:302.0(")
    assert asked(fake, "W1 4:170.0(0)") == "ACK"
    assert asked(fake, "R1 2:302.0(1)") == "(#0018)"
    assert fake.writes == []


def test_even_the_clock_may_want_an_open_lock() -> None:
    fake = signed_on(meter(quirks=Quirks(lock_all=True), access_code="1234"))
    assert asked(fake, "R1 1:400.0(1)") == "(#0018)"
    assert asked(fake, "W1 3:171.0(00000000)") == "(#0017)"
    assert asked(fake, "W1 3:171.0(1234)") == "ACK"
    assert asked(fake, "R1 1:400.0(1)") == "1:400.0(2024-04-03,12:05:00)"


def test_lock_may_open_by_login_only() -> None:
    fake = signed_on(meter(quirks=Quirks(lock_way_b=True, lock_values=True)))
    assert asked(fake, "W1 3:171.0(00000000)") == "(#0019)"
    assert asked(fake, "P1 (3:00000000)") == "ACK"
    assert asked(fake, "R1 2:302.0(1)").startswith("2:302.0(")


def test_forbidden_write_is_remembered() -> None:
    fake = signed_on(meter())
    asked(fake, "W1 7:311.0(5)")
    assert fake.writes == ["7:311.0(5)"]


def test_break_ends_the_conversation_and_closes_the_locks() -> None:
    fake = signed_on(meter())
    asked(fake, "W1 4:171.0(00000000)")
    assert said(fake, BREAK) == b""
    assert said(fake, command("R1 1:180.0(1)")) == b""
    assert asked(signed_on(fake), "R1 4:170.0(1)") == "4:170.0(0)"
    assert fake.sign_offs == 1


def test_meter_falls_back_after_a_minute_of_silence() -> None:
    fake = signed_on(meter())
    fake.tick(NOW + timedelta(seconds=59))
    assert asked(fake, "R1 1:180.0(1)") == "1:180.0(41203377)"
    fake.tick(NOW + timedelta(seconds=119))
    assert said(fake, command("R1 1:180.0(1)")) == b""
    assert said(fake, SIGN_ON) == b"/Els6EK270\r\n"


def test_damaged_command_is_answered_with_nak() -> None:
    assert said(signed_on(meter()), b"\x01R1\x021:180.0(1)\x03\x00") == NAK


def test_seven_bit_meter_hears_even_parity_only() -> None:
    fake = meter(quirks=Quirks(seven_e1=True))
    assert said(fake, SIGN_ON) == b""
    assert said(fake, even_parity(SIGN_ON)) == even_parity(b"/Els6EK270\r\n")


def test_sleeping_meter_wants_to_be_woken() -> None:
    fake = meter(quirks=Quirks(asleep=True))
    assert said(fake, SIGN_ON) == b""
    assert said(fake, bytes(53) + SIGN_ON) == b"", "a burst takes 28 ms at 19200 Bd"
    for tenth in range(23):
        fake.tick(NOW + timedelta(seconds=tenth / 10))
        assert said(fake, bytes(3)) == b""
    fake.tick(NOW + timedelta(seconds=4))
    assert said(fake, SIGN_ON) == b"/Els6EK270\r\n"


def test_first_sign_on_may_fall_into_the_wake_up() -> None:
    fake = meter(quirks=Quirks(misses_first=True))
    assert [said(fake, SIGN_ON) for _ in range(2)] == [b"", b"/Els6EK270\r\n"]


def test_far_end_that_hung_up_is_there_again_on_the_next_line() -> None:
    fake = signed_on(meter(quirks=Quirks(no_carrier_in_block=1)))
    assert b"NO CARRIER" in said(fake, command("R3 3:V.0(3;;;10)"))
    assert said(fake, SIGN_ON) == b""
    fake.hung_up()
    assert said(fake, SIGN_ON) == b"/Els6EK270\r\n"


def test_meter_on_a_bus_answers_to_its_own_address() -> None:
    fake = meter(quirks=Quirks(bus_address="17"))
    assert said(fake, b"/?18!\r\n") == b""
    assert said(fake, b"/?17!\r\n") == b"/Els6EK270\r\n"


def test_readout_leaves_its_own_events() -> None:
    fake = signed_on(meter(quirks=Quirks(noise_events=True)))
    asked(fake, "W1 4:171.0(00000000)")
    said(fake, BREAK)
    rows = fake.holds()["archives"]["4"]["rows"]  # type: ignore[index]
    assert [row["event"] for row in rows[-4:]] == ["0x3C02", "0x2D04", "0x0D04", "0x1C02"]


def test_clock_may_be_years_off_and_archives_with_it() -> None:
    fake = signed_on(meter(quirks=Quirks(clock_offset_s=-24 * 366 * 86400)))
    assert asked(fake, "R1 1:400.0(1)") == "1:400.0(2000-03-16,12:05:00)"
    assert fake.holds()["archives"]["3"]["rows"][-1]["time"] == "2000-03-16,12:00:00"  # type: ignore[index]


def test_clock_drifts() -> None:
    fake = meter(quirks=Quirks(clock_drift_s=60))
    fake.tick(NOW + timedelta(days=2))
    assert fake.clock == NOW + timedelta(days=2, seconds=120)


def test_another_meter_may_answer_at_the_same_place() -> None:
    assert asked(signed_on(meter(quirks=Quirks(other_serial="99"))), "R1 1:180.0(1)") == "1:180.0(99)"


def test_archive_may_break_off_with_an_error_once() -> None:
    fake = signed_on(meter(quirks=Quirks(error_in_read=109)))
    said(fake, command("R3 3:V.0(3;;;10)"))
    assert said(fake, ACK)[1:-2] == b"(#0109)"
    said(fake, command("R3 3:V.0(3;;;10)"))
    assert said(fake, ACK)[-2] == 4


def test_units_may_be_russian() -> None:
    fake = signed_on(meter(quirks=Quirks(russian_units=True)))
    assert asked(fake, "R1 2:302.0(1)").endswith("*м3)")
    assert "(м3)" in asked(fake, "R1 3:V.3(1)")


def test_dead_meter_says_nothing_at_all() -> None:
    assert said(meter(quirks=Quirks(never_answers=True)), SIGN_ON) == b""


@pytest.mark.parametrize("model", MODELS)
def test_every_model_can_be_read_throughout(model: str) -> None:
    fake = signed_on(meter(model))
    for address, value in fake.holds()["values"].items():  # type: ignore[attr-defined]
        unit = f"*{value['unit']}" if value["unit"] else ""
        assert asked(fake, f"R1 {address}.0(1)") == f"{address}.0({value['value']}{unit})"
    for number in fake.archives:
        assert asked(fake, f"R1 {number}:V.2(1)").startswith("(GONo)(")


def test_unknown_model_is_refused() -> None:
    with pytest.raises(OperatorError, match="ek270"):
        FakeMeter("ek999")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.binary(max_size=40), max_size=12))
def test_no_bytes_whatever_upset_the_meter(pieces: list[bytes]) -> None:
    fake = meter(days=0)
    for piece in pieces:
        said(fake, piece)
    fake.hung_up()
    assert said(fake, SIGN_ON) == b"/Els6EK270\r\n"


operands = st.text(st.characters(max_codepoint=255, exclude_characters="\x01\x02\x03\x04"), max_size=30)
parts = st.sampled_from(
    ["1:400.0", "3:V.0", "3:V.A", "4:171", "4:170.0", "7:310", "(", ")", ";", "NaN", "\u00b2", "9" * 40]
)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(["R1", "R3", "W1", "P1", "B1", "\u00e9!"]), st.lists(parts | operands, max_size=6).map("".join))
def test_every_command_is_answered_by_one_sound_telegram(verb: str, text: str) -> None:
    fake = signed_on(meter(days=1))
    body = f"{verb}\x02{text}\x03".encode("latin-1")
    frame = said(fake, b"\x01" + body + bytes((bcc(body),)))
    assert frame in (ACK, NAK) or (frame[0] == 2 and bcc(frame[1:-1]) == frame[-1])


def test_conversation_is_the_same_byte_by_byte() -> None:
    conversation = [SIGN_ON, OPTION, command("R1 2:302.0(1)"), command("R3 3:V.0(3;;;10)"), ACK, NAK, ACK, BREAK]
    whole, single = meter(), meter()
    assert b"".join(said(whole, part) for part in conversation) == b"".join(
        said(single, bytes((byte,))) for part in conversation for byte in part
    )


def test_status_that_the_test_sets_is_what_the_meter_says() -> None:
    fake = signed_on(meter())
    assert "(13)" in asked(fake, "R1 1:100.0(1)")
    fake.show("1:100", "6 14")
    assert "(6 14)" in asked(fake, "R1 1:100.0(1)")
