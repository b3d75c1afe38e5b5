"""What simulated uploaders store: a meter's archive in forms that are known, inferred, invented, or nobody's.

What a БПЭК uploads in its FTP mode is not published. Named as ComFTP names files (start, identification, UTC stamp with
offset code; FE260 manual p. 20); rows as they stand in a LIS-200 archive readout (captures). That ABL is the archive's
rows is inferred from its description as "only the archive content"; separated text and XML are inventions of ours, to
be read with a mapping.
"""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

from gateway_server.errors import OperatorError
from gateway_server.testing.fake_meter import FakeMeter
from gateway_server.testing.lis200.archive import FakeArchive
from gateway_server.testing.lis200.quirks import Quirks
from gateway_server.testing.upload_script import UploadFile

ROWS_PER_FILE = 24  # a day of an hourly archive
MOSCOW = timedelta(hours=3)
_INTERVAL = 3
_Rows = Sequence[tuple[str, ...]]


def comftp_name(identification: str, local: datetime, offset: timedelta, *, start: str = "", end: str = "") -> str:
    """A file name in the long form: ``YYYYMMDDhhmmss`` in UTC, then the offset in minutes + 720 as four digits."""
    code = 720 + offset // timedelta(minutes=1)
    return f"{start}{identification}{local - offset:%Y%m%d%H%M%S}{code:04d}{end}"


class FakeFiles:
    """The files of one meter, one for each day of its hourly archive, the oldest first. Raises `OperatorError`."""

    def __init__(
        self, form: str, serial: str, *, model: str = "ek270", seed: int = 0, now: datetime, days: int
    ) -> None:
        if form not in FORMS:
            raise OperatorError(f"there is no form of file {form!r}; choose from: {', '.join(FORMS)}")
        self.serial = serial
        self._form = form
        self._seed = seed
        self._archive = FakeMeter(model, serial, seed, Quirks(), now, days=days).archives[_INTERVAL]

    def __len__(self) -> int:
        return len(self._archive.rows) // ROWS_PER_FILE

    def file(self, number: int) -> UploadFile:
        """The file with this number, counted from 0."""
        rows = list(self._archive.rows)[number * ROWS_PER_FILE : (number + 1) * ROWS_PER_FILE]
        if not rows:
            raise IndexError(number)
        write, extension = FORMS[self._form]
        last = datetime.strptime(rows[-1][_time_column(self._archive)], "%Y-%m-%d,%H:%M:%S")
        name = comftp_name(self.serial, last, MOSCOW, end=extension)
        return UploadFile(name, write(self, rows))

    def _bare(self, rows: _Rows) -> bytes:
        return "".join("".join(f"({cell})" for cell in row) + "\r\n" for row in rows).encode("cp1251")

    def _headed(self, rows: _Rows) -> bytes:
        head = "".join(f"{self._archive.attribute(attribute)}\r\n" for attribute in "23")
        return head.encode("cp1251") + self._bare(rows)

    def _table(self, rows: _Rows) -> bytes:
        head = ";".join(column.name for column in self._archive.layout.columns)
        return "\r\n".join([head, *(";".join(row) for row in rows), ""]).encode("utf-8")

    def _xml(self, rows: _Rows) -> bytes:
        names = [column.key for column in self._archive.layout.columns]
        lines = [
            "".join(["  <row", *(f' {name}="{escape(cell)}"' for name, cell in zip(names, row, strict=True)), "/>"])
            for row in rows
        ]
        whole = ['<?xml version="1.0" encoding="UTF-8"?>', f'<archive meter="{self.serial}">', *lines, "</archive>", ""]
        return "\n".join(whole).encode("utf-8")

    def _gzip(self, rows: _Rows) -> bytes:
        return gzip.compress(self._bare(rows), mtime=0)

    def _zip(self, rows: _Rows) -> bytes:
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as container:
            container.writestr(zipfile.ZipInfo("archive.txt"), self._bare(rows))
        return whole.getvalue()

    def _unknown(self, rows: _Rows) -> bytes:
        order = random.Random(f"{self._seed} {self.serial} {rows[0]}")
        return b"\xbf\x03" + order.randbytes(4094)


FORMS: dict[str, tuple[Callable[[FakeFiles, _Rows], bytes], str]] = {
    "rows": (FakeFiles._bare, ".abl"),
    "headed": (FakeFiles._headed, ".abl"),
    "table": (FakeFiles._table, ".csv"),
    "xml": (FakeFiles._xml, ".xml"),
    "gzip": (FakeFiles._gzip, ".gz"),
    "zip": (FakeFiles._zip, ".zip"),
    "unknown": (FakeFiles._unknown, ".dat"),
}


def _time_column(archive: FakeArchive) -> int:
    return [column.key for column in archive.layout.columns].index("time")
