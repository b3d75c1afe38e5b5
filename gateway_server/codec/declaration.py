"""Codecs without code: a YAML file in a plugin folder, which a plugin turns into a codec.

The file's key ``reads`` names the plugin, and that has a module-level function ``declared`` instead of, or beside, a
``codec``. Every scalar is text here, as it stands in the file: no ``no`` becomes false and no ``10:00`` becomes 600.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Protocol, TypeVar

import yaml

from gateway_server.codec.codec import Codec
from gateway_server.errors import OperatorError

SUFFIXES = (".yaml", ".yml")
MOST_BYTES = 1 << 20
_ADVICE = "; indent with blanks, never with tabs, and begin the keys of one table in the same column"
_YES = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}

_Word = TypeVar("_Word")


class Declares(Protocol):
    """A plugin that makes codecs of declarations."""

    def __call__(self, declaration: Declaration) -> Codec:
        """The codec that is declared. Raises `OperatorError` for what is wrong with it, naming the line."""


class Declaration:
    """A table of a YAML file. Whoever reads it says which keys there are: what is left over is a mistake (`end`)."""

    def __init__(self, node: yaml.MappingNode, path: Path, digest: str, within: str = "") -> None:
        self.path = path
        self.digest = digest
        self._node = node
        self._within = within
        self._nodes: dict[str, yaml.Node] = {}
        self._seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _wrong(key, within, "a key is a word")
            if key.value in self._nodes:
                raise _wrong(key, within, f"{key.value} stands here twice")
            self._nodes[key.value] = value

    @property
    def name(self) -> str:
        """The name of the file, without its suffix."""
        return self.path.stem

    def __contains__(self, key: object) -> bool:
        return key in self._nodes

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def has(self, key: str) -> bool:
        """Whether a key that may stand here does."""
        self._seen.add(key)
        return key in self._nodes

    def is_table(self, key: str) -> bool:
        """Whether the key is there and holds a table."""
        return isinstance(self._nodes.get(key), yaml.MappingNode)

    def is_list(self, key: str) -> bool:
        """Whether the key is there and holds a list."""
        return isinstance(self._nodes.get(key), yaml.SequenceNode)

    def is_quoted(self, key: str) -> bool:
        """Whether the key holds a text in quotes: its digits are no number."""
        node = self._nodes.get(key)
        return isinstance(node, yaml.ScalarNode) and node.style is not None

    def wrong(self, key: str, why: str) -> OperatorError:
        """What is wrong with the value of a key, or with the table if it has none."""
        return _wrong(self._nodes.get(key, self._node), self._place(key), why)

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default the key must be there."""
        node = self._take(key, required=default is None)
        if node is None:
            assert default is not None
            return default
        if not isinstance(node, yaml.ScalarNode):
            raise self.wrong(key, "is a text")
        return str(node.value)

    def texts(self, key: str, default: Sequence[str] | None = None) -> tuple[str, ...]:
        """A list of texts, or a single one."""
        node = self._take(key, required=default is None)
        if node is None:
            return tuple(default or ())
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not all(isinstance(one, yaml.ScalarNode) for one in nodes):
            raise self.wrong(key, "is a text or a list of texts")
        return tuple(str(one.value) for one in nodes)

    def word(self, key: str, words: Mapping[str, _Word], default: str) -> _Word:
        """One of several words, as what it means."""
        said = self.text(key, default)
        if said not in words:
            raise self.wrong(key, f"is {said!r}; it is one of: {', '.join(words)}")
        return words[said]

    def flag(self, key: str, *, default: bool) -> bool:
        """Yes or no."""
        return self.word(key, _YES, "yes" if default else "no")

    def number(self, key: str, default: int, least: int, most: int) -> int:
        """A whole number within bounds."""
        said = self.text(key, str(default))
        if re.fullmatch(r"[+-]?[0-9]{1,12}|0[xX][0-9A-Fa-f]{1,10}", said):
            number = int(said, 16 if said[:2].lower() == "0x" else 10)
            if least <= number <= most:
                return number
        raise self.wrong(key, f"is {said!r}; it is a whole number from {least} to {most}")

    def decimal(self, key: str, default: str) -> Decimal:
        """An exact number."""
        said = self.text(key, default)
        try:
            number = Decimal(said)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number.adjusted()) > 30:
            raise self.wrong(key, f"is {said!r}; it is a number such as 0.001")
        return number

    def span(self, key: str) -> tuple[Decimal, Decimal] | None:
        """From where to where something is: ``10 to 25``; None if the key is not there."""
        said = self.text(key, "")
        if not said and key not in self:
            return None
        low, _, high = said.partition(" to ")
        try:
            found = Decimal(low.strip()), Decimal(high.strip())
        except InvalidOperation:
            found = Decimal("NaN"), Decimal("NaN")
        if any(not one.is_finite() or abs(one.adjusted()) > 30 for one in found) or found[0] > found[1]:
            raise self.wrong(key, f"is {said!r}; it is a lower and an upper value, such as `10 to 25`")
        return found

    def pattern(self, key: str) -> re.Pattern[str] | None:
        """A regular expression, None if the key is not there."""
        said = self.text(key, "")
        try:
            return re.compile(said) if said else None
        except re.error as error:
            raise self.wrong(key, f"is no regular expression: {error}") from None

    def table(self, key: str) -> Declaration | None:
        """A table within, None if the key is not there."""
        node = self._take(key, required=False)
        return None if node is None else self._table(node, self._place(key))

    def tables(self, key: str) -> list[Declaration]:
        """A list of tables; the key must be there."""
        node = self._take(key, required=True)
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self.wrong(key, "is a list of tables, with one at least; where it may be missing, leave the key out")
        return [self._table(one, f"{self._place(key)} {number}") for number, one in enumerate(node.value, 1)]

    def end(self) -> None:
        """Everything that can stand here was asked for. Raises `OperatorError` for what stands here besides."""
        for key in self._nodes:
            if key not in self._seen:
                raise self.wrong(key, f"there is no such key; there are: {', '.join(sorted(self._seen))}")

    def _take(self, key: str, *, required: bool) -> yaml.Node | None:
        self._seen.add(key)
        node = self._nodes.get(key)
        if node is None and required:
            raise self.wrong(key, "is missing")
        return node

    def _place(self, key: str) -> str:
        return f"{self._within}: {key}" if self._within and key else self._within or key

    def _table(self, node: yaml.Node, within: str) -> Declaration:
        if not isinstance(node, yaml.MappingNode):
            raise _wrong(node, within, "is a table of keys and values")
        return Declaration(node, self.path, self.digest, within)


