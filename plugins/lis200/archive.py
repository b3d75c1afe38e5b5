"""Reading one archive in blocks, behind what is stored, in spite of damaged and missing blocks (lis200.md 1.3, 2.5).

Where to go on is asked by time (column V.2/V.4 say which; 3 on EK, 2 on TC): that is what all servers known to work
do. The last stored row is asked for again; coming once more is harmless, and not coming tells that the ring was
overwritten or cleared: then the rows between are asked for by archive order number, or all the device has; what a
break leaves of these is remembered and asked for by the next session (`holes`). After its clock was set back a device
is asked by order number at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway_server.codec.dialogue import Drain, Note, Progress
from gateway_server.errors import ChecksumError, LineError, LineLost, MeterRefused, MeterSilent
from gateway_server.model import INTERVAL, LastRow

from . import errors, locks, messages, periods, values
from .conversation import Conversation, Talk
from .holes import Hole, Holes
from .interpreter import Answer, Begun, Block, Damaged, Refused, Rejected
from .learn import learn_layout
from .rows import RowReader

BLOCK = "block"
"""What is remembered of the block size that got through."""
ROWS_PER_BLOCK = 10
"""RMG's choice since 2014: a month of hourly rows takes 3 minutes over CSD, row by row 17."""
AIRTIME_BLOCK = "airtime_block"
"""The same for lines that are paid for, where each block costs a round trip more."""
MOST_AIRTIME_ROWS = 250
"""35 kB, 37 s of a CSD call: what a lost line costs at most. No document says what devices bear: it is learnt, and
who does not bear it gets `ROWS_PER_BLOCK` from then on."""
LONGEST_BLOCK_S = 60.0
LONGEST_ROW = 600
"""So many octets has a row at most: the longest known, the monthly archive's of 36 cells, has less than half."""
MOST_AT_ONCE = 1 << 17
"""So many octets is a device given that sends all rows in one block, once: a month of hourly rows is 106 kB."""
MOST_FRUITLESS = 3
MOST_REQUESTS = 2000
MOST_BLOCKS = 50_000


@dataclass(frozen=True, slots=True)
class Range:
    """What is asked for: a column, counted from 1, and its lower and upper value, empty for none."""

    position: int
    lower: str = ""
    upper: str = ""


class Broken(Exception):
    """The blocks stopped before the last one; what came is stored. ``damaged``: something came, but not sound;
    ``ahead``: the device is sending what comes behind it already."""

    def __init__(self, why: str, *, damaged: bool = False, ahead: bool = False) -> None:
        super().__init__(why)
        self.damaged = damaged
        self.ahead = ahead


class Interrupted(Exception):
    """The device was asked something else in between and has forgotten the rest of its answer."""


def read_archive(talk: Conversation, name: str, number: int, since: datetime | None, until: datetime | None) -> Talk:
    """Reads one archive. Raises a typed refusal, `MeterSilent` or `ChecksumError` when it cannot be read on."""
    yield from learn_layout(talk, number)
    reader = talk.listener.reader(number)
    last = talk.meter.last.get(name) if talk.meter and since is None else None
    upper = values.time_text(until) if until else ""
    wanted = Range(_time_position(talk, number), _lower(since, last), upper)
    by_order = reader.layout.has_archive_order if reader.layout else talk.listener.profile.has_order_numbers
    if last is not None and by_order and _time_is_no_use(talk, last):
        yield Note(f"{name}: by its time the last stored row cannot be found again; going on by order number")
        wanted = Range(_order_position(talk, number), str(last.order_number))
    goes_on = last is not None and until is None
    holes = Holes(talk, name, last.order_number if last and by_order and goes_on else None)
    yield from _read(talk, name, number, wanted, holes)
    if not goes_on:
        return
    if not reader.seen:
        yield Note(f"{name}: the last stored row is no longer in the device; reading all it has")
        yield from _read(talk, name, number, replace(wanted, position=_time_position(talk, number), lower=""))
    for hole in holes:
        yield from _fill(talk, name, number, holes, hole)


