"""Why files were not read again, in few lines."""

from __future__ import annotations

from gateway_server.cli.skipped import Skipped


def test_thousands_of_files_in_one_unknown_format_are_one_line() -> None:
    skipped = Skipped("files")
    for number in range(1, 3001):
        skipped.add(f"file {number} DAY.TXT, meter ?", f"no codec reads it; it looks like text of {number} lines")
    skipped.add("file 4000 X, meter ?", "it is empty")
    assert list(skipped.lines()) == [
        (
            "3000 files skipped, the first of them file 1 DAY.TXT, meter ?: no codec reads it; it looks like text of 1"
            " lines"
        ),
        "file 4000 X, meter ?: skipped, it is empty",
    ]


def test_reasons_that_are_all_different_do_not_fill_the_screen() -> None:
    skipped = Skipped("sessions")
    for number in range(25):
        skipped.add(f"session {number}", f"because of {'x' * number}")
    *shown, last = skipped.lines()
    assert len(shown) == 20
    assert last == "5 sessions skipped for 5 more reasons; --verbose tells them one by one"


def test_nothing_skipped_is_no_line() -> None:
    assert list(Skipped("files").lines()) == []
