"""What a modem says, taken apart: echo, results in words and digits, unsolicited lines, and where the call begins.

Sans-IO: bytes in, events out, cut anywhere. The rules stand in the dossier on CSD, A.2 and A.6: lines are compared as
a whole and never searched, because OK stands in words and RING in STRING; a line may end with CR, LF or both; nothing
that a modem says without being asked may be taken for the answer to what was asked; and the byte behind the line of
CONNECT is the meter's.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field

MOST_LINE = 512
"""A longer line is rubbish, and is dropped up to its end."""
MOST_LINES = 64
"""So many lines of one answer are kept."""
_CR, _LF = 0x0D, 0x0A


class Result(enum.Enum):
    """How an answer ends."""

    OK = "OK"
    ERROR = "ERROR"
    CME_ERROR = "+CME ERROR"
    CONNECT = "CONNECT"
    NO_CARRIER = "NO CARRIER"
    BUSY = "BUSY"
    NO_ANSWER = "NO ANSWER"
    NO_DIALTONE = "NO DIALTONE"
    DELAYED = "DELAYED"
    BLACKLISTED = "BLACKLISTED"


PLAIN = frozenset({Result.OK, Result.ERROR, Result.CME_ERROR})
"""What ends the answer to a command that makes no call."""
RELEASING = PLAIN | {Result.NO_CARRIER}
"""What ends an escape, a hang-up or a reset: modems differ in which of them they say."""
CALLING = frozenset(Result)
"""What ends a dial: OK as well, when the modem took it for a voice call."""

_DIGITS = {
    "0": Result.OK,
    "1": Result.CONNECT,
    "3": Result.NO_CARRIER,
    "4": Result.ERROR,
    "6": Result.NO_DIALTONE,
    "7": Result.BUSY,
    "8": Result.NO_ANSWER,
}
_WORDS = {
    "OK": Result.OK,
    "ERROR": Result.ERROR,
    "NO CARRIER": Result.NO_CARRIER,
    "BUSY": Result.BUSY,
    "NO ANSWER": Result.NO_ANSWER,
    "NO DIALTONE": Result.NO_DIALTONE,
    "NO DIAL TONE": Result.NO_DIALTONE,
}
_CONNECT = re.compile(r"CONNECT(?:[ /].*)?")
_GUARDED = re.compile(r"(DELAYED|BLACKLISTED)(?:[ :,].*)?")
_FAILED = re.compile(r"\+CM[ES] ERROR:\s*(.*)")
_NAMED = re.compile(r"([+^*#$%&][A-Z0-9]+):")
_UNASKED = re.compile(
    r"RING|Call Ready|SMS Ready|SIM .*|\+PIN .*|\^SYSSTART.*|\^SHUTDOWN|NORMAL POWER DOWN"
    r"|(?:UNDER|OVER)-VOLTAGE.*|(?:\+CRING|\+CLIP|\+CREG|\+CGREG|\+CMTI|\+CMT|\+CDSI?|\+CIEV|\+CCWA|\+CUSD|\+CFUN|\+CPIN|\+CSQ|\^SMGO|\^SIND"
    r"|\*PSUTTZ|DST|\+CTZV):.*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class AtCommand:
    """One command line. ``seconds`` is when its answer has to be whole, whatever else comes in the meantime.

    ``prefix`` begins the line that is asked for (``+CSQ``): where the modem leaves out OK behind it, or says OK first,
    the rest is waited for only a moment. ``shown`` is how logs show the command where it has a secret.
    """

    text: str
    seconds: float = 5.0
    prefix: str = ""
    ends: frozenset[Result] = PLAIN
    shown: str = ""

    @property
    def dials(self) -> bool:
        """Whether it may end with a call."""
        return Result.CONNECT in self.ends


@dataclass(frozen=True, slots=True)
class Heard:
    """A line as it stood on the wire, for the log."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole answer to a command: its result, the text of that, and the lines before it.

    ``code`` is the number behind ``+CME ERROR``, None if it said words.
    """

    result: Result
    text: str
    lines: tuple[str, ...] = ()
    code: int | None = None

    @property
    def ok(self) -> bool:
        """Whether the modem did it."""
        return self.result is Result.OK

    def value(self, prefix: str) -> str:
        """What stands behind ``prefix:`` in the first line that has it; empty if none has."""
        for line in self.lines:
            if line.upper().startswith(f"{prefix}:"):
                return line[len(prefix) + 1 :].strip()
        return ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Unsolicited:
    """What the modem says by itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of the call."""

    data: bytes


AtEvent = Heard | Reply | Unsolicited | Data


@dataclass(slots=True)
class _Asked:
    command: AtCommand
    lines: list[str] = field(default_factory=list)
    echoed: bool = False
    valued: bool = False
    done: Reply | None = None


class AtReader:
    """Reads what a modem says. In command state it makes lines of it; behind CONNECT it passes everything on."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._overlong = False
        self._skip_lf = False
        self._asked: _Asked | None = None
        self.online = False

    @property
    def busy(self) -> bool:
        """Whether a command waits for its answer."""
        return self._asked is not None

    @property
    def half_answered(self) -> bool:
        """Whether what was asked for is there without its OK, or OK without it: the rest comes at once or never."""
        asked = self._asked
        return asked is not None and (asked.done is not None or asked.valued)

    def begin(self, command: AtCommand) -> None:
        """This command is being sent; what was left of a line before it is forgotten."""
        self._line.clear()
        self._overlong = False
        self._asked = _Asked(command)

    def command_state(self) -> None:
        """The modem does not pass on data any more, or must not be thought to."""
        self.online = False
        self._line.clear()
        self._overlong = False

    def data_state(self) -> None:
        """The modem passes on data."""
        self.online = True
        self._asked = None
        self._line.clear()

    def give_up(self) -> Reply | None:
        """The time is over: the answer if what matters of it had come, None if it had not."""
        asked, self._asked = self._asked, None
        if asked is None:
            return None
        if asked.done is not None:
            return asked.done
        return Reply(Result.OK, "", tuple(asked.lines)) if asked.valued else None

    def flush(self) -> bytes:
        """What came of a line that does not end, for the log."""
        left = bytes(self._line)
        self._line.clear()
        self._overlong = False
        return left

    def feed(self, data: bytes) -> list[AtEvent]:
        """Takes the next bytes, cut anywhere."""
        events: list[AtEvent] = []
        at = 0
        while at < len(data):
            if self._skip_lf:
                self._skip_lf = False
                if data[at] == _LF:
                    at += 1
                    continue
            if self.online:
                events.append(Data(data[at:]))
                break
            end = _line_end(data, at)
            self._keep(data[at : min(end, len(data))])
            if end >= len(data):
                break
            at = end + 1
            self._end_line(data[end], events)
        return events

    def _keep(self, part: bytes) -> None:
        if self._overlong:
            return
        self._line += part
        if len(self._line) > MOST_LINE:
            self._line.clear()
            self._overlong = True

    def _end_line(self, by: int, events: list[AtEvent]) -> None:
        raw = bytes(self._line)
        self._line.clear()
        overlong, self._overlong = self._overlong, False
        text = "".join(chr(byte) for byte in raw if 0x20 <= byte < 0x7F).strip()
        if overlong or not text:
            return
        events.append(Heard(raw + bytes((by,))))
        digits = text.isdigit()
        said = self._understood(text)
        if said is None:
            return
        events.append(said)
        if isinstance(said, Reply) and said.result is Result.CONNECT:
            self.online = True
            # In digits a modem ends its results with CR alone; the next byte is the meter's, be it what it may.
            self._skip_lf = by == _CR and not digits

    def _understood(self, text: str) -> Reply | Unsolicited | None:
        """What a line means now; None if it belongs to an answer that goes on."""
        asked = self._asked
        if asked is None:
            return Unsolicited("RING" if text == "2" else text)
        command = asked.command
        if _is_echo(text, command.text, first=not asked.echoed and not asked.lines):
            asked.echoed = True
            return None
        result, code = result_of(text, dialling=command.dials)
        if result is not None:
            return self._ended(asked, Reply(result, text, tuple(asked.lines), code))
        if text == "2":
            return Unsolicited("RING")
        named = _NAMED.match(text.upper())
        wanted = bool(command.prefix) and named is not None and named[1] == command.prefix
        if not wanted and (_UNASKED.fullmatch(text) or (command.prefix and named is not None)):
            return Unsolicited(text)
        if len(asked.lines) < MOST_LINES:
            asked.lines.append(text)
        asked.valued = asked.valued or wanted
        if wanted and asked.done is not None:
            self._asked = None
            return Reply(asked.done.result, asked.done.text, tuple(asked.lines))
        return None

    def _ended(self, asked: _Asked, reply: Reply) -> Reply | Unsolicited | None:
        command = asked.command
        if reply.result not in command.ends:
            return Unsolicited(reply.text)  # the end of an earlier call, late
        if command.prefix and reply.ok and not asked.valued:
            if asked.done is None:
                asked.done = reply
            return None
        self._asked = None
        return reply


