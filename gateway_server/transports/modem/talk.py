"""Asking a modem and hearing it, over any port and clock: one command at a time, each with a deadline of its own."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from gateway_server.errors import LineError
from gateway_server.model import Direction
from gateway_server.transports.at import RELEASING, AtCommand, AtReader, Data, Heard, Reply, Unsolicited
from gateway_server.transports.numbers import masked_bytes

BETWEEN_COMMANDS = 0.1
"""Some modems lose a command that follows the last answer at once (A.6)."""
HALF_ANSWERED = 1.0
"""So long the rest of an answer is waited for whose point has come."""
ESCAPE_ANSWER = 5.0


class ModemSilent(LineError):
    """The modem did not answer a command in time."""


class ModemTalk:
    """The conversation with one modem over one opened port."""

    def __init__(
        self,
        clock: IReactorTime,
        write: Callable[[bytes], None],
        log: Callable[[Direction, bytes], None],
        unsolicited: Callable[[str], None],
        data: Callable[[bytes], None],
    ) -> None:
        self._clock = clock
        self._write = write
        self._log = log
        self._unsolicited = unsolicited
        self._data = data
        self._reader = AtReader()
        self._waiting: Deferred[Reply | None] | None = None
        self._deadline: IDelayedCall | None = None
        self._free_at = 0.0
        self._wrote_at = 0.0
        self._secret = (b"", b"")  # what of the last command no log may show, and what it shows instead

    @property
    def online(self) -> bool:
        """Whether what comes is a meter's."""
        return self._reader.online

    def now(self) -> float:
        """The clock's seconds."""
        return self._clock.seconds()

    # what comes

    def received(self, data: bytes) -> None:
        """Bytes from the modem."""
        for event in self._reader.feed(data):
            match event:
                case Heard(raw):
                    self._log(Direction.FROM_MODEM, self._shown(raw))
                case Unsolicited(text):
                    self._unsolicited(text)
                case Data(said):
                    self._data(said)
                case Reply():
                    self._answered(event)
        if self._waiting is not None and self._reader.half_answered:
            self._wait_until(min(self._remaining(), HALF_ANSWERED))

    def written(self) -> None:
        """Something was sent to the meter: the silence before an escape counts from here."""
        self._wrote_at = self._clock.seconds()

    # what we say

    async def ask(self, command: AtCommand, *, end: bytes = b"\r") -> Reply:
        """Sends one command and gives its answer. Raises `ModemSilent`."""
        wait = self._free_at - self._clock.seconds()
        if wait > 0:
            await self.pause(wait)
        self._reader.begin(command)
        self._secret = _secret_of(command)
        self._log(Direction.TO_MODEM, (command.shown or command.text).encode("ascii", "replace") + end)
        self._write(command.text.encode("ascii", "replace") + end)
        self.written()
        reply = await self._reply(command.seconds)
        if reply is None:
            raise ModemSilent(
                f"the modem did not answer {command.shown or command.text!r} within {command.seconds:g} s"
            )
        return reply

    async def escape(self, guard: float) -> Reply | None:
        """Three pluses with silence before and behind; None if nothing answers them."""
        self._reader.command_state()
        silence = self._wrote_at + guard - self._clock.seconds()
        await self.pause(max(silence, 0.0))
        self._reader.command_state()
        try:
            reply = await self.ask(AtCommand("+++", guard + ESCAPE_ANSWER, ends=RELEASING), end=b"")
        except ModemSilent:
            return None
        return reply

    def command_state(self) -> None:
        """What comes from now on is the modem's."""
        self._reader.command_state()

    def nudge(self) -> None:
        """A line end: it ends a half-typed line, and gives up a dial that is running."""
        self._log(Direction.TO_MODEM, b"\r")
        self._write(b"\r")
        self.written()

    async def pause(self, seconds: float) -> None:
        """Waits."""
        over: Deferred[None] = Deferred(lambda _: timer.cancel() if timer.active() else None)
        timer = self._clock.callLater(seconds, over.callback, None)
        await over

    async def quiet(self, seconds: float) -> Reply | None:
        """Waits for a result that nobody asked for now, such as NO CARRIER behind a dial that was given up."""
        self._reader.begin(AtCommand("", seconds, ends=RELEASING))
        return await self._reply(seconds)

    # inside

    def _shown(self, said: bytes) -> bytes:
        """What the modem said, as a log may show it: its echo has all that was sent."""
        secret, instead = self._secret
        return masked_bytes(said.replace(secret, instead) if secret else said)

    async def _reply(self, seconds: float) -> Reply | None:
        waiting: Deferred[Reply | None] = Deferred(self._cancelled)
        self._waiting = waiting
        self._deadline = self._clock.callLater(seconds, self._overdue)
        reply: Reply | None = await waiting
        self._free_at = self._clock.seconds() + BETWEEN_COMMANDS
        return reply

    def _answered(self, reply: Reply) -> None:
        self._stop_waiting(reply)

    def _overdue(self) -> None:
        self._deadline = None
        if left := self._reader.flush():
            self._log(Direction.FROM_MODEM, self._shown(left))
        self._stop_waiting(self._reader.give_up())

    def _stop_waiting(self, reply: Reply | None) -> None:
        deadline, self._deadline = self._deadline, None
        if deadline is not None and deadline.active():
            deadline.cancel()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(reply)

    def _cancelled(self, _: Deferred[Reply | None]) -> None:
        self._waiting = None
        self._reader.give_up()
        self._stop_waiting(None)

    def _remaining(self) -> float:
        return max(self._deadline.getTime() - self._clock.seconds(), 0.0) if self._deadline is not None else 0.0

    def _wait_until(self, seconds: float) -> None:
        if self._deadline is not None and self._deadline.active():
            if self._deadline.getTime() <= self._clock.seconds() + seconds:
                return
            self._deadline.reset(seconds)


def _secret_of(command: AtCommand) -> tuple[bytes, bytes]:
    """Where a command and what is shown of it part, what follows in each."""
    if not command.shown:
        return b"", b""
    pairs = enumerate(zip(command.text, command.shown, strict=False))
    same = next((at for at, (sent, shown) in pairs if sent != shown), len(command.text))
    return command.text[same:].encode("ascii", "replace"), command.shown[same:].encode("ascii", "replace")
