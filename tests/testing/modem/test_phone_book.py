"""Who answers which number."""

from __future__ import annotations

from twisted.internet.task import Clock

from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.meter_lines import MeterClock
from gateway_server.testing.modem.faults import NO_FAULTS, FaultDraw, call_faults
from gateway_server.testing.modem.phone_book import MeterByModem, PhoneBook, Subscriber
from tests.testing.dialling import NOW, NUMBER, Parrot


def test_number_is_found_however_it_is_written_and_no_other() -> None:
    subscriber = Subscriber(NUMBER, Parrot())
    book = PhoneBook([subscriber])
    assert book.find("+7 916 000-00-01") is subscriber
    assert book.find("79160000001") is subscriber
    assert book.find("79160000002") is None
    assert list(book) == [subscriber]


def test_meter_behind_its_modem_answers_a_sign_on_and_hears_the_end() -> None:
    clock = Clock()
    time = MeterClock(clock, NOW)
    meter = FakeMeter("ek270", "41203377", 1, None, NOW, days=1)
    heard: list[bytes] = []
    line = MeterByModem(meter, time).answer(clock, heard.append, lambda: None)
    line.received(b"/?!\r\n")
    assert heard == [b"/Els6EK270\r\n"]
    line.received(b"\x06061\r\n")
    line.lost()
    line.received(b"\x01R1\x021:400.0(1)\x03\x73")
    assert len(heard) == 2, "a command after the line has ended finds nobody signed on"


def test_number_with_faults_of_its_own_always_has_them_and_the_others_take_their_chance() -> None:
    busy, silent = call_faults(["busy"]), call_faults(["silence"])
    book = PhoneBook(draw=FaultDraw([silent], 1.0))
    assert book.fate(Subscriber("1", Parrot(), faults=busy)) == busy
    assert book.fate(Subscriber("2", Parrot())) == silent
    assert PhoneBook().fate(Subscriber("2", Parrot())) == NO_FAULTS
