"""What can be wrong or odd with a modem, and with one call, each point a switch.

The points come from manuals, drivers and defect reports of GSM modems: every one has kept a meter-reading program from
its meters somewhere. A modem has `ModemFaults` as long as it lives; `CallFaults` belong to a number or are drawn call
by call.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from dataclasses import dataclass

from gateway_server.errors import OperatorError
from gateway_server.testing.lis200.quirks import quirk, switched

HANGS = ("dialling", "connected", "online", "escape", "hang-up")
HANG_UP_ANSWERS = ("ok", "no-carrier-ok", "ok-no-carrier", "no-carrier", "none")
REGISTRATIONS = ("home", "idle", "searching", "denied", "unknown", "roaming")
CAUSE_FORMS = ("siemens", "number", "text")


@dataclass(frozen=True, slots=True)
class ModemFaults:
    """All switches off is a well-behaved modem. Numbers count from 1; 0 means never."""

    # how it answers
    echo_stays: bool = quirk(False, "ATE0 is answered OK, but the echo stays on")
    numeric_profile: bool = quirk(False, "the stored profile says V0: results are digits after ATZ and power-up")
    lf_only: bool = quirk(False, "line feeds alone between lines")
    cr_only: bool = quirk(False, "carriage returns alone between lines")
    rubbish_at_start: bool = quirk(False, "NUL, FF and broken characters at power-up and when the port is opened")
    no_ok_after_pin: bool = quirk(False, "+CPIN: READY is not followed by OK (Wavecom)")
    text_after_ok: bool = quirk(False, "information comes behind its OK")
    first_reset_fails: bool = quirk(False, "the first ATZ after power-up is answered ERROR")
    urc_every: int = quirk(0, "every nth reply has an unsolicited +CREG in its middle")
    ring_every: int = quirk(0, "every nth reply has a RING in its middle, though nobody is answered")
    reaction_s: float = quirk(0.02, "time until a command is answered")
    piecemeal: bool = quirk(False, "what it says comes octet by octet, 5 ms apart")
    needs_pause_s: float = quirk(0.0, "a command that comes sooner behind the last result is not heard")
    silent_abort: bool = quirk(False, "a dial aborted by a byte has no result")
    causes: str = quirk("siemens", "how +CEER answers: siemens, number or text")
    connect_suffix: str = quirk("", "stands behind CONNECT 9600, such as /RLP")

    # SIM and network
    sim_missing: bool = quirk(False, "+CME ERROR: 10")
    sim_busy_s: float = quirk(0.0, "so long after power-up +CME ERROR: 14")
    pin: str = quirk("", "the SIM wants this PIN; three wrong ones lock it")
    registration: str = quirk("home", "home, roaming, idle, searching, denied or unknown")
    registration_s: float = quirk(3.0, "so long after power-up it is registered")
    state_alone: bool = quirk(False, "+CREG? is answered with the state alone, in one field")
    call_ready: bool = quirk(False, "says Call Ready when it is registered, unasked")
    registration_lost_after: int = quirk(0, "after the nth call it is registered no more, until it is restarted")
    signal: int = quirk(18, "+CSQ: 0 to 31, 99 unknown")
    bearers: str = quirk("7 71", "+CBST values its network carries; others end at once with cause 58")
    bearer_unsupported: bool = quirk(False, "+CBST is refused with +CME ERROR: 4")

    # the port
    fixed_speed: int = quirk(0, "talks at this speed alone; anything else gives rubbish")
    wrong_speed: bool = quirk(False, "the serial server's speed is not the modem's: rubbish both ways")
    no_lines: bool = quirk(False, "three-wire cable: DTR is not heard, DCD is always on")
    drops_dtr: bool = quirk(False, "its RFC 2217 server drops DTR when the user leaves")
    left_online: str = quirk("", "on line with this number since before the port was opened")
    mute: bool = quirk(False, "not one byte")
    mute_after: int = quirk(0, "hangs at the nth command: answers nothing more until its power is cycled")
    mute_s: float = quirk(0.0, "a modem that hangs comes back by itself after so long")
    restart_s: float = quirk(5.0, "so long it is deaf after +CFUN=1,1 and after its power is cycled")


@dataclass(frozen=True, slots=True)
class CallFaults:
    """All switches off is a call that gets through. Causes are those of TS 24.008, as +CEER gives them."""

    # it does not get through
    busy: bool = quirk(False, "BUSY")
    no_answer: bool = quirk(False, "NO ANSWER, once it has rung for the set-up time")
    refused: int = quirk(0, "NO CARRIER at once, with this cause")
    no_handshake: int = quirk(0, "NO CARRIER after the set-up time, with this cause")
    no_dialtone: bool = quirk(False, "NO DIALTONE")
    error: bool = quirk(False, "ERROR")
    cme_error: int = quirk(0, "+CME ERROR with this number")
    answers_ok: bool = quirk(False, "OK: the modem believes that it made a voice call")
    delayed: bool = quirk(False, "DELAYED: the modem's own redial guard")
    blacklisted: bool = quirk(False, "BLACKLISTED: the same, for good")
    silence: bool = quirk(False, "no result at all, S7 or not")
    late_connect_s: float = quirk(0.0, "CONNECT comes so much later, S7 or not")

    # it gets through, oddly
    connect_without_speed: bool = quirk(False, "CONNECT alone")
    noise_at_connect: bool = quirk(False, "line noise behind CONNECT, in the same write")
    no_carrier_in_data: int = quirk(0, "the line NO CARRIER stands behind the meter's nth byte; the data go on")
    ring_in_data: int = quirk(0, "the line RING stands behind the meter's nth byte; the data go on")
    far_silent: bool = quirk(False, "the far modem answers, the meter behind it never does")
    far_garbled: bool = quirk(False, "bits of the meter's octets are turned over")

    # it ends badly
    lost_after: int = quirk(0, "the carrier is lost behind the meter's nth byte; NO CARRIER is said")
    lost_silently_after: int = quirk(0, "the same, and not a word; DCD falls")
    carrier_stuck: bool = quirk(False, "DCD stays on when the carrier is lost")
    escape_lost: int = quirk(0, "the first n +++ of the call are not noticed")
    hang_up: str = quirk("ok", "ATH is answered ok, no-carrier-ok, ok-no-carrier, no-carrier or none")
    hangs: str = quirk("", "the modem hangs when: dialling, connected, online, escape or hang-up")
    unplugged_after: int = quirk(0, "the modem is unplugged behind the meter's nth byte")
    unplugged_s: float = quirk(10.0, "until it is plugged in again")


SOUND_MODEM = ModemFaults()
NO_FAULTS = CallFaults()

EVERY_WAY = (
    "busy", "no_answer", "refused=57", "refused=8", "refused=41", "no_handshake=16", "no_dialtone", "error",
    "cme_error=30", "answers_ok", "delayed", "silence", "late_connect_s=120", "connect_without_speed",
    "noise_at_connect", "no_carrier_in_data=60", "far_silent", "far_garbled", "lost_after=300",
    "lost_silently_after=300", "escape_lost=1", "hang_up=none", "hang_up=no-carrier", "hangs=dialling",
    "hangs=online", "hangs=hang-up", "unplugged_after=200",
)  # fmt: skip


def modem_faults(options: Sequence[str]) -> ModemFaults:
    """Switches of a modem from ``NAME`` or ``NAME=VALUE``. Raises `OperatorError`."""
    faults = switched(ModemFaults, list(options), "fault")
    _one_of("registration", faults.registration, REGISTRATIONS)
    _one_of("causes", faults.causes, CAUSE_FORMS)
    return faults


def call_faults(options: Sequence[str]) -> CallFaults:
    """Switches of a call from ``NAME`` or ``NAME=VALUE``. Raises `OperatorError`."""
    faults = switched(CallFaults, list(options), "fault")
    _one_of("hang_up", faults.hang_up, HANG_UP_ANSWERS)
    _one_of("hangs", faults.hangs, ("", *HANGS))
    return faults


def is_call_fault(option: str) -> bool:
    """Whether ``NAME`` or ``NAME=VALUE`` belongs to calls rather than to modems."""
    return option.partition("=")[0].strip().replace("-", "_") in {
        field.name for field in dataclasses.fields(CallFaults)
    }


def _one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise OperatorError(f"fault {name}={value}: choose from: {', '.join(word for word in allowed if word)}")


class FaultDraw:
    """Lets a share of the calls fail, as a seed decides; each way befalls one of them before any befalls a second."""

    def __init__(self, ways: Sequence[CallFaults] = (), share: float = 0.0, seed: int = 0) -> None:
        self._ways = list(ways)
        self._share = share
        self._random = random.Random(f"faults/{seed}")
        self._left: list[CallFaults] = []

    def next(self) -> CallFaults:
        """What befalls the next call."""
        if not self._ways or self._random.random() >= self._share:
            return NO_FAULTS
        if not self._left:
            self._left = self._random.sample(self._ways, len(self._ways))
        return self._left.pop()
