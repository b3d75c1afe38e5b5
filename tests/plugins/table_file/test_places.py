"""Ways through XML."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from plugins.table_file.places import Place

ROW = fromstring('<Row t="7"><Vb unit="m3">10<i>42</i></Vb><p kind="abs">1</p><p kind="rel">2</p></Row>')


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("Vb", "1042"),
        ("./Vb", "1042"),
        ("Vb/@unit", "m3"),
        ("@t", "7"),
        ("p[@kind='rel']", "2"),
        ("p[2]/@kind", "rel"),
        ("gone", None),
        ("gone/@t", None),
        ("@gone", None),
        (".", "104212"),
    ],
)
def test_place_gives_the_text_at_its_end(place: str, text: str | None) -> None:
    assert Place.of(place).text_in(ROW) == text


def test_place_says_from_where_it_goes() -> None:
    assert (Place.of("/Meter/@sn").from_root, Place.of("../../@sn").up, Place.of("..").up) == (True, 2, 1)


@pytest.mark.parametrize("place", ["", "/", "Vb[", "a:b", "//"])
def test_what_is_no_place_is_said(place: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Place.of(place)
