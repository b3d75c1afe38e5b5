"""Command lines taken apart."""

from __future__ import annotations

import pytest

from gateway_server.testing.modem.commands import Command, NotUnderstood, commands, dialled, operands


def test_basic_commands_stand_one_behind_the_other() -> None:
    assert commands("E0V1Q0X4&C1&D2S0=0S7=60") == [
        Command("E", "do", "0"),
        Command("V", "do", "1"),
        Command("Q", "do", "0"),
        Command("X", "do", "4"),
        Command("&C", "do", "1"),
        Command("&D", "do", "2"),
        Command("S0", "set", "0"),
        Command("S7", "set", "60"),
    ]


def test_extended_commands_are_parted_by_semicolons_but_not_within_quotes() -> None:
    assert commands('+CMEE=1;+CPIN="12;34";+CREG?;+CBST=?;+CSQ') == [
        Command("+CMEE", "set", "1"),
        Command("+CPIN", "set", '"12;34"'),
        Command("+CREG", "ask"),
        Command("+CBST", "test"),
        Command("+CSQ", "do"),
    ]


def test_what_follows_atz_on_its_line_is_lost() -> None:
    assert commands("Z&F E0") == [Command("Z", "do", "")]


def test_everything_behind_d_is_the_number() -> None:
    assert commands("X4DT+7916,0000001") == [Command("X", "do", "4"), Command("D", "do", "T+7916,0000001")]


@pytest.mark.parametrize(
    ("text", "number", "voice"),
    [
        ("T8(916)000-00-01", "89160000001", False),
        ("+7916;", "+7916", True),
        ("L", "L", False),
        (" *100#", "*100#", False),
    ],
)
def test_tone_comma_and_brackets_are_ignored_in_a_number(text: str, number: str, voice: bool) -> None:
    assert dialled(text) == (number, voice)


@pytest.mark.parametrize("text", ["", "T", "ABC", "1+2", "7916\x1a"])
def test_what_is_no_number_is_not_dialled(text: str) -> None:
    with pytest.raises(NotUnderstood):
        dialled(text)


def test_rubbish_is_no_command() -> None:
    with pytest.raises(NotUnderstood):
        commands("%%")
    with pytest.raises(NotUnderstood):
        commands("+")


def test_operands_lose_their_quotes() -> None:
    assert operands('"1234", "5678"') == ["1234", "5678"]
