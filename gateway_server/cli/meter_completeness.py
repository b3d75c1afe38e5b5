"""How whole a meter's archives are, as `meter show` says it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

import click

from gateway_server.cli.listing import JsonValue, print_table
from gateway_server.cli.moments import duration, local, rfc3339
from gateway_server.scheduler.completeness import Completeness
from gateway_server.store.plan_records import Span

_SHOWN_HOLES = 3


def completeness_json(parts: Sequence[Completeness], now_ms: int) -> list[JsonValue]:
    """Per archive the percentage, the holes as ranges with both ends included, and the age of the oldest."""
    return [
        {
            "archive": part.archive,
            "percent": str(part.percent),
            "period_s": part.grid.period_ms // 1000,
            "period_learnt": part.learnt,
            "since": rfc3339(part.first_ms),
            "until": rfc3339(part.until_ms),
            "expected": part.expected,
            "stored": part.stored,
            "missing": part.missing,
            "oldest_missing": rfc3339(part.oldest_ms),
            "oldest_missing_age_s": None if part.oldest_ms is None else (now_ms - part.oldest_ms) // 1000,
            "holes": [_span_json(part, span) for span in part.holes],
            "lost": [_span_json(part, span) for span in part.lost],
        }
        for part in parts
    ]


def _span_json(part: Completeness, span: Span) -> dict[str, JsonValue]:
    return {"from": rfc3339(span.first_ms), "to": rfc3339(span.last_ms), "rows": part.grid.count(span)}


def show_completeness(parts: Sequence[Completeness], home: tzinfo, now_ms: int) -> None:
    """The same as a table, with the newest holes."""
    click.echo("\ncompleteness")
    print_table(
        ("archive", "complete", "stored", "of", "missing", "oldest missing", "newest holes"),
        (
            (
                part.archive,
                f"{part.percent} %" + ("" if part.learnt else " (period assumed)"),
                str(part.stored),
                str(part.expected),
                str(part.missing),
                "" if part.oldest_ms is None else f"{duration(max(0, now_ms - part.oldest_ms) // 60000 * 60000)} ago",
                _holes(part, home),
            )
            for part in parts
        ),
        frozenset({"stored", "of", "missing"}),
    )


def _holes(part: Completeness, home: tzinfo) -> str:
    newest = [
        local(span.first_ms, home)
        if span.first_ms == span.last_ms
        else f"{local(span.first_ms, home)} to {local(span.last_ms, home)}"
        for span in reversed(part.holes[-_SHOWN_HOLES:])
    ]
    more = len(part.holes) - len(newest)
    said = ", ".join(newest) + (f" and {more} more" if more > 0 else "")
    gone = sum(map(part.grid.count, part.lost))
    return said + (f"{'; ' if said else ''}{gone} rows the device no longer has" if gone else "")
