"""Encryption for the clients that ask for it (AUTH TLS, RFC 4217); the others go on in clear on the same port."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from gateway_server.transports.ftp.commands import COMMANDS, Command
from gateway_server.transports.ftp.conversation import Conversation
from gateway_server.transports.ftp.data import Data
from gateway_server.transports.ftp.encryption import Encryptable, said, without_goodbye


class TlsData(Encryptable, Data):
    """A data connection that may be encrypted. Only TLS's own goodbye is the end of a file, as with FIN alone anybody
    on the way could end it; the operator may allow that for clients which know no better."""

    def __init__(self, sock: socket.socket, cmd_channel: TlsConversation) -> None:
        self._to_send: bytes | None = None
        super().__init__(sock, cmd_channel)
        self._wanted_io_events = 0
        if self.connected and cmd_channel.private:
            self.encrypt(cmd_channel.context)

    def recv(self, buffer_size: int) -> bytes:
        """Tells TLS's goodbye from a loss."""
        if not self.encrypted:
            return Data.recv(self, buffer_size)
        try:
            data = super().recv(buffer_size)
        except OSError as lost:
            control: TlsConversation = self.cmd_channel
            whole = control.may_end_without_goodbye and without_goodbye(lost)
            self._over("" if whole else f"the encrypted data connection broke off: {said(lost)}")
            return b""
        if not data:
            self._over("")
        return data

    def send(self, data: bytes) -> int:
        """Sends as much as there is room for; a loss is the listing's end."""
        if not self.encrypted:
            return int(Data.send(self, data))
        try:
            sent = super().send(data)
        except OSError:
            self.handle_close()
            return 0
        self.tot_bytes_sent += sent
        return sent

    @property
    def patient(self) -> bool:
        """A listing without goodbye would look cut off."""
        return self.sending

    def drain(self) -> None:
        """Takes what has arrived already, in clear; records of TLS may not be whole."""
        if not self.encrypted:
            super().drain()

    def surrender(self) -> socket.socket:
        """Says goodbye first: there are clients that wait for it."""
        self.farewell()
        return super().surrender()

    def push(self, data: bytes) -> None:
        """Sends, once it is encrypted."""
        if self._agreeing:
            self._to_send = data
        else:
            super().push(data)

    def close_when_done(self) -> None:
        """Ends behind what is sent."""
        if not self._agreeing:
            super().close_when_done()

    def agreed(self) -> None:
        """It is encrypted."""
        to_send, self._to_send = self._to_send, None
        if to_send is not None:
            super().push(to_send)
            if not self._closed:
                super().close_when_done()

    def not_agreed(self, why: str) -> None:
        """The two could not agree."""
        if self.sending:
            self._resp = (f"426 {why}.", None)
            self.close()
        else:
            self._over(why)


class TlsConversation(Encryptable, Conversation):
    """A control connection that may be encrypted."""

    dtp_handler = TlsData
    read_bytes = 1 << 16  # more than a record of TLS: what stays inside is not told by the kernel
    commands = {  # noqa: RUF012  # never changed
        **COMMANDS,
        "AUTH": Command(False, True),
        "PBSZ": Command(False, True),
        "PROT": Command(False, True),
    }

    def __init__(self, conn: socket.socket, server: Any, ioloop: Any = None) -> None:
        self.context: ssl.SSLContext = server.tls_context
        self.private = False
        super().__init__(conn, server, ioloop)
        self._extra_feats = ["AUTH TLS", "PBSZ", "PROT"]

    @property
    def may_end_without_goodbye(self) -> bool:
        """Whether FIN alone is the end of an encrypted file."""
        return self.terms.tls is not None and not self.terms.tls.goodbye

    def recv(self, buffer_size: int) -> bytes:
        """A client that ends TLS without goodbye is gone all the same."""
        if not self.encrypted:
            return bytes(Conversation.recv(self, buffer_size))
        try:
            data = super().recv(buffer_size)
        except OSError:
            data = b""
        if not data:
            self.handle_close()
        return data

    def send(self, data: bytes) -> int:
        """The same for what we say."""
        if not self.encrypted:
            return int(Conversation.send(self, data))
        try:
            return super().send(data)
        except OSError:
            self.handle_close()
            return 0

    def not_agreed(self, why: str) -> None:
        """The two could not agree."""
        self.refused(why)
        self.close()

    def ftp_AUTH(self, line: str) -> None:
        """Encrypts this connection. What came in clear behind it is not answered: somebody may have put it there."""
        if self.encrypted:
            self.wrong("503 Encrypted already.")
        elif line.upper() not in ("TLS", "TLS-C", "SSL", "TLS-P"):
            self.wrong("504 AUTH TLS is what there is.")
        else:
            self.respond("234 Go on with TLS.")
            self.forget_lines()
            self.encrypt(self.context)

    def ftp_PBSZ(self, line: str) -> None:
        """What TLS needs no size for."""
        self.respond("200 PBSZ=0" if self.encrypted else "503 AUTH TLS first.")

    def ftp_PROT(self, line: str) -> None:
        """Whether data connections are encrypted."""
        if not self.encrypted:
            self.respond("503 AUTH TLS first.")
        elif line.upper() in ("C", "P"):
            self.private = line.upper() == "P"
            self.respond("200 OK.")
        else:
            self.respond("536 C or P.")

    def ftp_USER(self, line: str) -> None:
        """Says who it will be, in clear only if that is allowed."""
        if self._required() and not self.encrypted:
            self.respond("530 Encrypt first: AUTH TLS.")
        else:
            super().ftp_USER(line)

    def has_data(self) -> bool:
        """Whether there is a data connection, encrypted where it has to be."""
        if self._required() and not self.private:
            self.respond("522 Encrypt data connections: PROT P.")
            return False
        return super().has_data()

    def _required(self) -> bool:
        return self.terms.tls is not None and self.terms.tls.required
