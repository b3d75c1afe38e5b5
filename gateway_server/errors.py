"""What can go wrong, by whose fault it is.

Messages name the meter or the place and what to do about it. Catch only what you can answer.
"""

from __future__ import annotations

LONGEST_SAID = 60
"""So much of what a meter said stands among other words; its session's log has all of it."""


def cut(text: str, length: int = LONGEST_SAID) -> str:
    """A meter's text for a message, a line or a cell that others share: what is longer is cut, and shows it."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


class GatewayError(Exception):
    """Everything this program raises on purpose."""


class CodecError(GatewayError):
    """The meter's bytes are not what its protocol says."""


class ChecksumError(CodecError):
    """A frame arrived whole but its check does not match."""


class MeterRefused(CodecError):
    """The meter understood and said no.

    ``code`` is the meter's own error number as it stands on the wire, ``meaning`` its text.
    """

    def __init__(self, message: str, *, code: str = "", meaning: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.meaning = meaning


class LineError(GatewayError):
    """The way to the meter failed."""


class MeterSilent(LineError):
    """Nothing, or nothing complete, came within the time allowed."""


class LineLost(LineError):
    """The line went away in the middle of a session."""


class UnknownMeter(GatewayError):
    """Somebody answered whom the register does not know, or not at this place."""


class StoreError(GatewayError):
    """The store could not make something durable; nothing of it may be acknowledged."""


class StoreFull(StoreError):
    """There is no room on the store's disk; goes away when there is."""


class StoreBusy(StoreError):
    """Another process kept the store locked for longer than anybody should; the same again may succeed."""


class StoreBroken(StoreError):
    """The store's files failed under us (input/output error, failed sync, damage): nothing more is tried in place.

    After a failed sync the kernel may have dropped what it could not write, so a second try that succeeds proves
    nothing. The program ends and is started again, which reads back what is really there.
    """


class OperatorError(GatewayError):
    """Our own configuration or usage is wrong; the message says where and what is allowed."""
