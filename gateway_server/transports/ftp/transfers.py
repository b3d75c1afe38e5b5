"""What a control connection does with data connections: which there is, what comes or goes over it, and how it ends.

An upload is over when its data connection has ended well while the client was still there to be told. Whatever else
happens, what came is kept as incomplete.
"""

from __future__ import annotations

import socket
from time import monotonic

import pyftpdlib.ioloop as pyftpdlib_loop

from gateway_server.errors import StoreError, StoreFull
from gateway_server.model import Outcome
from gateway_server.store.records import FileRecord, SessionOpening
from gateway_server.transports.ftp.control import Control
from gateway_server.transports.ftp.data import Active, Data
from gateway_server.transports.ftp.delivery import Delivery, notes
from gateway_server.transports.ftp.paths import raw_of, readable

_LEAVING_SECONDS = 1.0  # in which the data connection of a client that has said QUIT and hung up may still come


class Transfers(Control):
    """A control connection with its data connection."""

    dtp_handler = Data
    active_dtp = Active

    # the data connection

    def drop_data(self) -> None:
        """Whatever there is of a data connection goes."""
        if self.door is not None:
            self.door.release()
        for of in (self._dtp_connector, self.data_channel):
            if of is not None:
                of.close()
        self.door = self._dtp_connector = self.data_channel = None

    def _make_epasv(self, extmode: bool = False) -> None:
        self.drop_data()
        door = self.desk.doors.door(self, self.terms.passive_ports)
        if door is None:
            self.respond("425 No port is free for the data connection; try again later.")
            self.refused("every port of the passive range is taken")
            return
        self.door = door
        self.passive(door.place[1].removeprefix("::ffff:"), door.port, extended=extmode)

    def passive(self, here: str, port: int, *, extended: bool) -> None:
        """A port waits for the client's data connection."""
        if extended:
            self.respond(f"229 Entering extended passive mode (|||{port}|).")
            return
        address = self.terms.masquerade_for(self.host) or here
        self.respond(f"227 Entering passive mode ({address.replace('.', ',')},{port // 256},{port % 256}).")

    def data_came(self, sock: socket.socket, address: str) -> None:
        """Somebody comes in at our door; only the client may."""
        if not self.terms.admits_data(self.host, address.removeprefix("::ffff:")):
            sock.close()
            self.respond("425 A data connection from another address was refused.")
            self.refused(f"a data connection came from another address, {address}")
        else:
            self.data_connected(sock)

    def door_lost(self) -> None:
        """Our door is no more."""
        self.door = None
        if self.delivery is not None or self._sending:
            self._no_data()

    def _make_eport(self, ip: str, port: int) -> None:
        if not self.terms.admits_data(self.host, ip):
            self.respond("501 A data connection to another address is refused.")
            self.refused(f"PORT named another address, {ip}")
        elif port < 1024:
            self.respond("501 A data connection to a port below 1024 is refused.")
            self.refused(f"PORT named port {port}")
        else:
            self.drop_data()
            connector = Active(ip, port, self)
            if not connector._closed and not connector.handed_on:
                self._dtp_connector = connector

    def data_connected(self, sock: socket.socket) -> None:
        """The data connection is there."""
        if self.door is not None:
            self.door.release()
            self.door = None
        self.active_at = monotonic()
        channel = self.dtp_handler(sock, self)
        if not channel.connected:
            return
        self.data_channel = channel
        if self.desk.held:
            channel.hold()
        if self.delivery is not None:
            channel.receive_into(self.delivery)
        elif self._out_dtp_queue is not None:
            content, _, _, _ = self._out_dtp_queue
            self._out_dtp_queue = None
            self._send(content)

    def active_connected(self, sock: socket.socket) -> None:
        """We have connected to the client."""
        self._dtp_connector = None
        self.respond("200 Active data connection established.")
        self.data_connected(sock)
        self.work()

    def active_failed(self) -> None:
        """The client does not listen where it said."""
        self._dtp_connector = None
        self.respond("425 Cannot connect to that address and port.")
        self.refused("nobody listens where PORT said")
        self.work()

    def has_data(self) -> bool:
        """Whether there is a data connection, or will be one; says 425 if not."""
        if self.data_channel is not None or self.door is not None:
            return True
        self.respond("425 Use PASV or PORT first.")
        return False

    def send_listing(self, content: bytes) -> None:
        """Sends something over the data connection."""
        self._sending = True
        if self.data_channel is not None:
            self.respond("125 Here it comes.")
            if self.data_channel is not None:  # the client may be gone
                self._send(content)
        else:
            self.respond("150 Here it comes.")
            self._out_dtp_queue = (content, False, None, None)

    def _send(self, content: bytes) -> None:
        channel = self.data_channel
        assert channel is not None  # the caller looked
        channel.sending = True
        self._sent = 0
        channel.push(content)
        if self.data_channel is not None:
            channel.close_when_done()

    def _on_dtp_close(self) -> None:
        self.data_channel = None
        if self._sending:
            self._sending = False
            self.active_at = monotonic()
            self.work()

    # an upload

    def receive(self, delivery: Delivery, name: str = "") -> None:
        """An upload begins; its bytes come over the data connection that is there or will be."""
        self.delivery = delivery
        self.active_at = monotonic()
        code = 150 if self.data_channel is None else 125
        self.respond(f"{code} FILE: {name}" if name else f"{code} Ready for the file.")
        delivery.said(self.take_said())
        self.desk.begin(self, delivery)
        if self.data_channel is not None:
            self.data_channel.receive_into(delivery)

    def delivery_received(self, delivery: Delivery) -> None:
        """More of it came."""
        self.active_at = monotonic()
        if delivery.whole_size > self.terms.largest_file:
            why = f"the file is larger than {self.terms.largest_file} bytes"
        else:
            self.desk.received(delivery)
            if not self.desk.usage.over_quota(delivery.allowances):
                return
            why = "the account's quota for today is used up"
        self._refuse(f"552 Refused: {why}.", why)

    def no_room(self) -> None:
        """The store's disk is full: what is on its way cannot be kept."""
        self._refuse("452 The disk is full; nothing was stored. Try again later.", "the store's disk is full")

    def _refuse(self, reply: str, why: str) -> None:
        """Wants no more of a file, in a way that lets the client read the reply whatever it is still sending."""
        if self.data_channel is not None:
            self.desk.remains.take(self.data_channel.surrender())
        self.cut_off(reply, why)

    def delivery_over(self, delivery: Delivery, why: str) -> None:
        """Its data connection has ended: all of it came, if nothing speaks against that."""
        if delivery is not self.delivery:
            return
        if why:
            self.cut_off(f"426 Transfer aborted: {why}.", why)
            return
        self._waiting = True
        if not self._leaving:
            self.handle_read_event()  # a client that is gone altogether did not mean this to be the end of the file
        if self.delivery is delivery:
            self._finish(delivery)

    def _finish(self, delivery: Delivery) -> None:
        self._committing = True
        if self._said:
            delivery.said(self.take_said())
        self.desk.end(self, delivery, "", lambda result: self._answered(delivery, result))

    def _answered(self, delivery: Delivery, result: FileRecord | StoreError) -> None:
        self.delivery = None
        self._committing = False
        if self._closed:
            if isinstance(result, FileRecord):
                self.desk.unheard(result)
            return
        self._waiting = False
        self.active_at = monotonic()
        if isinstance(result, FileRecord):
            self._write(b"226 Stored.\r\n")
            if self._closed and not self._leaving:
                self.desk.unheard(result)
            self.stored(delivery, result)
        elif isinstance(result, StoreFull):
            self.respond("452 The disk is full; nothing was stored. Try again later.")
            self.refused("the store's disk is full")
        else:
            self.respond("451 The file could not be stored. Try again later.")
            self.refused(f"the store failed: {result}")
        self.work()

    def stored(self, delivery: Delivery, file: FileRecord) -> None:
        """A file is safe."""
        raise NotImplementedError

    def _kept(self, delivery: Delivery, result: FileRecord | StoreError) -> None:
        """What came of a file that was cut off is in the store; SIZE and REST have waited for that."""
        self._keeping -= 1
        if self._closed:
            return
        if isinstance(result, FileRecord):
            self.kept(delivery, result)
        self.work()

    def kept(self, delivery: Delivery, file: FileRecord) -> None:
        """This connection may go on with a file."""
        raise NotImplementedError

    def cut_off(self, reply: str, why: str) -> None:
        """An upload ends before its end: what came is kept, and a resume may complete it."""
        delivery, self.delivery = self.delivery, None
        assert delivery is not None  # the caller looked
        if self.data_channel is not None:
            self.data_channel.drain()
            self.data_channel.abandon()
        self.drop_data()
        if reply:
            self.respond(reply)
        if self._closed or reply:
            self.refused(f"{delivery.command} {readable(raw_of(delivery.path))}: {why}")
        delivery.said(self.take_said())
        if delivery.size or delivery.in_parts:
            self._keeping += 1
            self.desk.end(self, delivery, why, lambda result: self._kept(delivery, result))
        else:
            self.desk.drop(self, delivery, Outcome.LINE_LOST, why)
        self._refusals.clear()
        if not self._closed:
            self.work()

    # what takes too long

    def overdue(self, now: float) -> None:
        """Looks what this connection waits for, and ends that if it takes too long."""
        terms = self.terms
        idle = now - self.active_at
        delivery = self.delivery
        if self._waiting:
            return
        if delivery is not None or self._sending:
            if self.data_channel is None:
                if idle > (_LEAVING_SECONDS if self._leaving else terms.data_timeout):
                    self._no_data()
            elif idle > terms.stall_timeout and not self.desk.held:
                if delivery is not None:
                    self.cut_off(f"426 Nothing came for {terms.stall_timeout:g} s.", "the client fell silent")
                elif self.data_channel.tot_bytes_sent > self._sent:
                    self._sent = self.data_channel.tot_bytes_sent
                    self.active_at = now
                else:
                    self.data_channel.handle_close()
        elif self._dtp_connector is not None:
            if idle > terms.data_timeout:
                self._dtp_connector.handle_close()
        else:
            if self.door is not None and idle > terms.data_timeout:
                self.door.release()
                self.door = None
            if idle > (terms.idle_timeout if self.account is not None else terms.login_timeout):
                self.respond("421 Nothing was said for too long.")
                if self.account is None:
                    self.refused("nobody logged in")
                self.close()

    def _no_data(self) -> None:
        reply = "425 No data connection came."
        if self.delivery is not None:
            self.cut_off(reply, "no data connection came")
            return
        self.drop_data()
        self._out_dtp_queue = None
        self._sending = False
        self.respond(reply)
        self.work()

    # the end

    def close(self) -> None:
        """The connection ends; a file that was coming over it is incomplete."""
        if self._closed:
            return
        pyftpdlib_loop.AsyncChat.close(self)
        self.server.gone(self)
        if self.delivery is not None and not self._committing:
            self.cut_off("", "the control connection was lost")
        else:
            self.drop_data()
        self._out_dtp_queue = None
        self._lines.clear()
        if self._refusals:
            opening = SessionOpening(
                "ftp",
                self.remote,
                self._began_ms,
                serial=self.account.serial if self.account is not None else "",
                listener=self.terms.name,
                caller=self.account.login if self.account is not None else self.tried,
            )
            why = "; ".join(dict.fromkeys(self._refusals))[:1000]
            self.desk.remark(opening, why, notes(self.take_said()))
