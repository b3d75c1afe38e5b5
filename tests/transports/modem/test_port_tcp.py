"""Serial servers over TCP, in raw mode and with RFC 2217, on a transport in memory."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from gateway_server.transports.modem import rfc2217
from gateway_server.transports.modem.port_tcp import Rfc2217Port, TcpModemPort


class User:
    def __init__(self) -> None:
        self.heard = bytearray()
        self.lost: list[str] = []
        self.carriers: list[bool] = []

    def port_received(self, data: bytes) -> None:
        self.heard += data

    def port_lost(self, why: str) -> None:
        self.lost.append(why)

    def carrier(self, up: bool) -> None:  # the port's signature
        self.carriers.append(up)


def joined(port: Any, transport: StringTransport) -> None:
    port.makeConnection(transport)


def dcd_of(port: TcpModemPort) -> bool | None:
    return port.dcd


def raw() -> tuple[TcpModemPort, User, StringTransport]:
    user, transport = User(), StringTransport()
    port = TcpModemPort(user, "socket://h:1")
    joined(port, transport)
    return port, user, transport


def with_lines() -> tuple[Rfc2217Port, User, StringTransport]:
    user, transport = User(), StringTransport()
    port = Rfc2217Port(user, "rfc2217://h:1", 9600)
    joined(port, transport)
    transport.clear()
    port.dataReceived(bytes((rfc2217.IAC, rfc2217.DO, rfc2217.COM_PORT)))
    return port, user, transport


def test_raw_port_passes_bytes_both_ways_and_has_no_lines() -> None:
    port, user, transport = raw()
    port.write(b"AT\r\xff")
    port.set_speed(300)
    port.set_dtr(False)
    port.dataReceived(b"\xffOK")
    assert transport.value() == b"AT\r\xff"
    assert bytes(user.heard) == b"\xffOK"
    assert port.dcd is None


def test_port_that_another_program_has_is_lost_with_the_reason() -> None:
    port, user, transport = raw()
    port.dataReceived(b"Port already in use\r\n")
    assert "another program has the port" in user.lost[0]
    assert transport.disconnecting
    port.connectionLost(Failure(ConnectionDone()))
    assert len(user.lost) == 1


def test_words_of_a_meter_are_not_taken_for_the_servers() -> None:
    port, user, _ = raw()
    port.dataReceived(b"\r\nOK\r\n")
    port.dataReceived(b"port already in use")
    assert user.lost == []


def test_connection_that_ends_is_a_lost_port_and_one_we_closed_is_not() -> None:
    port, user, _ = raw()
    port.connectionLost(Failure(ConnectionDone()))
    assert user.lost == ["socket://h:1: the other end closed the connection"]
    port, user, _ = raw()
    port.close()
    port.connectionLost(Failure(ConnectionDone()))
    assert user.lost == []


def test_flow_control_reaches_the_connection() -> None:
    port, _, transport = raw()
    port.pause()
    assert transport.producerState == "paused"
    port.resume()
    assert transport.producerState == "producing"


def test_rfc2217_port_sets_itself_when_the_server_has_agreed() -> None:
    _, _, transport = with_lines()
    assert transport.value() == rfc2217.settings(9600)


def test_rfc2217_port_escapes_255_and_orders_dtr_and_speed() -> None:
    port, user, transport = with_lines()
    transport.clear()
    port.write(b"\xff")
    port.set_dtr(False)
    port.set_speed(9600)
    port.set_speed(19200)
    assert transport.value() == b"\xff\xff" + rfc2217.ordered(5, b"\x09") + rfc2217.ordered(
        1, bytes.fromhex("00004B00")
    )
    port.dataReceived(b"\xff\xffa")
    assert bytes(user.heard) == b"\xffa"


def test_carrier_is_told_when_it_changes_and_unknown_where_there_are_no_lines() -> None:
    port, user, _ = with_lines()

    def state(value: int) -> None:
        port.dataReceived(rfc2217.ordered(107, bytes((value,))))

    state(0)
    assert dcd_of(port) is None
    assert user.carriers == []
    state(0x30)
    assert dcd_of(port) is False
    state(0xB8)
    state(0x38)
    assert user.carriers == [True, False]
    assert dcd_of(port) is False


def test_server_that_does_not_know_rfc2217_is_said() -> None:
    user: Any = User()
    transport = StringTransport()
    port = Rfc2217Port(user, "rfc2217://h:1", 9600)
    joined(port, transport)
    port.dataReceived(bytes((rfc2217.IAC, rfc2217.DONT, rfc2217.COM_PORT)))
    assert "does not know RFC 2217" in user.lost[0]


def test_server_that_leaves_every_order_unanswered_serves_all_the_same() -> None:
    port, user, _ = with_lines()
    port.write(b"AT\r")
    port.dataReceived(b"\r\nOK\r\n")
    assert bytes(user.heard) == b"\r\nOK\r\n"
