"""What is done with a modem in each part of its life: find, prepare, register, dial, answer, hang up, check, reset."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from gateway_server.errors import LineError
from gateway_server.model import CallResult
from gateway_server.transports.at import CALLING, RELEASING, AtCommand, Reply, Result
from gateway_server.transports.modem.port import ModemPort
from gateway_server.transports.modem.talk import ModemSilent, ModemTalk
from gateway_server.transports.modem.terms import Escape, ModemTerms
from gateway_server.transports.modem.verdict import Verdict, judge, refusal
from gateway_server.transports.numbers import masked

PROBES = 3
_HANG_UPS = 3
_SIM_BUSY = 14
_SIM_WAITS = 10
_USABLE = frozenset({"1", "5"})
_REGISTRATION = {"0": "not searching", "2": "searching", "3": "denied", "4": "unknown"}


class ModemFault(LineError):
    """The modem cannot be used. ``lasting`` says that it is for the operator to change something."""

    def __init__(self, why: str, *, lasting: bool = False) -> None:
        super().__init__(why)
        self.lasting = lasting


@dataclass(slots=True)
class Facts:
    """What the modem told of itself and its network last."""

    signal: int | None = None
    operator: str = ""
    registration: str = ""
    bearer: str = ""
    speed: int = 0
    carrier_seen: bool = False  # DCD was up during a call: there are modem lines
    found_on_line: bool = False  # it had to be brought back from a call that nobody knew of


@dataclass(frozen=True, slots=True)
class PinMemory:
    """What the store knows of the PIN that was tried: ``tried`` names the file's state then, empty for none."""

    tried: Callable[[], Awaitable[str]]
    note: Callable[[str], Awaitable[None]]


