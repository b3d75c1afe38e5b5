"""The options that the listing verbs share, and the filter they make."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import click

from gateway_server.cli.errors import say
from gateway_server.cli.invocation import Invocation, Zones
from gateway_server.cli.moments import FORMS, parse_moment, rfc3339
from gateway_server.errors import OperatorError
from gateway_server.model import Outcome
from gateway_server.store.records import Filter

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_TIMES = f"Like {FORMS}. Without a zone: the meter's."

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
limit_option = click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="At most N, the newest. [terminal: 50, --json: all]"
)
meter_option = click.option("--meter", "meters", multiple=True, metavar="SERIAL", help="Only this meter; repeatable.")
from_option = click.option("--from", "since", metavar="TIME", help=f"From this time on. {_TIMES}")
to_option = click.option("--to", "until", metavar="TIME", help="Up to this time, which is included.")
archive_option = click.option(
    "--archive", "archives", multiple=True, metavar="NAME", help="current, interval, daily, monthly, events ..."
)
quantity_option = click.option("--quantity", "quantities", multiple=True, metavar="NAME", help="Only this quantity.")
outcome_option = click.option(
    "--outcome", "outcomes", multiple=True, type=click.Choice([one.value for one in Outcome]), help="How it ended."
)
transport_option = click.option(
    "--transport", "transports", multiple=True, metavar="NAME", help="tcp, serial, csd, ftp, file or capture."
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
search_option = click.option("--search", default="", metavar="TEXT", help="Only what contains this text.")


def options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Several options at once, listed in the help in this order."""

    def decorate(command: F) -> F:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def at_most(limit: int | None, things: Iterator[T]) -> Iterator[T]:
    """The first ``limit`` things, all without one; what follows is left in the iterator."""
    return things if limit is None else itertools.islice(things, limit)


def containing(text: str, things: Iterator[T], words: Callable[[T], tuple[str, ...]], limit: int | None) -> Iterator[T]:
    """Those with this text in their words, whatever its case, at most ``limit``; without a text all of them."""
    if not text:
        return things
    text = text.casefold()
    return at_most(limit, (one for one in things if any(text in word.casefold() for word in words(one))))


@dataclass(frozen=True, slots=True)
class Period:
    """The two ends of ``--from`` and ``--to`` as typed."""

    since: str | None
    until: str | None

    def narrow(self, wanted: Filter, invocation: Invocation, zones: Zones) -> Filter:
        """The filter with this period in it. A meter it names that nobody knows is said on standard error."""
        for serial in wanted.serials:
            if not zones.know(serial):
                say(f"note: no meter {serial} in the register")
        home = zones.shared_by(wanted.serials)
        now_ms = invocation.now_ms()
        since_ms = parse_moment(self.since, home, now_ms, last=False) if self.since is not None else None
        until_ms = parse_moment(self.until, home, now_ms, last=True) if self.until is not None else None
        check_period(since_ms, until_ms)
        return replace(wanted, since_ms=since_ms, until_ms=until_ms)


def check_period(since_ms: int | None, until_ms: int | None) -> None:
    """Raises `OperatorError` for a period that ends before it begins."""
    if since_ms is not None and until_ms is not None and until_ms < since_ms:
        raise OperatorError(f"--to ({rfc3339(until_ms)}) is before --from ({rfc3339(since_ms)})")
