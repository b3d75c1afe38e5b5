"""What a meter's communication unit does to store one file on an FTP server, as a conversation without a line.

A generator: it yields what it wants done and is sent what came of it, so that the same script is driven by the reactor
(`upload_line`), and by a test that plays the server. The manners are those that embedded clients were seen with.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway_server.testing.lis200.quirks import quirk

CUTS = ("data", "control", "silent", "abort")


@dataclass(frozen=True, slots=True)
class Account:
    """Under what a unit logs in."""

    login: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UploadFile:
    """One file to be stored."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Manners:
    """All switches off is a client as it should be: passive, binary, one STOR, QUIT."""

    active: bool = quirk(False, "the server connects for the data (PORT)")
    extended: bool = quirk(False, "EPSV and EPRT instead of PASV and PORT")
    ascii: bool = quirk(False, "TYPE A: the text form of the data connection")
    append: bool = quirk(False, "APPE instead of STOR")
    unique: bool = quirk(False, "STOU: the server finds the name")
    piece: int = quirk(0, "so many bytes per command, the later pieces by APPE")
    folder: str = quirk("", "makes and enters this folder first, step by step")
    stays: bool = quirk(False, "closes the line without QUIT")
    cut: str = quirk("", f"the first attempt stops half way: {', '.join(CUTS)}")
    starts_anew: bool = quirk(False, "does not resume (SIZE, REST) what was cut")


@dataclass(frozen=True, slots=True)
class Say:
    """Say this on the control connection and give the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class Hear:
    """Give the next reply."""


@dataclass(frozen=True, slots=True)
class Open:
    """Open the data connection to this port of the server; an empty host is the one of the control connection."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait for a data connection; give the place."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send this on the data connection; ``then`` is ``close``, ``reset`` or ``stay``."""

    data: bytes
    then: str = "close"


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the control connection and let the data connection be."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said: its code and all of its text."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where we wait for the data connection."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Stored:
    """How an attempt ended. ``acknowledged``: every transfer of the file got its 226. ``said`` is the last reply."""

    acknowledged: bool
    said: str


Wish: TypeAlias = Say | Hear | Open | Listen | Send | HangUp
Answer: TypeAlias = Reply | Place | None
Script: TypeAlias = Generator[Wish, Answer, Stored]
_Steps: TypeAlias = Generator[Wish, Answer, Reply]


class Refused(Exception):
    """The server did not go along."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.code} {reply.text}")


def upload(account: Account, file: UploadFile, manners: Manners, *, attempt: int = 0) -> Script:
    """Logs in and stores the file. Attempts count from 0; the later ones resume what was cut before."""
    try:
        yield from _log_in(account)
        yield from _enter(manners.folder)
        yield from _wanted(Say("TYPE A" if manners.ascii else "TYPE I"), 200)
        offset = 0
        if attempt and manners.cut and not (manners.starts_anew or manners.ascii or manners.unique):
            offset = yield from _stored_before(file)
        reply = yield from _transfers(file, manners, offset, cut=manners.cut if attempt == 0 else "")
    except Refused as refused:
        return Stored(False, str(refused))
    if reply.code != 226 or (manners.cut and attempt == 0):
        return Stored(False, f"{reply.code} {reply.text}")
    if manners.stays:
        yield HangUp()
    else:
        yield Say("QUIT")
    return Stored(True, f"{reply.code} {reply.text}")


def on_the_wire(data: bytes, manners: Manners) -> bytes:
    """The bytes of the data connection: in text form every line ends with CR LF, whatever it ended with."""
    return re.sub(rb"\r?\n", b"\r\n", data) if manners.ascii else data


def _log_in(account: Account) -> _Steps:
    yield from _wanted(Hear(), 220)
    reply = yield from _wanted(Say(f"USER {account.login}"), 230, 331)
    if reply.code == 331:
        reply = yield from _wanted(Say(f"PASS {account.password}"), 230)
    return reply


def _enter(folder: str) -> Generator[Wish, Answer, None]:
    for step in filter(None, folder.split("/")):
        yield Say(f"MKD {step}")  # a folder that exists already is as good
        yield from _wanted(Say(f"CWD {step}"), 250)


def _stored_before(file: UploadFile) -> Generator[Wish, Answer, int]:
    """How much of the file the server holds; 0 if it does not say or holds more."""
    reply = yield Say(f"SIZE {file.name}")
    if isinstance(reply, Reply) and reply.code == 213 and reply.text.strip().isdigit():
        size = int(reply.text)
        return size if size < len(file.data) else 0
    return 0


def _transfers(file: UploadFile, manners: Manners, offset: int, cut: str) -> _Steps:
    data = on_the_wire(file.data[offset:], manners)
    pieces = [data]
    if manners.piece:
        pieces = [data[start : start + manners.piece] for start in range(0, len(data), manners.piece)] or [b""]
    reply = Reply(0, "")
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        verb = "APPE" if manners.append or number else "STOR"
        command = "STOU" if manners.unique and not number else f"{verb} {file.name}"
        restart = f"REST {offset}" if offset and not number and verb == "STOR" else ""
        reply = yield from _transfer(command, piece, manners, cut if last else "", restart)
        if last and cut:
            break
        if reply.code != 226:
            raise Refused(reply)
    return reply


def _transfer(command: str, data: bytes, manners: Manners, cut: str, restart: str) -> _Steps:
    if manners.active:
        place = yield Listen()
        assert isinstance(place, Place)
        yield from _wanted(Say(_place_told(place, manners)), 200)
    else:
        reply = yield from _wanted(Say("EPSV" if manners.extended else "PASV"), 227, 229)
        yield Open(*_place_heard(reply))
    if restart:
        yield from _wanted(Say(restart), 350)
    yield from _wanted(Say(command), 125, 150)
    half = data[: len(data) // 2]
    if cut == "data":
        yield Send(half, "reset")
    elif cut == "control":
        yield Send(half, "stay")
        yield HangUp()
        return Reply(0, "hung up")
    elif cut == "abort":
        yield Send(half, "stay")
        reply = yield from _wanted(Say("ABOR"), 225, 226, 426)
        if reply.code == 426:
            yield Hear()
        yield Send(b"", "close")
        return reply
    elif cut == "silent":
        yield Send(half, "stay")
    else:
        yield Send(data)
    reply = yield from _wanted(Hear(), *range(100, 600))
    return reply


def _wanted(wish: Wish, *codes: int) -> _Steps:
    """Fulfils a wish whose reply has one of these codes; anything else ends the attempt."""
    reply = yield wish
    assert isinstance(reply, Reply)
    if reply.code not in codes:
        raise Refused(reply)
    return reply


def _place_told(place: Place, manners: Manners) -> str:
    if manners.extended:
        return f"EPRT |1|{place.host}|{place.port}|"
    return f"PORT {place.host.replace('.', ',')},{place.port // 256},{place.port % 256}"


def _place_heard(reply: Reply) -> tuple[str, int]:
    """Host and port of a 227, or of a 229, which has no host. Raises `Refused` if there are none."""
    if match := re.search(r"\((?P<d>.)(?P=d)(?P=d)(\d+)(?P=d)\)", reply.text):
        return "", int(match[2])
    if match := re.search(r"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", reply.text):
        *address, high, low = match.groups()
        return ".".join(address), 256 * int(high) + int(low)
    raise Refused(reply)
