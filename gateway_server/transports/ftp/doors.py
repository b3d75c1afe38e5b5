"""The ports at which passive data connections come in.

A listening socket is opened once and serves one client after the other: to open and close one for each file costs more
than the file's bytes do. Between two clients a door waits among some others, and whoever knocks then is turned away, so
a connection that was meant for the client before is never taken for the next one's. Which door comes next nobody can
foretell (RFC 2577, section 8).
"""

from __future__ import annotations

import errno
import random
import socket
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway_server.transports.ftp.transfers import Transfers

BACKLOG = 4
ENOUGH_IDLE = 16  # doors at an address among which the next is chosen; with fewer another one is opened
MOST_IDLE = 32

_Place = tuple[socket.AddressFamily, str]

_TAKEN = {errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL}


class Door:
    """One port. ``control`` is the connection whose client may come in; without one nobody may."""

    def __init__(self, doors: Doors, place: _Place, listening: socket.socket) -> None:
        self.control: Transfers | None = None
        self.place = place
        self.port: int = listening.getsockname()[1]
        self._doors = doors
        self._socket = listening
        self._fileno = listening.fileno()

    def wait_for(self, control: Transfers) -> None:
        """Lets this client in, and nobody who has come before."""
        while (early := self._accepted()) is not None:
            early[0].close()
        self.control = control

    def release(self) -> None:
        """Waits for this client no more."""
        if self.control is not None:
            self.control = None
            self._doors.released(self)

    # what pyftpdlib's loop calls

    def readable(self) -> bool:
        """Always."""
        return True

    def writable(self) -> bool:
        """Never."""
        return False

    def handle_read_event(self) -> None:
        """Somebody is there."""
        try:
            came = self._accepted()
        except OSError:  # most likely every descriptor is in use: the kernel would tell again at once
            control = self.control
            self._doors.lost(self)
            if control is not None:
                control.door_lost()
            return
        if came is None:
            return
        sock, address = came
        if self.control is None or not self.control.connected:
            sock.close()
            self.release()
        else:
            self.control.data_came(sock, address)

    def handle_close(self) -> None:
        """The kernel has closed it."""
        control = self.control
        self._doors.lost(self)
        if control is not None:
            control.door_lost()

    handle_error = handle_close

    def close(self) -> None:
        """No more."""
        self._socket.close()

    def _accepted(self) -> tuple[socket.socket, str] | None:
        try:
            sock, address = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return None
        return sock, str(address[0])


class Doors:
    """All of the FTP thread, by the address they are at."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._open: defaultdict[_Place, set[int]] = defaultdict(set)
        self._idle: defaultdict[_Place, dict[int, Door]] = defaultdict(dict)  # the longest idle first

    def door(self, control: Transfers, ports: range | None) -> Door | None:
        """A door for this client, at the address it has connected to; None if there is none to be had."""
        place = (control.socket.family, str(control.socket.getsockname()[0]))
        idle = self._idle[place]
        fitting = list(idle) if ports is None else [port for port in idle if port in ports]
        door = None
        if len(fitting) < ENOUGH_IDLE:
            door = self._opened(place, ports)
        if door is None and fitting:
            door = idle.pop(random.choice(fitting[: max(1, len(fitting) // 2)]))
        if door is not None:
            door.wait_for(control)
        return door

    def released(self, door: Door) -> None:
        """A door is free for the next client."""
        idle = self._idle[door.place]
        if len(idle) < MOST_IDLE:
            idle[door.port] = door
        else:
            self.lost(door)

    def lost(self, door: Door) -> None:
        """A door is not used again."""
        door.control = None
        self._idle[door.place].pop(door.port, None)
        self._open[door.place].discard(door.port)
        self._loop.unregister(door._fileno)
        door.close()

    def _opened(self, place: _Place, ports: range | None) -> Door | None:
        ours = self._open[place]
        if ports is None:
            wanted = [0]
        else:
            wanted = [port for port in ports if port not in ours]
            random.shuffle(wanted)
        for port in wanted:
            try:
                listening = _listening(place, port)
            except OSError as unable:
                if unable.errno in _TAKEN:
                    continue
                return None
            door = Door(self, place, listening)
            ours.add(door.port)
            self._loop.register(door._fileno, door, self._loop.READ)
            return door
        return None


def _listening(place: _Place, port: int) -> socket.socket:
    listening = socket.socket(place[0], socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        if port:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((place[1], port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
