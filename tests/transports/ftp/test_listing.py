"""Listings as clients take them apart (the long one as `ls -l` of GNU coreutils prints it)."""

from __future__ import annotations

from gateway_server.transports.ftp.listing import Listed, facts, listing

NOW_MS = 1_790_000_000_000  # 2026-09-21T13:33:20Z
FILES = [
    Listed("/day.dat", 4096, NOW_MS),
    Listed("/day.dat", 17, NOW_MS - 86_400_000),
    Listed("/2025/old name.dat", 5, NOW_MS - 300 * 86_400_000),
    Listed("/2025/12/x", 1, NOW_MS),
]


def test_long_listing_shows_the_newest_of_a_name_and_folders() -> None:
    assert listing("LIST", "/", FILES, NOW_MS).decode() == (
        "drwx------   1 meter    meter               0 Sep 21 14:13 2025\r\n"
        "-rw-------   1 meter    meter            4096 Sep 21 14:13 day.dat\r\n"
    )


def test_old_files_show_their_year() -> None:
    assert listing("LIST", "/2025", FILES, NOW_MS).decode().split("\r\n")[1] == (
        "-rw-------   1 meter    meter               5 Nov 25  2025 old name.dat"
    )


def test_short_listing_is_names() -> None:
    assert listing("NLST", "/2025", FILES, NOW_MS) == b"12\r\nold name.dat\r\n"
    assert listing("NLST", "/day.dat", FILES, NOW_MS) == b"day.dat\r\n"
    assert listing("NLST", "/nowhere", FILES, NOW_MS) == b""


def test_listing_for_programs_is_rfc_3659() -> None:
    assert listing("MLSD", "/", FILES, NOW_MS) == (
        b"type=dir; 2025\r\ntype=file;size=4096;modify=20260921141320; day.dat\r\n"
    )


def test_only_the_facts_that_are_wanted_are_told() -> None:
    assert facts(FILES[0], ("modify", "type")) == "type=file;modify=20260921141320;"
    assert facts(None, ("size",)) == ""
    assert listing("MLSD", "/", FILES, NOW_MS, ()) == b" 2025\r\n day.dat\r\n"


def test_names_go_out_with_the_bytes_they_came_with() -> None:
    raw = "сутки".encode("cp1251")
    assert (
        listing("NLST", "/", [Listed("/" + raw.decode("utf-8", "surrogateescape"), 1, NOW_MS)], NOW_MS) == raw + b"\r\n"
    )
