"""The uploads of the demo, in a reactor of memory."""

from __future__ import annotations

from gateway_server.testing.demo_uploads import UNITS, DemoUploads
from tests.testing.memory import started, take_call


def test_every_unit_calls_the_drop_under_its_own_account() -> None:
    reactor = started()
    uploads = DemoUploads(reactor, "127.0.0.1", 2121)
    uploads.start()
    assert [call[:2] for call in reactor.tcpClients] == [("127.0.0.1", 2121)] * len(UNITS)
    for number, unit in enumerate(UNITS):
        protocol, line = take_call(reactor, number)
        protocol.dataReceived(b"220 ready\r\n")
        assert line.take() == f"USER unit{unit.serial}\r\n".encode()
        assert unit.route == f"ftp:unit{unit.serial}"
    uploads.stop()
    assert [call for call in reactor.getDelayedCalls() if call.active()] == []


def test_files_of_one_can_be_read_and_those_of_another_not() -> None:
    assert {unit.form for unit in UNITS} == {"rows", "unknown"}
