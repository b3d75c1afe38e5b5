"""``file``: what meters uploaded, and what could be made of it."""

from __future__ import annotations

from pathlib import Path

import click

from gateway_server.cli import options as opt
from gateway_server.cli.errors import Failed, harmless, say
from gateway_server.cli.file_import import Import, Taken, Verdict, aside_lines
from gateway_server.cli.file_text import (
    Contents,
    content_lines,
    contents_of,
    file_lines,
    known_encoding,
    look_of,
    tried_lines,
)
from gateway_server.cli.invocation import Invocation, Zones, config_option, known, pass_invocation
from gateway_server.cli.listing import JsonValue, Listing, print_json, print_json_stream
from gateway_server.cli.moments import local, rfc3339
from gateway_server.cli.output import written_to
from gateway_server.cli.progress import ProgressShown
from gateway_server.cli.reprocess import (
    Shown,
    Total,
    decoded,
    followed,
    print_read_again,
    read_again_json,
    verbose_option,
)
from gateway_server.errors import OperatorError
from gateway_server.store.records import FileRecord, FileState, Filter
from gateway_server.store.sql import SqlStore
from gateway_server.transports.folder import UNFINISHED, Folder, Why, path_text
from gateway_server.workbench.containers import ContainerLimits, kind_of
from gateway_server.workbench.files import examine, look_up

_SHOWN_BYTES = 8192


@click.group()
def file() -> None:
    """What meters uploaded, byte by byte, and what could be made of it."""


def file_json(record: FileRecord) -> dict[str, JsonValue]:
    """The contract's fields, then ours."""
    return {
        "id": record.id,
        "meter": record.meter,
        "name": record.name,
        "size": record.size,
        "sha256": record.sha256,
        "received_at": rfc3339(record.received_at_ms),
        "state": record.state.value,
        "codec": record.codec,
        "readings": record.readings,
        "codec_version": record.codec_version,
        "login": record.login,
        "transport": record.transport,
        "remote": record.remote,
        "detail": record.detail,
        "same_as": record.same_as or None,
        "session": record.session,
        "raw_name": record.raw_name.hex(),
    }


def file_listing(zones: Zones) -> Listing[FileRecord]:
    """How files are listed."""

    def cells(record: FileRecord) -> tuple[str, ...]:
        return (
            str(record.id),
            record.meter or "?",
            record.name,
            str(record.size),
            local(record.received_at_ms, zones.of(record.meter)),
            record.state.value,
            record.codec,
            str(record.readings) if record.state is FileState.DECODED else "",
            record.login,
            record.detail,
        )

    headings = ("id", "meter", "name", "size", "received", "state", "codec", "readings", "account", "detail")
    return Listing("files", file_json, headings, cells, frozenset({"id", "size", "readings"}))


_state_option = click.option(
    "--state", "states", multiple=True, type=click.Choice([one.value for one in FileState]), help="How far it is."
)
_codec_option = click.option(
    "--codec", "codec_name", default="", metavar="NAME", help="Decode with this codec and no other."
)
_login_option = click.option("--login", "logins", multiple=True, metavar="LOGIN", help="Only of this account.")


@file.command("list")
@opt.options(
    opt.meter_option,
    _state_option,
    _login_option,
    opt.transport_option,
    opt.from_option,
    opt.to_option,
    opt.search_option,
    opt.limit_option,
    opt.json_option,
    config_option,
)
@pass_invocation
def list_files(
    invocation: Invocation,
    meters: tuple[str, ...],
    states: tuple[str, ...],
    logins: tuple[str, ...],
    transports: tuple[str, ...],
    since: str | None,
    until: str | None,
    search: str,
    limit: int | None,
    as_json: bool,
) -> None:
    """Uploaded files, the newest first."""
    with invocation.store() as store:
        zones = Zones(store)
        wanted = Filter(
            serials=meters,
            states=states,
            logins=logins,
            transports=transports,
            limit=None if search else limit,
            newest_first=True,
        )
        found = store.files(opt.Period(since, until).narrow(wanted, invocation, zones))
        file_listing(zones).show(opt.containing(search, found, _words, limit), as_json=as_json, limit=limit)


