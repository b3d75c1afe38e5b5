"""The server's side of RFC 2217, byte by byte. Codes: RFC 2217 section 3, RFC 854."""

from __future__ import annotations

import pytest

from gateway_server.testing.modem.rfc2217_server import Rfc2217Server

OFFERED = bytes.fromhex("FF FD 00  FF FD 03  FF FD 2C  FF FB 00  FF FB 03")


class Served:
    def __init__(self) -> None:
        self.out = bytearray()
        self.modem: list[bytes | bool] = []
        self.server = Rfc2217Server(self.out.extend, self.modem.append, self.modem.append)
        self.server.begin()

    def hears(self, hexadecimal: str) -> list[bytes | bool]:
        """Bytes from the client; what the modem gets of them."""
        self.server.received(bytes.fromhex(hexadecimal))
        got, self.modem[:] = list(self.modem), []
        return got

    def take(self) -> bytes:
        said = bytes(self.out)
        self.out.clear()
        return said


def agreed() -> Served:
    """A client that speaks RFC 2217 and was told how the lines stand."""
    served = Served()
    served.hears("FF FB 2C")
    served.take()
    return served


def test_server_offers_what_it_can_do() -> None:
    assert Served().take() == OFFERED


def test_option_that_was_offered_is_not_answered_again_and_an_unknown_one_is_refused() -> None:
    served = Served()
    served.take()
    assert served.hears("FF FB 00  FF FD 03") == []
    assert served.take() == b""
    served.hears("FF FB 2C")
    assert served.take() == bytes.fromhex("FF FA 2C 6B 30 FF F0"), "the client learns how the lines stand"
    served.hears("FF FD 01  FF FB 18")
    assert served.take() == bytes.fromhex("FF FC 01  FF FE 18")


def test_client_that_asks_us_for_the_com_port_option_gets_it() -> None:
    served = Served()
    served.take()
    served.hears("FF FD 2C")
    assert served.take() == bytes.fromhex("FF FB 2C")


def test_client_that_takes_our_offer_for_the_answer_is_told_how_the_lines_stand_all_the_same() -> None:
    served = Served()
    served.take()
    served.hears("FF FA 2C 01 00 00 25 80 FF F0")
    assert served.take() == bytes.fromhex("FF FA 2C 6B 30 FF F0  FF FA 2C 65 00 00 25 80 FF F0")


def test_client_that_will_not_is_not_spoken_to_in_it() -> None:
    served = Served()
    served.take()
    served.hears("FF FC 2C")
    assert served.take() == bytes.fromhex("FF FE 2C")
    assert not served.server.agreed
    served.server.lines(carrier=True, ring=False)
    assert served.take() == b""


def test_octet_ff_is_doubled_both_ways() -> None:
    served = Served()
    served.take()
    assert served.hears("41 FF FF 42") == [b"A\xffB"]
    served.server.send(b"A\xffB")
    assert served.take() == bytes.fromhex("41 FF FF 42")


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("01 00 00 25 80", "65 00 00 25 80"),  # 9600
        ("01 00 00 00 00", "65 00 00 25 80"),  # what is it?
        ("02 07", "66 07"),
        ("02 00", "66 08"),
        ("03 03", "67 03"),
        ("04 02", "68 02"),
        ("05 08", "69 08"),
        ("05 07", "69 08"),  # DTR?
        ("05 0A", "69 0B"),  # RTS?
        ("05 0C", "69 0C"),
        ("05 00", "69 01"),  # flow control?
        ("05 04", "69 06"),  # break?
        ("05 0D", "69 0E"),
        ("0A 00", "6E 00"),
        ("0B 80", "6F 80"),
        ("0C 03", "70 03"),
    ],
)
def test_setting_is_acknowledged_with_a_hundred_more(asked: str, answered: str) -> None:
    served = agreed()
    served.hears(f"FF FA 2C {asked} FF F0")
    assert served.take() == bytes.fromhex(f"FF FA 2C {answered} FF F0")


def test_signature_is_told() -> None:
    served = agreed()
    served.hears("FF FA 2C 00 FF F0")
    assert served.take() == b"\xff\xfa\x2c\x64simulated serial server\xff\xf0"


def test_speed_with_an_ff_in_it_is_doubled_on_the_wire() -> None:
    served = agreed()
    served.hears("FF FA 2C 01 00 00 FF FF 00 FF F0")
    assert served.server.settings.speed == 0xFF00
    assert served.take() == bytes.fromhex("FF FA 2C 65 00 00 FF FF 00 FF F0")


def test_dtr_reaches_the_modem() -> None:
    served = Served()
    assert served.hears("FF FA 2C 05 09 FF F0  FF FA 2C 05 08 FF F0") == [False, True]


def test_octets_and_dtr_reach_the_modem_in_their_order() -> None:
    served = Served()
    assert served.hears("41 FF FA 2C 05 09 FF F0 42 FF FA 2C 05 08 FF F0 43") == [b"A", False, b"B", True, b"C"]


def test_lines_that_move_are_told_with_their_change() -> None:
    served = agreed()
    served.server.lines(carrier=True, ring=False)
    assert served.take() == bytes.fromhex("FF FA 2C 6B B8 FF F0")
    served.server.lines(carrier=True, ring=False)
    assert served.take() == b""
    served.server.lines(carrier=True, ring=True)
    assert served.take() == bytes.fromhex("FF FA 2C 6B F0 FF F0"), "RI is a change only when it ends"
    served.server.lines(carrier=False, ring=False)
    assert served.take() == bytes.fromhex("FF FA 2C 6B 3C FF F0")


def test_lines_outside_the_clients_mask_are_not_told() -> None:
    served = agreed()
    served.hears("FF FA 2C 0B 80 FF F0")
    served.take()
    served.server.lines(carrier=False, ring=True)
    assert served.take() == b""
    served.server.lines(carrier=True, ring=False)
    assert served.take() == bytes.fromhex("FF FA 2C 6B 88 FF F0")


def test_stream_cut_anywhere_means_the_same() -> None:
    stream = bytes.fromhex("41 FF FA 2C 01 00 00 4B 00 FF F0 42 FF FF 43 FF FD 01 44 FF F1 45")
    served = Served()
    heard = [got for byte in stream for got in served.hears(f"{byte:02X}")]
    assert heard == [b"A", b"B", b"\xff", b"C", b"D", b"E"]
    assert served.server.settings.speed == 19200


def test_endless_subnegotiation_grows_nothing_and_nonsense_is_ignored() -> None:
    served = agreed()
    served.server.received(b"\xff\xfa\x2c" + bytes(100_000) + b"\xff\xf0")
    served.hears("FF FA 2C FF F0  FF FA 18 00 FF F0  FF FA 2C 01 00 FF F0  FF FA 2C 63 01 FF F0  FF FA 2C FF F4")
    assert served.hears("41") == [b"A"]
    assert b"\x65" not in served.take()
