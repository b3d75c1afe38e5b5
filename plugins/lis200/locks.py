"""Opening a device's lock when it refuses to be read, and closing it again (lis200.md 2.3).

Only after #0018, only the locks a reader has the code of, each code once: W1 n:171, and P1 (n:code) where that is
refused. Only what was opened here is closed.
"""

from __future__ import annotations

from gateway_server.codec.dialogue import Note
from gateway_server.errors import CodecError, LineError

from . import errors, messages, objects
from .conversation import Conversation, Talk
from .interpreter import Accepted, Refused, Told

WRONG_CODE = (17, 201)
MOST_REOPENED = 20
"""A lock closes by itself after some minutes (1:174 ... 4:174); so often it is opened again in one session."""


def ask(talk: Conversation, message: messages.Message) -> Talk:
    """`Conversation.ask`, with a lock opened and the question put again when the device wants one open."""
    answer = yield from talk.ask(message)
    while isinstance(answer, Refused) and errors.number(answer.error.code) == 18:
        opened = yield from open_next(talk)
        if not opened:
            return answer
        answer = yield from talk.ask(message)
    return answer


def _keys(talk: Conversation) -> list[tuple[int, str]]:
    """Locks and codes to try, in order."""
    locks = talk.listener.profile.locks
    stored = talk.meter.access_code if talk.meter else ""
    if stored:
        lock, colon, code = stored.partition(":")
        if colon and lock in objects.READERS_LOCKS:
            return [(int(lock), code)]
        if colon and lock in objects.LOCKS:
            return []  # the calibration and manufacturer locks are not a reader's to open
        return [(lock_number, stored) for lock_number in locks]
    return [(lock_number, code) for lock_number in locks for code in talk.listener.profile.default_codes]


def open_next(talk: Conversation) -> Talk:
    """Opens a lock of ours that has closed by itself, or the next that was not tried; True if one was opened."""
    for lock, code in list(talk.opened.items()):
        if talk.reopened < MOST_REOPENED:
            talk.reopened += 1
            if (yield from _open(talk, lock, code)):
                return True
    for lock, code in _keys(talk):
        if (lock, code) in talk.tried_locks:
            continue
        talk.tried_locks.add((lock, code))
        try:
            opened = yield from _open(talk, lock, code)
        except CodecError as error:
            yield Note(f"lock {lock}: {error}")
            opened = False
        if opened:
            return True
    if not talk.denied:
        talk.denied = True
        tried = "opening its locks does not help" if talk.opened else "no lock could be opened"
        yield from talk.trouble(
            f"{talk.name}: {tried}; store the right code with `meter add SERIAL --password-file FILE`"
        )
    return False


def _open(talk: Conversation, lock: int, code: str) -> Talk:
    name = f"{lock} ({objects.LOCKS[str(lock)]})"
    state = yield from talk.ask(messages.Command("R1", f"{lock}:170.0(1)"))
    if isinstance(state, Told) and state.text == "1":
        yield Note(f"lock {name} is open already")
        return False
    answer = yield from _ask_to_open(talk, messages.Command("W1", f"{lock}:171.0({code})"))
    if isinstance(answer, Refused) and errors.number(answer.error.code) not in WRONG_CODE:
        # Some devices want the login telegram instead (RMG).
        answer = yield from _ask_to_open(talk, messages.Command("P1", f"({lock}:{code})"))
    if isinstance(answer, Accepted):
        talk.opened[lock] = code
        yield Note(f"lock {name} opened")
        return True
    why = f"#{answer.error.code} {answer.error.meaning}" if isinstance(answer, Refused) else "an unexpected answer"
    yield Note(f"lock {name} stays closed: {why}")
    return False


def _ask_to_open(talk: Conversation, message: messages.Message) -> Talk:
    """The answer to an attempt; an ACK that is taken back at once was noise on the line."""
    answer = yield from talk.ask(message, repeats=1)
    return ((yield from talk.contradicted()) or answer) if isinstance(answer, Accepted) else answer


def close_all(talk: Conversation) -> Talk:
    """Closes what was opened here; what does not work is noted, the device closes by itself after a while."""
    while talk.opened:
        lock, _ = talk.opened.popitem()
        try:
            answer = yield from talk.ask(messages.Command("W1", f"{lock}:170.0(0)"), repeats=2)
        except (CodecError, LineError) as error:
            yield Note(f"lock {lock} may still be open: {error}")
            return
        if isinstance(answer, Refused):
            yield Note(f"lock {lock} may still be open: {answer.error}")
