"""What is said of a place that cannot be opened fits what the system said of it."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from gateway_server.transports.places import why_closed


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EADDRINUSE, "in use; is another program (or another gateway) using the port? `ss -ltnp`"),
        (errno.EADDRNOTAVAIL, "this machine has no such address; `ip address` shows those it has"),
        (errno.EACCES, "ports below 1024 are for root"),
    ],
)
def test_place_that_cannot_be_opened_says_what_to_do(number: int, words: str) -> None:
    assert words in why_closed(OSError(number, os.strerror(number)))


def test_host_that_is_no_address_is_told() -> None:
    assert "name an address of this machine" in why_closed(socket.gaierror(socket.EAI_NONAME, "Name not known"))


def test_address_of_another_machine_is_refused_by_the_system_as_is_said_here() -> None:
    with socket.socket() as sock, pytest.raises(OSError, match="assign") as refused:
        sock.bind(("192.0.2.1", 0))  # a network for documents (RFC 5737)
    assert "no such address" in why_closed(refused.value)
