"""``reprocess``: stored raw bytes decoded again by today's codec, and what that changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import click

from gateway_server.cli import options as opt
from gateway_server.cli.errors import harmless, say
from gateway_server.cli.invocation import Invocation, Zones, config_option, pass_invocation
from gateway_server.cli.listing import JsonValue, print_json_stream
from gateway_server.cli.moments import local, rfc3339
from gateway_server.codec.registry import Registry
from gateway_server.errors import OperatorError
from gateway_server.store.records import Filter
from gateway_server.store.sql import SqlStore
from gateway_server.workbench.reprocess import Change, SessionReadAgain
from gateway_server.workbench.reprocess import reprocess as read_sessions_again

_SHOWN_CHANGES = 20
_COUNTED = ("new", "same", "changed", "conflicts", "gone")


@dataclass(slots=True)
class Total:
    """The counts of several sessions together, of rows and events; ``skipped`` counts sessions."""

    sessions: int = 0
    new: int = 0
    same: int = 0
    changed: int = 0
    conflicts: int = 0
    gone: int = 0
    skipped: int = 0

    def add(self, one: SessionReadAgain) -> None:
        """Takes a session in."""
        self.sessions += 1
        self.skipped += bool(one.skipped)
        for name in _COUNTED:
            setattr(self, name, getattr(self, name) + getattr(one, name))

    @property
    def no_change(self) -> bool:
        """Whether the store holds exactly what today's codecs say."""
        return not (self.new or self.changed or self.conflicts or self.gone)

    def __str__(self) -> str:
        read = self.sessions - self.skipped
        said = f"{read} sessions read again: "
        if self.no_change:
            said += f"no change, {self.same} rows and events are as stored"
        else:
            said += ", ".join(f"{getattr(self, name)} {name}" for name in _COUNTED)
        return said + (f"; {self.skipped} skipped" if self.skipped else "")


def read_again(store: SqlStore, codecs: Registry, serial: str) -> Total:
    """Makes readings of what was kept of a meter that is now in care."""
    total = Total()
    for one in read_sessions_again(store, codecs, Filter(serials=(serial,))):
        total.add(one)
    return total


@click.command()
@opt.options(
    opt.meter_option,
    click.option("--session", "sessions", multiple=True, type=int, metavar="ID", help="Only this session."),
    click.option("--from", "since", metavar="TIME", help="Sessions from this time on."),
    click.option("--to", "until", metavar="TIME", help="Sessions up to this time."),
    click.option("--codec", default="", metavar="NAME", help="Decode with this codec instead of the session's own."),
    click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing."),
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
    dry_run: bool,
    as_json: bool,
) -> None:
    """Decodes stored raw bytes again and says what changed.

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
        found = read_sessions_again(store, codecs, wanted, codec, dry_run=dry_run)
        total = Total()
        if as_json:
            print_json_stream({"dry_run": dry_run}, "sessions", (_json(one) for one in _counted(found, total)))
        else:
            for one in _counted(found, total):
                for line in _lines(one, zones):
                    click.echo(harmless(line))
    if not as_json:
        click.echo(str(total) + (" (dry run: nothing was written)" if dry_run and not total.no_change else ""))
        if not total.sessions:
            say("no session fits; `gateway-server session list` shows those there are")


def _counted(found: Iterator[SessionReadAgain], total: Total) -> Iterator[SessionReadAgain]:
    for one in found:
        total.add(one)
        yield one


def _json(one: SessionReadAgain) -> dict[str, JsonValue]:
    counts = {field.name: getattr(one, field.name) for field in fields(one) if field.name not in ("changes", "notes")}
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
    return {**counts, "no_change": one.no_change and not one.skipped, "changes": changes, "notes": list(one.notes)}


def _lines(one: SessionReadAgain, zones: Zones) -> Iterator[str]:
    name = f"session {one.session}, meter {one.meter or '?'}"
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


def _change(change: Change, serial: str, zones: Zones) -> str:
    number = "" if change.order_number is None else f" {change.order_number}"
    at = local(change.measured_at_ms, zones.of(serial))
    return f"{change.archive}{number}, {at}, {change.what}: {change.old or 'nothing'} → {change.new or 'nothing'}"
