"""Where modems meet the reactor: opening their ports, and running the operator's command that cuts their power."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from gateway_server.errors import LineError
from gateway_server.transports.modem.port import ModemPort, PortUser, remote_port
from gateway_server.transports.modem.port_serial import open_serial_port
from gateway_server.transports.modem.port_tcp import open_tcp_port

logger = logging.getLogger(__name__)

COMMAND_SECONDS = 60.0


class ModemBank:
    """Opens ports and cuts power, for real."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    async def open_port(self, port: str, speed: int, user: PortUser) -> ModemPort:
        """A local port or a serial server's. Raises `LineError` in words."""
        remote = remote_port(port)
        if remote is None:
            return open_serial_port(self._reactor, port, speed, user)
        return await open_tcp_port(self._reactor, *remote, speed, user)

    async def power_cycle(self, argv: tuple[str, ...]) -> None:
        """Runs the operator's command, without a shell. Raises `LineError` when it fails or does not end."""
        ended: Deferred[str] = Deferred()
        running = _Command(ended.callback)
        try:
            process = self._reactor.spawnProcess(running, argv[0], list(argv), env=None)
        except OSError as failed:
            raise LineError(f"the power-cycle command {argv[0]} cannot be run: {failed}") from None
        give_up = self._reactor.callLater(COMMAND_SECONDS, _kill, process)
        said = await ended
        if give_up.active():
            give_up.cancel()
        if said:
            raise LineError(f"the power-cycle command {argv[0]} failed: {said}")


class _Command(ProcessProtocol):
    """A command whose end is awaited; what it says goes to the log."""

    def __init__(self, ended: Callable[[str], None]) -> None:
        self._ended = ended

    def outReceived(self, data: bytes) -> None:
        """What it says."""
        logger.info("power-cycle command: %s", data.decode("utf-8", "replace").strip())

    def errReceived(self, data: bytes) -> None:
        """What it complains of."""
        logger.warning("power-cycle command: %s", data.decode("utf-8", "replace").strip())

    def processEnded(self, reason: Failure) -> None:
        """It is over."""
        self._ended("" if reason.check(ProcessDone) else reason.getErrorMessage())


def _kill(process: Any) -> None:
    process.signalProcess("KILL")