@file.command()
@click.argument("number", metavar="ID", type=int)
@click.option("--hex/--text", "as_hex", default=None, help="How to show the content. [text where it is text]")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="At most N bytes. [8192; --json: all]")
@click.option("--member", default="", metavar="N|NAME", help="What is within a packed file. [the first]")
@click.option("--encoding", default="", metavar="NAME", help="How its text is encoded. [by its letters]")
@click.option("--codec", "codec_name", default="", metavar="NAME", help="Ask this codec alone what it reads.")
@opt.json_option
@config_option
@pass_invocation
def show(
    invocation: Invocation,
    number: int,
    as_hex: bool | None,
    limit: int | None,
    member: str,
    encoding: str,
    codec_name: str,
    as_json: bool,
) -> None:
    """One file: its content, and what each codec says of it today.

    Of a packed file, what is within it. Nothing is stored; `file reprocess ID` does that.
    """
    encoding = known_encoding(encoding) if encoding else ""
    with invocation.store() as store:
        record = find_file(store, number)
        waiting = look_up(store, number, codec=codec_name, limits=invocation.containers)
        sniffed = examine(invocation.codecs(), waiting)
        parts = store.file_parts(number)
        data = _first(store, number, max(_SHOWN_BYTES, record.size if as_json and limit is None else limit or 0))
        contents = _contents(store, record, invocation.containers) if kind_of(data) else Contents()
        chosen = contents.member(member) if member else (None if as_hex or as_json else contents.first)
        looks = contents.office or look_of(data)
        size = record.size
        if chosen is not None:
            data, size = chosen.data, len(chosen.data)
        shown = size if as_json and limit is None else min(size, _SHOWN_BYTES if limit is None else limit)
        data = data[:shown]
        if as_json:
            document = file_json(record)
            document["sessions"] = [
                {"session": one.session, "start": one.span_start, "end": one.span_end} for one in parts
            ]
            document["looks_like"] = looks
            document["within"] = contents.json
            document["tried"] = [{"codec": one.codec, "reads": one.reads, "said": one.said} for one in sniffed.tried]
            document["trouble"] = sniffed.trouble
            document["bytes"] = data.hex()
            print_json(document)
            return
        click.secho(f"file {record.id}", bold=True)
        for line in file_lines(record, parts, Zones(store)):
            click.echo(line)
        click.echo(f"\nwhat it looks like: {looks}")
        for line in contents.lines():
            click.echo(line)
        click.echo("what the codecs say today:")
        for line in tried_lines(sniffed.tried, "" if sniffed.trouble in record.detail else sniffed.trouble):
            click.echo(line)
        click.echo(f"\n{harmless(chosen.name)}:" if chosen else "")
        for line in content_lines(data, as_hex=as_hex, encoding=encoding):
            click.echo(line)
        if shown < size:
            click.echo(f"and {size - shown} more bytes; --limit N shows N, `file export {number}` writes all")


@file.command()
@click.argument("number", metavar="ID", type=int)
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write here. [file-ID]")
@config_option
@pass_invocation
def export(invocation: Invocation, number: int, output: Path | None) -> None:
    """Writes a file's bytes as they came.

    FILE may be - for standard output. The name is ours: that which the client chose is not to be trusted.
    """
    with invocation.store() as store:
        find_file(store, number)
        with written_to(output or Path(f"file-{number}")) as out:
            for piece in store.file_bytes(number):
                out(piece)


