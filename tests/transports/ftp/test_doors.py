"""Ports for data connections: opened once, handed from client to client, and never to somebody who came before."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from gateway_server.transports.ftp import doors
from gateway_server.transports.ftp.doors import ENOUGH_IDLE, MOST_IDLE, Door, Doors
from tests.transports.ftp.hall import free_ports

HOST = "127.0.0.1"


class Loop:
    """Stands for pyftpdlib's: knows what is registered."""

    READ = 1

    def __init__(self) -> None:
        self.socket_map: dict[int, Door] = {}

    def register(self, fileno: int, door: Door, events: int) -> None:
        self.socket_map[fileno] = door

    def unregister(self, fileno: int) -> None:
        del self.socket_map[fileno]


@dataclass
class Control:
    """Stands for a control connection at an address of ours."""

    host: str = HOST
    connected: bool = True
    came: list[tuple[Any, str]] = field(default_factory=list)
    lost: int = 0

    @property
    def socket(self) -> Any:
        return SimpleNamespace(family=socket.AF_INET, getsockname=lambda: (self.host, 21))

    def data_came(self, sock: Any, address: str) -> None:
        self.came.append((sock, address))

    def door_lost(self) -> None:
        self.lost += 1


class House:
    def __init__(self) -> None:
        self.loop = Loop()
        self.doors = Doors(self.loop)
        self.callers: list[socket.socket] = []

    def door(self, control: Control, ports: range | None = None) -> Door | None:
        return self.doors.door(control, ports)  # type: ignore[arg-type]  # as much of it as is needed

    def some(self, ports: range | None = None) -> tuple[Control, Door]:
        control = Control()
        door = self.door(control, ports)
        assert door is not None
        return control, door

    def call(self, door: Door) -> socket.socket:
        caller = socket.create_connection((HOST, door.port), 5)
        self.callers.append(caller)
        return caller

    def close(self) -> None:
        for door in self.loop.socket_map.values():
            door.close()
        for caller in self.callers:
            caller.close()


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    house.close()


def test_client_comes_in_at_its_door(house: House) -> None:
    control, door = house.some()
    caller = house.call(door)
    door.handle_read_event()
    ((sock, address),) = control.came
    assert (address, sock.getpeername()) == (HOST, caller.getsockname())
    sock.close()


def test_door_is_used_again_and_whoever_came_in_between_is_turned_away(house: House) -> None:
    ports = free_ports(1)
    _, door = house.some(ports)
    door.release()
    early = house.call(door)
    control, again = house.some(ports)
    assert again is door
    assert early.recv(1) == b""
    mine = house.call(door)
    door.handle_read_event()
    ((sock, _),) = control.came
    assert sock.getpeername() == mine.getsockname()
    sock.close()


def test_nobody_comes_in_at_an_idle_door(house: House) -> None:
    control, door = house.some()
    door.release()
    caller = house.call(door)
    door.handle_read_event()
    assert caller.recv(1) == b""
    assert control.came == []


def test_client_whose_control_connection_is_gone_is_turned_away_and_the_door_is_free(house: House) -> None:
    ports = free_ports(1)
    control, door = house.some(ports)
    control.connected = False
    caller = house.call(door)
    door.handle_read_event()
    assert caller.recv(1) == b""
    assert house.some(ports)[1] is door


def test_nobody_can_foretell_the_next_door(house: House) -> None:
    seen = []
    for _ in range(200):
        _, door = house.some()
        seen.append(door.port)
        door.release()
    assert len(set(seen)) == ENOUGH_IDLE
    steps = {(seen.index(here), seen.index(there)) for here, there in pairwise(seen[50:])}
    assert len(steps) > 2 * ENOUGH_IDLE  # a fixed order would have one step from each
    assert all(here != there for here, there in steps)  # the one that was free last waits


def test_ports_stay_within_the_range_and_none_is_left_when_all_are_taken(house: House) -> None:
    ports = free_ports(3)
    doors = [house.some(ports)[1] for _ in ports]
    assert {door.port for door in doors} == set(ports)
    assert house.door(Control(), ports) is None
    doors[1].release()
    assert house.some(ports)[1] is doors[1]


def test_port_that_another_program_has_is_passed_over(house: House) -> None:
    ports = free_ports(2)
    with socket.create_server((HOST, ports[0])):
        assert house.some(ports)[1].port == ports[1]
        assert house.door(Control(), ports) is None


def test_places_with_ranges_of_their_own_share_what_lies_in_both(house: House) -> None:
    ports = free_ports(3)
    _, door = house.some(ports[:2])
    door.release()
    others = {house.some(ports[1:])[1].port for _ in range(2)}
    assert others == {ports[1], ports[2]}


def test_each_address_of_ours_has_doors_of_its_own(house: House) -> None:
    ports = free_ports(1)
    _, inner = house.some(ports)
    outer = house.door(Control("127.0.0.2"), ports)
    assert outer is not None
    assert (outer.port, outer.place[1]) == (inner.port, "127.0.0.2")


def test_many_clients_at_once_leave_a_bounded_number_of_doors_open(house: House) -> None:
    doors = [house.some()[1] for _ in range(2 * MOST_IDLE)]
    assert len(house.loop.socket_map) == 2 * MOST_IDLE
    for door in doors:
        door.release()
    assert len(house.loop.socket_map) == MOST_IDLE


def test_door_that_can_take_nobody_in_is_closed_instead_of_ringing_for_ever(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Door) -> None:
        raise OSError(24, "Too many open files")

    control, door = house.some()
    house.call(door)
    with monkeypatch.context() as patch:
        patch.setattr(Door, "_accepted", full)
        door.handle_read_event()
    assert control.lost == 1
    assert house.loop.socket_map == {}


def test_no_descriptor_left_is_no_door_at_once_and_not_one_port_after_the_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def full(_place: object, port: int) -> socket.socket:
        tried.append(port)
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(doors, "_listening", full)
    assert house.door(Control(), range(50_000, 50_100)) is None
    assert len(tried) == 1
