"""``reading``: what the meters reported, listed and exported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

import click

from gateway_server.cli import options as opt
from gateway_server.cli.errors import say
from gateway_server.cli.invocation import Invocation, Zones, config_option, pass_invocation
from gateway_server.cli.output import STANDARD_OUTPUT, placed_at, written_to
from gateway_server.cli.reading_changes import CHANGE_LOG, CHANGE_LOGS, change_listing, changes
from gateway_server.cli.reading_export import (
    EVENT_LOG,
    FORMATS,
    READINGS,
    Sheet,
    Stored,
    csv_pieces,
    jsonl_pieces,
    write_parquet,
    write_xlsx,
)
from gateway_server.cli.reading_json import event_listing, reading_listing
from gateway_server.errors import OperatorError
from gateway_server.model import EVENTS
from gateway_server.store.records import Filter

T = TypeVar("T", bound=Stored)


@click.group()
def reading() -> None:
    """What the meters reported."""


_filters = opt.options(
    opt.meter_option,
    opt.from_option,
    opt.to_option,
    opt.archive_option,
    opt.quantity_option,
    opt.limit_option,
)


@reading.command("list")
@_filters
@opt.options(
    click.option("--search", default="", metavar="TEXT", help="With --archive events: only events with these words."),
    opt.json_option,
    config_option,
)
@click.option("--last", is_flag=True, help="Only the newest row of every meter and archive.")
@pass_invocation
def list_readings(
    invocation: Invocation,
    meters: tuple[str, ...],
    since: str | None,
    until: str | None,
    archives: tuple[str, ...],
    quantities: tuple[str, ...],
    limit: int | None,
    search: str,
    as_json: bool,
    last: bool,
) -> None:
    """Readings, the newest first.

    `--archive events` lists the meters' event logs, `--archive changes` the changes of their parameters.
    """
    if EVENTS in archives and len(archives) > 1:
        raise OperatorError("events have other fields than readings: list --archive events by itself")
    if search and EVENTS not in archives:
        raise OperatorError("--search looks into events; use it with --archive events")
    with invocation.store() as store:
        zones = Zones(store)
        wanted = opt.Period(since, until).narrow(
            Filter(
                serials=meters,
                archives=() if EVENTS in archives else archives,
                quantities=quantities,
                search=search,
                limit=limit,
                newest_first=True,
            ),
            invocation,
            zones,
        )
        if EVENTS in archives:
            event_listing(zones).show(store.events(wanted), as_json=as_json, limit=limit)
        elif _of_change_logs(archives, quantities) and not (as_json or last):
            change_listing(zones).show(changes(store.rows(wanted)), as_json=False, limit=limit)
        else:
            found = store.last_readings(wanted) if last else store.readings(wanted)
            reading_listing(zones).show(found, as_json=as_json, limit=limit)


@reading.command()
@_filters
@click.option("--format", "form", type=click.Choice(FORMATS), default="csv", show_default=True)
@click.option("--excel-ru", is_flag=True, help="CSV for Russian Excel: semicolons, decimal commas, byte order mark.")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write here. [readings.FORMAT]")
@config_option
@pass_invocation
def export(
    invocation: Invocation,
    meters: tuple[str, ...],
    since: str | None,
    until: str | None,
    archives: tuple[str, ...],
    quantities: tuple[str, ...],
    limit: int | None,
    form: str,
    excel_ru: bool,
    output: Path | None,
) -> None:
    """Writes readings to a file, the oldest first. FILE may be - for standard output (csv, jsonl).

    Values leave exactly as stored. XLSX holds numbers of up to 15 digits as numbers and longer ones as text;
    beyond Excel's 1 048 576 rows it goes on in the next sheet. `--archive events` writes the meters' event logs,
    `--archive changes` (but for jsonl) a line for each change of a parameter.
    """
    if excel_ru and form != "csv":
        raise OperatorError("--excel-ru goes with --format csv; xlsx needs no help")
    if EVENTS in archives and (len(archives) > 1 or quantities):
        raise OperatorError("events have other fields than readings: export --archive events by itself")
    path = output or Path(f"{'events' if EVENTS in archives else 'readings'}.{form}")
    if path == STANDARD_OUTPUT and form in ("xlsx", "parquet"):
        raise OperatorError(f"{form} cannot go to standard output; name a file with -o")
    with invocation.store() as store:
        wanted = opt.Period(since, until).narrow(
            Filter(serials=meters, archives=() if EVENTS in archives else archives, quantities=quantities, limit=limit),
            invocation,
            Zones(store),
        )
        if EVENTS in archives:
            _write(path, form, EVENT_LOG, store.events(wanted), excel_ru=excel_ru)
        elif _of_change_logs(archives, quantities) and form != "jsonl":
            _write(path, form, CHANGE_LOG, changes(store.rows(wanted)), excel_ru=excel_ru)
        else:
            _write(path, form, READINGS, store.readings(wanted), excel_ru=excel_ru)


def _of_change_logs(archives: tuple[str, ...], quantities: tuple[str, ...]) -> bool:
    """Whether change logs alone are asked for: people get a line a change, programs the fields of readings."""
    return bool(archives) and CHANGE_LOGS.issuperset(archives) and not quantities


def _write(path: Path, form: str, sheet: Sheet[T], things: Iterable[T], *, excel_ru: bool) -> None:
    counted = Counted(things)
    if form == "xlsx":
        with placed_at(path) as beside:
            sheets = write_xlsx(beside, sheet, counted)
        if sheets > 1:
            say(f"more rows than one Excel sheet holds: they stand in {sheets} sheets")
    elif form == "parquet":
        with placed_at(path) as beside:
            write_parquet(beside, sheet, counted)
    else:
        with written_to(path) as out:
            for piece in (
                csv_pieces(sheet, counted, excel_ru=excel_ru) if form == "csv" else jsonl_pieces(sheet, counted)
            ):
                out(piece)
    say(f"{counted.number} {sheet.noun}")


class Counted(Generic[T]):
    """Counts what passes."""

    def __init__(self, things: Iterable[T]) -> None:
        self._things = things
        self.number = 0

    def __iter__(self) -> Iterator[T]:
        for one in self._things:
            self.number += 1
            yield one
