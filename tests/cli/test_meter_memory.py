"""What was learnt of a meter is said in words."""

from __future__ import annotations

from gateway_server.cli.meter_memory import in_words
from tests.cli.desk import Desk


def test_what_a_corrector_taught_us_is_said_in_words() -> None:
    assert list(
        in_words(
            {
                "device": "EK270|2.05",
                "parity": "even",
                "airtime_block": "50",
                "fill:interval": "1200-1260 1300-1301",
                "absent:2.05": "2:141 5:150",
                "trust": "12",
                "layout:2.05:1": '[["GONo", "AONo"], ["", ""], []]',
                "layout:2.05:3": '[["GONo", "AONo"], ["", ""], []]',
            }
        )
    ) == [
        "2 values it does not have",
        "blocks of 50 rows over modems",
        "signed on as EK270, software 2.05",
        "rows 1200-1260, 1300-1301 of interval still to be read again",
        "speaks with even parity",
        "the columns of 2 archives",
    ]


def test_what_was_forgotten_again_is_not_said() -> None:
    assert list(in_words({"fill:interval": "", "absent:2.05": "", "wake_up": "", "layout:2.05:7": ""})) == []


def test_what_a_profile_remembers_bears_the_profiles_name_and_is_cut() -> None:
    assert list(in_words({"turn": "6", "key": "0123456789" * 9})) == ["key 01234567890123456789012…", "turn 6"]


def test_card_has_words_and_the_document_the_facts(desk: Desk) -> None:
    layout = '[["GONo", "AONo", "Time"], ["", "", ""], ["", "", ""]]'
    with desk.store() as store:
        store.remember("41203377", "layout:2.05:1", layout)
        store.remember("41203377", "trust", "12")
    out = desk.run("meter", "show", "41203377").out
    assert "remembered    the columns of 1 archive\n" in out
    assert "GONo" not in out
    assert desk.run("meter", "show", "41203377", "--json").json["remembered"] == {
        "layout:2.05:1": layout,
        "trust": "12",
    }
