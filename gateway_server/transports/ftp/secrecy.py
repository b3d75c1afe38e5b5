"""What the session log shows of a line that a client sent: everything but passwords, however badly they were sent.

A login that did not work is what an operator reads the log for, and then a client has often sent its password in a
shape that is no PASS at all: glued to the verb, behind a blank or a NUL, on a line of its own.
"""

from __future__ import annotations

import re

from gateway_server.transports.ftp.paths import readable

MASK = "********"

# What an interrupt puts before ABOR (RFC 854), and the blanks and controls that clients put before anything.
_BEFORE = bytes(range(0x21)) + b"\x7f" + bytes(range(0xF0, 0x100))
_SECRET = re.compile(rb"(?i)(?:p[^a-z]*a[^a-z]*s[^a-z]*s|a[^a-z]*c[^a-z]*c[^a-z]*t)")
_VERBS = (b"PASS", b"ACCT")


def command_of(line: bytes) -> bytes:
    """A line without what stands before its verb."""
    return line.lstrip(_BEFORE)


def shown(line: bytes, *, known: bool, awaited: bool) -> str:
    """A line (of `command_of`) as the log may have it. ``known``: its verb is one of ours; ``awaited``: a password is
    what the client was asked for, so that a line which is no command may be nothing else."""
    if known and line[:4].upper() not in _VERBS and b"\0" not in line:
        return readable(line)
    found = _SECRET.search(line)
    if found is not None:
        return f"{readable(line[: found.end()])} {MASK}"
    return MASK if awaited and not known else readable(line)
