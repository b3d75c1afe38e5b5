"""The program's reactor with sockets of its own, never run: each test polls once."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from socket import socket, socketpair
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from gateway_server.transports.epoll import LeanEPollReactor


class Reader:
    """One end of a connection, as the reactor sees it."""

    def __init__(self, reactor: Any) -> None:
        self.own, self.others = socketpair()
        self.got: list[bytes] = []
        self.lost: list[object] = []
        self.fileno = self.own.fileno
        self.reactor = reactor
        reactor.addReader(self)

    def doRead(self) -> object:
        data = self.own.recv(100)
        self.got.append(data)
        return None if data else ConnectionDone()

    def doWrite(self) -> object:
        self.got.append(b"(writable)")
        return self.reactor.removeWriter(self)

    def connectionLost(self, reason: Failure) -> None:
        self.lost.append(reason.value)
        self.close()

    def close(self) -> None:
        self.reactor.removeReader(self)
        self.own.close()
        self.others.close()

    def logPrefix(self) -> str:
        return "a reader"


@pytest.fixture
def reactor() -> Iterator[Any]:
    make: Any = LeanEPollReactor  # Twisted's own has no types
    reactor = make()
    yield reactor
    for selectable in reactor.removeAll():
        if isinstance(selectable, Reader):
            selectable.close()
    for waker in reactor._internalReaders:
        waker.connectionLost(Failure(ConnectionDone()))
    reactor._poller.close()


def test_everybody_whose_bytes_came_reads_them_in_one_poll(reactor: Any) -> None:
    one, quiet, two = Reader(reactor), Reader(reactor), Reader(reactor)
    for reader in (one, two):
        reader.others.send(b"/?!\r\n")
    reactor.doIteration(0)
    assert (one.got, quiet.got, two.got) == ([b"/?!\r\n"], [], [b"/?!\r\n"])


def test_whoever_waits_to_write_is_told_beside_the_reading(reactor: Any) -> None:
    both = Reader(reactor)
    reactor.addWriter(both)
    both.others.send(b"abc")
    reactor.doIteration(0)
    assert both.got == [b"abc", b"(writable)"]


def test_connection_that_ended_is_lost_once(reactor: Any) -> None:
    one, two = Reader(reactor), Reader(reactor)
    one.others.close()
    two.others.send(b"abc")
    reactor.doIteration(0)
    reactor.doIteration(0)
    assert [type(reason) for reason in one.lost] == [ConnectionDone]
    assert (two.got, two.lost) == ([b"abc"], [])


def test_reader_that_another_one_ended_in_the_same_poll_is_not_asked(reactor: Any) -> None:
    readers = [Reader(reactor), Reader(reactor)]

    def end(reader: Reader, other: Reader) -> None:
        other.close()
        reader.got.append(reader.own.recv(100))

    one, two = readers
    one.doRead, two.doRead = (lambda: end(one, two)), (lambda: end(two, one))  # type: ignore[method-assign]
    for reader in readers:
        reader.others.send(b"abc")
    reactor.doIteration(0)
    assert sorted([one.got, two.got]) == [[], [b"abc"]]


@pytest.mark.end_to_end
def test_reader_that_fails_loses_only_its_own_connection() -> None:
    """In a process of its own: here an error in Twisted's log fails the test."""
    program = """
        from tests.transports.test_epoll import LeanEPollReactor, Reader
        reactor = LeanEPollReactor()
        bad, good = Reader(reactor), Reader(reactor)
        bad.doRead = lambda: 1 / 0
        for reader in (bad, good):
            reader.others.send(b"abc")
        reactor.doIteration(0)
        print([type(reason).__name__ for reason in bad.lost], good.got, good.lost)
    """
    said = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    assert said.stdout == "['ZeroDivisionError'] [b'abc'] []\n"


def test_waker_is_read_like_everybody_else(reactor: Any) -> None:
    called: list[socket | int] = []
    reactor.callFromThread(called.append, 7)
    reactor.doIteration(0)
    reactor.runUntilCurrent()
    assert called == [7]
