"""The commands of the FTP drop. What pyftpdlib answers without a file system (TYPE, MODE, PORT, PASV, ...) stays its.

A client sees a tree that is only names: any well-formed folder can be entered and made, a listing shows what the
account uploaded itself, and nothing can be changed or removed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from gateway_server.errors import StoreError
from gateway_server.store.records import FileRecord, FileState, Filter
from gateway_server.store.store import Store
from gateway_server.transports.ftp_control import Control
from gateway_server.transports.ftp_delivery import Delivery, stored_name
from gateway_server.transports.ftp_listing import Listed, listing
from gateway_server.transports.ftp_login import Account
from gateway_server.transports.ftp_paths import BadPath, quoted, readable, resolve, text_of

T = TypeVar("T")

MOST_LISTED = 1000  # newest uploads of an account that a listing shows
MOST_READ = 16 << 20  # bytes of a file that is read back

_PATIENT_SECONDS = 3600.0  # no login is put off for longer


class Command(NamedTuple):
    """What a command needs: a login, and an argument (True), none (False), or either (None)."""

    login: bool
    argument: bool | None


_COMMANDS = {
    "ABOR": Command(True, False),
    "ALLO": Command(True, True),
    "APPE": Command(True, True),
    "CDUP": Command(True, False),
    "CWD": Command(True, None),
    "EPRT": Command(True, True),
    "EPSV": Command(True, None),
    "FEAT": Command(False, None),
    "HELP": Command(False, None),
    "LIST": Command(True, None),
    "MDTM": Command(True, True),
    "MKD": Command(True, True),
    "MLSD": Command(True, None),
    "MODE": Command(True, True),
    "NLST": Command(True, None),
    "NOOP": Command(False, None),
    "OPTS": Command(False, True),
    "PASS": Command(False, None),
    "PASV": Command(True, None),
    "PORT": Command(True, True),
    "PWD": Command(True, None),
    "QUIT": Command(False, None),
    "REIN": Command(True, None),
    "REST": Command(True, True),
    "RETR": Command(True, True),
    "SIZE": Command(True, True),
    "STAT": Command(False, None),
    "STOR": Command(True, True),
    "STOU": Command(True, None),
    "STRU": Command(True, True),
    "SYST": Command(False, None),
    "TYPE": Command(True, True),
    "USER": Command(False, True),
}
_OLD = {"XCUP": "CDUP", "XCWD": "CWD", "XMKD": "MKD", "XPWD": "PWD"}
_NEVER = {
    "DELE": "Nothing is removed here",
    "RMD": "Nothing is removed here",
    "XRMD": "Nothing is removed here",
    "RNFR": "Nothing is renamed here",
    "RNTO": "Nothing is renamed here",
    "MFMT": "No time is changed here",
    "SITE": "There are no SITE commands here",
}


class Conversation(Control):
    """A control connection with its commands."""

    commands = _COMMANDS

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._mine: dict[str, int] = {}  # what this very connection uploaded, with its size
        self._unique = 0
        super().__init__(*arguments, **named)

    def command(self, verb: str, argument: bytes) -> None:
        """Answers one command."""
        verb = _OLD.get(verb, verb)
        known = self.commands.get(verb)
        if known is None:
            never = _NEVER.get(verb)
            if never is not None and self.account is not None:
                self.wrong(f"550 {never}.")
            else:
                self.wrong(f"500 {readable(verb.encode('latin-1'))[:20]!r} is not understood.")
            return
        if known.login and self.account is None:
            self.wrong("530 Log in with USER and PASS first.")
            return
        if known.argument and not argument:
            self.wrong("501 An argument is missing.")
            return
        if known.argument is False and argument.strip():
            self.wrong("501 No argument is expected.")
            return
        if b"\0" in argument:
            self.wrong("501 An argument holds no NUL.")
            self.refused(f"{verb} with a NUL")
            return
        getattr(self, f"ftp_{verb}")(text_of(argument))

    # who it is

    def ftp_USER(self, line: str) -> None:
        """Says who it will be; another one begins anew."""
        if self.account is not None:
            self._forget_login()
        self.username = line
        self.respond("331 Send the password.")

    def ftp_PASS(self, line: str) -> None:
        """The password, and so the account."""
        login = self.username
        if self.account is not None:
            self.wrong("503 Logged in already.")
        elif not login:
            self.wrong("503 Send USER first.")
        elif self.attempts.banned(self.host, login):
            self._turn_away("shut out after wrong passwords")
        elif (account := self.desk.logins.known(self.terms, login, line)) is not None:
            self._logged_in(account)
        else:
            self._waiting = True
            self.desk.logins.verify(self.terms, login, line, self._verified)

    def _verified(self, verdict: Account | str | StoreError) -> None:
        if self._closed:
            return
        self._waiting = False
        if isinstance(verdict, Account):
            self._logged_in(verdict)
        elif isinstance(verdict, StoreError):
            self.respond("421 Logging in is not possible now. Try again later.")
            self.refused(f"a login could not be verified: {verdict}")
            self.leave()
        else:
            self._turn_away(verdict)
        self.work()

    def _logged_in(self, account: Account) -> None:
        networks = account.shared.networks if account.shared is not None else ()
        if networks and not self.within(networks):
            self._turn_away("the account may not log in from this address")
            return
        self.attempts.succeeded(self.host, account.login)
        self.account = account
        self._wrong = 0
        self.respond("230 Logged in.")

    def _turn_away(self, why: str) -> None:
        """Says no after a while, in which other connections go on as ever."""
        self._waiting = True
        delay = min(self.attempts.failed(self.host, self.username), _PATIENT_SECONDS)
        self.attempted_logins += 1
        last = self.attempted_logins >= self.max_login_attempts
        self.refused(f"login failed: {why}")

        def say() -> None:
            if self._closed:
                return
            self._waiting = False
            self.respond("530 Login incorrect.")
            if last:
                self.leave()
            else:
                self.work()

        self.username = ""
        self.ioloop.call_later(delay, say, _errback=self.handle_error)

    def _forget_login(self) -> None:
        self.drop_data()
        self.account = None
        self.username = ""
        self.folder = "/"
        self._mine.clear()
        self._current_type = "a"
        self._restart_position = 0

    def ftp_REIN(self, line: str) -> None:
        """Begins anew."""
        self._forget_login()
        self.respond("220 Ready for a new user.")

    def ftp_QUIT(self, line: str) -> None:
        """Says goodbye."""
        self.respond("221 Goodbye.")
        self.leave()

    # folders, which are only names

    def ftp_PWD(self, line: str) -> None:
        """Where we are."""
        self.respond(f'257 "{quoted(self.folder)}" is the current folder.')

    def ftp_CWD(self, line: str) -> None:
        """Goes to a folder; every well-formed one is there."""
        path = self._path(line or "/")
        if path is not None:
            self.folder = path
            self.respond(f'250 "{quoted(path)}" is the current folder.')

    def ftp_CDUP(self, line: str) -> None:
        """Goes up; above the root is the root."""
        self.folder = self.folder.rpartition("/")[0] or "/"
        self.respond(f'250 "{quoted(self.folder)}" is the current folder.')

    def ftp_MKD(self, line: str) -> None:
        """Makes a folder, which is there already."""
        path = self._path(line)
        if path is not None:
            self.respond(f'257 "{quoted(path)}" made.')

    # uploads

    def ftp_STOR(self, line: str) -> None:
        """A file, or with REST its rest."""
        offset, self._restart_position = self._restart_position, 0
        path = self._file(line)
        if path is None or not self.has_data():
            return
        if not offset:
            self._begin("STOR", path)
            return

        def found(former: FileRecord | None) -> None:
            if former is None:
                self.respond("550 There is no file to go on with.")
            elif offset > former.size:
                self.respond(f"554 REST {offset} is behind the end of the file, {former.size}.")
            else:
                self._begin("STOR", path, former, offset)

        self._former(path, found)

    def ftp_APPE(self, line: str) -> None:
        """More of a file; without a former one of this name, a file."""
        self._restart_position = 0
        path = self._file(line)
        if path is not None and self.has_data():
            self._former(path, lambda former: self._begin("APPE", path, former, former.size if former else 0))

    def ftp_STOU(self, line: str) -> None:
        """A file under a name that nobody has."""
        self._restart_position = 0
        self._unique += 1
        name = f"{line.strip() or 'upload'}.{self.desk.now_ms():x}{self._unique:x}"
        path = self._file(name)
        if path is not None and self.has_data():
            self._begin("STOU", path, name=path.removeprefix("/"))

    def _begin(
        self, command: str, path: str, former: FileRecord | None = None, offset: int = 0, *, name: str = ""
    ) -> None:
        account, desk, terms = self.account, self.desk, self.terms
        assert account is not None  # the command's entry says so
        if self.data_channel is None and self._dtp_acceptor is None:  # it went while the store was asked
            self.respond("425 The data connection is gone.")
        elif desk.full:
            self.respond("452 The disk is full; nothing can be stored. Try again later.")
            self.refused("the store's disk is full")
        elif desk.by_login[account.login] >= terms.uploads_per_account:
            self.respond("450 This account has too many uploads at once. Try again later.")
            self.refused("too many uploads at once")
        elif why := desk.over_quota(terms, account.login):
            self.respond(f"552 Refused: {why}.")
            self.refused(why)
        else:
            shared = account.shared
            serial = account.serial if shared is None else shared.identify(path)
            delivery = Delivery(
                command, path, account.login, serial, terms.name, self.remote, desk.now_ms, former, offset,
                shared=shared is not None,
            )  # fmt: skip
            if self._current_type == "a":
                delivery.said(
                    "sent as text (TYPE A): stored as it came; some clients clear the eighth bit of each byte"
                )
            self.receive(delivery, name)

    def stored(self, delivery: Delivery, file: FileRecord) -> None:
        """A file is safe."""
        self._wrong = 0
        if len(self._mine) < MOST_LISTED:
            self._mine[delivery.path] = file.size

    def _former(self, path: str, found: Callable[[FileRecord | None], None]) -> None:
        """Asks for the file that this upload goes on with."""
        account = self.account
        assert account is not None
        name, _ = stored_name(path)
        since = self.desk.now_ms() - int(self.terms.resume_seconds * 1000)
        serial = "" if account.shared is None else account.shared.identify(path)
        host = self.host

        def look(store: Store) -> FileRecord | None:
            former = store.former_file(account.login, name, since)
            if former is None or account.shared is None:
                return former
            # Another meter may use the same name: go on only with what is certainly this one's.
            if serial and former.meter in (serial, ""):
                return former
            return former if former.remote.rpartition(":")[0] == host else None

        self._ask(look, found)

    def _ask(self, work: Callable[[Store], T], answer: Callable[[T], None]) -> None:
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

    def ftp_ALLO(self, line: str) -> None:
        """How long the file will be, so that one too long is refused before it is paid for."""
        size = line.split()[0]
        if not size.isdigit() or len(size) > 18:
            self.wrong("501 ALLO takes a number of bytes.")
        elif int(size) > self.terms.largest_file:
            self.respond(f"552 Refused: a file has at most {self.terms.largest_file} bytes.")
            self.refused(f"ALLO {size}")
        else:
            self.respond("202 No need to.")

    def ftp_REST(self, line: str) -> None:
        """Where the next file goes on; in both types, because text is stored as it comes too."""
        if not line.strip().isdigit() or len(line) > 18:
            self.wrong("501 REST takes a number of bytes.")
        else:
            self._restart_position = int(line)
            self.respond(f"350 Going on at byte {self._restart_position}.")

    def ftp_ABOR(self, line: str) -> None:
        """Ends an upload; what came of it is kept as incomplete."""
        if self.delivery is not None:
            self.cut_off("426 Transfer aborted.", "the client aborted it")
            self.respond("226 Aborted.")
        else:
            had = self.data_channel is not None or self._dtp_acceptor is not None
            self.drop_data()
            self.respond("225 Data connection closed." if had else "225 Nothing to abort.")

    # active and passive

    def ftp_PORT(self, line: str) -> None:
        """Where the client listens."""
        if self._may_be_active():
            super().ftp_PORT(line)

    def ftp_EPRT(self, line: str) -> None:
        """Where the client listens, of either family."""
        if self._may_be_active():
            super().ftp_EPRT(line)

    def ftp_EPSV(self, line: str) -> None:
        """Listens, without saying an address."""
        if self.terms.extended_passive:
            super().ftp_EPSV(line)
        else:
            self.respond("502 EPSV is switched off; use PASV.")

    def ftp_PASV(self, line: str) -> None:
        """Listens."""
        super().ftp_PASV("")

    def _may_be_active(self) -> bool:
        if not self.terms.active:
            self.respond("502 Active mode is switched off; use PASV.")
        return self.terms.active

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
        path = self._path(line)
        if path is None or not self.has_data():
            return
        now_ms = self.desk.now_ms()
        if not self._sees_its_own():
            self.send_listing(listing(kind, path, self._own_of_this_connection(), now_ms))
            return
        account = self.account
        assert account is not None
        wanted = Filter(logins=(account.login,), limit=MOST_LISTED, newest_first=True)
        self._ask(
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
        path = self._path(line)
        if path is None:
            return
        if path in self._mine:
            self.respond(reply(Listed(path, self._mine[path], self.desk.now_ms())))
        elif not self._sees_its_own():
            self.respond("550 No such file.")
        else:
            account = self.account
            assert account is not None
            name, _ = stored_name(path)
            self._ask(
                lambda store: store.former_file(account.login, name, 0),
                lambda file: self.respond("550 No such file." if file is None else reply(_listed(file))),
            )

    def ftp_RETR(self, line: str) -> None:
        """Reads an upload back, where that is allowed."""
        path = self._path(line)
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

        self._ask(read, found)

    def _sees_its_own(self) -> bool:
        """Whether the store may be asked; not for an account that others share."""
        return self.terms.may_list and self.account is not None and self.account.shared is None

    def _own_of_this_connection(self) -> list[Listed]:
        now_ms = self.desk.now_ms()
        return [Listed(path, size, now_ms) for path, size in self._mine.items()]

    # others

    def ftp_STAT(self, line: str) -> None:
        """What is going on, in one line."""
        if self.delivery is not None:
            self.respond(f"211 {self.delivery.size} bytes of the file have come.")
        else:
            self.respond("211 Ready." if self.account is not None else "211 Not logged in.")

    def ftp_HELP(self, line: str) -> None:
        """Which commands there are, in one line."""
        self.respond(f"214 {' '.join(self.commands)}")

    def ftp_NOOP(self, line: str) -> None:
        """Nothing."""
        self.respond("200 OK.")

    def ftp_SYST(self, line: str) -> None:
        """What every client expects."""
        self.respond("215 UNIX Type: L8")

    def ftp_FEAT(self, line: str) -> None:
        """What goes beyond RFC 959."""
        features = ["MDTM", "MLST type*;size*;modify*;", "REST STREAM", "SIZE", "TVFS", "UTF8", *self._extra_feats]
        if self.terms.extended_passive:
            features.append("EPSV")
        if self.terms.active:
            features.append("EPRT")
        self.push("211-Features:\r\n" + "".join(f" {feature}\r\n" for feature in sorted(features)))
        self.respond("211 End.")

    def ftp_OPTS(self, line: str) -> None:
        """The one option there is."""
        if line.upper().startswith(("UTF8", "UTF-8")):
            self.respond("200 Always UTF-8.")
        else:
            self.respond("501 There is no such option.")

    # paths

    def _path(self, written: str) -> str | None:
        try:
            return resolve(self.folder, written)
        except BadPath as bad:
            self.wrong(f"553 {bad}.")
            self.refused(f"{bad}: {readable(written.encode('utf-8', 'surrogateescape'))[:100]!r}")
            return None

    def _file(self, written: str) -> str | None:
        path = self._path(written)
        if path is None:
            return None
        name = path.rpartition("/")[2]
        if not name:
            self.wrong("553 This names a folder.")
            return None
        if self.terms.names is not None and not self.terms.names.search(
            readable(name.encode("utf-8", "surrogateescape"))
        ):
            self.respond("553 Files of this name are not taken here.")
            self.refused(f"a file of another kind: {name[:100]!r}")
            return None
        return path


def _listed(file: FileRecord) -> Listed:
    raw = file.raw_name or file.name.encode()
    return Listed("/" + text_of(raw), file.size, file.received_at_ms, complete=file.state is not FileState.INCOMPLETE)
