"""``reprocess``: stored raw bytes decoded again by today's codec, and what that changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import chain
from typing import TypeVar

import click

from gateway_server.cli import options as opt
from gateway_server.cli.errors import harmless, say
from gateway_server.cli.invocation import Invocation, Zones, config_option, pass_invocation
from gateway_server.cli.listing import JsonValue, print_json_stream
from gateway_server.cli.moments import local, rfc3339
from gateway_server.cli.progress import ProgressShown
from gateway_server.cli.skipped import Skipped
from gateway_server.codec.registry import Registry
from gateway_server.errors import OperatorError
from gateway_server.model import Outcome
from gateway_server.store.records import FileState, Filter
from gateway_server.store.sql import SqlStore
from gateway_server.workbench.comparison import Change, SessionReadAgain
from gateway_server.workbench.containers import DEFAULT_LIMITS, ContainerLimits
from gateway_server.workbench.extents import Extents
from gateway_server.workbench.files import FileRead, decode_file
from gateway_server.workbench.reprocess import UPLOADS
from gateway_server.workbench.reprocess import reprocess as read_sessions_again

T = TypeVar("T", bound=SessionReadAgain)

_SHOWN_CHANGES = 20
_TOLD_APART = ("changes", "notes", "state", "tried")
_COUNTED = ("new", "same", "changed", "conflicts", "gone")


@dataclass(slots=True)
class Total:
    """The counts of several sessions, or files, together: of rows and events; ``skipped`` counts sessions or files."""

    noun: str = "sessions"
    read: int = 0
    new: int = 0
    same: int = 0
    changed: int = 0
    conflicts: int = 0
    gone: int = 0
    skipped: int = 0

    def add(self, one: SessionReadAgain) -> None:
        """Takes a session in."""
        self.read += 1
        self.skipped += bool(one.skipped)
        for name in _COUNTED:
            setattr(self, name, getattr(self, name) + getattr(one, name))

    def counted(self, found: Iterable[T]) -> Iterator[T]:
        """The same ones, each taken in as it passes."""
        for one in found:
            self.add(one)
            yield one

    @property
    def no_change(self) -> bool:
        """Whether the store holds exactly what today's codecs say."""
        return not (self.new or self.changed or self.conflicts or self.gone)

    def __str__(self) -> str:
        said = f"{self.read - self.skipped} {self.noun} read again: "
        if self.no_change:
            said += f"no change, {self.same} rows and events are as stored"
        else:
            said += ", ".join(f"{getattr(self, name)} {name}" for name in _COUNTED)
        return said + (f"; {self.skipped} skipped" if self.skipped else "")


def read_again(
    store: SqlStore, codecs: Registry, serial: str, limits: ContainerLimits = DEFAULT_LIMITS
) -> tuple[Total, Total]:
    """Makes readings of what was kept of a meter that is now in care: of its sessions, and of its files."""
    sessions, files = Total(), Total("files")
    for session in read_sessions_again(store, codecs, Filter(serials=(serial,))):
        sessions.add(session)
    for file in decoded(store, codecs, [one.id for one in store.files(Filter(serials=(serial,)))], limits=limits):
        files.add(file)
    return sessions, files


def decoded(
    store: SqlStore,
    codecs: Registry,
    numbers: Iterable[int],
    codec: str = "",
    serial: str = "",
    *,
    dry_run: bool = False,
    limits: ContainerLimits = DEFAULT_LIMITS,
) -> Iterator[FileRead]:
    """Decodes stored files, one after the other, as they are asked for."""
    extents = Extents(store)
    for number in numbers:
        yield decode_file(
            store, codecs, number, codec=codec, serial=serial, limits=limits, dry_run=dry_run, extents=extents
        )


class Shown:
    """What reading many again changed, for the eyes: first why some were skipped, last what changed.

    ``every`` names each one that was skipped, else they are counted by reason and duplicates are left out.
    """

    def __init__(self, zones: Zones, *, every: bool) -> None:
        self._zones = zones
        self._every = every
        self._named: list[str] = []
        self._skipped = {noun: Skipped(noun) for noun in ("sessions", "files")}
        self._changed: list[str] = []

    def add(self, one: SessionReadAgain) -> None:
        """Takes in one session or file."""
        if not one.skipped:
            self._changed.extend(change_lines(one, self._zones))
        elif self._every:
            self._named.extend(change_lines(one, self._zones))
        elif not (isinstance(one, FileRead) and one.state is FileState.DUPLICATE):
            self._skipped["files" if isinstance(one, FileRead) else "sessions"].add(_name(one), one.skipped)

    def lines(self) -> Iterator[str]:
        """Everything there is to say."""
        yield from self._named
        for skipped in self._skipped.values():
            yield from skipped.lines()
        yield from self._changed


def print_read_again(again: Iterable[SessionReadAgain], shown: Shown) -> None:
    """Reads all of them, and prints what that changed, even if it is stopped half-way."""
    try:
        for one in again:
            shown.add(one)
    finally:
        for line in shown.lines():
            click.echo(harmless(line))


