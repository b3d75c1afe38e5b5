"""Banks of modems."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.testing import MemoryReactorClock

from gateway_server.errors import OperatorError
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.line_to_meter import run
from gateway_server.testing.modem.bank import BankOptions, ModemBank, entries_of, simulate_modems, sorted_failures
from gateway_server.testing.modem.faults import EVERY_WAY, SOUND_MODEM, CallFaults, ModemFaults
from gateway_server.testing.modem.lines import ModemServer
from gateway_server.testing.modem.rfc2217_port import Rfc2217ModemServer
from tests.testing.memory import started, through

CALLER = IPv4Address("TCP", "127.0.0.1", 40001)


def test_meters_get_numbers_and_serials_in_a_row() -> None:
    entries = entries_of(BankOptions(meters=3, models=("ek270", "tc215"), first_number="+7916000009", seed=5))
    assert [(one.number, one.model, one.serial, one.seed) for one in entries] == [
        ("+7916000009", "ek270", "41203377", 5),
        ("+7916000010", "tc215", "41203378", 6),
        ("+7916000011", "ek270", "41203379", 7),
    ]


def test_numbers_of_a_book_come_first(tmp_path: Path) -> None:
    book = tmp_path / "book.toml"
    book.write_text("[[number]]\nnumber = '+1234'\n")
    assert [one.number for one in entries_of(BankOptions(book=book, meters=1))] == ["+1234", "+79160000001"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (BankOptions(), "nobody could be called"),
        (BankOptions(meters=1, models=("ek999",)), "there is no simulated model 'ek999'"),
        (BankOptions(meters=1, count=0), "at least one modem"),
        (BankOptions(meters=1, failures=("drunk",)), "there is no fault 'drunk'"),
    ],
)
def test_bank_that_cannot_be_is_told(options: BankOptions, message: str) -> None:
    with pytest.raises(OperatorError, match=message):
        ModemBank(MemoryReactorClock(), options)


def test_failures_are_sorted_into_those_of_modems_and_those_of_calls() -> None:
    modem, calls = sorted_failures(("busy", "pin=1234", "refused=57"))
    assert modem == ModemFaults(pin="1234")
    assert calls == [CallFaults(busy=True), CallFaults(refused=57)]
    modem, calls = sorted_failures(("unplugged_after=40,unplugged_s=3", "busy"))
    assert calls == [CallFaults(unplugged_after=40, unplugged_s=3), CallFaults(busy=True)]
    with pytest.raises(OperatorError, match="pin"):
        sorted_failures(("busy,pin=1234",))
    modem, calls = sorted_failures(("all",))
    assert modem == SOUND_MODEM
    assert len(calls) == len(EVERY_WAY)


def test_modems_stand_behind_serial_servers_in_a_row() -> None:
    reactor = MemoryReactorClock()
    raw = ModemBank(reactor, BankOptions(count=2, meters=1, days=1, way="tcp", listen="127.0.0.1:7001"))
    assert [server[0] for server in reactor.tcpServers] == [7001, 7002]
    assert all(type(server[1]) is ModemServer for server in reactor.tcpServers)
    raw.stop()
    reactor = MemoryReactorClock()
    bank = ModemBank(reactor, BankOptions(meters=1, days=1, way="rfc2217", listen="127.0.0.1:7001"))
    assert isinstance(reactor.tcpServers[0][1], Rfc2217ModemServer)
    assert bank.lines()[0].startswith("modem1 rfc2217://")
    assert bank.lines()[1] == "+79160000001 ek270 41203377"
    bank.stop()


def test_modems_of_a_mixed_bank_stand_in_turn_in_every_way() -> None:
    bank = ModemBank(MemoryReactorClock(), BankOptions(count=4, meters=1, days=1, way="mixed"))
    assert [port.partition(":")[0].rpartition("/")[0] for port in bank.ports] == ["/dev/pts", "", "", "/dev/pts"]
    assert [port.partition(":")[0] for port in bank.ports[1:3]] == ["socket", "rfc2217"]
    bank.stop()


def test_bank_in_a_hurry_dials_in_a_fraction_of_the_time_and_its_meters_clock_does_not_race() -> None:
    reactor = started()
    options = BankOptions(meters=1, days=1, way="tcp", speed_up=20, setup_s=(20, 20))
    bank = ModemBank(reactor, options)
    protocol, line = through(reactor.tcpServers[0][1].buildProtocol(CALLER))
    run(reactor, 1)
    protocol.dataReceived(b"ATE0\r")
    run(reactor, 0.1)
    protocol.dataReceived(b"ATD+79160000001\r")
    run(reactor, 1.1)
    assert line.take().endswith(b"\r\nCONNECT 9600\r\n")
    protocol.dataReceived(b"/?!\r\n")
    run(reactor, 0.2)
    assert line.take() == b"/Els6EK270\r\n"
    meter = bank.network.meters["+79160000001"]
    assert isinstance(meter, FakeMeter)
    assert meter.clock.strftime("%H:%M:%S") == "12:05:02"
    bank.stop()


def test_what_meters_hold_and_which_calls_were_made_is_written(tmp_path: Path) -> None:
    reactor = started()
    bank = ModemBank(reactor, BankOptions(meters=1, days=1, way="tcp", dump=tmp_path / "held", failures=("busy",)))
    protocol, _ = through(reactor.tcpServers[0][1].buildProtocol(CALLER))
    run(reactor, 5)
    protocol.dataReceived(b"ATD+79160000001\r")
    run(reactor, 10)
    bank.stop()
    held = json.loads((tmp_path / "held" / "41203377.json").read_text("utf-8"))
    assert held["serial"] == "41203377"
    assert len(held["archives"]["3"]["rows"]) >= 24
    (call,) = json.loads((tmp_path / "held" / "calls.json").read_text("utf-8"))
    assert (call["modem"], call["number"], call["result"], call["cause"]) == ("modem1", "+79160000001", "BUSY", 17)


def test_terminals_have_lasting_names(tmp_path: Path) -> None:
    reactor = MemoryReactorClock()
    bank = ModemBank(reactor, BankOptions(count=2, meters=1, days=1, links=tmp_path / "ports"))
    assert bank.ports == [str(tmp_path / "ports" / "modem1"), str(tmp_path / "ports" / "modem2")]
    end = os.open(bank.ports[1], os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(end, b"AT\r")
        for reader in reactor.getReaders():
            IReadDescriptor(reader, reader).doRead()
        run(reactor, 1)
        for writer in reactor.getWriters():
            writer.doWrite()
        assert os.read(end, 100) == b"AT\r\r\nOK\r\n"
    finally:
        os.close(end)
        bank.stop()


def test_simulation_says_its_ports_and_ends_by_itself() -> None:
    reactor = MemoryReactorClock()
    said: list[str] = []
    over = simulate_modems(reactor, BankOptions(meters=2, days=1, way="tcp", seconds=5), said.append)
    assert said[0].startswith("modem1 socket://")
    assert said[1:] == ["+79160000001 ek270 41203377", "+79160000002 ek270 41203378", "ready"]
    run(reactor, 4)
    assert not over.called
    run(reactor, 2)
    assert over.called


def test_bank_says_where_a_hand_on_it_is_heard() -> None:
    reactor = MemoryReactorClock()
    bank = ModemBank(reactor, BankOptions(meters=1, days=1, way="tcp", control="127.0.0.1:7300"))
    assert [server[0] for server in reactor.tcpServers] == [0, 7300]
    assert bank.lines()[1].startswith("control 127.0.0.1:")
    bank.stop()
