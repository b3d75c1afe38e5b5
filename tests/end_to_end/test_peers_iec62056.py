"""The simulated meter against an IEC 62056-21 client that nobody here wrote: PyPI's iec62056-21.

Its client reads the running program; its message classes judge every kind of telegram the simulator sends, and the
simulator takes every kind they make. Its `send_password` always raises, so the login is built from its own parts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from iec62056_21 import lis200, utils
from iec62056_21.client import Iec6205621Client
from iec62056_21.messages import (
    AckOptionSelectMessage,
    AnswerDataMessage,
    CommandMessage,
    DataBlock,
    DataLine,
    DataSet,
    IdentificationMessage,
    RequestMessage,
)

from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.quirks import Quirks
from tests.end_to_end.programs import simulated_meter

NOW = datetime(2024, 4, 3, 12, 5)


@contextmanager
def connected(port: int) -> Iterator[Any]:
    """PyPI's client, signed on to the meter at this port."""
    client = Iec6205621Client.with_tcp_transport(
        address=("127.0.0.1", port), device_address="", error_parser_class=lis200.Lis200ErrorParser
    )
    client.transport.timeout = 10
    client.transport.socket.settimeout(10)
    client.connect()
    try:
        challenge = client.access_programming_mode()
        assert (challenge.command, challenge.command_type, challenge.data_set.value) == ("P", 0, "1234567")
        yield client
        client.send_break()
    finally:
        client.disconnect()


def read_archive(client: Any, number: int, **how: Any) -> list[list[str]]:
    """Rows of an archive. A first telegram that comes damaged costs this client its STX, and the whole answer."""
    command = lis200.ArchiveReadoutCommand(number, **how)
    for _ in range(3):
        client.transport.send(command.to_bytes())
        try:
            answer = client.read_response()
        except IndexError:
            continue
        return [[cell.value for cell in line.data_sets] for line in answer.data_block.data_lines]
    raise AssertionError("every first telegram came damaged")


def login(client: Any, operand: str) -> str:
    client.transport.send(CommandMessage("P", 1, DataSet("", operand)).to_bytes())
    return str(client._recv_ack())


@pytest.mark.end_to_end
@pytest.mark.parametrize("quirks", [(), ("bad_bcc_every=3", "bcc_is_etx", "split=300", "noise_events")])
def test_client_of_others_reads_what_the_meter_holds(tmp_path: Path, quirks: tuple[str, ...]) -> None:
    dump = tmp_path / "held.json"
    options = ["--model", "ek280", "--serial", "28004512", "--days", "4", "--dump", str(dump)]
    for quirk in quirks:
        options += ["--quirk", quirk]
    with simulated_meter(*options) as port, connected(port) as client:
        assert client.identification == "2EK280"
        assert client.manufacturer_id == "Els"
        assert client.switchover_baudrate == 19200
        held = json.loads(dump.read_text("utf-8"))
        for address in ("1:180", "1:181", "2:190", "4:150"):
            told = client.read_single_value(f"{address}.0")
            known = held["values"][address]
            assert (told.address, told.value, told.unit or "") == (f"{address}.0", known["value"], known["unit"])
        clock = datetime.strptime(client.read_single_value("1:400.0").value, "%Y-%m-%d,%H:%M:%S")
        assert abs((clock - datetime.strptime(held["clock"], "%Y-%m-%d,%H:%M:%S")).total_seconds()) < 120
        rows = held["archives"]["3"]["rows"]
        assert read_archive(client, 3, position=3, partial_blocks=True, rows_per_block=10) == [
            row["cells"] for row in rows
        ]
        assert read_archive(client, 3, attribute="2") == [held["archives"]["3"]["columns"]]
        some = read_archive(client, 3, position=3, start=rows[5]["time"], end=rows[9]["time"])
        assert some == [row["cells"] for row in rows[5:10]]


@pytest.mark.end_to_end
def test_client_of_others_meets_the_lock_and_opens_it_both_ways() -> None:
    with simulated_meter("--days", "1", "--quirk", "lock_values", "--access-code", "1234") as port:
        with connected(port) as client:
            with pytest.raises(lis200.NoReadAuthorizationError):
                client.read_single_value("2:302.0")
            client.write_single_value("4:171.0", "1234")
            assert client.read_single_value("2:302.0").unit == "m3"
        with connected(port) as client:
            with pytest.raises(lis200.NoReadAuthorizationError):
                client.read_single_value("2:302.0")
            assert login(client, "3:1234") == "\x06"
            assert client.read_single_value("2:302.0").unit == "m3"


