"""A simulated GSM CSD modem without input or output: bytes in, timed bytes out, a telephone network behind it.

It answers as the manuals of Siemens, Wavecom, Telit and Motorola modems say and as drivers have met it; what is odd
about it is a switch. It shares nothing with the driver that dials with it.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from gateway_server.testing.modem.call import CallRecord
from gateway_server.testing.modem.commands import Command, NotUnderstood, commands
from gateway_server.testing.modem.extended import Extended, Refused, Standing
from gateway_server.testing.modem.phone import ModemCharacter, ModemPhone, State
from gateway_server.testing.modem.phone_book import PhoneBook, Subscriber
from gateway_server.testing.modem.results import Result
from gateway_server.testing.modem.settings import AMPERSAND, BASIC, REGISTERS, Settings, stored_profile
from gateway_server.testing.modem.sim import CmeError, FakeSim
from gateway_server.testing.modem.speech import Speech
from gateway_server.testing.modem.wire import Port, Wire

LONGEST_LINE = 256
RUBBISH = b"\x00\xff\x00\xfe~\x80\xff"
LINE_FEED_S = 0.125  # V.250 5.6.1: what comes so soon behind a command aborts nothing


class FakeModem:
    """One modem. ``stores`` counts how often its flash was written, ``sim.entered`` which PINs were tried."""

    def __init__(
        self,
        clock: IReactorTime,
        book: PhoneBook,
        character: ModemCharacter | None = None,
        name: str = "modem",
    ) -> None:
        character = character or ModemCharacter()
        self.name = name
        self.faults = character.faults
        self.power_cycles = 0
        self.stores = 0
        self.powered = False
        self._clock = clock
        chance = random.Random(f"modem/{name}/{character.seed}")
        self._wire = Wire(clock, chance)
        self._stored = stored_profile(self.faults)
        self._speech = Speech(clock, self._wire, self._stored.copy(), self.faults)
        self.sim = FakeSim(self.faults.pin, self.faults.sim_missing)
        self._standing = Standing(self.sim, self.faults, clock.seconds)
        self._extended = Extended(self._standing, self._restart_soon)
        self._phone = ModemPhone(clock, book, character, chance, self._wire, self._speech, self._standing, self._hang)
        self._typed = bytearray()
        self._lines = 0
        self._line_ended_at = -1e9
        self._reset_fails = False
        self._drop: IDelayedCall | None = None
        self._later: list[IDelayedCall] = []
        self._on()
        if self.faults.left_online:
            self._phone.leave_online(self.faults.left_online)

    # what its surroundings do to it and see of it

    @property
    def calls(self) -> list[CallRecord]:
        """Every call it made or took."""
        return self._phone.calls

    @property
    def off_hook(self) -> bool:
        """Whether it is in a call, or making one."""
        return self._phone.call is not None

    @property
    def state(self) -> State:
        """What bytes from the port are taken for."""
        return self._phone.state

    @property
    def hung(self) -> bool:
        """Whether it answers nothing any more."""
        return self._speech.mute

    def plug(self, port: Port | None) -> None:
        """It is connected to a port, or to nothing."""
        self._wire.plug(port)
        if port is not None and self.faults.rubbish_at_start and self.state is State.COMMAND:
            self._speech.say(RUBBISH)

    def received(self, data: bytes) -> None:
        """Bytes from the port, cut anywhere."""
        if self.hung or not self.powered:
            return
        if self._speech.wrong_speed:
            data = self._wire.garbled(data)
        while data and not self.hung:
            if self.state is State.ONLINE:
                self._phone.transmit(data)
                return
            byte, data = data[0], data[1:]
            if self.state is not State.DIALLING:
                self._type(byte)
            elif byte >= 0x20 or self._clock.seconds() - self._line_ended_at > LINE_FEED_S:
                self._phone.abort()

    def dtr(self, *, on: bool) -> None:
        """The port raises or drops DTR."""
        self._phone.dtr(on=on)
        if self._drop is not None:
            self._drop.cancel()
            self._drop = None
        if not on and not self.faults.no_lines:
            self._drop = self._clock.callLater(self._speech.settings.drop_s, self._dropped)

    def ring(self, subscriber: Subscriber, *, bearer: bool = True, rings: int = 6, goes_quietly: bool = True) -> bool:
        """Somebody calls; False if the modem is in a call. ``bearer`` is whether the network says that it is data."""
        return self._phone.ring(subscriber, bearer=bearer, rings=rings, goes_quietly=goes_quietly)

    def unplug(self, seconds: float) -> None:
        """Somebody pulls its cable for so long."""
        self._wire.unplug(seconds)

    def cycle_power(self) -> None:
        """Its mains are switched off and on."""
        self.power_cycles += 1
        self._restart()

    def stop(self) -> None:
        """The simulation is over."""
        self._off()

    # power

    def _on(self) -> None:
        self._later.clear()
        self.powered = True
        self._speech.mute = self.faults.mute
        self._speech.settings = self._stored.copy()
        self._reset_fails = self.faults.first_reset_fails
        self._standing.restart()
        self._phone.show_carrier()
        if self.faults.rubbish_at_start:
            self._speech.say(RUBBISH)
        self._after(self.faults.registration_s, self._tell_registration)

    def _off(self) -> None:
        self.powered = False
        self._phone.end_call("power lost")
        self._phone.stop_ringing()
        self._wire.silence()
        for later in (*self._later, *([self._drop] if self._drop is not None else [])):
            if later.active():
                later.cancel()
        self._later.clear()
        self._drop = None
        self._typed.clear()
        self._wire.set_lines(carrier=False, ring=False)

    def _restart_soon(self) -> None:
        self._after(0.5, self._restart)

    def _restart(self) -> None:
        self._off()
        self._after(self.faults.restart_s, self._on)

    def _hang(self) -> None:
        self._speech.mute = True
        self._wire.silence()
        if self.faults.mute_s:
            self._after(self.faults.mute_s, self._recover)

    def _recover(self) -> None:
        self._speech.mute = False
        self._typed.clear()

    def _dropped(self) -> None:
        self._drop = None
        if not self.hung:
            self._phone.drop()

    def _tell_registration(self) -> None:
        if self.faults.call_ready and self.state is State.COMMAND:
            self._speech.say(self._speech.line("Call Ready"))
        if self._speech.settings.plus["CREG"] != "0" and self.state is State.COMMAND:
            self._speech.say(self._speech.line(f"+CREG: {self._standing.registration}"))

    def _after(self, seconds: float, what: Callable[[], None]) -> None:
        self._later.append(self._clock.callLater(seconds, what))

    # the command line

    def _type(self, byte: int) -> None:
        settings = self._speech.settings
        now = self._clock.seconds()
        if settings.echo or self.faults.echo_stays:
            self._speech.say(bytes((byte,)))
        if byte == settings.registers[3]:
            typed, self._typed = bytes(self._typed), bytearray()
            self._line_ended_at = now
            if not self.faults.needs_pause_s or now - self._speech.result_at >= self.faults.needs_pause_s:
                self._execute(typed.decode("latin-1"))
        elif byte == settings.registers[5]:
            del self._typed[-1:]
        elif len(self._typed) < LONGEST_LINE and byte >= 0x20:
            self._typed.append(byte)

    def _execute(self, text: str) -> None:
        start = text.upper().find("AT")
        if start < 0:
            return
        self._lines += 1
        if self._lines == self.faults.mute_after:
            self._hang()
            return
        told: list[str] = []
        try:
            final = self._run(commands(text[start + 2 :]), told)
        except (NotUnderstood, Refused):
            final = self._speech.result(Result.ERROR)
        except CmeError as error:
            final = self._speech.error(error.code)
        self._speech.reply(told, final, self._standing.registration)

    def _run(self, wanted: list[Command], told: list[str]) -> bytes:
        for command in wanted:
            final = self._do(command, told)
            if final is not None:
                return final
        return self._speech.result(Result.OK)

    def _do(self, command: Command, told: list[str]) -> bytes | None:
        """Does one command; gives its final answer if nothing may follow it, which may be no answer yet."""
        name = command.name
        calling = {"A": self._phone.answer, "H": self._phone.hang_up, "O": self._phone.back_online, "Z": self._reset}
        if name == "D":
            return self._phone.dial(command.value)
        if name in calling:
            return calling[name]()
        if name.startswith("+"):
            told += self._extended.answer(command, self._speech.settings)
            return b"" if self.faults.no_ok_after_pin and told[-1:] == ["+CPIN: READY"] else None
        if name[0] == "S" and name[1:].isdecimal():
            self._register(command, told)
        else:
            self._switch(name, int(command.value or 0), told)
        return None

    def _reset(self) -> bytes:
        if self._reset_fails:
            self._reset_fails = False
            return self._speech.result(Result.ERROR)
        self._phone.end_call("ATZ")
        self._speech.settings = self._stored.copy()
        self._phone.show_carrier()
        return self._speech.result(Result.OK)

    def _switch(self, name: str, number: int, told: list[str]) -> None:
        settings = self._speech.settings
        if name == "&F":
            self._speech.settings = Settings()
        elif name == "&W":
            self.stores += 1
            self._stored = settings.copy()
        elif name == "&V":
            told += [f"{letter}{value}" for letter, value in settings.basic.items()]
        elif name == "I":
            told.append("GSM CSD modem")
        elif name in BASIC and number <= BASIC[name][1]:
            settings.basic[name] = number
        elif name[0] == "&" and name[1:] in AMPERSAND and number <= AMPERSAND[name[1:]][1]:
            settings.ampersand[name[1:]] = number
        else:
            raise Refused
        self._phone.show_carrier()

    def _register(self, command: Command, told: list[str]) -> None:
        registers = self._speech.settings.registers
        number = int(command.name[1:])
        if number not in REGISTERS:
            raise Refused
        if command.kind == "ask":
            told.append(f"{registers[number]:03d}")
        elif int(command.value) > 255:
            raise Refused
        else:
            registers[number] = int(command.value)
