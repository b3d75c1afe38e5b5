"""The whole session: sign on, identify, obtain what the order says, close what was opened, sign off (lis200.md 7)."""

from __future__ import annotations

from gateway_server.codec.dialogue import Dialogue, Note, Partly, Progress, Remember
from gateway_server.errors import ChecksumError, CodecError, LineError, MeterRefused, MeterSilent, UnknownMeter
from gateway_server.model import DAILY, GAS_DAY_START, MONTHLY, KnownMeter, ReadOrder

from . import archive, errors, gas_day, locks, messages, objects, status, values
from .conversation import Conversation, Talk
from .interpreter import DEVICE, DEVICE_GAP, PERIOD, SERIAL, SOFTWARE, TYPE, Refused, Told
from .models import LOGS
from .sign_on import WAKE_UP, sign_on

CURRENT, ARCHIVE, EVENTS = "current", "archive", "events"

TRUST = "trust"
"""How many more sessions over a line that is paid for may do without asking the meter who it is."""
MOST_TRUSTED = 30
"""An exchanged meter, or a new software, is noticed after so many: with a call a day, within a month."""


def read(expected: KnownMeter | None) -> Dialogue:
    """What `Lis200.read` does."""
    talk = Conversation(expected)
    yield from sign_on(talk)
    try:
        yield from _identify(talk)
        yield from _obtain(talk)
    except (MeterSilent, ChecksumError) as error:
        # The line is still there: whatever was stored stays, and the next session goes on behind it.
        yield from _leave(talk)
        if not talk.stored:
            raise
        talk.troubles.append(str(error))
    except (UnknownMeter, CodecError):
        yield from _leave(talk)
        raise
    else:
        yield from _leave(talk)
    return Partly.of(talk.troubles)


def _ask(talk: Conversation, address: str) -> Talk:
    return (yield from locks.ask(talk, messages.Command("R1", f"{address}.0(1)")))


def _identify(talk: Conversation) -> Talk:
    """Type and software first: with the serial number the meter is looked up, and must be known as a whole."""
    yield Progress("identifying")
    if _is_trusted(talk):
        talk.confirm = lambda: _ask_identity(talk)
        yield from talk.trust()
        yield from talk.remember(TRUST, str(int(talk.recalled(TRUST)) - 1))
        return
    yield from _ask_identity(talk)


def _ask_identity(talk: Conversation) -> Talk:
    for address in (TYPE, SOFTWARE):
        yield from _ask(talk, address)
    answer = yield from _ask(talk, SERIAL)
    if not talk.identified or talk.listener.trusted:
        if isinstance(answer, Refused):
            raise answer.error
        raise CodecError(f"{talk.name} gives no serial number")
    if talk.woken:
        yield from talk.remember(WAKE_UP, talk.woken)
    if talk.listener.profile.model == "TC215":
        yield from _ask(talk, PERIOD)
    yield from talk.remember(DEVICE, talk.listener.device)
    if talk.airtime:
        yield Remember(TRUST, str(MOST_TRUSTED))


def _is_trusted(talk: Conversation) -> bool:
    """Whether type, software and serial number need not be asked for: that costs three round trips of a paid line.

    Only where archives alone are read: their rows go on from the stored ones, which another meter's do not. If the
    first ones do not, the meter is asked before they are stored (`Conversation.confirm`).
    """
    expected = talk.expected
    if expected is None or not talk.airtime or CURRENT in expected.order.what or not expected.claimed:
        return False
    left, device = talk.recalled(TRUST), talk.recalled(DEVICE)
    if not (left.isascii() and left.isdecimal() and int(left) > 0 and device) or "TC215" in device:
        return False
    return all(
        (name in LOGS or talk.recalled(f"layout:{device.partition(DEVICE_GAP)[2]}:{number}")) and _has_rows(talk, name)
        for name, number in wanted_archives(talk, expected.order)
    )


def _has_rows(talk: Conversation, name: str) -> bool:
    """Whether there is a stored row that tells this meter's next ones from another meter's."""
    last = talk.expected.last.get(name) if talk.expected is not None else None
    return last is not None and last.order_number is not None and last.measured_at is not None


def _obtain(talk: Conversation) -> Talk:
    meter = talk.meter
    assert meter is not None  # it is identified
    order = meter.order
    if not meter.claimed:
        yield Note("nobody has claimed this meter yet: only its identity and live values are read")
        order = ReadOrder(frozenset({CURRENT}))
    absent = _Absent(talk)
    answer = None if talk.listener.trusted else (yield from _ask(talk, objects.CLOCK))
    if isinstance(answer, Told):
        talk.clock = values.time(answer.text)
    elif isinstance(answer, Refused) and not isinstance(answer.error, errors.Absent):
        yield from talk.trouble(f"clock: {answer.error}")
    archives = wanted_archives(talk, order)
    if any(name.rstrip("0123456789") in (DAILY, MONTHLY) for name, _ in archives):
        yield from _gas_day(talk, absent)
    for name, number in archives:
        yield from _archive(talk, absent, name, number, order)
    for name in order.archives:
        if not any(_named(name, known) for known, _ in talk.listener.profile.archives):
            yield from talk.trouble(
                f"{talk.name} is an {talk.listener.profile.model or 'unknown model'} without {name}"
            )
    if CURRENT in order.what:
        yield from _live(talk, absent)
    yield from absent.remember()


