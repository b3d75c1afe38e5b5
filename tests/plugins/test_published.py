"""Frames that others published, with what they published about them, and what independent programs make of them.

Where each frame was published stands at the head of its capture; its readings stand beside it and are held by the
contract of all codecs. Here are the fields that are no readings, and the programs that nobody here wrote.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from dlms_cosem.crc import CRCCCITT
from iec62056_21.messages import DataLine

from gateway_server.codec.codec import NOISE, Answers, Field, Frame
from gateway_server.codec.dialogue import Findings, Receive, Send
from gateway_server.codec.meter_profile.codec import ProfileCodec
from gateway_server.codec.registry import load_codecs
from gateway_server.model import Direction, Identify, KnownMeter
from gateway_server.workbench.capture import read_capture
from tests.plugins.contract import CAPTURES, cut

REGISTRY = load_codecs([Path(__file__).parent / "profiles"])

# codec, which of its frames, field, value and meaning as they were published
PUBLISHED = [
    ("mbus", 0, "length", "31", ""),  # "length 1Fh=31d bytes"
    ("mbus", 0, "address", "2", ""),
    ("mbus", 0, "ident", "12345678", ""),
    ("mbus", 0, "generation", "1", ""),
    ("mbus", 0, "medium", "7", "water"),
    ("mbus", 0, "access_number", "85", ""),  # "TC = 55h = 85d"
    ("mbus", 0, "records[0].number", "12565", ""),  # "instantaneous volume, 12565 l (24 bit integer)"
    ("mbus", 0, "records[1].number", "113", ""),  # "maximum volume flow, 113 l/h (4 digit BCD)"
    ("mbus", 0, "records[2].number", "21837", ""),  # "218,37 kWh (6 digit BCD)"
    ("mbus", 1, "medium", "3", "gas"),
    ("mbus", 1, "records[0].number", "10010376", ""),  # "Fabrication No: 76 03 01 10"
    ("dlms_push", 0, "moment", "2017-09-12 23:18:42", ""),
    ("dlms_push", 0, "power", "1320", ""),  # "Integer following: 1320 Watt"
    ("dlms_push", 1, "version", "Kamstrup_V0001", ""),
    ("dlms_push", 1, "registers[0].said", "5706567274389702", ""),
    ("dlt645", 0, "address", "161", ""),
    ("dlt645", 0, "told.energy", "0.26", ""),  # "000000.26 kWh"
    ("dlt645", 1, "told.voltage", "100.1", ""),
    ("iec101", 0, "type_id", "36", ""),
    ("iec101", 0, "cause", "3", "spontaneous"),
    ("iec101", 0, "objects[0].place", "1051", ""),  # 041B
    ("iec101", 0, "objects[0].value", "6.082304", ""),
    ("nmea0183", 0, "moment", "16:12:29.487000", ""),
    ("nmea0183", 0, "latitude", "3723.2475", ""),
    ("nmea0183", 0, "north_south", "N", ""),
    ("nmea0183", 0, "longitude", "12158.3416", ""),
    ("nmea0183", 0, "east_west", "W", ""),
    ("nmea0183", 0, "satellites", "7", ""),
    ("nmea0183", 0, "hdop", "1.0", ""),
    ("nmea0183", 0, "altitude", "9.0", ""),
    ("teltonika8", 0, "imei", "356307042441013", ""),
    ("teltonika8", 1, "length", "54", ""),
    ("teltonika8", 1, "positions[0].moment", "2019-06-10 10:04:46", ""),
    ("teltonika8", 1, "positions[0].priority", "1", "high"),
    ("teltonika8", 1, "positions[0].one_byte[0].id1", "21", ""),
    ("teltonika8", 1, "positions[0].one_byte[0].value1", "3", ""),
    ("teltonika8", 1, "positions[0].two_bytes[0].id2", "66", ""),
    ("teltonika8", 1, "positions[0].two_bytes[0].value2", "24079", ""),
    ("teltonika8", 1, "positions[0].four_bytes[0].value4", "24602", ""),
    ("galileosky", 0, "records[0].tags[1].imei", "868345032066573", ""),
    ("galileosky", 0, "records[4].tags[4].moment", "2018-09-11 05:25:15", ""),
    ("egts", 0, "packet_id", "2", ""),  # "PID": 2
    ("egts", 0, "packet_type", "1", "data"),
    ("egts", 0, "records[0].object", "999", ""),
    ("egts", 0, "records[0].subrecords[0].moment", "2024-09-06 07:26:46", ""),
    ("egts", 1, "packet_id", "137", ""),  # PacketIdentifier: 137
    ("egts", 1, "header_check", "74", ""),  # HeaderCheckSum: 74
    ("egts", 1, "answered", "14357", ""),  # ResponsePacketID: 14357
    ("egts", 1, "result", "0", "done"),  # ProcessingResult: 0
    ("ubx", 0, "of_class", "6", ""),  # <UBX(ACK-ACK, clsID=CFG, msgID=CFG-MSG)>
    ("ubx", 0, "of_message", "1", ""),
    ("wialon_ips", 0, "imei", "123456789012345", ""),
    ("wialon_ips", 1, "date", "2013-04-27", ""),
    ("wialon_ips", 1, "time", "20:56:01", ""),
    ("wialon_ips", 2, "height", "", ""),  # NA
    ("wialon_ips", 3, "date", "", ""),  # NA
    ("wialon_ips", 3, "latitude", "5429.681944502211763", ""),
    ("iec1107_readout", 0, "identification", "LGBBFG1009325446", ""),
    ("iec1107_readout", 0, "lines[22].number", "1091.352", ""),
]


def frames_of(name: str) -> tuple[ProfileCodec, list[Frame]]:
    codec = REGISTRY.get(name)
    assert isinstance(codec, ProfileCodec)
    entries = read_capture((CAPTURES / name / "published.capture").read_text("utf-8")).entries
    stream = b"".join(entry.data for entry in entries if entry.direction is Direction.FROM_METER)
    return codec, [frame for frame in cut(codec, [stream]) if frame.kind != NOISE]


@pytest.mark.parametrize(("name", "number", "field", "value", "meaning"), PUBLISHED)
def test_field_has_the_published_value(name: str, number: int, field: str, value: str, meaning: str) -> None:
    codec, frames = frames_of(name)
    fields = {one.name: one for one in codec.dissect(frames[number])}
    assert field in fields, ", ".join(fields)
    assert fields[field].value == value
    if meaning:
        assert fields[field].meaning == meaning


@pytest.mark.parametrize("name", sorted({one[0] for one in PUBLISHED}))
def test_every_byte_of_a_published_frame_has_a_name(name: str) -> None:
    codec, frames = frames_of(name)
    for frame in frames:
        assert frame.fault == ""
        fields: list[Field] = list(codec.dissect(frame))
        assert "unknown" not in {field.name for field in fields}
        assert [field.start for field in fields] == [0, *(field.end for field in fields[:-1])]
        assert fields[-1].end == len(frame.data)


@pytest.mark.parametrize("name", sorted({one[0] for one in PUBLISHED}))
def test_published_frame_is_put_together_again_to_the_byte(name: str) -> None:
    codec, frames = frames_of(name)
    for frame in frames:
        assert codec.encode(codec.decode(frame)) == frame.data


def test_checks_of_the_hdlc_frames_are_those_of_another_program() -> None:
    codec, frames = frames_of("dlms_push")
    for frame in frames:
        fields = {field.name: field for field in codec.dissect(frame)}
        header, whole = fields["header_check"], fields["check"]
        for field in (header, whole):
            theirs = CRCCCITT().calculate_for(frame.data[1 : field.start])
            assert frame.data[field.start : field.end] == theirs


def test_lines_of_the_readout_are_those_of_another_program() -> None:
    codec, (frame, *_) = frames_of("iec1107_readout")
    values = codec.decode(frame).values["lines"]
    body = frame.data.decode("ascii").split("\r\n\r\n")[1].partition("\r\n!")[0]
    compared = 0
    for line, ours in zip(body.split("\r\n"), values, strict=True):
        assert ours["code"] == line.partition("(")[0]
        if line.count("(") == 1:
            (data,) = DataLine.from_representation(line).data_sets
            assert data.address == ours["code"]
            if ours.get("number") is not None:
                assert (ours["number"], ours["unit"]) == (Decimal(data.value), data.unit)
                compared += 1
    assert compared == 5


def test_packet_of_tags_is_confirmed_by_its_own_check_once_its_rows_are_kept() -> None:
    codec, (packet,) = frames_of("galileosky")
    assert isinstance(codec, Answers)
    dialogue = codec.answer()
    assert isinstance(next(dialogue), Receive)
    assert isinstance(dialogue.send(packet), Identify)
    told = dialogue.send(KnownMeter("868345032066573"))
    assert isinstance(told, Findings)
    assert len(told.rows) == 5
    assert dialogue.send(None) == Send(bytes.fromhex("02 E0 07"))  # the packet ends with E0 07
