"""The telephone in a simulated modem: dials, answers, is on line, escapes, hangs up."""

from __future__ import annotations

import enum
import random
from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

from gateway_server.testing.air_line import CSD, AirShape
from gateway_server.testing.modem.call import CLEARING, CallRecord, FakeCall
from gateway_server.testing.modem.commands import dialled
from gateway_server.testing.modem.escape import EscapeWatch
from gateway_server.testing.modem.extended import Refused, Standing
from gateway_server.testing.modem.faults import NO_FAULTS, SOUND_MODEM, CallFaults, ModemFaults
from gateway_server.testing.modem.phone_book import PhoneBook, Subscriber
from gateway_server.testing.modem.results import Result
from gateway_server.testing.modem.ringing import Ringing
from gateway_server.testing.modem.speech import Speech
from gateway_server.testing.modem.wire import Wire

HELD = 65536


class State(enum.Enum):
    """What bytes from the port are taken for."""

    COMMAND = "command"
    DIALLING = "dialling"
    ONLINE = "online"
    ESCAPED = "escaped"


@dataclass(frozen=True, slots=True)
class ModemCharacter:
    """How a modem is made. ``setup_s`` bounds the set-up times of numbers that name none."""

    faults: ModemFaults = SOUND_MODEM
    shape: AirShape = CSD
    setup_s: tuple[float, float] = (10.0, 40.0)
    handshake_s: float = 8.0
    seed: int = 0


