"""Encodings told from bytes. The texts are headings and lines as reports of Russian metering programs have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_server.workbench.encodings import CYRILLIC, encoding_of, is_guess

TEXTS = (
    "Объём газа",
    "Дата;Время;Vст, м3;P, кПа;T",
    "Отчёт за сутки;узел 7\r\n14.03.2026;09:00;1 042,50\r\n",
    "ОТЧЕТ О ПОТРЕБЛЕНИИ ГАЗА ЗА МАРТ",
    "УЗЕЛ УЧЕТА № 7",
    "Котельная № 4, расход при рабочих условиях, температура °C",
    "Нештатные ситуации: отключение питания",
    "Часовой архив корректора ЕК270",
)
FRAMED = "┌──────┬───────┐\r\n│ Час  │ Расход│\r\n├──────┼───────┤\r\n│ 10   │ 12,50 │\r\n└──────┴───────┘\r\n"


@pytest.mark.parametrize("encoding", CYRILLIC)
@pytest.mark.parametrize("text", TEXTS)
def test_russian_of_windows_unix_and_dos_is_told_apart_by_its_letters(text: str, encoding: str) -> None:
    if text.encode(encoding, "replace").count(b"?"):
        text = text.replace("№", "N").replace("°", "")
    data = text.encode(encoding)
    assert encoding_of(data) == encoding
    assert is_guess(data)


def test_table_in_a_frame_is_of_a_dos_program() -> None:
    assert encoding_of(FRAMED.encode("cp866")) == "cp866"


def test_unicode_is_no_guess() -> None:
    text = "Объём газа"
    assert encoding_of(text.encode("utf-8")) == "utf-8"
    assert encoding_of(text.encode("utf-8")[:-1]) == "utf-8"  # a character cut through at the end of what was seen
    assert encoding_of(text.encode("utf-16")) == "utf-16"
    assert not is_guess(text.encode("utf-8"))


def test_one_letter_that_could_be_anything_is_taken_for_windows() -> None:
    assert encoding_of(b"h\xe9llo;1\n") == "cp1251"


def test_control_characters_are_no_text() -> None:
    assert encoding_of(b"\x00\x01\x02") == ""
    assert not is_guess(b"\x00\x01\x02")


@given(st.binary(max_size=300))
def test_any_bytes_have_an_encoding_that_exists_or_none(data: bytes) -> None:
    encoding = encoding_of(data)
    assert encoding == "" or isinstance(data.decode(encoding, "replace"), str)
