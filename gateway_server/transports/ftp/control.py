"""One control connection of the FTP drop: lines in, replies out, its data connection, and what takes too long.

Commands are answered one after the other: while a file comes, or the store is asked, the next ones wait, but for ABOR,
STAT and NOOP. So a client that sends ahead never mixes two files, and 226 is never followed by what belongs before it.
"""

from __future__ import annotations

import re
import socket
from collections import deque
from collections.abc import Sequence
from time import monotonic
from typing import Any, NamedTuple

import pyftpdlib.ioloop as pyftpdlib_loop
from pyftpdlib.exceptions import _RetryError
from pyftpdlib.handlers.ftp.control import FTPHandler

from gateway_server.transports.ftp.data import Active, Data
from gateway_server.transports.ftp.delivery import Delivery, Said
from gateway_server.transports.ftp.desk import Desk
from gateway_server.transports.ftp.doors import Door
from gateway_server.transports.ftp.login import Account, Attempts
from gateway_server.transports.ftp.secrecy import command_of, shown
from gateway_server.transports.ftp.terms import Network, Terms, within

MOST_LINE = 4096  # bytes of a command
MOST_WAITING = 64  # commands that a client may send ahead
MOST_UNREAD = 256  # replies that a client may leave unread
MOST_REFUSED = 100  # commands in a row that a client may get wrong
MOST_SAID = 200  # lines of the dialogue kept for the log

_LINE_ENDS = re.compile(rb"[\r\n]+")
_AT_ONCE = frozenset({"ABOR", "STAT", "NOOP"})


class Own(NamedTuple):
    """A file that this very connection uploaded, whole or in part."""

    id: int
    size: int
    whole: bool = True


