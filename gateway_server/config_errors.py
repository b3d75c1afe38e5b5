"""What is wrong with a configuration, in words: file, key, value, what is allowed, and what may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError


def in_words(path: Path | None, error: ValidationError, raw: Mapping[str, Any], model: type[BaseModel]) -> str:
    """All errors of a configuration at once, one a line."""
    where = str(path) if path is not None else "configuration"
    lines = []
    for problem in error.errors():
        lines.append(f"{where}: {_sentence(problem, raw, model)}")
    return "\n".join(dict.fromkeys(lines))


def place_of(table: str, number: int, name: object) -> str:
    """How a table of a list is called: ``listener 2 "gprs"``."""
    return f'{table} {number} "{name}"' if isinstance(name, str) and name else f"{table} {number}"


def _sentence(problem: Any, raw: Mapping[str, Any], model: type[BaseModel]) -> str:
    loc = [part for part in problem["loc"] if not _is_type_name(part)]
    place, key, holder = _place(loc, raw, model)
    kind = problem["type"]
    if kind == "extra_forbidden":
        return f"{place}unknown key `{key}`{_meant(key, holder)}"
    if kind == "missing":
        return f"{place}`{key}` is missing"
    value = problem.get("input")
    words = _ALLOWED.get(kind)
    said = words.format(**problem.get("ctx", {})) if words else _own_words(problem["msg"])
    if kind in ("literal_error", "enum"):
        said += _near(value, problem.get("ctx", {}).get("expected", ""))
    what = f"`{key}`: " if key else ""
    if value is None or isinstance(value, Mapping):
        return f"{place}{what}{said}"
    return f"{place}{what}{_shown(value)} {said}"


def _is_type_name(part: object) -> bool:
    # pydantic puts the names of union members and validators between our own keys
    return isinstance(part, str) and ("[" in part or part in ("str", "list", "int", "float", "function-after"))


def _place(loc: Sequence[Any], raw: Any, model: type[BaseModel]) -> tuple[str, str, type[BaseModel] | None]:
    place = ""
    holder: type[BaseModel] | None = model
    at: Any = raw
    rest = list(loc)
    while len(rest) > 1:
        table = rest.pop(0)
        at = at.get(table) if isinstance(at, Mapping) else None
        holder = _model_of(holder, table)
        if holder is None:
            return place, table, None
        if rest and isinstance(rest[0], int):
            number = rest.pop(0)
            at = at[number] if isinstance(at, list) and number < len(at) else None
            name = at.get("name") if isinstance(at, Mapping) else None
            place += f"{place_of(table, number + 1, name)}: "
        else:
            place += f"[{table}]: "
    return place, str(rest[0]) if rest else "", holder


def _model_of(holder: type[BaseModel] | None, key: str) -> type[BaseModel] | None:
    field = holder.model_fields.get(key) if holder is not None else None
    annotation: Any = field.annotation if field is not None else None
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _meant(key: str, holder: type[BaseModel] | None) -> str:
    if holder is None:
        return ""
    allowed = list(holder.model_fields)
    near = difflib.get_close_matches(key, allowed, n=1, cutoff=0.6)
    if near:
        return f"; did you mean `{near[0]}`?"
    return f"; allowed are {', '.join(f'`{name}`' for name in allowed)}"


def _near(value: object, expected: str) -> str:
    allowed = [word.strip("' ") for word in expected.replace(" or ", ",").split(",")]
    near = difflib.get_close_matches(str(value), allowed, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _own_words(message: str) -> str:
    return message.removeprefix("Value error, ")


_ALLOWED = {
    "literal_error": "is not allowed; allowed are {expected}",
    "enum": "is not allowed; allowed are {expected}",
    "string_type": "is not a text; put it in quotes",
    "int_type": "is not a whole number",
    "int_parsing": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_type": "is not a number",
    "float_parsing": "is not a number",
    "bool_type": "is neither true nor false",
    "bool_parsing": "is neither true nor false",
    "list_type": "is not a list; write [..., ...]",
    "dict_type": "is not a table",
    "model_type": "is not a table",
    "greater_than_equal": "is too small; the least is {ge}",
    "greater_than": "is too small; it must be more than {gt}",
    "less_than_equal": "is too large; the most is {le}",
    "too_short": "is too short; at least {min_length} must be there",
    "string_too_short": "is too short; the least length is {min_length}",
    "string_pattern_mismatch": "has not the form it must have",
}
