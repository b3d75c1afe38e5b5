"""What an account sees of its own uploads: names, sizes, times, and the bytes where that is allowed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from gateway_server.errors import StoreError
from gateway_server.store.records import FileRecord, FileState, Filter
from gateway_server.store.store import Store
from gateway_server.transports.ftp.commands import Commands
from gateway_server.transports.ftp.delivery import stored_name
from gateway_server.transports.ftp.listing import Listed, listing
from gateway_server.transports.ftp.paths import quoted, text_of

T = TypeVar("T")

MOST_LISTED = 1000  # newest uploads of an account that a listing shows
MOST_READ = 16 << 20  # bytes of a file that is read back


class Shelf(Commands):
    """The commands that look at what was uploaded, and those that go through folders, which are only names."""

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
        now_ms = self.desk.now_ms()
        if not self._sees_its_own():
            self.send_listing(listing(kind, path, self._own_of_this_connection(), now_ms))
            return
        account = self.account
        assert account is not None
        wanted = Filter(logins=(account.login,), limit=MOST_LISTED, newest_first=True)
        self.ask(
            lambda store: [_listed(file) for file in store.files(wanted)],
            lambda files: self.send_listing(listing(kind, path, files, now_ms)),
        )

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

        def read(store: Store) -> bytes | None:
            file = store.former_file(account.login, name, 0)
            if file is None or file.size > MOST_READ:
                return None
            return b"".join(store.file_bytes(file.id))[offset:]

        def found(content: bytes | None) -> None:
            if content is None:
                self.respond("550 No such file.")
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


def _listed(file: FileRecord) -> Listed:
    raw = file.raw_name or file.name.encode()
    return Listed("/" + text_of(raw), file.size, file.received_at_ms, complete=file.state is not FileState.INCOMPLETE)
