"""The data connections of the FTP drop, and how one is made in active mode (in passive mode `doors` does).

pyftpdlib takes the end of a data connection, however it came, for the end of the file and says 226 before anybody is
asked. Here a reset is a loss, and what the end means is the control connection's to say.
"""

from __future__ import annotations

import errno
import logging
import socket
from typing import TYPE_CHECKING, Any

import pyftpdlib.ioloop as pyftpdlib_loop  # the first of its modules: it imports asyncore without a warning
from pyftpdlib.exceptions import _RetryError
from pyftpdlib.handlers.ftp.data import DTPHandler
from pyftpdlib.handlers.ftp.dispatchers import ActiveDTP

from gateway_server.transports.ftp.delivery import PIECE, Delivery

if TYPE_CHECKING:
    from gateway_server.transports.ftp.transfers import Transfers

logger = logging.getLogger(__name__)

_MOST_DRAINED = 64  # pieces; more than the kernel keeps


class Data(DTPHandler):  # type: ignore[misc]  # pyftpdlib has no types
    """A data connection: receives a delivery, or sends a listing as pyftpdlib does."""

    timeout = 0  # the control connection's sweep looks after it

    def __init__(self, sock: socket.socket, cmd_channel: Transfers) -> None:
        self.delivery: Delivery | None = None
        self.sending = False
        self.held = False
        super().__init__(sock, cmd_channel)

    def receive_into(self, delivery: Delivery) -> None:
        """From now on what comes is this file."""
        self.delivery = delivery
        self.receive = True
        self._initialized = True
        if not self.held:
            self._wanted_io_events = self.ioloop.READ
            self.modify_ioloop_events(self.ioloop.READ)

    def hold(self) -> None:
        """Lets the kernel, and so the client, wait: the store is behind."""
        self.held = True
        if self.receive and not self._closed:
            self._wanted_io_events = 0
            self.modify_ioloop_events(0)

    def go_on(self) -> None:
        """Reads on."""
        self.held = False
        if self.receive and not self._closed:
            self._wanted_io_events = self.ioloop.READ
            self.modify_ioloop_events(self.ioloop.READ)

    # what pyftpdlib's loop calls

    def add_channel(self, map: Any = None, events: int | None = None) -> None:
        """Nothing is read before somebody knows what it is; pyftpdlib would take early bytes for the end."""
        if events is None:
            control: Transfers = self.cmd_channel
            events = self.ioloop.READ if control.delivery is not None and not control.desk.held else 0
        super().add_channel(map, events)

    def readable(self) -> bool:
        """Whether a file is coming."""
        return bool(self.receive)

    def recv(self, buffer_size: int) -> bytes:
        """Tells an end from a loss, which pyftpdlib does not."""
        try:
            data: bytes = self.socket.recv(buffer_size)
        except BlockingIOError:
            raise _RetryError from None
        except OSError as lost:
            self._over(f"the data connection broke off: {lost.strerror or lost}")
            return b""
        if not data:
            self._over("")
        return data

    def handle_read(self) -> None:
        """Bytes of the file, or its end; the end of a small file is there as soon as its bytes are."""
        delivery = self.delivery
        for _ in range(2):
            if delivery is None or self.delivery is not delivery or self.held:
                return
            try:
                data = self.recv(PIECE)
            except _RetryError:
                return
            if not data:
                return
            self.tot_bytes_received += len(data)
            delivery.received(data)
            self.cmd_channel.delivery_received(delivery)
            if len(data) == PIECE:
                return

    handle_read_event = handle_read

    def handle_close(self) -> None:
        """The other end is gone, by an error if it was receiving."""
        if self.delivery is None:
            if self.sending:
                super().handle_close()
            else:
                self.close()
            return
        error = 0
        if not self._closed:
            error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._over(f"the data connection broke off: {errno.errorcode.get(error, 'it was hung up')}")

    def handle_error(self) -> None:
        """A fault of ours, or of TLS."""
        if self.sending:
            super().handle_error()
            return
        logger.exception("a data connection failed")
        self._over("the data connection failed")

    def _over(self, why: str) -> None:
        delivery, self.delivery = self.delivery, None
        control: Transfers = self.cmd_channel
        self.close()
        if delivery is not None:
            control.delivery_over(delivery, why)

    def drain(self) -> None:
        """Takes what has arrived already: the news that all is over may have overtaken it."""
        delivery = self.delivery
        if delivery is None or self._closed:
            return
        for _ in range(_MOST_DRAINED):
            try:
                data = self.socket.recv(PIECE)
            except OSError:
                return
            if not data:
                return
            delivery.received(data)

    def abandon(self) -> None:
        """Closes it although the file may not be whole; whoever asks says the rest."""
        self.delivery = None
        self.close()

    def surrender(self) -> socket.socket:
        """Closes it but for its socket, over which more of a refused file may come."""
        left = socket.socket(fileno=self.socket.detach())
        self.abandon()
        return left

    def close(self) -> None:
        """Closes it. Of a listing pyftpdlib says whether it went out; of an upload the control connection does."""
        if self.sending:
            super().close()
        elif not self._closed:
            pyftpdlib_loop.AsyncChat.close(self)
            if self.cmd_channel.data_channel is self:
                self.cmd_channel.data_channel = None


class Active(ActiveDTP):  # type: ignore[misc]  # pyftpdlib has no types
    """Connects to where the client listens."""

    timeout = 0  # the control connection's sweep looks after it
    handed_on = False

    def handle_connect(self) -> None:
        """It is there, or it is not."""
        self.del_channel()
        control: Transfers = self.cmd_channel
        if self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.handle_close()
        elif control.connected:
            self.handed_on = True
            control.active_connected(self.socket)
        else:
            self.close()

    def handle_close(self) -> None:
        """Nobody listens there."""
        if not self._closed:
            self.close()
            self.cmd_channel.active_failed()
