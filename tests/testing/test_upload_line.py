"""The script of an upload over lines, in a reactor of memory."""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import connectionDone
from twisted.internet.testing import MemoryReactorClock

from gateway_server.testing.upload_line import SETTLES_S, UploadLine
from gateway_server.testing.upload_script import Account, Manners, Stored, UploadFile, upload
from tests.testing.memory import started, take_call, through

FILE = UploadFile("day.abl", b"(1)(2)\r\n")
PASSIVE = b"227 Entering Passive Mode (127,0,0,1,195,80).\r\n"


class Attempt:
    """An attempt whose server is the test."""

    def __init__(self, manners: Manners, attempt: int = 0) -> None:
        self.reactor: MemoryReactorClock = started()
        self.ended: list[Stored] = []
        script = upload(Account("41203377", "secret"), FILE, manners, attempt=attempt)
        self.line = UploadLine(self.reactor, "10.0.0.9", 2121, script, self.ended.append)
        self.line.start()
        self.protocol, self.control = take_call(self.reactor, 0)

    def hears(self, *replies: bytes) -> bytes:
        """The server says this; gives what the uploader said upon it."""
        self.control.take()
        for reply in replies:
            self.protocol.dataReceived(reply)
        return self.control.take()

    def logs_in(self) -> bytes:
        return self.hears(b"220-two\r\n220 lines\r\n", b"331 go on\r\n", b"230 welcome\r\n", b"200 fine\r\n")


def test_passive_upload_from_the_greeting_to_the_end() -> None:
    attempt = Attempt(Manners())
    assert attempt.reactor.tcpClients[0][:2] == ("10.0.0.9", 2121)
    assert attempt.logs_in() == b"USER 41203377\r\nPASS secret\r\nTYPE I\r\nPASV\r\n"
    assert attempt.hears(PASSIVE[:10], PASSIVE[10:]) == b""
    assert attempt.reactor.tcpClients[1][:2] == ("127.0.0.1", 50_000)
    _, data = take_call(attempt.reactor, 1)
    assert attempt.control.take() == b"STOR day.abl\r\n"
    assert data.take() == b""
    attempt.hears(b"150 come\r\n")
    assert (data.take(), data.closed) == (FILE.data, True)
    assert attempt.hears(b"226 stored\r\n") == b"QUIT\r\n"
    assert attempt.ended == []
    attempt.hears(b"221 bye\r\n")
    assert attempt.ended == [Stored(True, "226 stored")]
    assert [call for call in attempt.reactor.getDelayedCalls() if call.active()] == []


def test_active_upload_waits_for_the_server_to_connect() -> None:
    attempt = Attempt(Manners(active=True))
    assert attempt.logs_in().startswith(b"USER")
    (listening,) = attempt.reactor.tcpServers
    assert attempt.hears(b"200 fine\r\n", b"150 come\r\n") == b"STOR day.abl\r\n"
    _, data = through(listening[1].buildProtocol(IPv4Address("TCP", "127.0.0.1", 20)))
    assert (data.take(), data.closed) == (FILE.data, True)
    attempt.hears(b"226 stored\r\n", b"221 bye\r\n")
    assert attempt.ended == [Stored(True, "226 stored")]


def test_extended_passive_connects_to_the_same_host() -> None:
    attempt = Attempt(Manners(extended=True))
    attempt.logs_in()
    attempt.hears(b"229 Entering Extended Passive Mode (|||50001|)\r\n")
    assert attempt.reactor.tcpClients[1][:2] == ("10.0.0.9", 50_001)


def test_cut_data_connection_is_reset_behind_its_bytes() -> None:
    attempt = Attempt(Manners(cut="data"))
    attempt.logs_in()
    attempt.hears(PASSIVE)
    _, data = take_call(attempt.reactor, 1)
    attempt.hears(b"150 come\r\n")
    assert (data.take(), data.aborted) == (FILE.data[:4], False)
    attempt.reactor.advance(SETTLES_S)
    assert data.aborted
    attempt.hears(b"426 cut\r\n")
    assert attempt.ended == [Stored(False, "426 cut")]


def test_two_replies_at_once_are_taken_one_after_the_other() -> None:
    attempt = Attempt(Manners(cut="abort"))
    attempt.logs_in()
    attempt.hears(PASSIVE)
    take_call(attempt.reactor, 1)
    assert attempt.hears(b"150 come\r\n") == b"ABOR\r\n"
    attempt.hears(b"426 aborted\r\n226 closed\r\n")
    assert attempt.ended == [Stored(False, "426 aborted")]


def test_silent_server_is_given_up() -> None:
    attempt = Attempt(Manners())
    attempt.reactor.advance(74)
    assert attempt.ended == []
    attempt.reactor.advance(2)
    assert attempt.ended == [Stored(False, "the server does not answer")]
    assert attempt.control.closed


def test_server_that_hangs_up_ends_the_attempt() -> None:
    attempt = Attempt(Manners())
    attempt.protocol.connectionLost(connectionDone)
    assert attempt.ended == [Stored(False, "the server hung up")]


def test_stopped_attempt_lets_everything_go_and_is_not_acknowledged() -> None:
    attempt = Attempt(Manners())
    attempt.logs_in()
    attempt.hears(PASSIVE)
    _, data = take_call(attempt.reactor, 1)
    attempt.line.stop()
    assert data.aborted
    assert attempt.control.closed
    assert attempt.ended == [Stored(False, "stopped")]
