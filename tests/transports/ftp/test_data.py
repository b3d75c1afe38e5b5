"""Data connections: passive within the range, behind a router, active, and of nobody but the client."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gateway_server.transports.ftp.terms import Terms, network_of
from tests.transports.ftp.hall import free_ports, hall, upload

TERMS = Terms("drop")
LOOPBACK = network_of("127.0.0.0/8")


def port_of(reply: str) -> int:
    numbers = reply[reply.index("(") + 1 : reply.index(")")].split(",")
    return int(numbers[4]) * 256 + int(numbers[5])


def test_passive_port_is_one_of_the_range_and_none_is_425(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with hall(tmp_path, replace(TERMS, passive_ports=range(port, port + 1))) as place:
        first, second = place.logged_in(), place.logged_in()
        assert port_of(first.say("PASV")) == port
        assert second.say("PASV") == "425 No port is free for the data connection; try again later."
        assert second.say("STOR a") == "425 Use PASV or PORT first."
        assert first.say("ABOR") == "225 Data connection closed."
        assert second.upload("STOR a", b"x") == "226 Stored."


def test_port_of_the_range_is_used_again_at_once(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with hall(tmp_path, replace(TERMS, passive_ports=range(port, port + 1))) as place:
        client = place.logged_in()
        assert [client.upload(f"STOR {n}", bytes([n])) for n in range(10)] == ["226 Stored."] * 10


def test_pasv_tells_the_routers_address_and_to_inner_clients_our_own(tmp_path: Path) -> None:
    outer = ((network_of("0.0.0.0/0"), "203.0.113.7"),)
    with hall(tmp_path, replace(TERMS, masquerade=outer), Terms("inner", masquerade=((LOOPBACK, ""), *outer))) as place:
        client = place.client()
        assert client.sendcmd("PASV").startswith("227 Entering passive mode (203,0,113,7,")
        inner = place.client(port=place.places[1][1])
        assert inner.sendcmd("PASV").startswith("227 Entering passive mode (127,0,0,1,")
        assert upload(inner, "a", b"x") == "226 Stored."


def test_epsv_tells_no_address_and_can_be_switched_off(tmp_path: Path) -> None:
    with hall(tmp_path, TERMS, Terms("old", extended_passive=False)) as place:
        client = place.logged_in()
        reply = client.say("EPSV")
        assert reply.startswith("229 Entering extended passive mode (|||")
        with socket.create_connection(("127.0.0.1", int(reply.split("|")[3]))) as data:
            assert client.say("STOR a")[:3] in ("125", "150")
            data.sendall(b"x")
        assert client.reply() == "226 Stored."
        old = place.client(port=place.places[1][1])
        assert old.sendcmd("FEAT").count("EPSV") == 0
        raw = place.raw(place.places[1][1])
        raw.reply()
        raw.say("USER m1")
        raw.say("PASS correct horse")
        assert raw.say("EPSV") == "502 EPSV is switched off; use PASV."


def test_data_connection_from_another_address_is_refused_and_the_port_goes_on_waiting(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        port = port_of(client.say("PASV"))
        assert client.say("STOR a").startswith("150")
        with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0)) as stranger:
            assert client.reply() == "425 A data connection from another address was refused."
            assert stranger.recv(1) == b""
        with socket.create_connection(("127.0.0.1", port)) as data:
            data.sendall(b"mine")
        assert client.reply() == "226 Stored."
        assert place.content(place.files()[0]) == b"mine"


def test_data_connection_from_another_address_of_the_operators_network_is_taken(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, data_networks=(LOOPBACK,))) as place:
        client = place.logged_in()
        port = port_of(client.say("PASV"))
        client.send(b"STOR a\r\n")
        assert client.reply().startswith("150")
        with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0)) as data:
            data.sendall(b"mine")
        assert client.reply() == "226 Stored."


def test_active_mode_connects_to_the_client_and_to_nobody_else(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.client()
        client.set_pasv(False)
        assert upload(client, "a", b"by PORT") == "226 Stored."
        assert place.content(place.files()[0]) == b"by PORT"
        raw = place.logged_in()
        assert raw.say("PORT 10,0,0,1,200,1") == "501 A data connection to another address is refused."
        assert raw.say("PORT 127,0,0,1,0,22") == "501 A data connection to a port below 1024 is refused."
        (port,) = free_ports(1)
        assert raw.say(f"EPRT |1|127.0.0.1|{port}|") == "425 Cannot connect to that address and port."
        assert raw.say("EPRT |2|::1|4000|") == "522 Network protocol not supported (use 1)."
        assert raw.upload("STOR b", b"by PASV") == "226 Stored."


def test_active_mode_can_be_switched_off(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, active=False)) as place:
        assert place.logged_in().say("PORT 127,0,0,1,200,1") == "502 Active mode is switched off; use PASV."


def test_another_pasv_replaces_the_first(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        first = client.passive()
        assert client.upload("STOR a", b"x") == "226 Stored."
        with suppress(ConnectionResetError):
            assert first.recv(1) == b""
        assert client.say("EPSV ALL").startswith("220")
        assert client.say("PASV") == "501 PASV not allowed after EPSV ALL."