def _gas_day(talk: Conversation, absent: _Absent) -> Talk:
    """Asks once when the gas day starts, which days and months go by; never over a line paid for by the second."""
    if talk.airtime or talk.recalled(GAS_DAY_START) or objects.GAS_DAY in absent:
        return
    try:
        # Once: a device that hears nothing for a minute leaves programming mode. And no lock is opened for it.
        answer = yield from talk.ask(messages.Command("R1", f"{objects.GAS_DAY}.0(1)"), repeats=1)
    except ChecksumError:
        return  # another time
    except MeterSilent:
        # Nothing hangs on it; whether anybody is there at all the next question shows.
        yield from talk.quiet()
        absent.add(objects.GAS_DAY)
        return
    if isinstance(answer, Refused) and isinstance(answer.error, errors.Absent):
        absent.add(objects.GAS_DAY)
    elif isinstance(answer, Told):
        if start := gas_day.start_of(answer.text):
            yield from talk.remember(GAS_DAY_START, start)
        else:
            absent.add(objects.GAS_DAY)
            yield Note(f"the start of its gas day, {answer.text!r}, is no time of day")


def wanted_archives(talk: Conversation, order: ReadOrder) -> list[tuple[str, int]]:
    """Which archives an order means: those it names, else all of the kinds it names."""
    chosen = []
    for name, number in talk.listener.profile.archives:
        if order.archives:
            wanted = any(_named(asked, name) for asked in order.archives)
        else:
            wanted = (EVENTS if name in LOGS else ARCHIVE) in order.what
        if wanted and (order.archives or order.what & {ARCHIVE, EVENTS}):
            chosen.append((name, number))
    return chosen


def _named(asked: str, name: str) -> bool:
    """``monthly`` means both monthly archives: they are two halves of one."""
    return name == asked or name.rstrip("0123456789") == asked


class _Absent:
    """Objects and archives this device was found not to have; not asked for again with the same software."""

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk
        self._key = f"absent:{talk.listener.running_software}"
        self._before = frozenset(talk.recalled(self._key).split())
        self._now = set(self._before)

    def __contains__(self, what: object) -> bool:
        return what in self._now

    def add(self, what: str) -> None:
        """Notes that it is not there."""
        self._now.add(what)

    def remember(self) -> Talk:
        """Asks to remember what is new."""
        if self._now != self._before:
            yield from self._talk.remember(self._key, " ".join(sorted(self._now)))


def _archive(talk: Conversation, absent: _Absent, name: str, number: int, order: ReadOrder) -> Talk:
    """One archive; what is wrong with it does not keep the others from being read."""
    mark = f"archive{number}"
    asked_for = name in order.archives
    if mark in absent and not asked_for:
        return
    yield Progress(f"{name}: reading")
    try:
        if ranges := order.ranges_of(name):
            for _, since, until in ranges:
                yield from archive.read_range(talk, name, number, since, until)
        else:
            yield from archive.read_archive(talk, name, number, order.since, order.until)
    except errors.Absent as error:
        if errors.number(error.code) == 101:
            yield from talk.trouble(_about(talk, name, error))
            return
        absent.add(mark)
        text = f"{name}: this device has no archive {number} (#{error.code} {error.meaning})"
        if asked_for:
            yield from talk.trouble(text)
        else:
            yield Note(text)
    except (MeterRefused, ChecksumError) as error:
        yield from talk.trouble(_about(talk, name, error))
    except MeterSilent as silence:
        yield from talk.quiet()
        yield from talk.ask(messages.Command("R1", f"{objects.CLOCK}.0(1)"), repeats=1)
        # It answers, so it was this archive only.
        yield from talk.trouble(_about(talk, name, silence))


def _about(talk: Conversation, name: str, error: Exception) -> str:
    """What went wrong with this archive; whose it is the session says."""
    text = str(error).removeprefix(talk.name)
    return f"{name}: {text.removeprefix(f', {name}').removeprefix(': ')}"


def _live(talk: Conversation, absent: _Absent) -> Talk:
    """Live values, one by one; those the device does not have are left out.

    The momentary status is the union of all (lis200.md 2.7). Only if it has messages the parts are asked, until each
    message has its place: while a device is calm this costs nobody's airtime.
    """
    addresses = [
        address if address not in absent else objects.ELSEWHERE[address]
        for address in talk.listener.profile.live
        if address not in absent or objects.ELSEWHERE.get(address, address) not in absent
    ]
    refused: list[str] = []
    overall: set[int] = set()
    for done, address in enumerate(addresses):
        yield Progress("live values", done, len(addresses))
        text = yield from _live_value(talk, absent, address, refused)
        if address == objects.STATUS:
            overall.update(status.numbers(text) or ())
        if address in absent and address in objects.ELSEWHERE:
            addresses.append(objects.ELSEWHERE[address])
    for address in objects.STATUS_PARTS:
        if not overall:
            break
        text = yield from _live_value(talk, absent, address, refused)
        overall.difference_update(status.numbers(text) or ())
    if refused:
        yield from talk.trouble(f"live values refused: {', '.join(refused)}")


def _live_value(talk: Conversation, absent: _Absent, address: str, refused: list[str]) -> Talk:
    """Asks one live value and gives its text, empty if there is none."""
    if address in absent:
        return ""
    try:
        answer = yield from _ask(talk, address)
    except ChecksumError as error:
        yield from talk.trouble(f"{objects.words(address)}: {error}")
        return ""
    if isinstance(answer, Refused):
        if isinstance(answer.error, errors.Absent):
            absent.add(address)
        else:
            refused.append(f"{address} #{answer.error.code}")
    return answer.text if isinstance(answer, Told) else ""


def _leave(talk: Conversation) -> Talk:
    """Closes locks and ends the device's programming mode, which is not answered."""
    try:
        yield from locks.close_all(talk)
        yield from talk.say(messages.SIGN_OFF)
    except LineError as error:
        yield Note(f"signing off: {error}")


__all__ = ["read", "wanted_archives"]