def _fill(talk: Conversation, name: str, number: int, holes: Holes, hole: Hole) -> Talk:
    """Reads rows that were passed over. What keeps them away does not keep the session from going on."""
    reader = talk.listener.reader(number)
    reader.elsewhere()
    missing = f"rows {hole.first} to {hole.last} behind the last stored one"
    try:
        yield from _read(talk, name, number, Range(_order_position(talk, number), str(hole.first), str(hole.last)))
    except errors.Absent as absent:
        yield from holes.filled(hole)
        yield Note(f"{name}: {missing} cannot be asked for by order number (#{absent.code})")
        return
    except (LineError, ChecksumError, MeterRefused) as error:
        yield from holes.filled(hole, reader.last_order or 0)
        if isinstance(error, LineLost):
            raise
        if isinstance(error, MeterSilent):
            yield from talk.quiet()
        yield from talk.trouble(f"{name}: {missing} are still to come ({error}); the next session asks for them")
        return
    yield from holes.filled(hole)
    if not reader.seen:
        yield Note(f"{name}: {missing} are no longer in the device")


def read_range(talk: Conversation, name: str, number: int, since: datetime, until: datetime) -> Talk:
    """Reads one stretch of an archive, both ends included, and tells when the device has nothing of it."""
    yield from learn_layout(talk, number)
    upper = values.time_text(until)
    wanted = Range(_time_position(talk, number), _lower(since, None), upper)
    reader = talk.listener.reader(number)
    reader.elsewhere()
    yield from _read(talk, name, number, wanted)
    if not reader.seen:
        yield Note(f"{name}: the device has no rows from {wanted.lower} to {upper}")


def _lower(since: datetime | None, last: LastRow | None) -> str:
    if since is not None:
        return values.time_text(since)
    if last is None or last.measured_at is None:
        return ""
    moment = last.measured_at
    if moment.fold:
        # In the second of two equal hours: from an hour before, so that the device's first one is seen as well.
        moment = values.moved(moment, -timedelta(hours=1))
    return values.time_text(moment)


def _time_is_no_use(talk: Conversation, last: LastRow) -> bool:
    """Whether a row must be looked for by its order number: its time was wrong, or lies ahead of the clock by now."""
    clock, moment = talk.clock, last.measured_at
    if last.order_number is None:
        return False
    return moment is None or (clock is not None and moment.replace(fold=0) - clock > timedelta(hours=2))


def _time_position(talk: Conversation, number: int) -> int:
    layout = talk.listener.reader(number).layout
    return (layout.time_position if layout else 0) or talk.listener.profile.time_position


def _order_position(talk: Conversation, number: int) -> int:
    layout = talk.listener.reader(number).layout
    return layout.order + 1 if layout and layout.has_archive_order else 2


def _block_fact(talk: Conversation) -> str:
    """Under which name the block size is remembered."""
    return AIRTIME_BLOCK if talk.airtime else BLOCK


