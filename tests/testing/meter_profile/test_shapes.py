"""What a message can look like."""

from __future__ import annotations

from pathlib import Path

from gateway_server.codec.declaration import read_declaration
from gateway_server.codec.meter_profile.form import Message, MeterProfile
from gateway_server.codec.meter_profile.parse import parse_profile
from gateway_server.testing.meter_profile.shapes import (
    compared_in,
    fields_of,
    follows_from_others,
    size_field,
    tellings,
)

PROFILES = Path(__file__).resolve().parents[2] / "plugins/profiles"


def message(name: str, of: str) -> tuple[MeterProfile, Message]:
    profile = parse_profile(read_declaration(PROFILES / f"{of}.yaml"))
    return profile, profile.message(name)


def test_every_field_however_deep_is_found() -> None:
    _, answer = message("answer", "mbus")
    names = [field.name for field in fields_of(answer.parts)]
    assert {"control", "dif", "number", "moment", "manufacturer_data"} <= set(names)


def test_values_that_make_a_difference_are_those_that_a_field_is_compared_with() -> None:
    profile, answer = message("answer", "dlt645")
    compared = compared_in(answer, profile.framings[0].header)
    assert compared["code"][:3] == [0x00010000, 0x02010100, 0x02020100]
    profile, listed = message("list", "dlms_push")
    compared = compared_in(listed, profile.framings[0].header)
    assert {1, 2} <= set(compared["elements"]), "more than one element is two"
    assert bytes.fromhex("0101010700FF") in compared["obis"]


def test_lengths_counts_and_what_tells_the_message_apart_follow_from_the_rest() -> None:
    profile, records = message("records", "teltonika8")
    assert {"count", "ones", "twos", "length"} <= follows_from_others(records, (), "length")
    profile, answer = message("answer", "dlt645")
    assert "control" in follows_from_others(answer, profile.framings[0].header, "length")


def test_rows_are_told_before_events() -> None:
    _, answer = message("answer", "mbus")
    assert tellings(answer) == answer.rows


def test_size_of_a_frame_is_told_by_a_field_also_by_an_expression() -> None:
    told = {name: message(one, name)[0].framings[0] for one, name in (("data", "egts"), ("records", "galileosky"))}
    assert {name: size_field(framing) for name, framing in told.items()} == {
        "egts": "data_length",
        "galileosky": "length",
    }
    profile, _ = message("records", "teltonika8")
    assert [size_field(framing) for framing in profile.framings] == ["", "length", "", ""]
