"""What can be wrong or odd with a meter and the way to it, each point a switch.

The points come from drivers and captures of real correctors, and from what a gateway must survive.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from gateway_server.errors import OperatorError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_T = TypeVar("_T", bool, int, float, str)
_Switches = TypeVar("_Switches", bound="DataclassInstance")


def quirk(default: _T, says: str) -> _T:
    """A switch and what it does, in words; a dataclass takes the field for its default."""
    return dataclasses.field(default=default, metadata={"says": says})


@dataclass(frozen=True, slots=True)
class Quirks:
    """All switches off is a well-behaved meter. Numbers count from 1; 0 means never."""

    # how it answers
    echo_prefix: bool = quirk(False, "the echoed address gets a medium prefix and another attribute (capture)")
    bcc_is_etx: bool = quirk(False, "blocks are cut, and the clock is put, so that the BCC is 03 where possible")
    crlf_after_last_row: bool = quirk(False, "the last row of a block carries a line end as well")
    russian_units: bool = quirk(False, "м3 in CP1251, one 8-bit character (capture)")
    reply_delay_s: float = quirk(0.0, "reaction time before every answer")
    slow: bool = quirk(False, "byte by byte, 10 ms apart")
    split: int = quirk(0, "pieces of so many bytes, 20 ms apart")
    seven_e1: bool = quirk(False, "7E1 octets on an 8-bit line; requests with wrong parity are not heard")
    asleep: bool = quirk(False, "a sign-on is heard only behind NULs for 2 s, gaps below 0.5 s, and a pause")
    misses_first: bool = quirk(False, "the first sign-on falls into its wake-up and is not answered")
    bus_address: str = quirk("", "answers a sign-on only with this address (or none, or zeros)")
    largest_block: int = quirk(100, "rows in a block at most, whatever is asked for (a guess: no manual says)")
    idle_fallback_s: float = quirk(60.0, "so long without a request, and it must be signed on again")

    # locks
    lock_values: bool = quirk(False, "archives and measured values need an open lock")
    lock_all: bool = quirk(False, "even the clock and the identity need an open lock")
    lock_way_b: bool = quirk(False, "locks open by P1 (n:code) only, not by W1 n:171")
    noise_events: bool = quirk(False, "a readout leaves its own entries in the event log")

    # how the way to it behaves
    noise_before: bool = quirk(False, "NULs, a space, a stray ACK before the start character")
    noise_after: bool = quirk(False, "the same behind the BCC")
    second_master: bool = quirk(False, "frames of another master's conversation pass by before each answer")
    lose_every: int = quirk(0, "every nth answer (3 at least) is lost; a repeated request is answered")
    bad_bcc_every: int = quirk(0, "every nth block arrives damaged, good when repeated")
    bad_bcc_always: bool = quirk(False, "every block arrives damaged")
    truncate_block: int = quirk(0, "the nth block stops in its middle, good when repeated")
    endless_block: int = quirk(0, "the nth block never ends; only a request stops it")
    rubbish: bool = quirk(False, "64 KiB of rubbish come in place of the first identification")
    hang_up_in_block: int = quirk(0, "the line is closed within the nth block")
    no_carrier_in_block: int = quirk(0, "NO CARRIER stands within the nth block, then nothing more comes")
    never_answers: bool = quirk(False, "not one byte")

    # who it is and what time it has
    other_serial: str = quirk("", "says this serial number instead of its own")
    clock_offset_s: int = quirk(0, "the clock is so far ahead, archives included")
    clock_drift_s: int = quirk(0, "and gains so many seconds a day")

    # what its archives hold
    no_layout: bool = quirk(False, "V.2, V.3, V.4 are refused")
    no_names: bool = quirk(False, "V.2 is refused, V.3 and V.4 are answered")
    twenty_cells: bool = quirk(False, "EK270 with differential pressure and second temperature")
    extra_columns: bool = quirk(False, "EK280 with columns configured by the user")
    unknown_columns: bool = quirk(False, "columns with names and sources nobody has heard of")
    extra_rows: bool = quirk(False, "rows for clock set and status change between the regular ones")
    autumn_hour: bool = quirk(False, "an hour that comes twice")
    order_gap: bool = quirk(False, "rows are missing, and so are their order numbers")
    counter_back: bool = quirk(False, "the counters go back once")
    check_failed: bool = quirk(False, "the check column of some rows is not Ok")
    period_minutes: int = quirk(0, "EK with a measurement period of so many minutes (5, 15, 30) instead of 60")
    daily_period: bool = quirk(False, "TC215 with a measurement period of one day")
    empty_archive: int = quirk(0, "this archive is empty (103)")
    error_in_read: int = quirk(0, "this error comes once in place of the second block of an archive (109, 110)")


def names() -> tuple[str, ...]:
    """The names of all quirks."""
    return tuple(field.name for field in dataclasses.fields(Quirks))


def described(of: type[DataclassInstance] = Quirks) -> dict[str, str]:
    """What every quirk does, in words, by its name; a quirk that takes a value shows its kind."""
    kinds = {int: "=N", float: "=SECONDS", str: "=TEXT"}
    return {field.name + kinds.get(type(field.default), ""): field.metadata["says"] for field in dataclasses.fields(of)}


def from_options(options: list[str] | tuple[str, ...]) -> Quirks:
    """Quirks from ``NAME`` or ``NAME=VALUE``, as an operator writes them. Raises `OperatorError`."""
    return switched(Quirks, options)


def switched(of: type[_Switches], options: list[str] | tuple[str, ...], word: str = "quirk") -> _Switches:
    """The same for any dataclass of switches; ``word`` is what an operator calls one."""
    fields = {field.name: field for field in dataclasses.fields(of)}
    chosen: dict[str, object] = {}
    for option in options:
        name, equals, value = option.partition("=")
        name = name.strip().replace("-", "_")
        if name not in fields:
            raise OperatorError(f"there is no {word} {name!r}; choose from: {', '.join(fields)}")
        default = fields[name].default
        try:
            chosen[name] = _value(default, value if equals else None)
        except ValueError:
            kind = "yes or no" if isinstance(default, bool) else "a number"
            raise OperatorError(f"{word} {name}={value}: {kind} is wanted") from None
    return of(**chosen)


def _value(default: object, text: str | None) -> object:
    if isinstance(default, bool):
        word = "yes" if text is None else text.lower()
        if word not in {"yes", "true", "1", "on", "no", "false", "0", "off"}:
            raise ValueError(word)
        return word in {"yes", "true", "1", "on"}
    if isinstance(default, int):
        return 1 if text is None else int(text)
    if isinstance(default, float):
        return 1.0 if text is None else float(text)
    if text is None:
        raise ValueError(text)
    return text
