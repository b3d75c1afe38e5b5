"""Wild dialogues for the FTP drop's command channel: every verb in every state with arguments nobody should send.

``dialogue(order)`` makes one from a seeded generator; `Wild` holds many of them at once against a server on loopback
and looks at every reply. Nothing here knows the server: what is judged is the form of its replies, and that it goes on.
How fast it goes on is the machine's matter.
"""

from __future__ import annotations

import random
import re
import selectors
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

VERBS: list[str] = re.findall(
    r"\S+",
    """
    USER PASS ACCT CWD CDUP SMNT QUIT REIN PORT PASV TYPE STRU MODE RETR STOR STOU APPE ALLO REST RNFR RNTO ABOR DELE
    RMD MKD PWD LIST NLST SITE SYST STAT HELP NOOP XCWD XMKD XPWD XRMD XCUP FEAT OPTS AUTH PBSZ PROT CCC EPRT EPSV LANG
    LPRT LPSV MDTM MFMT MLSD MLST SIZE HOST HASH NONE GET / ÿ 0
    """,
)
PATHS = (
    b"..", b"../..", b"../../../../etc/passwd", b"/etc/passwd", b"//", b"/", b".", b"...", b"a/../../b", b"..\\..\\x",
    b"C:\\x", b"\\\\host\\share", b"~root", b"~/x", b"%2e%2e/x", b"a\x00b", b"\x00", b"-la", b"-R ..", b"* ?[a]",
    b"day.abl", b"$(id)", b"`id`", b"|id", b";id", b"a\x1bb", b"a\x7fb", b"\xcf\xf0\xe8\xe2\xe5\xf2.dat",
    b"\xff\xfe\xfd", b"\xc0\xae\xc0\xae/x", b"\xed\xa0\x80", "тест.abl".encode(), "ä".encode() * 200, b"x" * 255,
    b"x" * 256, b"x" * 4000, b"a/" * 300, b"con", b" ", b"  x", b"gateway.db", b"gateway.toml",
    b"41203377202404030900000900.abl", b"day.abl.", b"day.abl ", b"\xe2\x80\xae.abl",
)  # fmt: skip
ARGUMENTS = (
    b"", b"A", b"I", b"L 8", b"E", b"A N", b"F", b"R", b"S", b"B", b"0", b"1", b"-1", b"999999999999999999999999",
    b"1e9", b"0x10", b"127,0,0,1,0,22", b"10,0,0,1,200,1", b"8,8,8,8,1,1", b"127,0,0,1,255,255", b"127,0,0,1,256,1",
    b"1,2,3", b"a,b,c,d,e,f", b"|1|127.0.0.1|22|", b"|1|10.0.0.1|50000|", b"|2|::1|50000|", b"|3|x|y|", b"||||",
    b"|1|127.0.0.1|99999|", b"ALL", b"1", b"2", b"TLS", b"SSL", b"P", b"C", b"UTF8 ON", b"MLST type;size;",
    b"CHMOD 777 x", b"EXEC /bin/sh", b"HELP", b"UTIME x 2 3 4 UTC", b"20240403090000 day.abl", b"4096", b"%s%s%s%n",
    b"{0}", b"\x00" * 100, bytes(range(1, 10)), b"\xff" * 50,
)  # fmt: skip
ENDS = (b"\r\n",) * 12 + (b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r\n", b"\x00\r\n", b"")
# A wrong password costs the server some 50 ms by design; so most are right, and many dialogues have none at all.
LOGINS = ((b"41203377", b"secret"),) * 150 + (
    (b"41203377", b"wrong"), (b"anonymous", b"me@"), (b"root", b"root"), (b"' OR 1=1 --", b"'"), (b"\xff\xff", b"\xff"),
    (b"41203377/../root", b"secret"), (b"x" * 2000, b"y" * 2000), (b"", b""),
)  # fmt: skip
PLACES = re.compile(rb"\((?:\d+,){4}(\d+),(\d+)\)|\(\|\|\|(\d+)\|\)")
REPLY = re.compile(rb"[1-5]\d\d[ -]")
PROBES = 3  # visits during which a server that goes round would have answered everybody
PROBE_EVERY_S = 2.0


@dataclass(slots=True)
class Wildness:
    """One dialogue: what is sent, in pieces, whether each waits for a reply, and how it ends.

    ``data`` is sent over a data connection as soon as the server names a place for one; None never opens it.
    ``bids_farewell``: its QUIT stands alone and nothing is under way before it, so 221 must come.
    """

    pieces: list[bytes]
    waits: bool
    ends: str
    data: bytes | None
    bids_farewell: bool


def command(order: random.Random) -> bytes:
    """One line, right or wrong."""
    verb = order.choice(VERBS).encode("utf-8")
    kind = order.random()
    if kind < 0.15:
        verb = verb.lower() if order.random() < 0.5 else verb.title()
    if kind > 0.97:
        return order.randbytes(order.choice((1, 10, 100, 1000))) + order.choice(ENDS)
    if kind > 0.96:
        return verb + b" " + b"x" * order.choice((5_000, 20_000)) + order.choice(ENDS)
    argument = order.choice(PATHS if order.random() < 0.5 else ARGUMENTS)
    telnet = order.choice((b"\xff\xf4\xf2", b"\xff\xfb\x01", b"\xff")) if order.random() < 0.03 else b""
    return telnet + verb + (b" " + argument if argument else b"") + order.choice(ENDS)


def dialogue(order: random.Random) -> Wildness:
    """One dialogue."""
    lines: list[bytes] = []
    if order.random() < 0.75:
        login, password = order.choice(LOGINS)
        lines += [b"USER " + login + b"\r\n", b"PASS " + password + b"\r\n"]
    lines += [command(order) for _ in range(order.randint(1, 8))]
    if order.random() < 0.3:
        place = order.choice((b"PASV\r\n", b"EPSV\r\n"))
        verb = order.choice((b"STOR", b"APPE", b"STOU", b"REST 5\r\nSTOR", b"LIST", b"NLST", b"MLSD", b"RETR"))
        line = verb if verb == b"STOU" else verb + b" " + order.choice((*PATHS, b"wild.dat", b"wild.dat"))
        after = order.choice((b"", b"", b"ABOR\r\n", b"STAT\r\n", b"PASV\r\n", b"STOR x\r\n", b"QUIT\r\n", b"REIN\r\n"))
        lines.insert(order.randint(min(2, len(lines)), len(lines)), place + line + b"\r\n" + after)
    ends = order.choice(("quit", "quit", "quit", "close", "reset", "half"))
    said = b"".join(lines)
    idle = not any(verb in said.upper() for verb in (b"PASV", b"EPSV", b"PORT", b"EPRT"))
    bids_farewell = ends == "quit" and idle and said.endswith((b"\r", b"\n"))
    if ends == "quit":
        lines.append(b"QUIT\r\n")
    if order.random() < 0.1:
        whole = b"".join(lines)
        lines = [whole[start : start + 7] for start in range(0, min(len(whole), 700), 7)]
        bids_farewell = bids_farewell and len(whole) <= 700
    elif order.random() < 0.5:
        lines = [b"".join(lines)]
    data = order.choice((None, b"", b"(1)(2)\r\n", order.randbytes(300), order.randbytes(5000)))
    return Wildness(lines, order.random() < 0.5, ends, data, bids_farewell)


@dataclass(slots=True)
class Talk:
    """A dialogue under way."""

    line: socket.socket
    wildness: Wildness
    began: float
    heard: float
    probes: int  # how many had been answered when it was last said or heard something
    next: int = 0
    buffer: bytes = b""
    said: bytes = b""  # the last line
    within: bytes = b""  # the code of the longer reply whose lines come now
    data: list[socket.socket] = field(default_factory=list)


class Wild:
    """Dialogues against a server. ``strange`` are the replies that are none, ``unanswered`` the dialogues whose QUIT
    got no 221, with what was heard last.

    How long is waited is measured by the server, not by the clock: ``probe`` is a whole visit that an ordinary client
    pays to it, through every queue that it has, and gives how long one reply of it took. A dialogue is unanswered when
    nothing came of it during several visits that began behind its last word. How long others are listened to is what
    a reply took lately, ``patience_s`` at least.
    """

    def __init__(
        self,
        port: int,
        dialogues: Iterator[Wildness],
        probe: Callable[[], float],
        *,
        at_once: int = 50,
        patience_s: float = 0.05,
    ) -> None:
        self._port = port
        self._dialogues = dialogues
        self._probe = probe
        self._probes = 0
        self._probed = float("-inf")
        self._at_once = at_once
        self._least_s = self._patience_s = patience_s
        self._selector = selectors.DefaultSelector()
        self._live: dict[socket.socket, Talk] = {}
        self.done = 0
        self.unanswered: list[tuple[bytes, bytes]] = []
        self.strange: list[bytes] = []
        self.codes: dict[bytes, int] = {}

    def run(self, end: float = float("inf")) -> None:
        """All of them, or as many as begin before the end."""
        more = True
        while more or self._live:
            while more and len(self._live) < self._at_once:
                wildness = next(self._dialogues, None) if monotonic() < end else None
                more = wildness is not None
                if wildness is not None:
                    self._begin(wildness)
            self._hear(self._patience_s / 2)
            now = monotonic()
            for talk in [one for one in self._live.values() if now > one.heard + self._patience_s]:
                self._quiet(talk, now)
            if now > self._probed + PROBE_EVERY_S:
                self._visit()

    def _hear(self, wait: float) -> None:
        for key, _ in self._selector.select(wait):
            talk = self._live.get(key.data)
            if talk is not None:
                self._readable(talk)

    def _visit(self) -> None:
        self._patience_s = max(self._least_s, self._probe())
        self._probes += 1
        self._probed = monotonic()
        self._hear(0)  # what came meanwhile is read before anybody is judged

    def _begin(self, wildness: Wildness) -> None:
        line = socket.create_connection(("127.0.0.1", self._port), 60)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.settimeout(0.5)
        now = monotonic()
        talk = Talk(line, wildness, now, now, self._probes)
        self._live[line] = talk
        self._selector.register(line, selectors.EVENT_READ, line)
        if not wildness.waits:
            self._say_all(talk)

    def _say_all(self, talk: Talk) -> None:
        while talk.next < len(talk.wildness.pieces) and talk.line in self._live:
            self._say(talk)

    def _say(self, talk: Talk) -> None:
        piece = talk.wildness.pieces[talk.next]
        talk.next += 1
        talk.probes = self._probes
        try:
            talk.line.sendall(piece)
        except OSError:
            self._over(talk)

    def _readable(self, talk: Talk) -> None:
        try:
            data = talk.line.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._over(talk)
            return
        talk.heard = monotonic()
        talk.probes = self._probes
        *lines, talk.buffer = (talk.buffer + data).split(b"\r\n")
        for line in lines:
            self._look_at(talk, line)
        if talk.wildness.waits and talk.next < len(talk.wildness.pieces) and talk.line in self._live:
            self._say(talk)

    def _look_at(self, talk: Talk, line: bytes) -> None:
        talk.said = line
        code = line[:3]
        if talk.within and not line.startswith(talk.within + b" "):
            return
        if not REPLY.match(line) or b"Traceback" in line or b"secret" in line:
            self.strange.append(line)
        talk.within = code if line[3:4] == b"-" else b""
        self.codes[code] = self.codes.get(code, 0) + 1
        place = PLACES.search(line) if code in {b"227", b"229"} else None
        if place and talk.wildness.data is not None and len(talk.data) < 3:
            port = int(place[3]) if place[3] else 256 * int(place[1]) + int(place[2])
            try:
                data = socket.create_connection(("127.0.0.1", port), 1)
            except OSError:
                return
            talk.data.append(data)
            data.settimeout(0.5)
            with suppress(OSError):
                data.sendall(talk.wildness.data)
                data.shutdown(socket.SHUT_WR)

    def _quiet(self, talk: Talk, now: float) -> None:
        """Nothing was said for a while: the next word, or the end."""
        talk.heard = now
        if talk.next < len(talk.wildness.pieces):
            self._say(talk)
            return
        if talk.wildness.bids_farewell and self._probes < talk.probes + PROBES:
            return
        if talk.wildness.ends == "half" and now < talk.began + 10 * self._patience_s:
            try:
                talk.line.shutdown(socket.SHUT_WR)
            except OSError:
                self._over(talk)
            return
        if talk.wildness.bids_farewell:
            self.unanswered.append((b"".join(talk.wildness.pieces), talk.said))
        self._over(talk)

    def _over(self, talk: Talk) -> None:
        if self._live.pop(talk.line, None) is None:
            return
        self._selector.unregister(talk.line)
        if talk.wildness.ends == "reset":
            talk.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        for one in (talk.line, *talk.data):
            one.close()
        self.done += 1


def dialogues(seed: int, count: int) -> Iterator[Wildness]:
    """So many dialogues of this seed."""
    order = random.Random(seed)
    for _ in range(count):
        yield dialogue(order)
