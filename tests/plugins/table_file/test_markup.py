"""XML, as data and never as a programme."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.codec.files import OtherKind, UploadedFile
from gateway_server.errors import CodecError
from gateway_server.model import Identify
from plugins.table_file import markup
from tests.plugins.table_file.mappings import XML, mapping, read, values

FILE = (
    '<?xml version="1.0" encoding="{encoding}"?>\n<Export made="now"><Meter sn="41203377"><!-- день -->\n'
    '<Row time="2026-03-14T07:00:00"><Vb unit="m3">1042.5</Vb></Row>\n'
    '<Row time="2026-03-14T08:00:00"><Vb>\n 1043 </Vb><empty/></Row>\n</Meter></Export>'
)
BOMB = '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><Export><Row time="&b;"/></Export>'


def content(encoding: str = "utf-8") -> bytes:
    return FILE.format(encoding=encoding).encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251", "utf-16", "koi8-r"])
def test_rows_are_read_in_any_encoding_they_state(encoding: str) -> None:
    assert values(read(XML, content(encoding))) == [["1042.5"], ["1043"]]


def test_every_row_points_at_its_own_bytes() -> None:
    data = content()
    first, second = (data[row.span.start : row.span.end] for row in read(XML, data).findings.rows)
    assert first.startswith(b'<Row time="2026-03-14T07')
    assert first.endswith(b"</Vb></Row>")
    assert second.startswith(b'<Row time="2026-03-14T08')
    assert second.endswith(b"<empty/></Row>")


def test_rows_that_are_empty_elements_point_at_their_own_bytes() -> None:
    text = XML.replace("value: Vb", 'value: "@vb"')
    data = b'<e><Row time="2026-03-14T07:00:00" vb="1"/><Row time="2026-03-14T08:00:00" vb="2"/><x/></e>'
    spans = [data[row.span.start : row.span.end] for row in read(text, data).findings.rows]
    assert spans == [
        b'<Row time="2026-03-14T07:00:00" vb="1"/>',
        b'<Row time="2026-03-14T08:00:00" vb="2"/>',
    ]


def test_meter_stands_in_a_parent_or_at_the_root() -> None:
    for place in ("../@sn", "/Meter/@sn"):
        assert read(XML + f'meter: {{value: "{place}"}}\n', content()).identity == Identify("41203377")


def test_prefixes_of_names_are_left_out() -> None:
    data = FILE.format(encoding="utf-8").replace("<Row ", '<g:Row xmlns:g="urn:x" ').replace("</Row", "</g:Row")
    assert values(read(XML, data)) == [["1042.5"], ["1043"]]


@pytest.mark.parametrize(
    ("more", "data", "why"),
    [
        ("", b"Time;Vb\n", "it is no XML"),
        ("", b"<", "it is no XML: "),
        ("", b"<Other><x/></Other>", "it has no element .//Row; its root element is Other"),
        ("root: Export\n", b"<Other><Row/></Other>", "its root element is Other, not Export"),
        ("", b"<Export><Row time='x'/></Export>", "row 1 is not read"),
        ("", BOMB.encode(), "DOCTYPE"),
        ("", BOMB.encode("utf-16"), "DOCTYPE"),
    ],
)
def test_other_files_are_left_to_others_with_the_reason(more: str, data: bytes, why: str) -> None:
    with pytest.raises(OtherKind) as caught:
        read(XML + more, data)
    assert why in str(caught.value)


def test_file_that_was_cut_off_is_damaged() -> None:
    with pytest.raises(CodecError, match="damaged XML: unclosed token in line 6") as caught:
        read(XML, content()[:-3])
    assert not isinstance(caught.value, OtherKind)


def test_too_many_elements_and_too_deep_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "MOST_ELEMENTS", 100)
    with pytest.raises(CodecError, match="more than"):
        read(XML, b"<a>" + b"<b/>" * 101 + b"</a>")
    with pytest.raises(CodecError, match="more than"):
        read(XML, b"<a>" * 70 + b"</a>" * 70)


def test_table_without_rows_is_read_and_empty_when_its_root_says_what_it_is() -> None:
    assert values(read(XML + "root: Export\n", b"<Export/>")) == []


@given(st.one_of(st.binary(max_size=200), st.text("<>/RowVbtime=\"'&;![]- 0123", max_size=200).map(str.encode)))
def test_any_bytes_raise_nothing_but_codec_errors(data: bytes) -> None:
    codec = mapping(XML)
    for whole in (data, b"<Export>" + data + b"</Export>"):
        try:
            reading = codec.read_file(UploadedFile("a", whole, 0))
        except CodecError:
            continue
        assert reading is not None
        assert all(0 <= row.span.start < row.span.end <= len(whole) for row in reading.findings.rows)
