"""Tables in uploaded files: separated text and XML, read by a mapping that an operator declares.

    reads: table_file
    source: capture
    file_name: 'DAY_(?P<meter>\\d+)_\\d{8}\\.csv'
    separator: ";"
    decimal: ","
    archive: interval
    time: {value: [Date, Time], format: "%d.%m.%Y %H:%M"}
    values:
      - {value: "Vb, m3", quantity: base_volume_total, unit: m3}

The file stands in a folder of plugins and its name, without ``.yaml``, is the codec's: a meter gets it with
``--profile`` or ``--codec``, or it recognises its files by name and columns. No format of any device is built in.
All keys: docs/files.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway_server.codec.buffer import LineFramer
from gateway_server.codec.codec import Field, Frame
from gateway_server.codec.declaration import Declaration
from gateway_server.codec.files import FileReading, UploadedFile

from .assemble import Assembly
from .mapping import Mapping, read_mapping
from .markup import markup_records
from .separated import separated_records

VERSION = "1"
"""Of what a mapping means here; a codec's version is this and the mapping's own."""


class TableFile:
    """The codec of one mapping: no state of its own."""

    def __init__(self, mapping: Mapping) -> None:
        self.name = mapping.name
        self.version = f"{VERSION}.{mapping.version}"
        self._mapping = mapping

    def framer(self) -> LineFramer:
        """A framer for the lines of such a file."""
        return LineFramer()

    def dissect(self, frame: Frame) -> Sequence[Field]:
        """A line, whole: what its columns mean is told by the file's own head."""
        return [Field(frame.kind or "unknown", 0, len(frame.data), frame.text)] if frame.data else []

    def read_file(self, file: UploadedFile) -> FileReading | None:
        """What the file holds. Raises `OtherKind` for another file, `CodecError` for one that cannot be read."""
        mapping = self._mapping
        mapping.check_name(file)
        records = markup_records(file, mapping) if mapping.is_xml else separated_records(file, mapping)
        return Assembly(mapping, file).read(records)


def declared(declaration: Declaration) -> TableFile:
    """The codec of a mapping. Raises `OperatorError` for what is wrong with it, naming the line."""
    return TableFile(read_mapping(declaration))
