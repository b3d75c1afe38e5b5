"""What the store keeps of files, as plain data: uploads, their states, their accounts. Times are UTC ms."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from gateway_server.model import MeterState


class FileState(enum.Enum):
    """How far a received file is: what was received stays, whatever its state."""

    INCOMPLETE = "incomplete"  # arriving, or cut off; a resume completes it
    STORED = "stored"  # whole, waits to be decoded
    DECODED = "decoded"
    UNKNOWN = "unknown"  # nobody can read it, or it is nobody's, until now; ``detail`` says which
    DUPLICATE = "duplicate"  # the same content came before, see ``same_as``
    FAILED = "failed"  # somebody began to read it and could not go on; ``detail`` says why


@dataclass(frozen=True, slots=True)
class UploadEnd:
    """How the data of an upload ended: ``size`` and ``sha256`` (lower-case hex) are of the bytes of this session.

    ``received_at_ms`` where that was not now: a file of another server's folder.
    """

    complete: bool
    size: int
    sha256: str
    received_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One received file. ``meter`` is empty until it is known; ``readings`` counts the values it gave.

    ``session`` is the session that brought its last bytes; the whole content is `Store.file_bytes`.
    """

    id: int
    meter: str
    login: str
    name: str
    size: int
    sha256: str
    received_at_ms: int
    state: FileState
    codec: str = ""
    codec_version: str = ""
    readings: int = 0
    detail: str = ""
    session: int = 0
    same_as: int = 0
    raw_name: bytes = b""
    transport: str = ""
    remote: str = ""


@dataclass(frozen=True, slots=True)
class FilePart:
    """Where a stretch of a file lies: these bytes of what this session received."""

    session: int
    span_start: int
    span_end: int


@dataclass(frozen=True, slots=True)
class UploadAccount:
    """Who may upload: the meter behind ``ftp:LOGIN`` and the argon2 hash of its password, empty for none."""

    login: str
    serial: str
    state: MeterState
    secret: str = field(default="", repr=False)
