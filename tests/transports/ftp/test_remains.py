"""What still comes of a refused file goes nowhere, and costs a bounded amount."""

from __future__ import annotations

import socket

import pytest
from twisted.internet.task import Clock

from gateway_server.transports.ftp import remains
from gateway_server.transports.ftp.delivery import PIECE
from gateway_server.transports.ftp.remains import MOST_AT_ONCE, QUIET_SECONDS, SECONDS, Remains


class Loop:
    """What is registered with pyftpdlib's loop, turned by the test."""

    READ = 1

    def __init__(self) -> None:
        self.socket_map: dict[int, object] = {}

    def register(self, fd: int, instance: object, events: int) -> None:
        assert events == self.READ
        self.socket_map[fd] = instance

    def unregister(self, fd: int) -> None:
        del self.socket_map[fd]

    def turn(self) -> None:
        for one in tuple(self.socket_map.values()):
            one.handle_read_event()  # type: ignore[attr-defined]  # what the loop calls


def test_client_may_send_all_it_has_and_its_end_is_the_end() -> None:
    loop = Loop()
    left = Remains(loop)
    client, ours = socket.socketpair()
    left.take(ours)
    with client:
        for _ in range(100):
            client.sendall(b"x" * 1000)
            loop.turn()
        assert len(left) == 1
    for _ in range(3):
        loop.turn()
    assert len(left) == 0
    assert loop.socket_map == {}
    assert ours.fileno() == -1


def test_client_that_sends_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remains, "MOST_BYTES", 3 * PIECE)
    loop = Loop()
    left = Remains(loop)
    client, ours = socket.socketpair()
    left.take(ours)
    with client:
        for _ in range(4):
            assert len(left) == 1
            client.sendall(b"x" * PIECE)
            loop.turn()
            loop.turn()
        assert len(left) == 0
        with pytest.raises(BrokenPipeError):
            client.sendall(b"x")


@pytest.mark.parametrize(
    ("step", "seconds"), [(QUIET_SECONDS + 1, QUIET_SECONDS + 1), (QUIET_SECONDS / 2, SECONDS + 1)]
)
def test_client_that_is_quiet_or_slow_is_cut_off_after_a_while(step: float, seconds: float) -> None:
    clock, loop = Clock(), Loop()
    left = Remains(loop, clock.seconds)
    client, ours = socket.socketpair()
    left.take(ours)
    with client:
        left.sweep()
        while clock.seconds() + step < seconds:
            clock.advance(step)
            client.send(b"x")
            loop.turn()
            left.sweep()
            assert len(left) == 1
        clock.advance(step)
        left.sweep()
        assert len(left) == 0


def test_of_too_many_the_oldest_is_closed() -> None:
    loop = Loop()
    left = Remains(loop)
    clients = []
    for _ in range(MOST_AT_ONCE + 1):
        client, ours = socket.socketpair()
        left.take(ours)
        clients.append(client)
    assert len(left) == MOST_AT_ONCE
    clients[1].setblocking(False)
    assert clients[0].recv(1) == b""
    with pytest.raises(BlockingIOError):
        clients[1].recv(1)
    for client in clients:
        client.close()
    loop.turn()
    assert len(left) == 0
