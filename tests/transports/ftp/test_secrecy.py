"""Passwords stay out of the log whatever a client makes of PASS; everything else stands in it."""

from __future__ import annotations

import random

import pytest

from gateway_server.transports.ftp.secrecy import command_of, shown

SECRET = b"Tr0ub4dor"


def told(line: bytes, *, known: bool = False, awaited: bool = False) -> str:
    return shown(command_of(line), known=known, awaited=awaited)


@pytest.mark.parametrize(
    ("line", "known", "expected"),
    [
        (b"PASS Tr0ub4dor", True, "PASS ********"),
        (b"pass Tr0ub4dor", True, "pass ********"),
        (b" PASS Tr0ub4dor", True, "PASS ********"),
        (b"\0PASS Tr0ub4dor", True, "PASS ********"),
        (b"\xff\xf4\xff\xf2\t PASS Tr0ub4dor", True, "PASS ********"),
        (b"PASSTr0ub4dor", False, "PASS ********"),
        (b"PASS\tTr0ub4dor", False, "PASS ********"),
        (b"P\0A\0S\0S\0 \0T\0r\0", False, "P\0A\0S\0S ********"),
        (b"\xef\xbb\xbfPASS Tr0ub4dor", False, "\ufeffPASS ********"),
        (b"ACCT Tr0ub4dor", False, "ACCT ********"),
        (b"USER m1\0PASS Tr0ub4dor", True, "USER m1\0PASS ********"),
    ],
)
def test_password_is_masked_however_its_verb_is_written(line: bytes, known: bool, expected: str) -> None:
    assert told(line, known=known) == expected


def test_line_of_its_own_is_masked_where_a_password_was_asked_for() -> None:
    assert told(SECRET, awaited=True) == "********"
    assert told(b"GET / HTTP/1.1") == "GET / HTTP/1.1"


@pytest.mark.parametrize("line", [b"STOR passport.dat", b"USER passat", b"CWD /compass/acct", b"QUIT"])
def test_names_that_look_like_a_password_command_are_shown(line: bytes) -> None:
    assert told(line, known=True, awaited=True) == line.decode()


def test_secret_is_never_shown_behind_a_damaged_pass() -> None:
    dice = random.Random(5)
    junk = [bytes([n]) for n in (*range(0x10), 0x20, 0x2A, 0x7F, 0x80, 0xBF, *range(0xF0, 0x100))]
    for _ in range(20_000):
        line = b"".join(dice.choices(junk, k=dice.randrange(4)))
        for letter in dice.choice((b"PASS", b"pass", b"Pass", b"ACCT")):
            line += bytes([letter]) + b"".join(dice.choices(junk, k=dice.choice((0, 0, 0, 1, 2))))
        line += b"".join(dice.choices(junk, k=dice.randrange(3))) + SECRET
        assert SECRET.decode() not in told(line, awaited=dice.random() < 0.5), line
