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
from gateway_server.transports.folder import Folder, FolderFile, LeftOut, Why, deliver, known_as, no_meter, path_text
from gateway_server.workbench.containers import DEFAULT_LIMITS, ContainerLimits
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
    """One file of a folder, what became of it, and its entry in the store; ``decoded`` if that was looked into now."""

    file: FolderFile
    verdict: Verdict
    record: FileRecord | None = None
    trouble: str = ""
    decoded: bool = False


@dataclass(slots=True)
class Import:
    """One import. ``codecs`` None leaves decoding for later; ``serial`` says whose the files are.

    ``nobodys`` counts the files by accounts that no meter has; ``others`` are known ones that another meter than
    ``serial`` has; ``caught_up`` counts those an earlier import had taken in and
    left undecoded.
    """

    store: SqlStore
    codecs: Registry | None
    now_ms: Callable[[], int]
    serial: str = ""
    codec: str = ""
    dry_run: bool = False
    limits: ContainerLimits = DEFAULT_LIMITS
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    states: Counter[FileState] = field(default_factory=Counter)
    left_out: list[LeftOut] = field(default_factory=list)
    nobodys: Counter[str] = field(default_factory=Counter)
    others: list[FileRecord] = field(default_factory=list)
    caught_up: int = 0
    readings: int = 0
    bytes: int = 0

    @property
    def failed(self) -> int:
        """How many files could not be taken in."""
        return self.verdicts[Verdict.FAILED]

    def __str__(self) -> str:
        counts = [f"{self.verdicts[one]} {one.value}" for one in Verdict if self.verdicts[one] or one is Verdict.NEW]
        said = f"{self.verdicts.total()} files: {', '.join(counts)}"
        if self.caught_up:
            said += f" ({self.caught_up} of them had not been decoded)"
        if self.states:
            states = ", ".join(f"{count} {state.value}" for state, count in self.states.items())
            said += f"; {self.bytes} bytes, {states}, {self.readings} readings"
        return said

    def run(self, folders: Sequence[Folder], show: Show) -> Iterator[Taken]:
        """Takes in what is not in the store yet, the oldest first. Raises `OperatorError`, `StoreError`."""
        found: list[FolderFile] = []
        for folder in folders:
            for one in folder.files():
                if isinstance(one, LeftOut):
                    self.left_out.append(one)
                elif one is not None:
                    found.append(one)
                    show("looking for files", len(found), 0)
        found.sort(key=lambda file: (file.modified_ms, file.login, file.name))
        done = 0
        for together in _portions(found):
            for taken in self._portion(together):
                done += 1
                show("importing: files", done, len(found))
                self._count(taken)
                yield taken

    def _count(self, taken: Taken) -> None:
        self.verdicts[taken.verdict] += 1
        known = taken.verdict is Verdict.KNOWN
        self.caught_up += known and taken.decoded
        if known and taken.record and self.serial and taken.record.meter not in ("", self.serial):
            self.others.append(taken.record)
        if taken.record is None or (known and not taken.decoded):
            return
        self.states[taken.record.state] += 1
        self.readings += taken.record.readings
        if not known:
            self.bytes += taken.file.size
        if taken.file.login and not taken.record.meter:
            self.nobodys[taken.file.login] += 1

    def _portion(self, files: Sequence[FolderFile]) -> list[Taken]:
        if self.dry_run:
            known = [known_as(self.store, one, self.serial) for one in files]
            return [
                Taken(one, Verdict.KNOWN if record else Verdict.NEW, record)
                for one, record in zip(files, known, strict=True)
            ]
        with self.store.connection.transaction("import"):
            taken = [self._take_in(one) for one in files]
        return [self._decoded(one) for one in taken]

    def _take_in(self, file: FolderFile) -> Taken:
        if (known := known_as(self.store, file, self.serial)) is not None:
            return Taken(file, Verdict.KNOWN, known)
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
        if self.codecs is None or taken.record is None or not self._waits(taken):
            return taken
        record = taken.record
        if self.serial and not record.meter:  # taken in when nobody said whose it is
            self.store.set_file_state(record.id, record.state, record.detail, self.serial)
        read = decode_file(self.store, self.codecs, record.id, codec=self.codec, limits=self.limits)
        return replace(taken, record=self.store.file(record.id), trouble=read.skipped, decoded=True)

    def _waits(self, taken: Taken) -> bool:
        """Whether a file is still to be decoded: new, or left so by an import that was stopped, or before it was known
        whose it is."""
        record = taken.record
        if record is None or record.state is FileState.STORED:
            return record is not None
        return record.state is FileState.UNKNOWN and not record.meter and bool(self._whose(taken.file))


def aside_lines(job: Import) -> Iterator[str]:
    """What an import did not take in, and of which accounts nobody is known."""
    for why in Why:
        found = [one for one in job.left_out if one.why is why]
        if why is Why.UNREADABLE:
            yield from map(str, found)
        elif found:
            yield f"not taken in, {why.value}: {len(found)}, as {path_text(found[0].path)}"
    if job.others:
        first = job.others[0]
        yield (
            f"{len(job.others)} of the known files are another meter's, as file {first.id} of meter {first.meter}; if"
            f" that is wrong, `gateway-server file reprocess {first.id} --serial {job.serial}` gives it to this one"
        )
    for login, count in job.nobodys.items():
        yield (
            f"{no_meter(login)}: {count} files do not say themselves whose they are; with that route"
            f" `gateway-server file reprocess --login {login}` reads them"
        )


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
