"""How lists leave the program: one JSON document, or columns for a terminal; both streamed."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import click

from gateway_server.cli.errors import harmless
from gateway_server.cli.invocation import on_terminal
from gateway_server.errors import cut

T = TypeVar("T")

JsonValue = str | int | bool | None | Sequence["JsonValue"] | Mapping[str, "JsonValue"]

TERMINAL_LIMIT = 50
COUNTED = 10_000  # how far "and n more" is counted before it says "more than"
_MEASURED_FIRST = 500
_WIDEST_CELL, _LONGEST_LAST = 160, 600  # no meter stretches a table; documents have what is longer


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """How one kind of thing is listed: its JSON fields (the contract's) and its columns."""

    noun: str
    as_json: Callable[[T], Mapping[str, JsonValue]]
    headings: tuple[str, ...]
    as_cells: Callable[[T], tuple[str, ...]]
    right: frozenset[str] = frozenset()

    def show(self, things: Iterable[T], *, as_json: bool, limit: int | None) -> None:
        """Writes the list; a terminal gets the first ``limit`` (50 when None) and is told how many more there are."""
        if as_json:
            print_json_array(map(self.as_json, things))
            return
        following = iter(things)
        shown = print_table(
            self.headings, map(self.as_cells, itertools.islice(following, limit or TERMINAL_LIMIT)), self.right
        )
        if not shown:
            click.echo(f"no {self.noun}", err=True)
        elif limit is None and (more := sum(1 for _ in itertools.islice(following, COUNTED))):
            amount = f"more than {COUNTED}" if more == COUNTED else str(more)
            click.echo(f"and {amount} more; --limit N shows N, --json everything", err=True)


def _only_ascii() -> bool:
    """Whether a JSON document must escape what is not ASCII: it is UTF-8 by its standard, or nothing but ASCII."""
    return (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "") != "utf8"


def print_json(document: JsonValue) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(document, ensure_ascii=_only_ascii(), indent=2))


def print_json_array(items: Iterable[Mapping[str, JsonValue]]) -> None:
    """One JSON array on standard output, an item a line, never held as a whole."""
    opening = "[\n"
    only_ascii = _only_ascii()
    for item in items:
        click.echo(opening + json.dumps(item, ensure_ascii=only_ascii), nl=False)
        opening = ",\n"
    click.echo("[]" if opening == "[\n" else "\n]")


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]], right: frozenset[str] = frozenset()) -> int:
    """Columns, as wide as the first rows need; gives the number of rows written."""
    following = iter(rows)
    first = [_cells(row) for row in itertools.islice(following, _MEASURED_FIRST)]
    if not first:
        return 0
    widths = [max(len(cell) for cell in column) for column in zip(headings, *first, strict=True)]
    aligned = [heading in right for heading in headings]
    click.echo(click.style(_line(headings, widths, aligned), bold=on_terminal()))
    shown = 0
    for row in itertools.chain(first, map(_cells, following)):
        click.echo(_line(row, widths, aligned))
        shown += 1
    return shown


def _cells(row: Sequence[str]) -> list[str]:
    last = len(row) - 1
    return [cut(harmless(cell), _LONGEST_LAST if at == last else _WIDEST_CELL) for at, cell in enumerate(row)]


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(padded).rstrip()


def pairs(lines: Iterable[tuple[str, str]]) -> Iterator[str]:
    """``name  value`` lines, values under each other; those without a value are left out."""
    kept = [(name, value) for name, value in lines if value]
    width = max((len(name) for name, _ in kept), default=0)
    for name, value in kept:
        yield f"{name.ljust(width)}  {harmless(value)}"


def print_json_stream(head: Mapping[str, JsonValue], name: str, items: Iterable[Mapping[str, JsonValue]]) -> None:
    """One JSON object on standard output: ``head``, and under ``name`` an array that is never held as a whole."""
    opening = json.dumps(dict(head), ensure_ascii=_only_ascii(), indent=2).removesuffix("\n}")
    click.echo(f'{opening},\n  "{name}": ')
    print_json_array(items)
    click.echo("}")
