"""What an account sees of its own uploads: names, sizes, times, and the bytes where that is allowed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from gateway_server.errors import StoreError
from gateway_server.store.records import FileRecord, FileState, Filter
from gateway_server.store.store import Store
from gateway_server.transports.ftp.commands import Commands
from gateway_server.transports.ftp.delivery import stored_name
from gateway_server.transports.ftp.listing import FACTS, Listed, facts, listing
from gateway_server.transports.ftp.paths import quoted, text_of

T = TypeVar("T")

MOST_LISTED = 1000  # newest uploads of an account that a listing shows
MOST_READ = 16 << 20  # bytes of a file that is read back


class Shelf(Commands):
    """The commands that look at what was uploaded, and those that go through folders, which are only names."""

    _facts: tuple[str, ...] = FACTS

    # folders, which are only names

    def ftp_PWD(self, line: str) -> None:
        """Where we are."""
        self.respond(f'257 "{quoted(self.folder)}" is the current folder.')

    def ftp_CWD(self, line: str) -> None:
        """Goes to a folder; every well-formed one is there."""
        path = self.path_of(line or "/")
        if path is not None:
            self.folder = path
            self.respond(f'250 "{quoted(path)}" is the current folder.')

    def ftp_CDUP(self, line: str) -> None:
        """Goes up; above the root is the root."""
        self.folder = self.folder.rpartition("/")[0] or "/"
        self.respond(f'250 "{quoted(self.folder)}" is the current folder.')

    def ftp_MKD(self, line: str) -> None:
        """Makes a folder, which is there already."""
        path = self.path_of(line)
        if path is not None:
            self.respond(f'257 "{quoted(path)}" made.')

    # what was uploaded

    def ftp_LIST(self, line: str) -> None:
        """The account's own uploads, as `ls -l` shows them."""
        self._list("LIST", " ".join(word for word in line.split(" ") if not word.startswith("-")))

    def ftp_NLST(self, line: str) -> None:
        """Their names."""
        self._list("NLST", " ".join(word for word in line.split(" ") if not word.startswith("-")))

    def ftp_MLSD(self, line: str) -> None:
        """The same for programs (RFC 3659)."""
        self._list("MLSD", line)

    def _list(self, kind: str, line: str) -> None:
        path = self.path_of(line)
        if path is None or not self.has_data():
            return
        now_ms, facts_wanted = self.desk.now_ms(), self._facts
        if not self._sees_its_own():
            self.send_listing(listing(kind, path, self._own_of_this_connection(), now_ms, facts_wanted))
            return
        account = self.account
        assert account is not None
        self.ask(
            lambda store: _newest(store, account.login),
            lambda files: self.send_listing(listing(kind, path, files, now_ms, facts_wanted)),
        )

    def ftp_MLST(self, line: str) -> None:
        """What is known of one name, over the control connection (RFC 3659, section 7)."""
        path = self.path_of(line)
        if path is None:
            return

        def found(files: Iterable[Listed]) -> None:
            files = tuple(files)
            file = next((one for one in files if one.path == path), None)
            inside = path.rstrip("/") + "/"
            if file is None and path not in ("/", self.folder) and not any(f.path.startswith(inside) for f in files):
                self.respond("550 No such file.")
                return
            self.push(f"250-Listing {path}\r\n {facts(file, self._facts)} {path}\r\n")
            self.respond("250 End.")

        if not self._sees_its_own():
            found(self._own_of_this_connection())
            return
        account = self.account
        assert account is not None
        name, _ = stored_name(path)

        def look(store: Store) -> list[Listed]:
            file = store.former_file(account.login, name, 0) if name else None
            return [_listed(file)] if file is not None else _newest(store, account.login)

        self.ask(look, found)

    def ftp_OPTS(self, line: str) -> None:
        """Which facts MLSD and MLST tell (RFC 3659, section 7.9); UTF-8 is what there is."""
        option, _, value = line.strip().partition(" ")
        if option.upper() in ("UTF8", "UTF-8"):
            self.respond("200 Always UTF-8.")
        elif option.upper() == "MLST":
            asked = value.lower().replace(" ", "").split(";")
            self._facts = tuple(fact for fact in FACTS if fact in asked)
            self.respond(" ".join(["200 MLST OPTS", *filter(None, ["".join(f"{fact};" for fact in self._facts)])]))
        else:
            self.respond("501 There is no such option.")

    def ftp_SIZE(self, line: str) -> None:
        """How long an upload is: by this some clients learn whether all of it came, or where to go on."""
        self._look_up(line, lambda file: f"213 {file.size}")

    def ftp_MDTM(self, line: str) -> None:
        """When it came."""
        self._look_up(line, lambda file: time.strftime("213 %Y%m%d%H%M%S", time.gmtime(file.received_at_ms // 1000)))

    def _look_up(self, line: str, reply: Callable[[Listed], str]) -> None:
        path = self.path_of(line)
        if path is None:
            return
        if path in self.own:
            self.respond(reply(Listed(path, self.own[path].size, self.desk.now_ms())))
        elif not self._sees_its_own():
            self.respond("550 No such file.")
        else:
            account = self.account
            assert account is not None
            name, _ = stored_name(path)
            self.ask(
                lambda store: store.former_file(account.login, name, 0),
                lambda file: self.respond("550 No such file." if file is None else reply(_listed(file))),
            )

    def ftp_RETR(self, line: str) -> None:
        """Reads an upload back, where that is allowed."""
        path = self.path_of(line)
        if path is None:
            return
        if not (self.terms.may_read and self._sees_its_own()):
            self.respond("550 Nothing is read back here.")
            return
        if not self.has_data():
            return
        account = self.account
        assert account is not None
        name, _ = stored_name(path)
        offset, self._restart_position = self._restart_position, 0

        def read(store: Store) -> bytes | str:
            file = store.former_file(account.login, name, 0)
            if file is None:
                return "550 No such file."
            if file.size > MOST_READ:
                return f"550 It has {file.size} bytes; {MOST_READ} are read back at most."
            return b"".join(store.file_bytes(file.id))[offset:]

        def found(content: bytes | str) -> None:
            if isinstance(content, str):
                self.respond(content)
            else:
                self.send_listing(content)

        self.ask(read, found)

    def _sees_its_own(self) -> bool:
        """Whether the store may be asked; not for an account that others share."""
        return self.terms.may_list and self.account is not None and self.account.shared is None

    def _own_of_this_connection(self) -> list[Listed]:
        now_ms = self.desk.now_ms()
        return [Listed(path, own.size, now_ms, complete=own.whole) for path, own in self.own.items()]

    def ask(self, work: Callable[[Store], T], answer: Callable[[T], None]) -> None:
        """Asks the store; the next commands wait."""
        self._waiting = True

        def answered(result: T | StoreError) -> None:
            if self._closed:
                return
            self._waiting = False
            if isinstance(result, StoreError):
                self.respond("451 The store does not answer. Try again later.")
                self.refused(f"the store failed: {result}")
            else:
                answer(result)
            self.work()

        self.desk.ask(work, answered)


def _newest(store: Store, login: str) -> list[Listed]:
    return [_listed(file) for file in store.files(Filter(logins=(login,), limit=MOST_LISTED, newest_first=True))]


def _listed(file: FileRecord) -> Listed:
    raw = file.raw_name or file.name.encode()
    return Listed("/" + text_of(raw), file.size, file.received_at_ms, complete=file.state is not FileState.INCOMPLETE)