class ModemSteps:
    """One opened port's conversation, step by step. Each raises `ModemSilent` or `ModemFault` when it fails."""

    def __init__(self, terms: ModemTerms, talk: ModemTalk, port: ModemPort, facts: Facts, pin: PinMemory) -> None:
        self._terms = terms
        self._talk = talk
        self._port = port
        self._facts = facts
        self._pin = pin

    # finding it

    async def find(self) -> None:
        """Gets an OK out of it, whatever state it was left in; the first rung of the ladder that yields one wins (A.5).

        Behind a crash it may still be on line with a meter, and everything said to it goes there: so the escape comes
        second, and a hang-up behind it in any case.
        """
        self._talk.command_state()
        self._port.set_dtr(True)
        if self._port.dcd and await self._escape():
            return
        self._talk.nudge()
        for speed in dict.fromkeys((self._facts.speed or self._terms.speed, self._terms.speed, *self._terms.speeds)):
            self._port.set_speed(speed)
            if await self._found_at(speed):
                return
        self._port.set_speed(self._terms.speed)
        raise ModemFault(
            f"no modem answers at {self._terms.port}: check that it is powered, the cable, and the speed"
            f" (tried {', '.join(map(str, dict.fromkeys((self._terms.speed, *self._terms.speeds))))})"
        )

    async def _found_at(self, speed: int) -> bool:
        """One speed's part of the ladder; the whole of it only at the modem's own."""
        own = speed == self._terms.speed
        if await self._answers(1 if own else 2):
            return await self._settled(speed)
        if not own:
            return False
        if await self._escape():
            return await self._settled(speed)
        self._port.set_dtr(False)
        await self._talk.pause(1.0)
        self._port.set_dtr(True)
        if await self._answers(1):
            return await self._settled(speed)
        self._talk.nudge()
        await self._talk.quiet(3.0)
        return await self._answers(PROBES) and await self._settled(speed)

    async def _settled(self, speed: int) -> bool:
        """It answers: on hook, and spoken to at the speed it was found at, until the operator sets that (+IPR, &W)."""
        self._facts.speed = speed
        await self._try(AtCommand("ATH", 5.0, ends=RELEASING))
        return True

    async def _answers(self, tries: int) -> bool:
        for _ in range(tries):
            try:
                if (await self._talk.ask(AtCommand("AT", 1.0, ends=RELEASING))).ok:
                    return True
            except ModemSilent:
                continue
        return False

    async def _escape(self) -> bool:
        """Out of a call that nobody knows of."""
        if await self._talk.escape(self._terms.guard) is None:
            return False
        await self._try(AtCommand("ATH", 5.0, ends=RELEASING))
        self._facts.found_on_line = await self._answers(PROBES)
        return self._facts.found_on_line

    async def _try(self, command: AtCommand) -> bool:
        """Whether it took a command that it need not know."""
        try:
            return (await self._talk.ask(command)).ok
        except ModemSilent:
            return False

    # preparing it

    async def prepare(self) -> None:
        """The init strings, each on a line of its own, the SIM, and the bearer."""
        terms = self._terms
        self._facts.bearer = ""
        await self._restore()
        for line in terms.type.lines:
            await self._must(line)
        for line in (*terms.type.tolerated, f"ATS7={min(int(terms.dial_timeout), 255)}"):
            await self._try(AtCommand(line))
        for line in terms.init_before:
            await self._must(line)
        if terms.type.cellular:
            await self._unlock()
        await self._try(AtCommand("AT+CRC=1"))
        await self._try(AtCommand("AT+CLIP=1", 10.0))
        for line in terms.init_after:
            await self._must(line)

    async def _restore(self) -> None:
        """ATZ stands alone on its line, and may want to be said twice (A.2)."""
        for _ in range(2):
            if await self._try(AtCommand("ATZ", ends=RELEASING)):
                return

    async def _must(self, line: str) -> None:
        for attempt in (1, 2):
            reply = await self._talk.ask(AtCommand(line, 5.0))
            if reply.ok:
                return
            if attempt == 2:
                raise ModemFault(
                    f"the modem refuses {line!r}: {refusal(reply)}; correct its init strings", lasting=True
                )

    async def _unlock(self) -> None:
        """The SIM's state. A PIN is tried once: three wrong ones lock the SIM for good."""
        for _ in range(_SIM_WAITS):
            reply = await self._talk.ask(AtCommand("AT+CPIN?", 10.0, prefix="+CPIN"))
            if reply.ok or reply.code != _SIM_BUSY:
                break
            await self._talk.pause(2.0)  # normal for 10 to 20 s after its start
        if not reply.ok:
            if reply.result is Result.ERROR:
                return  # firmware without this command: the registration will tell
            raise ModemFault(f"the SIM cannot be used: {refusal(reply)}", lasting=True)
        state = reply.value("+CPIN").upper()
        if state == "SIM PIN":
            await self._enter_pin()
        elif state != "READY":
            raise ModemFault(f"the SIM wants {state}: unlock it in a telephone", lasting=True)

    async def _enter_pin(self) -> None:
        file = self._terms.pin_file
        if file is None:
            raise ModemFault("the SIM wants its PIN: name a file that holds it in `pin_file`", lasting=True)
        try:
            pin, mark = file.read_text(encoding="ascii").strip(), _mark(file.stat().st_mtime_ns, file.stat().st_size)
        except (OSError, UnicodeDecodeError) as failed:
            raise ModemFault(f"the file of the PIN cannot be read: {failed}", lasting=True) from None
        if not re.fullmatch(r"\d{4,8}", pin):
            raise ModemFault(f"{file} holds no PIN of 4 to 8 digits", lasting=True)
        if await self._pin.tried() == mark:
            raise ModemFault(
                f"the PIN in {file} was tried once and was wrong; it is not tried again until the file changes",
                lasting=True,
            )
        await self._pin.note(mark)
        reply = await self._talk.ask(AtCommand(f"AT+CPIN={pin}", 20.0, shown="AT+CPIN=****"))
        if not reply.ok:
            raise ModemFault(
                f"the SIM refuses the PIN in {file}: {refusal(reply)}; it is not tried again until the file changes",
                lasting=True,
            )
        await self._pin.note("")

    # the network

    async def register(self) -> None:
        """Waits until the network has it, then notes signal and operator."""
        if not self._terms.type.cellular:
            return
        waited = 0.0
        while not await self.registered():
            if waited >= self._terms.register_timeout:
                raise ModemFault(
                    f"not registered with a network within {self._terms.register_timeout:g} s"
                    f" ({self._facts.registration or 'no answer'}): check antenna, SIM and coverage",
                    lasting=True,
                )
            await self._talk.pause(3.0)
            waited += 3.0
        await self.note_signal()
        operator = await self._talk.ask(AtCommand("AT+COPS?", 10.0, prefix="+COPS"))
        if named := re.search(r'"([^"]*)"', operator.value("+COPS")):
            self._facts.operator = named[1]

    async def registered(self) -> bool:
        """Whether the network has it now. The answer is ``<n>,<stat>``, or ``<stat>`` alone."""
        reply = await self._talk.ask(AtCommand("AT+CREG?", 5.0, prefix="+CREG"))
        fields = [part.strip() for part in reply.value("+CREG").split(",")]
        stat = fields[1] if len(fields) > 1 and fields[1].isdigit() and len(fields[1]) == 1 else fields[0]
        self._facts.registration = _REGISTRATION.get(stat, "")
        return reply.ok and stat in _USABLE

    async def note_signal(self) -> None:
        """How strong the network is here."""
        reply = await self._talk.ask(AtCommand("AT+CSQ", 5.0, prefix="+CSQ"))
        signal = reply.value("+CSQ").partition(",")[0].strip()
        self._facts.signal = int(signal) if signal.isdigit() else None

    async def check(self) -> None:
        """Whether it still answers and is in the network, while nothing else is to be done."""
        if not (await self._talk.ask(AtCommand("AT", 2.0))).ok:
            raise ModemFault("the modem answers AT with an error")
        if self._terms.type.cellular:
            await self.note_signal()
            if not await self.registered():
                raise ModemFault(f"the network has lost the modem ({self._facts.registration or 'no answer'})")

    # calls

    async def dial(self, number: str, bearers: Sequence[str]) -> Verdict | None:
        """Calls. None when it is on line; otherwise what that means. Raises `ModemSilent` when it said nothing."""
        verdict: Verdict | None = None
        if self._terms.type.cellular:
            await self.note_signal()
        for bearer in bearers or ("",):
            if bearer and bearer != self._facts.bearer and not await self._set_bearer(bearer):
                verdict = verdict or Verdict(
                    CallResult.MODEM_FAULT, f"the modem refuses the bearer +CBST={bearer}", ours=True
                )
                continue
            verdict = await self._dial_once(number)
            if verdict is None or not verdict.other_bearer:
                return verdict
        return verdict

    async def _set_bearer(self, bearer: str) -> bool:
        if not self._terms.type.cellular:
            return True
        taken = await self._try(AtCommand(f"AT+CBST={bearer}", 5.0))
        self._facts.bearer = bearer if taken else ""
        return taken

    async def _dial_once(self, number: str) -> Verdict | None:
        for attempt in (1, 2):
            reply, seconds = await self._timed(
                AtCommand(f"ATD{number}", self._terms.dial_timeout + 5.0, ends=CALLING, shown=f"ATD{masked(number)}")
            )
            if reply is None:
                return await self._give_up_dial(seconds)
            if reply.result is Result.CONNECT:
                return None
            again = reply.result in (Result.ERROR, Result.OK) and attempt == 1
            if again:
                await self._try(AtCommand("ATH", 5.0, ends=RELEASING))
                continue
            ceer = await self._ceer()
            return judge(reply, seconds, ceer, refused_within=self._terms.refused_within)
        raise AssertionError  # the second attempt has returned

    async def answer(self) -> Verdict | None:
        """Takes the call that rings."""
        reply, seconds = await self._timed(AtCommand("ATA", self._terms.dial_timeout, ends=CALLING, shown="ATA"))
        if reply is None:
            return await self._give_up_dial(seconds)
        if reply.result is Result.CONNECT:
            return None
        if reply.result in (Result.ERROR, Result.OK):
            return Verdict(CallResult.NO_CARRIER, "the caller had gone, or called as a voice")
        return judge(reply, seconds, await self._ceer(), refused_within=0.0)

    async def _timed(self, command: AtCommand) -> tuple[Reply | None, float]:
        began = self._talk.now()
        try:
            reply: Reply | None = await self._talk.ask(command)
        except ModemSilent:
            reply = None
        return reply, self._talk.now() - began

    async def _give_up_dial(self, seconds: float) -> Verdict:
        """Any byte ends a dial; what comes then tells whether the modem was at it or hung."""
        self._talk.nudge()
        if await self._talk.quiet(5.0) is None and not await self._answers(1):
            raise ModemSilent(f"the modem said nothing for {seconds:.0f} s after the dial, and does not answer now")
        await self._try(AtCommand("ATH", 5.0, ends=RELEASING))
        return Verdict(CallResult.NO_CARRIER, f"no result within {seconds:.0f} s; the dial was given up")

    async def _ceer(self) -> str:
        """Why the last call failed: to be asked at once, and many do not know the command."""
        if not self._terms.type.cellular:
            return ""
        try:
            reply = await self._talk.ask(AtCommand("AT+CEER", 3.0, prefix="+CEER"))
        except ModemSilent:
            return ""
        return reply.value("+CEER") if reply.ok else ""

    async def hang_up(self, *, lost: bool = False) -> None:
        """Ends the call and makes sure of it: a modem left on line passes every command on to the meter.

        After a ``lost`` carrier it should be in command state by itself.
        """
        self._talk.command_state()
        if lost and await self._on_hook():
            return
        by_dtr = self._terms.escape is Escape.DTR or (
            self._terms.escape is Escape.AUTO and self._facts.carrier_seen and self._port.dcd is not None
        )
        if by_dtr:
            self._port.set_dtr(False)
            await self._talk.pause(1.0)
            self._port.set_dtr(True)
            await self._talk.pause(0.2)
            if await self._on_hook():
                return
        for _ in range(_HANG_UPS):
            await self._talk.escape(self._terms.guard)
            if await self._on_hook():
                return
        raise ModemFault("the modem does not hang up: neither DTR nor +++ and ATH brought an answer")

    async def _on_hook(self) -> bool:
        """Whether it takes ATH and then answers for itself, without carrier."""
        await self._try(AtCommand("ATH", 5.0, ends=RELEASING))
        return await self._answers(2) and not (self._facts.carrier_seen and self._port.dcd is True)

    async def reset(self, power_cycle: Callable[[], Awaitable[None]] | None) -> None:
        """Starts the modem anew: by its own command, and by the operator's if there is one."""
        if power_cycle is not None:
            if self._terms.type.cellular and await self._try(AtCommand("AT+CFUN=0", 5.0)):
                await self._talk.pause(2.0)  # else the network may refuse the next registration (A.2)
            await power_cycle()
        else:
            await self._try(AtCommand(self._terms.type.reset, 10.0))
        await self._talk.pause(self._terms.boot if power_cycle is not None else min(self._terms.boot, 10.0))


def _mark(changed_ns: int, size: int) -> str:
    """Tells one state of a file from another without telling what it holds."""
    return f"{changed_ns}:{size}"
