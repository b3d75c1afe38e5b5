"""Which codec reads a file: everything that comes out of an upload is offered to the codecs, and the choice is told.

Those that the operator named, the meter's own and the place's are asked in this order, and the first that reads the
file has it. All others are asked together: if more than one of them can read it, none has it, as the readings of a
meter are not to be guessed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway_server.codec.codec import Codec
from gateway_server.codec.files import FileReading, OtherKind, ReadsFiles, UploadedFile
from gateway_server.codec.registry import Registry
from gateway_server.errors import CodecError
from gateway_server.model import KnownMeter
from gateway_server.workbench.containers import DEFAULT_LIMITS, ContainerError, ContainerLimits, Opened, opened
from gateway_server.workbench.looks import looks_like

logger = logging.getLogger(__name__)

_MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Attempt:
    """One codec's word on a file: what it reads in it, or why it does not."""

    codec: str
    said: str
    reads: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """What was read in one file that came out of the upload."""

    file: Opened
    reading: FileReading


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What the codecs made of an upload. Without ``codec`` nobody has it, and ``trouble`` says why.

    ``broken`` tells that somebody knows this kind of file but could not read this one.
    """

    codec: Codec | None = None
    parts: tuple[Part, ...] = ()
    tried: tuple[Attempt, ...] = ()
    notes: tuple[str, ...] = ()
    trouble: str = ""
    broken: bool = False


def sniff(
    registry: Registry,
    upload: UploadedFile,
    prefer: Iterable[str] = (),
    *,
    only: str = "",
    limits: ContainerLimits = DEFAULT_LIMITS,
) -> Sniffed:
    """Offers an upload to the codecs: those of ``prefer`` first, or none but ``only``. Raises nothing.

    A codec that fails, in whatever way, has not read the file.
    """
    try:
        files = opened(upload.name, upload.data, limits)
    except ContainerError as error:
        return Sniffed(trouble=str(error), broken=True)
    if not files:
        return Sniffed(trouble="there is no file in it")
    if not upload.data:
        return Sniffed(trouble="it is empty")
    asked = _Asked(upload, files)
    if only:
        return asked.first([only], registry) or asked.nobody()
    wanted = [name for name in dict.fromkeys(prefer) if name in registry]
    if found := asked.first(wanted, registry):
        return found
    others = [codec.name for codec in registry if codec.name not in wanted and isinstance(codec, ReadsFiles)]
    readers = [found for name in others if (found := asked.first([name], registry))]
    if len(readers) == 1:
        return asked.chosen(readers[0])
    if readers:
        names = ", ".join(found.codec.name for found in readers if found.codec)
        return asked.nobody(f"several codecs can read it ({names}); say which one by the meter's profile or codec")
    return asked.nobody()


def read_with(codec: Codec, upload: UploadedFile, parts: Iterable[Part], meter: KnownMeter) -> tuple[Part, ...]:
    """The same parts read again, now that it is known whose they are. Raises `CodecError`."""
    again: list[Part] = []
    for part in parts:
        file = part.file
        reading: FileReading | None = None
        if isinstance(codec, ReadsFiles):
            reading = codec.read_file(UploadedFile(file.name, file.data, upload.received_at_ms, file.within, meter))
        again.append(Part(file, reading or part.reading))
    return tuple(again)


class _Asked:
    """The questions put about one upload and what was answered."""

    def __init__(self, upload: UploadedFile, files: Sequence[Opened]) -> None:
        self._upload = upload
        self._files = files
        self._tried: list[Attempt] = []
        self._broken = False

    def first(self, names: Iterable[str], registry: Registry) -> Sniffed | None:
        """The first of these codecs that reads any of the files."""
        for name in names:
            codec = registry.get(name)
            parts, refused = self._ask(codec)
            if parts:
                self._tried.append(Attempt(name, _read_in(parts), reads=True))
                notes = tuple(note for part in parts for note in part.reading.notes)
                left = [f"{file.name} is not read: {why}" for file, why in refused]
                return self.chosen(Sniffed(codec, tuple(parts), (), (*notes, *left[:_MOST_SHOWN])))
            self._tried.append(Attempt(name, "; ".join(dict.fromkeys(why for _, why in refused[:_MOST_SHOWN]))))
        return None

    def chosen(self, found: Sniffed) -> Sniffed:
        """The answer, with everything that was tried until now."""
        return Sniffed(found.codec, found.parts, tuple(self._tried), found.notes)

    def nobody(self, why: str = "") -> Sniffed:
        """No codec has it."""
        if not why:
            kind = looks_like(self._files[0].data)
            why = f"no codec reads it; it looks like {kind}"
            if refused := [f"{one.codec}: {one.said}" for one in self._tried if not one.reads]:
                why += f" ({'; '.join(refused)})"
        return Sniffed(tried=tuple(self._tried), trouble=why, broken=self._broken)

    def _ask(self, codec: Codec) -> tuple[list[Part], list[tuple[Opened, str]]]:
        if not isinstance(codec, ReadsFiles):
            return [], [(self._files[0], "it reads no files")]
        parts: list[Part] = []
        refused: list[tuple[Opened, str]] = []
        for file in self._files:
            upload = self._upload
            try:
                reading = codec.read_file(
                    UploadedFile(file.name, file.data, upload.received_at_ms, file.within, upload.meter)
                )
            except OtherKind as error:
                refused.append((file, str(error)))
            except CodecError as error:
                self._broken = True
                refused.append((file, str(error)))
            except Exception as fault:  # as in a live session, a codec's defect is its own
                logger.warning("the codec %s failed at file %s", codec.name, file.name, exc_info=True)
                self._broken = True
                refused.append((file, f"the codec failed: {type(fault).__name__}: {fault}"))
            else:
                if reading is None:
                    refused.append((file, "not of its kind"))
                else:
                    parts.append(Part(file, reading))
        return parts, refused


def _read_in(parts: Sequence[Part]) -> str:
    return ", ".join(_counts(parts)) or "nothing"


def _counts(parts: Sequence[Part]) -> Iterator[str]:
    for word in ("rows", "events", "readings"):
        if count := sum(len(getattr(part.reading.findings, word)) for part in parts):
            yield f"{count} {word}"
