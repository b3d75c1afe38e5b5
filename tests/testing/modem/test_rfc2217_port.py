"""A modem behind an RFC 2217 server, in memory."""

from __future__ import annotations

import pytest
from twisted.internet.testing import MemoryReactorClock

from gateway_server.testing.modem.rfc2217_port import Rfc2217ModemServer, listen_rfc2217
from tests.testing.dialling import NUMBER, Desk
from tests.testing.memory import MemoryTcp, through

AGREES = b"\xff\xfb\x2c"
DTR_OFF = bytes.fromhex("FF FA 2C 05 09 FF F0")
CARRIER_CAME = bytes.fromhex("FF FA 2C 6B B8 FF F0")


def served(desk: Desk) -> tuple[object, MemoryTcp, Rfc2217ModemServer]:
    server = Rfc2217ModemServer(desk.clock, desk.modem)
    protocol, line = through(server.buildProtocol(None))
    line.take()
    return protocol, line, server


def online(desk: Desk, protocol: object, line: MemoryTcp) -> None:
    protocol.dataReceived(AGREES + b"ATE0\r")  # type: ignore[attr-defined]  # Twisted's
    desk.wait(1)
    protocol.dataReceived(f"ATD{NUMBER}\r".encode("ascii"))  # type: ignore[attr-defined]  # Twisted's
    desk.wait(30)


def test_carrier_is_told_when_a_call_gets_through() -> None:
    desk = Desk()
    protocol, line, _ = served(desk)
    online(desk, protocol, line)
    said = line.take()
    assert CARRIER_CAME in said
    assert said.endswith(b"\r\nCONNECT 9600\r\n")


def test_dtr_hangs_up() -> None:
    desk = Desk()
    protocol, line, _ = served(desk)
    online(desk, protocol, line)
    protocol.dataReceived(DTR_OFF)  # type: ignore[attr-defined]  # Twisted's
    desk.wait(1)
    assert not desk.modem.off_hook


@pytest.mark.parametrize("drops", [False, True])
def test_server_may_drop_dtr_when_its_user_leaves(drops: bool) -> None:
    desk = Desk(*["drops_dtr"] * drops)
    protocol, line, _ = served(desk)
    online(desk, protocol, line)
    protocol.connectionLost()  # type: ignore[attr-defined]  # Twisted's
    desk.wait(1)
    assert desk.modem.off_hook is not drops


def test_speed_is_the_clients_once_he_speaks_rfc_2217() -> None:
    desk = Desk("fixed_speed=19200")
    protocol, line, _ = served(desk)
    protocol.dataReceived(AGREES + b"AT\r")  # type: ignore[attr-defined]  # Twisted's
    desk.wait(1)
    assert b"OK" not in line.take()
    protocol.dataReceived(bytes.fromhex("FF FA 2C 01 00 00 4B 00 FF F0") + b"\rAT\r")  # type: ignore[attr-defined]
    desk.wait(1)
    assert line.take().endswith(b"\r\nOK\r\n")


def test_second_user_is_sent_away_without_a_telnet_word() -> None:
    desk = Desk()
    _, _, server = served(desk)
    _, second = through(server.buildProtocol(None))
    assert second.take() == b"Port already in use\r\n"
    assert second.closed


def test_server_listens_where_it_is_told() -> None:
    reactor = MemoryReactorClock()
    listen_rfc2217(reactor, Desk().modem, reactor, "127.0.0.1", 7201)
    port, factory, _, interface = reactor.tcpServers[0]
    assert (port, interface) == (7201, "127.0.0.1")
    assert isinstance(factory, Rfc2217ModemServer)
