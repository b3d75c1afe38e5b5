"""A call that comes in to a simulated modem and is not answered yet."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from gateway_server.testing.modem.phone_book import Subscriber
from gateway_server.testing.modem.results import Result
from gateway_server.testing.modem.speech import Speech
from gateway_server.testing.modem.wire import Wire

RING_S = 5.0


class Ringing:
    """Rings until it is stopped or the caller gives up. ``rang`` is called behind each ring with their number.

    ``bearer`` is whether the network says that the call is data; a modem with +CSNS=0 takes it for voice otherwise.
    """

    def __init__(
        self,
        clock: IReactorTime,
        wire: Wire,
        speech: Speech,
        subscriber: Subscriber,
        rang: Callable[[int], None],
        gone: Callable[[], None],
        *,
        bearer: bool,
        rings: int,
        goes_quietly: bool,
    ) -> None:
        self.subscriber = subscriber
        self._clock = clock
        self._wire = wire
        self._speech = speech
        self._rang = rang
        self._gone = gone
        self._bearer = bearer
        self._rings = rings
        self._goes_quietly = goes_quietly
        self._rung = 0
        self._next: IDelayedCall | None = None

    @property
    def voice(self) -> bool:
        """Whether the modem takes it for a voice call."""
        return not self._bearer and self._speech.settings.plus["CSNS"] == "0"

    def ring(self) -> None:
        """Rings once, and again in a while."""
        self._next = None
        if self._rung >= self._rings:
            self.stop()
            self._gone()
            if not self._goes_quietly:
                self._speech.final(Result.NO_CARRIER)
            return
        self._rung += 1
        self._next = self._clock.callLater(RING_S, self.ring)  # before it is heard: who hears it may answer at once
        self._wire.set_lines(ring=True)
        settings = self._speech.settings
        if settings.plus["CRC"] == "1":
            kind = "VOICE" if self.voice else "REL ASYNC" if settings.plus["CBST"].endswith("1") else "ASYNC"
            self._speech.say(self._speech.line(f"+CRING: {kind}"))
        else:
            self._speech.say(self._speech.result(Result.RING))
        if settings.plus["CLIP"] == "1":
            number = self.subscriber.number
            self._speech.say(self._speech.line(f'+CLIP: "{number}",{145 if number.startswith("+") else 129}'))
        self._rang(self._rung)

    def stop(self) -> None:
        """Nobody rings any more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        self._wire.set_lines(ring=False)
