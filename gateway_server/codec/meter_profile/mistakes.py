"""Gathers what is wrong with a profile, so that one run tells all of it."""

from __future__ import annotations

from gateway_server.errors import OperatorError

MOST_MISTAKES = 20


class Mistakes:
    """The mistakes among parts that can be read one without the other: ``with mistakes:`` keeps that of one part."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def __enter__(self) -> None:
        """A part begins."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, place: object) -> bool:
        """Keeps what was wrong with the part, so that the next one is read as well."""
        if not isinstance(error, OperatorError):
            return False
        self._found += str(error).split("\n")
        return True

    def tell(self) -> None:
        """Raises `OperatorError` with a line for each mistake, if there is one."""
        if not self._found:
            return
        lines = list(dict.fromkeys(self._found))
        if len(lines) > MOST_MISTAKES:
            lines[MOST_MISTAKES - 1 :] = [f"and {len(lines) - MOST_MISTAKES + 1} more"]
        raise OperatorError("\n".join(lines))
