"""Files out of gzip and zip, one within the other if need be, and never more than a gateway can hold.

What claims to hold more than the limits, or holds it without saying so, is refused as a whole: reading a part of it
would look like reading it. Bytes are unpacked piece by piece, so a bomb costs no more than the limit it breaks.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from gateway_server.errors import CodecError
from gateway_server.model import NOWHERE, Span

_GZIP = b"\x1f\x8b\x08"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_PIECE = 1 << 16


class ContainerError(CodecError):
    """A container that cannot be opened, or must not be; the message says which and why."""


@dataclass(frozen=True, slots=True)
class ContainerLimits:
    """How much may come out of one upload. ``ratio`` is unpacked against packed, of what is above ``free`` bytes.

    Hourly rows of digits shrink 5 to 10 times, a file of zeros 1000 times. 16 MiB are 12 years of hourly rows; to save
    them takes the store some seconds, in which it saves nothing else.
    """

    size: int = 16 << 20
    ratio: int = 200
    free: int = 1 << 20
    files: int = 1000
    depth: int = 3


@dataclass(frozen=True, slots=True)
class Opened:
    """One file out of an upload.

    ``within`` names its containers, the outermost first. ``span`` says which bytes of the upload it came from; in a
    file that stood by itself (``within`` empty) these are its own bytes one by one.
    """

    name: str
    data: bytes = field(repr=False)
    within: tuple[str, ...] = ()
    span: Span = NOWHERE


DEFAULT_LIMITS = ContainerLimits()


def opened(name: str, data: bytes, limits: ContainerLimits = DEFAULT_LIMITS) -> list[Opened]:
    """The files in an upload, itself if it is no container. Raises `ContainerError`."""
    if len(data) > limits.size:
        raise ContainerError(f"{name} has {len(data)} bytes, more than the {limits.size} that are read at once")
    return list(_Opening(limits, len(data)).open(Opened(name, data, (), Span(0, len(data))), 0))


def kind_of(data: bytes) -> str:
    """``gzip`` or ``zip`` by the first bytes, empty for anything else."""
    if data.startswith(_GZIP):
        return "gzip"
    return "zip" if data.startswith(_ZIP) else ""


class _Opening:
    """The opening of one upload: what has come out of it so far."""

    def __init__(self, limits: ContainerLimits, packed: int) -> None:
        self._limits = limits
        self._most = min(limits.size, max(limits.free, packed * limits.ratio))
        self._packed = packed
        self._unpacked = 0
        self._files = 0

    def open(self, file: Opened, depth: int) -> Iterator[Opened]:
        kind = kind_of(file.data)
        if not kind:
            self._files += 1
            if self._files > self._limits.files:
                raise ContainerError(f"more than {self._limits.files} files are in it")
            yield file
            return
        if depth == self._limits.depth:
            raise ContainerError(f"{file.name}: containers are more than {depth} deep in each other")
        inside = self._gunzipped(file) if kind == "gzip" else self._unzipped(file)
        for one in inside:
            yield from self.open(one, depth + 1)

    def _gunzipped(self, file: Opened) -> Iterator[Opened]:
        rest, out = file.data, bytearray()
        while rest:
            unpacker = zlib.decompressobj(wbits=31)
            while not unpacker.eof:
                try:
                    piece = unpacker.decompress(rest, _PIECE)
                except zlib.error as error:
                    raise ContainerError(f"{file.name} is damaged gzip: {error}") from None
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                self._take(len(piece), file.name)
                out += piece
                if not piece and not rest and not unpacker.eof:
                    raise ContainerError(f"{file.name} is gzip that was cut off")
            rest = rest.lstrip(b"\0")  # what fills the last block on some media
            if not rest.startswith(_GZIP):
                break  # anything else behind it is not ours to judge, as with the gzip program
        yield Opened(_without_suffix(file.name), bytes(out), (*file.within, file.name), file.span)

    def _unzipped(self, file: Opened) -> Iterator[Opened]:
        try:
            with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
                infos = archive.infolist()
                if len(infos) > self._limits.files:
                    raise ContainerError(f"{file.name} holds {len(infos)} files, more than {self._limits.files}")
                for info in infos:
                    if not info.filename or info.is_dir():  # Python 3.11 stumbles over an entry without a name
                        continue
                    if info.flag_bits & 0x1:
                        raise ContainerError(f"{info.filename} in {file.name} is encrypted")
                    yield Opened(
                        info.filename,
                        self._member(archive, info, file.name),
                        (*file.within, file.name),
                        _span(file, info),
                    )
        except (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, ValueError, OSError) as error:
            raise ContainerError(f"{file.name} is a damaged or unusual zip: {error}") from None

    def _member(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, container: str) -> bytes:
        out = bytearray()
        with archive.open(info) as member:
            while piece := member.read(_PIECE):
                self._take(len(piece), container)
                out += piece
        return bytes(out)

    def _take(self, count: int, name: str) -> None:
        self._unpacked += count
        if self._unpacked > self._most:
            raise ContainerError(
                f"{name}: more than {self._most} bytes come out of {self._packed}; nothing of it is read, as it"
                " may be made to exhaust whoever opens it"
            )


def _without_suffix(name: str) -> str:
    path = PurePosixPath(name)
    return name[: -len(path.suffix)] if path.suffix.lower() in (".gz", ".gzip") else name


def _span(file: Opened, info: zipfile.ZipInfo) -> Span:
    """Where a packed file lies in the upload; in a container within another the place of the outermost one."""
    if file.within:
        return file.span
    end = info.header_offset + 30 + len(info.orig_filename.encode("utf-8", "replace")) + info.compress_size
    return Span(min(info.header_offset, len(file.data)), min(end, len(file.data)))
