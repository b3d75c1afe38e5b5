"""The examples of docs/files.md do what it says."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from gateway_server.model import Identify
from plugins.table_file.mapping import read_mapping
from tests.plugins.table_file.mappings import read, values

DOCUMENT = (Path(__file__).parents[3] / "docs" / "files.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
MAPPINGS = [text.removeprefix("reads: table_file\n") for kind, text in BLOCKS if kind == "yaml"]
TEXT = next(text for kind, text in BLOCKS if not kind and text.startswith("Отчёт"))
(XML,) = (text for kind, text in BLOCKS if kind == "xml")


def test_mapping_of_the_document_reads_its_table() -> None:
    reading = read(MAPPINGS[0], TEXT.encode("cp1251"))
    assert values(reading) == [["1042.50", "5.123"], ["1043.75", "5.121"]]
    assert reading.findings.rows[0].measured_at == datetime(2026, 3, 14, 9)


def test_mapping_of_the_document_reads_its_xml() -> None:
    reading = read(MAPPINGS[1], XML)
    assert values(reading) == [["1042.50", "5.123"]]
    assert (reading.utc, reading.findings.rows[0].measured_at) == (True, datetime(2026, 3, 14, 6))
    assert reading.identity == Identify("41203377")


def test_document_names_every_key() -> None:
    source = Path(read_mapping.__code__.co_filename).read_text("utf-8")
    keys = set(re.findall(r"\.(?:text|texts|word|flag|number|decimal|pattern|table|tables)\(\"(\w+)\"", source))
    named = set(re.findall(r"\b(\w+)[`:]", DOCUMENT))
    assert keys - named == set()