@file.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="DIR|FILE...")
@opt.options(
    click.option("--meter", "serial", default="", metavar="SERIAL", help="Whose files they are."),
    click.option("--login", default="", metavar="LOGIN", help="The account they were uploaded to."),
    click.option("--by-login", is_flag=True, help="Each folder in DIR is the account of its name."),
    click.option("--ignore", multiple=True, metavar="PATTERN", help=f"Names to leave out. [{' '.join(UNFINISHED)}]"),
    _codec_option,
    click.option("--decode/--no-decode", default=True, help="Decode what is imported. [yes]"),
    opt.dry_run_option,
    opt.json_option,
    config_option,
)
@pass_invocation
def import_files(
    invocation: Invocation,
    paths: tuple[Path, ...],
    serial: str,
    login: str,
    by_login: bool,
    ignore: tuple[str, ...],
    codec_name: str,
    decode: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Takes in files from the folder of another FTP server.

    They count as received when they were last written. What is in the store already is left out, so a stopped import
    is called again and goes on; the folder is not changed.
    """
    if login and by_login:
        raise OperatorError("--login and --by-login say two different things of whose files these are; give one")
    codecs = invocation.codecs()
    if codec_name:
        codecs.get(codec_name)
    with invocation.store() as store:
        if serial:
            serial = known(store, serial).serial
        job = Import(
            store,
            codecs if decode else None,
            invocation.now_ms,
            serial,
            codec_name,
            dry_run=dry_run,
            limits=invocation.containers,
        )
        folders = [Folder(path, login, by_login, ignore or UNFINISHED) for path in paths]
        with ProgressShown() as progress:
            taken = job.run(folders, progress.show)
            if as_json:
                print_json_stream({"dry_run": dry_run}, "files", map(_taken_json, taken))
            else:
                for one in taken:
                    if one.verdict is Verdict.FAILED:
                        say(f"{harmless(path_text(one.file.path))}: {one.trouble}")
    say(f"{job}{' (dry run: nothing was imported)' if dry_run else ''}")
    if job.states[FileState.UNKNOWN]:
        say("`gateway-server file list --state unknown` shows those without readings, and why; they are kept")
    for line in aside_lines(job):
        say(harmless(line))
    unreadable = [one for one in job.left_out if one.why is Why.UNREADABLE]
    if job.failed or unreadable:
        raise Failed(
            f"{job.failed} files and {len(unreadable)} folders were not imported; the same command tries them again"
        )


def _taken_json(one: Taken) -> dict[str, JsonValue]:
    return {
        "path": path_text(one.file.path),
        "name": one.file.name,
        "login": one.file.login,
        "size": one.file.size,
        "verdict": one.verdict.value,
        "trouble": one.trouble,
        "file": one.record.id if one.record else None,
        "state": one.record.state.value if one.record else None,
        "readings": one.record.readings if one.record else 0,
    }


@file.command()
@click.argument("numbers", nargs=-1, type=int, metavar="[ID...]")
@opt.options(
    opt.meter_option,
    _state_option,
    _login_option,
    opt.from_option,
    opt.to_option,
    _codec_option,
    click.option("--serial", default="", metavar="SERIAL", help="Whose files they are, where nothing else says it."),
    verbose_option,
    opt.dry_run_option,
    opt.json_option,
    config_option,
)
@pass_invocation
def reprocess(
    invocation: Invocation,
    numbers: tuple[int, ...],
    meters: tuple[str, ...],
    states: tuple[str, ...],
    logins: tuple[str, ...],
    since: str | None,
    until: str | None,
    codec_name: str,
    serial: str,
    verbose: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Decodes stored files by today's codecs: what changed.

    Files in a format that was unknown when they came become readings so. Doing it twice changes nothing.
    """
    codecs = invocation.codecs()
    if codec_name:
        codecs.get(codec_name)
    with invocation.store() as store:
        zones = Zones(store)
        if serial:
            serial = known(store, serial).serial
        if numbers:
            wanted = [find_file(store, number).id for number in numbers]
        else:
            asked = opt.Period(since, until).narrow(
                Filter(serials=meters, states=states, logins=logins), invocation, zones
            )
            wanted = [one.id for one in store.files(asked)]
        total = Total("files")
        found = total.counted(
            decoded(store, codecs, wanted, codec_name, serial, dry_run=dry_run, limits=invocation.containers)
        )
        with ProgressShown() as progress:
            again = followed(found, progress.show, "reading files again", len(wanted))
            if as_json:
                print_json_stream({"dry_run": dry_run}, "files", map(read_again_json, again))
            else:
                print_read_again(again, Shown(zones, every=verbose or bool(numbers)))
    if not as_json:
        click.echo(str(total) + (" (dry run: nothing was written)" if dry_run and not total.no_change else ""))
        if not total.read:
            say("no file fits; `gateway-server file list` shows those there are")


def find_file(store: SqlStore, number: int) -> FileRecord:
    """The file with this number."""
    record = store.file(number)
    if record is None:
        raise OperatorError(f"there is no file {number}; `gateway-server file list` shows those there are")
    return record


def _contents(store: SqlStore, record: FileRecord, limits: ContainerLimits) -> Contents:
    if record.size > limits.size:
        return Contents(trouble=f"it has {record.size} bytes, more than the {limits.size} that are opened at once")
    return contents_of(record.name, _first(store, record.id, record.size), limits)


def _first(store: SqlStore, number: int, length: int) -> bytes:
    data = bytearray()
    for piece in store.file_bytes(number):
        if len(data) >= length:
            break
        data += piece
    return bytes(data[:length])


def _words(record: FileRecord) -> tuple[str, ...]:
    return record.name, record.meter, record.login, record.remote, record.detail
