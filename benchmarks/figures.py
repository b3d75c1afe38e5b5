"""What a benchmark finds: a figure of ours beside its anchor's from the same alternating run, and the ratio."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``ours[i]`` and ``anchor[i]`` were measured one after the other.

    ``wanted`` bounds the ratio ours / anchor (or the value itself where there is no anchor): from below when
    ``higher_is_better``, from above otherwise; None where nothing was promised.
    """

    name: str
    unit: str
    ours: Sequence[float]
    anchor_name: str = ""
    anchor: Sequence[float] = ()
    higher_is_better: bool = True
    wanted: float | None = None

    @property
    def ratio(self) -> float | None:
        """Median of the pairs' ratios; None without an anchor."""
        pairs = [one / other for one, other in zip(self.ours, self.anchor, strict=False) if other]
        return statistics.median(pairs) if pairs else None

    @property
    def reached(self) -> bool | None:
        """Whether what was wanted is there; None where nothing was promised."""
        judged = statistics.median(self.ours) if not self.anchor_name else self.ratio
        if self.wanted is None or judged is None:
            return None
        return judged >= self.wanted if self.higher_is_better else judged <= self.wanted

    def as_json(self) -> dict[str, object]:
        """The figure with every single run."""
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": list(self.ours),
            "anchor_name": self.anchor_name,
            "anchor": list(self.anchor),
            "ratio": self.ratio,
            "wanted": self.wanted,
            "higher_is_better": self.higher_is_better,
            "reached": self.reached,
        }


def short(value: float) -> str:
    """A number with three figures that mean something."""
    if value >= 10_000:
        return f"{value / 1000:.1f}k"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def spread(values: Sequence[float]) -> str:
    """Median (least to greatest)."""
    if not values:
        return ""
    if len(values) == 1:
        return short(values[0])
    return f"{short(statistics.median(values))} ({short(min(values))}-{short(max(values))})"


def _wanted(figure: Figure) -> str:
    if figure.wanted is None:
        return ""
    return f"{'≥' if figure.higher_is_better else '≤'} {figure.wanted:g}"


HEADINGS = ("what", "unit", "ours", "beside it", "its figure", "ratio", "wanted", "")


def cells(figure: Figure) -> tuple[str, ...]:
    """The figure as the texts of one table line."""
    return (
        figure.name,
        figure.unit,
        spread(figure.ours),
        figure.anchor_name,
        spread(figure.anchor),
        f"{figure.ratio:.2f}" if figure.ratio is not None else "",
        _wanted(figure),
        {None: "", True: "yes", False: "NO"}[figure.reached],
    )


def as_table(figures: Sequence[Figure]) -> Table:
    """The table for a terminal."""
    table = Table()
    for heading in HEADINGS:
        table.add_column(heading, overflow="fold")
    for figure in figures:
        table.add_row(*cells(figure))
    return table


def as_markdown(figures: Sequence[Figure]) -> str:
    """The table as it stands in docs/performance.md."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *map(cells, figures)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