@pytest.mark.end_to_end
def test_client_of_others_understands_every_refusal() -> None:
    with simulated_meter("--days", "1", "--quirk", "empty_archive=7") as port, connected(port) as client:
        for address, error in (
            ("1:999.0", lis200.ObjectNotAvailableError),
            ("77:310.0", lis200.EntityForObjectNotAvailable),
            ("2:302.Z", lis200.UnknownAttributeError),
            ("2:302.8", lis200.AttributeForObjectNotAvailableError),
            ("nonsense", lis200.WrongAddress),
        ):
            with pytest.raises(error):
                client.read_single_value(address)
        for number, how, error in (
            (99, {}, lis200.ArchiveNumberNotAvailableError),
            (7, {}, lis200.ArchiveEmptyError),
            (3, {"position": 44}, lis200.ValuePositionNotAvailableError),
            (3, {"position": 3, "start": "2099-01-01,00:00:00"}, lis200.LowerLimitNotFound),
            (3, {"position": 3, "end": "2001-01-01,00:00:00"}, lis200.UpperLimitNotFound),
        ):
            with pytest.raises(error):
                read_archive(client, number, **how)


def answers(fake: FakeMeter, data: bytes) -> bytes:
    return b"".join(reply.data for reply in fake.received(data))


@pytest.fixture
def fake() -> FakeMeter:
    return FakeMeter("ek280", "28004512", 1, Quirks(crlf_after_last_row=True), NOW, days=2)


def test_classes_of_others_make_requests_that_the_meter_takes(fake: FakeMeter) -> None:
    identification = IdentificationMessage.from_bytes(answers(fake, RequestMessage().to_bytes()))
    assert (identification.manufacturer, identification.switchover_baudrate_char) == ("Els", "6")
    option = AckOptionSelectMessage(baud_char=identification.switchover_baudrate_char, mode_char="1")
    challenge = CommandMessage.from_bytes(answers(fake, option.to_bytes()))
    assert challenge.data_set.value == "1234567"
    told = AnswerDataMessage.from_bytes(answers(fake, CommandMessage.for_single_read("1:180.0", "1").to_bytes()))
    assert [(one.address, one.value) for one in told.data] == [("1:180.0", "28004512")]
    assert answers(fake, CommandMessage.for_single_write("4:171.0", "00000000").to_bytes()) == b"\x06"
    assert answers(fake, CommandMessage("B", 0, None).to_bytes()) == b""
    assert fake.sign_offs == 1


def test_classes_of_others_make_the_telegrams_that_the_meter_sends(fake: FakeMeter) -> None:
    assert answers(fake, b"/?!\r\n") == IdentificationMessage("2EK280", "Els", "6").to_bytes()
    assert answers(fake, b"\x06061\r\n") == CommandMessage("P", 0, DataSet("", "1234567")).to_bytes()
    clock = answers(fake, CommandMessage.for_single_read("1:400.0", "1").to_bytes())
    assert clock == utils.add_bcc(b"\x021:400.0(2024-04-03,12:05:00)\x03")
    held: Any = fake.holds()["archives"]
    rows = [DataLine([DataSet("", cell) for cell in row["cells"]]) for row in held["3"]["rows"]]
    everything = answers(fake, lis200.ArchiveReadoutCommand(3, position=3).to_bytes())
    assert everything == AnswerDataMessage(DataBlock(rows)).to_bytes()
    part = answers(fake, lis200.ArchiveReadoutCommand(3, partial_blocks=True, rows_per_block=5).to_bytes())
    text = DataBlock(rows[:5]).to_representation()
    assert part == utils.add_bcc(f"\x02{text}\x04".encode("latin-1"))
    refusal = answers(fake, CommandMessage.for_single_read("1:999.0", "1").to_bytes())
    with pytest.raises(lis200.ObjectNotAvailableError):
        lis200.Lis200ErrorParser().check_for_errors(AnswerDataMessage.from_bytes(refusal))


def test_archive_reader_of_others_joins_names_units_and_values(fake: FakeMeter) -> None:
    answers(fake, b"/?!\r\n")
    answers(fake, b"\x06061\r\n")
    parts = [
        AnswerDataMessage.from_bytes(answers(fake, lis200.ArchiveReadoutCommand(3, attribute=attribute).to_bytes()))
        for attribute in ("0", "4", "3")
    ]
    points = lis200.ArchiveReadout(*parts, datetime_position=3, utc_offset=None).data
    held: Any = fake.holds()["archives"]
    last = held["3"]["rows"][-1]
    by_source = {point.address: point for point in points[-18:]}
    assert by_source["2:0302"].value == last["values"]["VbT"]
    assert by_source["2:0302"].unit == "m3"
    assert by_source["2:0302"].timestamp == NOW.replace(minute=0)