class Control(FTPHandler):  # type: ignore[misc]  # pyftpdlib has no types
    """The connection without its data connections and commands, which `Transfers` and `Conversation` add."""

    timeout = 0  # the desk's sweep looks after it
    read_bytes = 4096

    def __init__(self, conn: socket.socket, server: Any, ioloop: Any = None) -> None:
        self.terms: Terms = server.terms
        self.desk: Desk = server.desk
        self.attempts: Attempts = server.attempts
        self.account: Account | None = None
        self.delivery: Delivery | None = None
        self.host = ""
        self.tried = ""  # the login that was tried last
        self.folder = "/"
        self.own: dict[str, Own] = {}  # what this very connection uploaded
        self._renaming = ""  # the path that RNFR named
        self.active_at = monotonic()
        self._began_ms = self.desk.now_ms()
        self._waiting = False
        self._committing = False
        self._keeping = 0  # files that were cut off and are not in the store yet
        self._sending = False
        self._sent = 0
        self._lines: deque[bytes] = deque()
        self._rest = b""
        self._skipping = False
        self._leaving = False
        self._wrong = 0
        self._refusals: list[str] = []
        self._said: list[Said] = []
        self.data_channel: Data | None = None
        self.door: Door | None = None
        self._dtp_connector: Active | None = None
        self._out_dtp_queue: tuple[bytes, bool, None, None] | None = None
        super().__init__(conn, server, ioloop)
        self.host = str(self.remote_ip).removeprefix("::ffff:")

    @property
    def remote(self) -> str:
        """The client's ``HOST:PORT``."""
        return f"{self.host}:{self.remote_port}"

    def within(self, networks: Sequence[Network]) -> bool:
        """Whether the client's address is of one of these."""
        return within(self.host, networks)

    @property
    def busy(self) -> bool:
        """Whether the next command has to wait."""
        return bool(
            self._waiting
            or self._sending
            or self._keeping
            or self.delivery is not None
            or self._dtp_connector is not None
        )

    def handle(self) -> None:
        """Greets the client."""
        self.respond(f"220 {self.terms.banner}")

    # lines in

    def readable(self) -> bool:
        """Whether anything is read."""
        return bool(self.connected)

    def writable(self) -> bool:
        """Whether anything waits to be sent."""
        return bool(self.connected and self.producer_fifo)

    def handle_read(self) -> None:
        """Bytes of commands."""
        try:
            data = self.recv(self.read_bytes)
        except _RetryError:
            return
        if data:
            self.active_at = monotonic()
            self._heard(data)

    handle_read_event = handle_read

    def _heard(self, data: bytes) -> None:
        """Any run of CR and LF ends a line: there are clients that send either, and clients that send them twice."""
        *lines, rest = _LINE_ENDS.split(self._rest + data)
        for line in lines:
            if self._skipping:
                self._skipping = False
            elif len(line) > MOST_LINE:
                self._too_long()
            elif line:
                self._lines.append(line)
        self._rest = rest
        if len(rest) > MOST_LINE:
            if not self._skipping:
                self._too_long()
            self._skipping = True
            self._rest = b""
        if len(self._lines) > MOST_WAITING:
            self.respond("421 Too many commands were sent ahead.")
            self.refused("too many commands were sent ahead")
            self.close()
            return
        self.work()

    def forget_lines(self) -> None:
        """What came and is not answered yet never came."""
        self._lines.clear()
        self._rest = b""

    def _too_long(self) -> None:
        self.respond(f"500 A command has at most {MOST_LINE} bytes.")
        self.refused("a command was too long")

    def work(self) -> None:
        """Answers what has come, as far as it need not wait."""
        lines = self._lines
        while lines and not self._closed and not self._closing:
            if self.busy:
                if self.delivery is not None and not self._waiting:
                    self._at_once()
                return
            self._answer(command_of(lines.popleft()))
        if self._leaving and not lines and not self.busy:
            self.close()

    def _at_once(self) -> None:
        for line in tuple(self._lines):
            stripped = command_of(line)
            # An answer may have ended the upload, and with it what waited.
            if stripped[:4].upper().decode("latin-1") in _AT_ONCE and line in self._lines:
                self._lines.remove(line)
                self._answer(stripped)

    def _answer(self, line: bytes) -> None:
        raw, _, argument = line.partition(b" ")
        verb = raw.upper().decode("latin-1")
        said = shown(line, known=self.knows(verb), awaited=self.account is None and bool(self.username))
        self._note(f"ftp> {said}")
        self.command(verb, argument)

    def knows(self, verb: str) -> bool:
        """Whether this is a command."""
        raise NotImplementedError

    def command(self, verb: str, argument: bytes) -> None:
        """Answers one command."""
        raise NotImplementedError

    def handle_close(self) -> None:
        """The client has hung up. One that said QUIT without waiting gets its file finished."""
        if self._leaving:
            return
        if any(command_of(line)[:4].upper() == b"QUIT" for line in self._lines) and not self._closed:
            self._leaving = True
            self.producer_fifo.clear()
            self.ioloop.unregister(self._fileno)  # a reset would be told by every poll, whatever is listened for
        else:
            self.close()

    # replies out

    def respond(self, resp: str, logfun: Any = None) -> None:
        """One reply."""
        self._note(f"ftp< {resp}")
        self._write(f"{resp}\r\n".encode("utf-8", "surrogateescape"))

    def push(self, data: str) -> None:
        """The inner lines of a longer reply."""
        self._write(data.encode("utf-8", "surrogateescape"))

    def _write(self, data: bytes) -> None:
        if self._closed:
            return
        if not self.producer_fifo:
            data = data[self.send(data) :]
            if not data or self._closed or self._leaving:
                return
        pyftpdlib_loop.AsyncChat.push(self, data)
        if len(self.producer_fifo) > MOST_UNREAD:
            self.close()

    def _note(self, text: str) -> None:
        if len(self._said) < MOST_SAID:
            self._said.append((self.desk.now_ms(), text))

    def take_said(self) -> list[Said]:
        """What was said and is in no log yet."""
        said, self._said = self._said, []
        return said

    def refused(self, why: str) -> None:
        """Something was refused, of which the log shall tell."""
        if len(self._refusals) < MOST_SAID:
            self._refusals.append(why)
        login = self.account.login if self.account is not None else self.tried
        self.desk.complain("ftp %s: %s %r: %s", self.terms.name, self.remote, login, why)

    def leave(self) -> None:
        """Ends the connection once the client has what was said."""
        if self.producer_fifo and not self._leaving:
            self.close_when_done()
        else:
            self.close()

    def wrong(self, reply: str) -> None:
        """A reply to what makes no sense; a client that does nothing else is sent away."""
        self.respond(reply)
        self._wrong += 1
        if self._wrong >= MOST_REFUSED:
            self.respond("421 Too many commands that cannot be followed.")
            self.refused("too many commands that cannot be followed")
            self.close()

    # the end

    def overdue(self, now: float) -> None:
        """Looks what this connection waits for, and ends that if it takes too long."""
        raise NotImplementedError

    def handle_error(self) -> None:
        """A fault of ours ends this connection only."""
        self.log_exception(self)
        self.close()

    # what pyftpdlib would log: once per reply, with its own prefix made each time

    def log(self, msg: str, logfun: Any = None) -> None:
        """Nothing; `refused` tells what an operator needs."""

    def logline(self, msg: str, logfun: Any = None) -> None:
        """Nothing."""

    def log_cmd(self, cmd: str, arg: str, respcode: int, respstr: str) -> None:
        """Nothing."""

    def log_transfer(self, *arguments: Any, **named: Any) -> None:
        """Nothing."""
