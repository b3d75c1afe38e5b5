"""What a simulated modem says: results, information and what nobody asked for, in the form it was told to use."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from gateway_server.testing.modem.faults import ModemFaults
from gateway_server.testing.modem.results import CME_TEXTS, Result, line, said
from gateway_server.testing.modem.settings import Settings
from gateway_server.testing.modem.wire import Wire

PIECE_S = 0.005


class Speech:
    """Says things over a wire. ``settings`` are the modem's present ones; a ``mute`` modem says nothing."""

    def __init__(self, clock: IReactorTime, wire: Wire, settings: Settings, faults: ModemFaults) -> None:
        self.settings = settings
        self.mute = False
        self.result_at = -1e9
        self._clock = clock
        self._wire = wire
        self._faults = faults
        self._replies = 0

    @property
    def wrong_speed(self) -> bool:
        """Whether the port and the modem do not understand each other."""
        fixed, set_to = int(self.settings.plus["IPR"]), self._wire.speed
        return self._faults.wrong_speed or bool(fixed and set_to and fixed != set_to)

    def result(self, result: Result) -> bytes:
        """A result as it would be said."""
        return said(result, self.settings, self._faults, self._faults.connect_suffix)

    def line(self, text: str) -> bytes:
        """A line of information as it would be said."""
        return line(text, self._faults) if self.settings.verbose else f"{text}\r\n".encode("latin-1")

    def error(self, code: int) -> bytes:
        """A refusal as +CMEE wants it."""
        mode = self.settings.plus["CMEE"]
        if mode == "0":
            return self.result(Result.ERROR)
        return self.line(f"+CME ERROR: {CME_TEXTS.get(code, 'unknown') if mode == '2' else code}")

    def reply(self, told: list[str], final: bytes, registration: int) -> None:
        """Answers a command line, perhaps with something else in the middle."""
        self._replies += 1
        parts = [self.line(text) for text in told]
        if self._faults.urc_every and self._replies % self._faults.urc_every == 0:
            parts.append(self.line(f"+CREG: {registration}"))
        if self._faults.ring_every and self._replies % self._faults.ring_every == 0:
            parts.append(self.result(Result.RING))
        parts.insert(0 if self._faults.text_after_ok and told else len(parts), final)
        self.say(b"".join(parts), self._faults.reaction_s)
        if final:
            self.result_at = self._clock.seconds() + self._faults.reaction_s

    def final(self, result: Result) -> None:
        """A result that comes by itself."""
        self.say(self.result(result))
        self.result_at = self._clock.seconds()

    def say(self, data: bytes, after: float = 0.0) -> None:
        """Bytes, so much later."""
        if self.mute:
            return
        if self.wrong_speed:
            data = self._wire.garbled(data)
        if not self._faults.piecemeal:
            self._wire.put(data, after)
            return
        for place in range(len(data)):
            self._wire.put(data[place : place + 1], after + place * PIECE_S)

    def carry(self, octets: bytes) -> None:
        """Octets of the far end."""
        if not self.mute:
            self._wire.put(self._wire.garbled(octets) if self.wrong_speed else octets)