def result_of(text: str, *, dialling: bool = False) -> tuple[Result | None, int | None]:
    """The result that a whole line is, with the number of a +CME ERROR; None if it is none."""
    upper = text.upper()
    if found := _WORDS.get(upper):
        return found, None
    if upper.isdigit():
        if upper in _DIGITS:
            return _DIGITS[upper], None
        # Speeds have numbers of their own, each maker's: 12 is CONNECT 9600 on one card.
        return (Result.CONNECT if dialling and 1 <= len(upper) <= 2 and upper not in ("2", "5") else None), None
    if _CONNECT.fullmatch(upper):
        return Result.CONNECT, None
    if guarded := _GUARDED.fullmatch(upper):
        return Result(guarded[1]), None
    if failed := _FAILED.fullmatch(upper):
        code = failed[1].strip()
        return Result.CME_ERROR, int(code) if code.isascii() and code.isdecimal() and len(code) < 6 else None
    return None, None


def _is_echo(text: str, command: str, *, first: bool) -> bool:
    """Rubbish, or half of a line that an earlier program left, may stand before the first echo."""
    upper, sent = text.upper(), command.upper()
    return upper == sent or (first and len(sent) > len("AT") and upper.endswith(sent))


def _line_end(data: bytes, start: int) -> int:
    ends = [end for end in (data.find(b"\r", start), data.find(b"\n", start)) if end >= 0]
    return min(ends, default=len(data))