def _smaller(block: int) -> int:
    """What to ask for after a line that did not last for one block: soon something that gets through."""
    return max(ROWS_PER_BLOCK, block // 5) if block > ROWS_PER_BLOCK else block // 2


def _block_size(talk: Conversation) -> int:
    first, most = (MOST_AIRTIME_ROWS, MOST_AIRTIME_ROWS) if talk.airtime else (ROWS_PER_BLOCK, 100)
    text = talk.recalled(_block_fact(talk))
    return min(max(int(text), 1), most) if text.isascii() and text.isdecimal() else first


def _read(talk: Conversation, name: str, number: int, wanted: Range, holes: Holes | None = None) -> Talk:
    """Reads a range, going on after every break; ``holes`` hears of its first row."""
    reader = talk.listener.reader(number)
    reader.first_order, reader.seen = None, 0
    block = _block_size(talk)
    clean, fruitless, moved = True, 0, False
    for _ in range(MOST_REQUESTS):
        mark = _position_of(reader)
        try:
            yield from _blocks(talk, name, number, wanted, block, holes)
        except errors.NothingThere:
            break
        except LineLost:
            if block > 1 and _position_of(reader) == mark:
                # The line did not last for one block: the next session must not pay for the same again.
                yield from talk.remember(_block_fact(talk), str(_smaller(block)))
            raise
        except Interrupted:
            wanted = _from_last(talk, number, wanted)
        except (Broken, errors.RowDamaged) as why:
            clean = False
            progress = _position_of(reader) != mark
            fruitless = 0 if progress else fruitless + 1
            yield Note(f"{name}: {why}; going on behind the last good row")
            damaged = isinstance(why, errors.RowDamaged) and errors.number(why.code) == 110
            if damaged and block == 1 and not progress:
                skipped = _behind_damage(talk, number, name, wanted)
                if skipped is None:
                    raise
                yield from talk.trouble(f"{name}: one row is damaged in the device and is left out ({why})")
                wanted, fruitless = skipped, 0
                continue
            if fruitless > MOST_FRUITLESS:
                if isinstance(why, errors.RowDamaged):
                    raise
                text = f"{talk.name}, {name}: {why}, {fruitless} times in a row"
                raise (ChecksumError(text) if why.damaged else MeterSilent(text)) from None
            too_large = block > ROWS_PER_BLOCK and not progress and not damaged
            block = ROWS_PER_BLOCK if too_large else max(1, block // 2)
            if progress:
                wanted = _from_last(talk, number, wanted)
            if isinstance(why, Broken) and why.ahead:
                # What comes behind a lost block is asked for again with it: stored now, it would hide the hole.
                yield Drain(talk.timing.quiet, LONGEST_BLOCK_S)
            else:
                yield from talk.quiet()
        except errors.BadInput as refused:
            if block <= ROWS_PER_BLOCK:
                raise
            clean, block = False, ROWS_PER_BLOCK
            yield Note(f"{name}: the device does not give so many rows at once (#{refused.code}); asking for fewer")
        except errors.Absent as absent:
            if errors.number(absent.code) != 101 or moved:
                raise
            moved = True
            wanted = replace(wanted, position=5 - wanted.position if wanted.position in (2, 3) else 3)
        else:
            break
    else:
        raise MeterSilent(f"{talk.name}, {name}: broke off again and again; given up after {MOST_REQUESTS} requests")
    yield from _learn_block(talk, block, clean=clean, rows=reader.seen)
    if name == INTERVAL and reader.period is not None:
        yield from talk.remember(periods.PERIOD_FACT, periods.minutes(reader.period))


def _position_of(reader: RowReader) -> tuple[int | None, datetime | None]:
    return reader.last_order, reader.last_time


def _from_last(talk: Conversation, number: int, wanted: Range) -> Range:
    """The same range from its last good row on, that row included: what comes twice is recognised."""
    reader = talk.listener.reader(number)
    if wanted.position == _time_position(talk, number) and reader.last_time is not None:
        return replace(wanted, lower=values.time_text(reader.last_time))
    return replace(wanted, lower=str(reader.last_order)) if reader.last_order is not None else wanted


def _behind_damage(talk: Conversation, number: int, name: str, wanted: Range) -> Range | None:
    """The range behind the row that follows the last good one; None where nothing says where that is."""
    reader = talk.listener.reader(number)
    by_order = reader.layout.has_archive_order if reader.layout else talk.listener.profile.has_order_numbers
    period = talk.period(name)
    by_time = wanted.upper and wanted.position == _time_position(talk, number) and period is not None
    if by_order and not by_time and reader.last_order is not None:
        return Range(_order_position(talk, number), str(reader.last_order + 2))
    if reader.last_time is not None and period is not None:
        behind = values.moved(reader.last_time, period + timedelta(seconds=1))
        return Range(_time_position(talk, number), values.time_text(behind), wanted.upper if by_time else "")
    return None


def _learn_block(talk: Conversation, block: int, *, clean: bool, rows: int) -> Talk:
    """Remembers a block size that had to be smaller; a clean reading lets it grow again.

    On a line that is paid for it grows as far as device and line bear it, if there was more than one block to read.
    """
    usual = _block_size(talk)
    fact = _block_fact(talk)
    most = MOST_AIRTIME_ROWS if talk.airtime else ROWS_PER_BLOCK
    if not clean:
        yield from talk.remember(fact, str(block))
    elif usual < most and (rows > usual or not talk.airtime):
        yield from talk.remember(fact, str(min(most, usual * 2)))


def _blocks(talk: Conversation, name: str, number: int, wanted: Range, block: int, holes: Holes | None = None) -> Talk:
    """One R3 and its blocks: each is stored before it is acknowledged, a damaged one is asked for again.

    Where the operator allows it for the type of device, a block that is not the last one is acknowledged as soon as it
    begins: the device keeps the ACK and sends the next one behind it without a pause. Such a block cannot be repeated
    with NAK any more; if it arrives damaged the archive is asked for again from the last good row on. Nothing is lost
    by it in the device: reading an archive deletes nothing there. Raises the typed refusal, or `Broken`.
    """
    request = messages.Command("R3", f"{number}:V.0({wanted.position};{wanted.lower};{wanted.upper};{block})")
    yield from talk.say(request)
    damaged = rows = size = 0
    nudged = ahead = trying = False
    for _ in range(MOST_BLOCKS):
        most = MOST_AT_ONCE if talk.at_once else (block + 2) * LONGEST_ROW
        try:
            early = talk.early and not nudged and not damaged
            early = early and _more_follows(talk, name, number, wanted, rows, size or block)
            answer = yield from talk.hear(talk.timing.reply, _is_part, begun=early, most=most)
            if early := isinstance(answer, Begun):
                yield from talk.say(messages.Acknowledge())
                answer = yield from talk.hear(talk.timing.reply, _is_part, most=most)
        except MeterSilent as silence:
            if trying:
                raise _endless(talk, name) from None
            if nudged or not rows:
                raise Broken(str(silence)) from None
            # Our ACK or its block was lost: a NAK brings the block in either case.
            nudged = True
            if ahead:
                talk.early_left = 0  # this device does not keep an ACK that comes while it sends
            yield Note(f"{name}: {silence}; asking for the block again")
            yield from talk.say(messages.Repeat())
            continue
        if isinstance(answer, Damaged):
            if early:
                talk.early_left -= 1
                raise Broken(f"a block that was acknowledged already: {answer.fault}", damaged=True, ahead=True)
            damaged += 1
            if damaged > talk.timing.repeats:
                raise Broken(f"a block arrived damaged {damaged} times: {answer.fault}", damaged=True)
            yield Note(f"{name}: {_what_came(answer, most)}; asking for the block again")
            if answer.size > most:
                if talk.at_once is not None:
                    raise _endless(talk, name)
                trying = talk.at_once = True  # it may give all rows in one block: once it is heard out
            if answer.fault.startswith("cut off"):
                yield from talk.quiet()
            yield from talk.say(messages.Repeat())
            continue
        if isinstance(answer, Rejected):
            raise Broken("the device did not understand us (NAK)", damaged=True)
        if isinstance(answer, Refused):
            if errors.number(answer.error.code) == 18 and (yield from locks.open_next(talk)):
                yield from talk.say(request)
                continue
            raise answer.error
        if holes is not None:
            # Before the block is acknowledged and its rows are the last stored ones for whoever comes next.
            yield from holes.noticed(talk.listener.reader(number).first_order)
        rows += answer.rows
        size = max(size, answer.rows)
        if nudged:
            # The block may only have been late and come twice: what is acknowledged must be the last one.
            yield from talk.quiet()
        damaged, nudged, trying = 0, False, False
        done, total = _estimate(talk, name, number, wanted, rows)
        yield Progress(f"{name}: {rows} rows", done, total)
        interrupted, talk.interrupted = talk.interrupted, False
        if answer.last:
            return
        if interrupted:
            raise Interrupted
        ahead = early
        if not early:
            yield from talk.say(messages.Acknowledge())
    raise Broken(f"more than {MOST_BLOCKS} blocks")


def _endless(talk: Conversation, name: str) -> ChecksumError:
    talk.at_once = False
    return ChecksumError(f"{talk.name}, {name}: the device does not stop sending; try again when it has come to rest")


def _what_came(answer: Damaged, most: int) -> str:
    if answer.size <= most:
        return answer.fault
    return f"a block that does not end, cut off after {answer.size} bytes"


def _more_follows(talk: Conversation, name: str, number: int, wanted: Range, rows: int, size: int) -> bool:
    """Whether the block that comes is surely not the last one, so far as clock and grid tell it."""
    _, total = _estimate(talk, name, number, wanted, rows)
    return rows + size < total


def _is_part(answer: Answer) -> bool:
    return isinstance(answer, Block | Refused | Rejected)


def _estimate(talk: Conversation, name: str, number: int, wanted: Range, rows: int) -> tuple[int, int]:
    """How many rows there are, by the clock and the archive's grid; 0 where that cannot be told."""
    period = talk.period(name)
    start = values.time(wanted.lower)
    end = values.time(wanted.upper) or talk.clock
    if period is None or start is None or end is None or end < start:
        return rows, 0
    return rows, max(rows, (end - start) // period + 1)
