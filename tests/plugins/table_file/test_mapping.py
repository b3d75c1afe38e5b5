"""What can be wrong with a mapping is said with its line."""

from __future__ import annotations

import pytest

from gateway_server.codec.files import OtherKind, UploadedFile
from gateway_server.errors import OperatorError
from plugins.table_file.mapping import QUANTITIES
from tests.plugins.table_file.mappings import DAY, XML, mapping


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: time is missing"),
        (DAY + "tiem: x\n", "line 5: tiem there is no such key; there are: about, archive"),
        ("time: {value: T}\nvalues: [{value: V, quantity: pressure}]\n", "line 2: time: format is missing"),
        (DAY.replace("%d.%m.%Y %H:%M", "%H:%M"), "line 2: time: format does not tell year, month and day"),
        (DAY.replace("%d.%m.%Y %H:%M", "%Q"), "line 2: time: format is none"),
        (
            DAY.replace("Time,", "Time, zone: Moscow,"),
            "line 2: time: zone is 'Moscow'; it is `meter`, `utc` or an offset",
        ),
        (DAY.replace("Time,", "Time, zone: utc,").replace("%M", "%M %z"), "line 2: time: zone is told by %z"),
        (
            DAY.replace("base_volume_total", "base_volum"),
            "line 4: values 1: quantity is 'base_volum', which is none of ours",
        ),
        (DAY.replace("}\n", ", scale: much}\n", 2), "line 2: time: scale there is no such key"),
        (DAY + "decimal: ;\n", "line 5: decimal is ';'; it is one of: ., ,"),
        (DAY + 'separator: "--"\n', "line 5: separator is '--'; it is one character, `tab` or `spaces`"),
        (DAY + "quote: ;\n", "line 5: quote is the separator too"),
        (DAY + "encoding: klingon\n", "line 5: encoding is 'klingon', which is none"),
        (DAY + "file_name: '('\n", "line 5: file_name is no regular expression"),
        (DAY + "header: no\n", "line 5: header is no: columns are then known by their numbers from 1, not as 'Time'"),
        (DAY + "meter: {}\n", "line 5: meter has either `value`"),
        (DAY + "meter: {pattern: Serial}\n", "line 5: meter has a `pattern` without a group"),
        (DAY + "archive: {value: Kind, words: [a]}\n", "line 5: archive: words is a table"),
        (XML.replace(".//Row", ".//Row["), "line 3: row has './/Row[', which is no place in XML"),
        (XML.replace("Vb,", '"Vb/[",'), "line 6: values 1: value has 'Vb/[', which is no place in XML"),
        (XML + "separator: ;\n", "line 7: separator there is no such key"),
    ],
)
def test_mistake_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(OperatorError) as caught:
        mapping(text)
    assert str(caught.value).startswith(said)


def test_own_quantity_is_taken_when_it_is_said_to_be_meant() -> None:
    text = DAY.replace("base_volume_total", "odour, own: yes, unit: ppm")
    (measured,) = mapping(text)._mapping.values
    assert (measured.column.quantity, measured.column.unit) == ("odour", "ppm")


def test_quantities_have_their_obis_code_and_unit() -> None:
    (measured,) = mapping()._mapping.values
    assert (measured.column.obis, measured.column.unit, measured.column.cumulative) == ("7-0:13.2.0", "m3", True)
    assert "pressure_mean" in QUANTITIES


def test_version_changes_with_the_mapping_unless_it_states_one() -> None:
    assert mapping().version == mapping().version != mapping(DAY + "about: more\n").version
    assert mapping(DAY + "version: 7\n").version == "1.7"
    assert (mapping().name, mapping(DAY + "name: other\n").name) == ("day", "other")


def test_file_of_another_name_is_left_to_others() -> None:
    named = mapping(DAY + "file_name: '(?P<meter>[0-9]+)_.*'\n")
    with pytest.raises(OtherKind, match="its name is not"):
        named.read_file(UploadedFile("DAY.CSV", b"Time;Vb\n", 0))
    reading = named.read_file(UploadedFile("in/41203377_1.CSV", b"Time;Vb\n", 0))
    assert reading is not None
    assert reading.hints == ("41203377",)