def followed(found: Iterable[T], show: Callable[[str, int, int], None], text: str, total: int) -> Iterator[T]:
    """The same ones; each that passes is told to ``show``."""
    for done, one in enumerate(found, 1):
        show(text, done, total)
        yield one


verbose_option = click.option("-v", "--verbose", is_flag=True, help="Name each one that is skipped, duplicates too.")


@click.command()
@opt.options(
    opt.meter_option,
    click.option("--session", "sessions", multiple=True, type=int, metavar="ID", help="Only this session."),
    click.option("--from", "since", metavar="TIME", help="Sessions from this time on."),
    click.option("--to", "until", metavar="TIME", help="Sessions up to this time."),
    click.option("--codec", default="", metavar="NAME", help="Decode with this codec instead of the session's own."),
    verbose_option,
    opt.dry_run_option,
    opt.json_option,
    config_option,
)
@pass_invocation
def reprocess(
    invocation: Invocation,
    meters: tuple[str, ...],
    sessions: tuple[int, ...],
    since: str | None,
    until: str | None,
    codec: str,
    verbose: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Decodes stored sessions and files again: what changed.

    What a newer codec reads otherwise takes the place of the older reading, which is kept beside it. Doing it twice
    changes nothing.
    """
    codecs = invocation.codecs()
    with invocation.store() as store:
        for number in sessions:
            if store.session(number) is None:
                raise OperatorError(
                    f"there is no session {number}; `gateway-server session list` shows those there are"
                )
        zones = Zones(store)
        wanted = opt.Period(since, until).narrow(Filter(serials=meters, sessions=sessions), invocation, zones)
        total, of_files = Total(), Total("files")
        numbers = [one.id for one in store.files(wanted)]
        talks = sum(one.transport not in UPLOADS and one.outcome is not Outcome.IDLE for one in store.sessions(wanted))
        found = total.counted(read_sessions_again(store, codecs, wanted, codec, dry_run=dry_run))
        files = of_files.counted(decoded(store, codecs, numbers, codec, dry_run=dry_run, limits=invocation.containers))
        with ProgressShown() as progress:
            again: Iterator[SessionReadAgain] = chain(
                followed(found, progress.show, "reading sessions again", talks),
                followed(files, progress.show, "reading files again", len(numbers)),
            )
            if as_json:
                print_json_stream({"dry_run": dry_run}, "sessions", map(read_again_json, again))
            else:
                print_read_again(again, Shown(zones, every=verbose or bool(sessions)))
    if not as_json:
        for count in (total, of_files):
            if count.read or count is total:
                dry = " (dry run: nothing was written)" if dry_run and not count.no_change else ""
                click.echo(f"{count}{dry}")
        if not total.read and not of_files.read:
            say("no session fits; `gateway-server session list` shows those there are")


def read_again_json(one: SessionReadAgain) -> dict[str, JsonValue]:
    """What reading a session, or a file, again gave: everything there is to say of it."""
    told: dict[str, JsonValue] = {
        field.name: getattr(one, field.name) for field in fields(one) if field.name not in _TOLD_APART
    }
    changes: list[JsonValue] = [
        {
            "archive": change.archive,
            "measured_at": rfc3339(change.measured_at_ms),
            "order_number": change.order_number,
            "what": change.what,
            "old": change.old,
            "new": change.new,
        }
        for change in one.changes
    ]
    if isinstance(one, FileRead):
        told["state"] = one.state.value
        told["tried"] = [{"codec": one.codec, "reads": one.reads, "said": one.said} for one in one.tried]
    return {**told, "no_change": one.no_change and not one.skipped, "changes": changes, "notes": list(one.notes)}


def change_lines(one: SessionReadAgain, zones: Zones) -> Iterator[str]:
    """What reading a session, or a file, again changed, for the eyes; nothing for one that is as stored."""
    name = _name(one)
    if one.skipped:
        yield f"{name}: skipped, {one.skipped}"
        return
    if one.no_change:
        return
    version = one.codec_version
    if one.old_version and one.old_version != version:
        version = f"{one.old_version} → {version}"
    counts = ", ".join(f"{getattr(one, count)} {count}" for count in _COUNTED if getattr(one, count))
    yield f"{name}, {one.codec} {version}: {counts}"
    for change in one.changes[:_SHOWN_CHANGES]:
        yield f"    {_change(change, one.meter, zones)}"
    if (more := len(one.changes) - _SHOWN_CHANGES) > 0:
        yield f"    and {more} more; --json has them"
    yield from (f"    note: {note}" for note in one.notes)


def _name(one: SessionReadAgain) -> str:
    source = f"file {one.file} {one.name}" if isinstance(one, FileRead) else f"session {one.session}"
    return f"{source}, meter {one.meter or '?'}"


def _change(change: Change, serial: str, zones: Zones) -> str:
    number = "" if change.order_number is None else f" {change.order_number}"
    at = local(change.measured_at_ms, zones.of(serial))
    return f"{change.archive}{number}, {at}, {change.what}: {change.old or 'nothing'} → {change.new or 'nothing'}"
