"""A hand on a bank of modems."""

from __future__ import annotations

from twisted.internet.testing import MemoryReactorClock, StringTransport

from gateway_server.testing.modem.control import ModemControl, ModemControlServer, listen_control
from tests.testing.dialling import NUMBER, Desk


def controlled(desk: Desk) -> ModemControl:
    return ModemControl([desk.modem], desk.book)


def test_power_is_cycled_by_a_line_of_text() -> None:
    desk = Desk()
    desk.online()
    control, transport = controlled(desk), StringTransport()
    control.makeConnection(transport)  # type: ignore[no-untyped-call]  # Twisted's
    control.dataReceived(b"power modem\n")  # type: ignore[no-untyped-call]  # Twisted's
    assert transport.value() == b"ok\n"
    assert desk.modem.power_cycles == 1
    assert not desk.modem.off_hook


def test_plug_is_pulled() -> None:
    desk = Desk()
    assert controlled(desk).told(["unplug", "modem", "2.5"]) == "ok"
    assert desk.port.unplugged == [2.5]


def test_number_calls_the_modem_once() -> None:
    desk = Desk()
    control = controlled(desk)
    assert control.told(["ring", "modem", NUMBER]) == "ok"
    assert desk.take() == b"\r\nRING\r\n"
    assert control.told(["ring", "modem", NUMBER]) == "modem is in a call, or has no network"


def test_modem_in_a_call_is_seen() -> None:
    desk = Desk()
    control = controlled(desk)
    assert control.told(["state", "modem"]) == "on hook"
    desk.online()
    assert control.told(["state", "modem"]) == "off hook"


def test_what_cannot_be_done_is_said() -> None:
    control = controlled(Desk())
    assert control.told([]).startswith("not understood; one of: power MODEM")
    assert control.told(["power", "modem9"]) == "there is no modem 'modem9'; choose from: modem"
    assert control.told(["unplug", "modem", "soon"]) == "'soon' is no number of seconds"
    assert control.told(["ring", "modem", "1"]) == "'1' is not in the phone book"


def test_it_listens_where_it_is_told() -> None:
    reactor, desk = MemoryReactorClock(), Desk()
    listen_control(reactor, [desk.modem], desk.book, "127.0.0.1", 7300)
    port, factory, _, interface = reactor.tcpServers[0]
    assert (port, interface) == (7300, "127.0.0.1")
    assert isinstance(factory, ModemControlServer)
    assert isinstance(factory.buildProtocol(None), ModemControl)
