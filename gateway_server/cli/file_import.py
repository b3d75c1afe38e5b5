"""Taking in the files of another FTP server's folders: many at once, resumable, each of them once."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from gateway_server.codec.registry import Registry
from gateway_server.errors import StoreError
from gateway_server.store.records import FileRecord, FileState
from gateway_server.store.sql import SqlStore
from gateway_server.store.writer import DirectWriter
from gateway_server.transports.folder import Folder, FolderFile, deliver, is_known
from gateway_server.workbench.files import decode_file

_TOGETHER = 64  # files of one commit: a sync costs as much as fifty small files
_BYTES_TOGETHER = 8 << 20
_MOST_BYTES = 1 << 30
_LISTENER = "import"

Show = Callable[[str, int, int], None]


class Verdict(enum.Enum):
    """What became of one file of a folder."""

    NEW = "new"
    KNOWN = "known"  # in the store already, from this folder or as an upload
    DUPLICATE = "duplicate"  # the content of another file of the same meter
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Taken:
    """One file of a folder, what became of it, and its entry in the store."""

    file: FolderFile
    verdict: Verdict
    record: FileRecord | None = None
    trouble: str = ""


@dataclass(slots=True)
class Import:
    """One import. ``codecs`` None leaves decoding for later; ``serial`` says whose the files are."""

    store: SqlStore
    codecs: Registry | None
    now_ms: Callable[[], int]
    serial: str = ""
    codec: str = ""
    dry_run: bool = False
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    states: Counter[FileState] = field(default_factory=Counter)
    readings: int = 0
    bytes: int = 0

    @property
    def failed(self) -> int:
        """How many files could not be taken in."""
        return self.verdicts[Verdict.FAILED]

    def __str__(self) -> str:
        counts = [f"{self.verdicts[one]} {one.value}" for one in Verdict if self.verdicts[one] or one is Verdict.NEW]
        said = f"{self.verdicts.total()} files: {', '.join(counts)}"
        if self.states:
            states = ", ".join(f"{count} {state.value}" for state, count in self.states.items())
            said += f"; {self.bytes} bytes, {states}, {self.readings} readings"
        return said

    def run(self, folders: Sequence[Folder], show: Show) -> Iterator[Taken]:
        """Takes in what is not in the store yet, the oldest first. Raises `OperatorError`, `StoreError`."""
        found: list[FolderFile] = []
        for folder in folders:
            for one in folder.files():
                if one is not None:
                    found.append(one)
                    show("looking for files", len(found), 0)
        found.sort(key=lambda file: (file.modified_ms, file.login, file.name))
        done = 0
        for together in _portions(found):
            for taken in self._portion(together):
                done += 1
                show("importing: files", done, len(found))
                self.verdicts[taken.verdict] += 1
                if taken.record is not None:
                    self.states[taken.record.state] += 1
                    self.readings += taken.record.readings
                    self.bytes += taken.file.size
                yield taken

    def _portion(self, files: Sequence[FolderFile]) -> list[Taken]:
        if self.dry_run:
            return [Taken(one, Verdict.KNOWN if is_known(self.store, one) else Verdict.NEW) for one in files]
        with self.store.connection.transaction("import"):
            taken = [self._take_in(one) for one in files]
        return [self._decoded(one) for one in taken]

    def _take_in(self, file: FolderFile) -> Taken:
        if is_known(self.store, file):
            return Taken(file, Verdict.KNOWN)
        if file.size > _MOST_BYTES:
            return Taken(file, Verdict.FAILED, trouble=f"{file.size} bytes are more than the {_MOST_BYTES} allowed")
        answers: list[FileRecord | StoreError] = []
        try:
            for _ in deliver(DirectWriter(self.store), file, self._whose(file), _LISTENER, self.now_ms, answers.append):
                pass
        except OSError as error:
            return Taken(file, Verdict.FAILED, trouble=error.strerror or str(error))
        (record,) = answers
        if isinstance(record, StoreError):
            raise record
        if record.state is FileState.INCOMPLETE:
            return Taken(file, Verdict.FAILED, record, "it changed while it was read; what was read is kept")
        return Taken(file, Verdict.DUPLICATE if record.state is FileState.DUPLICATE else Verdict.NEW, record)

    def _whose(self, file: FolderFile) -> str:
        if self.serial or not file.login:
            return self.serial
        account = self.store.upload_account(file.login)
        return account.serial if account else ""

    def _decoded(self, taken: Taken) -> Taken:
        if self.codecs is None or taken.record is None or taken.record.state is not FileState.STORED:
            return taken
        read = decode_file(self.store, self.codecs, taken.record.id, codec=self.codec)
        record = self.store.file(taken.record.id)
        return replace(taken, record=record, trouble=read.skipped)


def _portions(files: Sequence[FolderFile]) -> Iterator[list[FolderFile]]:
    portion: list[FolderFile] = []
    size = 0
    for file in files:
        if portion and (len(portion) == _TOGETHER or size + file.size > _BYTES_TOGETHER):
            yield portion
            portion, size = [], 0
        portion.append(file)
        size += file.size
    if portion:
        yield portion
