"""TLS between pyftpdlib's loop and a socket, for any of its connections (Python's own `ssl`; pyftpdlib's cannot be told
to send no tickets).

A server of TLS 1.3 sends its tickets behind the handshake. Whoever only uploads never reads them, and a connection that
is closed with something unread in it is reset: that takes away whatever of the file still waits to be sent (RFC 2525,
section 2.17; RFC 8446, section 4.6.1). So none are sent, and nothing else either until the client has said goodbye.
"""

from __future__ import annotations

import ssl
import warnings
from typing import Any

import pyftpdlib.ioloop  # noqa: F401  # before its others: it imports asyncore without a warning
from pyftpdlib.exceptions import _RetryError

from gateway_server.errors import OperatorError
from gateway_server.transports.ftp.terms import TlsFiles

VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
_OLD = ("1.0", "1.1")


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """What connections are encrypted with. Raises `OperatorError` naming the file that does not fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the operator asked for an old version by its number
        context.minimum_version = VERSIONS[files.oldest]
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # Python sets it: an end without goodbye would look like one with
    context.num_tickets = 0
    if files.oldest in _OLD:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # what these versions need is below today's lowest level
    for what, path in (("certificate", files.certificate), ("private key", files.key)):
        if not path.is_file():
            raise OperatorError(f"{path}: there is no such file; it should hold the {what} (PEM)")
    try:
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
    except (OSError, ValueError) as error:
        raise OperatorError(
            f"{files.certificate} and {files.key} are not a certificate and its key (PEM): {said(error)}"
        ) from None
    return context


class Encryptable:
    """A connection of pyftpdlib's that can be encrypted at any time; goes before pyftpdlib's class.

    A loss raises `OSError` out of `recv` and `send`, an end without TLS's goodbye too (`without_goodbye`).
    """

    encrypted = False
    _agreeing = False
    _writes_first = False  # TLS has to send before it goes on
    _parting = False

    @property
    def patient(self) -> bool:
        """Whether goodbye waits until there is room for it behind what was sent."""
        return False

    def encrypt(self: Any, context: ssl.SSLContext) -> None:
        """From now on all is TLS; `agreed` or `not_agreed` is called when that is settled."""
        self.encrypted = self._agreeing = True
        try:
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
        except (OSError, ValueError) as lost:  # the client is gone
            self._settle(lost)
            return
        self._watch(self.ioloop.READ)

    def agreed(self) -> None:
        """It is encrypted."""

    def not_agreed(self, why: str) -> None:
        """The two could not agree."""
        raise NotImplementedError

    # what pyftpdlib's loop calls

    def readable(self: Any) -> bool:
        """Whether anything is read."""
        return bool(self._agreeing or super().readable())  # type: ignore[misc]  # pyftpdlib's class comes behind

    def writable(self: Any) -> bool:
        """Whether anything waits to be sent."""
        return bool(self._writes_first or self._parting or super().writable())  # type: ignore[misc]  # as above

    def handle_read_event(self: Any) -> None:
        """Something came."""
        if self._agreeing:
            self._agree()
        else:
            super().handle_read_event()  # type: ignore[misc]  # as above

    def handle_write_event(self: Any) -> None:
        """Something can be sent."""
        if self._agreeing:
            self._agree()
        elif self._parting:
            self._part()
        elif self._writes_first:
            self._writes_first = False
            self._watch(self._wanted_io_events)
            super().handle_read_event()  # type: ignore[misc]  # as above
        else:
            super().handle_write_event()  # type: ignore[misc]  # as above

    def recv(self: Any, buffer_size: int) -> bytes:
        """What came, nothing at TLS's goodbye."""
        try:
            data: bytes = self.socket.recv(buffer_size)
        except ssl.SSLWantReadError:
            raise _RetryError from None
        except ssl.SSLWantWriteError:
            self._writes_first = True
            self._watch(self.ioloop.READ | self.ioloop.WRITE)
            raise _RetryError from None
        return data

    def send(self: Any, data: bytes) -> int:
        """How much of it could be sent."""
        try:
            return int(self.socket.send(bytes(data)))
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return 0

    def close(self: Any) -> None:
        """Says goodbye and closes."""
        if not self.encrypted or self._agreeing or self._parting or self._closed:
            self._agreeing = False
            super().close()  # type: ignore[misc]  # as above
        else:
            self._part()

    def farewell(self: Any) -> bool:
        """TLS's goodbye; whether it is said, or cannot be."""
        if self.encrypted:
            try:
                self.socket.unwrap()
            except ssl.SSLWantWriteError:
                return False
            except (OSError, ValueError):  # it waits for theirs, which nobody needs, or they are gone
                return True
        return True

    # inside

    def _agree(self: Any) -> None:
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            self._watch(self.ioloop.READ)
        except ssl.SSLWantWriteError:
            self._watch(self.ioloop.READ | self.ioloop.WRITE)
        except (OSError, ValueError) as failed:
            self._settle(failed)
        else:
            self._agreeing = False
            self._watch(self._wanted_io_events)
            self.agreed()

    def _settle(self: Any, failed: Exception) -> None:
        self.not_agreed(f"TLS was not agreed on: {said(failed)}")

    def _part(self: Any) -> None:
        self._parting = True
        if self.farewell() or not self.patient:
            super().close()  # type: ignore[misc]  # as above
        else:
            self._watch(self.ioloop.WRITE)

    def _watch(self: Any, events: int) -> None:
        if not self._closed:
            self.modify_ioloop_events(events)


def without_goodbye(error: OSError) -> bool:
    """Whether the connection was ended, but TLS was not. Python calls a reset an end, too, but gives no reason then."""
    return isinstance(error, ssl.SSLEOFError) and error.reason == "UNEXPECTED_EOF_WHILE_READING"


def said(error: Exception) -> str:
    """What TLS, or the kernel, says is wrong."""
    if isinstance(error, ssl.SSLEOFError):
        return "it ended without TLS's goodbye" if without_goodbye(error) else "it was reset"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__


def _no_password() -> str:
    """Nobody sits there to type one."""
    raise ValueError("the private key needs a password: store it without one")
