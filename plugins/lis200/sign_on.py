"""Reaching programming mode: request, identification, option select, P0 (lis200.md 1.2, 1.4, 1.5)."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_server.codec.dialogue import ChangeLine, Note, Pause
from gateway_server.errors import MeterSilent

from . import frames, messages
from .conversation import PATIENCE, Conversation, Talk
from .gate import wake_up
from .interpreter import Answer, Challenge, Refused, Rejected, Signed

START_BAUD = 300
"""An optical head begins at this speed and changes (IEC 62056-21); any other is a wire of fixed speed, or no wire."""
WAKE_UP = "wake_up"
"""What is remembered of a device that has to be woken: how, by a word of `WAYS`."""


@dataclass(frozen=True, slots=True)
class WakeUp:
    """NULs, so many at once, so often, so many seconds apart."""

    nuls: int
    times: int = 1
    apart: float = 0.0


BURST, SPREAD = "burst", "spread"
WAYS = {
    BURST: WakeUp(53),  # RMG over modems; what the documents want at 240 characters a second, and 28 ms at 19200 Bd
    SPREAD: WakeUp(3, times=23, apart=0.1),  # for 2.2 s, gaps below 0.5 s, and no more than 300 Bd can carry
}

BAUDS = {"0": 300, "1": 600, "2": 1200, "3": 2400, "4": 4800, "5": 9600, "6": 19200}


def sign_on(talk: Conversation) -> Talk:
    """Signs on, with retries. Raises `MeterSilent` when nobody answers in any way of speaking we know."""
    timing = talk.timing
    first = talk.even
    remembered = talk.recalled("parity") != ""
    woken = ""
    for attempt in range(timing.sign_on_tries):
        # The way it spoke last time comes twice as often; a stranger gets both in turn.
        talk.even = first != (attempt % 3 == 2 if remembered else attempt % 2 == 1)
        way = _way_to_wake(talk, attempt)
        if attempt:
            # It may still be in the programming mode of a session that broke: end that one (a guess, harmless).
            yield from talk.say(messages.SIGN_OFF)
        if way:
            woken = way
            yield from _wake(talk, WAYS[way])
        yield from talk.say(messages.Request(_address(talk)))
        try:
            # 64 KiB of rubbish may come first: only an identification counts.
            answer = yield from talk.hear(timing.sign_on, _is_identification, kinds=_IDENTIFICATION, most=None)
            yield from _select(talk, answer)
        except MeterSilent:
            continue
        if woken and talk.recalled(WAKE_UP) != woken:
            yield Note("the meter answered behind wake-up NULs")
            talk.woken = woken
        return
    raise MeterSilent(
        f"{talk.name} does not answer {timing.sign_on_tries} sign-on requests, neither as plain octets nor with even "
        "parity: check that it is powered, in its call window, and that no other session holds it"
    )


def _way_to_wake(talk: Conversation, attempt: int) -> str:
    """How to wake it before this attempt, empty for not at all.

    What the documents want takes 2 s. Where these are paid for a burst is tried first, as is known to do over modems,
    then once what they want; the attempt behind it, in the other character format, finds the device awake.
    """
    known = talk.recalled(WAKE_UP)
    if attempt < 2:
        return "" if not known else known if known in WAYS else BURST if talk.airtime else SPREAD
    if not talk.airtime or known == SPREAD or attempt == talk.timing.sign_on_tries - 2:
        return SPREAD
    return BURST if attempt < talk.timing.sign_on_tries - 2 else ""


def _wake(talk: Conversation, way: WakeUp) -> Talk:
    for number in range(way.times):
        if number:
            yield Pause(way.apart)
        yield wake_up(way.nuls)
    yield Pause(talk.timing.wake_up_pause)


def _address(talk: Conversation) -> str:
    address = talk.expected.address if talk.expected else ""
    return "".join(char for char in address if char.isascii() and char.isalnum())[:32]


def _select(talk: Conversation, signed: Signed) -> Talk:
    """Programming mode, at the speed the device offers: its own character is echoed."""
    talk.even = signed.even
    baud = signed.identification.baud
    talk.rate = BAUDS.get(baud, START_BAUD) / 10 / PATIENCE
    yield from talk.say(messages.OptionSelect(baud if baud in _PERMITTED else "5"))
    if BAUDS.get(baud, START_BAUD) != START_BAUD:
        yield ChangeLine(BAUDS[baud], only_from=START_BAUD)
    # A damaged operand says as well that the mode is entered: on LIS-200 it is a dummy.
    answer = yield from talk.hear(talk.timing.sign_on, _is_entry)
    if isinstance(answer, Rejected | Refused):
        raise MeterSilent(f"{talk.name} refuses programming mode")


_IDENTIFICATION = frozenset({frames.IDENTIFICATION, frames.HANGUP})
_PERMITTED = frozenset("0123456789ABCDEFGHI")


def _is_identification(answer: Answer) -> bool:
    return isinstance(answer, Signed)


def _is_entry(answer: Answer) -> bool:
    return isinstance(answer, Challenge | Rejected | Refused)
