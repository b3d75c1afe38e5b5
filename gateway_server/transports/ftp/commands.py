"""Which commands the FTP drop knows, what each needs, and the login that most of them need."""

from __future__ import annotations

from typing import NamedTuple

from gateway_server.errors import StoreError
from gateway_server.transports.ftp.login import Account
from gateway_server.transports.ftp.paths import BadPath, raw_of, readable, resolve, text_of
from gateway_server.transports.ftp.transfers import Transfers

MOST_TRIES = 3  # wrong passwords on one connection


class Command(NamedTuple):
    """What a command needs: a login, and an argument (True), none (False), or either (None)."""

    login: bool
    argument: bool | None


COMMANDS = {
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
    "MLST": Command(True, None),
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
    "RNFR": Command(True, True),
    "RNTO": Command(True, True),
    "SIZE": Command(True, True),
    "STAT": Command(False, None),
    "STOR": Command(True, True),
    "STOU": Command(True, None),
    "STRU": Command(True, True),
    "SYST": Command(False, None),
    "TYPE": Command(True, True),
    "USER": Command(False, True),
}
OLD = {"XCUP": "CDUP", "XCWD": "CWD", "XMKD": "MKD", "XPWD": "PWD"}
NEVER = {
    "DELE": "Nothing is removed here",
    "RMD": "Nothing is removed here",
    "XRMD": "Nothing is removed here",
    "MFMT": "No time is changed here",
    "SITE": "There are no SITE commands here",
}


class Commands(Transfers):
    """A control connection that understands commands, knows who has logged in, and resolves paths."""

    commands = COMMANDS

    def knows(self, verb: str) -> bool:
        """Whether this is a command, be it one that is always refused."""
        return OLD.get(verb, verb) in self.commands or verb in NEVER

    def command(self, verb: str, argument: bytes) -> None:
        """Answers one command."""
        verb = OLD.get(verb, verb)
        known = self.commands.get(verb)
        if known is None:
            never = NEVER.get(verb)
            if never is not None and self.account is not None:
                self.wrong(f"550 {never}.")
            else:
                self.wrong("500 This command is not understood.")
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
        self.username = self.tried = readable(raw_of(line))
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
            self.desk.logins.verify(self.terms, login, line, self._verified, lambda: not self._closed)

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
        delay = self.attempts.failed(self.host, self.username)
        self.attempted_logins += 1
        last = self.attempted_logins >= MOST_TRIES
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
        self.own.clear()
        self._renaming = ""
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

    # paths

    def path_of(self, written: str) -> str | None:
        try:
            return resolve(self.folder, written)
        except BadPath as bad:
            self.wrong(f"553 {bad}.")
            self.refused(f"{bad}: {readable(written.encode('utf-8', 'surrogateescape'))[:100]!r}")
            return None

    def file_of(self, written: str) -> str | None:
        path = self.path_of(written)
        if path is None:
            return None
        name = path.rpartition("/")[2]
        if not name:
            self.wrong("553 This names a folder.")
            return None
        shown = readable(raw_of(name))
        if self.terms.names is not None and not self.terms.names.search(shown):
            self.respond("553 Files of this name are not taken here.")
            self.refused(f"a file of another kind: {shown[:100]!r}")
            return None
        return path
