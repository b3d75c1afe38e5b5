"""``session``: what was said with the meters, byte by byte."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from datetime import tzinfo
from pathlib import Path

import click

from gateway_server.cli import options as opt
from gateway_server.cli.errors import Failed
from gateway_server.cli.invocation import Invocation, Zones, config_option, on_terminal, pass_invocation
from gateway_server.cli.listing import JsonValue, Listing, print_json, print_json_stream
from gateway_server.cli.moments import duration, local, rfc3339
from gateway_server.cli.output import written_to
from gateway_server.cli.session_export import FORMATS, export_session
from gateway_server.cli.session_text import (
    Look,
    chunk_lines,
    count_trouble,
    header_lines,
    summary_line,
    waterfall_lines,
)
from gateway_server.codec.codec import Codec
from gateway_server.codec.registry import Registry
from gateway_server.errors import OperatorError
from gateway_server.model import Direction
from gateway_server.session.remarks import spans_kept_out
from gateway_server.store.records import Filter, SessionRecord
from gateway_server.store.sql import SqlStore
from gateway_server.workbench.reprocess import UPLOADS
from gateway_server.workbench.verify import verify_session
from gateway_server.workbench.view import ChunkView, FrameView, Stored, view_session
from gateway_server.workbench.waterfall import waterfall


@click.group()
def session() -> None:
    """What was said with the meters, byte by byte."""


def session_json(record: SessionRecord) -> dict[str, JsonValue]:
    """The contract's fields, then ours."""
    return {
        "id": record.id,
        "meter": record.meter,
        "transport": record.transport,
        "remote": record.remote,
        "started": rfc3339(record.started_ms),
        "ended": rfc3339(record.ended_ms),
        "outcome": record.outcome.value if record.outcome else None,
        "bytes_received": record.bytes_received,
        "bytes_sent": record.bytes_sent,
        "readings": record.readings,
        "codec": record.codec,
        "codec_version": record.codec_version,
        "detail": record.detail,
        "listener": record.listener,
        "caller": record.caller,
        "job": record.job or None,
    }


def session_listing(home: tzinfo) -> Listing[SessionRecord]:
    """How sessions are listed: they are the gateway's doings, so all of a list in one zone."""

    def cells(record: SessionRecord) -> tuple[str, ...]:
        return (
            str(record.id),
            record.meter or "?",
            record.transport,
            record.remote,
            local(record.started_ms, home),
            duration(record.ended_ms - record.started_ms) if record.ended_ms is not None else "",
            record.outcome.value if record.outcome else "open",
            str(record.bytes_received),
            str(record.readings),
            record.detail,
        )

    headings = ("id", "meter", "by", "remote", "started", "took", "outcome", "bytes", "readings", "detail")
    return Listing("sessions", session_json, headings, cells, frozenset({"id", "bytes", "readings"}))


@session.command("list")
@opt.options(
    opt.meter_option,
    opt.from_option,
    opt.to_option,
    opt.outcome_option,
    opt.transport_option,
    opt.search_option,
    opt.limit_option,
    opt.json_option,
    config_option,
)
@pass_invocation
def list_sessions(
    invocation: Invocation,
    meters: tuple[str, ...],
    since: str | None,
    until: str | None,
    outcomes: tuple[str, ...],
    transports: tuple[str, ...],
    search: str,
    limit: int | None,
    as_json: bool,
) -> None:
    """Sessions, the newest first."""
    with invocation.store() as store:
        zones = Zones(store)
        wanted = Filter(
            serials=meters,
            outcomes=outcomes,
            transports=transports,
            limit=None if search else limit,
            newest_first=True,
        )
        found = store.sessions(opt.Period(since, until).narrow(wanted, invocation, zones))
        session_listing(zones.shared_by(meters)).show(
            opt.containing(search, found, _words, limit), as_json=as_json, limit=limit
        )


@session.command()
@click.argument("number", metavar="ID", type=int)
@click.option("--hex/--no-hex", "with_hex", default=True, help="Show the bytes. [yes]")
@click.option("--fields/--no-fields", "with_fields", default=True, help="Show what the bytes mean. [yes]")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N entries of the log.")
@click.option("--codec", "codec_name", default="", metavar="NAME", help="Dissect with this codec instead.")
@click.option("--pager/--no-pager", default=True, help="Page on a terminal. [yes]")
@opt.json_option
@config_option
@pass_invocation
def show(
    invocation: Invocation,
    number: int,
    with_hex: bool,
    with_fields: bool,
    limit: int | None,
    codec_name: str,
    pager: bool,
    as_json: bool,
) -> None:
    """One session, byte by byte.

    Time, Δt, direction, hex, and beside it what the bytes mean.
    """
    with invocation.store() as store:
        record = find_session(store, number)
        codec = codec_of(record, codec_name, invocation.codecs())
        zones = Zones(store)
        chunks = viewed(store, number, codec, zones)
        files = list(store.files(Filter(sessions=(number,))))
        if as_json:
            document = session_json(record)
            document["files"] = [one.id for one in files]
            print_json_stream(document, "log", (chunk_json(chunk) for chunk in opt.at_most(limit, chunks)))
            return
        meter = store.meter(record.meter) if record.meter else None
        look = Look(
            zones.of(record.meter),
            width=shutil.get_terminal_size().columns,
            colour=on_terminal(),
            hex=with_hex,
            fields=with_fields,
        )
        head = header_lines(record, meter.name if meter else "", look, files)
        if record.transport == "csd":
            head = itertools.chain(head, [""], waterfall_lines(waterfall(store.session_log(number)), look))
        lines = _session_lines(head, chunks, look, limit)
        if on_terminal() and pager:
            click.echo_via_pager(f"{line}\n" for line in lines)
        else:
            for line in lines:
                click.echo(line)