def read_declaration(path: Path) -> Declaration:
    """A YAML file of a plugin folder. Raises `OperatorError` naming file and line."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OperatorError(f"cannot be read: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise OperatorError(f"has {len(data)} bytes, more than the {MOST_BYTES} of any declaration")
    return declaration_of(data, path)


def declaration_of(data: bytes, path: Path) -> Declaration:
    """The content of a YAML file, ``path`` being what it is called. Raises `OperatorError` naming the line."""
    try:
        node = yaml.compose(data, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise OperatorError(f"{line}{error.problem or error.context}{_ADVICE}") from None
    except UnicodeError as error:
        raise OperatorError(f"is not UTF-8 ({error}): save it in that encoding") from None
    except yaml.reader.ReaderError as error:
        where = f"byte {error.position}: " if error.encoding == "utf-8" else ""
        raise OperatorError(f"{where}is not UTF-8 text: save it in that encoding, without control characters") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise OperatorError(f"is no YAML: {error}") from None
    if not isinstance(node, yaml.MappingNode):
        raise OperatorError("line 1: a declaration is a table of keys and values")
    return Declaration(node, path, hashlib.sha256(data).hexdigest()[:12])


def _wrong(node: yaml.Node, place: str, why: str) -> OperatorError:
    return OperatorError(f"line {node.start_mark.line + 1}: {place}{' ' if place else ''}{why}")