class ModemPhone:
    """What follows ATD, ATA, ATO, ATH and +++. ``hangs`` is called when a call is the modem's undoing."""

    def __init__(
        self,
        clock: IReactorTime,
        book: PhoneBook,
        character: ModemCharacter,
        chance: random.Random,
        wire: Wire,
        speech: Speech,
        standing: Standing,
        hangs: Callable[[], None],
    ) -> None:
        self.state = State.COMMAND
        self.calls: list[CallRecord] = []
        self.call: FakeCall | None = None
        self.ringing: Ringing | None = None
        self.ready = True
        self._clock = clock
        self._book = book
        self._character = character
        self._faults = character.faults
        self._chance = chance
        self._wire = wire
        self._speech = speech
        self._standing = standing
        self._hangs = hangs
        self._escape = EscapeWatch(clock, self._escaped)
        self._held = bytearray()
        self._last_number = ""

    # as it is told

    def dial(self, text: str) -> bytes:
        """ATD: what is answered at once, which is nothing while it dials."""
        number, voice = dialled(text)
        number = self._last_number if number == "L" else number
        if not number or self.call is not None:
            raise Refused
        if self.ringing is not None:
            return self._speech.result(Result.NO_CARRIER)  # glare: the other one was first
        self._standing.require_sim()
        self._standing.cause = 0
        self._last_number = number
        if not self._standing.registered:
            self._note(number, Result.NO_DIALTONE.word)
            return self._speech.result(Result.NO_DIALTONE)
        subscriber = self._book.find(number)
        faults = self._book.fate(subscriber) if subscriber is not None else NO_FAULTS
        if faults.cme_error:
            self._note(number, f"+CME ERROR: {faults.cme_error}")
            return self._speech.error(faults.cme_error)
        if voice:
            return self._speech.result(Result.OK)
        self.call = self._new_call(subscriber, number, faults)
        self.state = State.DIALLING
        setup = self._chance.uniform(*self._character.setup_s)
        if subscriber is not None and subscriber.setup_s is not None:
            setup = subscriber.setup_s
        carried = frozenset(self._faults.bearers.replace(",", " ").split())
        settings = self._speech.settings
        self.call.dial(setup, settings.bearer, carried, float(settings.registers[7]))
        return b""

    def abort(self) -> None:
        """A byte came while it dialled."""
        self.end_call("aborted")
        if not self._faults.silent_abort:
            self._speech.final(Result.NO_CARRIER)

    def answer(self) -> bytes:
        """ATA."""
        ringing = self.ringing
        if ringing is None or self.call is not None:
            raise Refused
        self.stop_ringing()
        if ringing.voice:
            return self._speech.result(Result.OK)
        self.call = self._new_call(ringing.subscriber, ringing.subscriber.number, ringing.subscriber.faults)
        self.call.record.inbound = True
        self.state = State.DIALLING
        self.call.answer(self._character.handshake_s)
        return b""

    def hang_up(self) -> bytes:
        """ATH."""
        call = self.call
        if call is not None and call.faults.hangs == "hang-up":
            self._hangs()
            return b""
        how = call.faults.hang_up if call is not None else "ok"
        self.end_call("hung up")
        ok, lost = self._speech.result(Result.OK), self._speech.result(Result.NO_CARRIER)
        return {"ok": ok, "no-carrier-ok": lost + ok, "ok-no-carrier": ok + lost, "no-carrier": lost, "none": b""}[how]

    def back_online(self) -> bytes:
        """ATO."""
        if self.call is None or not self.call.connected:
            return self._speech.result(Result.NO_CARRIER)
        self.state = State.ONLINE
        self.call.stay()
        self._escape.begin()
        held = bytes(self._held)
        self._held.clear()
        return self._speech.result(Result.CONNECT_9600) + held

    def transmit(self, data: bytes) -> None:
        """Octets for the far end, an escape perhaps."""
        if self.call is not None:
            registers = self._speech.settings.registers
            if self._escape.sent(data, registers[2], self._speech.settings.guard_s):
                self.call.leave()
            else:
                self.call.stay()
            self.call.send(data)

    def dtr(self, *, on: bool) -> None:
        """DTR has moved; if it stays off for long enough, `drop` follows."""
        self.ready = on
        if self.call is not None:
            if on:
                self.call.stay()
            else:
                self.call.leave()

    def drop(self) -> None:
        """DTR has been off for long enough (V.250 6.1.8: &D1 goes to command state, &D2 hangs up; OK is a guess)."""
        mode = self._speech.settings.ampersand["D"]
        if mode == 0 or self.call is None:
            return
        if mode == 1 and self.state is State.ONLINE:
            self._escape.stop()
            self.state = State.ESCAPED
        elif mode == 2:
            self.end_call("DTR dropped")
        self._speech.final(Result.OK)

    def end_call(self, result: str) -> None:
        """Ends whatever it is in."""
        call, self.call = self.call, None
        self.state = State.COMMAND
        if call is None:
            return
        self._escape.stop()
        self._held.clear()
        call.end(result)
        self.show_carrier()
        lost_after = self._faults.registration_lost_after
        if lost_after and len(self.calls) >= lost_after:
            self._standing.lost = True

    def leave_online(self, number: str) -> None:
        """On line since before anybody looked."""
        subscriber = self._book.find(number)
        if subscriber is None:
            raise ValueError(f"nobody can be on line with {number}: it is not in the phone book")
        self.call = self._new_call(subscriber, number, NO_FAULTS)
        self.call.answer(0.0)
        self.state = State.DIALLING

    def ring(self, subscriber: Subscriber, *, bearer: bool, rings: int, goes_quietly: bool) -> bool:
        """Somebody calls; False if the modem is busy or not there."""
        if self.call is not None or self.ringing is not None or not self._standing.registered:
            return False
        self.ringing = Ringing(
            self._clock,
            self._wire,
            self._speech,
            subscriber,
            self._rang,
            self._gone,
            bearer=bearer,
            rings=rings,
            goes_quietly=goes_quietly,
        )
        self.ringing.ring()
        return True

    def stop_ringing(self) -> None:
        """Nobody calls any more."""
        ringing, self.ringing = self.ringing, None
        if ringing is not None:
            ringing.stop()

    def show_carrier(self) -> None:
        """Puts DCD where it belongs."""
        connected = self.call is not None and self.call.connected
        always = self._speech.settings.ampersand["C"] == 0 or self._faults.no_lines
        self._wire.set_lines(carrier=connected or always)

    # what a call tells

    def call_failed(self, result: Result, cause: int) -> None:
        """It did not get through."""
        assert self.call is not None
        self.call.record.cause = self._standing.cause = cause
        self.end_call(result.word)
        self._speech.final(result)

    def call_answered(self, result: Result) -> None:
        """The far end is on the line."""
        self.state = State.ONLINE
        self._escape.begin()
        self.show_carrier()
        self._speech.final(result)

    def call_heard(self, data: bytes) -> None:
        """Octets from the far end."""
        if self.state is State.ONLINE:
            self._speech.carry(data)
        elif len(self._held) < HELD:
            self._held += data

    def call_lost(self, *, with_a_word: bool) -> None:
        """The carrier is gone."""
        stuck = self.call is not None and self.call.faults.carrier_stuck
        self._standing.cause = CLEARING
        self.end_call(Result.NO_CARRIER.word)
        if stuck:
            self._wire.set_lines(carrier=True)
        if with_a_word:
            self._speech.final(Result.NO_CARRIER)

    def call_hangs(self) -> None:
        """The call is the modem's undoing."""
        self._hangs()

    def unplugged(self, seconds: float) -> None:
        """The cable is pulled."""
        self._wire.unplug(seconds)

    def _new_call(self, subscriber: Subscriber | None, number: str, faults: CallFaults) -> FakeCall:
        record = self._note(number)
        return FakeCall(self, self._clock, subscriber, record, faults, self._character.shape, self._chance)

    def _note(self, number: str, result: str = "") -> CallRecord:
        now = self._clock.seconds()
        record = CallRecord(number, now, result, ended=now if result else -1.0)
        self.calls.append(record)
        return record

    def _escaped(self) -> None:
        call = self.call
        if call is None or self.state is not State.ONLINE or self._speech.mute:
            return
        if call.faults.hangs == "escape":
            self._hangs()
        elif call.escapes_lost > 0:
            call.escapes_lost -= 1
        else:
            self.state = State.ESCAPED
            self._speech.final(Result.OK)

    def _rang(self, times: int) -> None:
        wanted = self._speech.settings.registers[0]
        if wanted and times >= wanted and self.ready:
            self._speech.say(self.answer())

    def _gone(self) -> None:
        self.ringing = None
