"""Phone books in files."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.testing import MemoryReactorClock

from gateway_server.errors import OperatorError
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.meter_lines import meter_clock
from gateway_server.testing.modbus.meter import ModbusMeter
from gateway_server.testing.modem.book import Entry, SimulatedNetwork, read_book
from gateway_server.testing.modem.faults import CallFaults

BOOK = """
[[number]]
number = "+79160000001"
model = "ek280"
serial = "28004512"
access_code = "11111111"
days = 3
quirks = ["lock_values"]
fails = ["lost_after=3000"]
setup_seconds = 25
bearers = ["71"]

[[number]]
number = "+79160000002"
address = "127.0.0.1:4001"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "book.toml"
    path.write_text(text, "utf-8")
    return path


def test_book_says_who_answers_which_number(tmp_path: Path) -> None:
    first, second = read_book(written(tmp_path, BOOK))
    assert first.who == "ek280 28004512"
    assert first.quirks.lock_values
    assert first.faults == CallFaults(lost_after=3000)
    assert (first.setup_s, first.bearers, first.access_code, first.days) == (25.0, frozenset({"71"}), "11111111", 3)
    assert second == Entry("+79160000002", address="127.0.0.1:4001")
    assert second.who == "127.0.0.1:4001"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[number]]\nnumber = 5", "no number"),
        ("[[number]]\nnumber = 'x'", "no number"),
        ("[[number]]\nnumber = '1'\nmodell = 'ek270'", "there is no key 'modell'"),
        ("[[number]]\nnumber = '1'\nmodel = 'ek999'", "there is no model 'ek999'"),
        ("[[number]]\nnumber = '1'\ndays = 'many'", "days must be a int"),
        ("[[number]]\nnumber = '1'\nquirks = ['drunk']", "1: there is no quirk 'drunk'"),
        ("[[number]]\nnumber = '1'\nfails = ['drunk']", "1: there is no fault 'drunk'"),
        ("[[number]]\nnumber = '1'\naddress = '192.0.2.1:4001'", "not on loopback"),
        ("[[number]]\nnumber = '+1'\n[[number]]\nnumber = '1'", r"\+1 stands in it twice"),
        ("[number]\nx = 1", "tables"),
        ("[[nummer]]\nx = 1", "tables"),
        ("= no toml", "no TOML"),
    ],
)
def test_book_that_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(OperatorError, match=message) as error:
        read_book(path)
    assert str(path) in str(error.value)


def test_book_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot read"):
        read_book(tmp_path / "none.toml")


def test_meters_of_a_book_answer_their_numbers(tmp_path: Path) -> None:
    reactor = MemoryReactorClock()
    network = SimulatedNetwork(reactor, read_book(written(tmp_path, BOOK)), meter_clock(reactor))
    meter = network.meters["+79160000001"]
    assert isinstance(meter, FakeMeter)
    assert (meter.serial, meter.access_code) == ("28004512", "11111111")
    heard: list[bytes] = []
    subscriber = network.book.find("79160000001")
    assert subscriber is network.subscribers[0]
    subscriber.far.answer(reactor, heard.append, lambda: None).received(b"/?!\r\n")
    assert heard == [b"/Els6\\2EK280\r\n"]
    network.subscribers[1].far.answer(reactor, heard.append, lambda: None)
    assert reactor.tcpClients[0][:2] == ("127.0.0.1", 4001)


def test_meter_that_speaks_a_register_map_beside_the_book_answers_its_number(tmp_path: Path) -> None:
    (tmp_path / "boiler.yaml").write_text("reads: modbus\nregisters: [{at: 0, quantity: pressure}]\n")
    (entry,) = read_book(written(tmp_path, '[[number]]\nnumber = "+1"\nprofile = "boiler.yaml"\nserial = "7"\n'))
    assert entry.who == "boiler 7"
    reactor = MemoryReactorClock()
    network = SimulatedNetwork(reactor, [entry], meter_clock(reactor))
    assert isinstance(network.meters["+1"], ModbusMeter)
    (tmp_path / "tea.yaml").write_text("reads: tea\n")
    wrong = written(tmp_path, '[[number]]\nnumber = "+1"\nprofile = "tea.yaml"\n')
    with pytest.raises(OperatorError, match=r"\+1: .*line 1: reads is 'tea'"):
        read_book(wrong)
