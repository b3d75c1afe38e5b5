"""A metering protocol as pure functions of bytes: what a codec is and what it may be asked.

A codec does no input or output and keeps no state of its own: one instance serves every session of every transport.
State lives in the framers, interpreters and dialogues it makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from gateway_server.codec.dialogue import Dialogue, Found
from gateway_server.model import KnownMeter

NOISE = "noise"
SENT = "sent"
BEGUN = "begun"


class Frame(NamedTuple):
    """One unit of a protocol, as it stood on the wire. A named tuple, made four times as fast as a dataclass.

    ``kind`` is the codec's own word for it, or ``noise`` for bytes that belong to no frame. ``data`` is the wire bytes
    (parity and all), ``start`` their offset in the stream. ``fault`` is empty, or says what is wrong with the frame
    (a checksum, a length): such a frame is delivered so that the dialogue may ask for it again, but is never read.
    """

    kind: str
    data: bytes
    start: int = 0
    fault: str = ""

    @property
    def end(self) -> int:
        """Offset of the byte behind the frame."""
        return self.start + len(self.data)

    @property
    def text(self) -> str:
        """The frame's bytes as characters, one each, without the line end."""
        return self.data.decode("latin-1").rstrip("\r\n")


@dataclass(frozen=True, slots=True)
class Field:
    """One named part of a frame with its byte span inside the frame, for the eyes of an auditor.

    ``value`` is what the bytes say, ``meaning`` what that means; the fields of a frame cover it without overlap.
    ``secret`` marks bytes that no screen or export shows.
    """

    name: str
    start: int
    end: int
    value: str = ""
    meaning: str = ""
    secret: bool = False


class Framer(Protocol):
    """Cuts what arrives into frames. Never raises, never keeps more than its stated bound."""

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the stream, cut anywhere."""

    def next_frame(self) -> Frame | None:
        """The next whole frame (or noise), None when more bytes are needed."""

    def flush(self) -> Frame | None:
        """At the end of the stream, or after silence: what is left, as a frame with a fault or as noise."""


@runtime_checkable
class Begins(Protocol):
    """A framer that can tell of a frame before its end is there."""

    @property
    def begun(self) -> bool:
        """Whether what was fed last ends within a frame worth an answer before its end (`Receive`)."""


class Interpreter(Protocol):
    """Understands a conversation by listening: frames of both directions in, what the meter said out.

    It needs no dialogue, so a stored session, a capture of somebody else's session and a live one are read by the
    same code. Raises nothing but `CodecError`.
    """

    def sent(self, data: bytes) -> None:
        """Bytes of one `Send` to the meter, as they stood on the wire (an access code may be masked)."""

    def received(self, frame: Frame) -> Sequence[Found]:
        """What this frame tells: readings, rows, events, an identity, things to remember or to note."""


@runtime_checkable
class Recalls(Protocol):
    """An interpreter that reads more when it knows what earlier sessions learnt of the meter."""

    def recall(self, meter: KnownMeter) -> None:
        """The meter has identified itself, and this is what is known of it."""


class Codec(Protocol):
    """One metering protocol. ``version`` changes whenever the same bytes would give other readings."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def framer(self) -> Framer:
        """A new framer for the bytes of one session that come from the meter."""

    def dissect(self, frame: Frame) -> Sequence[Field]:
        """The frame's parts, covering it without overlap. ``frame.kind`` is ``sent`` for bytes we sent.

        Raises `CodecError` for nothing: what cannot be understood is a field called ``unknown``.
        """


@runtime_checkable
class Asks(Protocol):
    """A codec whose meters wait to be asked (role ``ask``)."""

    def read(self, expected: KnownMeter | None) -> Dialogue:
        """We speak first: sign on, identify, obtain what the identified meter's order says, sign off.

        ``expected`` is the meter we believe to be there; None for a caller whom nothing but its answer identifies.
        """


@runtime_checkable
class Answers(Protocol):
    """A codec whose meters speak first (role ``listen``)."""

    def answer(self) -> Dialogue:
        """The meter has called us."""


@runtime_checkable
class NamesArchives(Protocol):
    """A codec that can tell before a session which archives a meter has, so that a slip of the pen costs no call."""

    def archives(self, meter: KnownMeter) -> Sequence[str] | None:
        """The names that an order may give; None if only the meter can tell, because too little is known of it."""


@runtime_checkable
class Interprets(Protocol):
    """A codec that can read a conversation it did not lead. Without it a session is replayed through its dialogue."""

    def interpreter(self) -> Interpreter:
        """A new listener for one session."""


@runtime_checkable
class Encodes(Protocol):
    """A codec whose frames can be taken apart and put together again: ``encode(decode(x)) == x.data``."""

    def decode(self, frame: Frame) -> object:
        """The frame as a typed message. Raises `CodecError`."""

    def encode(self, message: object) -> bytes:
        """The wire bytes of a message that `decode` gave."""


@runtime_checkable
class OnlyWhereNamed(Protocol):
    """A codec that no unknown meter is spoken to in, because its answers do not show that they are its own.

    A probe tries it all the same at the speeds and formats (``9600``, ``8N1``) that it names.
    """

    @property
    def probe_settings(self) -> Sequence[tuple[int, str]]: ...