def _session_lines(head: Iterator[str], chunks: Iterator[ChunkView], look: Look, limit: int | None) -> Iterator[str]:
    yield from head
    yield ""
    shown = faults = noise = 0
    for chunk in opt.at_most(limit, chunks):
        yield from chunk_lines(chunk, look)
        shown += 1
        more_faults, more_noise = count_trouble((chunk,))
        faults += more_faults
        noise += more_noise
    yield ""
    yield summary_line(shown, faults, noise, look)
    if more := sum(1 for _ in chunks):
        yield f"and {more} more entries; without --limit all are shown"


@session.command()
@click.argument("number", metavar="ID", type=int)
@click.option("--format", "form", type=click.Choice(FORMATS), default="pcapng", show_default=True)
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write here. [session-ID.FORMAT]")
@config_option
@pass_invocation
def export(invocation: Invocation, number: int, form: str, output: Path | None) -> None:
    """Writes one session to a file.

    pcapng is for Wireshark and tshark, capture for tests, jsonl for programs, html a report for people. FILE may be -
    for standard output.
    """
    with invocation.store() as store:
        record = find_session(store, number)
        codec = codec_of(record, "", invocation.codecs())
        zones = Zones(store)
        chunks = viewed(store, number, codec, zones)
        with written_to(output or Path(f"session-{number}.{form}")) as out:
            for piece in export_session(form, record, chunks, zones.of(record.meter)):
                out(piece)


@session.command()
@click.argument("number", metavar="ID", type=int)
@opt.json_option
@config_option
@pass_invocation
def verify(invocation: Invocation, number: int, as_json: bool) -> None:
    """Checks one session against its log.

    Its totals against the bytes, and its readings against a replay of the log by today's codec.
    """
    with invocation.store() as store:
        record = find_session(store, number)
        checks = list(verify_session(store, record, codec_of(record, "", invocation.codecs())))
    if as_json:
        items: list[JsonValue] = [{"check": one.name, "ok": one.ok, "detail": one.detail} for one in checks]
        print_json({"session": number, "ok": all(one.ok for one in checks), "checks": items})
    else:
        for one in checks:
            click.echo(f"{'ok ' if one.ok else 'NOT'}  {one.name}: {one.detail}")
    if not all(one.ok for one in checks):
        raise Failed(f"session {number} is not what its record says")


def _words(record: SessionRecord) -> tuple[str, ...]:
    return record.meter, record.remote, record.caller, record.listener, record.detail


def find_session(store: SqlStore, number: int) -> SessionRecord:
    """The session with this number."""
    record = store.session(number)
    if record is None:
        raise OperatorError(f"there is no session {number}; `gateway-server session list` shows those there are")
    return record


def codec_of(record: SessionRecord, wanted: str, codecs: Registry) -> Codec | None:
    """Today's codec for the session; None if it had none or the one it had is gone, and for one that brought a file,
    which is no conversation."""
    if wanted:
        return codecs.get(wanted)
    if record.transport in UPLOADS:
        return None
    return codecs.get(record.codec) if record.codec in codecs else None


def stored_from(store: SqlStore, number: int, zones: Zones) -> Iterator[Stored]:
    """What the store holds from a session, by the bytes it came from."""
    wanted = Filter(sessions=(number,))
    for stored in store.rows(wanted):
        row = stored.row
        said = f"{row.archive} row" + (f" {row.order_number}" if row.order_number is not None else "")
        if len(row.columns) == 1:
            column = row.columns[0]
            said = f"{column.name or column.quantity} = {row.values[0]} {column.unit}".rstrip()
        else:
            said += f", {local(row.measured_at_ms, zones.of(stored.meter))}, {len(row.columns)} values"
        if row.quality:
            said += f" ({row.quality})"
        yield Stored(row.span_start, row.span_end, said)


def viewed(store: SqlStore, number: int, codec: Codec | None, zones: Zones) -> Iterator[ChunkView]:
    """The auditor's view of a stored session."""
    kept_out = spans_kept_out(store.session_log(number))
    return view_session(store.session_log(number), codec, list(stored_from(store, number, zones)), kept_out)


def chunk_json(chunk: ChunkView) -> dict[str, JsonValue]:
    """One entry of the log as JSON."""
    entry: dict[str, JsonValue] = {
        "at": rfc3339(chunk.at_ms),
        "direction": chunk.direction.name.lower(),
    }
    if chunk.direction is Direction.NOTE:
        return entry | {"note": chunk.note}
    if chunk.direction.of_modem:
        return entry | {"text": chunk.note, "bytes": chunk.data.hex()}
    return entry | {
        "offset": chunk.offset,
        "bytes": chunk.data.hex(),
        "frames": [_frame_json(frame) for frame in chunk.frames],
    }


def _frame_json(frame: FrameView) -> dict[str, JsonValue]:
    return {
        "kind": frame.kind,
        "start": frame.start,
        "end": frame.end,
        "fault": frame.fault,
        "fields": [
            {"name": one.name, "start": one.start, "end": one.end, "value": one.value, "meaning": one.meaning}
            for one in frame.fields
        ],
        "stored": [{"start": one.start, "end": one.end, "text": one.text} for one in frame.stored],
    }
