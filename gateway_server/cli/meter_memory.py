"""What the gateway has learnt of a meter, in words: what it remembers of it is kept under the codecs' short names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from gateway_server.errors import cut

_LONGEST_FACT = 24
_KNOWN_TYPE = re.compile(r"([^|]*)\|([^|]*)")

# What a codec or the modem pool remembers under this name; None for what steers a session and tells a person nothing.
_WORDS: dict[str, Callable[[str], str] | None] = {
    "device": lambda value: f"signed on as {_type(value)}",
    "parity": lambda value: "speaks with even parity" if value == "even" else "speaks plain 8-bit characters",
    "period": lambda value: f"measurement period {value} min",
    "wake_up": lambda _value: "has to be woken before it answers",
    "block": lambda value: f"blocks of {value} rows",
    "airtime_block": lambda value: f"blocks of {value} rows over modems",
    "gas_day_start": lambda value: f"gas day from {value} by its own word",
    "gaps": lambda _value: "refuses requests that span registers it lacks",
    "bearer": lambda value: f"reached with bearer {value}",
    "trust": None,
}


def in_words(memory: Mapping[str, str]) -> Iterator[str]:
    """What a person may want to know of it. The facts themselves are for programs (`meter show --json`)."""
    layouts = sorted({name.split(":")[-1] for name, value in memory.items() if name.startswith("layout:") and value})
    for name, value in sorted(memory.items()):
        head, _, rest = name.partition(":")
        if head == "fill":
            if value:
                yield f"rows {cut(value.replace(' ', ', '), _LONGEST_FACT)} of {rest} still to be read again"
        elif head == "absent":
            if value:
                yield f"{len(value.split())} values it does not have"
        elif head != "layout" and value and (words := _WORDS.get(name, _plainly(name))) is not None:
            yield words(cut(value, _LONGEST_FACT))
    if layouts:
        yield f"the columns of {len(layouts)} {'archive' if len(layouts) == 1 else 'archives'}"


def _plainly(name: str) -> Callable[[str], str]:
    """What a profile of the operator's remembers bears a name of the operator's."""
    return lambda value: f"{name} {value}"


def _type(value: str) -> str:
    found = _KNOWN_TYPE.fullmatch(value)
    return f"{found[1]}, software {found[2]}" if found else value
