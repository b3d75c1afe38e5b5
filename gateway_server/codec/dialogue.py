"""The words a dialogue may say. A dialogue is a generator: it yields wishes, the session fulfils them in order.

====================  =======================================================  ==============================
wish                  what the session does                                    what the dialogue gets
====================  =======================================================  ==============================
`Send`                logs and writes the bytes                                nothing, at once
`Receive`             waits for the next frame                                 a `Frame`; raises `MeterSilent`
`Drain`               reads and drops until the line is quiet                  nothing
`Pause`               waits                                                    nothing
`ChangeLine`          lets pending bytes leave, then changes speed or format   nothing
`Identify`            looks the meter up                                       `KnownMeter`; raises `UnknownMeter`
`Reading`, `Row`,     commits it, durably                                      `Saved`, after the commit
`Event`, `Findings`
`Remember`, `Note`,   keeps it                                                 nothing, at once
`Progress`
====================  =======================================================  ==============================

Any wish may raise `LineLost`. The dialogue returns None when it obtained all it was to obtain, or `Partly` when it
went on in spite of something; an exception that leaves it becomes the session's outcome.
Whatever is yielded before a `Send` is durable before that `Send` leaves: read, yield the reading, then acknowledge.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway_server.model import Event, Identify, Reading, Row, Saved


class Send(NamedTuple):
    """Bytes for the meter. ``shown`` stands in the log instead of ``data`` where those hold an access code."""

    data: bytes
    shown: bytes | None = None


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for the next frame: ``timeout`` seconds for its first byte, ``gap`` seconds between bytes of one frame.

    Without ``gap`` the timeout bounds the whole frame. Noise is logged and skipped unless ``noise`` is set.
    With ``most_noise`` the piece of noise that makes it more than so many bytes, while one frame is awaited, is
    delivered all the same: whoever sends nothing else is to be given up.
    ``kinds`` restricts what is delivered: other frames are logged and passed over, the deadline stays.
    With ``begun`` a `Frame` of the kind ``begun``, without octets, is delivered once the framer says that a frame has
    begun (`Begins`) and more of it is to come; the next `Receive` gets the frame itself.
    With ``most`` an answer of more octets, or one that takes longer than these take at ``rate`` octets a second, is
    given up: as a frame without its end if one had begun, else as silence. Without, a meter that never ends is heard
    for ever.
    """

    timeout: float
    gap: float | None = None
    noise: bool = False
    kinds: frozenset[str] | None = None
    begun: bool = False
    most: int | None = None
    rate: float = 30.0
    most_noise: int = 0


@dataclass(frozen=True, slots=True)
class Drain:
    """Drop what still arrives until nothing came for ``quiet`` seconds, ``limit`` seconds at most."""

    quiet: float
    limit: float = 10.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Say nothing for a while; frames that arrive meanwhile are kept."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """Let what was written leave, then speak at another speed and format. A line that has no speed ignores it.

    With ``only_from`` only a line that speaks at this speed now changes it: IEC 62056-21 begins at 300 baud and
    changes, a line that was set to another speed is a fixed one.
    """

    baud: int
    format: str = ""  # "7E1"; empty leaves it as it is
    only_from: int = 0


@dataclass(frozen=True, slots=True)
class Findings:
    """Things the meter reported together: one commit for all of them."""

    rows: tuple[Row, ...] = ()
    events: tuple[Event, ...] = ()
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Remember:
    """A fact of this meter worth knowing next time (parity, an archive's layout); kept with the identified meter."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Note:
    """A remark for the session log and its reader: a gap, a repeated block, a clock that is off."""

    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading is, for the person who waits. ``total`` is 0 when unknown."""

    text: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Partly:
    """The dialogue came to its end but not to all it was to obtain."""

    reason: str

    @classmethod
    def of(cls, troubles: Sequence[str]) -> Partly | None:
        """The first trouble, for a headline, and how many more the session's notes tell; None if there was none."""
        if not troubles:
            return None
        more = len(troubles) - 1
        return cls(troubles[0] + (f"; and {more} more in the session's notes" if more else ""))


Wish = (
    Send
    | Receive
    | Drain
    | Pause
    | ChangeLine
    | Identify
    | Findings
    | Reading
    | Row
    | Event
    | Remember
    | Note
    | Progress
)
Found = Identify | Findings | Remember | Note

# What `yield` gives depends on the wish, which Python's types cannot say: hence Any.
Dialogue = Generator[Wish, Any, Partly | None]

__all__ = [
    "ChangeLine",
    "Dialogue",
    "Drain",
    "Event",
    "Findings",
    "Found",
    "Identify",
    "Note",
    "Partly",
    "Pause",
    "Progress",
    "Reading",
    "Receive",
    "Remember",
    "Row",
    "Saved",
    "Send",
    "Wish",
]
