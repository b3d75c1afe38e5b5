"""Mappings for tests, from the text of their files."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from gateway_server.codec.declaration import read_declaration
from gateway_server.codec.files import FileReading, UploadedFile
from plugins.table_file import TableFile, declared

DAY = """\
time: {value: Time, format: "%d.%m.%Y %H:%M"}
values:
  - {value: Vb, quantity: base_volume_total}
"""
XML = """\
format: xml
row: .//Row
time: {value: "@time", format: "%Y-%m-%dT%H:%M:%S"}
values:
  - {value: Vb, quantity: base_volume_total}
"""


def mapping(text: str = DAY, name: str = "day") -> TableFile:
    """The codec of a mapping. Raises `OperatorError`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.yaml"
        path.write_text(f"reads: table_file\n{text}", "utf-8")
        return declared(read_declaration(path))


def read(text: str, data: bytes | str, name: str = "DAY.CSV") -> FileReading:
    """What a mapping reads in a file. Raises `CodecError`."""
    content = data.encode() if isinstance(data, str) else data
    reading = mapping(text).read_file(UploadedFile(name, content, 0))
    assert reading is not None
    return reading


def values(reading: FileReading) -> list[list[str]]:
    """The values of all rows."""
    return [[str(value) for value in row.values] for row in reading.findings.rows]
