"""Whole files instead of a conversation: what a meter's modem uploads, and what a codec makes of it.

A codec that can read files says so by having `read_file`. It gets one file at a time, out of its containers, and
tells what it holds or that it is not its kind; nothing is stored and nobody is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Protocol, runtime_checkable

from gateway_server.codec.dialogue import Findings
from gateway_server.errors import CodecError
from gateway_server.model import Identify, KnownMeter

NOTHING = Findings()


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """One file as it came, or as it lay in a container.

    ``name`` is as the client gave it, folders and all; ``within`` names the containers around it, the outermost
    first. ``meter`` is whose account it came by, None if that is nobody's in particular.
    """

    name: str
    data: bytes = field(repr=False)
    received_at_ms: int
    within: tuple[str, ...] = ()
    meter: KnownMeter | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Its own name and those of its containers, without folders, the innermost first."""
        return tuple(PurePosixPath(name.replace("\\", "/")).name for name in (self.name, *reversed(self.within)))


@dataclass(frozen=True, slots=True)
class FileReading:
    """What a codec read in one file.

    ``identity`` is the meter that the content itself names. ``hints`` are weaker: serial, station or customer
    numbers out of the name. Byte spans count from the file's first byte. With ``utc`` the naive times are UTC, else
    they are the meter's own clock; values without a time are as old as the file, ``made_at_ms`` if it tells its age.
    ``notes`` say what was left out and what is only a guess.
    """

    findings: Findings = NOTHING
    identity: Identify | None = None
    hints: tuple[str, ...] = ()
    utc: bool = False
    made_at_ms: int | None = None
    notes: tuple[str, ...] = ()


class OtherKind(CodecError):
    """The file is not of this codec's kind; the message says by what it sees that."""


@runtime_checkable
class ReadsFiles(Protocol):
    """A codec that knows what stands in uploaded files."""

    def read_file(self, file: UploadedFile) -> FileReading | None:
        """What the file holds, None (or `OtherKind` raised, with the reason) if it is not of this codec's kind.

        Raises `CodecError` for one that is, but cannot be read: the message says where and why.
        """
