"""Encryption for the clients that ask for it (AUTH TLS, RFC 4217); the others go on in clear on the same port."""

from __future__ import annotations

import socket
from typing import Any

import pyftpdlib.ioloop  # noqa: F401  # before its others: it imports asyncore without a warning
from OpenSSL import SSL
from pyftpdlib.exceptions import _RetryError
from pyftpdlib.handlers.ftps.ssl import SSLConnectionMixin

from gateway_server.errors import OperatorError
from gateway_server.transports.ftp.commands import COMMANDS, Command
from gateway_server.transports.ftp.conversation import Conversation
from gateway_server.transports.ftp.data import Data
from gateway_server.transports.ftp.terms import TlsFiles

_VERSIONS = {
    "1.0": SSL.TLS1_VERSION,
    "1.1": SSL.TLS1_1_VERSION,
    "1.2": SSL.TLS1_2_VERSION,
}
_OLD = ("1.0", "1.1")


def tls_context(files: TlsFiles) -> SSL.Context:
    """What connections are encrypted with. Raises `OperatorError` naming the file that does not fit."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(_VERSIONS[files.oldest])
    # TLS 1.3 would send tickets behind the handshake of a data connection. A client that only uploads never reads them
    # and closes with a reset, which takes away the end of its file (seen with lftp); OpenSSL's Python has no switch.
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION)
    if files.oldest in _OLD:
        context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")  # what these versions need is below today's lowest level
    for what, path in (("certificate", files.certificate), ("private key", files.key)):
        if not path.is_file():
            raise OperatorError(f"{path}: there is no such file; it should hold the {what} (PEM)")
    try:
        context.use_certificate_chain_file(str(files.certificate))
        context.use_privatekey_file(str(files.key))
        context.check_privatekey()
    except SSL.Error as error:
        raise OperatorError(
            f"{files.certificate} and {files.key} are not a certificate and its key (PEM): {_said(error)}"
        ) from None
    return context


class TlsData(SSLConnectionMixin, Data):  # type: ignore[misc]  # pyftpdlib has no types
    """A data connection that may be encrypted. Only TLS's own goodbye is the end of a file, as with FIN alone anybody
    on the way could end it."""

    def __init__(self, sock: socket.socket, cmd_channel: TlsConversation) -> None:
        self._to_send: bytes | None = None
        super().__init__(sock, cmd_channel)
        self._wanted_io_events = 0
        if self.connected and cmd_channel.private:
            self.secure_connection(cmd_channel.context)
            self.modify_ioloop_events(self.ioloop.READ)

    def recv(self, buffer_size: int) -> bytes:
        """Tells TLS's goodbye from a loss."""
        if not self._ssl_requested:
            return Data.recv(self, buffer_size)
        try:
            data: bytes = self.socket.recv(buffer_size)
        except SSL.WantReadError:
            self._ssl_want_read = True
            raise _RetryError from None
        except SSL.WantWriteError:
            self._ssl_want_write = True
            raise _RetryError from None
        except SSL.ZeroReturnError:
            self._over("")
            return b""
        except (SSL.Error, OSError) as lost:
            self._over(f"the encrypted data connection broke off: {_said(lost)}")
            return b""
        return data

    def drain(self) -> None:
        """Takes what has arrived already, in clear; records of TLS may not be whole."""
        if not self._ssl_requested:
            super().drain()

    def push(self, data: bytes) -> None:
        """Sends, once it is encrypted."""
        if self._ssl_accepting:
            self._to_send = data
        else:
            super().push(data)

    def close_when_done(self) -> None:
        """Ends behind what is sent."""
        if not self._ssl_accepting:
            super().close_when_done()

    def handle_ssl_established(self) -> None:
        """It is encrypted."""
        to_send, self._to_send = self._to_send, None
        if to_send is not None:
            super().push(to_send)
            if not self._closed:
                super().close_when_done()
        else:
            self.modify_ioloop_events(self._wanted_io_events)

    def handle_failed_ssl_handshake(self) -> None:
        """The two could not agree."""
        self._over("TLS was not agreed on for the data connection")


class TlsConversation(SSLConnectionMixin, Conversation):  # type: ignore[misc]  # pyftpdlib has no types
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
        self.context: SSL.Context = server.tls_context
        self.private = False
        super().__init__(conn, server, ioloop)
        self._extra_feats = ["AUTH TLS", "PBSZ", "PROT"]

    def recv(self, buffer_size: int) -> bytes:
        """A client that ends TLS without goodbye is gone all the same."""
        try:
            return super().recv(buffer_size)  # type: ignore[no-any-return]  # pyftpdlib has no types
        except SSL.Error:
            self._error = True  # nothing more can be said
            self.handle_close()
            return b""

    def send(self, data: bytes) -> int:
        """The same for what we say."""
        try:
            return super().send(data)  # type: ignore[no-any-return]  # pyftpdlib has no types
        except SSL.Error:
            self._error = True
            self.handle_close()
            return 0

    def handle_failed_ssl_handshake(self) -> None:
        """The two could not agree."""
        self.refused("TLS was not agreed on")
        self._error = True
        self.close()

    def ftp_AUTH(self, line: str) -> None:
        """Encrypts this connection. What came in clear behind it is not answered: somebody may have put it there."""
        if self._ssl_requested:
            self.wrong("503 Encrypted already.")
        elif line.upper() not in ("TLS", "TLS-C", "SSL", "TLS-P"):
            self.wrong("504 AUTH TLS is what there is.")
        else:
            self.respond("234 Go on with TLS.")
            self.forget_lines()
            self.secure_connection(self.context)

    def ftp_PBSZ(self, line: str) -> None:
        """What TLS needs no size for."""
        self.respond("200 PBSZ=0" if self._ssl_requested else "503 AUTH TLS first.")

    def ftp_PROT(self, line: str) -> None:
        """Whether data connections are encrypted."""
        if not self._ssl_requested:
            self.respond("503 AUTH TLS first.")
        elif line.upper() in ("C", "P"):
            self.private = line.upper() == "P"
            self.respond("200 OK.")
        else:
            self.respond("536 C or P.")

    def ftp_USER(self, line: str) -> None:
        """Says who it will be, in clear only if that is allowed."""
        if self._required() and not self._ssl_requested:
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


def _said(error: Exception) -> str:
    if isinstance(error, SSL.SysCallError):
        return str(error.args[-1])
    if isinstance(error, SSL.Error) and error.args and error.args[0]:
        return "; ".join(str(one[-1]) for one in error.args[0])
    return str(error) or type(error).__name__
