"""XML as records, each with its place in the file.

Read without document types, hence without entities of the file's own, and within limits of depth and number: a file
is data, never a programme. Prefixes of names are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element
from xml.parsers import expat

from gateway_server.codec.files import OtherKind, UploadedFile
from gateway_server.errors import CodecError
from gateway_server.model import Span

from .mapping import Mapping
from .places import Place
from .records import Record, Records

MOST_ELEMENTS = 1_000_000
MOST_DEPTH = 64
_PIECE = 1 << 16


def markup_records(file: UploadedFile, mapping: Mapping) -> Records:
    """The rows of a file with the elements the mapping wants. Raises `OtherKind` for any other file, `CodecError`."""
    if file.data[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] != b"<":
        raise OtherKind("it is no XML")
    tree = _Tree(mapping.encoding, mapping.root)
    fault = tree.parse(file.data)
    root = tree.root
    if root is None:
        raise OtherKind(f"it is no XML: {fault}")
    found = list(root.iterfind(mapping.row))
    if not found and not mapping.root:
        raise OtherKind(f"it has no element {mapping.row}; its root element is {root.tag[:60]}")
    if fault:
        raise CodecError(f"it is damaged XML: {fault}")
    return Records(_records(tree, root, found, mapping))


def _records(tree: _Tree, root: Element, found: list[Element], mapping: Mapping) -> Iterator[Record]:
    wanted = {*mapping.required, *(one.place for one in mapping.values), mapping.event_text} - {""}
    places = {text: Place.of(text) for text in wanted}
    for number, element in enumerate(found, 1):

        def text(name: str, element: Element = element) -> str | None:
            place = places[name]
            start: Element | None = root if place.from_root else element
            for _ in range(place.up):
                start = tree.parents.get(start) if start is not None else None
            return place.text_in(start) if start is not None else None

        yield Record(text, tree.spans[element], number)


class _Tree:
    """The elements of a file, whose they are and where they stand."""

    def __init__(self, encoding: str, wanted: str) -> None:
        self._wanted = wanted
        self._pieces: list[str] = []
        self.root: Element | None = None
        self.spans: dict[Element, Span] = {}
        self.parents: dict[Element, Element] = {}
        self._open: list[tuple[Element, int]] = []
        self._last: Element | None = None
        self._parser = parser = expat.ParserCreate(encoding or None)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._document_type
        self._data = b""

    def parse(self, data: bytes) -> str:
        """Takes in a file; says what ended it early, if anything did. Raises `CodecError` for what goes too far."""
        self._data = data
        try:
            for at in range(0, len(data), _PIECE):
                self._parser.Parse(data[at : at + _PIECE], False)
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            return f"{expat.ErrorString(error.code)} in line {error.lineno}"
        except (LookupError, ValueError) as error:
            return str(error)
        return ""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.spans) + len(self._open) >= MOST_ELEMENTS or len(self._open) >= MOST_DEPTH:
            raise CodecError(f"it has more than {MOST_ELEMENTS} elements, or more than {MOST_DEPTH} in each other")
        self._flush()
        element = Element(_bare(name), {_bare(key): value for key, value in attributes.items()})
        if self._open:
            parent = self._open[-1][0]
            parent.append(element)
            self.parents[element] = parent
        elif self._wanted and element.tag != self._wanted:
            raise OtherKind(f"its root element is {element.tag[:60]}, not {self._wanted}")
        else:
            self.root = element
        self._open.append((element, self._parser.CurrentByteIndex))
        self._last = None

    def _end(self, name: str) -> None:
        self._flush()
        element, start = self._open.pop()
        end = self._parser.CurrentByteIndex
        if self._data[end : end + 4].replace(b"\0", b"").startswith(b"</"):
            end = self._data.find(b">", end) + 1 or len(self._data)
        self.spans[element] = Span(start, end)  # an element without an end tag ends where expat stands
        self._last = element

    def _text(self, text: str) -> None:
        self._pieces.append(text)

    def _flush(self) -> None:
        """What stood between two tags: of the element that was closed before, else of the open one."""
        text = "".join(self._pieces)
        self._pieces.clear()
        if self._last is not None:
            self._last.tail = text
        elif self._open:
            self._open[-1][0].text = text

    def _document_type(self, *said: object) -> None:
        raise OtherKind("it has a document type (DOCTYPE), which is not read: it could define anything")


def _bare(name: str) -> str:
    return name.rpartition(":")[2]
